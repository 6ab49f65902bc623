//! The model of low bits: the same walk over the samples for both sides.
//!
//! The plane holds whole samples where the walk has been, and the right high bits elsewhere, so a sample is
//! predicted from whole neighbours, and the cells of those to come say which way it leans.

use alloc::vec;
use alloc::vec::Vec;

use crate::lossless::plane::Plane;
use crate::lossless::wave::model::{MED, med, weights};

/// Rows that are walked together, each [`LAG`] columns behind the one above: the coder works on them in turn, and
/// none has to wait for the other.
pub(super) const LANES: usize = 4;
const LAG: usize = 2;
/// Contexts by the errors around: one an octave.
pub(super) const LEVELS: usize = 14;
/// Ways in which the cells to the right and below can lean.
pub(super) const LEANS: usize = 5;
/// The samples that share a predictor.
pub(super) const BLOCK: (usize, usize) = (32, 16);
/// A unit has its own tables, words and states, and at least one row of blocks.
const UNIT_SAMPLES: usize = 1 << 18;

/// Rows of a plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub(super) y: usize,
    pub(super) rows: usize,
}

/// The units of a plane from the top.
pub(super) fn units(w: usize, h: usize) -> impl Iterator<Item = Unit> {
    let rows = BLOCK.1 * (UNIT_SAMPLES / w / BLOCK.1).max(1);
    (0..h).step_by(rows).map(move |y| Unit { y, rows: rows.min(h - y) })
}

impl Unit {
    /// Its blocks: columns and rows.
    pub(super) fn blocks(self, w: usize) -> (usize, usize) {
        (w.div_ceil(BLOCK.0), self.rows.div_ceil(BLOCK.1))
    }
}

/// What is known of a sample before its low bits are.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Below [`LEVELS`].
    pub(super) level: usize,
    /// Below [`LEANS`]; 2 is neither way.
    pub(super) lean: usize,
    /// Where the prediction lies: half samples from one cell before the sample's own cell, up to 6 N.
    pub(super) position: usize,
}

/// One side: it codes the low bits of one sample of a lane. The decoding side does not look at the truth.
pub(super) trait Coder {
    fn code(&mut self, lane: usize, place: Place, truth: u32) -> u32;
}

/// How far predictions were off, in half samples, for the rows that contexts read.
pub(super) struct Errors {
    rows: Vec<u16>,
    w: usize,
}

impl Errors {
    /// Rows kept: those of a band and the one above it.
    const ROWS: usize = 2 * LANES;

    /// Of a plane `w` samples wide, before its first row.
    pub(super) fn new(w: usize) -> Self {
        Self { rows: vec![0; w * Self::ROWS], w }
    }

    /// Where row `y` begins; that of row -1 is zero until the walk comes round.
    fn start(&self, y: isize) -> usize {
        y.rem_euclid(Self::ROWS as isize) as usize * self.w
    }

    /// The level of a sample from the errors of W, N, NW and NE; outside, those of N stand for them.
    #[inline(always)]
    fn level(&self, own: usize, above: usize, x: usize) -> usize {
        let n = u32::from(self.rows[above + x]);
        let at = |inside: bool, place: usize| if inside { u32::from(self.rows[place]) } else { n };
        let (w, nw) = (at(x > 0, (own + x).wrapping_sub(1)), at(x > 0, (above + x).wrapping_sub(1)));
        let ne = at(x + 1 < self.w, above + x + 1);
        ((1 + 4 * w + 3 * n + 2 * (nw + ne)).ilog2() as usize).min(LEVELS - 1)
    }
}

/// The predictor of the block in which a lane stands.
#[derive(Clone, Copy, Default)]
struct Predictor {
    id: u8,
    weights: [i32; 6],
}

