//! The vectors of NEON: lanes of 16 bits in two registers, lanes of 32 bits in four, all in their natural order.

use core::arch::aarch64::*;

use super::super::scalar::{self, Source, Tables, Words};
use super::super::vector::{COMPRESS, EXPAND, Lanes, Taps, kernels, trusting};
use super::narrow::H;
use super::wide::V;
use crate::lossless::wave::model::CONTEXTS;
use crate::lossless::wave::tables::{Entry, SCALE_BITS, SLOTS};
use crate::lossless::wave::{BLOCK, LANES};

// Of the plain model the compiler makes vectors.
kernels!(scalar::model, "neon", Neon::new);

/// A CPU with NEON.
#[derive(Clone, Copy)]
struct Neon(());

impl Neon {
    #[inline]
    #[target_feature(enable = "neon")]
    fn new() -> Self {
        Self(())
    }
}

#[rustfmt::skip]
impl Lanes for Neon {
    type H = H;
    type V = V;
    type Families = Families;
    type Weights = Weights;

    trusting! {
        fn all(self, value: u16) -> H { H::all(value) }
        fn load(self, lanes: &[u16; LANES]) -> H { H::load(lanes) }
        fn all_wide(self, value: u32) -> V { V::all(value) }
        fn load_wide(self, lanes: &[u32; LANES]) -> V { V::load(lanes) }
        fn spread(self, lanes: &[u16; LANES]) -> V { H::load(lanes).spread() }
        fn families(self, starts: &[u32; CONTEXTS]) -> Families { Families::new(starts) }
        fn entries(self, families: &Families, energy: H, states: V, table: &[u32; SLOTS]) -> V {
            look_up(table, states.and(V::all((1 << SCALE_BITS) - 1)).pack().or(families.starts(energy)))
        }
        fn refill(self, states: V, next: V, active: Option<H>, words: &[u16; Source::ROOM]) -> (V, usize) {
            refill(states, next, active, words)
        }
        fn weights(self, weights: [i32; 6]) -> Weights { Weights(weights.map(|weight| weight as i16)) }
        fn linear(self, weights: &Weights, taps: &Taps<H>, max: H) -> H { weights.predict(taps, max) }
        fn to_rows(self, steps: &[[u16; LANES]; BLOCK], rows: &mut [[u16; BLOCK]; LANES]) {
            to_rows(steps, rows)
        }
        fn look_up(self, tables: &Tables, keys: &[u16; LANES]) -> (V, V) { look_up_keys(tables, keys) }
        fn put(self, x: V, fits: V, words: &mut Words) { put(x, fits, words) }
    }
}

/// The weights of W, N, NW, NE, WW, NN.
struct Weights([i16; 6]);

impl Weights {
    #[inline]
    #[target_feature(enable = "neon")]
    fn predict(&self, taps: &Taps<H>, max: H) -> H {
        let [w, n, nw, ne, ww, nn] = self.0;
        // W is known last.
        let taps = [(taps.n, n), (taps.nw, nw), (taps.ne, ne), (taps.ww, ww), (taps.nn, nn), (taps.w, w)];
        let (mut low, mut high) = (Sums::new(), Sums::new());
        for (tap, weight) in taps {
            low.add(tap.0, weight);
            high.add(tap.1, weight);
        }
        H(low.round(), high.round()).least(max)
    }
}

/// Sums of products for eight lanes.
struct Sums(int32x4_t, int32x4_t);

