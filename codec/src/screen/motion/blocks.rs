//! The map of 16x16 blocks: which changed, which a vector explains, and the heaviest rects of those.

use alloc::vec::Vec;

use super::{Pair, Vector};
use crate::geom::{Rect, Size, TILE, TileGrid};

/// The side of a block in pixels: the grain of the search, found again at any place inside a 31 pixel square.
pub(super) const BLOCK: u32 = 16;

/// The block lies in a changed tile or between changed tiles, so a move may cover it.
const INSIDE: u8 = 1;
/// Some pixel of it differs from the old frame, judged by some rows.
const CHANGED: u8 = 2;
/// Some pixel differs from its left neighbour, judged by some rows. Others are cheap as they are.
const TEXTURED: u8 = 4;
/// A move covers it.
const COVERED: u8 = 8;
/// The vector in question explains it to the pixel.
const FITS: u8 = 16;

/// The rows of a block by which it is judged: one of each remainder by 4, since what is drawn repeats by 2 or 4.
const JUDGED: [u32; 4] = [1, 6, 8, 15];
const BLOCKS_PER_TILE: u32 = TILE / BLOCK;

/// The blocks of the box around the changed tiles.
#[derive(Debug, Default)]
pub(super) struct BlockMap {
    size: Size,
    /// Which tiles of the surface changed, by index; empty before the first search.
    tiles: Vec<bool>,
    /// The box in pixels; its corner is a tile's.
    area: Rect,
    cols: usize,
    rows: usize,
    /// `rows` x `cols` sets of flags.
    state: Vec<u8>,
    /// What the blocks above and left of each corner are worth together, (`rows` + 1) x (`cols` + 1):
    /// textured and changed ones in the high half, changed ones in the low half.
    sums: Vec<u64>,
    /// For every column of blocks how many fit in a row upwards from the row in question.
    heights: Vec<u32>,
    /// Open rects of the sweep: first column and height.
    open: Vec<(u32, u32)>,
}

impl BlockMap {
    /// Prepares a search in the tiles that `changed` touches and returns how many they are.
    pub(super) fn start(&mut self, size: Size, changed: &[Rect]) -> usize {
        let grid = TileGrid::new(size);
        self.size = size;
        self.tiles.clear();
        self.tiles.resize(grid.len() as usize, false);
        let (mut count, mut area) = (0, Rect::default());
        for index in changed.iter().flat_map(|rect| grid.touching(*rect)) {
            let tile = &mut self.tiles[index as usize];
            if !core::mem::replace(tile, true) {
                count += 1;
                area = area.union(grid.rect(index));
            }
        }
        self.area = area;
        self.cols = area.w.div_ceil(BLOCK) as usize;
        self.rows = area.h.div_ceil(BLOCK) as usize;
        count
    }

    /// The changed tiles, row by row.
    pub(super) fn changed_tiles(&self) -> impl Iterator<Item = Rect> {
        let grid = TileGrid::new(self.size);
        (0..).zip(&self.tiles).filter(|(_, changed)| **changed).map(move |(index, _)| grid.rect(index))
    }

    /// Finds out which blocks may move, which changed, and which have texture.
    pub(super) fn judge(&mut self, pair: Pair<'_>) {
        self.state.clear();
        self.state.resize(self.cols * self.rows, 0);
        self.mark_inside();
        match pair.new.format().bytes_per_pixel() {
            4 => self.judge_as::<64, 4>(pair),
            2 => self.judge_as::<32, 2>(pair),
            _ => self.judge_as::<16, 1>(pair),
        }
        self.sum_up();
    }

    /// Textured and changed blocks in the map.
    pub(super) fn textured(&self) -> u32 {
        self.sums.last().map_or(0, |all| (all >> 32) as u32)
    }

