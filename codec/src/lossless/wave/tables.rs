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
/// Costs are in 1/32 bit.
pub(super) const COST_SCALE: u32 = 32;

/// The family of each context.
pub(in crate::lossless) type Map = [u8; CONTEXTS];

/// [`slot`]s of the families, 2^[`SCALE_BITS`] each.
pub(in crate::lossless) static DECODE: [u32; SLOTS] = expand_decode();

/// What a decoder needs to know when it meets slot number `offset` of token `k`, which has `frequency` slots. From the
/// least significant bit: offset:10, frequency:10, then 8 bits that the token's raw bits are added to, 0, and the
/// number of raw bits:3; of wide tokens the 8 bits are the token itself, then 1, and no raw bits, which come later.
pub(in crate::lossless) const fn slot(offset: u32, frequency: u32, k: u32) -> u32 {
    let (bits, base) = raw_bits(k);
    let token = if k < FIRST_WIDE { base | bits << 9 } else { k | WIDE_SLOT >> 20 };
    offset | frequency << 10 | token << 20
}

/// The bit of a [`slot`] that tells that its token is wide.
pub(in crate::lossless) const WIDE_SLOT: u32 = 1 << 28;

/// How a token enters a state.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::lossless) struct Entry {
    /// floor(2^32 / frequency), for the division.
    pub(in crate::lossless) reciprocal: u32,
    /// From the least significant bit: frequency:11, [`Entry::room`]:5, start:10, and on top two bits:
    /// [`Entry::escapes`] and [`Entry::is_special`].
    pub(in crate::lossless) rest: u32,
}

impl Entry {
    /// Leaves every state as it is.
    pub(in crate::lossless) const IDLE: Entry = Entry { reciprocal: 0, rest: 1 << SCALE_BITS | 22 << 11 };

    /// Token `k`, whose `frequency` slots (1..=1023) begin with number `start`.
    pub(in crate::lossless) const fn token(k: u32, frequency: u16, start: u16) -> Self {
        let (bits, special) = if k < FIRST_WIDE { (raw_bits(k).0, 0) } else { (0, 1 << 31) };
        let reciprocal = if frequency == 1 { u32::MAX } else { ((1u64 << 32) / frequency as u64) as u32 };
        Self { reciprocal, rest: special | (start as u32) << 16 | (22 - bits) << 11 | frequency as u32 }
    }

    /// The escape, in place of a token that its table has no room for.
    pub(in crate::lossless) const fn escape(frequency: u16) -> Self {
        let Entry { reciprocal, rest } = Self::token(ESCAPE as u32, frequency, (1 << SCALE_BITS) - frequency);
        Self { reciprocal, rest: rest | 1 << 30 }
    }

    #[inline(always)]
    pub(in crate::lossless) fn frequency(self) -> u32 {
        self.rest & 0x7ff
    }

    /// 22 less the raw bits of the first round: a state below `frequency << room` has room for the token.
    #[inline(always)]
    pub(in crate::lossless) fn room(self) -> u32 {
        self.rest >> 11 & 31
    }

    /// The sum of the frequencies before.
    #[inline(always)]
    pub(in crate::lossless) fn start(self) -> u32 {
        self.rest >> 16 & 0x3ff
    }

    /// True for a wide token and for an escape.
    #[inline(always)]
    pub(in crate::lossless) fn is_special(self) -> bool {
        self.rest >> 31 == 1
    }

    #[inline(always)]
    pub(in crate::lossless) fn escapes(self) -> bool {
        self.rest >> 30 & 1 == 1
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
        expand_slots(&FAMILIES[family], &mut table, family << SCALE_BITS);
        family += 1;
    }
    table
}

/// Writes the [`slot`]s of a table, whose frequencies sum to 2^[`SCALE_BITS`], to `slots` from number `at` on.
pub(super) const fn expand_slots(frequencies: &[u16; TOKENS], slots: &mut [u32], mut at: usize) {
    let end = at + (1 << SCALE_BITS);
    let mut k = 0;
    while k < TOKENS {
        let frequency = frequencies[k] as u32;
        let mut offset = 0;
        while offset < frequency {
            slots[at] = slot(offset, frequency, k as u32);
            at += 1;
            offset += 1;
        }
        k += 1;
    }
    assert!(at == end, "frequencies of a table sum to 1024");
}

const fn expand_encode() -> [Entry; ENTRIES] {
    let mut table = [Entry::IDLE; ENTRIES];
    let mut family = 0;
    while family < FAMILY_COUNT {
        expand_entries(&FAMILIES[family], &mut table, family * 64);
        family += 1;
    }
    table
}

/// Writes the [`Entry`]s of a table to `entries` from number `at` on.
pub(super) const fn expand_entries(frequencies: &[u16; TOKENS], entries: &mut [Entry], at: usize) {
    let escape = frequencies[ESCAPE];
    assert!(escape > 0, "every table has an escape");
    let (mut k, mut start) = (0, 0);
    while k < TOKENS {
        let frequency = frequencies[k];
        assert!(frequency < 1 << SCALE_BITS, "a token never fills its table");
        entries[at + k] =
            if frequency == 0 { Entry::escape(escape) } else { Entry::token(k as u32, frequency, start) };
        start += frequency;
        k += 1;
    }
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
pub(in crate::lossless) const fn cost(frequency: u16) -> u16 {
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
