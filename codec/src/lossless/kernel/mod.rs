//! The loops that touch every sample, each as plain Rust and as faster versions that give the same bytes.

mod scalar;
#[cfg(test)]
mod tests;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod x86;

pub(super) use scalar::{Counts, Decoding, Modelling, Residuals, Source, Step, Stretch, Words, try_stretch};

use super::wave::tables::{ENTRIES, Entry, Map};
use crate::cpu::Features;

/// Models the samples of a unit: chooses predictors, and turns samples into symbols in the order of coding.
pub(super) fn model(features: Features, job: &mut Modelling<'_>) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if features.has(Features::AVX2) {
        return x86::model(job);
    }
    let _ = features;
    scalar::model(job);
}

/// Pushes the symbols of a unit, last first, into the states. `entries` holds 64 for each family, and `map` says
/// which family codes which context.
pub(super) fn push(
    features: Features,
    steps: &[Step],
    map: &Map,
    entries: &[Entry; ENTRIES],
    states: &mut [u32; 16],
    words: &mut Words,
) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if features.has(Features::AVX2) {
        return x86::push(steps, map, entries, states, words);
    }
    let _ = features;
    scalar::push(steps, map, entries, states, words);
}

/// Decodes the samples of a unit.
pub(super) fn decode(features: Features, job: &mut Decoding<'_>) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if features.has(Features::AVX2) {
        return x86::decode(job);
    }
    let _ = features;
    scalar::decode(job);
}
