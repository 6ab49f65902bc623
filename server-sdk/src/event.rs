use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lightbox_protocol::msg::control::{Close, Layout, SessionId};
use lightbox_protocol::msg::input::Action;

use crate::wake::Wake;

/// What a server tells its application.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A person came in.
    Joined {
        /// The new session.
        session: SessionId,
        /// What the terminal calls itself.
        terminal: String,
    },
    /// The session's connection is there again.
    Resumed(SessionId),
    /// The session's connection is gone; it waits for its client.
    Detached {
        /// Which.
        session: SessionId,
        /// Why.
        why: Close,
    },
    /// The session is over.
    Left {
        /// Which.
        session: SessionId,
        /// Why.
        why: Close,
    },
    /// The person did something.
    Input {
        /// In which session.
        session: SessionId,
        /// What.
        action: Action,
    },
    /// The terminal would like this layout; [`Output::resize`](crate::Output::resize) follows it if the guest does.
    WantLayout {
        /// In which session.
        session: SessionId,
        /// Which.
        layout: Layout,
    },
    /// Tiles reached the client other than they left; they are sent again by another path.
    Mismatch {
        /// In which session.
        session: SessionId,
        /// How many tiles.
        tiles: usize,
    },
    /// The sweep found changes that no damage had reported; they are sent.
    UnderReported {
        /// On which output.
        output: u32,
        /// In how many tiles.
        tiles: u32,
    },
}

/// Events that wait for the application.
const ROOM: usize = 16_384;

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
        (EventSink { to, wake: wake.clone() }, Self { from: Mutex::new(from), wake })
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

/// The server's end.
#[derive(Clone, Debug)]
pub(crate) struct EventSink {
    to: SyncSender<Event>,
    wake: Arc<Wake>,
}

impl EventSink {
    /// False where the application does not read and there is no room: input must not be dropped unnoticed.
    pub(crate) fn tell(&self, event: Event) -> bool {
        let told = !matches!(self.to.try_send(event), Err(TrySendError::Full(_)));
        self.wake.call();
        told
    }
}
