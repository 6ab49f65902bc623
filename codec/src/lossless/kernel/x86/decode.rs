//! [`scalar::decode`](super::super::scalar::decode) with AVX2: the same walk, the lanes in registers.

use core::arch::x86_64::*;

use super::super::scalar::{Decoding, Source, take_wide};
use super::lanes::V;
use crate::lossless::wave::model::{CONTEXTS, GUIDE_WEIGHT, MED, weights};
use crate::lossless::wave::tables::{SCALE_BITS, SLOTS};
use crate::lossless::wave::{BLOCK, LAG, LANES, Unit};

/// What lies around the lanes: as `Around` of the plain version.
#[derive(Clone, Copy)]
struct Around {
    w: V,
    ww: V,
    n: V,
    nw: V,
    older: V,
}

/// As `Taps` of the plain version.
struct Taps {
    w: V,
    n: V,
    nw: V,
    ne: V,
    ww: V,
    nn: V,
}

impl Around {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(above: i32) -> Self {
        let none = V::all(0);
        Self { w: none, ww: none, n: none.down(above), nw: none, older: none }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn taps(&self, ne: V, nn: V, at: &Masks) -> Taps {
        Taps {
            w: self.w.or_where(at.first, self.n),
            n: self.n,
            nw: self.nw.or_where(at.first, self.n),
            ne: ne.or_where(at.last, self.n),
            ww: self.ww.or_where(at.first, self.n),
            nn,
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn shift(&mut self, own: V, taps: &Taps, ne: V) {
        *self = Self { w: own, ww: taps.w, n: ne, nw: self.n, older: self.nw };
    }
}

/// Which lanes stand on the first column, on the last, and inside the unit.
struct Masks {
    first: V,
    last: V,
    active: V,
}

/// Where the lanes stand.
struct Position {
    column: V,
    row: V,
}

impl Position {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn masks(&self, w: i32, rows: i32) -> Masks {
        let inside = V::all(w).is_more(self.column).and(self.column.is_more(V::all(-1)));
        Masks {
            first: self.column.is(V::all(0)),
            last: self.column.is(V::all(w - 1)),
            active: inside.and(V::all(rows).is_more(self.row)),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn step(&mut self, pitch: i32) {
        let next = self.column.add(V::all(1));
        let wraps = next.is(V::all(pitch));
        self.column = next.or_where(wraps, V::all(0));
        self.row = self.row.add(wraps.and(V::all(LANES as i32)));
    }
}

/// Samples and last-lane residuals of a block of steps, before they are laid out in rows.
struct Fresh {
    samples: [[u16; LANES]; BLOCK],
    residuals: [u16; BLOCK],
}

/// Decodes a unit. The CPU must have AVX2, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) fn decode(job: &mut Decoding<'_>) {
    let Unit { rows, w, pitch, steps, .. } = job.unit;
    let max = V::all((1i32 << job.bits) - 1);
    let stride = job.stride;
    let start = |row: usize| (row + 2) * stride + 2;
    let mut samples = Around::new(i32::from(job.samples[start(0) - stride]));
    let mut residuals = Around::new(i32::from(job.line[0]));
    let mut at = Position {
        column: V::load(&core::array::from_fn(|i| -((LAG * i) as i32))),
        row: V::load(&core::array::from_fn(|i| i as i32)),
    };
    let mut states = V::load(&job.states.map(|x| x as i32));
    let families = Families::new(job.starts);
    let mut fresh = Fresh { samples: [[0; LANES]; BLOCK], residuals: [0; BLOCK] };
    // What lane 0 reads above the unit's bands: (row, column) of this step and of the next.
    let (mut here, mut next) = ((0, 0), (0, 1 % pitch));
    for (block, &id) in job.predictors[..steps / BLOCK].iter().enumerate() {
        let predictor = Predictor::new(id, max);
        for step in 0..BLOCK {
            let masks = at.masks(w as i32, rows as i32);
            let read = |(row, column): (usize, usize), up: usize| {
                let inside = row < rows && column < w;
                i32::from(job.samples[if inside { start(row) - up * stride + column } else { 0 }])
            };
            let ne = samples.w.down(read(next, 1));
            let taps = samples.taps(ne, samples.older.down(read(here, 2)), &masks);
            let z_ne = residuals.w.down(i32::from(job.line[next.1]));
            let above = _mm256_cvtsi256_si32(residuals.n.0);
            let z_taps = residuals.taps(z_ne, residuals.older.down(above), &masks);

            let mut energy = energy(&z_taps);
            if let Some(guide) = &job.guide {
                energy =
                    energy.add(V::load_u16(&guide[block * BLOCK + step]).mul(V::all(GUIDE_WEIGHT as i32)));
            }
            let starts = families.starts(contexts(energy));
            let z = take_residuals(&mut states, job.table, starts, masks.active, job.source);
            if let Some(guide) = &mut job.guide {
                let guide = &mut guide[block * BLOCK + step];
                *guide = narrow(V::load_u16(guide).add(z).min(V::all(0xffff)));
            }
            let own = samples.w.or_where(masks.active, unfold(z, predictor.predict(&taps), max));

            fresh.samples[step] = narrow(own);
            fresh.residuals[step] = _mm256_extract_epi32::<7>(z.1) as u16;
            samples.shift(own, &taps, ne);
            residuals.shift(z, &z_taps, z_ne);
            at.step(pitch as i32);
            here = next;
            next.1 += 1;
            if next.1 == pitch {
                next = (next.0 + LANES, 0);
            }
        }
        lay_out(job, &fresh, block * BLOCK);
    }
    *job.states = states.store().map(|x| x as u32);
}

/// Copies a block that began with step `first` to its rows, and lane 15's residuals to the line. Lane 0 reads
/// them no earlier than a pitch less 31 steps later, and a pitch is at least two blocks.
#[inline]
fn lay_out(job: &mut Decoding<'_>, fresh: &Fresh, first: usize) {
    let Unit { rows, w, pitch, .. } = job.unit;
    for lane in 0..LANES {
        let mut step = (LAG * lane).saturating_sub(first);
        while step < BLOCK {
            let place = first + step - LAG * lane;
            let (row, column) = (place / pitch * LANES + lane, place % pitch);
            if row >= rows {
                break;
            }
            let run = (BLOCK - step).min(pitch - column);
            let inside = run.min(w.saturating_sub(column));
            if inside > 0 {
                let target = (row + 2) * job.stride + 2 + column;
                let steps = &fresh.samples[step..step + inside];
                for (sample, lanes) in job.samples[target..target + inside].iter_mut().zip(steps) {
                    *sample = lanes[lane];
                }
                if lane == LANES - 1 {
                    let residuals = &fresh.residuals[step..step + inside];
                    job.line[column..column + inside].copy_from_slice(residuals);
                }
            }
            step += run;
        }
    }
}

/// The low halves of the lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn narrow(lanes: V) -> [u16; LANES] {
    let packed = _mm256_packus_epi32(lanes.0, lanes.1);
    // The instruction packs each 128-bit half alone: the quarters come out as 0, 2, 1, 3.
    let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
    let mut out = [0; LANES];
    // SAFETY: `out` holds 32 bytes, and an unaligned store asks for nothing else.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), packed) };
    out
}

/// The family of each context, where a byte shuffle finds it.
struct Families {
    low: __m256i,
    high: __m256i,
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
        Self { low: _mm256_broadcastsi128_si256(low), high: _mm256_broadcastsi128_si256(high) }
    }

    /// Where the tables of the lanes begin.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn starts(&self, contexts: V) -> V {
        // A set top bit makes a byte of the result 0: only the lowest byte of each lane looks something up.
        let look = |half| {
            let index = _mm256_or_si256(half, _mm256_set1_epi32(0x8080_8000u32 as i32));
            let is_high = _mm256_cmpgt_epi32(half, _mm256_set1_epi32(15));
            let (low, high) = (_mm256_shuffle_epi8(self.low, index), _mm256_shuffle_epi8(self.high, index));
            _mm256_slli_epi32::<{ SCALE_BITS as i32 }>(_mm256_blendv_epi8(low, high, is_high))
        };
        V(look(contexts.0), look(contexts.1))
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn energy(z: &Taps) -> V {
    let twice = z.nw.add(z.ne).add(z.ww).add(z.n).left::<1>();
    z.w.left::<2>().add(twice).add(z.n).add(z.nn).add(V::all(1))
}

#[inline]
#[target_feature(enable = "avx2")]
fn contexts(energy: V) -> V {
    energy.float_bits().right::<22>().sub(V::all(254)).min(V::all(CONTEXTS as i32 - 1))
}

#[inline]
#[target_feature(enable = "avx2")]
fn unfold(z: V, prediction: V, max: V) -> V {
    let sign = V::all(0).sub(z.and(V::all(1)));
    prediction.add(z.right::<1>().xor(sign)).and(max)
}

/// A predictor, its weights spread over the lanes.
struct Predictor {
    is_med: bool,
    weights: [V; 6],
    max: V,
}

impl Predictor {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(id: u8, max: V) -> Self {
        let [a, b, c, d, e, f] = weights(id);
        let weights = [V::all(a), V::all(b), V::all(c), V::all(d), V::all(e), V::all(f)];
        Self { is_med: id == MED, weights, max }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn predict(&self, taps: &Taps) -> V {
        if self.is_med {
            let (least, most) = (taps.w.min(taps.n), taps.w.max(taps.n));
            return taps.w.add(taps.n).sub(taps.nw).max(least).min(most);
        }
        let [w, n, nw, ne, ww, nn] = self.weights;
        // W is known last: its product is added last.
        let early = taps.n.mul(n).add(taps.nw.mul(nw)).add(taps.ne.mul(ne));
        let early = early.add(taps.nn.mul(nn)).add(taps.ww.mul(ww)).add(V::all(128));
        early.add(taps.w.mul(w)).halve::<8>().max(V::all(0)).min(self.max)
    }
}

/// One residual for each active lane, 0 for the others.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn take_residuals(states: &mut V, table: &[u32; SLOTS], starts: V, active: V, source: &mut Source) -> V {
    let x = *states;
    let slots = starts.or(x.and(V::all((1 << SCALE_BITS) - 1)));
    let entries = look_up(table, slots);
    let offset = entries.and(V::all(0x3ff));
    let frequency = entries.right::<10>().and(V::all(0x3ff));
    let base = entries.right::<20>().and(V::all(0xff));
    let bits = entries.right::<29>();

    let next = frequency.mul(x.right::<{ SCALE_BITS as i32 }>()).add(offset);
    let raw = next.and(V::all(1).shift_left(bits).sub(V::all(1)));
    let z = base.add(raw).and(active);
    let next = next.shift_right(bits);

    let is_low = next.right::<16>().is(V::all(0)).and(active);
    let (low, high) = is_low.bits();
    let words = source.window();
    let first = low.count_ones() as usize;
    let refill = V(expand(words, 0, low), expand(words, first, high));
    let next = next.or_where(is_low, next.left::<16>().or(refill));
    let mut taken = first + high.count_ones() as usize;
    *states = x.or_where(active, next);

    let wide = entries.left::<3>().and(active).bits();
    let wide = wide.0 | wide.1 << 8;
    let z = if wide == 0 { z } else { add_wide(states, z, wide, words, &mut taken) };
    source.advance(taken);
    z
}

/// The second round by the plain version.
#[cold]
#[target_feature(enable = "avx2")]
fn add_wide(states: &mut V, z: V, wide: u32, words: &[u16; Source::ROOM], taken: &mut usize) -> V {
    let mut lanes = z.store();
    let mut x = states.store().map(|x| x as u32);
    take_wide(&mut x, &mut lanes, wide, words, taken);
    *states = V::load(&x.map(|x| x as i32));
    V::load(&lanes)
}

/// Table entries of the slots.
#[inline]
#[target_feature(enable = "avx2")]
fn look_up(table: &[u32; SLOTS], slots: V) -> V {
    let within = V::all(SLOTS as i32 - 1);
    let slots = slots.and(within);
    let table = table.as_ptr().cast();
    // SAFETY: the mask keeps every index below SLOTS, a power of two and the length of the table.
    unsafe { V(_mm256_i32gather_epi32::<4>(table, slots.0), _mm256_i32gather_epi32::<4>(table, slots.1)) }
}

/// The words from `from` on, one after the other to the lanes of `mask`. `from` is at most 8.
#[inline]
#[target_feature(enable = "avx2")]
fn expand(words: &[u16; Source::ROOM], from: usize, mask: u32) -> __m256i {
    let from = from.min(8);
    // SAFETY: 8 words from at most number 8 on lie inside the window of 32; EXPAND has 256 rows of 8 bytes, and
    // the mask of eight lanes is below 256.
    let (words, order) = unsafe {
        (
            _mm_loadu_si128(words.as_ptr().add(from).cast()),
            _mm_loadl_epi64(EXPAND.as_ptr().add(mask as usize & 255).cast()),
        )
    };
    _mm256_permutevar8x32_epi32(_mm256_cvtepu16_epi32(words), _mm256_cvtepu8_epi32(order))
}

const _: () = assert!(SLOTS.is_power_of_two() && Source::ROOM >= 16);

/// For each set of lanes, which of the coming words each lane takes.
static EXPAND: [[u8; 8]; 256] = {
    let mut rows = [[0; 8]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut lane, mut word) = (0, 0);
        while lane < 8 {
            rows[mask][lane] = word;
            word += (mask >> lane & 1) as u8;
            lane += 1;
        }
        mask += 1;
    }
    rows
};
