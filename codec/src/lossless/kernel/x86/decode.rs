//! [`scalar::decode`](super::super::scalar::decode) with AVX2: the same walk, the lanes in registers.
//!
//! Samples and residuals are lanes of 16 bits in one register; samples are kept with their top bit turned, which makes
//! them signed for products of pairs. States and table entries are 32-bit lanes in crossed order (see [`V::cross`]).

use core::arch::x86_64::*;

use super::super::scalar::{Decoding, Edges, Source, Stage, Walk, take_wide};
use super::lanes::V;
use super::narrow::{H, transpose};
use crate::lossless::wave::model::{CONTEXTS, GUIDE_WEIGHT, MED, weights};
use crate::lossless::wave::tables::{SCALE_BITS, SLOTS, WIDE_SLOT};
use crate::lossless::wave::{BLOCK, LANES};

/// Decodes a unit. The CPU must have AVX2, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn decode(job: &mut Decoding<'_>) {
    let (mut walk, mut stage, mut edges) = (Walk::new(job.unit), Stage::new(), Edges::default());
    let mut fresh = [[0; LANES]; BLOCK];
    let mut lanes = None;
    let predictors = job.predictors;
    for (block, &id) in predictors[..job.unit.steps / BLOCK].iter().enumerate() {
        stage.load(job, &walk);
        stage.north.iter_mut().chain(&mut stage.north2).for_each(|sample| *sample ^= TURN);
        let lanes = lanes.get_or_insert_with(|| Lanes::new(job, &stage));
        let predictor = Predictor::new(id);
        if walk.is_inside() {
            lanes.decode_block::<false>(job, block, &predictor, &edges, &mut stage, &mut fresh);
        } else {
            edges.set(&walk);
            lanes.decode_block::<true>(job, block, &predictor, &edges, &mut stage, &mut fresh);
        }
        to_rows(&fresh, &mut stage.fresh);
        stage.store(job, &walk);
        walk.next_block();
    }
    if let Some(lanes) = lanes {
        *job.states = lanes.states.uncross();
    }
}

/// Turns the top bit of a sample.
const TURN: u16 = 1 << 15;

/// What the decoder knows from step to step.
struct Lanes {
    samples: Around,
    residuals: Around,
    states: V,
    families: Families,
    max: H,
}

/// What lies around the lanes, as samples or as residuals: as in the plain version.
#[derive(Clone, Copy)]
struct Around {
    w: H,
    ww: H,
    n: H,
    nw: H,
    older: H,
}

/// The neighbours under the border rules.
struct Taps {
    w: H,
    n: H,
    nw: H,
    ne: H,
    ww: H,
    nn: H,
}

/// Which lanes stand on the first column, on the last, and inside the unit.
struct Masks {
    first: H,
    last: H,
    active: H,
}

impl Around {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(north: &[u16; 8]) -> Self {
        let none = H::all(0);
        Self { w: none, ww: none, n: none.down(north), nw: none, older: none }
    }

    /// The taps, `ne` before the border rule.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn taps(&self, ne: H, nn: H, at: Option<&Masks>) -> Taps {
        let Self { w, ww, n, nw, .. } = *self;
        let Some(at) = at else { return Taps { w, n, nw, ne, ww, nn } };
        Taps {
            w: w.or_where(at.first, n),
            n,
            nw: nw.or_where(at.first, n),
            ne: ne.or_where(at.last, n),
            ww: ww.or_where(at.first, n),
            nn,
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn shift(&mut self, own: H, taps: &Taps, ne: H) {
        *self = Self { w: own, ww: taps.w, n: ne, nw: self.n, older: self.nw };
    }
}

impl Masks {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(edges: &Edges, step: usize) -> Self {
        let now = H::all(step as i16);
        let is_now = |[a, b]: &[[i16; LANES]; 2]| now.is(H::load_signed(a)).or(now.is(H::load_signed(b)));
        let [end, next, next_end] = &edges.active;
        let on_next = H::load_signed(next).is_more(now).clears(H::load_signed(next_end).is_more(now));
        Self {
            first: is_now(&edges.first),
            last: is_now(&edges.last),
            active: H::load_signed(end).is_more(now).or(on_next),
        }
    }
}

/// The eight numbers that end with what lane 0 finds above at a step.
#[inline]
fn ending(numbers: &[u16; Stage::LEN], step: usize) -> &[u16; 8] {
    const { assert!(Stage::BEFORE == 7 && Stage::LEN >= BLOCK + 8) };
    numbers[step.min(BLOCK)..].first_chunk().unwrap_or(&[0; 8])
}

impl Lanes {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(job: &Decoding<'_>, stage: &Stage) -> Self {
        Self {
            samples: Around::new(ending(&stage.north, 0)),
            residuals: Around::new(ending(&stage.residuals, 0)),
            states: V::cross(job.states),
            families: Families::new(job.starts),
            max: H::all(((1u32 << job.bits) - 1) as i16),
        }
    }