/// Walks over a unit of `plane`, whose cells have `N` samples, and leaves whole samples.
#[inline(always)]
pub(super) fn walk<const N: usize>(
    plane: &mut Plane,
    unit: Unit,
    predictors: &[u8],
    errors: &mut Errors,
    coder: &mut impl Coder,
) {
    let (w, (columns, _)) = (plane.w(), unit.blocks(plane.w()));
    for band in (0..unit.rows).step_by(LANES) {
        let lanes = LANES.min(unit.rows - band);
        let mut current = [Predictor::default(); LANES];
        for step in 0..w + LAG * (lanes - 1) {
            for (lane, current) in current.iter_mut().enumerate().take(lanes) {
                let Some(x) = step.checked_sub(LAG * lane).filter(|x| *x < w) else { continue };
                let row = band + lane;
                if x.is_multiple_of(BLOCK.0) {
                    let id = predictors[row / BLOCK.1 * columns + x / BLOCK.0];
                    *current = Predictor { id, weights: weights(id) };
                }
                visit::<N>(plane, errors, (unit.y + row, x), current, |place, truth| {
                    coder.code(lane, place, truth)
                });
            }
        }
    }
}

/// One sample.
#[inline(always)]
fn visit<const N: usize>(
    plane: &mut Plane,
    errors: &mut Errors,
    (y, x): (usize, usize),
    predictor: &Predictor,
    code: impl FnOnce(Place, u32) -> u32,
) {
    let (w, h, stride, max) = (plane.w(), plane.h(), plane.stride(), (1 << plane.bits()) - 1);
    let k = N.trailing_zeros();
    let at = plane.start(y as isize) + x;
    let samples = plane.samples_mut();
    let above = at - stride;
    if x == 0 {
        let n = samples[above];
        (samples[above - 1], samples[at - 1], samples[at - 2]) = (n, n, n);
    }
    if x == w - 1 {
        samples[above + 1] = samples[above];
    }
    let taps = [at - 1, above, above - 1, above + 1, at - 2, above - stride].map(|i| i32::from(samples[i]));
    let prediction = if predictor.id == MED {
        2 * med(taps[0], taps[1], taps[2])
    } else {
        linear_halves(&predictor.weights, taps, max)
    };

    let cell = |i: usize| i32::from(samples[i] >> k);
    let (own, high) = (u32::from(samples[at]), cell(at));
    let right = if x + 1 < w { (cell(at + 1) - high).signum() } else { 0 };
    let below = if y + 1 < h { (cell(at + stride) - high).signum() } else { 0 };
    let n = N as i32;
    let position = (prediction - ((high << k) << 1)).clamp(-2 * n, 4 * n) + 2 * n;
    let (row, row_above) = (errors.start(y as isize), errors.start(y as isize - 1));
    let place = Place {
        level: errors.level(row, row_above, x),
        lean: (right + below + 2) as usize,
        position: position as usize,
    };
    let low = code(place, own & (N as u32 - 1));
    let sample = (high as u32) << k | low;
    samples[at] = sample as u16;
    errors.rows[row + x] = (2 * sample as i32 - prediction).unsigned_abs().min(0xffff) as u16;
}

/// A linear prediction in half samples.
#[inline(always)]
fn linear_halves(c: &[i32; 6], taps: [i32; 6], max: i32) -> i32 {
    let sum: i32 = c.iter().zip(taps).map(|(c, tap)| c * tap).sum();
    ((sum + 64) >> 7).clamp(0, 2 * max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_cover_every_row_and_hold_whole_blocks() {
        for (w, h) in [(1, 1), (64, 64), (1920, 1080), (16384, 40), (1, 16384)] {
            let all: Vec<_> = units(w, h).collect();
            assert_eq!(all.iter().map(|unit| unit.rows).sum::<usize>(), h);
            assert!(all.iter().all(|unit| unit.y % BLOCK.1 == 0));
            assert!(all.iter().all(|unit| unit.rows == BLOCK.1 || unit.rows * w <= UNIT_SAMPLES));
        }
    }
}
