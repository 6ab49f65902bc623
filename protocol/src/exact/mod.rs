//! The exact ledger: which tiles the person sees as the source has them, proved.
//!
//! A tile goes `dirty -> exact -> verified`, and is `stale` while the lease has run out. Its *epoch* is the number
//! of the frame that painted it last, so both sides know it without a field on the wire. The client digests its
//! own memory and sends the digests first; the server compares them with its private snapshot and answers. A
//! client that echoes has nothing to echo.
//!
//! - [`ServerLedger`]: what was sent, what was proved, and which frames must come before which.
//! - [`ClientLedger`]: what was painted, what is to be proved, what is verified.
//! - [`Lease`]: how long "verified" stands without word from the server.

mod client;
mod lease;
mod server;

pub use client::{ClientLedger, DueTile};
pub use lease::{LEASE, Lease};
pub use server::{Judgement, ServerLedger, Write};

/// What is known of a tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileState {
    /// Changed at the source, or never shown.
    #[default]
    Dirty,
    /// A first pass is shown.
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

/// How many tiles are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All tiles.
    pub total: u32,
    /// Tiles painted with source samples, verified ones included.
    pub exact: u32,
    /// Tiles verified, whether or not the lease lives.
    pub verified: u32,
}

impl Counts {
    /// True if every tile is verified.
    pub fn all_verified(&self) -> bool {
        self.total > 0 && self.verified == self.total
    }

    /// A tile went from one state to another.
    pub(crate) fn moved(&mut self, from: TileState, to: TileState) {
        let is_exact = |s| matches!(s, TileState::Exact | TileState::Verified);
        self.exact = self.exact + u32::from(is_exact(to)) - u32::from(is_exact(from));
        let verified = |s| u32::from(s == TileState::Verified);
        self.verified = self.verified + verified(to) - verified(from);
    }

    /// The sum of two.
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            total: self.total + other.total,
            exact: self.exact + other.exact,
            verified: self.verified + other.verified,
        }
    }
}
