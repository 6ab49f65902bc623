//! Scrolls and drags: rects of a frame that the previous frame shows elsewhere.
//!
//! A move costs a few bytes whatever it moves, so one found scroll replaces a megabyte of coded text. The search
//! has four steps, each of bounded cost:
//!
//! 1. Every 16x16 block of the changed tiles is judged: did it change, and is it more than one colour?
//! 2. *Anchors*, windows of 16 pixels chosen by their own content, are sought in both frames. The same content
//!    makes the same anchor wherever it lies, so equal anchors vote for the vector between them.
//! 3. The vector that explains most of a sample of blocks comes first. Every block is compared with where that
//!    vector takes it from, and the heaviest rects of equal blocks become moves; then the next vector.
//! 4. Moves grow to the exact pixel and are put into an order in which none overwrites what a later one reads.
//!
//! Votes only propose; every pixel of a returned move was compared. Nothing is remembered from frame to frame.

mod anchors;
mod blocks;
mod finish;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use self::anchors::Anchors;
use self::blocks::{BlockMap, Samples};
use crate::geom::{Point, Rect, Size};
use crate::pixel::ImageRef;

/// The most moves [`Finder::find`] returns.
pub const MAX_MOVES: usize = 16;
/// With fewer changed tiles than this there is no search: coding them costs less than looking.
pub const MIN_TILES: usize = 3;

/// A move that brings fewer changed and textured blocks to their place than this saves too little.
const MIN_BLOCKS: u32 = 4;
/// Vectors tried per frame: two windows and a few scrolled panes; a frame with more is a new picture.
const MAX_VECTORS: usize = 8;

/// `from` moved so that its corner lands on `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The pixels to copy, where the previous frame has them.
    pub from: Rect,
    /// Where the top left corner of `from` goes.
    pub to: Point,
}

impl Move {
    /// The pixels that the move paints.
    pub const fn target(self) -> Rect {
        self.from.at(self.to)
    }
}

/// Searches pairs of frames for moves.
///
/// It keeps its scratch memory between calls: 136 KiB of tables, one byte per 64x64 tile, and 9 bytes per 16x16
/// block of the box around the changed tiles. That is 210 KiB for 1920x1080 and 10 MiB for the largest surface.
/// The results of one call do not depend on those before.
#[derive(Debug, Default)]
pub struct Finder {
    anchors: Anchors,
    map: BlockMap,
}

impl Finder {
    /// A finder without scratch memory; the first search allocates it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rects of `new` that `old` shows elsewhere.
    ///
    /// `changed` names the 64x64 tiles outside which `new` equals `old`, in any order; rects that are no tiles
    /// count as the tiles that they touch. A wrong list costs moves, never exactness.
    ///
    /// Applied in order to `old` with [`copy_within`], each move paints exactly the pixels that `new` has there.
    /// The targets are disjoint, at most [`MAX_MOVES`] in number, and each saves more than it costs.
    /// Images of unlike size or format have no moves between them.
    ///
    /// [`copy_within`]: crate::pixel::ImageMut::copy_within
    pub fn find(&mut self, old: ImageRef<'_>, new: ImageRef<'_>, changed: &[Rect]) -> Vec<Move> {
        let pair = Pair { old, new };
        if old.size() != new.size()
            || old.format() != new.format()
            || self.map.start(new.size(), changed) < MIN_TILES
        {
            return Vec::new();
        }
        self.map.judge(pair);
        if self.map.textured() < MIN_BLOCKS {
            return Vec::new();
        }
        let vectors = self.anchors.vectors(pair, &self.map);
        let mut pieces = self.pieces(pair, &vectors);
        pieces.sort_by_key(|p| core::cmp::Reverse(p.weight));
        pieces.truncate(MAX_MOVES);
        finish::grow(pair, &mut pieces);
        finish::order(pieces)
    }

    /// Rects of whole blocks that some of `vectors` explains, the best vector's first.
    fn pieces(&mut self, pair: Pair<'_>, vectors: &[Vector]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if vectors.is_empty() {
            return pieces;
        }
        let samples = Samples::new(pair, &self.map, vectors);
        let mut tried = 0u32;
        for _ in 0..MAX_VECTORS {
            let Some((best, blocks)) = samples.best(&self.map, tried) else { break };
            if blocks < MIN_BLOCKS {
                break;
            }
            tried |= 1 << best;
            self.map.fit(pair, vectors[best]);
            for _ in 0..MAX_MOVES {
                let Some((target, weight)) = self.map.take_heaviest(MIN_BLOCKS) else { break };
                pieces.push(Piece { target, vector: vectors[best], weight });
            }
        }
        pieces
    }
}

/// The two frames of a search: same size, same format.
#[derive(Clone, Copy)]
struct Pair<'a> {
    old: ImageRef<'a>,
    new: ImageRef<'a>,
}

impl Pair<'_> {
    /// True if `new` shows in `target` what `old` shows `vector` away; false where either sticks out.
    fn alike(self, target: Rect, vector: Vector) -> bool {
        let size = self.new.size();
        let Some(from) = vector.source(target, size).filter(|_| size.rect().contains(target)) else {
            return false;
        };
        let bytes = self.new.format().bytes_per_pixel();
        let new = target.x as usize * bytes..target.right() as usize * bytes;
        let old = from.x as usize * bytes..from.right() as usize * bytes;
        (0..target.h)
            .all(|i| self.new.row(target.y + i)[new.clone()] == self.old.row(from.y + i)[old.clone()])
    }
}

/// The way from a target back to its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vector {
    dx: i32,
    dy: i32,
}

impl Vector {
    /// Where `target` comes from; `None` where that sticks out of an image of `size`.
    fn source(self, target: Rect, size: Size) -> Option<Rect> {
        let corner = Point::new(target.x.checked_add_signed(self.dx)?, target.y.checked_add_signed(self.dy)?);
        let source = target.at(corner);
        size.rect().contains(source).then_some(source)
    }
}

/// A move in the making.
#[derive(Clone, Copy, Debug)]
struct Piece {
    target: Rect,
    // INVARIANT: `target` moved by it lies inside the image.
    vector: Vector,
    /// Changed and textured blocks in it.
    weight: u32,
}

impl Piece {
    fn source(&self) -> Rect {
        let (x, y) = (self.target.x, self.target.y);
        self.target
            .at(Point::new(x.wrapping_add_signed(self.vector.dx), y.wrapping_add_signed(self.vector.dy)))
    }
}
