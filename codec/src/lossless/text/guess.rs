//! Where guesses come from: tables of what followed the same surroundings before.

use alloc::vec::Vec;

use crate::ranking::{self, Met};

/// The pixels around one that is about to be coded: W, N, NW, NE, WW, NN, NEE.
pub(super) struct Surroundings([u32; 7]);

impl Surroundings {
    #[inline(always)]
    pub(super) fn new(colours: [u32; 7]) -> Self {
        Self(colours)
    }

    #[inline(always)]
    pub(super) fn w(&self) -> u32 {
        self.0[0]
    }

    #[inline(always)]
    pub(super) fn n(&self) -> u32 {
        self.0[1]
    }

    /// W, N, NE, NW: what is guessed when the tables know nothing.
    #[inline(always)]
    pub(super) fn near(&self) -> [u32; 4] {
        let [w, n, nw, ne, ..] = self.0;
        [w, n, ne, nw]
    }

    /// Which neighbours are equal, as a number below 16.
    #[inline(always)]
    pub(super) fn equalities(&self) -> usize {
        let [w, n, nw, ne, ..] = self.0;
        ranking::equalities(w, n, nw, ne)
    }

    /// The colour that continues W, N and NW smoothly.
    pub(super) fn expected(&self) -> u32 {
        let [w, n, nw, ..] = self.0;
        ranking::expected(w, n, nw)
    }
}

/// A guess, and how often in a row it was right lately; confidence 0 is no guess.
#[derive(Clone, Copy)]
pub(super) struct Guess {
    pub(super) colour: u32,
    pub(super) confidence: u32,
}

/// Where in the tables the surroundings of a pixel lie.
pub(super) struct Places([usize; 3]);

/// The tables. An entry is a colour and, in its low byte, a confidence.
pub(super) struct Guesses {
    entries: Vec<u32>,
    /// INVARIANT: entries.len() is the sum of the three sizes 1 << bits, tables one after the other.
    bits: [u32; 3],
    pub(super) met: Met,
}

impl Guesses {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), bits: [0; 3], met: [0; 256] }
    }

    /// Forgets everything; tables fit a picture of `area` pixels.
    pub(super) fn reset(&mut self, area: usize) {
        let log = area.max(1).ilog2() + 1;
        self.bits = [log.clamp(8, 16), log.clamp(7, 12), log.clamp(6, 10)];
        self.entries.clear();
        self.entries.resize(self.bits.iter().map(|bits| 1 << bits).sum(), 0);
        self.met = [0; 256];
    }

    #[inline(always)]
    pub(super) fn places(&self, around: &Surroundings) -> Places {
        let [pair, four, seven] = ranking::hashes(around.0);
        let [seven_bits, four_bits, pair_bits] = self.bits;
        let place = |hash: u32, bits: u32| (hash.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize;
        let (second, third) = (1 << seven_bits, (1 << seven_bits) + (1 << four_bits));
        Places([place(seven, seven_bits), second + place(four, four_bits), third + place(pair, pair_bits)])
    }

    #[inline(always)]
    pub(super) fn ask(&self, places: &Places) -> [Guess; 3] {
        places.0.map(|place| {
            let entry = self.entries[place];
            Guess { colour: entry >> 8, confidence: entry & 0xff }
        })
    }

    /// What the pixel turned out to be.
    #[inline(always)]
    pub(super) fn learn(&mut self, places: &Places, colour: u32) {
        for place in &places.0[..2] {
            let entry = &mut self.entries[*place];
            let confidence = *entry & 0xff;
            *entry = if *entry >> 8 == colour && confidence > 0 {
                colour << 8 | (confidence + 1).min(15)
            } else if confidence > 1 {
                (*entry & !0xff) | (confidence / 2)
            } else {
                colour << 8 | 1
            };
        }
    }

    /// A colour that nobody guessed is remembered by W and N alone.
    pub(super) fn learn_surprise(&mut self, places: &Places, colour: u32) {
        self.entries[places.0[2]] = colour << 8 | 1;
    }
}
