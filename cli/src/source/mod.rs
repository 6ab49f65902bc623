//! Where frames come from: the reading room scene, an X server, a VNC server, QEMU, DICOM files, a recording.

#[cfg(feature = "dicom")]
pub mod dicom;
#[cfg(any(feature = "x11", feature = "vnc", feature = "qemu"))]
mod fraction;
mod open;
pub mod phantom;
#[cfg(feature = "qemu")]
pub mod qemu;
pub mod record;
pub mod replay;
pub mod scene;
#[cfg(feature = "vnc")]
pub mod vnc;
#[cfg(feature = "x11")]
pub mod x11;

pub use open::open;

use std::time::Duration;

use lightbox_codec::geom::{Point, Rect, Size};
use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::Time;
use lightbox_protocol::msg::input::{Action, Locks};

/// A live desktop: its picture, what changes in it, and a way to give it input.
pub trait Source: Send {
    /// Waits at most `wait` until something happens, and appends what did to `changes`.
    ///
    /// Returns early with what it has as soon as there is something. A source that paces itself (a scene, a
    /// recording) sleeps in here.
    fn poll(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), SourceError>;

    /// The whole picture as of the last `poll`.
    fn image(&self) -> ImageRef<'_>;

    /// Gives the desktop one user action. Actions that it has no use for are ignored.
    fn input(&mut self, action: &Action) -> Result<(), SourceError>;

    /// The person's window has this size now: a desktop that can takes it too, and says so by [`Change::Resized`].
    fn want_size(&mut self, size: Size) -> Result<(), SourceError> {
        let _ = size;
        Ok(())
    }
}

/// Something that happened on a source's desktop.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// These rects (of `image`) may have changed at `at`.
    Damage {
        /// Where; they may overlap and may claim too much.
        rects: Vec<Rect>,
        /// When, on the clock of [`lightbox_net::clock::now`].
        at: Time,
    },
    /// `image` has a new size from now on; all of it is damaged.
    Resized(Size),
    /// The cursor has a new shape.
    Cursor(CursorShape),
    /// The cursor is at `at` (its hotspot, in pixels of the output), or hidden.
    CursorAt {
        /// Where its hotspot is.
        at: Point,
        /// Whether it shows.
        visible: bool,
    },
    /// The desktop's lock keys are like this.
    Leds(Locks),
    /// Nothing more will come.
    Ended,
}

/// A cursor's picture.
#[derive(Clone, Debug, PartialEq)]
pub struct CursorShape {
    /// Columns and rows, at most 256x256.
    pub size: Size,
    /// The pixel that points.
    pub hotspot: Point,
    /// B, G, R, A bytes with colour already multiplied by alpha, row by row.
    pub bgra: Vec<u8>,
}

/// Why a source cannot go on: one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);
