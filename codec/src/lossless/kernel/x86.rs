//! x86-64 versions. The one place of this codec that holds unsafe code.
#![allow(unsafe_code)]

mod decode;
mod lanes;
mod model;
mod narrow;
mod push;
mod search;

use super::scalar::{Decoding, Modelling, Step, Words};
use crate::lossless::wave::LANES;
use crate::lossless::wave::tables::{ENTRIES, Entry, Map};

/// [`super::scalar::model`] with AVX2. The caller has seen [`crate::cpu::Features::AVX2`].
pub(super) fn model(job: &mut Modelling<'_>) {
    // SAFETY: the features that `model::model` is built for are those of `Features::AVX2`. An encoder or decoder
    // holds that set only if `Features::detect` found it in this CPU (`with_cpu` masks what the caller asks for),
    // and `kernel` calls this only for a set that holds it.
    unsafe { model::model(job) }
}

/// [`super::scalar::push`] with AVX2. The caller has seen [`crate::cpu::Features::AVX2`].
pub(super) fn push(
    steps: &[Step],
    map: &Map,
    entries: &[Entry; ENTRIES],
    states: &mut [u32; LANES],
    words: &mut Words,
) {
    // SAFETY: as in `model`.
    unsafe { push::push(steps, map, entries, states, words) }
}

/// [`super::scalar::decode`] with AVX2. The caller has seen [`crate::cpu::Features::AVX2`].
pub(super) fn decode(job: &mut Decoding<'_>) {
    // SAFETY: as in `model`.
    unsafe { decode::decode(job) }
}
