use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lightbox_codec::geom::{Rect, TileIndex};
use lightbox_net::events::{Sink, channel};
use lightbox_protocol::Time;
use lightbox_protocol::msg::control::{Close, Layout, Role, SessionId, Surface};
use lightbox_protocol::msg::display::{CursorPosition, CursorShape};
use lightbox_protocol::msg::input::Locks;

/// What a client tells its application.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The server let the client in.
    Connected {
        /// The session's name.
        session: SessionId,
        /// It goes on where it was before the connection was lost.
        resumed: bool,
        /// What the person may do.
        role: Role,
    },
    /// There is a surface of this size; blank unless it goes on from before.
    Surface(Surface),
    /// The surface of this number is no more.
    SurfaceGone(u32),
    /// Where outputs are, and which surface each shows.
    Layout(Layout),
    /// Samples of a surface changed.
    Updated {
        /// Which surface.
        surface: u32,
        /// Where. They may overlap.
        rects: Vec<Rect>,
        /// The frame's number.
        frame: u64,
        /// When the picture was taken, on the server's clock in microseconds.
        capture_us: u64,
        /// When it was painted, on this machine's monotonic clock.
        at: Time,
        /// How long after the picture was taken that was, with an error of half a round trip; `None` before the first heartbeat.
        age: Option<Duration>,
    },
    /// Tiles are proved to show the source's samples.
    Verified {
        /// Of which surface.
        surface: u32,
        /// Which.
        tiles: Vec<TileIndex>,
    },
    /// The cursor's picture.
    CursorShape(CursorShape),
    /// Where the cursor is, if the server moved it.
    CursorAt(CursorPosition),
    /// The guest's lock keys.
    Leds(Locks),
    /// The connection is gone; the client tries to get it back.
    Lost(Close),
    /// The session is over. Nothing follows.
    Ended(Close),
}

/// Events that wait for the application.
const ROOM: usize = 4_096;

/// The application's end of the events.
pub type Events = lightbox_net::events::Events<Event>;

/// The client's end.
#[derive(Clone, Debug)]
pub(crate) struct EventSink {
    to: Sink<Event>,
    missed: Arc<AtomicBool>,
}

impl EventSink {
    pub(crate) fn new() -> (Self, Events) {
        let (to, events) = channel(ROOM);
        (Self { to, missed: Arc::default() }, events)
    }

    /// Tells the application. One that does not keep up loses events, not the session; it is then told that a whole
    /// surface changed.
    pub(crate) fn tell(&self, event: Event) {
        if !self.to.tell(event) {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// True once after events were lost.
    pub(crate) fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }
}
