//! The search for predictors with AVX2: the sampled steps of a block are brought together once, as pairs of taps,
//! and then each predictor is tried on sixteen samples at a time.

use core::arch::x86_64::*;

use super::super::scalar::{Modelling, Run, SMALL_ERROR, Walk, border_taps, take_cheapest};
use super::lanes::V;
use super::narrow::H;
use crate::lossless::plane::Plane;
use crate::lossless::wave::model::{BANK, MED, PREDICTORS};
use crate::lossless::wave::{BLOCK, LANES};

/// Every fourth step is tried at a time.
const STRIDE: usize = 4;
const PER_LANE: usize = BLOCK / STRIDE;
/// Samples tried together.
const COUNT: usize = PER_LANE * LANES;

/// Samples of a block and what they are predicted from.
struct Trial {
    /// W and N, NW and NE, WW and NN of each, the first in the low half, each with its top bit turned: signed.
    pairs: [[u32; COUNT]; 3],
    samples: [u32; COUNT],
}

impl Trial {
    /// Samples that every predictor predicts: they cost all the same.
    const BLANK: Trial = Trial { pairs: [[0x8000_8000; COUNT]; 3], samples: [0; COUNT] };
}

/// Chooses for each block the predictor with the smallest errors on the steps that leave one of `phases` when divided
/// by 4. The CPU must have AVX2.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn choose(job: &mut Modelling<'_>, phases: core::ops::Range<usize>) {
    let mut walk = Walk::new(job.unit);
    let max = H::all(((1u32 << job.plane.bits()) - 1) as i16);
    let mut trial = Trial::BLANK;
    for costs in job.costs.iter_mut() {
        *costs = [0; PREDICTORS];
        for phase in phases.clone() {
            if !walk.is_inside() {
                trial = Trial::BLANK;
            }
            for lane in 0..LANES {
                let run = walk.run(lane);
                trial.gather(job.plane, job.unit.y, &run, lane * PER_LANE, phase);
            }
            trial.evaluate(costs, max);
        }
        walk.next_block();
    }
    take_cheapest(job);
}

impl Trial {
    /// Takes the samples of a lane to slots from `slot` on.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn gather(&mut self, plane: &Plane, y: usize, run: &Run, slot: usize, phase: usize) {
        let is_inside = run.end == BLOCK && run.column >= 2 && run.column + BLOCK < plane.w();
        if is_inside {
            return self.gather_inside(plane, y + run.row, run.column + phase, slot);
        }
        let mut take = |step: usize, row: usize, x: usize| {
            let (sample, [w, n, nw, ne, ww, nn]) = border_taps(plane, y + row, x);
            let slot = slot + step / STRIDE;
            let pair = |low: u16, high: u16| (u32::from(high) << 16 | u32::from(low)) ^ 0x8000_8000;
            self.samples[slot] = sample.into();
            self.pairs[0][slot] = pair(w, n);
            self.pairs[1][slot] = pair(nw, ne);
            self.pairs[2][slot] = pair(ww, nn);
        };
        for step in (phase..run.end).step_by(STRIDE) {
            take(step, run.row, run.column + step);
        }
        let first = run.next + (phase + BLOCK - run.next) % STRIDE;
        for step in (first..run.next_end).step_by(STRIDE) {
            take(step, run.row.wrapping_add(LANES), step - run.next);
        }
    }

    /// Takes samples `x`, `x + 4`, ... `x + 28` of row `y`, none of which is at a border.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn gather_inside(&mut self, plane: &Plane, y: usize, x: usize, slot: usize) {
        let (all, own, stride) = (plane.samples(), plane.start(y as isize) + x, plane.stride());
        assert!(x >= 2 && own >= 2 * stride && own + BLOCK + 1 < all.len() && slot + PER_LANE <= COUNT);
        // SAFETY: sixteen numbers from `back` to `back` - 2 rows and 2 columns before `own`, or up to 16 + 2 after it,
        // lie between number 0 and `own` + 34, which the line above makes sure of.
        let load = |at: usize| unsafe { _mm256_loadu_si256(all.as_ptr().add(at).cast()) };
        // Of four numbers, the first of `low` and the second of `high`.
        let pairs = |low: usize, high: usize| {
            let four = |at: usize| _mm256_blend_epi16::<0b0010_0010>(load(low + at), load(high - 1 + at));
            _mm256_xor_si256(even(four(0), four(16)), _mm256_set1_epi32(0x8000_8000u32 as i32))
        };
        let samples = even(load(own), load(own + 16));
        let samples = _mm256_and_si256(samples, _mm256_set1_epi32(0xffff));
        let (n, nn) = (own - stride, own - 2 * stride);
        store(&mut self.samples, slot, samples);
        store(&mut self.pairs[0], slot, pairs(own - 1, n));
        store(&mut self.pairs[1], slot, pairs(n - 1, n + 1));
        store(&mut self.pairs[2], slot, pairs(own - 2, nn));
    }

    /// Adds the sizes of the errors of every predictor to its cost.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn evaluate(&self, costs: &mut [u32; PREDICTORS], max: H) {
        let group = |numbers: &[u32; COUNT], i: usize| {
            let (halves, _) = numbers.as_chunks::<8>();
            V(load(&halves[2 * i]), load(&halves[2 * i + 1]))
        };
        let mut samples = [H::all(0); COUNT / 16];
        for (i, sample) in samples.iter_mut().enumerate() {
            *sample = H(group(&self.samples, i).pack());
        }
        for id in 1..PREDICTORS {
            let [first, second, third] = PAIRS[id];
            let (first, second, third) = (V::all(first), V::all(second), V::all(third));
            let mut sum = H::all(0);
            for (i, &sample) in samples.iter().enumerate() {
                let early = group(&self.pairs[0], i).mul_pairs(first).add(V::all(128 + (1 << 23)));
                let other = group(&self.pairs[1], i).mul_pairs(second);
                let all = early.add(other.add(group(&self.pairs[2], i).mul_pairs(third)));
                sum = add_errors(sum, sample, H(all.halve::<8>().pack()).least(max));
            }
            costs[id] += total(sum);
        }
        let mut sum = H::all(0);
        for (i, &sample) in samples.iter().enumerate() {
            let (w_n, nw) = (group(&self.pairs[0], i), group(&self.pairs[1], i));
            let low = |pair: V| H(pair.and(V::all(0xffff)).pack());
            let (w, n, nw) = (low(w_n), H(w_n.right::<16>().pack()), low(nw));
            sum = add_errors(sum, sample, median(w, n, nw));
        }
        costs[usize::from(MED)] += total(sum);
    }
}

