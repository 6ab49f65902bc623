use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lightbox_codec::geom::{Rect, TileIndex};
use lightbox_protocol::Time;
use lightbox_protocol::msg::control::{Close, Layout, Role, SessionId, Surface};
use lightbox_protocol::msg::display::{CursorPosition, CursorShape};
use lightbox_protocol::msg::input::Locks;

use crate::wake::Wake;

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
#[derive(Debug)]
pub struct Events {
    from: Mutex<Receiver<Event>>,
    wake: Arc<Wake>,
}

impl Events {
    pub(crate) fn new() -> (EventSink, Self) {
        let (to, from) = sync_channel(ROOM);
        let wake = Arc::<Wake>::default();
        let sink = EventSink { to, missed: Arc::default(), wake: wake.clone() };
        (sink, Self { from: Mutex::new(from), wake })
    }

    /// The next event, if there is one.
    pub fn try_next(&self) -> Option<Event> {
        self.from.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }

    /// The next event, waiting for it at most this long.
    pub fn next_within(&self, wait: Duration) -> Option<Event> {
        self.from.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(wait).ok()
    }

    /// Calls `waker` whenever an event has come that waits to be read, for applications that wait for other things
    /// as well. It runs on threads of this crate, perhaps while they hold locks: it must be brief and call nothing
    /// of this crate. It replaces an earlier one; events that wait already are not announced.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        self.wake.set(Box::new(waker));
    }
}

/// The client's end.
#[derive(Clone, Debug)]
pub(crate) struct EventSink {
    to: SyncSender<Event>,
    missed: Arc<AtomicBool>,
    wake: Arc<Wake>,
}

impl EventSink {
    /// Tells the application. One that does not keep up loses events, not the session; it is then told that a whole
    /// surface changed.
    pub(crate) fn tell(&self, event: Event) {
        if let Err(TrySendError::Full(_)) = self.to.try_send(event) {
            self.missed.store(true, Ordering::Relaxed);
        }
        self.wake.call();
    }

    /// True once after events were lost.
    pub(crate) fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }
}
