//! Planes led by what is shown: the arithmetic, and planes in, segments out, and back.
//!
//! Such a plane has no predictors to choose. Before its first sample is coded, what is shown gives each sample a
//! *lead*, a sample that it is expected near, and an *energy*, which stands for a context as that of residuals does
//! elsewhere.

use alloc::vec::Vec;

use super::decode::read_map;
use super::maps::Choice;
use super::model::CONTEXTS;
use super::own::Frequencies;
use super::tables::Entry;
use super::{DecodeScratch, LAG, LANES, MIN_PITCH, SEGMENT_STEPS, Unit, units};
use crate::cpu::Features;
use crate::lossless::DecodeError;
use crate::lossless::bytes::{BitWriter, Reader, put_number};
use crate::lossless::kernel::{self, Counts, Decoding, LedModelling, Step, Tally, Words};
use crate::lossless::plane::Plane;

/// How what is shown leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lossless) enum Led {
    /// Each shown level has a new one, as when a window is dragged over the levels: the lead is the prediction. The
    /// context is a class of the shown level and the sign of the residuals around.
    Level,
    /// Neighbours that show the same will again be the same, as in a picture scaled to blocks of equal pixels; a
    /// sample without such a neighbour lies between the lead and its surroundings. Contexts are known beforehand.
    Echo,
}

/// What leads the lanes of a step.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::lossless) struct Hints {
    pub(in crate::lossless) leads: [u16; LANES],
    pub(in crate::lossless) energies: [u16; LANES],
}

impl Hints {
    const IDLE: Hints = Hints { leads: [0; LANES], energies: [1; LANES] };
}

/// The energy of a context; there is none of context 1.
pub(in crate::lossless) const fn energy_of(context: usize) -> u16 {
    if context == 0 { 1 } else { (2 | context as u16 & 1) << (context / 2 - 1) }
}

/// Octaves of energy between the signs of a class of levels.
pub(in crate::lossless) const SIGN_OCTAVES: u32 = 4;
/// Classes of shown levels: contexts 2.. with residuals around that are negative on the whole.
pub(in crate::lossless) const CLASSES: usize = 2 * SIGN_OCTAVES as usize;

/// The energy of a level's class under the residuals of W and N, which are folded.
#[inline(always)]
pub(in crate::lossless) fn energy_of_sign(class: u16, w: u16, n: u16) -> u16 {
    let signed = |z: u16| ((z >> 1) ^ (z & 1).wrapping_neg()) as i16;
    let lean = signed(w).wrapping_add(signed(n));
    let octaves = (u32::from(lean >= 0) + u32::from(lean > 0)) * SIGN_OCTAVES;
    class << octaves
}

/// Echo's contexts tell which neighbour is followed, W, N, NW or NE: each up to one of these energies.
pub(in crate::lossless) const ECHO_ENDS: [u16; 4] =
    [energy_of(N_CONTEXT), energy_of(NW_CONTEXT), energy_of(NE_CONTEXT), energy_of(FRESH_CONTEXT)];
const W_CONTEXT: usize = 2;
const N_CONTEXT: usize = 6;
const NW_CONTEXT: usize = 9;
const NE_CONTEXT: usize = 11;
const FRESH_CONTEXT: usize = 12;

/// The prediction: one of W, N, NW and NE, or `fresh`.
#[inline(always)]
pub(in crate::lossless) fn choose_echo(energy: u16, around: [u16; 4], fresh: u16) -> u16 {
    let mut prediction = fresh;
    for (tap, end) in around.into_iter().zip(ECHO_ENDS).rev() {
        prediction = if energy < end { tap } else { prediction };
    }
    prediction
}

#[inline(always)]
pub(in crate::lossless) fn average(a: u16, b: u16) -> u16 {
    (a & b) + ((a ^ b) >> 1)
}

