//! Finds the tokens of a row. A decoder needs nothing of this.

use alloc::vec::Vec;

use super::Block;
use super::copies::{Hanging, gaps};
use super::token::{Copied, Length, Token, Vector};
use crate::lossless::canvas::Canvas;
use crate::lossless::layout::{CELL, Layout};

/// Shorter runs are pixels, but for those that fill a gap.
const MIN_RUN: usize = 2;
/// Rows of a copy at most.
const MAX_ROWS: usize = 64;
/// A copy of less is not worth its size and vector.
const MIN_WORTH: u32 = 32;
/// Rows and columns by which two letters are told apart, from one column before the pixel on.
const LARGE: (usize, usize) = (6, 5);
/// The same where a letter's surroundings differ, from the pixel on.
const SMALL: (usize, usize) = (4, 2);

/// The picture, and the row whose tokens are asked for.
pub(super) struct View<'a> {
    data: &'a [u32],
    stride: usize,
    w: usize,
    h: usize,
    y: usize,
    origin: usize,
    layout: &'a Layout,
}

impl<'a> View<'a> {
    pub(super) fn new(canvas: &'a Canvas, layout: &'a Layout, y: usize) -> Self {
        Self {
            data: canvas.data(),
            stride: canvas.stride(),
            w: canvas.w(),
            h: canvas.h(),
            y,
            origin: canvas.origin(y),
            layout,
        }
    }

    /// Pixels `x..end` of the row that lies `rows` below, and of the canvas from `back` pixels before them on.
    #[inline(always)]
    fn pair(&self, x: usize, end: usize, rows: usize, back: usize) -> (&'a [u32], &'a [u32]) {
        let row = self.origin + rows * self.stride;
        (&self.data[row + x..row + end], &self.data[row + x - back..row + end - back])
    }
}

/// Where patches of the picture were seen last. The memory is kept from use to use.
#[derive(Default)]
pub(super) struct Finder {
    /// Places in the canvas by hash, 0 for none.
    large: Vec<u32>,
    small: Vec<u32>,
    bits: u32,
    /// The token at a place in the canvas that was found with the one before it.
    planned: (usize, Option<Token>),
}

/// A run: its open pixels, where it ends, and the part of its last gap from where on it may be cut.
#[derive(Clone, Copy)]
struct Run {
    pixels: usize,
    end: usize,
    start: usize,
    gap_end: usize,
}

/// A copy, and where it begins.
struct Found {
    x: usize,
    copied: Copied,
}

impl Finder {
    /// Forgets everything.
    pub(super) fn begin(&mut self, canvas: &Canvas) {
        self.bits = (canvas.w() * canvas.h()).max(1).ilog2().clamp(6, 14);
        for table in [&mut self.large, &mut self.small] {
            table.clear();
            table.resize(1 << self.bits, 0);
        }
        self.planned = (0, None);
    }

    /// The token at column `x`; `row` is what hangs into the row right of it.
    pub(super) fn find(&mut self, view: &View<'_>, row: &[Hanging], x: usize) -> Token {
        if let (at, Some(token)) = self.planned
            && at == view.origin + x
        {
            return token;
        }
        let Some(above) = run(view, row, x, |x, end| {
            let (own, above) = view.pair(x, end, 0, view.stride);
            equal(own, above)
        }) else {
            return Token::Above(Length::ToTheEnd);
        };
        let colour = view.data[view.origin + x - 1];
        let Some(flat) = run(view, row, x, |x, end| equal_to(view.pair(x, end, 0, 0).0, colour)) else {
            return Token::Flat(Length::ToTheEnd);
        };
        let is_above = above.pixels >= flat.pixels;
        let run = if is_above { above } else { flat };
        let gap_end = row.first().map_or(view.w, |hanging| hanging.x());
        if run.pixels < MIN_RUN && run.end < gap_end {
            return match self.find_copy(view, x, x, gap_end) {
                Some(found) => Token::Copy(found.copied),
                None => Token::Pixel,
            };
        }
        let (mut pixels, mut end, mut next) = (run.pixels, run.end, Token::Pixel);
        if let Some(found) = self.find_copy(view, run.end, run.start, run.gap_end) {
            pixels -= run.end - found.x;
            (end, next) = (found.x, Token::Copy(found.copied));
        }
        if pixels == 0 {
            return next;
        }
        self.planned = (view.origin + end, Some(next));
        if is_above { Token::Above(Length::Pixels(pixels)) } else { Token::Flat(Length::Pixels(pixels)) }
    }

