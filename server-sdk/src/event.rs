use lightbox_protocol::channel::stream::StreamEvent;
use lightbox_protocol::msg::control::{Close, Layout, SessionId};
use lightbox_protocol::msg::input::Action;

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
    /// Something happened to a byte stream.
    Stream {
        /// In which session.
        session: SessionId,
        /// What, and to which.
        event: StreamEvent,
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

/// Events of the server itself, and of each session, that wait for the application.
const ROOM: usize = 4_096;

/// The application's end of the events.
pub type Events = lightbox_net::events::Events<Event>;

/// The server's end; each session has one with room of its own. Input must not be dropped unnoticed: a session whose
/// events find no room is closed.
pub(crate) type EventSink = lightbox_net::events::Sink<Event>;

/// No event of a server stands for another.
impl lightbox_net::events::Merge for Event {}

pub(crate) fn channel() -> (EventSink, Events) {
    lightbox_net::events::channel(ROOM)
}

/// A sink for one session.
pub(crate) fn of_session(server: &EventSink) -> EventSink {
    server.with_room(ROOM)
}
