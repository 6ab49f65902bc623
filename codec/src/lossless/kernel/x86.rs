//! x86-64 versions: what [`super::vector`] asks of a CPU. One of the rooms of this codec that hold unsafe code.
#![allow(unsafe_code)]

mod avx2;
mod avx512;
mod lanes;
mod model;
mod narrow;
mod search;

use super::Kernels;
use crate::cpu::Features;

/// The fastest kernels that need no more than `features`, if there are any.
pub(super) fn best(features: Features) -> Option<&'static Kernels> {
    if features.has(Features::AVX512) {
        Some(&avx512::KERNELS)
    } else if features.has(Features::AVX2) {
        Some(&avx2::KERNELS)
    } else {
        None
    }
}
