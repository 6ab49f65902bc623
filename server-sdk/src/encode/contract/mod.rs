//! What a host was promised of parts of a surface, and whether it is kept.

use std::collections::BTreeMap;
use std::time::Duration;

use lightbox_codec::geom::{Rect, TileGrid, TileIndex};
use lightbox_protocol::Time;

use super::View;
use super::tiles::TileSet;

/// A promise for a region of an output, by whole tiles: a rect that touches a tile claims all of it. No tile of such a
/// region is ever shown as video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contract {
    /// Nothing is shown with an error, whatever the path: where it is thin the person waits for the exact picture.
    NeverLossy,
    /// Changes are sent before those of other parts, and made exact before others are, so that they are exact within
    /// this time: from the capture to the frame that brings the source's samples. What takes longer is counted in
    /// [`SessionStats::late_tiles`](crate::SessionStats::late_tiles) and told by
    /// [`Event::Late`](crate::Event::Late).
    ExactWithin(Duration),
}

/// All promises for one surface. The default promises nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contracts {
    never_lossy: Vec<Rect>,
    first: Vec<Rect>,
    within: Duration,
}

impl Contracts {
    /// From now on this one is for `rects`, and for nothing else; for no rects it ends.
    pub fn set(&mut self, contract: Contract, rects: &[Rect]) {
        match contract {
            Contract::NeverLossy => self.never_lossy = rects.into(),
            Contract::ExactWithin(within) => (self.first, self.within) = (rects.into(), within),
        }
    }
}

/// The same by tiles, and what is owed of it.
#[derive(Debug)]
pub(crate) struct Terms {
    never_lossy: TileSet,
    first: TileSet,
    within: Duration,
    /// Tiles of `first` that are not exact at the client, since when, and whether that was told to be late.
    owed: BTreeMap<TileIndex, (Time, bool)>,
}

impl Terms {
    pub(crate) fn new(grid: &TileGrid, contracts: &Contracts) -> Self {
        let tiles = |rects: &[Rect]| {
            let mut set = TileSet::empty(grid);
            rects.iter().flat_map(|rect| grid.touching(*rect)).for_each(|tile| set.insert(tile));
            set
        };
        Self {
            never_lossy: tiles(&contracts.never_lossy),
            first: tiles(&contracts.first),
            within: contracts.within,
            owed: BTreeMap::new(),
        }
    }

    /// Takes over what is owed still by the terms before.
    fn follow(&mut self, before: &Terms) {
        let owed = before.owed.iter().filter(|(tile, _)| self.first.contains(**tile));
        self.owed = owed.map(|(tile, since)| (*tile, *since)).collect();
    }

    pub(crate) fn is_never_lossy(&self, tile: TileIndex) -> bool {
        self.never_lossy.contains(tile)
    }

    /// True if something was promised of the tile.
    pub(crate) fn is_for(&self, tile: TileIndex) -> bool {
        self.never_lossy.contains(tile) || self.first.contains(tile)
    }

    /// The tile changed at the source.
    pub(crate) fn changed(&mut self, tile: TileIndex, at: Time) {
        if self.first.contains(tile) {
            self.owed.entry(tile).or_insert((at, false));
        }
    }

    /// The tile is exact, as far as frames were made.
    fn settle(&mut self, is_exact: impl Fn(TileIndex) -> bool) {
        self.owed.retain(|tile, _| !is_exact(*tile));
    }

    /// How many tiles became late since the last call.
    fn late(&mut self, now: Time) -> u32 {
        let mut late = 0;
        for (since, told) in self.owed.values_mut().filter(|(_, told)| !told) {
            *told = now.since(*since) > self.within;
            late += u32::from(*told);
        }
        late
    }

    /// When the next tile becomes late.
    fn late_at(&self) -> Option<Time> {
        let open = self.owed.values().filter(|(_, told)| !told);
        // A moment later, as what takes exactly as long as it may is not late.
        open.map(|(since, _)| *since + self.within + Duration::from_micros(1)).min()
    }
}

impl View {
    /// These contracts hold for every frame that is made from now on. What they want exact and the client shows with an
    /// error is sent again, exactly.
    pub fn set_contracts(&mut self, contracts: &Contracts, now: Time) {
        // What waits for an access unit waits again, as it may have a contract now.
        self.end_run();
        let mut terms = Terms::new(&self.grid, contracts);
        terms.follow(&self.terms);
        let waiting = |tile: &TileIndex| self.pending.contains(*tile) || self.coarse.contains(*tile);
        for tile in terms.first.iter().filter(waiting).collect::<Vec<_>>() {
            let is_pending = self.pending.contains(tile);
            terms.changed(tile, if is_pending { self.when[tile as usize] } else { now });
        }
        let exposed: Vec<_> = terms.never_lossy.iter().filter(|tile| self.coarse.contains(*tile)).collect();
        self.terms = terms;
        for tile in &exposed {
            // It comes whole, as if nobody knew what the client shows there.
            self.unknown.insert(*tile);
            self.coarse.remove(*tile);
        }
        self.damage(exposed, now);
    }

    /// True if a tile that goes first is to be refined, and none of them waits for a change.
    pub fn is_urgent(&self) -> bool {
        self.pending.next_in(&self.terms.first, 0).is_none() && self.next_coarse(true).is_some()
    }

    /// How many tiles became late since the last call, by [`Contract::ExactWithin`]. To be called before each frame.
    pub fn late(&mut self, now: Time) -> u32 {
        self.terms.late(now)
    }

    /// When the next tile becomes late.
    pub fn late_at(&self) -> Option<Time> {
        self.terms.late_at()
    }

    /// Nobody is there to be kept waiting: nothing that changed until now becomes late.
    pub fn forgive(&mut self) {
        self.terms.owed.clear();
    }

    /// The next tile that is to be sent.
    pub(super) fn next_pending(&self) -> Option<TileIndex> {
        let first = self.pending.next_in(&self.terms.first, self.at);
        first.or_else(|| self.pending.next_from(self.at))
    }

    /// The next tile that is to be refined; where it is `urgent`, of those that go first.
    pub(super) fn next_coarse(&self, urgent: bool) -> Option<TileIndex> {
        let first = self.coarse.next_in(&self.terms.first, self.at);
        if urgent { first } else { first.or_else(|| self.coarse.next_from(self.at)) }
    }

    /// A frame was made.
    pub(super) fn settle_terms(&mut self) {
        let (pending, coarse) = (&self.pending, &self.coarse);
        self.terms.settle(|tile| !pending.contains(tile) && !coarse.contains(tile));
    }
}

#[cfg(test)]
mod tests;
