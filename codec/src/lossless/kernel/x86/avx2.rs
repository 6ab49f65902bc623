//! The vectors of AVX2: lanes of 16 bits in one register, lanes of 32 bits in two, in crossed order (see [`V::cross`]).

use core::arch::x86_64::*;

use super::super::scalar::{Source, Tables, Words};
use super::super::vector::{
    COMPRESS, EXPAND, Lanes, Narrow, Taps, Wide, kernels, narrow_methods, trusting, wide_methods,
};
use super::lanes::V;
use super::model;
use super::narrow::{H, transpose};
use crate::lossless::wave::model::CONTEXTS;
use crate::lossless::wave::tables::{Entry, SCALE_BITS, SLOTS};
use crate::lossless::wave::{BLOCK, LANES};

kernels!(
    // SAFETY: the invariant of `kernels!`.
    |job| unsafe { model::model(job) },
    "avx2,bmi1,bmi2,popcnt",
    Avx2::new
);

/// A CPU with AVX2, BMI1, BMI2 and POPCNT.
#[derive(Clone, Copy)]
struct Avx2(());

impl Avx2 {
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn new() -> Self {
        Self(())
    }
}

#[rustfmt::skip]
impl Lanes for Avx2 {
    type H = H;
    type V = V;
    type Families = Families;
    type Weights = Weights;

    trusting! {
        fn all(self, value: u16) -> H { H::all(value as i16) }
        fn load(self, lanes: &[u16; LANES]) -> H { H::load(lanes) }
        fn all_wide(self, value: u32) -> V { V::all(value as i32) }
        fn load_wide(self, lanes: &[u32; LANES]) -> V { V::cross(lanes) }
        fn spread(self, lanes: &[u16; LANES]) -> V { V::spread(lanes) }
        fn families(self, starts: &[u32; CONTEXTS]) -> Families { Families::new(starts) }
        fn entries(self, families: &Families, energy: H, states: V, table: &[u32; SLOTS]) -> V {
            look_up(table, H(states.and(V::all((1 << SCALE_BITS) - 1)).pack()).or(families.starts(energy)))
        }
        fn refill(self, states: V, next: V, active: Option<H>, words: &[u16; Source::ROOM]) -> (V, usize) {
            refill(states, next, active, words)
        }
        fn weights(self, weights: [i32; 6]) -> Weights { Weights::new(weights) }
        fn linear(self, weights: &Weights, taps: &Taps<H>, max: H) -> H { weights.predict(taps, max) }
        fn to_rows(self, steps: &[[u16; LANES]; BLOCK], rows: &mut [[u16; BLOCK]; LANES]) {
            to_rows(steps, rows)
        }
        fn look_up(self, tables: &Tables, keys: &[u16; LANES]) -> (V, V) { look_up_keys(tables, keys) }
        fn put(self, x: V, fits: V, words: &mut Words) { put(x, fits, words) }
    }
}

impl Narrow for H {
    narrow_methods! { H }
}

#[rustfmt::skip]
impl Wide for V {
    type H = H;
    type Mask = V;

    wide_methods! { V }
    trusting! {
        fn store(self) -> [u32; LANES] { V::uncross(self) }
        fn pack(self) -> H { H(V::pack(self)) }
        fn is_none(self) -> bool { V::is_none(self) }
        fn is_any_negative(self) -> bool { V::is_any_negative(self) }
    }
}

/// The weights of W and WW, of N and NW, of NE and NN, in every lane.
pub(super) struct Weights([V; 3]);

impl Weights {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn new([w, n, nw, ne, ww, nn]: [i32; 6]) -> Self {
        let pair = |low: i32, high: i32| V::all(high << 16 | low & 0xffff);
        Self([pair(w, ww), pair(n, nw), pair(ne, nn)])
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn predict(&self, taps: &Taps<H>, max: H) -> H {
        let [late, early, other] = self.0;
        // The taps are 2^15 too small, and weights sum to 256. W is known last.
        let early = taps.n.with_high(taps.nw).mul_pairs(early).add(V::all(128 + (1 << 23)));
        let early = early.add(taps.ne.with_high(taps.nn).mul_pairs(other));
        let sum = early.add(taps.w.with_high(taps.ww).mul_pairs(late));
        H(sum.halve::<8>().pack()).least(max)
    }
}

/// Steps of lanes become lanes of steps.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn to_rows(steps: &[[u16; LANES]; BLOCK], rows: &mut [[u16; BLOCK]; LANES]) {
    for (half, steps) in steps.as_chunks::<16>().0.iter().enumerate() {
        for (eight, rows) in rows.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut parts = [&[0; 8]; 16];
            for (part, step) in parts.iter_mut().zip(steps) {
                *part = &step.as_chunks().0[eight];
            }
            for (row, column) in rows.iter_mut().zip(transpose(parts)) {
                column.store(&mut row.as_chunks_mut().0[half]);
            }
        }
    }
}

