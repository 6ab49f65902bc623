//! The client's half of a session.

mod session;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

pub use session::ClientSession;

use crate::channel::display::Paint;
use crate::channel::stream::StreamEvent;
use crate::digest::DigestContext;
use crate::exact::DueTile;
use crate::geom::TileIndex;
use crate::msg::control::{Capabilities, Close, Layout, Role, SessionId, Surface, TileProof};
use crate::msg::display::{CursorPosition, CursorShape};
use crate::msg::input::{Action, Locks};

/// How a client is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The terminal's name, for people to read; at most 256 bytes.
    pub terminal: String,
    /// The one-use ticket; empty where a certificate admits.
    pub ticket: Vec<u8>,
    /// What the client can do; `max_pixels` bounds its memory for surfaces.
    pub capabilities: Capabilities,
}

/// What the application wants.
#[derive(Clone, Debug)]
pub enum Command {
    /// A connection is there, with this TLS exporter value: say hello over it, and go on if there is a session.
    Connect {
        /// Ties a resume proof to this connection.
        binding: [u8; 32],
    },
    /// A frame was painted, or could not be.
    Painted {
        /// Its number.
        seq: u64,
        /// Its surface.
        surface: u32,
        /// The tiles that it painted whole or in part with source samples; `None` where painting failed.
        tiles: Option<Vec<TileIndex>>,
        /// How long that took.
        took: Duration,
    },
    /// Digests that were asked for.
    Digests {
        /// Of which surface.
        surface: u32,
        /// In which generation.
        generation: u32,
        /// By rising tile.
        tiles: Vec<TileProof>,
    },
    /// The person did something.
    Input(Action),
    /// The window lost the focus: no key is held any more.
    Unfocus,
    /// The layout that the terminal would like.
    WantLayout(Layout),
    /// End the session.
    Close(Close),
}

/// What the session tells the application.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The server admitted the client.
    Welcome {
        /// The session's name.
        session: SessionId,
        /// The surfaces go on; all are gone otherwise.
        resumed: bool,
        /// What the person may do.
        role: Role,
        /// The cells of slots that were agreed on; all slots of before are forgotten.
        slots: u64,
        /// The registers that were agreed on; all models of before are forgotten.
        models: u8,
    },
    /// Keep this surface. `kept` says that its samples go on.
    Surface {
        /// The surface.
        surface: Surface,
        /// Its samples go on; it is blank otherwise.
        kept: bool,
    },
    /// Forget this surface.
    SurfaceGone(u32),
    /// Where outputs are and what they show.
    Layout(Layout),
    /// Paint this now, after everything that was to be painted before; answer with [`Command::Painted`].
    Paint(Paint),
    /// Digest these tiles as they are now, in turn with painting; answer with [`Command::Digests`].
    Digest {
        /// Of which surface.
        surface: u32,
        /// What the digests are salted with.
        context: DigestContext,
        /// Which tiles, and the frame that painted each last.
        tiles: Vec<DueTile>,
    },
    /// These tiles are verified.
    Verified {
        /// Of which surface.
        surface: u32,
        /// Which.
        tiles: Vec<TileIndex>,
    },
    /// The cursor's picture.
    CursorShape(CursorShape),
    /// Where the cursor is.
    CursorAt(CursorPosition),
    /// The guest's lock keys.
    Leds(Locks),
    /// Something happened to a byte stream.
    Stream(StreamEvent),
    /// The connection is gone; another may resume the session.
    Lost(Close),
    /// The session is over.
    Ended(Close),
}
