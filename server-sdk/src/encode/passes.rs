//! What is shown with a stated error first, and what of that is still to be made exact.
//!
//! A path that carries a change within a few frame times gets it exactly, at once. Over a thinner one the high bits of
//! deep gray go before the low ones, and where even those would take long a first pass of everything goes before
//! both: a person sees the whole new picture, knows how far it may be off, and it becomes exact by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use lightbox_codec::geom::{Rect, TileGrid, TileIndex};
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{Begin, Passes};
use lightbox_protocol::exact::Left;

use super::boxes::How;
use super::tiles::TileSet;

/// How changes are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plan {
    /// Exactly.
    #[default]
    OneShot,
    /// The high bits of all changes before the low ones.
    High,
    /// A first pass of all changes before anything exact.
    First,
}

impl Plan {
    pub(crate) fn how(self) -> How {
        match self {
            Plan::OneShot => How::Exact,
            Plan::High => How::High,
            Plan::First => How::First,
        }
    }
}

/// How long exact samples may keep a person waiting, in the times that the path needs for one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// Changes that take longer go by their high bits first.
    pub high: f64,
    /// Changes that take longer get a first pass.
    pub first: f64,
}

impl Default for Patience {
    /// An eighth and four tenths of a second.
    fn default() -> Self {
        Self { high: 4.0, first: 12.0 }
    }
}

/// Video is not made exact before it has been still for so long: what moves will be another by then.
const REST: Duration = Duration::from_millis(200);

/// The tiles that a client shows with an error, and how the next changes are sent.
#[derive(Debug)]
pub(crate) struct Coarse {
    painted: TileSet,
    refining: TileSet,
    /// Tiles that show video, and since when.
    video: BTreeMap<TileIndex, Time>,
    /// The rect whose high bits each tile in `refining` shows: the coder looks at all of its samples, so the low ones
    /// are for the same rect.
    highs: Vec<Rect>,
    plan: Plan,
    patience: Patience,
}

impl Coarse {
    pub(crate) fn new(grid: &TileGrid) -> Self {
        Self {
            painted: TileSet::empty(grid),
            refining: TileSet::empty(grid),
            video: BTreeMap::new(),
            highs: vec![Rect::default(); grid.len() as usize],
            plan: Plan::OneShot,
            patience: Patience::default(),
        }
    }

    pub(crate) fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// True if every tile is exact, or dirty.
    pub(crate) fn is_empty(&self) -> bool {
        self.painted.is_empty() && self.refining.is_empty() && self.video.is_empty()
    }

    pub(crate) fn contains(&self, tile: TileIndex) -> bool {
        self.painted.contains(tile) || self.refining.contains(tile) || self.video.contains_key(&tile)
    }

    /// From when on some tile can be refined; `None` where all are exact, or dirty.
    pub(crate) fn refines_from(&self) -> Option<Time> {
        if !self.painted.is_empty() || !self.refining.is_empty() {
            return Some(Time(0));
        }
        self.video.values().min().map(|since| *since + REST)
    }

    /// Video that has been still until now is refined as a first pass is.
    pub(crate) fn settle(&mut self, now: Time) {
        let painted = &mut self.painted;
        self.video.retain(|tile, since| {
            let moves = *since + REST > now;
            if !moves {
                painted.insert(*tile);
            }
            moves
        });
    }

    /// The tile shows video from now on.
    pub(crate) fn note_video(&mut self, tile: TileIndex, now: Time) {
        self.remove(tile);
        self.video.insert(tile, now);
    }

    /// The tile was painted like this, whole, as a part of `rect`.
    pub(crate) fn note(&mut self, tile: TileIndex, how: How, rect: Rect) {
        self.remove(tile);
        match how {
            How::First => self.painted.insert(tile),
            How::High => {
                self.refining.insert(tile);
                self.highs[tile as usize] = rect;
            }
            How::Exact | How::Plain | How::Low => (),
        }
    }

