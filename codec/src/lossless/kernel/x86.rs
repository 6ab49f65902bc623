//! x86-64 versions.
#![allow(unsafe_code)]

use super::scalar::{self, Decoding, Modelling, Words};
use crate::lossless::wave::LANES;
use crate::lossless::wave::tables::Map;

/// [`scalar::model`] compiled for AVX2. The caller has seen [`crate::cpu::Features::AVX2`].
pub(super) fn model(job: &mut Modelling<'_>) {
    #[target_feature(enable = "avx2,bmi1,bmi2")]
    fn compiled(job: &mut Modelling<'_>) {
        scalar::model(job);
    }
    // SAFETY: the features that `compiled` is built for are those of `Features::AVX2`, which only
    // `Features::detect` gives, after it asked the CPU; `kernel` calls this only with that set.
    unsafe { compiled(job) }
}

/// [`scalar::push`] compiled for AVX2.
pub(super) fn push(symbols: &[u32], map: &Map, states: &mut [u32; LANES], words: &mut Words) {
    #[target_feature(enable = "avx2,bmi1,bmi2")]
    fn compiled(symbols: &[u32], map: &Map, states: &mut [u32; LANES], words: &mut Words) {
        scalar::push(symbols, map, states, words);
    }
    // SAFETY: as in `model`.
    unsafe { compiled(symbols, map, states, words) }
}

/// [`scalar::decode`] compiled for AVX2.
pub(super) fn decode(job: &mut Decoding<'_>) {
    #[target_feature(enable = "avx2,bmi1,bmi2")]
    fn compiled(job: &mut Decoding<'_>) {
        scalar::decode(job);
    }
    // SAFETY: as in `model`.
    unsafe { compiled(job) }
}
