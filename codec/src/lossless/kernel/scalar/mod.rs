//! The plain versions: what the others must equal. Written so that the compiler makes vectors of the loops;
//! the x86 room compiles the same functions once more for AVX2.

// Loops over lanes index many arrays in step: that is the shape the compiler makes vectors of.
#![allow(clippy::needless_range_loop)]

mod decode;
mod model;
mod push;

pub(in crate::lossless) use decode::{Decoding, Source, decode};
pub(in crate::lossless) use model::{Counts, Modelling, Residuals, model};
pub(in crate::lossless) use push::{Words, push};
// What the faster versions share with the plain ones.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(in crate::lossless) use {
    decode::take_wide,
    model::{Stretch, model_with},
    push::{Tables, push_step},
};

/// The symbol of a lane that stands outside the plane. Others are residual:16, token:6, context:5.
pub(in crate::lossless) const SKIP: u32 = u32::MAX;
