//! From damage to frames: what a client does not have yet, as copies and coded rects.
//!
//! A [`View`] is one client's picture of one surface, as it is once every frame sent so far is painted. Making a
//! frame compares it with the source's private snapshot, so damage that changed nothing costs no byte, and what
//! moved is found and copied. Nothing in here is a thread: the server's pump calls it, and so can a test.

mod boxes;
mod coder;
mod contract;
mod density;
mod passes;
mod pool;
mod recall;
mod slots;
mod technique;
mod tiles;
mod video;

use std::collections::BTreeMap;

use lightbox_codec::geom::{Rect, Size, TileGrid, TileIndex};
use lightbox_codec::lossless::Method;
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat};
use lightbox_codec::screen::motion::{Finder, Move};
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{Begin, NewFrame};
use lightbox_protocol::exact::{Left, Write};
use lightbox_protocol::msg::display::{Op, Step};
use lightbox_protocol::session::server::{Repair, Why};
use lightbox_protocol::wire::ids;

use boxes::{CodedBox, How, difference, merge};
use coder::Coded;
use contract::Terms;
pub use contract::{Contract, Contracts};
use density::{Density, MAX_BATCH};
pub use passes::Patience;
use passes::{Coarse, Plan};
pub use pool::Pool;
use recall::{OP_BYTES, Past, Recall};
pub use slots::Slots;
pub use technique::Technique;
use tiles::TileSet;
pub use video::SubmittedUnit;
use video::Video;

/// Fewer changed tiles than this are not worth a search for motion.
const MOTION_FROM: usize = 3;
/// Of so many changed tiles, spread over all, half must be in slots for all to be looked up before anything else.
const PROBES: usize = 8;

/// One client's picture of one surface.
#[derive(Debug)]
pub struct View {
    surface: u32,
    grid: TileGrid,
    /// What the client has once everything sent is painted, `unknown` tiles apart.
    sent: Image,
    /// Tiles that may differ from the source.
    pending: TileSet,
    /// Tiles of which it is not known what the client has: they are sent whole. All of them are pending.
    unknown: TileSet,
    /// Tiles that the usual path got wrong.
    plain: TileSet,
    /// Tiles that the client shows with an error. `sent` has their samples as they were then, and they are refined to
    /// those, unless they change before.
    coarse: Coarse,
    /// What the host was promised.
    terms: Terms,
    video: Video,
    past: Past,
    /// When the oldest change of each tile in `pending` was made.
    when: Vec<Time>,
    /// The smallest of those.
    since: Option<Time>,
    /// The smallest of those that the frame in the making takes out.
    taken: Option<Time>,
    /// Where the next frame starts to look, so that none is starved by changes before it.
    at: TileIndex,
    finder: Finder,
    density: Density,
}

/// A frame, and how its rects were coded.
#[derive(Debug)]
pub struct Made {
    /// For the session.
    pub frame: NewFrame,
    /// Rects, pixels and bytes by technique.
    pub used: Vec<(Technique, u64, u64)>,
}

impl View {
    /// The view of a client that has nothing yet of surface `id`, which looks like `image`.
    pub fn new(id: u32, image: &Image, now: Time) -> Self {
        let grid = TileGrid::new(image.size());
        Self {
            surface: id,
            grid,
            sent: image.clone(),
            pending: TileSet::all(&grid),
            unknown: TileSet::all(&grid),
            plain: TileSet::empty(&grid),
            coarse: Coarse::new(&grid),
            terms: Terms::new(&grid, &Contracts::default()),
            video: Video::default(),
            past: Past::new(&grid),
            when: vec![now; grid.len() as usize],
            since: Some(now),
            taken: None,
            at: 0,
            finder: Finder::new(),
            density: Density::default(),
        }
    }

    /// From how much waiting on changes are shown with an error first. Default: [`Patience::default`].
    pub fn set_patience(&mut self, patience: Patience) {
        self.coarse.set_patience(patience);
    }

    /// The surface it is of.
    pub fn surface(&self) -> u32 {
        self.surface
    }

    /// The surface's size.
    pub fn size(&self) -> Size {
        self.grid.size()
    }

    /// When the oldest change was made that was not sent yet.
    pub fn since(&self) -> Option<Time> {
        self.since.into_iter().chain(self.video.since()).min()
    }

    /// True if some tile is shown with an error, and is to be refined.
    pub fn is_coarse(&self) -> bool {
        !self.coarse.is_empty()
    }

