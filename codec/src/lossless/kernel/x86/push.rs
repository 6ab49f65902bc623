//! [`scalar::push`](super::super::scalar::push) with AVX2: all lanes of a step at once.

use core::arch::x86_64::*;

use super::super::scalar::{SKIP, Tables, Words, push_step};
use super::lanes::V;
use crate::lossless::wave::LANES;
use crate::lossless::wave::model::FIRST_WIDE;
use crate::lossless::wave::tables::{ENTRIES, Entry, Map, SCALE_BITS};

/// Pushes the symbols of a unit. The CPU must have AVX2, BMI1 and BMI2.
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn push(
    symbols: &[u32],
    map: &Map,
    entries: &[Entry; ENTRIES],
    states: &mut [u32; LANES],
    words: &mut Words,
) {
    let tables = Tables::new(map, entries);
    let mut x = V::load(&states.map(|x| x as i32));
    let (steps, _) = symbols.as_chunks::<LANES>();
    for step in steps.iter().rev() {
        let symbols = V::load(&step.map(|symbol| symbol as i32));
        let idle = symbols.is(V::all(SKIP as i32));
        let token = symbols.right::<16>().and(V::all(63));
        let entry = starts_of(&tables.starts, symbols.right::<22>()).add(token);
        let (reciprocal, rest) = look_up(entries, entry);
        let wide = token.is_more(V::all(FIRST_WIDE as i32 - 1)).or(rest.halve::<31>());
        if wide.is_any_outside(idle) {
            let mut lanes = x.store().map(|x| x as u32);
            push_step(&mut lanes, step, &tables, words);
            x = V::load(&lanes.map(|x| x as i32));
        } else {
            x = x.or_where(idle.not(), push_lanes(x, symbols, idle, reciprocal, rest, words));
        }
    }
    *states = x.store().map(|x| x as u32);
}

/// Tokens of the first round into the states of the lanes that are not idle.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn push_lanes(x: V, symbols: V, idle: V, reciprocal: V, rest: V, words: &mut Words) -> V {
    let frequency = rest.and(V::all(0x3ff));
    let start = rest.right::<10>().and(V::all(0x3ff));
    let bits = rest.right::<20>().and(V::all(15));

    let limit = frequency.shift_left(V::all(32 - SCALE_BITS as i32).sub(bits));
    let full = x.is_at_least(limit).and_not(idle);
    put(x, full, words);
    let x = x.or_where(full, x.right::<16>());

    let raw = symbols.and(V::all(1).shift_left(bits).sub(V::all(1)));
    let y = x.shift_left(bits).or(raw);
    // The reciprocal is rounded down: the quotient is one short at most.
    let short = y.high_product(reciprocal);
    let rest = y.sub(short.mul(frequency));
    let one_short = rest.is_at_least(frequency);
    let more = one_short.and(V::all(1 << SCALE_BITS).sub(frequency));
    rest.add(start).add(short.left::<{ SCALE_BITS as i32 }>()).add(more)
}

/// Writes the low halves of the lanes of `full`, before the words there are.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn put(x: V, full: V, words: &mut Words) {
    let (low, high) = full.bits();
    let halves = x.and(V::all(0xffff));
    let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(halves.0, halves.1));
    put_half(_mm256_extracti128_si256::<1>(packed), high, words);
    put_half(_mm256_castsi256_si128(packed), low, words);
}

/// Writes the words of `mask`. Whole vectors are written: what is not meant lies before the words, where later
/// steps write.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn put_half(lanes: __m128i, mask: u32, words: &mut Words) {
    if let Some(target) = words.free().last_chunk_mut::<8>() {
        // SAFETY: COMPRESS has 256 rows of 16 bytes and the mask of eight lanes is below 256; `target` holds 16
        // bytes. Unaligned loads and stores ask for nothing else.
        unsafe {
            let order = _mm_loadu_si128(COMPRESS.as_ptr().add(mask as usize & 255).cast());
            _mm_storeu_si128(target.as_mut_ptr().cast(), _mm_shuffle_epi8(lanes, order));
        }
    }
    words.keep(mask.count_ones() as usize);
}

/// Where the entries of the contexts' families begin.
#[inline]
#[target_feature(enable = "avx2")]
fn starts_of(starts: &[u32; 32], contexts: V) -> V {
    let contexts = contexts.and(V::all(31));
    let at = starts.as_ptr().cast();
    // SAFETY: the mask keeps every index below 32, the number of starts.
    unsafe { V(_mm256_i32gather_epi32::<4>(at, contexts.0), _mm256_i32gather_epi32::<4>(at, contexts.1)) }
}

/// The reciprocals and the rests of the entries.
#[inline]
#[target_feature(enable = "avx2")]
fn look_up(entries: &[Entry; ENTRIES], numbers: V) -> (V, V) {
    let numbers = numbers.and(V::all(ENTRIES as i32 - 1));
    let at = entries.as_ptr().cast::<i32>();
    const { assert!(ENTRIES.is_power_of_two() && size_of::<Entry>() == 8) };
    // SAFETY: an entry is two numbers of 4 bytes (`repr(C)`), and the mask keeps every index below ENTRIES, a power
    // of two and the length of the table: the first gather reads first numbers, the second, 4 bytes on, second ones.
    unsafe {
        (
            V(_mm256_i32gather_epi32::<8>(at, numbers.0), _mm256_i32gather_epi32::<8>(at, numbers.1)),
            V(
                _mm256_i32gather_epi32::<8>(at.add(1), numbers.0),
                _mm256_i32gather_epi32::<8>(at.add(1), numbers.1),
            ),
        )
    }
}

/// For each set of lanes, the byte shuffle that moves their words to the end of a vector in order.
static COMPRESS: [[u8; 16]; 256] = {
    let mut rows = [[0x80; 16]; 256];
    let mut mask = 0usize;
    while mask < 256 {
        let (mut lane, mut slot) = (0, 8 - mask.count_ones() as usize);
        while lane < 8 {
            if mask >> lane & 1 == 1 {
                rows[mask][2 * slot] = 2 * lane as u8;
                rows[mask][2 * slot + 1] = 2 * lane as u8 + 1;
                slot += 1;
            }
            lane += 1;
        }
        mask += 1;
    }
    rows
};
