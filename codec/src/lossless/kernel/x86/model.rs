//! [`scalar::model`](super::super::scalar::model) with AVX2: row by row too, sixteen columns at a time; the rows of a
//! lane follow each other in a line, and blocks of steps are transposed out of sixteen lines.

use alloc::vec::Vec;
use core::arch::x86_64::*;

use super::super::scalar::{IDLE, Modelling, Step, set_margins, stretches};
use super::lanes::V;
use super::narrow::{H, transpose};
use super::search::{PAIRS, choose};
use crate::lossless::wave::model::{CONTEXTS, GUIDE_WEIGHT, MED, PREDICTORS};
use crate::lossless::wave::{BLOCK, LAG, LANES, Search};

/// Models a unit. The CPU must have AVX2, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn model(job: &mut Modelling<'_>) {
    match job.search {
        Search::None => job.predictors.fill(MED),
        Search::Sampled => choose(job, 1..2),
        Search::All => choose(job, 0..4),
    }
    job.residuals.tally.clear();
    let mut lines = Lines::new(job);
    let mut done = 0;
    for row in 0..job.unit.rows {
        fold_row(job, row);
        lines.add_row(job, row);
        if row % LANES == LANES - 1 {
            let ready = ((row / LANES + 1) * job.unit.pitch).min(job.unit.steps) / BLOCK;
            lines.store(&mut job.steps[done * BLOCK..ready * BLOCK], done * BLOCK);
            done = ready;
        }
    }
    lines.end(job);
    lines.store(&mut job.steps[done * BLOCK..], done * BLOCK);
    lines.give_back(job);
    job.residuals.tally.sum(job.counts);
}

/// The rows of each lane one after the other, as keys and as residuals, each with some idle places before and after.
struct Lines {
    keys: Vec<u16>,
    residuals: Vec<u16>,
    /// Places of a line.
    len: usize,
}

impl Lines {
    /// Places before the first: as far as the last lane is behind.
    const BEFORE: usize = LAG * LANES;
    /// Places after the steps: a row that ends in the last block may be followed by a gap.
    const AFTER: usize = 4 * BLOCK;

    /// Takes the memory from `job`.
    fn new(job: &mut Modelling<'_>) -> Self {
        let [keys, residuals] = core::mem::take(&mut job.residuals.lines);
        let len = Self::BEFORE + job.unit.steps + Self::AFTER;
        let mut lines = Self { keys, residuals, len };
        if lines.keys.len() < LANES * len {
            lines.keys.resize(LANES * len, 0);
            lines.residuals.resize(LANES * len, 0);
        }
        (0..LANES).for_each(|lane| lines.idle(lane, 0, Self::BEFORE));
        lines
    }

    fn give_back(self, job: &mut Modelling<'_>) {
        job.residuals.lines = [self.keys, self.residuals];
    }

    /// At `count` places of a line nothing is coded.
    fn idle(&mut self, lane: usize, from: usize, count: usize) {
        self.keys[lane * self.len + from..][..count].fill(IDLE);
        self.residuals[lane * self.len + from..][..count].fill(0);
    }

