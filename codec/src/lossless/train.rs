//! What a trainer asks of the wave coder (feature `train`): its constants, the planes it would get, and what it meets
//! in them. Nothing here is part of the API; `cargo xtask train-codec` is the one user.

use alloc::vec::Vec;

use super::wave::model::{self, CONTEXTS, TOKENS};
use super::wave::{tables, trained};
use super::{Encoder, wave};
use crate::pixel::ImageRef;

/// How often each token was met, `[context][token]`; rows are longer than there are tokens.
pub type Counts = [[u32; 64]; CONTEXTS];
/// Weights of W, N, NW, NE, WW, NN of the linear predictors 1..=15, in 1/256.
pub type Bank = [[i16; 6]; model::PREDICTORS - 1];
/// Token frequencies of the families, which sum to 1024; the last, that of the escape, is never 0.
pub type Families = [[u16; TOKENS]; tables::FAMILY_COUNT];
/// The family of each context.
pub type Presets = [[u8; CONTEXTS]; tables::PRESET_COUNT];

/// The constants that the coder is built with.
pub fn constants() -> (Bank, Families, Presets) {
    (trained::BANK, trained::FAMILIES, trained::PRESETS)
}

/// Samples in rows.
pub struct Plane {
    /// Samples of a row.
    pub w: usize,
    /// Rows.
    pub h: usize,
    /// Significant bits of a sample.
    pub bits: u32,
    /// `w * h` of them.
    pub samples: Vec<u16>,
}

/// The planes that the encoder makes of an image; none of text, and none where it keeps the pixels raw.
pub fn planes(image: ImageRef<'_>) -> Vec<Plane> {
    let mut encoder = Encoder::new();
    let planes = encoder.planes(image);
    let rows = |plane: &super::plane::Plane| (0..plane.h()).flat_map(|y| plane.row(y).to_vec()).collect();
    planes
        .iter()
        .map(|plane| Plane { w: plane.w(), h: plane.h(), bits: plane.bits(), samples: rows(plane) })
        .collect()
}

/// What the encoder counts in each unit of an image.
pub fn counts(image: ImageRef<'_>) -> Vec<Counts> {
    let mut encoder = Encoder::new();
    let (features, search) = (encoder.features, encoder.search);
    let mut counts = Vec::new();
    let planes = encoder.planes(image);
    wave::count(features, search, planes, |unit| counts.push(*unit));
    counts
}

/// Predictor 0, the median edge detector, of W, N and NW.
pub fn med(w: i32, n: i32, nw: i32) -> i32 {
    model::med(w, n, nw)
}

/// A linear predictor of W, N, NW, NE, WW, NN; all are numbers of 16 bits.
pub fn linear(weights: &[i16; 6], taps: [i32; 6], max: i32) -> i32 {
    i32::from(model::linear(weights, taps.map(|tap| tap as u16), max as u16))
}

/// Raw bits that follow a token.
pub fn raw_bits(token: usize) -> u32 {
    model::raw_bits(token as u32).0
}
