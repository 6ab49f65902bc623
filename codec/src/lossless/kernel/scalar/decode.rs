//! From words to samples: prediction and entropy decoder walk together, a step of sixteen lanes at a time.

use super::{Edges, Stage, Walk};
use crate::lossless::wave::model::{CONTEXTS, GUIDE_WEIGHT, MED, TOKENS, raw_bits, unfold, weights};
use crate::lossless::wave::tables::{SCALE_BITS, SLOTS, WIDE_SLOT};
use crate::lossless::wave::{BLOCK, LANES, Unit};

/// A unit to be decoded.
pub(in crate::lossless) struct Decoding<'a> {
    pub(in crate::lossless) unit: Unit,
    /// Significant bits of a sample.
    pub(in crate::lossless) bits: u32,
    /// The plane from the row two above the unit, margins included.
    pub(in crate::lossless) samples: &'a mut [u16],
    /// From a row of `samples` to the next; sample 0 of a row is number 2 of it.
    pub(in crate::lossless) stride: usize,
    /// Residuals of lane 15's last row, `unit.pitch + 1` of them, kept from unit to unit of a plane.
    pub(in crate::lossless) line: &'a mut [u16],
    /// The predictor of each block.
    pub(in crate::lossless) predictors: &'a [u8],
    /// Sums of the residuals of earlier planes, step by step; this plane's are added, of idle lanes 0.
    pub(in crate::lossless) guide: Option<&'a mut [[u16; LANES]]>,
    /// Tables of 2^[`SCALE_BITS`] slots, in the form of [`DECODE`](crate::lossless::wave::tables::DECODE).
    pub(in crate::lossless) table: &'a [u32; SLOTS],
    /// Where in `table` that of each context begins, a multiple of 2^[`SCALE_BITS`].
    pub(in crate::lossless) starts: &'a [u32; CONTEXTS],
    pub(in crate::lossless) states: &'a mut [u32; LANES],
    pub(in crate::lossless) source: &'a mut Source,
}

impl Decoding<'_> {
    /// Where a row of the unit begins in `samples`.
    pub(in crate::lossless) fn start(&self, row: usize) -> usize {
        (row + 2) * self.stride + 2
    }
}

/// The words of a segment.
#[derive(Default)]
pub(in crate::lossless) struct Source {
    /// The words, then room that a step may read past the end.
    words: alloc::vec::Vec<u16>,
    /// The next word. INVARIANT: a step begins with at <= words.len() - ROOM.
    at: usize,
    overrun: bool,
}

impl Source {
    /// Words a step takes at most.
    pub(in crate::lossless) const ROOM: usize = 2 * LANES;

    /// Takes over little-endian words.
    pub(in crate::lossless) fn load(&mut self, bytes: &[u8]) {
        let (pairs, _) = bytes.as_chunks::<2>();
        self.words.clear();
        self.words.extend(pairs.iter().map(|pair| u16::from_le_bytes(*pair)));
        self.words.resize(pairs.len() + Self::ROOM, 0);
        (self.at, self.overrun) = (0, false);
    }

    /// True if exactly the words there were have been taken.
    pub(in crate::lossless) fn is_used_up(&self) -> bool {
        !self.overrun && self.at + Self::ROOM == self.words.len()
    }

    /// The words that a step may take.
    #[inline(always)]
    pub(in crate::lossless) fn window(&self) -> &[u16; Self::ROOM] {
        // The invariant makes this a slice of ROOM words; the fallback keeps the loop free of panics.
        self.words[self.at..].first_chunk().unwrap_or(&[0; Self::ROOM])
    }

    /// Goes on by what a step took; a bad stream stays at its end.
    #[inline(always)]
    pub(in crate::lossless) fn advance(&mut self, taken: usize) {
        let end = self.words.len() - Self::ROOM;
        self.at += taken;
        if self.at > end {
            self.at = end;
            self.overrun = true;
        }
    }
}

/// A number for each lane: a sample with its top bit turned, which makes it a signed number, or a residual.
type Lanes = [u16; LANES];

/// Turns the top bit of a sample.
pub(super) const TURN: u16 = 1 << 15;

