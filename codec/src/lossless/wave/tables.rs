//! The code tables, expanded from the trained families when the crate is built: a call sets nothing up.

use super::model::{CONTEXTS, ESCAPE, FIRST_WIDE, TOKENS, raw_bits};
use super::trained::{FAMILIES, PRESETS};

/// Frequencies of a table sum to 2^10.
pub(in crate::lossless) const SCALE_BITS: u32 = 10;
/// Code tables.
pub(in crate::lossless) const FAMILY_COUNT: usize = 32;
/// Ready maps from context to family.
pub(in crate::lossless) const PRESET_COUNT: usize = 16;
/// Slots of all families: the size of [`DECODE`].
pub(in crate::lossless) const SLOTS: usize = FAMILY_COUNT << SCALE_BITS;
/// Entries of [`ENCODE`]: 64 for each family.
pub(in crate::lossless) const ENTRIES: usize = FAMILY_COUNT * 64;
/// Costs of [`COST`] are in 1/32 bit.
const COST_SCALE: u32 = 32;

/// The family of each context.
pub(in crate::lossless) type Map = [u8; CONTEXTS];

/// Entry `family << 10 | slot`: offset:10, frequency:10, token:6, raw bits:4 (0 from [`super::model::FIRST_WIDE`]
/// on), from the least significant bit.
pub(in crate::lossless) static DECODE: [u32; SLOTS] = expand_decode();

/// How a token enters a state.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::lossless) struct Entry {
    /// floor(2^32 / frequency), for the division.
    pub(in crate::lossless) reciprocal: u32,
    /// frequency:10 (1..=1023), start:10 (sum of the frequencies before), raw bits of the first round:4, and on top
    /// one bit that says that these are the escape's, in place of a token's that the family has no room for.
    pub(in crate::lossless) rest: u32,
}

impl Entry {
    const fn new(frequency: u16, start: u16, bits: u32, escapes: bool) -> Self {
        let reciprocal = if frequency == 1 { u32::MAX } else { ((1u64 << 32) / frequency as u64) as u32 };
        let rest = frequency as u32 | (start as u32) << 10 | bits << 20 | (escapes as u32) << 31;
        Self { reciprocal, rest }
    }

    #[inline(always)]
    pub(in crate::lossless) fn frequency(self) -> u32 {
        self.rest & 0x3ff
    }

    #[inline(always)]
    pub(in crate::lossless) fn start(self) -> u32 {
        self.rest >> 10 & 0x3ff
    }

    #[inline(always)]
    pub(in crate::lossless) fn bits(self) -> u32 {
        self.rest >> 20 & 15
    }

    #[inline(always)]
    pub(in crate::lossless) fn escapes(self) -> bool {
        self.rest >> 31 == 1
    }
}

/// Entry `family * 64 + token`.
pub(in crate::lossless) static ENCODE: [Entry; ENTRIES] = expand_encode();

/// `COST[token][family]` in 1/32 bit: code length, and for an escape the raw bits beyond the token's own.
pub(in crate::lossless) static COST: [[u16; FAMILY_COUNT]; ESCAPE] = expand_cost();

/// The ready maps.
pub(in crate::lossless) static MAPS: [Map; PRESET_COUNT] = PRESETS;

const fn expand_decode() -> [u32; SLOTS] {
    let mut table = [0; SLOTS];
    let mut family = 0;
    while family < FAMILY_COUNT {
        let mut slot = family << SCALE_BITS;
        let mut k = 0;
        while k < TOKENS {
            let frequency = FAMILIES[family][k] as u32;
            let early = early_bits(k as u32);
            let mut offset = 0;
            while offset < frequency {
                table[slot] = offset | frequency << 10 | (k as u32) << 20 | early << 26;
                slot += 1;
                offset += 1;
            }
            k += 1;
        }
        assert!(slot == (family + 1) << SCALE_BITS, "frequencies of a family sum to 1024");
        family += 1;
    }
    table
}

/// Raw bits that are taken together with the token.
const fn early_bits(k: u32) -> u32 {
    if k < FIRST_WIDE { raw_bits(k).0 } else { 0 }
}

const fn expand_encode() -> [Entry; ENTRIES] {
    let mut table = [Entry::new(1, 0, 0, false); ENTRIES];
    let mut family = 0;
    while family < FAMILY_COUNT {
        let escape = FAMILIES[family][ESCAPE];
        assert!(escape > 0, "every family has an escape");
        let (mut k, mut start) = (0, 0);
        while k < TOKENS {
            let frequency = FAMILIES[family][k];
            assert!(frequency < 1 << SCALE_BITS, "a token never fills its table");
            table[family * 64 + k] = if frequency == 0 {
                Entry::new(escape, 1024 - escape, 0, true)
            } else {
                Entry::new(frequency, start, early_bits(k as u32), false)
            };
            start += frequency;
            k += 1;
        }
        family += 1;
    }
    table
}

const fn expand_cost() -> [[u16; FAMILY_COUNT]; ESCAPE] {
    let mut table = [[0; FAMILY_COUNT]; ESCAPE];
    let mut family = 0;
    while family < FAMILY_COUNT {
        let escape = cost(FAMILIES[family][ESCAPE]) + (super::model::ESCAPE_BITS * COST_SCALE) as u16;
        let mut k = 0;
        while k < ESCAPE {
            let frequency = FAMILIES[family][k];
            let own_bits = (raw_bits(k as u32).0 * COST_SCALE) as u16;
            table[k][family] = if frequency == 0 { escape - own_bits } else { cost(frequency) };
            k += 1;
        }
        family += 1;
    }
    table
}

/// log2(1024 / frequency) in 1/32 bit.
const fn cost(frequency: u16) -> u16 {
    let whole = (frequency as u32).ilog2();
    // Squaring a number in 1..2 doubles its logarithm: the bits come out one by one.
    let mut mantissa = (frequency as u64) << (16 - whole);
    let (mut log, mut i) = (whole, 0);
    while i < COST_SCALE.ilog2() {
        mantissa = (mantissa * mantissa) >> 16;
        log = log << 1 | (mantissa >> 17) as u32;
        if mantissa >= 2 << 16 {
            mantissa >>= 1;
        }
        i += 1;
    }
    (SCALE_BITS * COST_SCALE - log) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_logarithms() {
        for frequency in 1..1024u16 {
            let exact = (1024.0 / f64::from(frequency)).log2();
            let ours = f64::from(cost(frequency)) / 32.0;
            assert!((ours - exact).abs() < 0.07, "{frequency}: {ours} for {exact}");
        }
    }

    #[test]
    fn presets_name_families() {
        assert!(MAPS.iter().flatten().all(|&family| usize::from(family) < FAMILY_COUNT));
    }
}
