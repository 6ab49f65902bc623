//! Anchors: short runs of pixels that both frames can find without knowing of each other, and their votes.
//!
//! An anchor is a window of 16 columns by three near rows that begins with an edge and whose hash begins with
//! three zero bits. Both are properties of the pixels alone, so content that moved brings its anchors along, and
//! flat areas have none. One row would not do: rows of a bitmap font's letters repeat all over a page.
//! Anchors of the old frame that occur at two places say nothing about where content came from and do not vote.

use alloc::vec::Vec;

use super::blocks::BlockMap;
use super::{Pair, Vector};
use crate::geom::{Rect, TILE};
use crate::pixel::{ImageRef, PixelFormat};

/// Columns that an anchor's hash covers.
const WINDOW: usize = 16;
/// Rows that it covers, counted from the first; half a letter.
const ROWS: [u32; 3] = [0, 2, 5];
/// Windows that start in one row of a tile.
const STARTS: usize = TILE as usize;
/// Columns read for the windows of a tile's row.
const LEN: usize = STARTS + WINDOW;
/// A number for each of them.
type Columns = [u32; LEN];
/// One window in 2^THIN that begin with an edge is an anchor.
const THIN: u32 = 3;
/// More tiles than this and only part of the old frame's row pieces is read, and
const OLD_TILES: usize = 128;
/// more than this, only some of the new frame's rows. The two are thinned across each other (pieces of all rows
/// against whole rows of some), so that no vector escapes, and never below 1 in 8 each.
const NEW_TILES: usize = 64;
/// log2 of the slots for the old frame's anchors.
const SLOT_BITS: u32 = 14;
/// log2 of the vectors that can collect votes at a time.
const VOTE_BITS: u32 = 10;
/// The best vectors by votes are looked at closer.
const MAX_CANDIDATES: usize = 12;

/// Tables for one search.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    slots: Vec<Slot>,
    votes: Vec<Vote>,
}

/// An anchor of the old frame.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Its hash; 0 in an empty slot.
    hash: u32,
    /// `y << 16 | x`, or [`TWICE`].
    place: u32,
}

/// The place of an anchor that has several.
const TWICE: u32 = u32::MAX;

/// A vector and how often it was seen, less how often another met it in its slot.
#[derive(Clone, Copy, Debug, Default)]
struct Vote {
    vector: (i16, i16),
    count: u32,
}

impl Anchors {
    /// Vectors that anchors in the changed tiles voted for at least twice, most votes first.
    pub(super) fn vectors(&mut self, pair: Pair<'_>, map: &BlockMap) -> Vec<Vector> {
        self.slots.clear();
        self.slots.resize(1 << SLOT_BITS, Slot { hash: 0, place: TWICE });
        self.votes.clear();
        self.votes.resize(1 << VOTE_BITS, Vote::default());

        let tiles = map.changed_tiles().count();
        let old_share = (tiles / OLD_TILES).next_power_of_two().min(8) as u32;
        let new_share = (tiles / NEW_TILES).next_power_of_two().min(8) as u32;
        for tile in map.changed_tiles() {
            for y in (tile.y..tile.bottom())
                .filter(|&y| scatter((y << 10) | (tile.x / TILE)).is_multiple_of(old_share))
            {
                each_anchor(pair.old, tile, y, |hash, x| self.enter(hash, x, y));
            }
        }
        for tile in map.changed_tiles() {
            for group in (tile.y..tile.bottom()).step_by(new_share as usize) {
                // Rows at a fixed distance could fall between the lines of a text, all of them.
                let y = group + scatter(group) % new_share;
                if y < tile.bottom() {
                    each_anchor(pair.new, tile, y, |hash, x| self.vote(hash, x, y));
                }
            }
        }
        self.elected()
    }

    fn enter(&mut self, hash: u32, x: u32, y: u32) {
        let slot = &mut self.slots[slot_of(hash)];
        if slot.hash == 0 {
            *slot = Slot { hash, place: (y << 16) | x };
        } else if slot.hash == hash {
            slot.place = TWICE;
        }
    }

    fn vote(&mut self, hash: u32, x: u32, y: u32) {
        let slot = self.slots[slot_of(hash)];
        if slot.hash != hash || slot.place == TWICE {
            return;
        }
        let vector = ((slot.place & 0xffff) as i16 - x as i16, (slot.place >> 16) as i16 - y as i16);
        if vector == (0, 0) {
            return;
        }
        let key = (vector.0 as u16 as u32) << 16 | vector.1 as u16 as u32;
        let vote = &mut self.votes[(scatter(key) % (1 << VOTE_BITS)) as usize];
        if vote.vector == vector || vote.count == 0 {
            *vote = Vote { vector, count: vote.count + 1 };
        } else {
            vote.count -= 1;
        }
    }