    /// Marks the blocks of tiles that changed or lie between two that did, in their row or their column: a move
    /// may well cross the white space of a page, which is the same before and after.
    fn mark_inside(&mut self) {
        let tiles_across = self.size.w.div_ceil(TILE) as usize;
        let (left, top) = ((self.area.x / TILE) as usize, (self.area.y / TILE) as usize);
        let (across, down) = (self.area.w.div_ceil(TILE) as usize, self.area.h.div_ceil(TILE) as usize);
        let changed = |col: usize, row: usize| self.tiles[(top + row) * tiles_across + left + col];
        for row in 0..down {
            let first = (0..across).find(|&col| changed(col, row));
            let last = (0..across).rfind(|&col| changed(col, row));
            if let (Some(first), Some(last)) = (first, last) {
                mark_tiles(&mut self.state, self.cols, first..last + 1, row..row + 1);
            }
        }
        for col in 0..across {
            let first = (0..down).find(|&row| changed(col, row));
            let last = (0..down).rfind(|&row| changed(col, row));
            if let (Some(first), Some(last)) = (first, last) {
                mark_tiles(&mut self.state, self.cols, col..col + 1, first..last + 1);
            }
        }
    }

    /// `N` is the bytes of a block's row, `B` those of a pixel.
    fn judge_as<const N: usize, const B: usize>(&mut self, pair: Pair<'_>) {
        let columns = self.area.x as usize * B..self.area.right() as usize * B;
        for (row, states) in self.state.chunks_mut(self.cols).enumerate() {
            let top = self.area.y + row as u32 * BLOCK;
            for y in JUDGED.iter().map(|i| top + i).filter(|y| *y < self.area.bottom()) {
                let (new, old) = (&pair.new.row(y)[columns.clone()], &pair.old.row(y)[columns.clone()]);
                let ((new, new_rest), (old, old_rest)) = (new.as_chunks::<N>(), old.as_chunks::<N>());
                for (state, (new, old)) in states.iter_mut().zip(new.iter().zip(old)) {
                    if *state & INSIDE != 0 {
                        // Each pixel against the next, in halves: the compiler knows how to compare those.
                        let textured =
                            new[..N / 2] != new[B..N / 2 + B] || new[N / 2 - B..N - B] != new[N / 2..];
                        *state |= if new != old { CHANGED } else { 0 } | if textured { TEXTURED } else { 0 };
                    }
                }
                if let (Some(state), Some(last)) = (states.get_mut(new.len()), new_rest.len().checked_sub(B))
                {
                    let textured = new_rest[..last] != new_rest[B..];
                    *state |= if new_rest != old_rest { CHANGED } else { 0 };
                    *state |= if textured { TEXTURED } else { 0 };
                }
            }
        }
    }

    fn sum_up(&mut self) {
        let stride = self.cols + 1;
        self.sums.clear();
        self.sums.resize(stride * (self.rows + 1), 0);
        for row in 0..self.rows {
            let mut line = 0u64;
            for col in 0..self.cols {
                line += match self.state[row * self.cols + col] & (CHANGED | TEXTURED) {
                    CHANGED => 1,
                    both if both == CHANGED | TEXTURED => 1 << 32 | 1,
                    _ => 0,
                };
                self.sums[(row + 1) * stride + col + 1] = self.sums[row * stride + col + 1] + line;
            }
        }
    }

    /// Textured and changed blocks, and changed ones, in a rect that is given in blocks.
    fn worth(&self, left: usize, top: usize, right: usize, bottom: usize) -> (u32, u32) {
        let at = |row: usize, col: usize| self.sums[row * (self.cols + 1) + col];
        let sum = at(bottom, right) + at(top, left) - at(top, right) - at(bottom, left);
        ((sum >> 32) as u32, sum as u32)
    }

    /// Marks every block not yet covered that `vector` explains to the pixel.
    pub(super) fn fit(&mut self, pair: Pair<'_>, vector: Vector) {
        match pair.new.format().bytes_per_pixel() {
            4 => self.fit_as::<64>(pair, vector),
            2 => self.fit_as::<32>(pair, vector),
            _ => self.fit_as::<16>(pair, vector),
        }
    }