/// Every lane gets what the lane above had, lane 0 gets `first`.
#[inline(always)]
fn down(lanes: &Lanes, first: u16) -> Lanes {
    let mut out = [first; LANES];
    out[1..].copy_from_slice(&lanes[..LANES - 1]);
    out
}

/// `yes` in the lanes where the mask is all ones, `no` where it is 0.
#[inline(always)]
pub(super) fn select(mask: &Lanes, yes: &Lanes, no: &Lanes) -> Lanes {
    let mut out = [0; LANES];
    for i in 0..LANES {
        out[i] = (mask[i] & yes[i]) | (!mask[i] & no[i]);
    }
    out
}

/// What lies around the lanes, as samples or as residuals, step by step: what is W of one step is WW of the next.
pub(super) struct History {
    /// Number `step` belongs to the step before.
    pub(super) own: [Lanes; BLOCK + 1],
    /// W under the border rules, likewise.
    w: [Lanes; BLOCK + 1],
    /// NE before the border rule: number `step + 3` is NE, the one before is N, then come NW and what, a lane
    /// further down, is NN.
    ne: [Lanes; BLOCK + 3],
}

/// The neighbours under the border rules.
pub(super) struct Taps {
    pub(super) w: Lanes,
    pub(super) n: Lanes,
    pub(super) nw: Lanes,
    pub(super) ne: Lanes,
    ww: Lanes,
    nn: Lanes,
}

impl History {
    /// Before the first step of a unit, with lane 0 below `north`.
    pub(super) fn new(north: u16) -> Self {
        let mut ne = [[0; LANES]; BLOCK + 3];
        ne[2][0] = north;
        Self { own: [[0; LANES]; BLOCK + 1], w: [[0; LANES]; BLOCK + 1], ne }
    }

    /// The taps of a step; `ne0` and `nn0` are what lane 0 has no lane above for.
    #[inline(always)]
    pub(super) fn taps(&mut self, step: usize, ne0: u16, nn0: u16, at: Option<&Masks>) -> Taps {
        let ne = down(&self.own[step], ne0);
        self.ne[step + 3] = ne;
        let (w, n, nw, ww) = (self.own[step], self.ne[step + 2], self.ne[step + 1], self.w[step]);
        let nn = down(&self.ne[step], nn0);
        let taps = match at {
            None => Taps { w, n, nw, ne, ww, nn },
            Some(at) => Taps {
                w: select(&at.first, &n, &w),
                n,
                nw: select(&at.first, &n, &nw),
                ne: select(&at.last, &n, &ne),
                ww: select(&at.first, &n, &ww),
                nn,
            },
        };
        self.w[step + 1] = taps.w;
        taps
    }

    /// Goes on to the next block.
    pub(super) fn next_block(&mut self) {
        self.own[0] = self.own[BLOCK];
        self.w[0] = self.w[BLOCK];
        self.ne.copy_within(BLOCK.., 0);
    }
}

/// Which lanes stand on the first column, on the last, and inside the unit: all ones or 0.
pub(super) struct Masks {
    first: Lanes,
    last: Lanes,
    pub(super) active: Lanes,
}

impl Masks {
    #[inline(always)]
    pub(super) fn new(edges: &Edges, step: usize) -> Self {
        let now = step as u16;
        let mask = |yes: bool| if yes { u16::MAX } else { 0 };
        let (mut first, mut last, mut active) = ([0; LANES], [0; LANES], [0; LANES]);
        for i in 0..LANES {
            first[i] = mask(edges.first[0][i] == now) | mask(edges.first[1][i] == now);
            last[i] = mask(edges.last[0][i] == now) | mask(edges.last[1][i] == now);
            let [end, next, next_end] = [edges.active[0][i], edges.active[1][i], edges.active[2][i]];
            active[i] = mask(now < end) | (mask(now >= next) & mask(now < next_end));
        }
        Self { first, last, active }
    }
}