    /// Decodes the steps of a block; without `EDGE`, no lane meets a border.
    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    fn decode_block<const EDGE: bool>(
        &mut self,
        job: &mut Decoding<'_>,
        block: usize,
        predictor: &Predictor,
        edges: &Edges,
        stage: &mut Stage,
        fresh: &mut [[u16; LANES]; BLOCK],
    ) {
        let (mut samples, mut residuals, mut states) = (self.samples, self.residuals, self.states);
        let mut guide = job.guide.as_deref_mut().map(|guide| &mut guide[block * BLOCK..][..BLOCK]);
        for step in 0..BLOCK {
            let masks = if EDGE { Some(&Masks::new(edges, step)) } else { None };
            let z_ne = residuals.w.down(ending(&stage.residuals, step + 1));
            // Lane 0 has no lane two above: N stands for it.
            let z_nn = residuals.older.down(ending(&stage.residuals, step));
            let z_taps = residuals.taps(z_ne, z_nn, masks);
            let mut energy = energy(&z_taps);
            if let Some(guide) = &guide {
                let guide = H::load(&guide[step]);
                (0..GUIDE_WEIGHT).for_each(|_| energy = energy.add_up(guide));
            }
            let starts = self.families.starts(energy);
            let active = masks.map(|masks| masks.active);
            let z = take_residuals(&mut states, job.table, starts, active, job.source);
            if let Some(guide) = &mut guide {
                H::load(&guide[step]).add_up(z).store(&mut guide[step]);
            }

            let ne = samples.w.down(ending(&stage.north, step + 1));
            let nn = samples.older.down(ending(&stage.north2, step));
            let taps = samples.taps(ne, nn, masks);
            let own = unfold(z, predictor.predict(&taps, self.max), self.max);
            own.store(&mut fresh[step]);
            stage.last_lane[step] = z.last();
            let own = own.xor(H::all(TURN as i16));
            let own = active.map_or(own, |active| samples.w.or_where(active, own));
            samples.shift(own, &taps, ne);
            residuals.shift(z, &z_taps, z_ne);
        }
        (self.samples, self.residuals, self.states) = (samples, residuals, states);
    }
}

/// Steps of lanes become lanes of steps.
#[inline]
#[target_feature(enable = "avx2")]
fn to_rows(steps: &[[u16; LANES]; BLOCK], rows: &mut [[u16; BLOCK]; LANES]) {
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

/// How large the residuals around are, up to 2^16 - 1: contexts go up to an energy of 3 * 2^12.
#[inline]
#[target_feature(enable = "avx2")]
fn energy(z: &Taps) -> H {
    // W is known last.
    let half = z.n.add_up(z.nw).add_up(z.ne).add_up(z.ww).add_up(z.w.add_up(z.w));
    half.add_up(half).add_up(z.n.add_up(z.nn).add_up(H::all(1)))
}

/// The family of each context, where a byte shuffle finds it.
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

#[inline]
#[target_feature(enable = "avx2")]
fn unfold(z: H, prediction: H, max: H) -> H {
    let sign = z.left::<15>().halve::<15>();
    prediction.add(z.right::<1>().xor(sign)).and(max)
}

/// A predictor, its weights spread over the lanes.
struct Predictor {
    is_med: bool,
    /// Weights of W and WW, of N and NW, of NE and NN.
    weights: [V; 3],
}

impl Predictor {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(id: u8) -> Self {
        let [w, n, nw, ne, ww, nn] = weights(id);
        let pair = |low: i32, high: i32| V::all(high << 16 | low & 0xffff);
        Self { is_med: id == MED, weights: [pair(w, ww), pair(n, nw), pair(ne, nn)] }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn predict(&self, taps: &Taps, max: H) -> H {
        if self.is_med {
            let (least, most) = (taps.w.min(taps.n), taps.w.max(taps.n));
            let median = taps.w.add(taps.n).sub(taps.nw.max(least).min(most));
            return median.xor(H::all(TURN as i16));
        }
        let [late, early, other] = self.weights;
        // The taps are 2^15 too small, and weights sum to 256. W is known last.
        let early = taps.n.with_high(taps.nw).mul_pairs(early).add(V::all(128 + (1 << 23)));
        let early = early.add(taps.ne.with_high(taps.nn).mul_pairs(other));
        let sum = early.add(taps.w.with_high(taps.ww).mul_pairs(late));
        H(sum.halve::<8>().pack()).least(max)
    }
}

/// One residual for each active lane, 0 for the others; without `active`, all are.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn take_residuals(
    states: &mut V,
    table: &[u32; SLOTS],
    starts: H,
    active: Option<H>,
    source: &mut Source,
) -> H {
    let x = *states;
    let slots = H(x.and(V::all((1 << SCALE_BITS) - 1)).pack()).or(starts);
    let entries = look_up(table, slots);
    let offset = entries.and(V::all(0x3ff));
    let frequency = entries.right::<10>().and(V::all(0x3ff));
    let base = entries.right::<20>().and(V::all(0xff));
    let bits = entries.right::<29>();

    let next = frequency.mul(x.right::<{ SCALE_BITS as i32 }>()).add(offset);
    let z = H(V::all(-1).shift_left(bits).clears(next).add(base).pack());
    let next = next.shift_right(bits);
    let is_low = H(next.right::<16>().pack()).is(H::all(0));
    let (z, is_low) = active.map_or((z, is_low), |active| (z.and(active), is_low.and(active)));

    let (low, high) = is_low.bits();
    let words = source.window();
    let first = low.count_ones() as usize;
    let refill = expand(words, low, first, high).spread();
    let next = next.shift_left(is_low.and(H::all(16)).spread()).or(refill);
    let mut taken = first + high.count_ones() as usize;
    *states = active.map_or(next, |active| x.or_where(active.with_high(active), next));

    let wide = entries.and(V::all(WIDE_SLOT as i32));
    let z = if wide.is_none() { z } else { add_wide(states, z, wide, active, words, &mut taken) };
    source.advance(taken);
    z
}

/// The second round by the plain version.
#[cold]
#[target_feature(enable = "avx2")]
fn add_wide(
    states: &mut V,
    z: H,
    wide: V,
    active: Option<H>,
    words: &[u16; Source::ROOM],
    taken: &mut usize,
) -> H {
    let wide = H(wide.right::<28>().pack()).is(H::all(1));
    let (low, high) = active.map_or(wide, |active| wide.and(active)).bits();
    let (mut x, mut lanes) = (states.uncross(), [0; LANES]);
    z.store(&mut lanes);
    take_wide(&mut x, &mut lanes, low | high << 8, words, taken);
    *states = V::cross(&x);
    H::load(&lanes)
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

/// The coming words, one after the other to the lanes of `low`, of which there are `first`, and of `high`; 0 to others.
#[inline]
#[target_feature(enable = "avx2")]
fn expand(words: &[u16; Source::ROOM], low: u32, first: usize, high: u32) -> H {
    const { assert!(Source::ROOM >= 16) };
    let load = |at: *const u8| {
        // SAFETY: every call below says why 16 bytes lie there; an unaligned load asks for nothing else.
        unsafe { _mm_loadu_si128(at.cast()) }
    };
    let (words, orders) = (words.as_ptr(), EXPAND.as_ptr());
    // SAFETY: 8 words from at most number 8 on lie inside the window; EXPAND has 256 rows of 16 bytes.
    let (words, orders) = unsafe {
        (
            _mm256_setr_m128i(load(words.cast()), load(words.add(first.min(8)).cast())),
            _mm256_setr_m128i(
                load(orders.add(low as usize & 255).cast()),
                load(orders.add(high as usize & 255).cast()),
            ),
        )
    };
    H(words).look_up(H(orders))
}

/// For each set of lanes, the byte shuffle that moves the coming words to them; others get 0.
static EXPAND: [[u8; 16]; 256] = {
    let mut rows = [[0x80; 16]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut lane, mut word) = (0, 0);
        while lane < 8 {
            if mask >> lane & 1 == 1 {
                rows[mask][2 * lane] = 2 * word;
                rows[mask][2 * lane + 1] = 2 * word + 1;
                word += 1;
            }
            lane += 1;
        }
        mask += 1;
    }
    rows
};