    /// The best copy that holds column `x` and stays within `min..end`, if there is one.
    fn find_copy(&mut self, view: &View<'_>, x: usize, min: usize, end: usize) -> Option<Found> {
        let at = view.origin + x;
        let (data, stride, bits) = (view.data, view.stride, self.bits);
        if at + (LARGE.1 - 1) * stride + LARGE.0 > data.len() {
            return None;
        }
        let seen = |table: &mut [u32], patch: u32| {
            let place = (patch.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize;
            core::mem::replace(&mut table[place], at as u32) as usize
        };
        let large = seen(&mut self.large, hash::<{ LARGE.0 }, { LARGE.1 }>(data, at - 1, stride));
        let small = seen(&mut self.small, hash::<{ SMALL.0 }, { SMALL.1 }>(data, at, stride));
        let copy = |place: usize| if place == 0 { None } else { extend(view, x, min, end, at - place) };
        let of_small = if small == large { None } else { copy(small) };
        let best = [copy(large), of_small]
            .into_iter()
            .flatten()
            .max_by_key(|found| found.copied.w * found.copied.h)?;
        is_worth_it(view, &best).then_some(best)
    }
}

/// The rect around column `x` and downwards, within `min..end`, whose pixels lie `back` before it as well.
fn extend(view: &View<'_>, x: usize, min: usize, end: usize, back: usize) -> Option<Found> {
    let dy = (back + view.stride / 2) / view.stride;
    let dx = back as isize - (dy * view.stride) as isize;
    // The source lies inside the picture.
    let mut from = min.max(dx.max(0) as usize);
    let mut to = end.min(view.w.saturating_add_signed(dx));
    if from > x || to <= x || dy > view.y {
        return None;
    }
    // The widest rect of each height, and the largest of all.
    let (mut best, mut area) = (None, 0);
    let max_rows = MAX_ROWS.min(view.h - view.y);
    for rows in 0..max_rows {
        let y = view.y + rows;
        if rows > 0
            && y.is_multiple_of(CELL)
            && !view.layout.is_text(Block { x: from, end_x: to, y, end_y: y + 1 })
        {
            break;
        }
        let (own, source) = view.pair(x, to, rows, back);
        let right = equal(own, source);
        if right == 0 {
            break;
        }
        let (own, source) = view.pair(from, x, rows, back);
        (from, to) = (x - equal_at_end(own, source), x + right);
        if (to - from) * (rows + 1) > area {
            area = (to - from) * (rows + 1);
            let copied = Copied { w: to - from, h: rows + 1, vector: Vector { dx, dy } };
            best = Some(Found { x: from, copied });
        } else if (to - from) * max_rows <= area {
            break;
        }
    }
    best
}

/// True if the pixels of a copy would cost more without it, very roughly: most differ from their neighbours or they do
/// not.
fn is_worth_it(view: &View<'_>, found: &Found) -> bool {
    let (x, copied) = (found.x, found.copied);
    let mut edges = 0;
    for rows in 0..copied.h {
        let (own, before) = view.pair(x, x + copied.w, rows, 1);
        let (_, above) = view.pair(x, x + copied.w, rows, view.stride);
        for ((pixel, w), n) in own.iter().zip(before).zip(above) {
            let (from_w, from_n) = (u32::from(pixel != w), u32::from(pixel != n));
            edges += from_w + from_n + (from_w & from_n);
        }
        if edges >= MIN_WORTH {
            return true;
        }
    }
    false
}

/// A hash of `W` columns and `H` rows of the canvas.
#[inline(always)]
fn hash<const W: usize, const H: usize>(data: &[u32], at: usize, stride: usize) -> u32 {
    const ODD: [u32; 6] = [0x9e37_79b1, 0x85eb_ca6b, 0xc2b2_ae35, 0x27d4_eb2f, 0x1656_67b1, 0xd3a2_646d];
    let mut hash = 0u32;
    for row in 0..H {
        let pixels = &data[at + row * stride..][..W];
        let sum = (0..W).fold(0u32, |sum, i| sum.wrapping_add(pixels[i].wrapping_mul(ODD[i])));
        hash = (hash.rotate_left(13) ^ sum).wrapping_mul(ODD[0]);
    }
    hash
}

/// The run from `x` on over the gaps of the row, if it ends before the row does; `equal` is how many pixels of a gap
/// belong to it.
#[inline(always)]
fn run(view: &View<'_>, row: &[Hanging], x: usize, equal: impl Fn(usize, usize) -> usize) -> Option<Run> {
    let mut pixels = 0;
    for (start, gap_end) in gaps(row, x, view.w) {
        let count = equal(start, gap_end);
        pixels += count;
        if count < gap_end - start {
            return Some(Run { pixels, end: start + count, start, gap_end });
        }
    }
    None
}

/// How many pixels from the first on are equal.
#[inline(always)]
fn equal(a: &[u32], b: &[u32]) -> usize {
    let mut same = 0;
    for (a, b) in a.as_chunks().0.iter().zip(b.as_chunks().0) {
        match differences(a, b) {
            0 => same += GRAIN,
            places => return same + places.trailing_zeros() as usize,
        }
    }
    same + a[same..].iter().zip(&b[same..]).take_while(|(a, b)| a == b).count()
}

/// How many pixels up to the last are equal.
#[inline(always)]
fn equal_at_end(a: &[u32], b: &[u32]) -> usize {
    let (a_rest, a) = a.as_rchunks();
    let (b_rest, b) = b.as_rchunks();
    let mut same = 0;
    for (a, b) in a.iter().zip(b).rev() {
        match differences(a, b) {
            0 => same += GRAIN,
            places => return same + places.leading_zeros() as usize - (32 - GRAIN),
        }
    }
    same + a_rest.iter().zip(b_rest).rev().take_while(|(a, b)| a == b).count()
}

/// How many pixels from the first on have one colour.
#[inline(always)]
fn equal_to(a: &[u32], colour: u32) -> usize {
    let mut same = 0;
    for a in a.as_chunks().0 {
        match differences(a, &[colour; GRAIN]) {
            0 => same += GRAIN,
            places => return same + places.trailing_zeros() as usize,
        }
    }
    same + a[same..].iter().take_while(|a| **a == colour).count()
}

/// Which of some pixels differ: the first is bit 0. Whether any does is asked first, as the CPU has instructions for it.
#[inline(always)]
fn differences(a: &[u32; GRAIN], b: &[u32; GRAIN]) -> u32 {
    if (0..GRAIN).fold(0, |any, i| any | (a[i] ^ b[i])) == 0 {
        return 0;
    }
    (0..GRAIN).fold(0, |places, i| places | u32::from(a[i] != b[i]) << i)
}

/// Pixels that are compared together.
const GRAIN: usize = 8;