#[inline(always)]
pub(in crate::lossless) fn decode(job: &mut Decoding<'_>) {
    let (mut walk, mut stage, mut edges) = (Walk::new(job.unit), Stage::new(), Edges::default());
    stage.load(job, &walk);
    let mut samples = History::new(stage.north[Stage::BEFORE] ^ TURN);
    let mut residuals = History::new(stage.residuals[Stage::BEFORE]);
    let mut starts = [0; 32];
    starts[..CONTEXTS].copy_from_slice(job.starts);
    let predictors = job.predictors;
    for (block, &id) in predictors[..job.unit.steps / BLOCK].iter().enumerate() {
        stage.load(job, &walk);
        let is_inside = walk.is_inside();
        if !is_inside {
            edges.set(&walk);
        }
        let at = Block { first: block * BLOCK, id, starts: &starts, edges: &edges };
        if is_inside {
            decode_block::<false>(job, &at, &stage, &mut samples, &mut residuals);
        } else {
            decode_block::<true>(job, &at, &stage, &mut samples, &mut residuals);
        }
        end_block(job, &mut walk, &mut stage, &mut samples, &mut residuals);
    }
}

/// Lays out what a block gave, and goes on to the next.
#[inline(always)]
pub(super) fn end_block(
    job: &mut Decoding<'_>,
    walk: &mut Walk,
    stage: &mut Stage,
    samples: &mut History,
    residuals: &mut History,
) {
    for step in 0..BLOCK {
        for lane in 0..LANES {
            stage.fresh[lane][step] = samples.own[step + 1][lane] ^ TURN;
        }
        stage.last_lane[step] = residuals.own[step + 1][LANES - 1];
    }
    stage.store(job, walk);
    samples.next_block();
    residuals.next_block();
    walk.next_block();
}

/// What is the same at all steps of a block.
struct Block<'a> {
    /// The number of the first step.
    first: usize,
    /// The predictor.
    id: u8,
    /// Where the table of each context begins.
    starts: &'a [u32; 32],
    edges: &'a Edges,
}

/// Decodes the steps of a block; without `EDGE`, no lane meets a border.
#[inline(always)]
fn decode_block<const EDGE: bool>(
    job: &mut Decoding<'_>,
    at: &Block<'_>,
    stage: &Stage,
    samples: &mut History,
    residuals: &mut History,
) {
    let c = weights(at.id).map(|c| c as i16);
    let max = ((1u32 << job.bits) - 1) as u16;
    for step in 0..BLOCK {
        let masks = if EDGE { Some(&Masks::new(at.edges, step)) } else { None };
        // Lane 0 has no lane two above: N stands for it.
        let (z_ne0, z_nn0) =
            (stage.residuals[Stage::BEFORE + step + 1], stage.residuals[Stage::BEFORE + step]);
        let z_taps = residuals.taps(step, z_ne0, z_nn0, masks);
        let mut energy = energy(&z_taps);
        if let Some(guide) = &job.guide {
            let guide = &guide[at.first + step];
            for i in 0..LANES {
                (0..GUIDE_WEIGHT).for_each(|_| energy[i] = energy[i].saturating_add(guide[i]));
            }
        }
        let active = masks.map(|masks| &masks.active);
        let z = take_residuals(job, &contexts(&energy), at.starts, active);
        if let Some(guide) = &mut job.guide {
            for (sum, z) in guide[at.first + step].iter_mut().zip(z) {
                *sum = sum.saturating_add(z);
            }
        }
        residuals.own[step + 1] = z;

        let (ne0, nn0) = (stage.north[Stage::BEFORE + step + 1], stage.north2[Stage::BEFORE + step]);
        let taps = samples.taps(step, ne0 ^ TURN, nn0 ^ TURN, masks);
        let prediction = predict(at.id, &c, &taps, max);
        let mut own = [0; LANES];
        for i in 0..LANES {
            own[i] = unfold(z[i], prediction[i] ^ TURN, max) ^ TURN;
        }
        samples.own[step + 1] = match active {
            Some(active) => select(active, &own, &samples.own[step]),
            None => own,
        };
    }
}

/// How large the residuals around are, up to 2^16 - 1: contexts go up to an energy of 3 * 2^12.
#[inline(always)]
fn energy(z: &Taps) -> Lanes {
    let mut out = [0u16; LANES];
    for i in 0..LANES {
        let half = z.n[i].saturating_add(z.nw[i]).saturating_add(z.ne[i]).saturating_add(z.ww[i]);
        let half = half.saturating_add(z.w[i]).saturating_add(z.w[i]);
        let rest = z.n[i].saturating_add(z.nn[i]).saturating_add(1);
        out[i] = half.saturating_add(half).saturating_add(rest);
    }
    out
}

