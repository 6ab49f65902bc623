//! Anchors: short runs of pixels that both frames can find without knowing of each other, and their votes.
//!
//! An anchor is a window of 16 columns by three near rows that begins with an edge and the hash of whose
//! first quarter begins with three zero bits. Both are properties of the pixels alone, so content that moved brings its anchors along, and
//! flat areas have none. One row would not do: rows of a bitmap font's letters repeat all over a page.
//! Anchors of the old frame that occur at two places say nothing about where content came from and do not vote.

use alloc::vec::Vec;

use super::blocks::BlockMap;
use super::{Pair, Vector};
use crate::geom::{Rect, TILE};
use crate::pixel::ImageRef;

/// Columns that an anchor's hash covers.
const WINDOW: usize = 16;
/// Rows that it covers, counted from the first; half a letter.
const ROWS: [u32; 3] = [0, 2, 5];
/// Windows that start in one row of a tile.
const STARTS: usize = TILE as usize;
/// Columns read for the windows of a tile's row.
const LEN: usize = STARTS + WINDOW;
/// One window in 2^THIN that begin with an edge is an anchor.
const THIN: u32 = 3;
/// More tiles than this and only part of the old frame's row pieces is read, and
const OLD_TILES: usize = 32;
/// more than this, only some of the new frame's rows. The two are thinned across each other (pieces of all rows
/// against whole rows of some), so that no vector escapes, and never below 1 in 16 each.
const NEW_TILES: usize = 32;
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
    windows: Windows,
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
        let old_share = (tiles / OLD_TILES).next_power_of_two().min(16) as u32;
        let new_share = (tiles / NEW_TILES).next_power_of_two().min(16) as u32;
        // Taken out, because what they find goes into the tables beside them.
        let mut windows = core::mem::take(&mut self.windows);
        for tile in map.changed_tiles() {
            let chosen = |y: &u32| scatter((y << 10) | (tile.x / TILE)).is_multiple_of(old_share);
            for y in (tile.y..tile.bottom()).filter(chosen) {
                windows.each_anchor(pair.old, tile, y, |hash, x| self.enter(hash, x, y));
            }
        }
        for tile in map.changed_tiles() {
            for group in (tile.y..tile.bottom()).step_by(new_share as usize) {
                // Rows at a fixed distance could fall between the lines of a text, all of them.
                let y = group + scatter(group) % new_share;
                if y < tile.bottom() {
                    windows.each_anchor(pair.new, tile, y, |hash, x| self.vote(hash, x, y));
                }
            }
        }
        self.windows = windows;
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
    (hash >> (32 - SLOT_BITS)) as usize
}

/// A well mixed number of its own for every `n`.
fn scatter(n: u32) -> u32 {
    let n = (n ^ n >> 15).wrapping_mul(0x2c1b_3c6d);
    (n ^ n >> 12).wrapping_mul(0x297a_2d39) >> 8
}

/// A row of windows in the making. It is kept because clearing arrays costs as much as filling them.
#[derive(Debug)]
struct Windows {
    /// For every column one number made of three pixels.
    columns: [u32; LEN],
    /// Hashes of two columns from each on, and
    pairs: [u32; LEN],
    /// of four.
    quarters: [u32; LEN],
    /// Not 0 where an anchor starts.
    marks: [u8; STARTS],
}

impl Default for Windows {
    fn default() -> Self {
        Self { columns: [0; LEN], pairs: [0; LEN], quarters: [0; LEN], marks: [0; STARTS] }
    }
}

impl Windows {
    /// Calls `found` with hash and column of every anchor that starts in row `y` of `tile`.
    fn each_anchor(&mut self, image: ImageRef<'_>, tile: Rect, y: u32, mut found: impl FnMut(u32, u32)) {
        let columns = image.size().w - tile.x;
        let starts = columns.saturating_sub(WINDOW as u32 - 1).min(tile.w) as usize;
        if y + ROWS[2] >= image.size().h || starts == 0 {
            return;
        }
        let bytes = image.format().bytes_per_pixel();
        let rows = ROWS.map(|down| &image.row(y + down)[tile.x as usize * bytes..]);
        match bytes {
            4 => self.read::<4>(rows),
            2 => self.read::<2>(rows),
            _ => self.read::<1>(rows),
        }
        if self.columns[..STARTS] == self.columns[1..=STARTS] {
            return;
        }
        self.mark();
        for (group, eight) in self.marks.as_chunks::<8>().0.iter().enumerate() {
            if u64::from_ne_bytes(*eight) == 0 {
                continue;
            }
            for at in (group * 8..starts.min(group * 8 + 8)).filter(|at| self.marks[*at] != 0) {
                let hash = [0, 4, 8, 12].into_iter().fold(0u32, |hash, i| {
                    (hash ^ self.quarters[at + i]).wrapping_mul(0x9e37_79b1).rotate_left(15)
                });
                // The lowest bit leaves 0 to empty slots.
                found(hash | 1, tile.x + at as u32);
            }
        }
    }

    /// Fills `columns` from pixels of `B` bytes each; 0 past the end of the rows.
    fn read<const B: usize>(&mut self, rows: [&[u8]; 3]) {
        let rows = rows.map(|row| row.as_chunks::<B>().0);
        // A length that is known lets the compiler use vectors.
        if let [Some(a), Some(b), Some(c)] = rows.map(|row| row.first_chunk::<LEN>()) {
            for i in 0..LEN {
                self.columns[i] = column([a[i], b[i], c[i]]);
            }
        } else {
            let [a, b, c] = rows;
            self.columns.fill(0);
            for (to, ((a, b), c)) in self.columns.iter_mut().zip(a.iter().zip(b).zip(c)) {
                *to = column([*a, *b, *c]);
            }
        }
    }

    /// Hashes the quarters of all windows, and marks the anchors by their first one.
    ///
    /// Arrays of known length and shifts in place of most products make this vector code even on a CPU that
    /// cannot multiply four 32-bit numbers at a time.
    fn mark(&mut self) {
        let Self { columns, pairs, quarters, marks } = self;
        for i in 0..LEN - 1 {
            pairs[i] = columns[i].wrapping_add(columns[i] << 5) ^ columns[i + 1];
        }
        for i in 0..LEN - 3 {
            quarters[i] = pairs[i].wrapping_add(pairs[i] << 11) ^ pairs[i + 2];
        }
        for i in 0..STARTS {
            let mixed = (quarters[i] ^ quarters[i] >> 15).wrapping_mul(0x85eb_ca6b);
            marks[i] = u8::from((mixed >> (32 - THIN) == 0) & (columns[i] != columns[i + 1]));
        }
    }
}

/// Turned against each other, the three pixels do not cancel out where they are equal.
fn column<const B: usize>([a, b, c]: [[u8; B]; 3]) -> u32 {
    let value = |px: [u8; B]| px.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
    value(a).wrapping_add(value(b).rotate_left(11)).wrapping_add(value(c).rotate_left(21))
}
