//! What a frame does with slots: tiles that come back, tiles that are put aside.

use std::collections::BTreeMap;

use lightbox_codec::geom::{Rect, TileGrid, TileIndex};
use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::exact::SlotUse;
use lightbox_protocol::msg::display::Op;

use super::slots::{Content, Slot, Slots};
use super::tiles::TileSet;

/// A change of less than this part of a tile is coded: neither are looks for what was there before worth their time,
/// nor is what goes worth a slot.
const PART: u64 = 8;
/// A tile that cost fewer bytes than this is coded again as well.
const WORTH: u32 = 16;
/// About the bytes of a STORE or a SHOW.
pub(crate) const OP_BYTES: u64 = 8;

/// What is known of the tiles that a client has.
#[derive(Debug)]
pub(crate) struct Past {
    /// What each tile shows, where that is known.
    content: Vec<Option<Content>>,
    /// About the bytes that it cost.
    cost: Vec<u32>,
    /// The frame that painted it last.
    epoch: Vec<u64>,
}

impl Past {
    pub(crate) fn new(grid: &TileGrid) -> Self {
        let tiles = grid.len() as usize;
        Self { content: vec![None; tiles], cost: vec![0; tiles], epoch: vec![0; tiles] }
    }

    /// What shows at `from` shows at `to` as well.
    pub(crate) fn copied(&mut self, grid: &TileGrid, from: Rect, to: Rect) {
        let cost = grid.touching(from).map(|tile| self.cost[tile as usize]).max().unwrap_or(0);
        for tile in grid.touching(to) {
            self.content[tile as usize] = None;
            self.cost[tile as usize] = cost;
        }
    }

    /// `tile` shows what nobody knows.
    pub(crate) fn forget(&mut self, tile: TileIndex) {
        self.content[tile as usize] = None;
    }

    /// `part` was painted with so many bytes.
    fn paid(&mut self, grid: &TileGrid, part: Rect, bytes: u64) {
        for tile in grid.touching(part) {
            let whole = grid.rect(tile);
            let own = whole.intersect(part).map_or(0, |own| own.area());
            let share = (bytes * own / part.area().max(1)).min(1 << 20) as u32;
            let cost = &mut self.cost[tile as usize];
            *cost = if is_most(own, whole) { share } else { cost.saturating_add(share).min(1 << 20) };
        }
    }
}

/// The part of a frame under construction that concerns slots.
#[derive(Debug)]
pub(crate) struct Recall<'a> {
    slots: &'a mut Slots,
    acked_to: u64,
    /// Tiles that come out of slots, and were not turned into operations yet.
    shown: Vec<(TileIndex, Slot)>,
    /// Tiles as they were before this frame.
    before: Vec<(TileIndex, Content)>,
    /// Tiles that come back from a slot that will not be there for long.
    again: Vec<(TileIndex, Content)>,
    /// Tiles that no slot holds, and how many of their pixels the frame painted.
    new: BTreeMap<TileIndex, (Content, u64)>,
    /// Tiles that are not as they were before this frame.
    copied: TileSet,
    uses: SlotUse,
    room: u64,
}

impl<'a> Recall<'a> {
    /// For a frame of a view with this grid, all frames up to `acked_to` being acknowledged.
    pub(crate) fn new(slots: &'a mut Slots, grid: &TileGrid, acked_to: u64) -> Self {
        let room = slots.room();
        Self {
            slots,
            acked_to,
            shown: Vec::new(),
            before: Vec::new(),
            again: Vec::new(),
            new: BTreeMap::new(),
            copied: TileSet::empty(grid),
            uses: SlotUse::default(),
            room,
        }
    }

    /// True if no tile comes back that was not turned into an operation yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// A copy was painted over this tile.
    pub(crate) fn copied(&mut self, tile: TileIndex) {
        self.copied.insert(tile);
    }

    /// True if some slot holds this.
    pub(crate) fn has(&mut self, tile: Option<ImageRef<'_>>) -> bool {
        self.slots.are_agreed()
            && tile.is_some_and(|tile| {
                let content = self.slots.content(tile);
                self.slots.find(&content).is_some()
            })
    }

