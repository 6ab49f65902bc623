//! What goes into units of the screen codec: text and drawings, guessed from what the client shows.

use lightbox_codec::geom::{Rect, TileIndex, TileMask};
use lightbox_codec::pixel::PixelFormat;
use lightbox_codec::screen::update;
use lightbox_protocol::channel::display::Begin;
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::msg::update::Update;

use super::boxes::{CodedBox, How};
use super::parts::Parts;
use super::pool::Pool;
use super::tiles::TileSet;
use super::{Technique, View};

/// About the bytes of a unit beside its data.
const UNIT_BYTES: u64 = 8;

impl View {
    /// Takes those out of `boxes`, one a tile, whose changes go into units at the end of the frame.
    pub(super) fn leave_to_units(&mut self, boxes: Vec<CodedBox>, parts: &mut Parts<'_>) -> Vec<CodedBox> {
        if !parts.models.are_agreed() || self.sent.format() != PixelFormat::Bgrx8 {
            return boxes;
        }
        let is_for_unit = |b: &CodedBox| {
            matches!(b.how, How::Exact | How::First | How::High)
                && self.sent.as_ref().crop(b.rect).is_some_and(|part| !update::is_photo(part))
        };
        let (units, rest) = boxes.into_iter().partition(is_for_unit);
        let units: Vec<CodedBox> = units;
        parts.units.extend(units);
        rest
    }

    /// Codes what was left to units, when all else of the frame is known: a unit reads what is around its tiles.
    pub(super) fn encode_units(&mut self, begin: &Begin, pool: &mut Pool, parts: &mut Parts<'_>) {
        let units = std::mem::take(&mut parts.units);
        if units.is_empty() {
            return;
        }
        let grid = self.grid;
        let (mut alone, mut patched) = (TileSet::empty(&grid), TileSet::empty(&grid));
        let mut rest = Vec::new();
        for b in units {
            let Some(tile) = grid.touching(b.rect).next() else { continue };
            if !b.is_known {
                alone.insert(tile);
            } else if self.is_exact_around(grid.rect(tile)) {
                patched.insert(tile);
            } else {
                rest.push(CodedBox { how: How::Exact, ..b });
            }
        }
        self.encode_rects(rest, pool, parts);
        for (tiles, alone) in [(alone, true), (patched, false)] {
            if !tiles.is_empty() {
                self.encode_unit(&TileMask::of(grid, tiles.iter()), alone, begin, parts);
            }
        }
    }

    /// What is sent in `rect` now is what the client shows there when it comes to the units of the frame in the making.
    pub(super) fn keep(&mut self, rect: Rect) {
        if let (Some(part), Some(mut target)) =
            (self.sent.as_ref().crop(rect), self.before.as_mut().crop_mut(rect))
        {
            target.copy_from(part);
        }
    }

    /// True if the client shows the source, or what is sent before, in this tile's neighbours.
    fn is_exact_around(&self, tile: Rect) -> bool {
        let margin = update::MARGIN as u32;
        let around = Rect::span(
            tile.x.saturating_sub(margin),
            tile.y.saturating_sub(margin),
            tile.right() + margin,
            tile.bottom() + margin,
        );
        !self.grid.touching(around).any(|tile| self.unknown.contains(tile) || self.coarse.contains(tile))
    }

    fn encode_unit(&mut self, tiles: &TileMask, alone: bool, begin: &Begin, parts: &mut Parts<'_>) {
        let grid = self.grid;
        if !alone {
            // What the client shows around the tiles when it comes to this unit.
            let own = |tile: TileIndex| tiles.contains(tile % grid.cols(), tile / grid.cols());
            let around = tiles.with_neighbours(grid);
            around.tiles(grid).filter(|tile| !own(*tile)).for_each(|tile| self.keep(grid.rect(tile)));
        }
        let Some((models, model)) = parts.models.pick(begin.seq, begin.acked_to, alone) else { return };
        let mut data = Vec::new();
        let (shown, source) = (&mut self.before.as_mut(), self.sent.as_ref());
        self.encoder.encode(model, tiles, shown, source, alone, &mut data);
        let bytes = data.len() as u64 + UNIT_BYTES;
        let unit = Update::new(grid, tiles.clone(), alone, models, data.into());
        parts.count(Technique::Update, unit.pixels(), bytes);
        self.density.learn(How::Exact, unit.pixels(), bytes as usize, Some(bytes as usize));
        let share = bytes / u64::from(tiles.len()).max(1);
        for tile in tiles.tiles(grid) {
            self.coarse.remove(tile);
            parts.recall.paid(&mut self.past, &grid, grid.rect(tile), share);
        }
        parts.ops.push(Op::Update(Box::new(unit)));
    }
}
