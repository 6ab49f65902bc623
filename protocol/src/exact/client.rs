use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Counts, Pass, TileState};
use crate::Time;
use crate::geom::{Rect, TileGrid, TileIndex};
use crate::msg::control::{MAX_PROOF, Proof, Root, Surface, TileProof, Verdict};
use crate::msg::display::{Op, Step};

/// A tile is proved once it has not changed for this long: motion, from 25 pictures a second on, is not worth a
/// digest a frame.
const QUIET: Duration = Duration::from_millis(40);
/// Proofs of a surface that goes on changing are so far apart. Each is a packet, which also acknowledges all that came
/// in the meantime.
const GAP: Duration = Duration::from_millis(100);
/// Proofs without a verdict; the oldest is forgotten beyond this.
const MAX_OUTSTANDING: usize = 256;

/// What the client knows of each tile of one surface.
#[derive(Clone, Debug)]
pub struct ClientLedger {
    surface: Surface,
    grid: TileGrid,
    tiles: Vec<Tile>,
    /// But for `max_error`.
    counts: Counts,
    /// Tiles to prove, in the order of their time.
    due: VecDeque<(Time, DueTile)>,
    /// When tiles to prove were last taken.
    taken: Option<Time>,
    outstanding: BTreeMap<u64, Vec<DueTile>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tile {
    epoch: u64,
    state: TileState,
    /// What frame `epoch` leaves once it is painted; `None` where that is not known, or it failed.
    left: Option<Pass>,
    /// Part of what it shows, or of what was copied onto it, was there when nobody knew what that was. Its proof will
    /// tell; until then nothing is predicted from it.
    doubtful: bool,
    /// A root that had it said nothing.
    singly: bool,
}

impl Tile {
    /// Nobody knows all of what it shows. A tile that was never painted is blank.
    fn is_doubtful(&self) -> bool {
        self.doubtful || self.left.is_none() && self.epoch > 0
    }
}

/// How the digests of tiles are stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated {
    /// By one digest over them all.
    Root(Root),
    /// One by one.
    Singly(Proof),
}

