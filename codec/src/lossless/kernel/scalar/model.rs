//! From samples to symbols, row by row: the encoder knows all samples, so only the order of the output is skewed.

use alloc::vec::Vec;

use super::Step;
use crate::lossless::plane::Plane;
use crate::lossless::wave::model::{
    BANK, CONTEXTS, MED, PREDICTORS, context, fold, from_signed_sum, linear, med, signed_product, token,
    weights,
};
use crate::lossless::wave::{BLOCK, LAG, LANES, Search, Unit};

/// A unit to be modelled.
pub(in crate::lossless) struct Modelling<'a> {
    pub(in crate::lossless) unit: Unit,
    pub(in crate::lossless) plane: &'a mut Plane,
    pub(in crate::lossless) search: Search,
    /// Kept from unit to unit of a plane.
    pub(in crate::lossless) residuals: &'a mut Residuals,
    /// Sums of the residuals of earlier planes at the same places, `unit.w` to a row; this plane's are added.
    pub(in crate::lossless) guide: Option<&'a mut [u16]>,
    /// Scratch: the cost of each predictor in each block.
    pub(in crate::lossless) costs: &'a mut [[u32; PREDICTORS]],
    /// Out: the predictor of each block.
    pub(in crate::lossless) predictors: &'a mut [u8],
    /// Out: the symbols of each step.
    pub(in crate::lossless) steps: &'a mut [Step],
    /// Out: how often each token was seen in each context.
    pub(in crate::lossless) counts: &'a mut Counts,
}

/// `[context][token]`, rows of 64.
pub(in crate::lossless) type Counts = [[u32; 64]; CONTEXTS];

/// Folded residuals of the last rows, with the margins that contexts read.
#[derive(Default)]
pub(in crate::lossless) struct Residuals {
    /// Row `y` is number `y % 3`; each begins with the margin of W and WW.
    pub(in crate::lossless) rows: [Vec<u16>; 3],
    keys: Vec<u16>,
    /// Room for kernels that lay symbols out in lines, or a guide in whole vectors.
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    pub(in crate::lossless) lines: [Vec<u16>; 2],
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    pub(in crate::lossless) guide: Vec<u16>,
    pub(in crate::lossless) tally: Tally,
}

impl Residuals {
    /// Numbers after a row, which a kernel may read or write together with its end.
    const AFTER: usize = 16;

    /// Forgets the last plane; rows are `w` long now.
    pub(in crate::lossless) fn reset(&mut self, w: usize) {
        for row in &mut self.rows {
            row.clear();
            row.resize(w + 3 + Self::AFTER, 0);
        }
        self.keys.clear();
        self.keys.resize(w, 0);
    }
}

/// Counts keys in several tables by turns: where one key follows itself, its count need not wait for the last.
#[derive(Default)]
pub(in crate::lossless) struct Tally(Vec<[u32; Tally::KEYS]>);

impl Tally {
    /// A power of two above all keys.
    const KEYS: usize = 32 * 64;
    const TABLES: usize = 4;

    pub(in crate::lossless) fn clear(&mut self) {
        self.0.resize(Self::TABLES, [0; Self::KEYS]);
        self.0.fill([0; Self::KEYS]);
    }

    #[inline(always)]
    pub(in crate::lossless) fn count(&mut self, keys: &[u16]) {
        let Some(tables) = self.0.first_chunk_mut::<{ Self::TABLES }>() else { return };
        let (turns, rest) = keys.as_chunks::<{ Self::TABLES }>();
        for turn in turns {
            for (table, &key) in tables.iter_mut().zip(turn) {
                table[usize::from(key) % Self::KEYS] += 1;
            }
        }
        rest.iter().for_each(|&key| tables[0][usize::from(key) % Self::KEYS] += 1);
    }

    #[inline(always)]
    pub(in crate::lossless) fn sum(&self, counts: &mut Counts) {
        for (key, count) in counts.as_flattened_mut().iter_mut().enumerate() {
            *count = self.0.iter().map(|table| table[key]).sum();
        }
    }
}

#[inline(always)]
pub(in crate::lossless) fn model(job: &mut Modelling<'_>) {
    job.steps.fill(Step::EMPTY);
    job.residuals.tally.clear();
    match job.search {
        Search::None => job.predictors.fill(MED),
        Search::Sampled => choose(job, 4),
        Search::All => choose(job, 1),
    }
    for row in 0..job.unit.rows {
        fold_row(job, row);
        emit_row(job, row);
    }
    job.residuals.tally.sum(job.counts);
}

/// The step at which the lane of `row` stands on column 0.
#[inline(always)]
pub(super) fn first_step(unit: &Unit, row: usize) -> usize {
    row / LANES * unit.pitch + LAG * (row % LANES)
}

