//! What differs from what the client has, and how much of it the client has already: elsewhere on the surface, or in
//! its slots.

use lightbox_codec::geom::{Rect, TileIndex};
use lightbox_codec::pixel::{ImageRef, PixelFormat};
use lightbox_codec::screen::motion::Move;
use lightbox_protocol::channel::display::Begin;
use lightbox_protocol::msg::display::Op;

use super::boxes::{CodedBox, differs};
use super::density::MAX_BATCH;
use super::parts::Parts;
use super::passes::Plan;
use super::tiles::TileSet;
use super::{Technique, View};

/// Fewer changed tiles than this are not worth a search for motion.
const MOTION_FROM: usize = 3;
/// Of so many changed tiles, spread over all, half must be in slots for all to be looked up before anything else.
const PROBES: usize = 8;

impl View {
    /// The pending tiles of which the client has something else, or nobody knows what.
    pub(super) fn differing(&self, source: ImageRef<'_>) -> Vec<TileIndex> {
        if !self.is_of(source) {
            return Vec::new();
        }
        let sent = self.sent.as_ref();
        let differing =
            |tile: &TileIndex| self.unknown.contains(*tile) || differs(sent, source, self.grid.rect(*tile));
        self.pending.iter().filter(differing).collect()
    }

    /// Shows what the client was shown before, where that is most of what changed: a stack that is scrolled back is
    /// not worth a search for motion. Returns boxes of what little else changed in some tiles.
    pub(super) fn show_again(
        &mut self,
        source: ImageRef<'_>,
        differing: &[TileIndex],
        parts: &mut Parts<'_>,
    ) -> Vec<CodedBox> {
        let mut boxes = Vec::new();
        let step = differing.len().div_ceil(PROBES).max(1);
        let probes = differing.iter().step_by(step);
        let hits =
            probes.clone().filter(|tile| parts.recall.has(source.crop(self.grid.rect(**tile)))).count();
        if hits == 0 || hits * 2 < probes.count() {
            return boxes;
        }
        for &tile in differing {
            if parts.recall.has(source.crop(self.grid.rect(tile))) {
                boxes.extend(self.take_box(source, tile, Plan::OneShot, parts));
            }
        }
        parts.show(&self.grid);
        boxes
    }

    /// Those of them that wait still, `unknown` ones apart.
    pub(super) fn changed(&self, differing: &[TileIndex]) -> Vec<Rect> {
        let waits = |tile: &&TileIndex| self.pending.contains(**tile) && !self.unknown.contains(**tile);
        differing.iter().filter(waits).map(|tile| self.grid.rect(*tile)).collect()
    }

    /// How to send these changes, and what is not known to be there.
    pub(super) fn plan(&mut self, changed: &[Rect], begin: &Begin) -> Plan {
        // Nothing is known of what the samples cost before some were coded.
        let Some(density) = self.density.exact() else { return Plan::OneShot };
        let known: u64 = changed.iter().map(|rect| rect.area()).sum();
        let unknown: u64 = self.unknown.iter().map(|tile| self.grid.rect(tile).area()).sum();
        let is_deep = matches!(self.sent.format(), PixelFormat::Gray16(_));
        self.coarse.plan((known + unknown) as f64 * density, begin, is_deep)
    }

    /// Copies what moved, and takes boxes of what else changed in the tiles that were copied to: a tile with only its
    /// moved part up to date shows what the source never showed, so it must not be left to another frame.
    pub(super) fn copy_what_moved(
        &mut self,
        source: ImageRef<'_>,
        changed: &[Rect],
        parts: &mut Parts<'_>,
    ) -> Vec<CodedBox> {
        // While some tile's content is not known a copy could spread it.
        if changed.len() < MOTION_FROM || !self.unknown.is_empty() || self.is_searched {
            return Vec::new();
        }
        self.is_searched = true;
        let mut copied = TileSet::empty(&self.grid);
        let mut in_part = 0;
        for Move { from, to } in self.finder.find(self.sent.as_ref(), source, changed) {
            let target = from.at(to);
            let (reads, writes) = (self.grid.touching(from), self.grid.touching(target));
            if reads.chain(writes).any(|tile| self.coarse.contains(tile)) {
                continue;
            }
            let tiles = self.grid.touching(target).map(|tile| self.grid.rect(tile));
            let cut: u64 = tiles.filter(|tile| !target.contains(*tile)).map(|tile| tile.area()).sum();
            // No move reads what another wrote, so each may be left out.
            if in_part + cut > MAX_BATCH || !self.sent.as_mut().copy_within(from, to) {
                continue;
            }
            in_part += cut;
            self.past.copied(&self.grid, from, target);
            for tile in self.grid.touching(target) {
                parts.recall.copied(tile);
                if !target.contains(self.grid.rect(tile)) {
                    copied.insert(tile);
                } else if self.pending.contains(tile) {
                    // A move is exact, so nothing is left of the change, and nobody looks at all those pixels again.
                    self.note_taken(tile);
                    self.pending.remove(tile);
                }
            }
            parts.reads.extend(self.grid.touching(from));
            parts.count(Technique::Copy, from.area(), 10);
            parts.ops.push(Op::Copy { from, to });
        }
        let mut boxes = Vec::new();
        for tile in copied.iter() {
            // A tile that the copy alone brings up to date has no box, and its change leaves with this frame too.
            if self.pending.contains(tile) {
                self.note_taken(tile);
            }
            boxes.extend(self.take_box(source, tile, Plan::OneShot, parts));
        }
        boxes
    }
}
