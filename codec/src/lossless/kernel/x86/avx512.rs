//! The vectors of AVX-512: lanes of 32 bits in one register, in their natural order; lanes of 16 bits are AVX2's.

use core::arch::x86_64::*;

use super::super::scalar::{Source, Tables, Words};
use super::super::vector::{Lanes, Taps, Wide, kernels, trusting};
use super::avx2::{Weights, to_rows};
use super::model;
use super::narrow::H;
use crate::lossless::wave::model::CONTEXTS;
use crate::lossless::wave::tables::{Entry, SLOTS};
use crate::lossless::wave::{BLOCK, LANES};

kernels!(
    // SAFETY: the invariant of `kernels!`.
    |job| unsafe { model::model(job) },
    "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl",
    Avx512::new
);

/// A CPU with AVX-512 F, BW and VL, and all that AVX2 has.
#[derive(Clone, Copy)]
struct Avx512(());

impl Avx512 {
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,avx512f,avx512bw,avx512vl")]
    fn new() -> Self {
        Self(())
    }
}

#[rustfmt::skip]
impl Lanes for Avx512 {
    type H = H;
    type V = Z;
    type Families = Families;
    type Weights = Weights;

    trusting! {
        fn all(self, value: u16) -> H { H::all(value as i16) }
        fn load(self, lanes: &[u16; LANES]) -> H { H::load(lanes) }
        fn all_wide(self, value: u32) -> Z { Z(_mm512_set1_epi32(value as i32)) }
        // A reference to the lanes is all that an unaligned load asks for.
        fn load_wide(self, lanes: &[u32; LANES]) -> Z { Z(_mm512_loadu_si512(lanes.as_ptr().cast())) }
        fn spread(self, lanes: &[u16; LANES]) -> Z { Z(_mm512_cvtepu16_epi32(H::load(lanes).0)) }
        fn families(self, starts: &[u32; CONTEXTS]) -> Families { Families::new(starts) }
        fn entries(self, families: &Families, energy: H, states: Z, table: &[u32; SLOTS]) -> Z {
            families.entries(energy, states, table)
        }
        fn refill(self, states: Z, next: Z, active: Option<H>, words: &[u16; Source::ROOM]) -> (Z, usize) {
            refill(states, next, active, words)
        }
        fn weights(self, weights: [i32; 6]) -> Weights { Weights::new(weights) }
        fn linear(self, weights: &Weights, taps: &Taps<H>, max: H) -> H { weights.predict(taps, max) }
        fn to_rows(self, steps: &[[u16; LANES]; BLOCK], rows: &mut [[u16; BLOCK]; LANES]) {
            to_rows(steps, rows)
        }
        fn look_up(self, tables: &Tables, keys: &[u16; LANES]) -> (Z, Z) { look_up_keys(tables, keys) }
        fn put(self, x: Z, fits: __mmask16, words: &mut Words) { put(x, fits, words) }
    }
}

/// Sixteen lanes of 32 bits. A value exists only where the CPU has AVX-512 F, BW and VL.
#[derive(Clone, Copy)]
struct Z(__m512i);

#[rustfmt::skip]
impl Wide for Z {
    type H = H;
    type Mask = __mmask16;

    trusting! {
        fn store(self) -> [u32; LANES] { store(self) }
        fn add(self, other: Z) -> Z { Z(_mm512_add_epi32(self.0, other.0)) }
        fn sub(self, other: Z) -> Z { Z(_mm512_sub_epi32(self.0, other.0)) }
        fn mul(self, other: Z) -> Z { Z(_mm512_mullo_epi32(self.0, other.0)) }
        fn high_product(self, other: Z) -> Z { high_product(self, other) }
        fn and(self, other: Z) -> Z { Z(_mm512_and_si512(self.0, other.0)) }
        fn or(self, other: Z) -> Z { Z(_mm512_or_si512(self.0, other.0)) }
        fn clears(self, other: Z) -> Z { Z(_mm512_andnot_si512(self.0, other.0)) }
        fn is_more(self, other: Z) -> __mmask16 { _mm512_cmpgt_epi32_mask(self.0, other.0) }
        fn or_where(self, mask: __mmask16, other: Z) -> Z { Z(_mm512_mask_mov_epi32(self.0, mask, other.0)) }
        fn unless(self, mask: __mmask16) -> Z { Z(_mm512_maskz_mov_epi32(!mask, self.0)) }
        fn shift_left(self, other: Z) -> Z { Z(_mm512_sllv_epi32(self.0, other.0)) }
        fn shift_right(self, other: Z) -> Z { Z(_mm512_srlv_epi32(self.0, other.0)) }
        fn left<const BITS: i32>(self) -> Z { Z(_mm512_sll_epi32(self.0, _mm_cvtsi32_si128(BITS))) }
        fn right<const BITS: i32>(self) -> Z { Z(_mm512_srl_epi32(self.0, _mm_cvtsi32_si128(BITS))) }
        fn pack(self) -> H { H(_mm512_cvtepi32_epi16(self.0)) }
        fn is_none(self) -> bool { _mm512_test_epi32_mask(self.0, self.0) == 0 }
        fn is_any_negative(self) -> bool { _mm512_cmplt_epi32_mask(self.0, _mm512_setzero_si512()) != 0 }
    }
}