    /// Appends a row of residuals to its line, and counts its keys.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn add_row(&mut self, job: &mut Modelling<'_>, row: usize) {
        let (y, w, lane) = (job.unit.y + row, job.unit.w, row % LANES);
        set_margins(&mut job.residuals.rows, y, w);
        let [own, above, above2] = [y, y + 2, y + 1].map(|y| &job.residuals.rows[y % 3][..]);
        // Lane 0 does not keep the row two above: the row above stands for it.
        let above2 = if lane == 0 { above } else { above2 };
        let around = Neighbours {
            own: &own[2..],
            w: &own[1..],
            ww: own,
            n: &above[2..],
            nw: &above[1..],
            ne: &above[3..],
            nn: &above2[2..],
        };
        let at = Self::BEFORE + row / LANES * job.unit.pitch;
        let (start, chunks) = (lane * self.len + at, w.div_ceil(16));
        let keys = &mut self.keys[start..][..chunks * 16];
        let residuals = &mut self.residuals[start..][..chunks * 16];
        if let Some(guide) = &mut job.guide {
            let (guide, copy) = (&mut guide[row * w..][..w], &mut job.residuals.guide);
            copy.resize(chunks * 16, 0);
            copy[..w].copy_from_slice(guide);
            around.find_keys(Some(copy), keys, residuals);
            guide.copy_from_slice(&copy[..w]);
        } else {
            around.find_keys(None, keys, residuals);
        }
        job.residuals.tally.count(&keys[..w]);
        self.idle(lane, at + w, job.unit.pitch + 16 - w);
    }

    /// After the last row.
    fn end(&mut self, job: &Modelling<'_>) {
        for lane in 0..LANES {
            let rows = (job.unit.rows + LANES - 1 - lane) / LANES;
            let at = Self::BEFORE + rows * job.unit.pitch;
            self.idle(lane, at, self.len.saturating_sub(at));
        }
    }

    /// Writes the steps from number `first` on.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(&self, steps: &mut [Step], first: usize) {
        for (i, block) in steps.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let at = Self::BEFORE + first + i * BLOCK;
            let (keys, residuals) = (self.block(&self.keys, at), self.block(&self.residuals, at));
            for (part, eight) in block.as_chunks_mut::<8>().0.iter_mut().enumerate() {
                let (mut key_rows, mut residual_rows) = ([&[0; 8]; LANES], [&[0; 8]; LANES]);
                for lane in 0..LANES {
                    key_rows[lane] = &keys[lane].as_chunks().0[part];
                    residual_rows[lane] = &residuals[lane].as_chunks().0[part];
                }
                let (keys, residuals) = (transpose(key_rows), transpose(residual_rows));
                for (i, step) in eight.iter_mut().enumerate() {
                    keys[i].store(&mut step.keys);
                    residuals[i].store(&mut step.residuals);
                }
            }
        }
    }

    /// What each lane has at the steps of a block; lane 0 has its first at place `at` of its line.
    #[inline]
    fn block<'a>(&self, lines: &'a [u16], at: usize) -> [&'a [u16; BLOCK]; LANES] {
        let mut rows = [&[0; BLOCK]; LANES];
        for (lane, row) in rows.iter_mut().enumerate() {
            if let Some(found) = lines[lane * self.len + at - LAG * lane..].first_chunk() {
                *row = found;
            }
        }
        rows
    }
}

/// Residuals of a row and around it, each from where it is wanted for column 0.
struct Neighbours<'a> {
    own: &'a [u16],
    w: &'a [u16],
    ww: &'a [u16],
    n: &'a [u16],
    nw: &'a [u16],
    ne: &'a [u16],
    nn: &'a [u16],
}

impl Neighbours<'_> {
    /// Writes the keys of a row, and copies its residuals. Slices are at least as long as `keys`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn find_keys(&self, mut guide: Option<&mut [u16]>, keys: &mut [u16], residuals: &mut [u16]) {
        let around = [self.own, self.w, self.n, self.nw, self.ne, self.ww, self.nn];
        let [own, w, n, nw, ne, ww, nn] = around.map(|row| row[..keys.len()].as_chunks().0.iter());
        let targets = keys.as_chunks_mut().0.iter_mut().zip(residuals.as_chunks_mut().0);
        let own = own.zip(targets);
        let around = w.zip(n).zip(nw.zip(ne)).zip(ww.zip(nn));
        for (i, ((((w, n), (nw, ne)), (ww, nn)), (z, (key, residual)))) in around.zip(own).enumerate() {
            let (w, n, z) = (H::load(w), H::load(n), H::load(z));
            let half = n.add_up(H::load(nw)).add_up(H::load(ne)).add_up(H::load(ww)).add_up(w.add_up(w));
            let mut energy = half.add_up(half).add_up(n.add_up(H::load(nn)).add_up(H::all(1)));
            if let Some(guide) = &mut guide {
                let guide = &mut guide.as_chunks_mut().0[i];
                let sum = H::load(guide);
                (0..GUIDE_WEIGHT).for_each(|_| energy = energy.add_up(sum));
                sum.add_up(z).store(guide);
            }
            // Contexts go up to an energy of 3 * 2^12.
            let context = half_octaves(energy.least(H::all(3 << 12))).sub(H::all(254));
            // Below 16, where a token is its residual, the number of the half octave is no smaller.
            let token = z.least(half_octaves(z).sub(H::all(246)));
            context.left::<6>().or(token).store(key);
            z.store(residual);
        }
    }
}