impl Sums {
    #[inline]
    #[target_feature(enable = "neon")]
    fn new() -> Self {
        // The taps are 2^15 too small, and weights sum to 256.
        Self(vdupq_n_s32(128 + (1 << 23)), vdupq_n_s32(128 + (1 << 23)))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn add(&mut self, tap: uint16x8_t, weight: i16) {
        let (tap, weight) = (vreinterpretq_s16_u16(tap), vdupq_n_s16(weight));
        self.0 = vmlal_s16(self.0, vget_low_s16(tap), vget_low_s16(weight));
        self.1 = vmlal_high_s16(self.1, tap, weight);
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn round(self) -> uint16x8_t {
        vqmovun_high_s32(vqmovun_s32(vshrq_n_s32::<8>(self.0)), vshrq_n_s32::<8>(self.1))
    }
}

/// The family of each context, where a look-up of bytes finds it.
#[derive(Clone, Copy)]
struct Families(uint8x16x2_t);

impl Families {
    #[inline]
    #[target_feature(enable = "neon")]
    fn new(starts: &[u32; CONTEXTS]) -> Self {
        let mut bytes = [0u8; 32];
        bytes.iter_mut().zip(starts).for_each(|(byte, start)| *byte = (start >> SCALE_BITS) as u8);
        let at = bytes.as_ptr();
        // SAFETY: the array holds two registers of 16 bytes, and a load asks for nothing else.
        unsafe { Self(uint8x16x2_t(vld1q_u8(at), vld1q_u8(at.add(16)))) }
    }

    /// Where the tables of the lanes begin, whose contexts these energies are.
    #[inline]
    #[target_feature(enable = "neon")]
    fn starts(&self, energy: H) -> H {
        // Float bits number the half octaves, from 254 on.
        let octaves = energy.least(H::all(3 << 12)).spread().float_bits().right::<22>();
        let context = octaves.pack().sub(H::all(254));
        let family = |context| vreinterpretq_u16_u8(vqtbl2q_u8(self.0, vreinterpretq_u8_u16(context)));
        // The shift moves out what was looked up for the high bytes.
        H(family(context.0), family(context.1)).left::<{ SCALE_BITS as i32 }>()
    }
}

/// Table entries of the slots.
#[inline]
#[target_feature(enable = "neon")]
fn look_up(table: &[u32; SLOTS], slots: H) -> V {
    let mut numbers = [0; LANES];
    slots.store(&mut numbers);
    let entry = |lane: usize| table[usize::from(numbers[lane]) % SLOTS];
    let four = |lane: usize| {
        let first = vdupq_n_u32(entry(lane));
        let second = vsetq_lane_u32::<1>(entry(lane + 1), first);
        let third = vsetq_lane_u32::<2>(entry(lane + 2), second);
        vsetq_lane_u32::<3>(entry(lane + 3), third)
    };
    V([four(0), four(4), four(8), four(12)])
}

/// [`Lanes::refill`]
#[inline]
#[target_feature(enable = "neon")]
fn refill(states: V, next: V, active: Option<H>, words: &[u16; Source::ROOM]) -> (V, usize) {
    let is_low = next.right::<16>().pack().is(H::all(0));
    let is_low = active.map_or(is_low, |active| is_low.and(active));
    let (low, high) = (is_low.bits() & 0xff, is_low.bits() >> 8);
    let first = low.count_ones() as usize;
    let refill = H(expand(words, 0, low), expand(words, first, high)).spread();
    let next = next.shift_left(is_low.and(H::all(16)).spread()).or(refill);
    let next = active.map_or(next, |active| states.or_where(active.spread_mask(), next));
    (next, first + high.count_ones() as usize)
}

/// The words from `from` on, one after the other to the lanes of `mask`; 0 to others.
#[inline]
#[target_feature(enable = "neon")]
fn expand(words: &[u16; Source::ROOM], from: usize, mask: u32) -> uint16x8_t {
    const { assert!(Source::ROOM >= 16) };
    let words: &[u16; 8] = words[from.min(8)..].first_chunk().unwrap_or(&[0; 8]);
    let order = &EXPAND[mask as usize % EXPAND.len()];
    // SAFETY: the references hold 16 bytes, and a load asks for nothing else.
    let (words, order) = unsafe { (vld1q_u16(words.as_ptr()), vld1q_u8(order.as_ptr())) };
    vreinterpretq_u16_u8(vqtbl1q_u8(vreinterpretq_u8_u16(words), order))
}

/// Steps of lanes become lanes of steps.
#[inline]
#[target_feature(enable = "neon")]
fn to_rows(steps: &[[u16; LANES]; BLOCK], rows: &mut [[u16; BLOCK]; LANES]) {
    for (part, steps) in steps.as_chunks::<8>().0.iter().enumerate() {
        for (eight, rows) in rows.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut parts = [&[0; 8]; 8];
            for (part, step) in parts.iter_mut().zip(steps) {
                *part = &step.as_chunks().0[eight];
            }
            for (row, column) in rows.iter_mut().zip(transpose(parts)) {
                let target: &mut [u16; 8] = &mut row.as_chunks_mut().0[part];
                // SAFETY: the reference holds 16 bytes, and a store asks for nothing else.
                unsafe { vst1q_u16(target.as_mut_ptr(), column) };
            }
        }
    }
}

/// Turns eight rows of eight numbers into eight columns.
#[inline]
#[target_feature(enable = "neon")]
fn transpose(rows: [&[u16; 8]; 8]) -> [uint16x8_t; 8] {
    // SAFETY: the references hold 16 bytes, and a load asks for nothing else.
    let r = rows.map(|row| unsafe { vld1q_u16(row.as_ptr()) });
    // Numbers, then pairs, then fours change places.
    let one = |a: usize, b: usize| {
        (vreinterpretq_u32_u16(vtrn1q_u16(r[a], r[b])), vreinterpretq_u32_u16(vtrn2q_u16(r[a], r[b])))
    };
    let ((a0, a1), (a2, a3), (a4, a5), (a6, a7)) = (one(0, 1), one(2, 3), one(4, 5), one(6, 7));
    let two = |a, b| (vreinterpretq_u64_u32(vtrn1q_u32(a, b)), vreinterpretq_u64_u32(vtrn2q_u32(a, b)));
    let ((b0, b2), (b1, b3)) = (two(a0, a2), two(a1, a3));
    let ((b4, b6), (b5, b7)) = (two(a4, a6), two(a5, a7));
    let low = |a, b| vreinterpretq_u16_u64(vtrn1q_u64(a, b));
    let high = |a, b| vreinterpretq_u16_u64(vtrn2q_u64(a, b));
    let columns = [low(b0, b4), low(b1, b5), low(b2, b6), low(b3, b7)];
    let [c0, c1, c2, c3] = columns;
    [c0, c1, c2, c3, high(b0, b4), high(b1, b5), high(b2, b6), high(b3, b7)]
}

/// [`Lanes::look_up`]
#[inline]
#[target_feature(enable = "neon")]
fn look_up_keys(tables: &Tables, keys: &[u16; LANES]) -> (V, V) {
    const { assert!(size_of::<Entry>() == 8) };
    let one = |lane: usize| {
        let entry: *const Entry = tables.entry(keys[lane]);
        // SAFETY: an entry is two numbers of 4 bytes (`repr(C)`), and a load asks for nothing else.
        unsafe { vld1_u32(entry.cast()) }
    };
    let two = |lane: usize| vcombine_u32(one(lane), one(lane + 1));
    let four = |lane: usize| (two(lane), two(lane + 2));
    let (a, b, c, d) = (four(0), four(4), four(8), four(12));
    let first = |(x, y)| vuzp1q_u32(x, y);
    let second = |(x, y)| vuzp2q_u32(x, y);
    (V([first(a), first(b), first(c), first(d)]), V([second(a), second(b), second(c), second(d)]))
}

/// [`Lanes::put`]
#[inline]
#[target_feature(enable = "neon")]
fn put(x: V, fits: V, words: &mut Words) {
    let (H(low, high), full) = (x.pack(), !fits.pack().bits());
    put_half(high, full >> 8 & 0xff, words);
    put_half(low, full & 0xff, words);
}

/// Writes the words of `mask`, in whole vectors.
#[inline]
#[target_feature(enable = "neon")]
fn put_half(lanes: uint16x8_t, mask: u32, words: &mut Words) {
    if let Some(target) = words.free().last_chunk_mut::<8>() {
        let order = &COMPRESS[mask as usize % COMPRESS.len()];
        // SAFETY: the references hold 16 bytes, and loads and stores ask for nothing else.
        unsafe {
            let moved = vqtbl1q_u8(vreinterpretq_u8_u16(lanes), vld1q_u8(order.as_ptr()));
            vst1q_u16(target.as_mut_ptr(), vreinterpretq_u16_u8(moved));
        }
    }
    words.keep(mask.count_ones() as usize);
}