    fn elected(&self) -> Vec<Vector> {
        let mut best: Vec<Vote> = self.votes.iter().copied().filter(|v| v.count >= 2).collect();
        best.sort_unstable_by_key(|v| (core::cmp::Reverse(v.count), v.vector));
        best.truncate(MAX_CANDIDATES);
        best.iter().map(|v| Vector { dx: v.vector.0.into(), dy: v.vector.1.into() }).collect()
    }
}

fn slot_of(hash: u32) -> usize {
    (hash << THIN >> (32 - SLOT_BITS)) as usize
}

/// A well mixed number of its own for every `n`.
fn scatter(n: u32) -> u32 {
    let n = (n ^ n >> 15).wrapping_mul(0x2c1b_3c6d);
    (n ^ n >> 12).wrapping_mul(0x297a_2d39) >> 8
}

/// Calls `found` with hash and column of every anchor that starts in row `y` of `tile`.
fn each_anchor(image: ImageRef<'_>, tile: Rect, y: u32, mut found: impl FnMut(u32, u32)) {
    let columns = image.size().w - tile.x;
    let starts = columns.saturating_sub(WINDOW as u32 - 1).min(tile.w) as usize;
    if y + ROWS[2] >= image.size().h || starts == 0 {
        return;
    }
    // The rows are told apart by rotation, so that each counts for itself.
    let mut pixels: Columns = [0; LEN];
    add::<0>(&mut pixels, image, tile.x, y + ROWS[0]);
    add::<11>(&mut pixels, image, tile.x, y + ROWS[1]);
    add::<21>(&mut pixels, image, tile.x, y + ROWS[2]);
    if pixels[..STARTS] == pixels[1..=STARTS] {
        return;
    }
    let hashes = hashes(&pixels);
    for (group, eight) in hashes.as_chunks::<8>().0.iter().enumerate() {
        if eight.iter().fold(0, |any, hash| any | hash) == 0 {
            continue;
        }
        for (i, &hash) in eight.iter().enumerate() {
            let start = group * 8 + i;
            if hash != 0 && start < starts {
                found(hash, tile.x + start as u32);
            }
        }
    }
}

/// Adds the pixels from `x` on, rotated by `TURN`; past the end of the row nothing.
fn add<const TURN: u32>(pixels: &mut Columns, image: ImageRef<'_>, x: u32, y: u32) {
    let row = &image.row(y)[x as usize * image.format().bytes_per_pixel()..];
    match image.format() {
        PixelFormat::Bgrx8 => {
            for (to, px) in pixels.iter_mut().zip(row.as_chunks::<4>().0) {
                *to = to.wrapping_add(u32::from_le_bytes(*px).rotate_left(TURN));
            }
        }
        PixelFormat::Gray16(_) => {
            for (to, px) in pixels.iter_mut().zip(row.as_chunks::<2>().0) {
                *to = to.wrapping_add(u32::from(u16::from_le_bytes(*px)).rotate_left(TURN));
            }
        }
        PixelFormat::Gray8 => {
            for (to, px) in pixels.iter_mut().zip(row) {
                *to = to.wrapping_add(u32::from(*px).rotate_left(TURN));
            }
        }
    }
}

/// For every window its hash if it is an anchor, else 0.
///
/// Arrays of fixed length and shifts in place of products let the compiler make vector code of the plain loops
/// even for a CPU that cannot multiply four 32-bit numbers at a time.
fn hashes(pixels: &Columns) -> [u32; STARTS] {
    let (mut a, mut b): (Columns, Columns) = ([0; LEN], [0; LEN]);
    join::<1, { LEN - 1 }, 5>(pixels, &mut a);
    join::<2, { LEN - 3 }, 11>(&a, &mut b);
    join::<4, { LEN - 7 }, 7>(&b, &mut a);
    join::<8, { LEN - 15 }, 13>(&a, &mut b);
    let mut out = [0u32; STARTS];
    for i in 0..STARTS {
        let mixed = (b[i] ^ b[i] >> 15).wrapping_mul(0x9e37_79b1);
        let anchor = mixed >> (32 - THIN) == 0 && pixels[i] != pixels[i + 1];
        // The lowest bit makes room for 0 as "none".
        out[i] = if anchor { mixed | 1 } else { 0 };
    }
    out
}

/// Hashes of windows twice as long: `to[i]` from `from[i]` and `from[i + STEP]`.
fn join<const STEP: usize, const COUNT: usize, const SHIFT: u32>(from: &Columns, to: &mut Columns) {
    for i in 0..COUNT {
        to[i] = from[i].wrapping_add(from[i] << SHIFT) ^ from[i + STEP];
    }
}