/// The energies of row `y` of an echo. The margins of what is `shown` are set.
pub(in crate::lossless) fn echo_row(shown: &Plane, y: usize, energies: &mut [u16]) {
    const fn energies_of<const COUNT: usize>(first: usize) -> [u16; COUNT] {
        let mut energies = [0; COUNT];
        let mut i = 0;
        while i < COUNT {
            energies[i] = energy_of(first + i);
            i += 1;
        }
        energies
    }
    const LEVELS: [u16; 16] = energies_of(FRESH_CONTEXT);
    /// By which of W, N, NW and NE show the same, one bit each.
    const SAME: [u16; 16] = {
        let mut same = [0; 16];
        let mut set = 1usize;
        while set < 16 {
            let first = [W_CONTEXT, N_CONTEXT, NW_CONTEXT, NE_CONTEXT][set.trailing_zeros() as usize];
            same[set] = energy_of(first + set.count_ones() as usize - 1);
            set += 1;
        }
        same
    };
    let (w, drop) = (energies.len(), shown.bits() - 4);
    let at = |up: isize, dx: usize| &shown.samples()[shown.start(y as isize - up) + dx - 1..][..w];
    let (own, west) = (at(0, 1), at(0, 0));
    let (n, nw, ne) = (at(1, 1), at(1, 0), at(1, 2));
    for x in 0..w {
        let same = |tap: u16, bit: usize| usize::from(tap == own[x]) << bit;
        let set = same(west[x], 0) | same(n[x], 1) | same(nw[x], 2) | same(ne[x], 3);
        let fresh = LEVELS[usize::from(own[x] >> drop) % LEVELS.len()];
        let energy = if set == 0 { fresh } else { SAME[set] };
        energies[x] = if set == 15 && own[x] == 0 { energy_of(0) } else { energy };
    }
}

/// A plane, what is shown in its place, and how that leads.
pub(in crate::lossless) struct LedPlane<'a> {
    pub(in crate::lossless) plane: &'a mut Plane,
    pub(in crate::lossless) shown: &'a mut Plane,
}

/// For each shown level the lead and the energy of its class.
pub(in crate::lossless) type LevelHints = [(u16, u16); 256];

/// The leads and energies of row `y`.
fn hint_row(
    led: Led,
    levels: &LevelHints,
    shown: &mut Plane,
    y: usize,
    leads: &mut [u16],
    energies: &mut [u16],
) {
    match led {
        Led::Level => {
            for ((&shown, lead), energy) in shown.row(y).iter().zip(leads).zip(energies) {
                (*lead, *energy) = levels[usize::from(shown) % levels.len()];
            }
        }
        Led::Echo => {
            shown.set_margins(y);
            leads.copy_from_slice(shown.row(y));
            echo_row(shown, y, energies);
        }
    }
}

/// Memory that is kept from call to call.
#[derive(Default)]
pub(in crate::lossless) struct LedScratch {
    leads: Vec<u16>,
    energies: Vec<u16>,
    rows: [Vec<u16>; 3],
    keys: Vec<u16>,
    steps: Vec<Step>,
    tally: Tally,
    words: Words,
    entries: Vec<Entry>,
    hints: Vec<Hints>,
}

