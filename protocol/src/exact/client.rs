use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Counts, TileState};
use crate::Time;
use crate::geom::{TileGrid, TileIndex};
use crate::msg::control::{MAX_PROOF, Proof, Surface, Verdict};

/// A tile is proved once it has not changed for this long: motion, from 20 pictures a second on, is not worth a
/// digest a frame.
const QUIET: Duration = Duration::from_millis(60);
/// Proofs without a verdict; the oldest is forgotten beyond this.
const MAX_OUTSTANDING: usize = 256;

/// What the client knows of each tile of one surface.
#[derive(Clone, Debug)]
pub struct ClientLedger {
    surface: Surface,
    grid: TileGrid,
    tiles: Vec<Tile>,
    counts: Counts,
    /// Tiles to prove, in the order of their time.
    due: VecDeque<(Time, DueTile)>,
    outstanding: BTreeMap<u64, Vec<DueTile>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tile {
    epoch: u64,
    state: TileState,
}

/// A tile whose digest is wanted, as painted by frame `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueTile {
    /// Which.
    pub tile: TileIndex,
    /// The frame that painted it last.
    pub epoch: u64,
}

impl ClientLedger {
    /// Nothing painted yet.
    pub fn new(surface: Surface) -> Self {
        let grid = TileGrid::new(surface.size);
        Self {
            surface,
            grid,
            tiles: vec![Tile::default(); grid.len() as usize],
            counts: Counts { total: grid.len(), ..Counts::default() },
            due: VecDeque::new(),
            outstanding: BTreeMap::new(),
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

    /// How many tiles are in which state.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The state of `tile`, the lease apart.
    pub fn state(&self, tile: TileIndex) -> TileState {
        self.tiles.get(tile as usize).map_or(TileState::Dirty, |t| t.state)
    }

    /// The first of the frames whose tiles are not exact here: it failed, it turned out wrong, or it is being painted.
    pub fn first_inexact(&self) -> Option<u64> {
        let inexact = self.tiles.iter().filter(|t| t.epoch > 0 && t.state == TileState::Dirty);
        inexact.map(|t| t.epoch).min()
    }

    /// Frame `seq` is about to paint `tiles`: from now on they are not verified. Returns those that a later frame
    /// painted already, which must keep what they show.
    pub fn begin(&mut self, seq: u64, tiles: impl Iterator<Item = TileIndex>) -> Vec<TileIndex> {
        let mut newer = Vec::new();
        for tile in tiles {
            let Some(t) = self.tiles.get_mut(tile as usize) else { continue };
            if t.epoch > seq {
                newer.push(tile);
            } else {
                t.epoch = seq;
                self.set(tile, TileState::Dirty);
            }
        }
        newer
    }

    /// Frame `seq` painted `tiles` with source samples.
    pub fn painted(&mut self, now: Time, seq: u64, tiles: impl Iterator<Item = TileIndex>) {
        for tile in tiles {
            if self.tiles.get(tile as usize).is_some_and(|t| t.epoch == seq && t.state == TileState::Dirty) {
                self.set(tile, TileState::Exact);
                self.due.push_back((now + QUIET, DueTile { tile, epoch: seq }));
            }
        }
    }

    /// When the next tile is to be proved.
    pub fn next_due(&mut self) -> Option<Time> {
        while let Some((at, next)) = self.due.front() {
            if self.is_current(*next) {
                return Some(*at);
            }
            self.due.pop_front();
        }
        None
    }

    /// The tiles that are to be proved by `now`, by rising number; at most as many as a proof holds.
    pub fn take_due(&mut self, now: Time) -> Vec<DueTile> {
        let mut tiles = Vec::new();
        while tiles.len() < MAX_PROOF && self.next_due().is_some_and(|at| at <= now) {
            if let Some((_, due)) = self.due.pop_front() {
                tiles.push(due);
            }
        }
        tiles.sort_unstable_by_key(|due| due.tile);
        tiles.dedup_by_key(|due| due.tile);
        tiles
    }

    /// `proof` was sent.
    pub fn sent(&mut self, proof: &Proof) {
        let tiles = proof.tiles.iter().map(|t| DueTile { tile: t.tile, epoch: t.epoch }).collect();
        self.outstanding.insert(proof.id, tiles);
        if self.outstanding.len() > MAX_OUTSTANDING {
            self.outstanding.pop_first();
        }
    }

    /// The server's answer to a proof. Returns the tiles that became verified; a verdict on a proof that was never
    /// sent changes nothing.
    pub fn judged(&mut self, verdict: &Verdict) -> Vec<TileIndex> {
        let Some(claims) = self.outstanding.remove(&verdict.proof) else { return Vec::new() };
        let mut verified = Vec::new();
        for (place, claim) in claims.into_iter().enumerate() {
            let place = place as u32;
            if !self.is_current(claim) || verdict.superseded.binary_search(&place).is_ok() {
                continue;
            }
            if verdict.mismatched.binary_search(&place).is_ok() {
                self.set(claim.tile, TileState::Dirty);
            } else {
                self.set(claim.tile, TileState::Verified);
                verified.push(claim.tile);
            }
        }
        verified
    }

    /// The surface goes on, over another connection or in a new generation: what is painted stays, and is proved anew.
    pub fn renew(&mut self, now: Time, surface: Surface) {
        self.surface = surface;
        self.outstanding.clear();
        self.due.clear();
        for tile in 0..self.grid.len() {
            let Tile { epoch, state } = self.tiles[tile as usize];
            if matches!(state, TileState::Exact | TileState::Verified) {
                self.set(tile, TileState::Exact);
                self.due.push_back((now, DueTile { tile, epoch }));
            }
        }
    }

    /// True while the tile still shows what that frame painted, whole.
    fn is_current(&self, due: DueTile) -> bool {
        self.tiles.get(due.tile as usize).is_some_and(|t| {
            t.epoch == due.epoch && matches!(t.state, TileState::Exact | TileState::Verified)
        })
    }

    fn set(&mut self, tile: TileIndex, state: TileState) {
        let Some(t) = self.tiles.get_mut(tile as usize) else { return };
        self.counts.moved(t.state, state);
        t.state = state;
    }
}