/// The columns of a row that lie in one block each: (block, first column, end column).
#[inline(always)]
pub(in crate::lossless) fn stretches(unit: &Unit, row: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let (start, w) = (first_step(unit, row), unit.w);
    (start / BLOCK..=(start + w - 1) / BLOCK).map(move |block| {
        let first = (block * BLOCK).saturating_sub(start);
        (block, first, ((block + 1) * BLOCK - start).min(w))
    })
}

/// A stretch of a row and its neighbours, all of one length.
pub(in crate::lossless) struct Stretch<'a> {
    sample: &'a [u16],
    w: &'a [u16],
    ww: &'a [u16],
    n: &'a [u16],
    nw: &'a [u16],
    ne: &'a [u16],
    nn: &'a [u16],
}

impl<'a> Stretch<'a> {
    /// Columns `from..to` of row `y`, whose margins are set.
    #[inline(always)]
    pub(in crate::lossless) fn new(plane: &'a Plane, y: usize, from: usize, to: usize) -> Self {
        let (all, len) = (plane.samples(), to - from);
        let at = |y: isize, dx: usize| &all[plane.start(y) + from + dx - 2..][..len];
        let y = y as isize;
        Self {
            sample: at(y, 2),
            w: at(y, 1),
            ww: at(y, 0),
            n: at(y - 1, 2),
            nw: at(y - 1, 1),
            ne: at(y - 1, 3),
            nn: at(y - 2, 2),
        }
    }

    #[inline(always)]
    fn taps(&self, i: usize) -> [u16; 6] {
        [self.w[i], self.n[i], self.nw[i], self.ne[i], self.ww[i], self.nn[i]]
    }

    #[inline(always)]
    fn med(&self, i: usize) -> u16 {
        med(self.w[i].into(), self.n[i].into(), self.nw[i].into()) as u16
    }
}

/// The weights with predictors side by side, as they are tried side by side; [`MED`] has none.
const COLUMNS: [[i16; PREDICTORS]; 6] = {
    let mut columns = [[0; PREDICTORS]; 6];
    let mut id = 1;
    while id < PREDICTORS {
        let mut tap = 0;
        while tap < 6 {
            columns[tap][id] = BANK[id - 1][tap];
            tap += 1;
        }
        id += 1;
    }
    columns
};

/// Chooses for each block the predictor with the cheapest errors on every `stride`th step.
#[inline(always)]
fn choose(job: &mut Modelling<'_>, stride: usize) {
    job.costs.fill([0; PREDICTORS]);
    let max = (1 << job.plane.bits()) - 1;
    for row in 0..job.unit.rows {
        let y = job.unit.y + row;
        job.plane.set_margins(y);
        let start = first_step(&job.unit, row);
        for (block, from, to) in stretches(&job.unit, row) {
            let stretch = Stretch::new(job.plane, y, from, to);
            let phase = (stride + 1 - (start + from) % stride) % stride;
            try_stretch(&mut job.costs[block], &stretch, phase, stride, max);
        }
    }
    take_cheapest(job);
}

/// Of predictors that cost the same, the first.
#[inline(always)]
pub(in crate::lossless) fn take_cheapest(job: &mut Modelling<'_>) {
    for (id, cost) in job.predictors.iter_mut().zip(&*job.costs) {
        let mut best = 0;
        for (i, c) in cost.iter().enumerate() {
            if *c < cost[best] {
                best = i;
            }
        }
        *id = best as u8;
    }
}

/// A sample anywhere in a plane, and W, N, NW, NE, WW and NN under the border rules.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[inline(always)]
pub(in crate::lossless) fn border_taps(plane: &Plane, y: usize, x: usize) -> (u16, [u16; 6]) {
    let row = |up: isize| &plane.samples()[plane.start(y as isize - up)..][..plane.w()];
    let (own, above) = (row(0), row(1));
    let n = above[x];
    let (w, nw) = if x > 0 { (own[x - 1], above[x - 1]) } else { (n, n) };
    let ne = if x + 1 < plane.w() { above[x + 1] } else { n };
    // In column 1, WW is what W was in column 0.
    let ww = if x > 1 { own[x - 2] } else { above[0] };
    (own[x], [w, n, nw, ne, ww, row(2)[x]])
}