/// Numbers the half octaves, as the bits of floats do: 1 is number 254.
#[inline]
#[target_feature(enable = "avx2")]
fn half_octaves(numbers: H) -> H {
    H(numbers.spread().float_bits().right::<22>().pack())
}

const _: () = assert!(CONTEXTS == 28, "the context of an energy of 3 * 2^12 is the last");

/// Predicts a row and folds its residuals.
#[inline]
#[target_feature(enable = "avx2")]
fn fold_row(job: &mut Modelling<'_>, row: usize) {
    let y = job.unit.y + row;
    job.plane.set_margins(y);
    if job.plane.bits() > 15 {
        fold_stretches::<true>(job, row);
    } else {
        fold_stretches::<false>(job, row);
    }
}

/// [`fold_row`] for samples that are signed numbers of 16 bits as they are, or, `DEEP`, with their top bit turned.
#[inline]
#[target_feature(enable = "avx2")]
fn fold_stretches<const DEEP: bool>(job: &mut Modelling<'_>, row: usize) {
    let y = job.unit.y + row;
    let (all, start, stride) = (job.plane.samples(), job.plane.start(y as isize), job.plane.stride());
    let bits = job.plane.bits();
    let max = H::all(((1u32 << bits) - 1) as i16);
    let turn = H::all(if DEEP { i16::MIN } else { 0 });
    let round = V::all(if DEEP { 128 + (1 << 23) } else { 128 });
    let unused = _mm_cvtsi32_si128(16 - bits as i32);
    let out = &mut job.residuals.rows[y % 3][2..];
    for (block, from, to) in stretches(&job.unit, row) {
        let id = job.predictors[block];
        let [first, second, third] = PAIRS[usize::from(id) % PREDICTORS];
        let (first, second, third) = (V::all(first), V::all(second), V::all(third));
        for x in (from..to).step_by(16) {
            let at = start + x;
            assert!(at > 2 * stride && at + 16 < all.len());
            // SAFETY: sixteen numbers from at least `at` less two rows, and less one row or two numbers, and from at
            // most `at` + 1 lie inside, as the line above makes sure of; an unaligned load asks for nothing else.
            let load = |at: usize| H(unsafe { _mm256_loadu_si256(all.as_ptr().add(at).cast()) });
            let tap = |at: usize| if DEEP { load(at).xor(turn) } else { load(at) };
            let (above, sample) = (at - stride, load(at));
            let (w, n, nw) = (tap(at - 1), tap(above), tap(above - 1));
            let prediction = if id == MED {
                let median = w.add(n).sub(nw.max(w.min(n)).min(w.max(n)));
                if DEEP { median.xor(turn) } else { median }
            } else {
                let sum = w.with_high(n).mul_pairs(first).add(round);
                let sum = sum.add(nw.with_high(tap(above + 1)).mul_pairs(second));
                let sum = sum.add(tap(at - 2).with_high(tap(above - stride)).mul_pairs(third));
                H(sum.halve::<8>().pack()).least(max)
            };
            let d = H(_mm256_sra_epi16(_mm256_sll_epi16(sample.sub(prediction).0, unused), unused));
            let z = d.left::<1>().xor(d.halve::<15>());
            if let Some(out) = out[x..].first_chunk_mut() {
                z.store(out);
            }
        }
    }
}