/// Appends the segments of `planes`.
pub(in crate::lossless) fn encode(
    features: Features,
    led: Led,
    levels: &LevelHints,
    planes: &mut [LedPlane<'_>],
    scratch: &mut LedScratch,
    out: &mut Vec<u8>,
) {
    scratch.steps.clear();
    scratch.tally.clear();
    for LedPlane { plane, shown } in planes {
        let w = plane.w();
        for row in &mut scratch.rows {
            row.clear();
            row.resize(w + 3, 0);
        }
        scratch.keys.resize(w.max(scratch.keys.len()), 0);
        for unit in units(w, plane.h()) {
            let count = unit.rows * w;
            scratch.leads.resize(count.max(scratch.leads.len()), 0);
            scratch.energies.resize(count.max(scratch.energies.len()), 0);
            let rows = scratch.leads.chunks_mut(w).zip(scratch.energies.chunks_mut(w));
            for (row, (leads, energies)) in rows.take(unit.rows).enumerate() {
                hint_row(led, levels, shown, unit.y + row, leads, energies);
            }
            let start = scratch.steps.len();
            scratch.steps.resize(start + unit.steps, Step::EMPTY);
            kernel::model_led_unit(
                features,
                &mut LedModelling {
                    unit,
                    led,
                    plane,
                    leads: &scratch.leads,
                    energies: &scratch.energies,
                    rows: &mut scratch.rows,
                    keys: &mut scratch.keys,
                    steps: &mut scratch.steps[start..],
                    tally: &mut scratch.tally,
                },
            );
            if scratch.steps.len() >= SEGMENT_STEPS {
                scratch.write(features, out);
            }
        }
    }
    if !scratch.steps.is_empty() {
        scratch.write(features, out);
    }
}

impl LedScratch {
    /// Appends a segment: one map for all of it.
    fn write(&mut self, features: Features, out: &mut Vec<u8>) {
        let mut counts: Counts = [[0; 64]; CONTEXTS];
        self.tally.sum(&mut counts);
        let choice = Choice::of(self.steps.len(), &counts);
        let mut bits = BitWriter::new(out);
        choice.write(self.steps.len(), &mut bits);
        bits.finish();
        let mut states = [1 << 16; LANES];
        self.words.reset(self.steps.len());
        let (map, entries) = choice.tables(&mut self.entries);
        kernel::push(features, &self.steps, &map, entries, &mut states, &mut self.words);
        let words = self.words.written();
        put_number(out, words.len());
        out.extend(states.iter().flat_map(|state| state.to_le_bytes()));
        out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.steps.clear();
        self.tally.clear();
    }
}

/// Reads the segments of `planes`, whose sizes and bits are set.
pub(in crate::lossless) fn decode(
    features: Features,
    led: Led,
    levels: &LevelHints,
    reader: &mut Reader<'_>,
    planes: &mut [LedPlane<'_>],
    scratch: &mut LedScratch,
    wave: &mut DecodeScratch,
) -> Result<(), DecodeError> {
    let sizes: Vec<_> = planes.iter().map(|led| (led.plane.w(), led.plane.h())).collect();
    let mut waiting = sizes
        .iter()
        .enumerate()
        .flat_map(|(number, &(w, h))| units(w, h).map(move |unit| (number, unit)))
        .peekable();
    let mut segment = Vec::new();
    while waiting.peek().is_some() {
        segment.clear();
        let mut steps = 0;
        while steps < SEGMENT_STEPS
            && let Some((number, unit)) = waiting.next()
        {
            steps += unit.steps;
            segment.push((number, unit));
        }
        let mut own: Vec<Frequencies> = Vec::new();
        let map = reader.bits(|bits| read_map(steps, bits, &mut own))?;
        let mut states = wave.start_segment(reader)?;
        let (starts, table) = super::decode::tables(map, &mut &own[..], &mut wave.slots);
        for &(number, unit) in &segment {
            let LedPlane { plane, shown } = &mut planes[number];
            if unit.y == 0 {
                wave.line.clear();
                wave.line.resize(plane.w().max(MIN_PITCH), 0);
            }
            scratch.hint(led, levels, shown, unit);
            let top = plane.start(unit.y as isize - 2) - 2;
            let mut job = Decoding {
                unit,
                bits: plane.bits(),
                stride: plane.stride(),
                samples: &mut plane.samples_mut()[top..],
                line: &mut wave.line,
                predictors: &[],
                guide: None,
                table,
                starts: &starts,
                states: &mut states,
                source: &mut wave.source,
            };
            kernel::decode_led(features, &mut job, led, &scratch.hints);
        }
        if !wave.source.is_used_up() || states != [1 << 16; LANES] {
            return Err(DecodeError::Corrupt("entropy state"));
        }
    }
    Ok(())
}

impl LedScratch {
    /// Lays out the hints of a unit in the order of its steps.
    fn hint(&mut self, led: Led, levels: &LevelHints, shown: &mut Plane, unit: Unit) {
        self.hints.clear();
        self.hints.resize(unit.steps, Hints::IDLE);
        self.leads.resize(unit.w.max(self.leads.len()), 0);
        self.energies.resize(unit.w.max(self.energies.len()), 0);
        let (leads, energies) = (&mut self.leads[..unit.w], &mut self.energies[..unit.w]);
        for row in 0..unit.rows {
            hint_row(led, levels, shown, unit.y + row, leads, energies);
            let (lane, first) = (row % LANES, row / LANES * unit.pitch + LAG * (row % LANES));
            for ((hints, &lead), &energy) in self.hints[first..].iter_mut().zip(&*leads).zip(&*energies) {
                hints.leads[lane] = lead;
                hints.energies[lane] = energy;
            }
        }
    }
}

const _: () = assert!(FRESH_CONTEXT + 16 <= CONTEXTS && 2 + 3 * CLASSES <= CONTEXTS);
