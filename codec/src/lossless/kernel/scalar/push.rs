//! From symbols to words: the entropy encoder. It runs backwards, so that the decoder runs forwards.

use alloc::vec::Vec;

use super::SKIP;
use crate::lossless::wave::LANES;
use crate::lossless::wave::model::{ESCAPE, ESCAPE_BITS, FIRST_WIDE, raw_bits};
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

/// How the tokens of each context enter a state.
pub(in crate::lossless) struct Tables<'a> {
    pub(in crate::lossless) entries: &'a [Entry; ENTRIES],
    /// Where the entries of each context's family begin.
    pub(in crate::lossless) starts: [u32; 32],
}

impl<'a> Tables<'a> {
    pub(in crate::lossless) fn new(map: &Map, entries: &'a [Entry; ENTRIES]) -> Self {
        let mut starts = [0; 32];
        starts.iter_mut().zip(map).for_each(|(start, &family)| *start = u32::from(family) * 64);
        Self { entries, starts }
    }

    #[inline(always)]
    fn entry(&self, symbol: u32) -> &'a Entry {
        let start = self.starts[(symbol >> 22) as usize % self.starts.len()];
        &self.entries[(start + (symbol >> 16 & 63)) as usize % ENTRIES]
    }
}

#[inline(always)]
pub(in crate::lossless) fn push(
    symbols: &[u32],
    map: &Map,
    entries: &[Entry; ENTRIES],
    states: &mut [u32; LANES],
    words: &mut Words,
) {
    let tables = Tables::new(map, entries);
    let mut x = *states;
    let (steps, _) = symbols.as_chunks::<LANES>();
    for step in steps.iter().rev() {
        push_step(&mut x, step, &tables, words);
    }
    *states = x;
}

/// Pushes the symbols of one step.
#[inline(always)]
pub(in crate::lossless) fn push_step(
    x: &mut [u32; LANES],
    step: &[u32; LANES],
    tables: &Tables<'_>,
    words: &mut Words,
) {
    let mut spare = [0; Words::ROOM];
    let window = words.free().last_chunk_mut().unwrap_or(&mut spare);
    let mut out = StepWords { words: window, at: Words::ROOM };
    let entries = step.map(|symbol| tables.entry(symbol));
    let mut special = false;
    for i in 0..LANES {
        // An idle lane's token is above all others.
        special |= entries[i].escapes() | ((step[i] >> 16 & 63) >= FIRST_WIDE);
    }
    if special {
        push_special(x, step, &entries, &mut out);
    } else {
        for i in (0..LANES).rev() {
            x[i] = push_token(x[i], step[i], entries[i], &mut out);
        }
    }
    let count = Words::ROOM - out.at;
    words.keep(count);
}

/// A step in which a lane is idle or has a large residual.
#[cold]
fn push_special(
    x: &mut [u32; LANES],
    step: &[u32; LANES],
    entries: &[&Entry; LANES],
    out: &mut StepWords<'_>,
) {
    // The decoder takes the words of the second round after those of the first: here they go before.
    for i in (0..LANES).rev() {
        let (k, escapes) = (step[i] >> 16 & 63, entries[i].escapes());
        if step[i] != SKIP && (escapes || k >= FIRST_WIDE) {
            let bits = if escapes { ESCAPE_BITS } else { raw_bits(k).0 };
            let state = out.put_if(x[i] >> (32 - bits) != 0, x[i]);
            x[i] = state << bits | (step[i] & 0xffff & ((1 << bits) - 1));
        }
    }
    for i in (0..LANES).rev() {
        if step[i] != SKIP {
            x[i] = push_token(x[i], step[i], entries[i], out);
        }
    }
}

#[inline(always)]
fn push_token(state: u32, symbol: u32, entry: &Entry, out: &mut StepWords<'_>) -> u32 {
    let (frequency, bits) = (entry.frequency(), entry.bits());
    let state = out.put_if(state >= frequency << (32 - SCALE_BITS - bits), state);
    let y = state << bits | (symbol & ((1 << bits) - 1));
    // The reciprocal is rounded down: the quotient is one short at most.
    let short = ((u64::from(y) * u64::from(entry.reciprocal)) >> 32) as u32;
    let rest = y - short * frequency;
    let more = u32::from(rest >= frequency);
    // (quotient << 10) + remainder, where the quotient is short or one more.
    rest + entry.start() + (short << SCALE_BITS) + more * ((1 << SCALE_BITS) - frequency)
}

const _: () = assert!(ESCAPE < 64, "a token takes six bits of a symbol");
