use alloc::vec;
use alloc::vec::Vec;

use super::{Counts, TileState};
use crate::digest::{Digest, DigestContext};
use crate::geom::{TileGrid, TileIndex};
use crate::msg::control::{Proof, Root, Surface, Verdict};

/// One tile that a frame writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which.
    pub tile: TileIndex,
    /// True if the frame paints all of it from its own bytes, so that what was there does not matter.
    pub whole: bool,
    /// What it is after the frame.
    pub left: Left,
}

/// What a frame leaves in a tile, as the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// A first pass, or video.
    First,
    /// The high bits.
    High,
    /// The snapshot's samples, of this digest.
    Exact(Digest),
}

impl Left {
    fn state(self) -> TileState {
        match self {
            Left::First => TileState::Painted,
            Left::High => TileState::Refining,
            Left::Exact(_) => TileState::Exact,
        }
    }
}

/// What the server knows of each tile at one client.
#[derive(Clone, Debug)]
pub struct ServerLedger {
    surface: Surface,
    grid: TileGrid,
    tiles: Vec<Tile>,
    counts: Counts,
}

#[derive(Clone, Copy, Debug)]
struct Tile {
    /// The frame that painted it last; 0 if none did.
    epoch: u64,
    /// The last frame that copied from it, or added low bits to it.
    read_by: u64,
    /// Of the samples that it shows; `None` where those are not the source's.
    digest: Option<Digest>,
    state: TileState,
}

/// What nobody has painted or read.
const BLANK: Tile = Tile { epoch: 0, read_by: 0, digest: None, state: TileState::Dirty };

/// What became of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What the client is told.
    pub verdict: Verdict,
    /// The tiles that must be sent again, by another lossless path.
    pub wrong: Vec<TileIndex>,
    /// How many tiles became verified.
    pub verified: u32,
}

impl ServerLedger {
    /// All tiles of `surface` dirty.
    pub fn new(surface: Surface) -> Self {
        let grid = TileGrid::new(surface.size);
        Self {
            surface,
            grid,
            tiles: vec![BLANK; grid.len() as usize],
            counts: Counts { total: grid.len(), ..Counts::default() },
        }
    }

    /// The surface it speaks of.
    pub fn surface(&self) -> &Surface {
        &self.surface
    }

    /// The tiles of the surface.
    pub fn grid(&self) -> TileGrid {
        self.grid
    }

    /// What digests of this generation are salted with.
    pub fn context(&self) -> DigestContext {
        DigestContext {
            nonce: self.surface.nonce,
            surface: self.surface.id,
            generation: self.surface.generation,
        }
    }

    /// How many tiles are in which state.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The state of `tile`, as far as the server knows it.
    pub fn state(&self, tile: TileIndex) -> TileState {
        self.tiles.get(tile as usize).map_or(TileState::Dirty, |t| t.state)
    }

    /// The last frame that must be applied before a frame that reads `reads` and writes `writes`.
    ///
    /// A frame needs the frames whose samples it keeps, copies or adds low bits to, and must not overtake one that
    /// still reads what it paints over. Low bits read all tiles of their rect, and are worth nothing if one is another.
    pub fn base(&self, reads: &[TileIndex], writes: &[Write]) -> u64 {
        let sources = reads.iter().map(|tile| self.tile(*tile).epoch);
        let targets = writes.iter().map(|w| {
            let t = self.tile(w.tile);
            if w.whole { t.read_by } else { t.read_by.max(t.epoch) }
        });
        sources.chain(targets).max().unwrap_or(0)
    }

    /// Frame `seq` was sent.
    pub fn sent(&mut self, seq: u64, reads: &[TileIndex], writes: &[Write]) {
        for tile in reads {
            if let Some(t) = self.tiles.get_mut(*tile as usize) {
                t.read_by = seq;
            }
        }
        for write in writes {
            self.set(write.tile, write.left.state());
            if let Some(t) = self.tiles.get_mut(write.tile as usize) {
                t.epoch = seq;
                t.digest = match write.left {
                    Left::Exact(digest) => Some(digest),
                    Left::First | Left::High => None,
                };
            }
        }
    }