    /// `tile` becomes `next`, which differs in `changed` pixels at the most from `now`; `now` is `None` where the
    /// client does not show it exactly. True if it comes out of a slot. What goes is put aside where that is worth it.
    pub(crate) fn change(
        &mut self,
        past: &mut Past,
        tile: TileIndex,
        now: Option<ImageRef<'_>>,
        next: ImageRef<'_>,
        changed: u64,
    ) -> bool {
        let i = tile as usize;
        let gone = past.content[i].take();
        if !self.slots.are_agreed() || changed * PART < next.size().area() {
            return false;
        }
        let content = self.slots.content(next);
        past.content[i] = Some(content);
        // Of a frame that was not acknowledged, this one would have to wait for it.
        let is_there = past.epoch[i] > 0 && past.epoch[i] <= self.acked_to;
        if let Some(now) = now.filter(|_| is_there && past.cost[i] >= WORTH && !self.copied.contains(tile)) {
            let gone = gone.unwrap_or_else(|| self.slots.content(now));
            if self.slots.find(&gone).is_none() {
                self.before.push((tile, gone));
            }
        }
        let Some(slot) = self.slots.find(&content) else {
            self.new.insert(tile, (content, 0));
            return false;
        };
        if self.slots.is_old(slot) {
            self.again.push((tile, content));
        }
        past.cost[i] = past.cost[i].max(WORTH);
        self.shown.push((tile, slot));
        true
    }

    /// `tile` was shown with an error, and is painted exactly now.
    pub(crate) fn refined(&mut self, past: &Past, tile: TileIndex) {
        if let Some(content) =
            past.content[tile as usize].filter(|content| self.slots.find(content).is_none())
        {
            self.new.insert(tile, (content, 0));
        }
    }

    /// Of what no slot holds only those tiles are put aside.
    pub(crate) fn retain_new(&mut self, is_exact: impl Fn(TileIndex) -> bool) {
        self.new.retain(|tile, _| is_exact(*tile));
    }

    /// `part` was painted with so many bytes.
    pub(crate) fn paid(&mut self, past: &mut Past, grid: &TileGrid, part: Rect, bytes: u64) {
        past.paid(grid, part, bytes);
        for tile in grid.touching(part) {
            if let Some((_, painted)) = self.new.get_mut(&tile) {
                *painted += grid.rect(tile).intersect(part).map_or(0, |own| own.area());
            }
        }
    }

    /// The operations that show what came back since the last call.
    pub(crate) fn show(&mut self, grid: &TileGrid) -> Vec<Op> {
        let mut shown = std::mem::take(&mut self.shown);
        shown.sort_unstable_by_key(|(tile, _)| *tile);
        let runs = group(grid, &shown, |last, next| last.end == next.first);
        let show = |(tiles, slots): (Rect, Vec<(TileIndex, Slot)>)| {
            let (first, end) = (slots.first()?.1.first, slots.last()?.1.end);
            self.uses.shows.push(first..end);
            Some(Op::Show { tiles, first })
        };
        runs.into_iter().filter_map(show).collect()
    }

    /// The operations that put tiles aside: those that go before all others, and those that go behind. `seq` is the
    /// frame's number, and `touched` what it does to each tile it touches: whether it paints it whole. Tiles that are
    /// read are added to `reads`.
    pub(crate) fn store(
        mut self,
        past: &mut Past,
        grid: &TileGrid,
        seq: u64,
        touched: &BTreeMap<TileIndex, bool>,
        reads: &mut Vec<TileIndex>,
    ) -> (Vec<Op>, Vec<Op>, SlotUse) {
        let before = std::mem::take(&mut self.before);
        reads.extend(before.iter().map(|(tile, _)| *tile));
        let new = std::mem::take(&mut self.new).into_iter().filter(|(tile, (_, painted))| {
            is_most(*painted, grid.rect(*tile)) && past.cost[*tile as usize] >= WORTH
        });
        let behind: Vec<_> =
            new.map(|(tile, (content, _))| (tile, content)).chain(self.again.drain(..)).collect();
        let partly = behind.iter().map(|(tile, _)| *tile).filter(|tile| touched.get(tile) != Some(&true));
        reads.extend(partly);
        touched.keys().for_each(|tile| past.epoch[*tile as usize] = seq);
        let before = self.put_aside(grid, before);
        let behind = self.put_aside(grid, behind);
        (before, behind, self.uses)
    }

