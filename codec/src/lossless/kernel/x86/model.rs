//! [`scalar::model`](super::super::scalar::model) for AVX2: compiled for it, and the search for predictors by hand,
//! as pairs of 16-bit products.

use core::arch::x86_64::*;

use super::super::scalar::{Modelling, SMALL_ERROR, Stretch, model_with};
use super::lanes::V;
use crate::lossless::wave::model::{BANK, PREDICTORS, med};

/// Models a unit. The CPU must have AVX2, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn model(job: &mut Modelling<'_>) {
    model_with(job, |cost, stretch, phase, stride, max| try_stretch(cost, stretch, phase, stride, max));
}

#[inline]
#[target_feature(enable = "avx2")]
fn try_stretch(cost: &mut [u32; PREDICTORS], stretch: &Stretch<'_>, phase: usize, stride: usize, max: i32) {
    let [first, second, third] = [V::load(&PAIRS[0]), V::load(&PAIRS[1]), V::load(&PAIRS[2])];
    let mut costs = V::load(&cost.map(|c| c as i32));
    for i in (phase..stretch.sample.len()).step_by(stride) {
        let (w, n, nw) = (stretch.w[i], stretch.n[i], stretch.nw[i]);
        let sums = first
            .mul_pairs(pair(w, n))
            .add(second.mul_pairs(pair(nw, stretch.ne[i])))
            .add(third.mul_pairs(pair(stretch.ww[i], stretch.nn[i])));
        // The taps are 32768 too small, and weights sum to 256.
        let sums = sums.add(V::all(128 + (32768 << 8))).halve::<8>();
        let linear = sums.max(V::all(0)).min(V::all(max));
        let median = _mm256_castsi128_si256(_mm_cvtsi32_si128(med(w.into(), n.into(), nw.into())));
        let predictions = V(_mm256_blend_epi32::<1>(linear.0, median), linear.1);
        let errors = V::all(stretch.sample[i].into()).sub(predictions).magnitude();
        costs = costs.add(errors.add(V::all(SMALL_ERROR as i32)).float_bits().right::<16>());
    }
    *cost = costs.store().map(|c| c as u32);
}

/// Two taps, made signed by taking 32768 away, in every lane.
#[inline]
#[target_feature(enable = "avx2")]
fn pair(low: u16, high: u16) -> V {
    V::all(((u32::from(high) << 16 | u32::from(low)) ^ 0x8000_8000) as i32)
}

/// The weights of W and N, of NW and NE, of WW and NN, with predictors side by side. The median edge detector,
/// number 0, has none.
static PAIRS: [[i32; PREDICTORS]; 3] = {
    let mut pairs = [[0; PREDICTORS]; 3];
    let mut id = 1;
    while id < PREDICTORS {
        let weights = BANK[id - 1];
        let mut pair = 0;
        while pair < 3 {
            let (low, high) = (weights[2 * pair] as u16, weights[2 * pair + 1] as u16);
            pairs[pair][id] = ((high as u32) << 16 | low as u32) as i32;
            pair += 1;
        }
        id += 1;
    }
    pairs
};