    /// `N` is the bytes of a block's row. Goes line by line, not block by block, because that is how memory is
    /// read fastest; a block that once differed costs no more than a look at its flags.
    fn fit_as<const N: usize>(&mut self, pair: Pair<'_>, vector: Vector) {
        let bytes = N / BLOCK as usize;
        for row in 0..self.rows {
            let band = row * self.cols..(row + 1) * self.cols;
            for state in &mut self.state[band.clone()] {
                *state &= !FITS;
            }
            // The columns of this band whose source is inside the image.
            let inside = |col: &usize| vector.source(self.block(*col, row), self.size).is_some();
            let Some(first) = (0..self.cols).find(inside) else { continue };
            let end = (first..self.cols).find(|col| !inside(col)).unwrap_or(self.cols);
            let blocks = self.block(first, row).union(self.block(end - 1, row));
            let Some(source) = vector.source(blocks, self.size) else { continue };

            let states = &mut self.state[band][first..end];
            let mut alive = 0;
            for state in states.iter_mut() {
                if *state & (INSIDE | COVERED) == INSIDE {
                    *state |= FITS;
                    alive += 1;
                }
            }
            for line in 0..blocks.h {
                if alive == 0 {
                    break;
                }
                let new = &pair.new.row(blocks.y + line)
                    [blocks.x as usize * bytes..blocks.right() as usize * bytes];
                let old = &pair.old.row(source.y + line)
                    [source.x as usize * bytes..source.right() as usize * bytes];
                alive -= refuse::<N>(states, new, old);
            }
        }
    }

    /// Takes the rect of fitting blocks that is worth most out of the map: its pixels and how many textured and
    /// changed blocks it has. `None` if that are fewer than `least`.
    pub(super) fn take_heaviest(&mut self, least: u32) -> Option<(Rect, u32)> {
        let heaviest = self.heaviest()?;
        let (left, top, right, bottom) = self.trim(heaviest);
        let weight = self.worth(left, top, right, bottom).0;
        if weight < least {
            return None;
        }
        for row in top..bottom {
            for state in &mut self.state[row * self.cols + left..row * self.cols + right] {
                *state = *state & !FITS | COVERED;
            }
        }
        Some((self.block(left, top).union(self.block(right - 1, bottom - 1)), weight))
    }

    /// The heaviest rect of fitting blocks. A sweep over the rows keeps, as the columns pass, every rect that
    /// ends in this row and can still grow to the right; each closed one is as high and wide as it can be.
    fn heaviest(&mut self) -> Option<(usize, usize, usize, usize)> {
        let mut best = None;
        let mut best_score = 0;
        self.heights.clear();
        self.heights.resize(self.cols + 1, 0);
        let mut open = core::mem::take(&mut self.open);
        for row in 0..self.rows {
            let states = &self.state[row * self.cols..(row + 1) * self.cols];
            for (height, state) in self.heights.iter_mut().zip(states) {
                *height = if state & FITS != 0 { *height + 1 } else { 0 };
            }
            open.clear();
            for col in 0..=self.cols {
                let height = self.heights[col];
                let mut from = col as u32;
                while let Some((left, tall)) = open.pop_if(|(_, tall)| *tall >= height) {
                    from = left;
                    if tall > height {
                        let rect = (left as usize, row + 1 - tall as usize, col, row + 1);
                        let (textured, changed) = self.worth(rect.0, rect.1, rect.2, rect.3);
                        let score = 4 * textured + changed;
                        if score > best_score {
                            (best, best_score) = (Some(rect), score);
                        }
                    }
                }
                if height > 0 {
                    open.push((from, height));
                }
            }
        }
        self.open = open;
        best
    }

    /// Without the outer rows and columns in which nothing changed.
    fn trim(
        &self,
        (mut left, mut top, mut right, mut bottom): (usize, usize, usize, usize),
    ) -> (usize, usize, usize, usize) {
        let idle = |left, top, right, bottom| self.worth(left, top, right, bottom).1 == 0;
        while top + 1 < bottom && idle(left, top, right, top + 1) {
            top += 1;
        }
        while top + 1 < bottom && idle(left, bottom - 1, right, bottom) {
            bottom -= 1;
        }
        while left + 1 < right && idle(left, top, left + 1, bottom) {
            left += 1;
        }
        while left + 1 < right && idle(right - 1, top, right, bottom) {
            right -= 1;
        }
        (left, top, right, bottom)
    }