    fn put_aside(&mut self, grid: &TileGrid, mut tiles: Vec<(TileIndex, Content)>) -> Vec<Op> {
        tiles.sort_unstable_by_key(|(tile, _)| *tile);
        let mut room = self.room;
        tiles.retain(|(_, content)| {
            let fits = room.checked_sub(content.cells);
            room = fits.unwrap_or(room);
            fits.is_some()
        });
        let mut ops = Vec::new();
        for (tiles, contents) in group(grid, &tiles, |_, _| true) {
            let slots: Vec<Slot> = contents.iter().map(|(_, content)| self.slots.store(*content)).collect();
            if let (Some(first), Some(last)) = (slots.first(), slots.last()) {
                self.uses.stores.push(first.first..last.end);
                ops.push(Op::Store { tiles, first: first.first });
            }
        }
        ops
    }
}

fn is_most(pixels: u64, whole: Rect) -> bool {
    pixels * 4 >= whole.area() * 3
}

/// Joins tiles, given by rising number, to rects of which each tile follows the one before, row by row.
pub(super) fn group<T: Copy>(
    grid: &TileGrid,
    tiles: &[(TileIndex, T)],
    follows: impl Fn(&T, &T) -> bool,
) -> Vec<(Rect, Vec<(TileIndex, T)>)> {
    let mut rows: Vec<(Rect, Vec<(TileIndex, T)>)> = Vec::new();
    for &(tile, value) in tiles {
        let rect = grid.rect(tile);
        if let Some((run, values)) = rows.last_mut()
            && (run.y, run.right()) == (rect.y, rect.x)
            && values.last().is_some_and(|(_, last)| follows(last, &value))
        {
            *run = run.union(rect);
            values.push((tile, value));
        } else {
            rows.push((rect, vec![(tile, value)]));
        }
    }
    let mut all: Vec<(Rect, Vec<(TileIndex, T)>)> = Vec::new();
    for (rect, values) in rows {
        let fits = |(above, before): &(Rect, Vec<(TileIndex, T)>)| {
            (above.x, above.w, above.bottom()) == (rect.x, rect.w, rect.y)
                && before.last().zip(values.first()).is_some_and(|((_, last), (_, next))| follows(last, next))
        };
        match all.iter_mut().rev().find(|above| fits(above)) {
            Some((above, before)) => {
                *above = above.union(rect);
                before.extend(values);
            }
            None => all.push((rect, values)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;

    use super::*;

    #[test]
    fn tiles_join_to_rects_while_each_follows_the_one_before() {
        let grid = TileGrid::new(Size::new(64 * 4, 200));
        // Two columns of three rows, cut at the bottom; a hole beside them.
        let tiles: Vec<_> = [0, 1, 3, 4, 5, 8, 9, 12, 13].into_iter().zip(0u64..).collect();
        let all = group(&grid, &tiles, |_, _| true);
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].0, all[1].0), (Rect::new(0, 0, 128, 200), Rect::new(192, 0, 64, 64)));
        assert_eq!(all[0].1.iter().map(|(tile, _)| *tile).collect::<Vec<_>>(), [0, 1, 4, 5, 8, 9, 12, 13]);
        let in_order = group(&grid, &tiles, |last, next| last + 1 == *next);
        assert_eq!(in_order.iter().map(|(rect, _)| rect.area() / 4096).sum::<u64>(), 6 + 1);
        assert!(in_order.len() > 2);
    }
}
