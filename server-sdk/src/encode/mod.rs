//! From damage to frames: what a client does not have yet, as copies and coded rects.
//!
//! A [`View`] is one client's picture of one surface, as it is once every frame sent so far is painted. Making a
//! frame compares it with the source's private snapshot, so damage that changed nothing costs no byte, and what
//! moved is found and copied. Nothing in here is a thread: the server's pump calls it, and so can a test.

mod boxes;
mod pool;
mod tiles;

use std::collections::BTreeMap;

use lightbox_codec::geom::{Rect, Size, TileGrid, TileIndex};
use lightbox_codec::lossless::Method;
use lightbox_codec::pixel::{Image, ImageRef};
use lightbox_codec::screen::motion::{Finder, Move};
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{Begin, NewFrame};
use lightbox_protocol::exact::{Left, Write};
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::session::server::Why;
use lightbox_protocol::wire::ids;

use boxes::{CodedBox, difference, merge};
pub use pool::Pool;
use tiles::TileSet;

/// Fewer changed tiles than this are not worth a search for motion.
const MOTION_FROM: usize = 3;
/// Pixels compared and coded in one go while little is known of how well they code.
const MIN_BATCH: u64 = 16 * 64 * 64;
/// And at most.
const MAX_BATCH: u64 = 1 << 20;

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
    /// When the oldest change of each tile in `pending` was made.
    when: Vec<Time>,
    /// The smallest of those.
    since: Option<Time>,
    /// The smallest of those that the frame in the making takes out.
    taken: Option<Time>,
    /// Where the next frame starts to look, so that none is starved by changes before it.
    at: TileIndex,
    finder: Finder,
    /// Coded bytes a pixel, lately.
    density: f64,
}

/// A frame, and how its rects were coded.
#[derive(Debug)]
pub struct Made {
    /// For the session.
    pub frame: NewFrame,
    /// Rects, pixels and bytes by technique.
    pub used: Vec<(Technique, u64, u64)>,
}

/// How some pixels of a frame travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Technique {
    /// Copied from elsewhere on the surface.
    Copy,
    /// One colour.
    Fill,
    /// Coded by this method of the still codec, by its name.
    Still(&'static str),
}