    /// These tiles changed at the source at `now`.
    pub fn damage(&mut self, tiles: impl IntoIterator<Item = TileIndex>, now: Time) {
        for tile in tiles {
            let Some(when) = self.when.get_mut(tile as usize) else { continue };
            *when = if self.pending.contains(tile) { now.min(*when) } else { now };
            self.pending.insert(tile);
            self.terms.changed(tile, now);
            self.since = Some(self.since.map_or(now, |since| since.min(now)));
        }
    }

    /// The client does not have these tiles as it should.
    pub fn repair(&mut self, repair: &Repair, now: Time) {
        if repair.ends_run {
            if repair.why == Why::Unpainted {
                self.video.fail(now);
            }
            self.end_run();
        }
        self.resend(&repair.tiles, repair.why, now);
    }

    fn resend(&mut self, tiles: &[TileIndex], why: Why, now: Time) {
        for tile in tiles {
            self.unknown.insert(*tile);
            self.coarse.remove(*tile);
            if why == Why::Mismatch {
                self.plain.insert(*tile);
            }
        }
        self.damage(tiles.iter().copied(), now);
    }

    /// The next frame, made from what `look` shows of the source's snapshot; `None` if nothing differs and nothing can
    /// be refined. First comes what a contract wants exact soon, then access units, then other changes. `look` is called
    /// several times and holds the snapshot only while it runs, so
    /// that the source is never kept waiting for a coder. `slots` are the session's.
    pub fn frame(
        &mut self,
        mut look: impl FnMut(&mut dyn FnMut(ImageRef<'_>)),
        begin: &Begin,
        pool: &mut Pool,
        slots: &mut Slots,
    ) -> Option<Made> {
        slots.begin(begin.slots);
        let urgent = if self.is_urgent() { self.refinement(begin, pool, slots, true) } else { None };
        let made = urgent
            .or_else(|| self.unit_frame(&mut look, begin, slots))
            .or_else(|| self.changes(look, begin, pool, slots))
            .or_else(|| self.refinement(begin, pool, slots, false));
        self.settle_terms();
        made
    }

    fn changes(
        &mut self,
        mut look: impl FnMut(&mut dyn FnMut(ImageRef<'_>)),
        begin: &Begin,
        pool: &mut Pool,
        slots: &mut Slots,
    ) -> Option<Made> {
        let oldest = self.since?;
        self.taken = None;
        let mut parts = Parts::new(Recall::new(slots, &self.grid, begin.acked_to));
        let (mut boxes, mut plan) = (Vec::new(), Plan::OneShot);
        look(&mut |source| {
            let differing = self.differing(source);
            boxes = self.show_again(source, &differing, &mut parts);
            let changed = self.changed(&differing);
            plan = self.plan(&changed, begin);
            boxes.extend(self.copy_what_moved(source, &changed, &mut parts));
        });
        let mut left = begin.budget as f64 - self.encode(merge(boxes), pool, &mut parts) as f64;
        while let Some(area) = self.density.batch(plan.how(), left, parts.is_empty()) {
            let mut boxes = Vec::new();
            look(&mut |source| boxes = self.take_boxes(source, area, plan, &mut parts));
            if boxes.is_empty() {
                break;
            }
            left -= self.encode(merge(boxes), pool, &mut parts) as f64;
        }
        self.note_pending();
        if self.since.is_none() {
            self.coarse.rest();
        }
        let capture = self.taken.unwrap_or(oldest);
        (!parts.is_empty()).then(|| self.finish(parts, begin, capture, false))
    }

    /// A frame that brings no change, but tiles that are shown with an error nearer to what the client was to see; where
    /// it is `urgent`, those alone that go first.
    fn refinement(
        &mut self,
        begin: &Begin,
        pool: &mut Pool,
        slots: &mut Slots,
        urgent: bool,
    ) -> Option<Made> {
        self.coarse.settle(begin.at);
        let mut parts = Parts::new(Recall::new(slots, &self.grid, begin.acked_to));
        let mut left = (begin.budget / if urgent { 1 } else { REFINE_SHARE }) as f64;
        while let Some(area) = self.density.batch(How::Low, left, parts.is_empty()) {
            let boxes = self.take_coarse(area, begin, urgent, &mut parts);
            if boxes.is_empty() {
                break;
            }
            left -= self.encode(merge(boxes), pool, &mut parts) as f64;
        }
        (!parts.is_empty()).then(|| self.finish(parts, begin, begin.at, true))
    }

    /// The client never gets the frame that was made last: what it paints is not known to be there, and the changes
    /// are as old as they were.
    pub fn dropped(&mut self, frame: &NewFrame) {
        let tiles: Vec<_> = frame.writes.iter().map(|w| w.tile).collect();
        if frame.ops.iter().any(|op| matches!(op, Op::Video(_))) {
            self.end_run();
        }
        self.resend(&tiles, Why::Lost, frame.capture);
    }

    /// Some tiles are not pending any more.
    fn note_pending(&mut self) {
        self.since = self.pending.iter().map(|tile| self.when[tile as usize]).min();
    }

    /// False once the output was reshaped: the source's samples are another surface's, whose own view is to come.
    fn is_of(&self, source: ImageRef<'_>) -> bool {
        (source.size(), source.format()) == (self.sent.size(), self.sent.format())
    }

    /// The pending tiles of which the client has something else, or nobody knows what.
    fn differing(&self, source: ImageRef<'_>) -> Vec<TileIndex> {
        if !self.is_of(source) {
            return Vec::new();
        }
        let differs = |tile: &TileIndex| {
            self.unknown.contains(*tile)
                || difference(self.sent.as_ref(), source, self.grid.rect(*tile)).is_some()
        };
        self.pending.iter().filter(differs).collect()
    }

    /// Shows what the client was shown before, where that is most of what changed: a stack that is scrolled back is
    /// not worth a search for motion. Returns boxes of what little else changed in some tiles.
    fn show_again(
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
    fn changed(&self, differing: &[TileIndex]) -> Vec<Rect> {
        let waits = |tile: &&TileIndex| self.pending.contains(**tile) && !self.unknown.contains(**tile);
        differing.iter().filter(waits).map(|tile| self.grid.rect(*tile)).collect()
    }

    /// How to send these changes, and what is not known to be there.
    fn plan(&mut self, changed: &[Rect], begin: &Begin) -> Plan {
        // Nothing is known of what the samples cost before some were coded.
        let Some(density) = self.density.exact() else { return Plan::OneShot };
        let known: u64 = changed.iter().map(|rect| rect.area()).sum();
        let unknown: u64 = self.unknown.iter().map(|tile| self.grid.rect(tile).area()).sum();
        let is_deep = matches!(self.sent.format(), PixelFormat::Gray16(_));
        self.coarse.plan((known + unknown) as f64 * density, begin, is_deep)
    }

    /// Copies what moved, and takes boxes of what else changed in the tiles that were copied to: a tile with only its
    /// moved part up to date shows what the source never showed, so it must not be left to another frame.
    fn copy_what_moved(
        &mut self,
        source: ImageRef<'_>,
        changed: &[Rect],
        parts: &mut Parts<'_>,
    ) -> Vec<CodedBox> {
        // While some tile's content is not known a copy could spread it.
        if changed.len() < MOTION_FROM || !self.unknown.is_empty() {
            return Vec::new();
        }
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
                copied.insert(tile);
                parts.recall.copied(tile);
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

    /// Takes boxes of about `area` pixels out of `pending`, and the source's samples into `sent`.
    fn take_boxes(
        &mut self,
        source: ImageRef<'_>,
        area: u64,
        plan: Plan,
        parts: &mut Parts<'_>,
    ) -> Vec<CodedBox> {
        let mut boxes = Vec::new();
        if !self.is_of(source) {
            return boxes;
        }
        let mut taken = 0;
        while taken < area
            && let Some(tile) = self.next_pending()
        {
            self.at = tile + 1;
            if let Some(next) = self.take_box(source, tile, plan, parts) {
                taken += next.rect.area();
                boxes.push(next);
            }
        }
        boxes
    }

    /// The same for one tile; `None` if nothing in it is to be coded.
    fn take_box(
        &mut self,
        source: ImageRef<'_>,
        tile: TileIndex,
        plan: Plan,
        parts: &mut Parts<'_>,
    ) -> Option<CodedBox> {
        self.pending.remove(tile);
        let whole = self.grid.rect(tile);
        let is_unknown = self.unknown.contains(tile);
        let part = if is_unknown { whole } else { difference(self.sent.as_ref(), source, whole)? };
        self.unknown.remove(tile);
        self.note_taken(tile);
        let is_plain = self.plain.contains(tile);
        self.plain.remove(tile);
        let is_coarse = self.coarse.contains(tile);
        // What the client does not show exactly is not put aside, and by the path that went wrong nothing comes back.
        let now = self.sent.as_ref().crop(whole).filter(|_| !is_unknown && !is_coarse);
        let next = source.crop(whole).filter(|_| !is_plain);
        let changed = if is_coarse { whole } else { part }.area();
        let past = &mut self.past;
        let comes_back = next.is_some_and(|next| parts.recall.change(past, tile, now, next, changed));
        if let (Some(mut target), Some(part)) = (self.sent.as_mut().crop_mut(part), source.crop(part)) {
            target.copy_from(part);
        }
        if comes_back {
            self.coarse.remove(tile);
            return None;
        }
        // A tile that is exact but for a small part is not worth a pass.
        let is_small = part.area() * 2 < whole.area() && !is_coarse;
        let how = match plan {
            _ if is_plain => How::Plain,
            _ if is_small || self.terms.is_never_lossy(tile) => How::Exact,
            plan => plan.how(),
        };
        let must_be_whole = matches!(how, How::First | How::High) || is_coarse;
        Some(CodedBox { rect: if must_be_whole { whole } else { part }, how })
    }

    /// Takes boxes of about `area` pixels of tiles that are shown with an error.
    fn take_coarse(
        &mut self,
        area: u64,
        begin: &Begin,
        urgent: bool,
        parts: &mut Parts<'_>,
    ) -> Vec<CodedBox> {
        let mut boxes: Vec<CodedBox> = Vec::new();
        let mut taken = 0;
        while taken < area
            && let Some(tile) = self.next_coarse(urgent)
        {
            let (rect, how) = self.coarse.refinement(tile, begin.passes, &self.grid);
            self.at = tile + 1;
            for tile in self.grid.touching(rect) {
                self.coarse.remove(tile);
                parts.recall.refined(&self.past, tile);
            }
            taken += rect.area();
            boxes.push(CodedBox { rect, how });
        }
        boxes
    }

    /// The change of this tile leaves with the frame in the making.
    fn note_taken(&mut self, tile: TileIndex) {
        let when = self.when[tile as usize];
        self.taken = Some(self.taken.map_or(when, |taken| taken.min(when)));
    }

    fn encode(&mut self, boxes: Vec<CodedBox>, pool: &mut Pool, parts: &mut Parts<'_>) -> usize {
        let mut sum = 0;
        for coded in pool.encode(self.sent.as_ref(), &boxes) {
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

    fn op_of(&self, coded: Coded) -> (Technique, Op) {
        let Coded { rect, how, method, data, .. } = coded;
        let (technique, codec) = match how {
            How::Exact | How::Plain if method == Method::Flat => {
                let mut pixel = [0; 4];
                let first = self.sent.as_ref().crop(rect).map(|part| part.row(0)).unwrap_or_default();
                let n = self.sent.format().bytes_per_pixel().min(first.len());
                pixel[..n].copy_from_slice(&first[..n]);
                return (Technique::Fill, Op::Fill { rect, pixel });
            }
            How::Exact | How::Plain => (Technique::Still(method.name()), ids::codec::LOSSLESS),
            How::First => (Technique::Pass("first"), ids::codec::FIRST),
            How::High => (Technique::Pass("high"), ids::codec::HIGH),
            How::Low => (Technique::Pass("low"), ids::codec::LOW),
        };
        (technique, Op::Coded { rect, codec, data })
    }

    fn finish(&mut self, mut parts: Parts<'_>, begin: &Begin, capture: Time, refines: bool) -> Made {
        parts.show(&self.grid);
        let mut touched = BTreeMap::new();
        let mut reads = parts.reads;
        for op in &parts.ops {
            let target = op.target();
            let own = matches!(op.step(), Step::Paint(_));
            if op.step() == Step::Low {
                reads.extend(self.grid.touching(target));
            }
            for tile in self.grid.touching(target) {
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
        Made { frame, used: used.into_iter().map(|(how, (px, bytes))| (how, px, bytes)).collect() }
    }
}

/// Refinement takes this part of a frame's budget, so that a change never waits long for what it could wait for.
const REFINE_SHARE: usize = 2;

/// A frame under construction.
struct Parts<'a> {
    recall: Recall<'a>,
    ops: Vec<Op>,
    reads: Vec<TileIndex>,
    used: BTreeMap<Technique, (u64, u64)>,
}

impl<'a> Parts<'a> {
    fn new(recall: Recall<'a>) -> Self {
        Self { recall, ops: Vec::new(), reads: Vec::new(), used: BTreeMap::new() }
    }

    fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.recall.is_empty()
    }

    /// Adds what came out of slots by now.
    fn show(&mut self, grid: &TileGrid) {
        for op in self.recall.show(grid) {
            self.count(Technique::Slot, op.work(), OP_BYTES);
            self.ops.push(op);
        }
    }

    fn count(&mut self, how: Technique, pixels: u64, bytes: u64) {
        count(&mut self.used, how, pixels, bytes);
    }
}

fn count(used: &mut BTreeMap<Technique, (u64, u64)>, how: Technique, pixels: u64, bytes: u64) {
    let sum = used.entry(how).or_default();
    sum.0 += pixels;
    sum.1 += bytes;
}

#[cfg(test)]
mod tests;
