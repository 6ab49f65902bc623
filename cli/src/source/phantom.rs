//! Images of nobody: a body and a heart that exist only here, with the noise that real machines have.

mod ct;
mod us;

pub use ct::Ct;
pub use us::{Cine, FRAMES, Sector};

/// A small generator of random numbers (SplitMix64): the same seed gives the same images everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence that belongs to `seed` and `place`, independent of those of other places.
    pub(crate) fn new(seed: u64, place: u64) -> Self {
        let mut random = Self(seed ^ place.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        random.next();
        random
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (((self.next() >> 32) * u64::from(end)) >> 32) as u32
    }

    /// A number from `from` up to `to`.
    pub(crate) fn within(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * ((self.next() >> 40) as f32 / (1u32 << 24) as f32)
    }

    /// A bell-shaped number around 0 with a standard deviation of 1.
    pub(crate) fn bell(&mut self) -> f32 {
        let bits = self.next();
        let sum: u32 = (0..4).map(|i| (bits >> (16 * i)) as u32 & 0xFFFF).sum();
        (sum as f32 / 65536.0 - 2.0) * 1.732
    }
}

/// A texture of 2^`bits` squared bell-shaped numbers, blurred over `radius` so that it has grain, with a standard
/// deviation near 1. It repeats at its edges.
fn grain(random: &mut Random, bits: u32, radius: (usize, usize)) -> Vec<f32> {
    let side = 1usize << bits;
    let white: Vec<f32> = (0..side * side).map(|_| random.bell()).collect();
    let blurred = blur(&blur(&white, side, radius.0, 1), side, radius.1, side);
    let power: f32 = blurred.iter().map(|v| v * v).sum::<f32>() / blurred.len() as f32;
    let gain = 1.0 / power.sqrt().max(f32::MIN_POSITIVE);
    blurred.into_iter().map(|v| v * gain).collect()
}

/// The mean over `2 * radius + 1` neighbours along an axis, wrapping around.
fn blur(field: &[f32], side: usize, radius: usize, step: usize) -> Vec<f32> {
    if radius == 0 {
        return field.to_vec();
    }
    let mut out = vec![0.0; field.len()];
    for line in 0..side {
        let start = if step == 1 { line * side } else { line };
        let at = |i: usize| start + (i & (side - 1)) * step;
        let mut sum: f32 = (0..=2 * radius).map(|i| field[at(i + side - radius)]).sum();
        for i in 0..side {
            out[at(i)] = sum / (2 * radius + 1) as f32;
            sum += field[at(i + radius + 1)] - field[at(i + side - radius)];
        }
    }
    out
}

/// How far `x` is on a soft way from `from` to `to`: 0 before, 1 after.
pub(crate) fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