impl Technique {
    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Technique::Copy => "copy",
            Technique::Fill => "fill",
            Technique::Still(name) => name,
        }
    }
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
            when: vec![now; grid.len() as usize],
            since: Some(now),
            taken: None,
            at: 0,
            finder: Finder::new(),
            density: 1.0,
        }
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
        self.since
    }

    /// These tiles changed at the source at `now`.
    pub fn damage(&mut self, tiles: impl IntoIterator<Item = TileIndex>, now: Time) {
        for tile in tiles {
            let Some(when) = self.when.get_mut(tile as usize) else { continue };
            *when = if self.pending.contains(tile) { now.min(*when) } else { now };
            self.pending.insert(tile);
            self.since = Some(self.since.map_or(now, |since| since.min(now)));
        }
    }

    /// The client does not have these tiles as it should.
    pub fn repair(&mut self, tiles: &[TileIndex], why: Why, now: Time) {
        for tile in tiles {
            self.unknown.insert(*tile);
            if why == Why::Mismatch {
                self.plain.insert(*tile);
            }
        }
        self.damage(tiles.iter().copied(), now);
    }

    /// The next frame, made from what `look` shows of the source's snapshot; `None` if nothing differs. `look` is
    /// called several times and holds the snapshot only while it runs, so that the source is never kept waiting
    /// for a coder.
    pub fn frame(
        &mut self,
        mut look: impl FnMut(&mut dyn FnMut(ImageRef<'_>)),
        begin: &Begin,
        pool: &mut Pool,
    ) -> Option<Made> {
        let oldest = self.since?;
        self.taken = None;
        let mut parts = Parts::default();
        let mut boxes = Vec::new();
        look(&mut |source| boxes = self.copy_what_moved(source, &mut parts));
        let mut left = begin.budget as f64 - self.encode(merge(boxes), pool, &mut parts) as f64;
        while parts.ops.is_empty() || left >= self.density * MIN_BATCH as f64 / 4.0 {
            let area = ((left / self.density.max(0.01)) as u64).clamp(MIN_BATCH, MAX_BATCH);
            let mut boxes = Vec::new();
            look(&mut |source| boxes = self.take_boxes(source, area));
            if boxes.is_empty() {
                break;
            }
            left -= self.encode(merge(boxes), pool, &mut parts) as f64;
        }
        self.since = self.pending.iter().map(|tile| self.when[tile as usize]).min();
        let capture = self.taken.unwrap_or(oldest);
        (!parts.ops.is_empty()).then(|| self.finish(parts, begin, capture))
    }

    /// The client never gets the frame that was made last: what it paints is not known to be there, and the changes
    /// are as old as they were.
    pub fn dropped(&mut self, frame: &NewFrame) {
        let tiles: Vec<_> = frame.writes.iter().map(|w| w.tile).collect();
        self.repair(&tiles, Why::Lost, frame.capture);
    }

    /// False once the output was reshaped: the source's samples are another surface's, whose own view is to come.
    fn is_of(&self, source: ImageRef<'_>) -> bool {
        (source.size(), source.format()) == (self.sent.size(), self.sent.format())
    }

    /// Copies what moved, and takes boxes of what else changed in the tiles that were copied to: a tile with only its
    /// moved part up to date shows what the source never showed, so it must not be left to another frame.
    fn copy_what_moved(&mut self, source: ImageRef<'_>, parts: &mut Parts) -> Vec<CodedBox> {
        if !self.is_of(source) {
            return Vec::new();
        }
        let changed: Vec<Rect> = self
            .pending
            .iter()
            .filter(|tile| !self.unknown.contains(*tile))
            .map(|tile| self.grid.rect(tile))
            .filter(|rect| difference(self.sent.as_ref(), source, *rect).is_some())
            .collect();
        // While some tile's content is not known a copy could spread it.
        if changed.len() < MOTION_FROM || !self.unknown.is_empty() {
            return Vec::new();
        }
        let mut copied = TileSet::empty(&self.grid);
        let mut in_part = 0;
        for Move { from, to } in self.finder.find(self.sent.as_ref(), source, &changed) {
            let target = from.at(to);
            let tiles = self.grid.touching(target).map(|tile| self.grid.rect(tile));
            let cut: u64 = tiles.filter(|tile| !target.contains(*tile)).map(|tile| tile.area()).sum();
            // No move reads what another wrote, so each may be left out.
            if in_part + cut > MAX_BATCH || !self.sent.as_mut().copy_within(from, to) {
                continue;
            }
            in_part += cut;
            self.grid.touching(target).for_each(|tile| copied.insert(tile));
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
            boxes.extend(self.take_box(source, tile));
        }
        boxes
    }

    /// Takes boxes of about `area` pixels out of `pending`, and the source's samples into `sent`.
    fn take_boxes(&mut self, source: ImageRef<'_>, area: u64) -> Vec<CodedBox> {
        let mut boxes = Vec::new();
        if !self.is_of(source) {
            return boxes;
        }
        let mut taken = 0;
        while taken < area
            && let Some(tile) = self.pending.next_from(self.at)
        {
            self.at = tile + 1;
            if let Some(next) = self.take_box(source, tile) {
                taken += next.rect.area();
                boxes.push(next);
            }
        }
        boxes
    }

    /// The same for one tile; `None` if nothing in it differs.
    fn take_box(&mut self, source: ImageRef<'_>, tile: TileIndex) -> Option<CodedBox> {
        self.pending.remove(tile);
        let whole = self.grid.rect(tile);
        let must = self.unknown.contains(tile);
        let rect = if must { whole } else { difference(self.sent.as_ref(), source, whole)? };
        self.unknown.remove(tile);
        self.note_taken(tile);
        if let (Some(mut target), Some(part)) = (self.sent.as_mut().crop_mut(rect), source.crop(rect)) {
            target.copy_from(part);
        }
        let plain = self.plain.contains(tile);
        self.plain.remove(tile);
        Some(CodedBox { rect, plain })
    }

    /// The change of this tile leaves with the frame in the making.
    fn note_taken(&mut self, tile: TileIndex) {
        let when = self.when[tile as usize];
        self.taken = Some(self.taken.map_or(when, |taken| taken.min(when)));
    }

    fn encode(&mut self, boxes: Vec<CodedBox>, pool: &mut Pool, parts: &mut Parts) -> usize {
        let mut bytes = 0;
        let mut pixels = 0;
        for coded in pool.encode(self.sent.as_ref(), &boxes) {
            let area = coded.rect.area();
            pixels += area;
            if coded.method == Method::Flat {
                let mut pixel = [0; 4];
                let first = self.sent.as_ref().crop(coded.rect).map(|part| part.row(0)).unwrap_or_default();
                let n = self.sent.format().bytes_per_pixel().min(first.len());
                pixel[..n].copy_from_slice(&first[..n]);
                parts.count(Technique::Fill, area, 13);
                parts.ops.push(Op::Fill { rect: coded.rect, pixel });
                bytes += 13;
                continue;
            }
            bytes += coded.data.len() + 13;
            parts.count(Technique::Still(coded.method.name()), area, coded.data.len() as u64 + 13);
            parts.ops.push(Op::Coded { rect: coded.rect, codec: ids::codec::LOSSLESS, data: coded.data });
        }
        if pixels > 0 {
            self.density = self.density * 0.5 + bytes as f64 / pixels as f64 * 0.5;
        }
        bytes
    }

    fn finish(&mut self, parts: Parts, begin: &Begin, capture: Time) -> Made {
        let mut touched = BTreeMap::new();
        for op in &parts.ops {
            let target = op.target();
            let own = !matches!(op, Op::Copy { .. });
            for tile in self.grid.touching(target) {
                *touched.entry(tile).or_insert(false) |= own && target.contains(self.grid.rect(tile));
            }
        }
        let digest = |tile| {
            let samples = self.sent.as_ref().crop(self.grid.rect(tile))?;
            Some(begin.context.digest(tile, begin.seq, samples))
        };
        let writes = touched
            .into_iter()
            .filter_map(|(tile, whole)| Some(Write { tile, whole, left: Left::Exact(digest(tile)?) }))
            .collect();
        let mut reads = parts.reads;
        reads.sort_unstable();
        reads.dedup();
        let frame = NewFrame {
            seq: begin.seq,
            generation: begin.context.generation,
            surface: self.surface,
            capture,
            refines: false,
            ops: parts.ops,
            reads,
            writes,
        };
        Made { frame, used: parts.used.into_iter().map(|(how, (px, bytes))| (how, px, bytes)).collect() }
    }
}

/// A frame under construction.
#[derive(Default)]
struct Parts {
    ops: Vec<Op>,
    reads: Vec<TileIndex>,
    used: BTreeMap<Technique, (u64, u64)>,
}

impl Parts {
    fn count(&mut self, how: Technique, pixels: u64, bytes: u64) {
        let sum = self.used.entry(how).or_default();
        sum.0 += pixels;
        sum.1 += bytes;
    }
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Point;
    use lightbox_codec::pixel::PixelFormat;
    use lightbox_protocol::channel::display::Passes;
    use lightbox_protocol::digest::DigestContext;

    use super::*;

    const SIZE: Size = Size::new(1024, 1024);

    fn begin(seq: u64, budget: usize) -> Begin {
        let context = DigestContext { nonce: [1; 16], surface: 0, generation: 1 };
        let passes = Passes::default();
        Begin { seq, context, budget, size: SIZE, at: Time(0), carries: budget, passes }
    }

    #[test]
    fn a_change_that_copies_bring_leaves_with_their_frame_and_its_age() {
        let mut picture = Image::new(SIZE, PixelFormat::Gray8).unwrap();
        let mut noise = 1u32;
        for y in 0..SIZE.h {
            picture.as_mut().row_mut(y).fill_with(|| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            });
        }
        let (mut view, mut pool) = (View::new(0, &picture, Time(0)), Pool::new(0));
        while view.frame(|show| show(picture.as_ref()), &begin(1, 1 << 20), &mut pool).is_some() {}
        picture.as_mut().copy_within(Rect::new(300, 500, 400, 400), Point::new(310, 490));
        view.damage(0..view.grid.len(), Time(7));
        let made = view.frame(|show| show(picture.as_ref()), &begin(2, 1 << 20), &mut pool).unwrap();
        assert!(made.frame.ops.iter().any(|op| matches!(op, Op::Copy { .. })));
        assert_eq!((made.frame.capture, view.since()), (Time(7), None));
        assert_eq!(view.sent, picture);
    }

    #[test]
    fn a_frame_that_is_cut_short_leaves_no_tile_half_copied() {
        let mut noise = 1u32;
        let mut picture = Image::new(SIZE, PixelFormat::Gray8).unwrap();
        let mut paint = |picture: &mut Image, rect: Rect| {
            let mut all = picture.as_mut();
            let mut part = all.crop_mut(rect).unwrap();
            for y in 0..rect.h {
                part.row_mut(y).fill_with(|| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (noise >> 24) as u8
                });
            }
        };
        paint(&mut picture, SIZE.rect());
        let (mut view, mut pool) = (View::new(0, &picture, Time(0)), Pool::new(0));
        while view.frame(|show| show(picture.as_ref()), &begin(1, 1 << 20), &mut pool).is_some() {}
        // A window is dragged by less than a tile, everything around it changes, and the budget is for little of it.
        let window = Rect::new(300, 500, 400, 400);
        picture.as_mut().copy_within(window, Point::new(310, 490));
        paint(&mut picture, Rect::new(0, 0, 1024, 480));
        paint(&mut picture, Rect::new(0, 480, 305, 544));
        view.damage(0..view.grid.len(), Time(1));
        let made = view.frame(|show| show(picture.as_ref()), &begin(2, 12 << 10), &mut pool).unwrap();
        assert!(made.frame.ops.iter().any(|op| matches!(op, Op::Copy { .. })));
        assert!(view.since().is_some(), "the budget was for all of it");
        for write in &made.frame.writes {
            let tile = view.grid.rect(write.tile);
            assert_eq!(difference(view.sent.as_ref(), picture.as_ref(), tile), None, "tile {}", write.tile);
        }
    }
}
