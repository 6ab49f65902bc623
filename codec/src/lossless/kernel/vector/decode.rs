//! [`scalar::decode`](super::super::scalar::decode) with vectors: the same walk, the lanes in registers.
//!
//! Samples are kept with their top bit turned, which makes them signed for products of pairs.

use super::super::scalar::{Decoding, Edges, Source, Stage, Walk, take_wide};
use super::{Lanes, Narrow, Wide};
use crate::lossless::wave::model::{GUIDE_WEIGHT, MED, weights};
use crate::lossless::wave::tables::{SCALE_BITS, SLOTS, WIDE_SLOT};
use crate::lossless::wave::{BLOCK, LANES};

/// Decodes a unit.
#[inline(always)]
pub(in super::super) fn decode<L: Lanes>(cpu: L, job: &mut Decoding<'_>) {
    let (mut walk, mut stage, mut edges) = (Walk::new(job.unit), Stage::new(), Edges::default());
    let mut fresh = [[0; LANES]; BLOCK];
    let mut wave = None;
    let predictors = job.predictors;
    for (block, &id) in predictors[..job.unit.steps / BLOCK].iter().enumerate() {
        stage.load(job, &walk);
        stage.north.iter_mut().chain(&mut stage.north2).for_each(|sample| *sample ^= TURN);
        let wave = wave.get_or_insert_with(|| Wave::new(cpu, job, &stage));
        let predictor = Predictor::new(cpu, id);
        if walk.is_inside() {
            wave.decode_block::<false>(job, block, &predictor, &edges, &mut stage, &mut fresh);
        } else {
            edges.set(&walk);
            wave.decode_block::<true>(job, block, &predictor, &edges, &mut stage, &mut fresh);
        }
        cpu.to_rows(&fresh, &mut stage.fresh);
        stage.store(job, &walk);
        walk.next_block();
    }
    if let Some(wave) = wave {
        *job.states = wave.states.store();
    }
}

/// Turns the top bit of a sample.
pub(in super::super) const TURN: u16 = 1 << 15;

/// What the decoder knows from step to step.
struct Wave<L: Lanes> {
    cpu: L,
    samples: Around<L::H>,
    residuals: Around<L::H>,
    states: L::V,
    families: L::Families,
    max: L::H,
}

/// What lies around the lanes, as samples or as residuals: as in the plain version.
#[derive(Clone, Copy)]
pub(super) struct Around<H> {
    pub(super) w: H,
    ww: H,
    n: H,
    nw: H,
    older: H,
}

/// The neighbours under the border rules.
pub(in super::super) struct Taps<H> {
    pub(in super::super) w: H,
    pub(in super::super) n: H,
    pub(in super::super) nw: H,
    pub(in super::super) ne: H,
    pub(in super::super) ww: H,
    pub(in super::super) nn: H,
}

/// Which lanes stand on the first column, on the last, and inside the unit.
pub(super) struct Masks<H> {
    first: H,
    last: H,
    pub(super) active: H,
}

impl<H: Narrow> Around<H> {
    #[inline(always)]
    pub(super) fn new(none: H, north: &[u16; 8]) -> Self {
        Self { w: none, ww: none, n: none.down(north), nw: none, older: none }
    }

    /// The taps, `ne` before the border rule.
    #[inline(always)]
    pub(super) fn taps(&self, ne: H, nn: H, at: Option<&Masks<H>>) -> Taps<H> {
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

    #[inline(always)]
    pub(super) fn shift(&mut self, own: H, taps: &Taps<H>, ne: H) {
        *self = Self { w: own, ww: taps.w, n: ne, nw: self.n, older: self.nw };
    }
}

impl<H: Narrow> Masks<H> {
    #[inline(always)]
    pub(super) fn new<L: Lanes<H = H>>(cpu: L, edges: &Edges, step: usize) -> Self {
        let now = cpu.all(step as u16);
        let is_now = |[a, b]: &[[u16; LANES]; 2]| now.is(cpu.load(a)).or(now.is(cpu.load(b)));
        let is_before = |steps: &[u16; LANES]| cpu.load(steps).is_more(now);
        let [end, next, next_end] = &edges.active;
        Self {
            first: is_now(&edges.first),
            last: is_now(&edges.last),
            active: is_before(end).or(is_before(next).clears(is_before(next_end))),
        }
    }
}

/// The eight numbers that end with what lane 0 finds above at a step.
#[inline(always)]
pub(super) fn ending(numbers: &[u16; Stage::LEN], step: usize) -> &[u16; 8] {
    const { assert!(Stage::BEFORE == 7 && Stage::LEN >= BLOCK + 8) };
    numbers[step.min(BLOCK)..].first_chunk().unwrap_or(&[0; 8])
}

impl<L: Lanes> Wave<L> {
    #[inline(always)]
    fn new(cpu: L, job: &Decoding<'_>, stage: &Stage) -> Self {
        Self {
            cpu,
            samples: Around::new(cpu.all(0), ending(&stage.north, 0)),
            residuals: Around::new(cpu.all(0), ending(&stage.residuals, 0)),
            states: cpu.load_wide(job.states),
            families: cpu.families(job.starts),
            max: cpu.all(((1u32 << job.bits) - 1) as u16),
        }
    }

