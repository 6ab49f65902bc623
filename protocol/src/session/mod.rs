//! A session as a value: one door in, one door out.
//!
//! [`Session::handle`] takes what happened and when; [`Session::poll`] gives what is to be done, until it gives
//! [`Effect::Wait`]. A session asks no clock, takes no lock, spawns nothing and opens no socket, so two of them
//! can be joined over a fake network and run through hours in seconds.

pub mod client;
mod secrets;
pub mod server;
mod traffic;

use bytes::Bytes;

pub use self::traffic::{Purpose, Traffic};

use crate::Time;
use crate::channel::stream::{Carrier, StreamEvent, Streams, Want};
use crate::msg::control::Close;
use crate::rate::Estimate;

/// Something that happened to a session.
#[derive(Clone, Debug)]
pub enum Cause<C> {
    /// The next bytes of the control stream, without its leading kind.
    Control(Bytes),
    /// The next bytes of a one-way stream of the peer.
    Stream {
        /// Any number that no other stream of the connection has.
        id: u64,
        /// They may be empty.
        bytes: Bytes,
        /// Nothing follows.
        fin: bool,
    },
    /// The next bytes of a two-way stream other than the control stream, with its leading kind where the peer opened
    /// it.
    Both {
        /// Which.
        carrier: Carrier,
        /// They may be empty.
        bytes: Bytes,
        /// Nothing follows.
        fin: bool,
    },
    /// A datagram.
    Datagram(Bytes),
    /// What the transport knows of the path.
    Path(Path),
    /// Time passed.
    Tick,
    /// The connection is gone; the reason is the peer's or the transport's word.
    Lost(Close),
    /// What the application wants.
    Command(C),
}

/// What the transport knows of the path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Path {
    /// The congestion controller's view.
    pub estimate: Estimate,
    /// The largest datagram that can be sent now, in bytes.
    pub max_datagram: usize,
    /// Bytes on the wire for the connection so far, both ways, IP and UDP headers included.
    pub wire_bytes: u64,
    /// Packets sent and received on the connection so far.
    pub packets: (u64, u64),
}

/// Something to be done for a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect<E> {
    /// Bytes for a stream.
    Send(Lane, Bytes),
    /// A datagram; it may be dropped where it does not fit.
    Datagram(Bytes),
    /// Tell the application.
    Event(E),
    /// Send what was given so far, then close the connection. Nothing follows until it is lost.
    Close(Close),
    /// Nothing more to do before this time or the next cause.
    Wait(Option<Time>),
}

/// Which stream bytes go to. Priorities are the transport's: higher first, unique where order matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The control stream, both ways.
    Control,
    /// The client's input stream.
    Input,
    /// A one-way stream of its own, complete with these bytes.
    Once {
        /// Higher leaves first.
        priority: i32,
    },
    /// A two-way stream beside the control stream; the first bytes for one of [`Carrier::ours`] open it.
    Both {
        /// Which.
        carrier: Carrier,
        /// Higher leaves first; always the same for a stream.
        priority: i32,
        /// Nothing follows in this direction.
        last: bool,
    },
}

impl Lane {
    /// The transport priority of the lane's stream.
    pub fn priority(self) -> i32 {
        match self {
            Lane::Control => 1_000_000,
            Lane::Input => INPUT_PRIORITY,
            Lane::Once { priority } | Lane::Both { priority, .. } => priority,
        }
    }
}

/// Cursor shapes go before frames, and one after the other.
pub(crate) fn cursor_priority(seq: u64) -> i32 {
    INPUT_PRIORITY - 1 - (seq % 1_024) as i32
}

const INPUT_PRIORITY: i32 = 900_000;

/// Frames leave in the order of their numbers: each has a priority of its own, so that none shares the link
/// with its successor. The order would turn once in 2^18 frames; by then the earlier ones are long gone.
pub(crate) fn frame_priority(seq: u64) -> i32 {
    500_000 - (seq % (1 << 18)) as i32
}

/// What only refines leaves after everything else, in the order of its numbers.
pub(crate) fn refine_priority(seq: u64) -> i32 {
    -((seq % (1 << 16)) as i32)
}

/// Either half, as its driver sees it.
pub trait Session {
    /// What the application may ask of it.
    type Command;
    /// What it tells the application.
    type Event;

    /// Takes what happened at `now`. Time never goes backwards; poll until [`Effect::Wait`] afterwards.
    fn handle(&mut self, now: Time, cause: Cause<Self::Command>);

    /// The next thing to do.
    fn poll(&mut self) -> Effect<Self::Event>;

    /// The session's byte streams; poll after a call of theirs.
    fn streams(&mut self) -> &mut Streams;
}

/// What the byte streams want done, as an effect of their session.
fn stream_effect<E>(want: Want, event: impl FnOnce(StreamEvent) -> E) -> Effect<E> {
    match want {
        Want::Tell(told) => Effect::Event(event(told)),
        Want::Send { carrier, priority, bytes, last } => {
            Effect::Send(Lane::Both { carrier, priority, last }, bytes)
        }
    }
}
