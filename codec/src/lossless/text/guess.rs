//! Where guesses come from: tables of what followed the same surroundings before.

use alloc::vec::Vec;

use crate::lossless::wave::model::med;

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
        usize::from(w == n)
            | usize::from(n == ne) << 1
            | usize::from(w == nw) << 2
            | usize::from(n == nw) << 3
    }

    /// The colour that continues W, N and NW smoothly.
    pub(super) fn expected(&self) -> u32 {
        let [w, n, nw, ..] = self.0.map(u32::to_le_bytes);
        let component = |i: usize| med(i32::from(w[i]), i32::from(n[i]), i32::from(nw[i])) as u8;
        u32::from_le_bytes([component(0), component(1), component(2), 0])
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
    /// Colours that were spelled out, by [`Guesses::number`].
    pub(super) met: [u32; 256],
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
        let [w, n, nw, ne, ww, nn, nee] = around.0;
        let mix = |colour: u32, odd: u32| colour.wrapping_mul(odd);
        let pair = mix(w, 0x9e37_79b1) ^ mix(n, 0x85eb_ca6b).rotate_left(11);
        let four = pair ^ mix(nw, 0xc2b2_ae35).rotate_left(5) ^ mix(ne, 0x27d4_eb2f).rotate_left(17);
        let seven = four
            ^ mix(ww, 0x1656_67b1).rotate_left(7)
            ^ mix(nn, 0xd3a2_646d).rotate_left(13)
            ^ mix(nee, 0xfd70_46c5).rotate_left(23);
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

    /// The number under which a colour is met again.
    pub(super) fn number(colour: u32) -> u8 {
        (colour.wrapping_mul(0x9e37_79b1) >> 24) as u8
    }
}