/// The median edge detector of samples whose top bit is turned; its top bit is not.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn median(w: H, n: H, nw: H) -> H {
    let between = nw.max(w.min(n)).min(w.max(n));
    w.add(n).sub(between).xor(H::all(i16::MIN))
}

/// Adds the sizes of errors, as the plain version has them, in 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn add_errors(sum: H, sample: H, prediction: H) -> H {
    let error = sample.sub_down(prediction).or(prediction.sub_down(sample));
    let V(a, b) = error.spread().add(V::all(SMALL_ERROR as i32)).float_bits();
    // The upper halves of both, in an order of their own.
    sum.add(H(_mm256_blend_epi16::<0b1010_1010>(_mm256_srli_epi32::<16>(a), b)))
}

/// The sum of [`COUNT`] sizes, each less that of no error: so much less, sixteen bits hold what a lane has added up.
#[inline]
#[target_feature(enable = "avx2")]
fn total(sum: H) -> u32 {
    const NONE: u32 = (SMALL_ERROR as f32).to_bits() >> 16;
    const MOST: u32 = ((SMALL_ERROR + 0xffff) as f32).to_bits() >> 16;
    const { assert!((MOST - NONE) * (COUNT as u32 / 16) < 1 << 15) };
    let sum = sum.sub(H::all((NONE * (COUNT as u32 / 16)) as u16 as i16));
    let sum = _mm256_madd_epi16(sum.0, _mm256_set1_epi16(1));
    let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b01_00_11_10>(sum));
    let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b00_00_00_01>(sum));
    _mm_cvtsi128_si32(sum) as u32
}

/// The even ones of sixteen numbers, in an order of its own.
#[inline]
#[target_feature(enable = "avx2")]
fn even(a: __m256i, b: __m256i) -> __m256i {
    let (a, b) = (_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
    _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(a, b))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(numbers: &[u32; 8]) -> __m256i {
    // SAFETY: the reference holds 32 bytes, and an unaligned load asks for nothing else.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(numbers: &mut [u32; COUNT], at: usize, vector: __m256i) {
    if let Some(target) = numbers[at..].first_chunk_mut::<8>() {
        // SAFETY: as in `load`, and the reference is exclusive.
        unsafe { _mm256_storeu_si256(target.as_mut_ptr().cast(), vector) };
    }
}

/// The weights of each predictor as [`Trial::pairs`] has its taps; the median edge detector has none.
pub(super) static PAIRS: [[i32; 3]; PREDICTORS] = {
    let mut pairs = [[0; 3]; PREDICTORS];
    let mut id = 1;
    while id < PREDICTORS {
        let weights = BANK[id - 1];
        let mut pair = 0;
        while pair < 3 {
            let (low, high) = (weights[2 * pair] as u16, weights[2 * pair + 1] as u16);
            pairs[id][pair] = ((high as u32) << 16 | low as u32) as i32;
            pair += 1;
        }
        id += 1;
    }
    pairs
};
