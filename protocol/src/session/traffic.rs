//! What a connection carries, by what it is for.

use super::{Effect, Lane};
use crate::wire::ids::{control, datagram, stream};

/// What bytes of a session are for. What is counted are messages, without what the transport wraps them in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Frames of the display.
    Frame,
    /// The cursor's shapes and places.
    Cursor,
    /// Digests of what the client shows.
    Proof,
    /// The server's answers to them.
    Verdict,
    /// Which frames were applied.
    Feedback,
    /// The lease.
    Heartbeat,
    /// What the person does.
    Input,
    /// Everything else.
    Other,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Purpose; 8] = [
        Purpose::Frame,
        Purpose::Cursor,
        Purpose::Proof,
        Purpose::Verdict,
        Purpose::Feedback,
        Purpose::Heartbeat,
        Purpose::Input,
        Purpose::Other,
    ];

    /// A word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Frame => "frame",
            Purpose::Cursor => "cursor",
            Purpose::Proof => "proof",
            Purpose::Verdict => "verdict",
            Purpose::Feedback => "feedback",
            Purpose::Heartbeat => "heartbeat",
            Purpose::Input => "input",
            Purpose::Other => "other",
        }
    }

    /// Of a control message of this type.
    pub(super) fn of_control(kind: u64) -> Self {
        match kind {
            control::PROOF | control::ROOT => Purpose::Proof,
            control::VERDICT | control::SINGLY => Purpose::Verdict,
            _ => Purpose::Other,
        }
    }

    /// Of a datagram.
    pub(super) fn of_datagram(bytes: &[u8]) -> Self {
        match bytes.first().copied().map(u64::from) {
            Some(datagram::FEEDBACK) => Purpose::Feedback,
            Some(datagram::HEARTBEAT) => Purpose::Heartbeat,
            Some(datagram::INPUT) => Purpose::Input,
            Some(datagram::CURSOR) => Purpose::Cursor,
            _ => Purpose::Other,
        }
    }
}

/// How many messages, and of how many bytes, there were of each purpose, both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic([(u64, u64); Purpose::ALL.len()]);

impl Traffic {
    /// Messages and bytes for this purpose.
    pub fn of(&self, purpose: Purpose) -> (u64, u64) {
        self.0[purpose as usize]
    }

    pub(super) fn add(&mut self, purpose: Purpose, bytes: usize) {
        let (messages, sum) = &mut self.0[purpose as usize];
        *messages += 1;
        *sum += bytes as u64;
    }

    /// A server wants this done.
    pub(super) fn sent<E>(&mut self, effect: &Effect<E>) {
        let (purpose, bytes) = match effect {
            Effect::Send(Lane::Once { .. }, bytes) if bytes.first() == Some(&(stream::CURSOR as u8)) => {
                (Purpose::Cursor, bytes)
            }
            Effect::Send(Lane::Once { .. }, bytes) => (Purpose::Frame, bytes),
            Effect::Send(Lane::Control, bytes) => {
                (bytes.first().map_or(Purpose::Other, |kind| Purpose::of_control((*kind).into())), bytes)
            }
            Effect::Send(_, bytes) => (Purpose::Other, bytes),
            Effect::Datagram(bytes) => (Purpose::of_datagram(bytes), bytes),
            Effect::Event(_) | Effect::Close(_) | Effect::Wait(_) => return,
        };
        self.add(purpose, bytes.len());
    }
}
