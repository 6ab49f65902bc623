//! The exact ledger: which tiles the person sees as the source has them, proved.
//!
//! A tile goes `dirty -> exact -> verified`, on a thin path by way of `painted` and `refining`, which show it with a
//! stated error; and it is `stale` while the lease has run out. Its *epoch* is the number of the frame that painted it
//! last, so both sides know it without a field on the wire. The client digests its own memory and sends the digests
//! first; the server compares them with its private snapshot and answers. A client that echoes has nothing to echo.
//! What is shown with an error has no digest: it is never proved.
//!
//! - [`ServerLedger`]: what was sent, what was proved, and which frames must come before which.
//! - [`ClientLedger`]: what was painted, what is to be proved, what is verified.
//! - [`SlotLedger`]: the same order for tiles that the client keeps aside.
//! - [`ModelLedger`]: and for models of the screen codec; [`Registers`] is the client's half.
//! - [`VideoLedger`]: and for access units, each of which is decoded after the one before.
//! - [`Lease`]: how long "verified" stands without word from the server.

mod client;
mod lease;
mod models;
mod server;
mod slots;
mod video;

pub use client::{Begun, ClientLedger, DueTile, Stated};
pub use lease::{LEASE, Lease};
pub use models::{ModelLedger, Registers};
pub use server::{Judgement, Left, ServerLedger, Write};
pub use slots::{SlotLedger, SlotUse};
pub use video::VideoLedger;

/// What is known of a tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileState {
    /// Changed at the source, or never shown.
    #[default]
    Dirty,
    /// A first pass is shown, or video.
    Painted,
    /// Passes toward the source are under way.
    Refining,
    /// All samples were sent and painted.
    Exact,
    /// The client's own digest equals the server's.
    Verified,
    /// It was verified, but the lease ran out.
    Stale,
}

/// The error of a tile of which nothing is stated: it shows video.
pub const UNSTATED: u32 = u32::MAX;

/// What a frame leaves in a tile once it is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// A first pass: no sample is farther from the source's than `error`. Video is one of which nothing is stated.
    First {
        /// In sample values; or [`UNSTATED`].
        error: u32,
    },
    /// The source's high bits: no sample is farther from the source's than `error`.
    High {
        /// In sample values.
        error: u32,
    },
    /// The source's samples.
    Exact,
}

impl Pass {
    /// How far a sample may be from the source's.
    pub fn error(self) -> u32 {
        match self {
            Pass::First { error } | Pass::High { error } => error,
            Pass::Exact => 0,
        }
    }

    /// The state of a tile that it was painted in.
    pub(crate) fn state(self) -> TileState {
        match self {
            Pass::First { .. } => TileState::Painted,
            Pass::High { .. } => TileState::Refining,
            Pass::Exact => TileState::Exact,
        }
    }
}

/// How many tiles are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All tiles.
    pub total: u32,
    /// Tiles painted with source samples, verified ones included.
    pub exact: u32,
    /// Tiles verified, whether or not the lease lives.
    pub verified: u32,
    /// Tiles that show the source with a stated error: painted and refining ones. None of them counts as exact.
    pub refining: u32,
    /// The largest error stated of any of those, in sample values, [`UNSTATED`] where some show video; 0 at a server,
    /// which states none to itself.
    pub max_error: u32,
}

impl Counts {
    /// True if every tile is verified.
    pub fn all_verified(&self) -> bool {
        self.total > 0 && self.verified == self.total
    }

    /// True if every tile shows the source, exactly or with a stated error.
    pub fn all_shown(&self) -> bool {
        self.exact + self.refining == self.total
    }

    /// A tile went from one state to another.
    pub(crate) fn moved(&mut self, from: TileState, to: TileState) {
        let move_in = |count: &mut u32, holds: fn(TileState) -> bool| {
            *count = *count + u32::from(holds(to)) - u32::from(holds(from));
        };
        move_in(&mut self.exact, |s| matches!(s, TileState::Exact | TileState::Verified));
        move_in(&mut self.verified, |s| s == TileState::Verified);
        move_in(&mut self.refining, |s| matches!(s, TileState::Painted | TileState::Refining));
    }

    /// Of both together.
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            total: self.total + other.total,
            exact: self.exact + other.exact,
            verified: self.verified + other.verified,
            refining: self.refining + other.refining,
            max_error: self.max_error.max(other.max_error),
        }
    }
}