    /// Compares a client's root with the one over the snapshot's digests. Returns how many tiles became verified; `None`
    /// where the root is another: then it says nothing of any tile, as the client may have some at another epoch.
    pub fn judge_root(&mut self, root: &Root) -> Option<u32> {
        let tile = |tile: &TileIndex| self.tiles.get(*tile as usize).filter(|t| t.epoch != 0)?.digest;
        let ours: Option<Vec<_>> = root.tiles.iter().map(tile).collect();
        let is_equal = root.generation == self.surface.generation && Root::over(ours?) == root.root;
        let exact = root.tiles.iter().filter(|tile| self.state(**tile) == TileState::Exact);
        let exact: Vec<_> = is_equal.then(|| exact.copied().collect())?;
        exact.iter().for_each(|tile| self.set(*tile, TileState::Verified));
        Some(exact.len() as u32)
    }

    /// Compares a client's digests with the snapshot's.
    pub fn judge(&mut self, proof: &Proof) -> Judgement {
        let mut verdict = Verdict { proof: proof.id, mismatched: Vec::new(), superseded: Vec::new() };
        let (mut wrong, mut verified) = (Vec::new(), 0);
        let current = proof.generation == self.surface.generation;
        for (place, claim) in proof.tiles.iter().enumerate() {
            let place = place as u32;
            let tile = self.tiles.get(claim.tile as usize);
            let tile = tile.filter(|t| current && t.epoch == claim.epoch && t.epoch != 0);
            match tile.and_then(|t| Some((t, t.digest?))) {
                Some((t, digest)) => {
                    if digest == claim.digest {
                        // A tile whose resending is under way stays dirty; this copy of it is right all the same.
                        if t.state == TileState::Exact {
                            self.set(claim.tile, TileState::Verified);
                            verified += 1;
                        }
                    } else {
                        self.set(claim.tile, TileState::Dirty);
                        verdict.mismatched.push(place);
                        wrong.push(claim.tile);
                    }
                }
                // A digest of what was never said to be exact says nothing either.
                None => verdict.superseded.push(place),
            }
        }
        Judgement { verdict, wrong, verified }
    }

    /// The client could not paint frame `seq`: the tiles that still show it are dirty, and returned.
    pub fn lost(&mut self, seq: u64) -> Vec<TileIndex> {
        self.forget(|t| t.epoch == seq)
    }

    /// Frames after `applied_to` were lost with their connection: their tiles are dirty, and returned. What is left
    /// of the surface must be proved anew in the generation of `surface`; what is shown with an error stays so.
    pub fn resume(&mut self, surface: Surface, applied_to: u64) -> Vec<TileIndex> {
        self.surface = surface;
        let gone = self.forget(|t| t.epoch > applied_to || t.epoch == 0);
        for tile in 0..self.grid.len() {
            if self.state(tile) == TileState::Verified {
                self.set(tile, TileState::Exact);
            }
        }
        gone
    }

    fn forget(&mut self, is_gone: impl Fn(&Tile) -> bool) -> Vec<TileIndex> {
        let gone: Vec<_> = (0..self.grid.len()).filter(|i| is_gone(&self.tiles[*i as usize])).collect();
        gone.iter().for_each(|tile| self.set(*tile, TileState::Dirty));
        gone
    }

    fn tile(&self, tile: TileIndex) -> Tile {
        self.tiles.get(tile as usize).copied().unwrap_or(BLANK)
    }

    fn set(&mut self, tile: TileIndex, state: TileState) {
        let Some(t) = self.tiles.get_mut(tile as usize) else { return };
        self.counts.moved(t.state, state);
        t.state = state;
    }
}