/// The family of each context, where a byte shuffle finds it.
#[derive(Clone, Copy)]
struct Families {
    low: H,
    high: H,
}

impl Families {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(starts: &[u32; CONTEXTS]) -> Self {
        let mut bytes = [0u8; 32];
        bytes.iter_mut().zip(starts).for_each(|(byte, start)| *byte = (start >> SCALE_BITS) as u8);
        // SAFETY: `bytes` holds 32 bytes: two unaligned loads of 16.
        let (low, high) = unsafe {
            (_mm_loadu_si128(bytes.as_ptr().cast()), _mm_loadu_si128(bytes.as_ptr().add(16).cast()))
        };
        Self { low: H(_mm256_broadcastsi128_si256(low)), high: H(_mm256_broadcastsi128_si256(high)) }
    }

    /// Where the tables of the lanes begin, whose contexts these energies are.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn starts(&self, energy: H) -> H {
        // Float bits number the half octaves, from 254 on.
        let octaves = energy.least(H::all(3 << 12)).spread().float_bits().right::<22>();
        let context = H(octaves.pack()).sub(H::all(254));
        let is_high = context.is_more(H::all(15));
        let family = self.low.look_up(context).or_where(is_high, self.high.look_up(context));
        // This moves out what was looked up for the high bytes.
        family.left::<{ SCALE_BITS as i32 }>()
    }
}

/// Table entries of the slots. Loads one by one: a gather takes longer on many CPUs.
#[inline]
#[target_feature(enable = "avx2")]
fn look_up(table: &[u32; SLOTS], slots: H) -> V {
    let mut numbers = [0; LANES];
    const { assert!(SLOTS == 1 << 15) };
    slots.and(H::all((SLOTS - 1) as i16)).store(&mut numbers);
    let entry = |lane: usize| table[usize::from(numbers[lane]) % SLOTS] as i32;
    let four = |lane: usize| _mm_setr_epi32(entry(lane), entry(lane + 1), entry(lane + 2), entry(lane + 3));
    V(_mm256_setr_m128i(four(0), four(8)), _mm256_setr_m128i(four(4), four(12)))
}

/// [`Lanes::refill`]
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn refill(states: V, next: V, active: Option<H>, words: &[u16; Source::ROOM]) -> (V, usize) {
    let is_low = H(next.right::<16>().pack()).is(H::all(0));
    let is_low = active.map_or(is_low, |active| is_low.and(active));
    let (low, high) = (is_low.bits() & 0xff, is_low.bits() >> 8);
    let next = next.shift_left(is_low.and(H::all(16)).spread()).or(expand(words, low, high).spread());
    let next = active.map_or(next, |active| states.or_where(active.with_high(active), next));
    (next, (low.count_ones() + high.count_ones()) as usize)
}

/// The coming words, one after the other to the lanes of `low` and of `high`; 0 to others.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn expand(words: &[u16; Source::ROOM], low: u32, high: u32) -> H {
    const { assert!(Source::ROOM >= 16) };
    let load = |at: *const u8| {
        // SAFETY: every call below says why 16 bytes lie there; an unaligned load asks for nothing else.
        unsafe { _mm_loadu_si128(at.cast()) }
    };
    let first = (low.count_ones() as usize).min(8);
    let (words, orders) = (words.as_ptr(), EXPAND.as_ptr());
    // SAFETY: 8 words from at most number 8 on lie inside the window; EXPAND has 256 rows of 16 bytes.
    let (words, orders) = unsafe {
        (
            _mm256_setr_m128i(load(words.cast()), load(words.add(first).cast())),
            _mm256_setr_m128i(
                load(orders.add(low as usize & 255).cast()),
                load(orders.add(high as usize & 255).cast()),
            ),
        )
    };
    H(words).look_up(H(orders))
}

/// [`Lanes::put`]
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn put(x: V, fits: V, words: &mut Words) {
    let (low, high) = fits.crossed_bits();
    let packed = x.and(V::all(0xffff)).pack();
    put_half(_mm256_extracti128_si256::<1>(packed), high ^ 0xff, words);
    put_half(_mm256_castsi256_si128(packed), low ^ 0xff, words);
}

/// Writes the words of `mask`. Whole vectors are written: what is not meant lies before the words, where later
/// steps write.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
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

/// [`Lanes::look_up`]. Loads one by one: gathers take longer on many CPUs.
#[inline]
#[target_feature(enable = "avx2")]
fn look_up_keys(tables: &Tables, keys: &[u16; LANES]) -> (V, V) {
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
