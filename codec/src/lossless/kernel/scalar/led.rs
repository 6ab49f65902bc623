//! Planes that are led by what is shown: every sample has a lead and a level of its own, known before the plane is.

use super::decode::{History, Masks, contexts, end_block, select, take_residuals};
use super::model::{set_margins, token_key};
use super::{Decoding, Edges, Stage, Step, TURN, Tally, Walk, first_step};
use crate::lossless::plane::Plane;
use crate::lossless::wave::led::{Hints, Led, average, choose_echo, energy_of_sign};
use crate::lossless::wave::model::{CONTEXTS, context_of, fold, med, unfold};
use crate::lossless::wave::{BLOCK, LANES, Unit};

/// A unit of a led plane to be modelled.
pub(in crate::lossless) struct LedModelling<'a> {
    pub(in crate::lossless) unit: Unit,
    pub(in crate::lossless) led: Led,
    pub(in crate::lossless) plane: &'a mut Plane,
    /// What leads each sample of the unit, `unit.w` to a row.
    pub(in crate::lossless) leads: &'a [u16],
    /// The energy of each sample, likewise.
    pub(in crate::lossless) energies: &'a [u16],
    /// Folded residuals of the last rows, kept from unit to unit of a plane.
    pub(in crate::lossless) rows: &'a mut [alloc::vec::Vec<u16>; 3],
    /// Scratch, `unit.w` long.
    pub(in crate::lossless) keys: &'a mut [u16],
    /// Out: the symbols of each step.
    pub(in crate::lossless) steps: &'a mut [Step],
    /// Counts the keys.
    pub(in crate::lossless) tally: &'a mut Tally,
}

/// Turns the samples of a unit into symbols in the order of coding.
#[inline(always)]
pub(in crate::lossless) fn model_led(job: &mut LedModelling<'_>) {
    job.steps.fill(Step::EMPTY);
    for row in 0..job.unit.rows {
        let (y, w) = (job.unit.y + row, job.unit.w);
        let (leads, energies) = (&job.leads[row * w..][..w], &job.energies[row * w..][..w]);
        job.plane.set_margins(y);
        let bits = job.plane.bits();
        match job.led {
            Led::Level => fold_level(job.plane.row(y), leads, bits, &mut job.rows[y % 3][2..]),
            Led::Echo => fold_echo(job.plane, y, leads, energies, &mut job.rows[y % 3][2..]),
        }
        set_margins(job.rows, y, w);
        let keys = &mut job.keys[..w];
        let own = &job.rows[y % 3];
        match job.led {
            Led::Level => level_keys(own, &job.rows[(y + 2) % 3], energies, keys),
            Led::Echo => {
                for ((key, &z), &energy) in keys.iter_mut().zip(&own[2..]).zip(energies) {
                    *key = token_key(z, context_of(energy));
                }
            }
        }
        job.tally.count(keys);
        let (lane, steps) = (row % LANES, &mut job.steps[first_step(&job.unit, row)..]);
        for ((step, &key), &z) in steps.iter_mut().zip(&*keys).zip(&own[2..]) {
            step.keys[lane] = key;
            step.residuals[lane] = z;
        }
    }
}

#[inline(always)]
fn fold_level(samples: &[u16], leads: &[u16], bits: u32, out: &mut [u16]) {
    for ((out, &sample), &lead) in out.iter_mut().zip(samples).zip(leads) {
        *out = fold(sample, lead, bits);
    }
}

#[inline(always)]
fn fold_echo(plane: &Plane, y: usize, leads: &[u16], energies: &[u16], out: &mut [u16]) {
    let (w, bits) = (leads.len(), plane.bits());
    let at = |up: isize, dx: usize| &plane.samples()[plane.start(y as isize - up) + dx - 1..][..w];
    let (own, west) = (at(0, 1), at(0, 0));
    let (n, nw, ne) = (at(1, 1), at(1, 0), at(1, 2));
    let out = &mut out[..w];
    for x in 0..w {
        let median = med(west[x].into(), n[x].into(), nw[x].into()) as u16;
        let fresh = average(leads[x], median);
        let prediction = choose_echo(energies[x], [west[x], n[x], nw[x], ne[x]], fresh);
        out[x] = fold(own[x], prediction, bits);
    }
}

/// `own` and `above` are rows of residuals with their margins.
#[inline(always)]
fn level_keys(own: &[u16], above: &[u16], energies: &[u16], keys: &mut [u16]) {
    let w = keys.len();
    let (own, west, north, energies) = (&own[2..][..w], &own[1..][..w], &above[2..][..w], &energies[..w]);
    for x in 0..w {
        let energy = energy_of_sign(energies[x], west[x], north[x]);
        keys[x] = token_key(own[x], context_of(energy));
    }
}

/// Decodes a unit of a led plane; of `job`, predictors and guide have no part in it. `hints` has each step's.
#[inline(always)]
pub(in crate::lossless) fn decode_led(job: &mut Decoding<'_>, led: Led, hints: &[Hints]) {
    let (mut walk, mut stage, mut edges) = (Walk::new(job.unit), Stage::new(), Edges::default());
    stage.load(job, &walk);
    let mut samples = History::new(stage.north[Stage::BEFORE] ^ TURN);
    let mut residuals = History::new(stage.residuals[Stage::BEFORE]);
    let mut starts = [0; 32];
    starts[..CONTEXTS].copy_from_slice(job.starts);
    let max = ((1u32 << job.bits) - 1) as u16;
    for hints in hints.chunks_exact(BLOCK) {
        stage.load(job, &walk);
        edges.set(&walk);
        for (step, hint) in hints.iter().enumerate() {
            let masks = Masks::new(&edges, step);
            let (z_ne0, z_nn0) =
                (stage.residuals[Stage::BEFORE + step + 1], stage.residuals[Stage::BEFORE + step]);
            let z_taps = residuals.taps(step, z_ne0, z_nn0, Some(&masks));
            let (ne0, nn0) = (stage.north[Stage::BEFORE + step + 1], stage.north2[Stage::BEFORE + step]);
            let taps = samples.taps(step, ne0 ^ TURN, nn0 ^ TURN, Some(&masks));
            let (mut energy, mut prediction) = (hint.energies, hint.leads);
            for i in 0..LANES {
                match led {
                    Led::Level => energy[i] = energy_of_sign(energy[i], z_taps.w[i], z_taps.n[i]),
                    Led::Echo => {
                        let around = [taps.w[i], taps.n[i], taps.nw[i], taps.ne[i]].map(|tap| tap ^ TURN);
                        let median = med(around[0].into(), around[1].into(), around[2].into()) as u16;
                        prediction[i] = choose_echo(energy[i], around, average(prediction[i], median));
                    }
                }
            }
            let z = take_residuals(job, &contexts(&energy), &starts, Some(&masks.active));
            residuals.own[step + 1] = z;
            let mut own = [0; LANES];
            for i in 0..LANES {
                own[i] = unfold(z[i], prediction[i], max) ^ TURN;
            }
            samples.own[step + 1] = select(&masks.active, &own, &samples.own[step]);
        }
        end_block(job, &mut walk, &mut stage, &mut samples, &mut residuals);
    }
}