/// Adds the errors of all predictors on samples `phase`, `phase + stride`, ... of a stretch to their costs.
#[inline(always)]
pub(in crate::lossless) fn try_stretch(
    cost: &mut [u32; PREDICTORS],
    stretch: &Stretch<'_>,
    phase: usize,
    stride: usize,
    max: i32,
) {
    let max = max as u16;
    for i in (phase..stretch.sample.len()).step_by(stride) {
        let (sample, taps) = (stretch.sample[i], stretch.taps(i));
        let mut sums = [0; PREDICTORS];
        for (&tap, column) in taps.iter().zip(&COLUMNS) {
            for (sum, &weight) in sums.iter_mut().zip(column) {
                *sum += signed_product(tap, weight);
            }
        }
        let mut predictions = [0; PREDICTORS];
        for id in 0..PREDICTORS {
            predictions[id] = from_signed_sum(sums[id], max);
        }
        predictions[usize::from(MED)] = stretch.med(i);
        for (cost, prediction) in cost.iter_mut().zip(predictions) {
            *cost += size(sample.abs_diff(prediction));
        }
    }
}

/// What an error counts for in a choice: a logarithm, in 1/128 and with a constant, as its code will be so long. One
/// bad sample does not outweigh many good ones, and small errors differ little, as contexts tell them apart badly.
#[inline(always)]
fn size(error: u16) -> u32 {
    ((u32::from(error) + SMALL_ERROR) as i32 as f32).to_bits() >> 16
}

/// Errors below this count for about the same.
pub(in crate::lossless) const SMALL_ERROR: u32 = 4;

/// Predicts a row and folds its residuals.
#[inline(always)]
fn fold_row(job: &mut Modelling<'_>, row: usize) {
    let y = job.unit.y + row;
    job.plane.set_margins(y);
    let bits = job.plane.bits();
    let max = ((1u32 << bits) - 1) as u16;
    let out = &mut job.residuals.rows[y % 3][2..];
    for (block, from, to) in stretches(&job.unit, row) {
        let stretch = Stretch::new(job.plane, y, from, to);
        let (len, out) = (to - from, &mut out[from..to]);
        let id = job.predictors[block];
        if id == MED {
            for i in 0..len {
                out[i] = fold(stretch.sample[i], stretch.med(i), bits);
            }
        } else {
            let c = weights(id).map(|c| c as i16);
            for i in 0..len {
                let prediction = linear(&c, stretch.taps(i), max);
                out[i] = fold(stretch.sample[i], prediction, bits);
            }
        }
    }
}

/// Makes symbols of a row's residuals, counts them, and lays them out in the order of coding.
#[inline(always)]
fn emit_row(job: &mut Modelling<'_>, row: usize) {
    let (y, w) = (job.unit.y + row, job.unit.w);
    let mut rows = core::mem::take(&mut job.residuals.rows);
    set_margins(&mut rows, y, w);
    let [own, above, above2] = [y, y + 2, y + 1].map(|y| &rows[y % 3]);
    // Lane 0 does not keep the row two above: the row above stands for it.
    let above2 = if row.is_multiple_of(LANES) { above } else { above2 };
    let (own, wz, wwz) = (&own[2..][..w], &own[1..][..w], &own[..w]);
    let (nz, nwz, nez, nnz) = (&above[2..][..w], &above[1..][..w], &above[3..][..w], &above2[2..][..w]);
    let around = |x: usize| [wz[x], nz[x], nwz[x], nez[x], wwz[x], nnz[x]].map(u32::from);
    let keys = &mut job.residuals.keys[..w];
    if let Some(guide) = &mut job.guide {
        let guide = &mut guide[row * w..][..w];
        for x in 0..w {
            keys[x] = token_key(own[x], context(around(x), u32::from(guide[x])));
            guide[x] = guide[x].saturating_add(own[x]);
        }
    } else {
        for x in 0..w {
            keys[x] = token_key(own[x], context(around(x), 0));
        }
    }
    let (lane, steps) = (row % LANES, &mut job.steps[first_step(&job.unit, row)..]);
    job.residuals.tally.count(keys);
    for ((step, &key), &z) in steps.iter_mut().zip(&*keys).zip(own) {
        step.keys[lane] = key;
        step.residuals[lane] = z;
    }
    job.residuals.rows = rows;
}

#[inline(always)]
pub(super) fn token_key(z: u16, ctx: u32) -> u16 {
    (token(z.into()) | ctx << 6) as u16
}

/// The margins of residuals follow the rule of [`Plane::set_margins`].
#[inline(always)]
pub(in crate::lossless) fn set_margins(rows: &mut [Vec<u16>; 3], y: usize, w: usize) {
    let above = &mut rows[(y + 2) % 3];
    let (first, last) = (above[2], above[w + 1]);
    above[1] = first;
    above[w + 2] = last;
    let own = &mut rows[y % 3];
    own[0] = first;
    own[1] = first;
}
