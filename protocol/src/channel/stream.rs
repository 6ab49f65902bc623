//! Named byte streams with credit: what a device, a clipboard or an agent of the guest speaks through. Either end
//! opens one by name, the other's application takes it or does not, and then bytes flow both ways, in order and whole,
//! as far as the reader has granted. SPEC.md, "Byte streams".
//!
//! Both halves are alike: [`Streams`] is a session's table of them. They end with their connection; an application
//! that resumes opens new ones.

mod duplex;
mod table;

use crate::msg::control::Close;
use crate::msg::stream::{Name, Urgency};

pub use table::Streams;
pub(crate) use table::Want;

/// Names a byte stream of a session, for its application. No other of the session ever has the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// Which stream of the connection carries a byte stream, as this side calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Carrier {
    /// This side opened it; else the peer did.
    pub ours: bool,
    /// A number that no other stream of that side has on this connection.
    pub number: u64,
}

/// What an application is told of byte streams.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// The peer's application opened one: take it or refuse it.
    Offered {
        /// Its number.
        stream: StreamId,
        /// What it is for.
        name: Name,
        /// What it may wait for.
        urgency: Urgency,
    },
    /// The peer took it: write.
    Accepted(StreamId),
    /// There are bytes or the end to read, after a read that found none.
    Readable(StreamId),
    /// There is credit again, after a write that was not taken whole.
    Writable(StreamId),
    /// It is over, refused, or lost with the connection. What was not read is gone.
    Closed {
        /// Its number.
        stream: StreamId,
        /// Why.
        why: Close,
    },
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes, at least one.
    Bytes(usize),
    /// None yet; [`StreamEvent::Readable`] follows.
    Nothing,
    /// The peer's end: nothing more will come.
    End,
}

/// Why a byte stream does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// There is no such stream any more, or it was not taken yet by this side.
    #[error("the stream is over, or is not open yet")]
    Closed,
    /// This side has said that no more bytes follow.
    #[error("the stream's end was written already")]
    Ended,
    /// As many are open as the peer takes; none where it takes none or is not connected.
    #[error("the peer takes {limit} streams at a time")]
    TooMany {
        /// How many.
        limit: usize,
    },
}

/// Bytes that a reader grants ahead: what it holds at most for a stream that its application does not read.
pub const WINDOW: u32 = 256 << 10;
/// Streams that one side may have open, whatever was agreed.
pub const MAX_STREAMS: usize = 24;
/// Credit that nobody may have unused: more could not be kept ready to send.
pub const MAX_CREDIT: u32 = 512 << 10;
