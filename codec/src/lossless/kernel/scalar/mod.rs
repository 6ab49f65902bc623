//! The plain versions: what the others must equal. Written so that the compiler makes vectors of the loops;
//! the x86 room compiles the same functions once more for AVX2.

// Loops over lanes index many arrays in step: that is the shape the compiler makes vectors of.
#![allow(clippy::needless_range_loop)]

mod decode;
mod led;
mod model;
mod push;
mod walk;

use crate::lossless::wave::LANES;
use crate::lossless::wave::model::CONTEXTS;

use decode::TURN;
pub(in crate::lossless) use decode::{Decoding, Source, decode};
pub(in crate::lossless) use led::{LedModelling, decode_led, model_led};
use model::first_step;
pub(in crate::lossless) use model::{Counts, Modelling, Residuals, Stretch, Tally, model, try_stretch};
pub(in crate::lossless) use push::{Words, push};
pub(in crate::lossless) use walk::{Edges, Stage, Walk};
// What the faster versions share with the plain ones.
#[cfg(any(
    all(feature = "std", target_arch = "x86_64"),
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"),
))]
pub(in crate::lossless) use {
    decode::take_wide,
    push::{Tables, push_step},
};
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(in crate::lossless) use {
    model::{SMALL_ERROR, border_taps, set_margins, stretches, take_cheapest},
    walk::Run,
};

/// The symbols of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(in crate::lossless) struct Step {
    /// Tokens in their contexts, `context << 6 | token`, or [`IDLE`].
    pub(in crate::lossless) keys: [u16; LANES],
    /// Folded residuals, 0 where there is none.
    pub(in crate::lossless) residuals: [u16; LANES],
}

/// The key of a lane that stands outside the plane.
pub(in crate::lossless) const IDLE: u16 = (CONTEXTS as u16) << 6;

impl Step {
    /// No lane stands inside the plane.
    pub(in crate::lossless) const EMPTY: Step = Step { keys: [IDLE; LANES], residuals: [0; LANES] };
}
