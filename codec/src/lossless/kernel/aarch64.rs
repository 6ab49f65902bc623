//! AArch64 versions: what [`super::vector`] asks of a CPU. One of the rooms of this codec that hold unsafe code.
#![allow(unsafe_code)]

mod narrow;
mod neon;
mod wide;

use super::Kernels;
use crate::cpu::Features;

/// The fastest kernels that need no more than `features`, if there are any.
pub(super) fn best(features: Features) -> Option<&'static Kernels> {
    features.has(Features::NEON).then_some(&neon::KERNELS)
}
