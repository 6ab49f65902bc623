//! [`scalar::decode_led`](super::super::scalar::decode_led) with vectors: the same walk, the lanes in registers.

use super::super::scalar::{Decoding, Edges, Stage, Walk};
use super::decode::{Around, Masks, TURN, ending, take_residuals, unfold};
use super::{Lanes, Narrow, Wide};
use crate::lossless::wave::led::{ECHO_ENDS, Hints, Led, SIGN_OCTAVES};
use crate::lossless::wave::{BLOCK, LANES};

/// Decodes a unit of a led plane.
#[inline(always)]
pub(in super::super) fn decode_led<L: Lanes>(cpu: L, job: &mut Decoding<'_>, led: Led, hints: &[Hints]) {
    match led {
        Led::Level => walk::<L, false>(cpu, job, hints),
        Led::Echo => walk::<L, true>(cpu, job, hints),
    }
}

#[inline(always)]
fn walk<L: Lanes, const ECHO: bool>(cpu: L, job: &mut Decoding<'_>, hints: &[Hints]) {
    let (mut walk, mut stage, mut edges) = (Walk::new(job.unit), Stage::new(), Edges::default());
    let mut fresh = [[0; LANES]; BLOCK];
    stage.load(job, &walk);
    stage.north.iter_mut().for_each(|sample| *sample ^= TURN);
    let mut wave = Wave {
        cpu,
        samples: Around::new(cpu.all(0), ending(&stage.north, 0)),
        residuals: Around::new(cpu.all(0), ending(&stage.residuals, 0)),
        states: cpu.load_wide(job.states),
        families: cpu.families(job.starts),
        max: cpu.all(((1u32 << job.bits) - 1) as u16),
    };
    for hints in hints.as_chunks::<BLOCK>().0 {
        stage.load(job, &walk);
        stage.north.iter_mut().for_each(|sample| *sample ^= TURN);
        if walk.is_inside() {
            wave.decode_block::<ECHO, false>(job, hints, &edges, &mut stage, &mut fresh);
        } else {
            edges.set(&walk);
            wave.decode_block::<ECHO, true>(job, hints, &edges, &mut stage, &mut fresh);
        }
        cpu.to_rows(&fresh, &mut stage.fresh);
        stage.store(job, &walk);
        walk.next_block();
    }
    *job.states = wave.states.store();
}

/// What the decoder knows from step to step.
struct Wave<L: Lanes> {
    cpu: L,
    samples: Around<L::H>,
    residuals: Around<L::H>,
    states: L::V,
    families: L::Families,
    max: L::H,
}

impl<L: Lanes> Wave<L> {
    /// Decodes the steps of a block; without `EDGE`, no lane meets a border.
    #[inline(always)]
    fn decode_block<const ECHO: bool, const EDGE: bool>(
        &mut self,
        job: &mut Decoding<'_>,
        hints: &[Hints; BLOCK],
        edges: &Edges,
        stage: &mut Stage,
        fresh: &mut [[u16; LANES]; BLOCK],
    ) {
        let (cpu, mut samples, mut residuals) = (self.cpu, self.samples, self.residuals);
        let mut states = self.states;
        for (step, hint) in hints.iter().enumerate() {
            let masks = if EDGE { Some(&Masks::new(cpu, edges, step)) } else { None };
            let active = masks.map(|masks| masks.active);
            let (mut energy, mut prediction) = (cpu.load(&hint.energies), cpu.load(&hint.leads));
            if ECHO {
                let ne = samples.w.down(ending(&stage.north, step + 1));
                let taps = samples.taps(ne, ne, masks);
                let (least, most) = (taps.w.min(taps.n), taps.w.max(taps.n));
                let median = taps.w.add(taps.n).sub(taps.nw.max(least).min(most)).xor(cpu.all(TURN));
                prediction = prediction.and(median).add(prediction.xor(median).right::<1>());
                for (tap, end) in [taps.w, taps.n, taps.nw, taps.ne].into_iter().zip(ECHO_ENDS).rev() {
                    let follows = cpu.all(end).is_more(energy);
                    prediction = prediction.or_where(follows, tap.xor(cpu.all(TURN)));
                }
                let entries = cpu.entries(&self.families, energy, states, job.table);
                let z = take_residuals(cpu, &mut states, entries, active, job.source);
                let own = unfold(z, prediction, self.max);
                own.store(&mut fresh[step]);
                let own = own.xor(cpu.all(TURN));
                let own = active.map_or(own, |active| samples.w.or_where(active, own));
                samples.shift(own, &taps, ne);
            } else {
                let z_ne = residuals.w.down(ending(&stage.residuals, step + 1));
                let taps = residuals.taps(z_ne, z_ne, masks);
                let lean = signed(taps.w).add(signed(taps.n));
                let none = cpu.all(0);
                let (less, more) = (none.is_more(lean), lean.is_more(none));
                let (even, high) =
                    (energy.left::<{ SIGN_OCTAVES as i32 }>(), energy.left::<{ 2 * SIGN_OCTAVES as i32 }>());
                energy = even.or_where(less, energy).or_where(more, high);
                let entries = cpu.entries(&self.families, energy, states, job.table);
                let z = take_residuals(cpu, &mut states, entries, active, job.source);
                unfold(z, prediction, self.max).store(&mut fresh[step]);
                stage.last_lane[step] = z.last();
                residuals.shift(z, &taps, z_ne);
            }
        }
        (self.samples, self.residuals, self.states) = (samples, residuals, states);
    }
}

/// What was folded, with its sign.
#[inline(always)]
fn signed<H: Narrow>(z: H) -> H {
    z.right::<1>().xor(z.left::<15>().halve::<15>())
}