    pub(crate) fn remove(&mut self, tile: TileIndex) {
        self.painted.remove(tile);
        self.refining.remove(tile);
        self.video.remove(&tile);
    }

    /// What the client shows of this tile; `None` where that is exact.
    pub(crate) fn left(&self, tile: TileIndex) -> Option<Left> {
        if self.painted.contains(tile) || self.video.contains_key(&tile) {
            Some(Left::First)
        } else {
            self.refining.contains(tile).then_some(Left::High)
        }
    }

    /// The next tile that is to be refined: what is farthest from the source before others.
    pub(crate) fn next_from(&self, at: TileIndex) -> Option<TileIndex> {
        self.painted.next_from(at).or_else(|| self.refining.next_from(at))
    }

    /// The same among these tiles.
    pub(crate) fn next_in(&self, tiles: &TileSet, at: TileIndex) -> Option<TileIndex> {
        self.painted.next_in(tiles, at).or_else(|| self.refining.next_in(tiles, at))
    }

    /// How a tile is refined, and with which others. Low bits are for a rect whose high ones are all there still; else
    /// its tiles come exactly, one by one.
    pub(crate) fn refinement(&self, tile: TileIndex, can: Passes, grid: &TileGrid) -> (Rect, How) {
        if self.painted.contains(tile) {
            return (grid.rect(tile), How::Exact);
        }
        let rect = self.highs[tile as usize];
        let mut tiles = grid.touching(rect);
        if can.high_low && tiles.all(|t| self.refining.contains(t) && self.highs[t as usize] == rect) {
            (rect, How::Low)
        } else {
            (grid.rect(tile), How::Exact)
        }
    }

    /// How changes are sent now that `backlog` bytes of them wait. What was begun coarsely goes on so until no change
    /// waits ([`Coarse::rest`]): a picture is not half first pass and half exact.
    pub(crate) fn plan(&mut self, backlog: f64, begin: &Begin, is_deep: bool) -> Plan {
        let frames = backlog / begin.carries.max(1) as f64;
        if frames > self.patience.first {
            self.plan = Plan::First;
        } else if frames > self.patience.high {
            self.plan = self.plan.max(Plan::High);
        }
        match self.plan {
            Plan::First if begin.passes.first => Plan::First,
            Plan::First | Plan::High if begin.passes.high_low && is_deep => Plan::High,
            _ => Plan::OneShot,
        }
    }

    /// No change waits.
    pub(crate) fn rest(&mut self) {
        self.plan = Plan::OneShot;
    }
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::{Point, Rect, Size};
    use lightbox_codec::pixel::{Image, PixelFormat, SampleDepth};
    use lightbox_protocol::channel::display::Agreed;
    use lightbox_protocol::digest::DigestContext;
    use lightbox_protocol::msg::display::{Op, Step};

    use super::super::{Keep, Made, Pool, View};
    use super::*;

    const SIZE: Size = Size::new(1024, 512);
    const CONTEXT: DigestContext = DigestContext { nonce: [1; 16], surface: 0, generation: 1 };

    /// A slope with noise on it, of 12 bits.
    fn radiograph(seed: u32) -> Image {
        let mut noise = seed;
        let mut image = Image::new(SIZE, PixelFormat::Gray16(SampleDepth::new(12).unwrap())).unwrap();
        for y in 0..SIZE.h {
            for (x, sample) in image.as_mut().row_mut(y).as_chunks_mut::<2>().0.iter_mut().enumerate() {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *sample = (500 + x as u16 + y as u16 + (noise >> 27) as u16).to_le_bytes();
            }
        }
        image
    }

    /// Of a client without slots.
    fn begin(seq: u64, budget: usize) -> Begin {
        Begin {
            seq,
            context: CONTEXT,
            budget,
            size: SIZE,
            at: Time(seq),
            carries: budget,
            passes: Passes { first: true, high_low: true, ..Passes::default() },
            acked_to: seq - 1,
            slots: Agreed::default(),
        }
    }

