//! [`scalar::push`](super::super::scalar::push) with AVX2: all lanes of a step at once.

use core::arch::x86_64::*;

use super::super::scalar::{Step, Tables, Words, push_step};
use super::lanes::V;
use crate::lossless::wave::LANES;
use crate::lossless::wave::tables::{ENTRIES, Entry, Map, SCALE_BITS};

/// Pushes the symbols of a unit. The CPU must have AVX2, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn push(
    steps: &[Step],
    map: &Map,
    entries: &[Entry; ENTRIES],
    states: &mut [u32; LANES],
    words: &mut Words,
) {
    let mut tables = Tables::IDLE;
    tables.fill(map, entries);
    let mut x = V::cross(states);
    for step in steps.iter().rev() {
        let (reciprocal, rest) = look_up(&tables, &step.keys);
        if rest.is_any_negative() {
            let mut lanes = x.uncross();
            push_step(&mut lanes, step, &tables, words);
            x = V::cross(&lanes);
        } else {
            x = push_lanes(x, V::spread(&step.residuals), reciprocal, rest, words);
        }
    }
    *states = x.uncross();
}

/// One token into each state.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn push_lanes(x: V, residuals: V, reciprocal: V, rest: V, words: &mut Words) -> V {
    let frequency = rest.and(V::all(0x7ff));
    let room = rest.right::<11>().and(V::all(31));
    // Nothing lies above it: no lane is special.
    let start = rest.right::<16>();

    let fits = frequency.is_more(x.shift_right(room));
    put(x, fits, words);
    let x = x.right::<16>().or_where(fits, x);

    let raw = residuals.and(V::all((1 << 22) - 1).shift_right(room));
    let y = x.shift_left(V::all(22).sub(room)).or(raw);
    // The reciprocal is rounded down: the quotient is one short at most.
    let short = y.high_product(reciprocal);
    let remainder = y.sub(short.mul(frequency));
    let is_exact = frequency.is_more(remainder);
    let more = is_exact.clears(V::all(1 << SCALE_BITS).sub(frequency));
    remainder.add(start).add(short.left::<{ SCALE_BITS as i32 }>().add(more))
}

/// Writes the low halves of the lanes that are not in `fits`, before the words there are.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn put(x: V, fits: V, words: &mut Words) {
    let (low, high) = fits.crossed_bits();
    let packed = x.and(V::all(0xffff)).pack();
    put_half(_mm256_extracti128_si256::<1>(packed), high ^ 0xff, words);
    put_half(_mm256_castsi256_si128(packed), low ^ 0xff, words);
}

/// Writes the words of `mask`. Whole vectors are written: what is not meant lies before the words, where later
/// steps write.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
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

/// The reciprocals and the rests of the entries of `keys`. Loads one by one: gathers take longer on many CPUs.
#[inline]
#[target_feature(enable = "avx2")]
fn look_up(tables: &Tables, keys: &[u16; LANES]) -> (V, V) {
    let mut numbers = [0u16; LANES];
    // SAFETY: both hold 32 bytes, and unaligned loads and stores ask for nothing else.
    unsafe {
        let keys = _mm256_loadu_si256(keys.as_ptr().cast());
        let keys = _mm256_and_si256(keys, _mm256_set1_epi16(Tables::LEN as i16 - 1));
        _mm256_storeu_si256(numbers.as_mut_ptr().cast(), keys);
    }
    let entries = tables.entries().as_ptr().cast::<u64>();
    const { assert!(Tables::LEN.is_power_of_two() && size_of::<Entry>() == 8) };
    let two = |lane: usize| {
        // SAFETY: the mask keeps every number below LEN, the number of entries, which are 8 bytes each.
        unsafe {
            let first = _mm_loadl_epi64(entries.add(usize::from(numbers[lane])).cast());
            let second = _mm_loadl_epi64(entries.add(usize::from(numbers[lane + 1])).cast());
            _mm_unpacklo_epi64(first, second)
        }
    };
    let four = |lane: usize| {
        _mm256_castsi256_ps(_mm256_inserti128_si256::<1>(_mm256_castsi128_si256(two(lane)), two(lane + 8)))
    };
    let (a, b, c, d) = (four(0), four(2), four(4), four(6));
    // An entry is two numbers of 4 bytes (`repr(C)`).
    let first = |a, b| _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(a, b));
    let second = |a, b| _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(a, b));
    (V(first(a, b), first(c, d)), V(second(a, b), second(c, d)))
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