    /// Decodes the steps of a block; without `EDGE`, no lane meets a border.
    #[inline(always)]
    fn decode_block<const EDGE: bool>(
        &mut self,
        job: &mut Decoding<'_>,
        block: usize,
        predictor: &Predictor<L>,
        edges: &Edges,
        stage: &mut Stage,
        fresh: &mut [[u16; LANES]; BLOCK],
    ) {
        let (cpu, mut samples, mut residuals) = (self.cpu, self.samples, self.residuals);
        let mut states = self.states;
        let mut guide = job.guide.as_deref_mut().map(|guide| &mut guide[block * BLOCK..][..BLOCK]);
        for step in 0..BLOCK {
            let masks = if EDGE { Some(&Masks::new(cpu, edges, step)) } else { None };
            let z_ne = residuals.w.down(ending(&stage.residuals, step + 1));
            // Lane 0 has no lane two above: N stands for it.
            let z_nn = residuals.older.down(ending(&stage.residuals, step));
            let z_taps = residuals.taps(z_ne, z_nn, masks);
            let mut energy = energy(cpu, &z_taps);
            if let Some(guide) = &guide {
                let guide = cpu.load(&guide[step]);
                (0..GUIDE_WEIGHT).for_each(|_| energy = energy.add_up(guide));
            }
            let entries = cpu.entries(&self.families, energy, states, job.table);
            let active = masks.map(|masks| masks.active);
            let z = take_residuals(cpu, &mut states, entries, active, job.source);
            if let Some(guide) = &mut guide {
                cpu.load(&guide[step]).add_up(z).store(&mut guide[step]);
            }

            let ne = samples.w.down(ending(&stage.north, step + 1));
            let nn = samples.older.down(ending(&stage.north2, step));
            let taps = samples.taps(ne, nn, masks);
            let own = unfold(z, predictor.predict(cpu, &taps, self.max), self.max);
            own.store(&mut fresh[step]);
            stage.last_lane[step] = z.last();
            let own = own.xor(cpu.all(TURN));
            let own = active.map_or(own, |active| samples.w.or_where(active, own));
            samples.shift(own, &taps, ne);
            residuals.shift(z, &z_taps, z_ne);
        }
        (self.samples, self.residuals, self.states) = (samples, residuals, states);
    }
}

/// How large the residuals around are, up to 2^16 - 1: contexts go up to an energy of 3 * 2^12.
#[inline(always)]
fn energy<L: Lanes>(cpu: L, z: &Taps<L::H>) -> L::H {
    // W is known last.
    let half = z.n.add_up(z.nw).add_up(z.ne).add_up(z.ww).add_up(z.w.add_up(z.w));
    half.add_up(half).add_up(z.n.add_up(z.nn).add_up(cpu.all(1)))
}

#[inline(always)]
pub(super) fn unfold<H: Narrow>(z: H, prediction: H, max: H) -> H {
    let sign = z.left::<15>().halve::<15>();
    prediction.add(z.right::<1>().xor(sign)).and(max)
}

/// A predictor, its weights spread over the lanes.
struct Predictor<L: Lanes> {
    is_med: bool,
    weights: L::Weights,
}

impl<L: Lanes> Predictor<L> {
    #[inline(always)]
    fn new(cpu: L, id: u8) -> Self {
        Self { is_med: id == MED, weights: cpu.weights(weights(id)) }
    }

    #[inline(always)]
    fn predict(&self, cpu: L, taps: &Taps<L::H>, max: L::H) -> L::H {
        if self.is_med {
            let (least, most) = (taps.w.min(taps.n), taps.w.max(taps.n));
            let median = taps.w.add(taps.n).sub(taps.nw.max(least).min(most));
            median.xor(cpu.all(TURN))
        } else {
            cpu.linear(&self.weights, taps, max)
        }
    }
}

/// One residual for each active lane, 0 for the others; without `active`, all are.
#[inline(always)]
pub(super) fn take_residuals<L: Lanes>(
    cpu: L,
    states: &mut L::V,
    entries: L::V,
    active: Option<L::H>,
    source: &mut Source,
) -> L::H {
    let low_bits = |bits: u32| cpu.all_wide((1 << bits) - 1);
    let offset = entries.and(low_bits(10));
    let frequency = entries.right::<10>().and(low_bits(10));
    let base = entries.right::<20>().and(low_bits(8));
    let bits = entries.right::<29>();

    let next = frequency.mul(states.right::<{ SCALE_BITS as i32 }>()).add(offset);
    let z = cpu.all_wide(u32::MAX).shift_left(bits).clears(next).add(base).pack();
    let z = active.map_or(z, |active| z.and(active));
    let words = source.window();
    let (next, mut taken) = cpu.refill(*states, next.shift_right(bits), active, words);
    *states = next;

    let wide = entries.and(cpu.all_wide(WIDE_SLOT));
    let z = if wide.is_none() { z } else { add_wide(cpu, states, z, wide, active, words, &mut taken) };
    source.advance(taken);
    z
}

/// The second round by the plain version.
#[inline(always)]
fn add_wide<L: Lanes>(
    cpu: L,
    states: &mut L::V,
    z: L::H,
    wide: L::V,
    active: Option<L::H>,
    words: &[u16; Source::ROOM],
    taken: &mut usize,
) -> L::H {
    let wide = wide.right::<28>().pack().is(cpu.all(1));
    let wide = active.map_or(wide, |active| wide.and(active)).bits();
    let (mut x, mut lanes) = (states.store(), [0; LANES]);
    z.store(&mut lanes);
    take_wide(&mut x, &mut lanes, wide, words, taken);
    *states = cpu.load_wide(&x);
    cpu.load(&lanes)
}

const _: () = assert!(SLOTS <= 1 << 16, "a slot's number is a lane of 16 bits");
