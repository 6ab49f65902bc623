//! From symbols to words: the entropy encoder. It runs backwards, so that the decoder runs forwards.

use alloc::vec::Vec;

use super::{IDLE, Step};
use crate::lossless::wave::LANES;
use crate::lossless::wave::model::{CONTEXTS, ESCAPE, ESCAPE_BITS, raw_bits};
use crate::lossless::wave::tables::{ENTRIES, Entry, Map, SCALE_BITS};

/// Words written from the end to the front.
#[derive(Default)]
pub(in crate::lossless) struct Words {
    buffer: Vec<u16>,
    /// INVARIANT: at <= buffer.len(); what was written is buffer[at..].
    at: usize,
}

impl Words {
    /// A step writes at most this many; kernels may touch half as many before them.
    const ROOM: usize = 2 * LANES;

    /// Empties it, with room for the words of `steps` steps.
    pub(in crate::lossless) fn reset(&mut self, steps: usize) {
        let len = (steps + 1) * Self::ROOM;
        if self.buffer.len() < len {
            self.buffer.resize(len, 0);
        }
        self.at = self.buffer.len();
    }

    pub(in crate::lossless) fn written(&self) -> &[u16] {
        &self.buffer[self.at..]
    }

    /// What lies before the words: the next go to its end.
    #[inline(always)]
    pub(in crate::lossless) fn free(&mut self) -> &mut [u16] {
        &mut self.buffer[..self.at]
    }

    /// The last `count` words of [`Words::free`] are meant.
    #[inline(always)]
    pub(in crate::lossless) fn keep(&mut self, count: usize) {
        self.at -= count;
    }
}

/// The words of one step, from the end to the front.
struct StepWords<'a> {
    words: &'a mut [u16; Words::ROOM],
    at: usize,
}

impl StepWords<'_> {
    /// Moves the low half of a full state out.
    #[inline(always)]
    fn put_if(&mut self, full: bool, state: u32) -> u32 {
        // Written in any case, kept if the state is full: there is no branch to guess.
        self.words[self.at.wrapping_sub(1) % Words::ROOM] = state as u16;
        self.at -= usize::from(full);
        state >> (u32::from(full) * 16)
    }
}

/// How each key enters a state.
pub(in crate::lossless) struct Tables([Entry; Tables::LEN]);

impl Tables {
    /// A power of two above all keys.
    pub(in crate::lossless) const LEN: usize = 32 * 64;
    pub(in crate::lossless) const IDLE: Tables = Tables([Entry::IDLE; Self::LEN]);

    /// Brings the entries of the contexts' families together.
    #[inline(always)]
    pub(in crate::lossless) fn fill(&mut self, map: &Map, entries: &[Entry; ENTRIES]) {
        let (families, _) = entries.as_chunks::<64>();
        let (contexts, _) = self.0.as_chunks_mut::<64>();
        for (context, &family) in contexts.iter_mut().zip(map) {
            *context = families[usize::from(family) % families.len()];
        }
    }

    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    pub(in crate::lossless) fn entries(&self) -> &[Entry; Self::LEN] {
        &self.0
    }

    #[inline(always)]
    pub(in crate::lossless) fn entry(&self, key: u16) -> &Entry {
        &self.0[usize::from(key) % Self::LEN]
    }
}

#[inline(always)]
pub(in crate::lossless) fn push(
    steps: &[Step],
    map: &Map,
    entries: &[Entry; ENTRIES],
    states: &mut [u32; LANES],
    words: &mut Words,
) {
    let mut tables = Tables::IDLE;
    tables.fill(map, entries);
    let mut x = *states;
    for step in steps.iter().rev() {
        push_step(&mut x, step, &tables, words);
    }
    *states = x;
}

/// Pushes the symbols of one step.
#[inline(always)]
pub(in crate::lossless) fn push_step(x: &mut [u32; LANES], step: &Step, tables: &Tables, words: &mut Words) {
    let mut spare = [0; Words::ROOM];
    let window = words.free().last_chunk_mut().unwrap_or(&mut spare);
    let mut out = StepWords { words: window, at: Words::ROOM };
    let entries = step.keys.map(|key| tables.entry(key));
    if entries.iter().any(|entry| entry.is_special()) {
        push_special(x, step, &entries, &mut out);
    }
    for i in (0..LANES).rev() {
        x[i] = push_token(x[i], step.residuals[i], entries[i], &mut out);
    }
    let count = Words::ROOM - out.at;
    words.keep(count);
}

/// The raw bits of large residuals: the decoder takes their words after those of the tokens, so here they go before.
#[cold]
fn push_special(x: &mut [u32; LANES], step: &Step, entries: &[&Entry; LANES], out: &mut StepWords<'_>) {
    for i in (0..LANES).rev() {
        if entries[i].is_special() {
            let token = u32::from(step.keys[i] & 63);
            let bits = if entries[i].escapes() { ESCAPE_BITS } else { raw_bits(token).0 };
            let state = out.put_if(x[i] >> (32 - bits) != 0, x[i]);
            x[i] = state << bits | (u32::from(step.residuals[i]) & ((1 << bits) - 1));
        }
    }
}

#[inline(always)]
fn push_token(state: u32, residual: u16, entry: &Entry, out: &mut StepWords<'_>) -> u32 {
    let (frequency, room) = (entry.frequency(), entry.room());
    let state = out.put_if(state >> room >= frequency, state);
    let bits = 22 - room;
    let y = state << bits | (u32::from(residual) & ((1 << bits) - 1));
    // The reciprocal is rounded down: the quotient is one short at most.
    let short = ((u64::from(y) * u64::from(entry.reciprocal)) >> 32) as u32;
    let rest = y - short * frequency;
    let more = u32::from(rest >= frequency);
    // (quotient << 10) + remainder, where the quotient is short or one more.
    rest + entry.start() + (short << SCALE_BITS) + more * ((1 << SCALE_BITS) - frequency)
}

const _: () = assert!(ESCAPE < 64, "a token takes six bits of a key");
const _: () = assert!((IDLE as usize) < Tables::LEN && IDLE >> 6 == CONTEXTS as u16);