/// What a frame paints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// The tiles that it touches, rising.
    pub tiles: Vec<TileIndex>,
    /// Tiles among them that a later frame painted already, which must keep what they show.
    pub newer: Vec<TileIndex>,
    /// True if it brings low bits for a tile whose high bits are not there, or predicts from one that is not exact: it
    /// cannot be painted.
    pub is_unfounded: bool,
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
            taken: None,
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
        if self.counts.refining == 0 {
            return self.counts;
        }
        let errors = (0..self.grid.len()).filter_map(|tile| self.error(tile));
        Counts { max_error: errors.max().unwrap_or(0), ..self.counts }
    }

    /// The state of `tile`, the lease apart.
    pub fn state(&self, tile: TileIndex) -> TileState {
        self.tiles.get(tile as usize).map_or(TileState::Dirty, |t| t.state)
    }

    /// How far the samples of `tile` may be from the source's, as its frame stated; `None` where nothing is stated: it
    /// is dirty.
    pub fn error(&self, tile: TileIndex) -> Option<u32> {
        let tile = self.tiles.get(tile as usize).filter(|t| t.state != TileState::Dirty)?;
        tile.left.map(Pass::error)
    }

    /// The first of the frames whose tiles are not exact here: it failed, it turned out wrong, or it is being painted.
    pub fn first_inexact(&self) -> Option<u64> {
        let inexact = self.tiles.iter().filter(|t| t.epoch > 0 && t.state == TileState::Dirty);
        inexact.map(|t| t.epoch).min()
    }

    /// Frame `seq` is about to do `ops`: from now on the tiles that they touch are not verified.
    ///
    /// What each will show follows from the ops: an exact tile that gets a copy of a first pass is a first pass. A
    /// server does no such thing, but no tile is called exact because one did.
    pub fn begin(&mut self, seq: u64, ops: &[Op]) -> Begun {
        let mut begun = Begun::default();
        for op in ops {
            let copied = self.copied(op);
            let copies_doubt = self.copies_doubt(op);
            let has_all = op.builds_on(self.grid).into_iter().all(|tile| self.is_exact_before(seq, tile));
            begun.is_unfounded |= !has_all;
            let target = op.target();
            for tile in op.tiles(self.grid) {
                begun.tiles.push(tile);
                let whole = target.contains(self.grid.rect(tile));
                let Some(t) = self.tiles.get_mut(tile as usize) else { continue };
                if t.epoch > seq {
                    begun.newer.push(tile);
                    continue;
                }
                let had_doubt = t.is_doubtful();
                t.epoch = seq;
                t.singly = false;
                t.doubtful = match op.step() {
                    Step::Paint(_) => !whole && had_doubt,
                    Step::Copy => copies_doubt || !whole && had_doubt,
                    Step::Predict | Step::Low | Step::Nothing => had_doubt,
                };
                t.left = match op.step() {
                    Step::Paint(pass) if whole => Some(pass),
                    Step::Copy if whole => Some(copied),
                    Step::Paint(part) => Some(patched(t.left, part)),
                    Step::Copy => Some(patched(t.left, copied)),
                    Step::Predict => has_all.then_some(Pass::Exact),
                    Step::Nothing => t.left,
                    Step::Low if matches!(t.left, Some(Pass::High { .. })) => Some(Pass::Exact),
                    Step::Low => {
                        begun.is_unfounded = true;
                        None
                    }
                };
                self.set(tile, TileState::Dirty);
            }
        }
        for tiles in [&mut begun.tiles, &mut begun.newer] {
            tiles.sort_unstable();
            tiles.dedup();
        }
        begun
    }

    /// Frame `seq` was painted; these are the tiles that it touches.
    pub fn painted(&mut self, now: Time, seq: u64, tiles: impl Iterator<Item = TileIndex>) {
        for tile in tiles {
            let Some(t) = self.tiles.get(tile as usize) else { continue };
            if t.epoch != seq || t.state != TileState::Dirty {
                continue;
            }
            let Some(pass) = t.left else { continue };
            self.set(tile, pass.state());
            if pass == Pass::Exact {
                self.due.push_back((now + QUIET, DueTile { tile, epoch: seq }));
            }
        }
    }

    /// Frame `seq` could not be painted, or only in part: what its tiles show is not known.
    pub fn failed(&mut self, seq: u64) {
        self.tiles.iter_mut().filter(|t| t.epoch == seq).for_each(|t| t.left = None);
    }

    /// True if a COPY brings what nobody knows.
    fn copies_doubt(&self, op: &Op) -> bool {
        let Op::Copy { from, .. } = op else { return false };
        self.grid.touching(*from).any(|tile| self.tiles[tile as usize].is_doubtful())
    }

    /// True if `tile` shows the source's samples once the frames are painted that were begun before frame `seq`, and no
    /// later one is among them.
    fn is_exact_before(&self, seq: u64, tile: TileIndex) -> bool {
        let tile = self.tiles.get(tile as usize);
        tile.is_some_and(|t| t.epoch <= seq && t.left == Some(Pass::Exact) && !t.doubtful)
    }

    /// What a COPY brings: the worst that it reads, as low bits do not fit what was moved.
    fn copied(&self, op: &Op) -> Pass {
        let from = if let Op::Copy { from, .. } = op { *from } else { Rect::default() };
        let sources = self.grid.touching(from).filter_map(|tile| self.tiles[tile as usize].left);
        let coarse = sources.filter(|pass| *pass != Pass::Exact).map(Pass::error);
        coarse.max().map_or(Pass::Exact, |error| Pass::First { error })
    }

    /// When the next tile is to be proved.
    pub fn next_due(&mut self) -> Option<Time> {
        let earliest = self.taken.map_or(Time(0), |at| at + GAP);
        while let Some((at, next)) = self.due.front() {
            if self.is_current(*next) {
                return Some(earliest.max(*at));
            }
            self.due.pop_front();
        }
        None
    }

    /// The tiles that are to be proved by `now`, by rising number; at most as many as a proof holds.
    pub fn take_due(&mut self, now: Time) -> Vec<DueTile> {
        let mut tiles = Vec::new();
        if self.next_due().is_none_or(|at| at > now) {
            return tiles;
        }
        while tiles.len() < MAX_PROOF
            && let Some((_, due)) = self.due.front().copied().filter(|(at, _)| *at <= now)
        {
            self.due.pop_front();
            if self.is_current(due) {
                tiles.push(due);
            }
        }
        // What is left is due as well.
        self.taken = Some(now).filter(|_| tiles.len() < MAX_PROOF);
        tiles.sort_unstable_by_key(|due| due.tile);
        tiles.dedup_by_key(|due| due.tile);
        tiles
    }

    /// How the digests of due tiles, by rising number, are stated as proof `id`, which is sent: by a root, unless one
    /// that had some of these tiles said nothing.
    pub fn state_digests(&mut self, id: u64, tiles: Vec<TileProof>) -> Stated {
        let claims = tiles.iter().map(|t| DueTile { tile: t.tile, epoch: t.epoch }).collect();
        self.outstanding.insert(id, claims);
        if self.outstanding.len() > MAX_OUTSTANDING {
            self.outstanding.pop_first();
        }
        let Surface { id: surface, generation, .. } = self.surface;
        let is_single = |t: &TileProof| self.tiles.get(t.tile as usize).is_some_and(|known| known.singly);
        if tiles.iter().any(is_single) {
            return Stated::Singly(Proof { id, surface, generation, tiles });
        }
        let root = Root::over(tiles.iter().map(|t| t.digest));
        let tiles = tiles.iter().map(|t| t.tile).collect();
        Stated::Root(Root { id, surface, generation, root, tiles })
    }

    /// The root of this number said nothing: those of its tiles that still show what it had are due again, each with
    /// its own digest.
    pub fn singly(&mut self, now: Time, root: u64) {
        for claim in self.outstanding.remove(&root).unwrap_or_default() {
            if self.is_current(claim)
                && let Some(t) = self.tiles.get_mut(claim.tile as usize)
            {
                t.singly = true;
                self.due.push_front((now, claim));
                self.taken = None;
            }
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
                if let Some(t) = self.tiles.get_mut(claim.tile as usize) {
                    t.left = None;
                }
            } else {
                self.set(claim.tile, TileState::Verified);
                let t = &mut self.tiles[claim.tile as usize];
                (t.singly, t.doubtful) = (false, false);
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
        self.taken = None;
        for tile in 0..self.grid.len() {
            let Tile { epoch, state, .. } = self.tiles[tile as usize];
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

/// What a tile shows of which a part, but not all, is painted over what it had. What was not known to be wrong may be
/// right, and its proof will tell.
fn patched(had: Option<Pass>, part: Pass) -> Pass {
    match (had.unwrap_or(Pass::Exact), part) {
        (Pass::Exact, Pass::Exact) => Pass::Exact,
        (had, part) => Pass::First { error: had.error().max(part.error()) },
    }
}