#[inline(always)]
pub(super) fn contexts(energy: &Lanes) -> Lanes {
    let mut out = [0; LANES];
    for i in 0..LANES {
        // Float bits number the half octaves, from 254 on.
        let energy = i32::from(energy[i].min(3 << 12));
        out[i] = ((energy as f32).to_bits() >> 22) as u16 - 254;
    }
    out
}

/// Predictions with their top bit turned.
#[inline(always)]
fn predict(id: u8, c: &[i16; 6], taps: &Taps, max: u16) -> Lanes {
    let mut out = [0; LANES];
    if id == MED {
        for i in 0..LANES {
            let [w, n, nw] = [taps.w[i] as i16, taps.n[i] as i16, taps.nw[i] as i16];
            let between = nw.max(w.min(n)).min(w.max(n));
            out[i] = w.wrapping_add(n).wrapping_sub(between) as u16;
        }
    } else {
        for i in 0..LANES {
            let product = |tap: u16, c: i16| i32::from(tap as i16) * i32::from(c);
            let sum = product(taps.n[i], c[1]) + product(taps.nw[i], c[2]) + product(taps.ne[i], c[3]);
            let sum = sum + product(taps.ww[i], c[4]) + product(taps.nn[i], c[5]) + product(taps.w[i], c[0]);
            // Weights sum to 256: the top bit of the taps becomes that of the prediction.
            let sum = ((sum + 128) >> 8).max(i16::MIN.into()).min(i16::MAX.into()) as i16;
            out[i] = sum.min((max ^ TURN) as i16) as u16;
        }
    }
    out
}

/// One residual for each active lane, 0 for the others; without `active`, all are.
#[inline(always)]
pub(super) fn take_residuals(
    job: &mut Decoding<'_>,
    contexts: &Lanes,
    starts: &[u32; 32],
    active: Option<&Lanes>,
) -> Lanes {
    let (states, words) = (&mut *job.states, job.source.window());
    let mut taken = 0;
    let mut z = [0; LANES];
    let mut wide = 0;
    for i in 0..LANES {
        // An idle lane goes through the motions, and keeps its state.
        let is_active = active.is_none_or(|active| active[i] != 0);
        let x = states[i];
        let start = starts[usize::from(contexts[i]) % starts.len()];
        let slot = job.table[(start | x & ((1 << SCALE_BITS) - 1)) as usize % SLOTS];
        let (offset, frequency) = (slot & 0x3ff, slot >> 10 & 0x3ff);
        let (base, bits) = (slot >> 20 & 0xff, slot >> 29);
        let next = frequency * (x >> SCALE_BITS) + offset;
        let value = base + (next & !(u32::MAX << bits));
        let next = next >> bits;
        let low = next < 1 << 16;
        let more = next << 16 | u32::from(words[taken % Source::ROOM]);
        let next = if low { more } else { next };
        taken += usize::from(low & is_active);
        states[i] = if is_active { next } else { x };
        z[i] = if is_active { value as u16 } else { 0 };
        wide |= (u32::from(slot & WIDE_SLOT != 0) & u32::from(is_active)) << i;
    }
    if wide != 0 {
        take_wide(states, &mut z, wide, words, &mut taken);
    }
    job.source.advance(taken);
    z
}

/// The second round: the raw bits of large residuals, in the lanes of `wide`.
#[cold]
pub(in crate::lossless) fn take_wide(
    states: &mut [u32; LANES],
    z: &mut [u16; LANES],
    mut wide: u32,
    words: &[u16; Source::ROOM],
    taken: &mut usize,
) {
    while wide != 0 {
        let i = wide.trailing_zeros() as usize % LANES;
        wide &= wide - 1;
        // Until now z is the token.
        let (bits, base) = raw_bits(u32::from(z[i]) % TOKENS as u32);
        z[i] = (base + (states[i] & ((1 << bits) - 1))) as u16;
        states[i] >>= bits;
        if states[i] < 1 << 16 {
            states[i] = states[i] << 16 | u32::from(words[*taken % Source::ROOM]);
            *taken += 1;
        }
    }
}
