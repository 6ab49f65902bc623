//! The loops that touch every sample, each as plain Rust and as faster versions that give the same bytes.

#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod aarch64;
mod scalar;
#[cfg(test)]
mod tests;
#[cfg(any(
    all(feature = "std", target_arch = "x86_64"),
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
))]
mod vector;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod x86;

#[cfg(any(
    all(feature = "std", target_arch = "x86_64"),
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
))]
use scalar::model_led;
pub(super) use scalar::{
    Counts, Decoding, LedModelling, Modelling, Residuals, Source, Step, Stretch, Tally, Words, try_stretch,
};

use super::wave::LANES;
use super::wave::led::{Hints, Led};
use super::wave::tables::{ENTRIES, Entry, Map};
use crate::cpu::Features;

/// Models the samples of a unit: chooses predictors, and turns samples into symbols in the order of coding.
pub(super) fn model(features: Features, job: &mut Modelling<'_>) {
    (Kernels::best(features).model)(job);
}

/// Pushes the symbols of a unit, last first, into the states. `entries` holds 64 for each family, and `map` says
/// which family codes which context.
pub(super) fn push(
    features: Features,
    steps: &[Step],
    map: &Map,
    entries: &[Entry; ENTRIES],
    states: &mut [u32; LANES],
    words: &mut Words,
) {
    (Kernels::best(features).push)(steps, map, entries, states, words);
}

/// Decodes the samples of a unit.
pub(super) fn decode(features: Features, job: &mut Decoding<'_>) {
    (Kernels::best(features).decode)(job);
}

/// Models the samples of a unit of a led plane.
pub(super) fn model_led_unit(features: Features, job: &mut LedModelling<'_>) {
    (Kernels::best(features).model_led)(job);
}

/// Decodes the samples of a unit of a led plane.
pub(super) fn decode_led(features: Features, job: &mut Decoding<'_>, led: Led, hints: &[Hints]) {
    (Kernels::best(features).decode_led)(job, led, hints);
}

/// The loops for one CPU.
struct Kernels {
    model: fn(&mut Modelling<'_>),
    push: fn(&[Step], &Map, &[Entry; ENTRIES], &mut [u32; LANES], &mut Words),
    decode: fn(&mut Decoding<'_>),
    model_led: fn(&mut LedModelling<'_>),
    decode_led: fn(&mut Decoding<'_>, Led, &[Hints]),
}

impl Kernels {
    /// The fastest that need no more than `features`.
    fn best(features: Features) -> &'static Kernels {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        if let Some(kernels) = x86::best(features) {
            return kernels;
        }
        #[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
        if let Some(kernels) = aarch64::best(features) {
            return kernels;
        }
        let _ = features;
        &Kernels {
            model: scalar::model,
            push: scalar::push,
            decode: scalar::decode,
            model_led: scalar::model_led,
            decode_led: scalar::decode_led,
        }
    }
}
