//! From symbols to words: the entropy encoder. It runs backwards, so that the decoder runs forwards.

use alloc::vec::Vec;

use super::SKIP;
use crate::lossless::wave::LANES;
use crate::lossless::wave::model::{ESCAPE, ESCAPE_BITS, FIRST_WIDE, raw_bits};
use crate::lossless::wave::tables::{ENCODE, ENTRIES, Entry, Map, SCALE_BITS};

/// Words written from the end to the front.
#[derive(Default)]
pub(in crate::lossless) struct Words {
    buffer: Vec<u16>,
    /// INVARIANT: at <= buffer.len(); what was written is buffer[at..].
    at: usize,
}

impl Words {
    /// Empties it, with room for `count` words.
    pub(in crate::lossless) fn reset(&mut self, count: usize) {
        if self.buffer.len() < count {
            self.buffer.resize(count, 0);
        }
        self.at = self.buffer.len();
    }

    pub(in crate::lossless) fn written(&self) -> &[u16] {
        &self.buffer[self.at..]
    }

    #[inline(always)]
    fn put_if(&mut self, full: bool, state: u32) -> u32 {
        // Written in any case, kept if the state is full: there is no branch to guess.
        let at = self.at.wrapping_sub(1);
        if let Some(word) = self.buffer.get_mut(at) {
            *word = state as u16;
        }
        self.at -= usize::from(full);
        state >> if full { 16 } else { 0 }
    }
}

#[inline(always)]
pub(in crate::lossless) fn push(symbols: &[u32], map: &Map, states: &mut [u32; LANES], words: &mut Words) {
    let mut x = *states;
    let (steps, _) = symbols.as_chunks::<LANES>();
    for step in steps.iter().rev() {
        let entry = |symbol: u32| {
            let family = usize::from(map[(symbol >> 22) as usize % map.len()]);
            &ENCODE[(family * 64 + (symbol >> 16 & 63) as usize) % ENTRIES]
        };
        // The decoder takes the words of the second round after those of the first: here they go before.
        for (x, &symbol) in x.iter_mut().zip(step).rev() {
            let k = symbol >> 16 & 63;
            if symbol == SKIP {
                continue;
            }
            let escapes = entry(symbol).start & Entry::ESCAPES != 0;
            if escapes || k >= FIRST_WIDE {
                let bits = if escapes { ESCAPE_BITS } else { raw_bits(k).0 };
                *x = words.put_if(*x >> (32 - bits) != 0, *x);
                *x = *x << bits | symbol & ((1 << bits) - 1) & 0xffff;
            }
        }
        for (x, &symbol) in x.iter_mut().zip(step).rev() {
            if symbol != SKIP {
                *x = push_token(*x, symbol, entry(symbol), words);
            }
        }
    }
    *states = x;
}

#[inline(always)]
fn push_token(state: u32, symbol: u32, entry: &Entry, words: &mut Words) -> u32 {
    let (k, escapes) = (symbol >> 16 & 63, entry.start & Entry::ESCAPES != 0);
    let bits = if escapes || k >= FIRST_WIDE { 0 } else { raw_bits(k).0 };
    let (frequency, start) = (u32::from(entry.frequency), u32::from(entry.start & !Entry::ESCAPES));
    let state = words.put_if(state >= frequency << (32 - SCALE_BITS - bits), state);
    let y = state << bits | symbol & ((1 << bits) - 1);
    // The reciprocal is rounded down: the quotient is one short at most.
    let short = ((u64::from(y) * u64::from(entry.reciprocal)) >> 32) as u32;
    let rest = y - short * frequency;
    let (quotient, rest) = if rest >= frequency { (short + 1, rest - frequency) } else { (short, rest) };
    (quotient << SCALE_BITS) + rest + start
}

const _: () = assert!(ESCAPE < 64, "a token takes six bits of a symbol");
