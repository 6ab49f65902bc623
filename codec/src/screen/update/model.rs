//! What a unit may know of all units before it: one register.

use alloc::vec;
use alloc::vec::Vec;

use super::odds;
use crate::range::Odds;
use crate::ranking::{self, Met, mix};

/// Which colour followed which surroundings, and how likely each answer is: what units teach, 1.1 MiB of it.
///
/// It is a value. Both sides change it alike with each unit, and a copy of it is a state to come back to.
#[derive(Clone, PartialEq, Eq)]
pub struct Model {
    /// Four tables one after the other. An entry is a colour, five bits that tell most surroundings apart which share it,
    /// and a confidence of three bits; confidence 0 is no guess.
    ///
    /// INVARIANT: [`ENTRIES`] of them.
    entries: Vec<u32>,
    /// INVARIANT: [`odds::ALL`] of them.
    pub(super) odds: Vec<Odds>,
    pub(super) met: Met,
}

/// By twelve, seven, four and two neighbours.
const BITS: [u32; 4] = [17, 17, 14, 12];
/// Where each table begins, and the last ends.
const STARTS: [usize; 5] = {
    let mut starts = [0; 5];
    let mut i = 0;
    while i < 4 {
        starts[i + 1] = starts[i] + (1 << BITS[i]);
        i += 1;
    }
    starts
};
const ENTRIES: usize = STARTS[4];

/// A guess, and how often in a row it was right lately; confidence 0 is no guess.
#[derive(Clone, Copy)]
pub(super) struct Guess {
    pub(super) colour: u32,
    pub(super) confidence: u32,
}

/// The pixels around one that is about to be coded.
#[derive(Clone, Copy)]
pub(super) struct Around {
    pub(super) w: u32,
    pub(super) n: u32,
    pub(super) nw: u32,
    pub(super) ne: u32,
    pub(super) ww: u32,
    pub(super) nn: u32,
    pub(super) nee: u32,
    /// Five farther ones: WWW, NWW, NEEE, NNW, NNE.
    pub(super) far: [u32; 5],
}

/// Where in the tables the surroundings of a pixel lie: by twelve, seven, four and two neighbours.
#[derive(Clone, Copy)]
pub(super) struct Places([Place; 4]);

#[derive(Clone, Copy)]
struct Place {
    at: usize,
    check: u32,
}

impl Model {
    /// The memory it takes, in bytes.
    pub const BYTES: usize = (ENTRIES + odds::ALL + 256) * 4;

    /// A model that has seen nothing.
    pub fn new() -> Self {
        Self { entries: vec![0; ENTRIES], odds: odds::fresh(), met: [0; 256] }
    }

    /// Becomes what `other` is, in the memory it has.
    pub fn copy_from(&mut self, other: &Self) {
        self.entries.copy_from_slice(&other.entries);
        self.odds.copy_from_slice(&other.odds);
        self.met = other.met;
    }

    /// Overwrites all that it has seen.
    pub fn wipe(&mut self) {
        self.entries.fill(0);
        self.met = [0; 256];
        self.odds.copy_from_slice(&odds::fresh());
    }

    #[inline(always)]
    pub(super) fn places(around: &Around) -> Places {
        let Around { w, n, nw, ne, ww, nn, nee, far } = *around;
        let [pair, four, seven] = ranking::hashes([w, n, nw, ne, ww, nn, nee]);
        let twelve = seven
            ^ mix(far[0], 0x9e37_79b1).rotate_left(3)
            ^ mix(far[1], 0x85eb_ca6b).rotate_left(9)
            ^ mix(far[2], 0xc2b2_ae35).rotate_left(15)
            ^ mix(far[3], 0x27d4_eb2f).rotate_left(21)
            ^ mix(far[4], 0x1656_67b1).rotate_left(27);
        let place = |table: usize, hash: u32| {
            // The top bits tell where, the next five are kept there.
            let hash = hash.wrapping_mul(0x9e37_79b1);
            let at = STARTS[table] + (hash >> (32 - BITS[table])) as usize;
            Place { at, check: (hash >> (27 - BITS[table]) & 0x1f) << 3 }
        };
        Places([place(0, twelve), place(1, seven), place(2, four), place(3, pair)])
    }

    #[inline(always)]
    pub(super) fn ask(&self, places: &Places) -> [Guess; 4] {
        places.0.map(|place| {
            let entry = self.entries[place.at];
            let confidence = if entry & 0xf8 == place.check { entry & 7 } else { 0 };
            Guess { colour: entry >> 8, confidence }
        })
    }

    /// What the pixel turned out to be.
    #[inline(always)]
    pub(super) fn learn(&mut self, places: &Places, colour: u32) {
        for place in &places.0[..3] {
            let entry = &mut self.entries[place.at];
            let confidence = *entry & 7;
            let right = colour << 8 | place.check;
            *entry = if *entry & !7 == right && confidence > 0 {
                right | (confidence + 1).min(7)
            } else if confidence > 1 {
                (*entry & !7) | (confidence / 2)
            } else {
                right | 1
            };
        }
    }

    /// A colour that nobody guessed is remembered by W and N alone.
    pub(super) fn learn_surprise(&mut self, places: &Places, colour: u32) {
        let [.., place] = places.0;
        self.entries[place.at] = colour << 8 | place.check | 1;
    }
}

impl Default for Model {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Model {
    /// What it has seen is nobody's business.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}
