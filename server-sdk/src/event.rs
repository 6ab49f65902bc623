use lightbox_protocol::channel::stream::StreamEvent;
use lightbox_protocol::msg::control::{Close, Layout, MAX_SURFACES, SessionId};
use lightbox_protocol::msg::input::Action;

use crate::admit::Knock;

/// What a server tells its application.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A client is at the door, with [`Config::ask`](crate::Config::ask): [`Server::answer`](crate::Server::answer) it.
    Knock {
        /// For the answer.
        id: u64,
        /// Who it is.
        knock: Knock,
    },
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
    /// What was submitted before [`Output::notify`](crate::Output::notify) has been taken into frames.
    FrameDone {
        /// On which output.
        output: u32,
        /// What [`Output::notify`](crate::Output::notify) was given.
        cookie: u64,
        /// Connected sessions that did not take it within a second.
        behind: usize,
    },
    /// Tiles took longer than [`Contract::ExactWithin`](crate::Contract::ExactWithin) allows.
    Late {
        /// In which session.
        session: SessionId,
        /// On which output.
        output: u32,
        /// How many tiles.
        tiles: u32,
    },
    /// Tiles reached the client other than they left; they are sent again by another path.
    Mismatch {
        /// In which session.
        session: SessionId,
        /// How many tiles.
        tiles: usize,
    },
    /// Somebody who decodes video came in the middle of this output's run, or could not go on with it: the host's
    /// encoder may make its next unit a key frame. Told twice a second at most; until then they are served without
    /// video.
    WantKeyFrame {
        /// Of which output.
        output: u32,
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

/// A notice says as much as those of its output before it, so one of each is told whenever there is room again. No other
/// event stands for another.
impl lightbox_net::events::Merge for Event {
    fn merge(self, late: &mut Vec<Self>) -> bool {
        let Event::FrameDone { output, .. } = self else { return false };
        late.retain(|older| !matches!(older, Event::FrameDone { output: of, .. } if *of == output));
        // Outputs that are gone have no newer ones.
        let room = late.len() < MAX_SURFACES * 2;
        if room {
            late.push(self);
        }
        room
    }
}

pub(crate) fn channel() -> (EventSink, Events) {
    lightbox_net::events::channel(ROOM)
}

/// A sink for one session.
pub(crate) fn of_session(server: &EventSink) -> EventSink {
    server.with_room(ROOM)
}