    /// The pixels of a block.
    fn block(&self, col: usize, row: usize) -> Rect {
        let (x, y) = (self.area.x + col as u32 * BLOCK, self.area.y + row as u32 * BLOCK);
        Rect::span(x, y, self.area.right().min(x + BLOCK), self.area.bottom().min(y + BLOCK))
    }
}

fn mark_tiles(state: &mut [u8], stride: usize, cols: core::ops::Range<usize>, rows: core::ops::Range<usize>) {
    let per = BLOCKS_PER_TILE as usize;
    for line in state.chunks_mut(stride).take(rows.end * per).skip(rows.start * per) {
        let end = line.len().min(cols.end * per);
        line[cols.start * per..end].iter_mut().for_each(|state| *state |= INSIDE);
    }
}

/// Takes `FITS` from the blocks that differ in this line and returns how many they are.
fn refuse<const N: usize>(states: &mut [u8], new: &[u8], old: &[u8]) -> usize {
    let ((new, new_rest), (old, old_rest)) = (new.as_chunks::<N>(), old.as_chunks::<N>());
    let mut refused = 0;
    for (state, (new, old)) in states.iter_mut().zip(new.iter().zip(old)) {
        if *state & FITS != 0 && !same(new, old) {
            *state &= !FITS;
            refused += 1;
        }
    }
    // The last column may be cut by the image's edge.
    if let Some(state) = states.get_mut(new.len())
        && *state & FITS != 0
        && new_rest != old_rest
    {
        *state &= !FITS;
        refused += 1;
    }
    refused
}

/// Equality without a call, which a comparison of so few bytes would be.
fn same<const N: usize>(a: &[u8; N], b: &[u8; N]) -> bool {
    let words = a.as_chunks::<16>().0.iter().zip(b.as_chunks::<16>().0);
    words.fold(0, |differ, (a, b)| differ | (u128::from_ne_bytes(*a) ^ u128::from_ne_bytes(*b))) == 0
}

/// Some of the changed and textured blocks, spread evenly, and which candidate explains which.
pub(super) struct Samples {
    /// Positions in the map, at most 128.
    at: Vec<usize>,
    /// Blocks that one sample stands for.
    stride: u32,
    /// For each candidate a bit for every sample that it explains.
    fits: Vec<u128>,
}

impl Samples {
    pub(super) fn new(pair: Pair<'_>, map: &BlockMap, candidates: &[Vector]) -> Self {
        let stride = map.textured().div_ceil(u128::BITS).max(1);
        let interesting = |state: &u8| state & (CHANGED | TEXTURED) == CHANGED | TEXTURED;
        let all = map.state.iter().enumerate().filter(|(_, state)| interesting(state)).map(|(at, _)| at);
        let at: Vec<usize> = all.skip(stride as usize / 2).step_by(stride as usize).collect();
        let fits = candidates.iter().map(|vector| {
            at.iter().enumerate().fold(0u128, |bits, (i, at)| {
                let block = map.block(at % map.cols, at / map.cols);
                bits | u128::from(pair.alike(block, *vector)) << i
            })
        });
        Self { fits: fits.collect(), at, stride }
    }

    /// The candidate, none of those with a bit in `tried`, that explains most blocks not yet covered, and about
    /// how many.
    pub(super) fn best(&self, map: &BlockMap, tried: u32) -> Option<(usize, u32)> {
        let uncovered = self
            .at
            .iter()
            .enumerate()
            .fold(0u128, |bits, (i, at)| bits | u128::from(map.state[*at] & COVERED == 0) << i);
        // Where a sample stands for many blocks, a single one may be chance and is not worth a pass over all.
        let least = if self.stride > 1 { 2 } else { 1 };
        let blocks = |fits: u128| match (fits & uncovered).count_ones() {
            few if few < least => 0,
            count => count * self.stride,
        };
        let open = self.fits.iter().enumerate().filter(|(i, _)| tried >> i & 1 == 0);
        // The first of equals, because it has more votes.
        open.map(|(i, fits)| (i, blocks(*fits))).rev().max_by_key(|(_, blocks)| *blocks)
    }
}
