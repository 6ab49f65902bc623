//! A frame under construction.

use std::collections::BTreeMap;

use lightbox_codec::geom::{TileGrid, TileIndex};
use lightbox_codec::lossless::Method;
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{Begin, NewFrame};
use lightbox_protocol::exact::{Left, Write};
use lightbox_protocol::msg::display::{Op, Step};
use lightbox_protocol::wire::ids;

use super::boxes::{CodedBox, How, merge};
use super::coder::Coded;
use super::pool::Pool;
use super::recall::{OP_BYTES, Recall};
use super::registers::Registers;
use super::{Keep, Made, Technique, Used, View};

/// A frame under construction.
pub(super) struct Parts<'a> {
    pub(super) recall: Recall<'a>,
    pub(super) ops: Vec<Op>,
    pub(super) reads: Vec<TileIndex>,
    /// What goes into units once all else is known.
    pub(super) units: Vec<CodedBox>,
    pub(super) models: &'a mut Registers,
    /// The client decodes what is told from what it shows.
    inter: bool,
    used: BTreeMap<Technique, Used>,
}

impl<'a> Parts<'a> {
    /// The frame that `begin` is of, of a view with this grid.
    pub(super) fn new(keep: &'a mut Keep, grid: &TileGrid, begin: &Begin) -> Self {
        let Keep { slots, models } = keep;
        let recall = Recall::new(slots, grid, begin.acked_to);
        let (ops, reads, units) = (Vec::new(), Vec::new(), Vec::new());
        Self { recall, ops, reads, units, models, inter: begin.passes.inter, used: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.units.is_empty() && self.recall.is_empty()
    }

    /// Adds what came out of slots by now.
    pub(super) fn show(&mut self, grid: &TileGrid) {
        for op in self.recall.show(grid) {
            self.count(Technique::Slot, op.work(), OP_BYTES);
            self.ops.push(op);
        }
    }

    /// True if the client decodes anything that is told from what it shows.
    pub(super) fn tells_from_shown(&self) -> bool {
        self.inter || self.models.are_agreed()
    }

    /// Changed pixels that are left to units.
    pub(super) fn unit_area(&self) -> u64 {
        self.units.iter().map(|b| b.rect.area()).sum()
    }

    pub(super) fn count(&mut self, how: Technique, pixels: u64, bytes: u64) {
        count(&mut self.used, how, pixels, bytes);
    }
}

fn count(used: &mut BTreeMap<Technique, Used>, how: Technique, pixels: u64, bytes: u64) {
    used.entry(how).or_default().add(Used { rects: 1, pixels, bytes });
}

impl View {
    /// Codes boxes of single tiles, but for those that are left to units. Returns the bytes.
    pub(super) fn encode(&mut self, boxes: Vec<CodedBox>, pool: &mut Pool, parts: &mut Parts<'_>) -> usize {
        let rest = self.leave_to_units(boxes, parts);
        self.encode_rects(rest, pool, parts)
    }

    /// Codes boxes of single tiles as rects, neighbours together. Returns the bytes.
    pub(super) fn encode_rects(
        &mut self,
        boxes: Vec<CodedBox>,
        pool: &mut Pool,
        parts: &mut Parts<'_>,
    ) -> usize {
        let shown = parts.inter.then_some(self.before.as_ref());
        let mut sum = 0;
        for coded in pool.encode(self.sent.as_ref(), shown, &merge(boxes)) {
            let Coded { rect, how, exact, .. } = coded;
            for tile in self.grid.touching(rect).filter(|tile| rect.contains(self.grid.rect(*tile))) {
                self.coarse.note(tile, how, rect);
            }
            let area = rect.area();
            let (technique, op) = self.op_of(coded);
            let bytes = 13 + if let Op::Coded { data, .. } = &op { data.len() } else { 0 };
            parts.count(technique, area, bytes as u64);
            parts.recall.paid(&mut self.past, &self.grid, rect, bytes as u64);
            parts.ops.push(op);
            self.density.learn(how, area, bytes, exact);
            sum += bytes;
        }
        sum
    }

    pub(super) fn op_of(&self, coded: Coded) -> (Technique, Op) {
        let Coded { rect, how, method, data, .. } = coded;
        let (technique, codec) = match how {
            How::Exact | How::Plain if method == Method::Flat => {
                let mut pixel = [0; 4];
                let first = self.sent.as_ref().crop(rect).map(|part| part.row(0)).unwrap_or_default();
                let n = self.sent.format().bytes_per_pixel().min(first.len());
                pixel[..n].copy_from_slice(&first[..n]);
                return (Technique::Fill, Op::Fill { rect, pixel });
            }
            How::Exact | How::Plain => {
                let codec = if method == Method::Inter { ids::codec::INTER } else { ids::codec::LOSSLESS };
                (Technique::Still(method.name()), codec)
            }
            How::First => (Technique::Pass("first"), ids::codec::FIRST),
            How::High => (Technique::Pass("high"), ids::codec::HIGH),
            How::Low => (Technique::Pass("low"), ids::codec::LOW),
        };
        (technique, Op::Coded { rect, codec, data })
    }

    pub(super) fn finish(
        &mut self,
        mut parts: Parts<'_>,
        begin: &Begin,
        capture: Time,
        refines: bool,
    ) -> Made {
        parts.show(&self.grid);
        let mut touched = BTreeMap::new();
        let mut reads = parts.reads;
        for op in &parts.ops {
            let target = op.target();
            let own = matches!(op.step(), Step::Paint(_));
            if op.step() == Step::Low {
                reads.extend(self.grid.touching(target));
            }
            reads.extend(op.builds_on(self.grid));
            for tile in op.tiles(self.grid) {
                *touched.entry(tile).or_insert(false) |= own && target.contains(self.grid.rect(tile));
            }
        }
        // What is shown with an error is put aside once it is exact.
        let coarse = &self.coarse;
        parts.recall.retain_new(|tile| !coarse.contains(tile));
        let (past, grid) = (&mut self.past, &self.grid);
        let (before, behind, slots) = parts.recall.store(past, grid, begin.seq, &touched, &mut reads);
        let mut used = parts.used;
        for store in before.iter().chain(&behind) {
            count(&mut used, Technique::Store, store.work(), OP_BYTES);
        }
        let ops = [before, parts.ops, behind].concat();
        let left = |tile| {
            let samples = self.sent.as_ref().crop(self.grid.rect(tile))?;
            let exact = || Left::Exact(begin.context.digest(tile, begin.seq, samples));
            Some(self.coarse.left(tile).unwrap_or_else(exact))
        };
        let writes = touched
            .into_iter()
            .filter_map(|(tile, whole)| Some(Write { tile, whole, left: left(tile)? }))
            .collect();
        reads.sort_unstable();
        reads.dedup();
        let frame = NewFrame {
            seq: begin.seq,
            generation: begin.context.generation,
            surface: self.surface,
            capture,
            refines,
            ops,
            reads,
            writes,
            slots,
        };
        Made { frame, used: used.into_iter().collect() }
    }
}