/// [`Wide::store`]
#[inline]
#[target_feature(enable = "avx512f")]
fn store(z: Z) -> [u32; LANES] {
    let mut lanes = [0; LANES];
    // SAFETY: the array holds 64 bytes, and an unaligned store asks for nothing else.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), z.0) };
    lanes
}

/// [`Wide::high_product`]
#[inline]
#[target_feature(enable = "avx512f")]
fn high_product(a: Z, b: Z) -> Z {
    let even = _mm512_srli_epi64::<32>(_mm512_mul_epu32(a.0, b.0));
    let odd = _mm512_mul_epu32(_mm512_srli_epi64::<32>(a.0), _mm512_srli_epi64::<32>(b.0));
    Z(_mm512_mask_mov_epi32(even, 0b1010_1010_1010_1010, odd))
}

/// The start of each context's table, at the place that the number of its half octave has in a register pair.
/// INVARIANT: the starts are multiples of 2^10 below [`SLOTS`].
#[derive(Clone, Copy)]
struct Families {
    low: __m512i,
    high: __m512i,
}

impl Families {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(starts: &[u32; CONTEXTS]) -> Self {
        let mut places = [0; 2 * LANES];
        for (context, start) in starts.iter().enumerate() {
            places[(context + 254) % places.len()] = start & (SLOTS as u32 - 1) & !0x3ff;
        }
        let at: *const u32 = places.as_ptr();
        // SAFETY: the array holds two registers of 64 bytes, and unaligned loads ask for nothing else.
        let (low, high) =
            unsafe { (_mm512_loadu_si512(at.cast()), _mm512_loadu_si512(at.add(LANES).cast())) };
        Self { low, high }
    }

    /// [`Lanes::entries`]
    #[inline]
    #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl")]
    fn entries(&self, energy: H, states: Z, table: &[u32; SLOTS]) -> Z {
        let least = _mm256_min_epu16(energy.0, _mm256_set1_epi16(3 << 12));
        let float = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(least)));
        // Float bits number the half octaves, from 254 on; the look-up takes the number modulo 32.
        let octave = _mm512_srli_epi32::<22>(float);
        let start = _mm512_permutex2var_epi32(self.low, octave, self.high);
        let slot = _mm512_or_si512(start, _mm512_and_si512(states.0, _mm512_set1_epi32(0x3ff)));
        const { assert!(SLOTS.is_power_of_two()) };
        // SAFETY: by the invariant, slots are below SLOTS, the length of the table.
        Z(unsafe { _mm512_i32gather_epi32::<4>(slot, table.as_ptr().cast()) })
    }
}

/// [`Lanes::refill`]
#[inline]
#[target_feature(enable = "avx2,popcnt,avx512f,avx512bw,avx512vl")]
fn refill(states: Z, next: Z, active: Option<H>, words: &[u16; Source::ROOM]) -> (Z, usize) {
    let active = active.map_or(u16::MAX, |active| _mm256_movepi16_mask(active.0));
    let low = _mm512_mask_cmplt_epu32_mask(active, next.0, _mm512_set1_epi32(1 << 16));
    const { assert!(Source::ROOM >= LANES) };
    // SAFETY: the window holds at least 32 bytes, and an unaligned load asks for nothing else.
    let words = unsafe { _mm256_loadu_si256(words.as_ptr().cast()) };
    let refill = _mm512_maskz_expand_epi32(low, _mm512_cvtepu16_epi32(words));
    let next = _mm512_or_si512(_mm512_mask_slli_epi32::<16>(next.0, low, next.0), refill);
    (Z(_mm512_mask_mov_epi32(states.0, active, next)), low.count_ones() as usize)
}

/// [`Lanes::look_up`]
#[inline]
#[target_feature(enable = "avx2,avx512f")]
fn look_up_keys(tables: &Tables, keys: &[u16; LANES]) -> (Z, Z) {
    let keys = H::load(keys).and(H::all(Tables::LEN as i16 - 1)).0;
    let (low, high) = (_mm256_castsi256_si128(keys), _mm256_extracti128_si256::<1>(keys));
    let entries = tables.entries().as_ptr().cast();
    const { assert!(Tables::LEN.is_power_of_two() && size_of::<Entry>() == 8) };
    // SAFETY: the mask keeps every number below LEN, the number of entries, which are 8 bytes each.
    let (low, high) = unsafe {
        (
            _mm512_i32gather_epi64::<8>(_mm256_cvtepu16_epi32(low), entries),
            _mm512_i32gather_epi64::<8>(_mm256_cvtepu16_epi32(high), entries),
        )
    };
    // An entry is two numbers of 4 bytes (`repr(C)`).
    let first = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let second = _mm512_or_si512(first, _mm512_set1_epi32(1));
    (Z(_mm512_permutex2var_epi32(low, first, high)), Z(_mm512_permutex2var_epi32(low, second, high)))
}

/// [`Lanes::put`]
#[inline]
#[target_feature(enable = "avx2,popcnt,avx512f,avx512bw,avx512vl")]
fn put(x: Z, fits: __mmask16, words: &mut Words) {
    let lanes = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(!fits, x.0));
    let count = fits.count_zeros() as usize;
    if let Some(target) = words.free().last_chunk_mut::<LANES>() {
        let mask = ((1u32 << count) - 1) as u16;
        // SAFETY: of the `LANES` words of `target` the last `count` are written, and nothing else is touched.
        unsafe { _mm256_mask_storeu_epi16(target.as_mut_ptr().add(LANES - count).cast(), mask, lanes) };
    }
    words.keep(count);
}