    /// Makes frames until nothing is left to send.
    fn frames(view: &mut View, picture: &Image, passes: Passes) -> Vec<Made> {
        let mut pool = Pool::new(0);
        let mut all = Vec::new();
        loop {
            let begin = Begin { passes, ..begin(all.len() as u64 + 1, 12 << 10) };
            match view.frame(|show| show(picture.as_ref()), &begin, &mut pool, &mut Keep::new([7; 32])) {
                Some(made) => all.push(made),
                None => return all,
            }
        }
    }

    fn bytes(frames: &[Made]) -> u64 {
        frames.iter().flat_map(|made| &made.used).map(|(_, used)| used.bytes).sum()
    }

    #[test]
    fn high_bits_of_all_go_first_and_all_ends_exact() {
        let picture = radiograph(1);
        let (mut view, mut once) = (View::new(0, &picture, Time(0)), View::new(0, &picture, Time(0)));
        let at_once = frames(&mut once, &picture, Passes::default());
        assert!(at_once.iter().all(|made| made.frame.ops.iter().all(|op| op.step() != Step::Low)));

        let all = frames(&mut view, &picture, Passes { high_low: true, ..Passes::default() });
        let first = all.iter().position(|made| made.frame.refines).expect("a path this thin is refined over");
        let (changes, refined) = all.split_at(first);
        assert!(changes.len() > 3 && refined.iter().all(|made| made.frame.refines));
        let mut left = std::collections::BTreeMap::new();
        for write in changes.iter().flat_map(|made| &made.frame.writes) {
            left.insert(write.tile, write.left);
        }
        let high = left.values().filter(|left| **left == Left::High).count();
        assert!(left.len() == 128 && high > 64, "{high} of {} tiles by high bits", left.len());
        for write in refined.iter().flat_map(|made| &made.frame.writes) {
            left.insert(write.tile, write.left);
        }
        assert!(left.values().all(|left| matches!(left, Left::Exact(_))) && !view.is_coarse());
        assert!(bytes(&all) * 100 < bytes(&at_once) * 106, "{} {}", bytes(&all), bytes(&at_once));
        // Low bits read what the high bits left.
        let reads = refined.iter().flat_map(|made| &made.frame.reads).count();
        assert_eq!(reads, high);
    }

    #[test]
    fn a_coarse_tile_that_changes_is_sent_whole_and_nothing_is_copied_from_it() {
        let mut picture = radiograph(1);
        let mut view = View::new(0, &picture, Time(0));
        view.set_patience(Patience { high: 0.0, first: f64::INFINITY });
        let (mut pool, mut keep) = (Pool::new(0), Keep::new([7; 32]));
        let begin = |seq| begin(seq, 1 << 20);
        // The first frame learns what samples cost, the second shows the rest by its high bits.
        view.frame(|show| show(picture.as_ref()), &Begin { budget: 1, ..begin(1) }, &mut pool, &mut keep)
            .unwrap();
        view.frame(|show| show(picture.as_ref()), &begin(2), &mut pool, &mut keep).unwrap();
        let coarse = (0..128).filter(|tile| view.coarse.contains(*tile)).collect::<Vec<_>>();
        assert!(coarse.len() > 64 && view.since().is_none());

        picture.as_mut().copy_within(Rect::new(100, 100, 800, 300), Point::new(108, 108));
        picture.as_mut().fill(Rect::new(1000, 500, 3, 3), [0; 4]);
        view.damage(0..128, Time(3));
        let made = view.frame(|show| show(picture.as_ref()), &begin(3), &mut pool, &mut keep).unwrap();
        assert!(!made.frame.refines && coarse.contains(&127));
        for op in &made.frame.ops {
            let reads = if let Op::Copy { from, .. } = op { *from } else { Rect::default() };
            assert!(view.grid.touching(reads).all(|tile| !coarse.contains(&tile)), "{op:?}");
        }
        let corner = made.frame.writes.iter().find(|write| write.tile == 127).unwrap();
        assert!(corner.whole, "{corner:?}");
    }
}
