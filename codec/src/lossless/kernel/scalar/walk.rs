//! How a decoder walks through a unit, a block of steps at a time: where the lanes stand, what lane 0 finds above,
//! and where the samples go.

use super::Decoding;
use crate::lossless::wave::{BLOCK, LAG, LANES, Unit};

/// Where the lanes stand at the first step of a block.
pub(in crate::lossless) struct Walk {
    unit: Unit,
    /// The row of lane 0, a multiple of [`LANES`].
    row: usize,
    /// The column of lane 0, below the unit's pitch.
    column: usize,
}

/// A lane during a block: at steps 0..`end` on `row`, from `column` on, and at steps `next`..`next_end` on the row
/// [`LANES`] further down, from column 0 on. At other steps it is idle.
pub(in crate::lossless) struct Run {
    pub(in crate::lossless) row: usize,
    pub(in crate::lossless) column: usize,
    pub(in crate::lossless) end: usize,
    pub(in crate::lossless) next: usize,
    pub(in crate::lossless) next_end: usize,
}

impl Walk {
    pub(in crate::lossless) fn new(unit: Unit) -> Self {
        Self { unit, row: 0, column: 0 }
    }

    pub(in crate::lossless) fn next_block(&mut self) {
        self.column += BLOCK;
        if self.column >= self.unit.pitch {
            self.column -= self.unit.pitch;
            self.row += LANES;
        }
    }

    /// True if during this block all lanes are active, and none on the first or the last column.
    pub(in crate::lossless) fn is_inside(&self) -> bool {
        self.column > LAG * (LANES - 1)
            && self.column + BLOCK < self.unit.w
            && self.row + LANES <= self.unit.rows
    }

    #[inline(always)]
    pub(in crate::lossless) fn run(&self, lane: usize) -> Run {
        let Unit { rows, w, pitch, .. } = self.unit;
        // A lane that has yet to reach column 0 of its row is at the end of the row before, be there one or not.
        let behind = LAG * lane;
        let (row, column) = if behind <= self.column {
            (self.row + lane, self.column - behind)
        } else {
            ((self.row + lane).wrapping_sub(LANES), self.column + pitch - behind)
        };
        let end = if row < rows { w.saturating_sub(column).min(BLOCK) } else { 0 };
        let next = (pitch - column).min(BLOCK);
        let next_end = if row.wrapping_add(LANES) < rows { (next + w).min(BLOCK) } else { next };
        Run { row, column, end, next, next_end }
    }
}

/// The steps of a block at which lanes meet the borders of the unit. No step has number `BLOCK` or more.
#[derive(Default)]
pub(in crate::lossless) struct Edges {
    /// On column 0, of this row or of the next.
    pub(in crate::lossless) first: [[u16; LANES]; 2],
    /// On the last column.
    pub(in crate::lossless) last: [[u16; LANES]; 2],
    /// Active before step number 0, and from number 1 on before number 2.
    pub(in crate::lossless) active: [[u16; LANES]; 3],
}

impl Edges {
    #[inline(always)]
    pub(in crate::lossless) fn set(&mut self, walk: &Walk) {
        let w = walk.unit.w;
        for lane in 0..LANES {
            let Run { column, end, next, next_end, .. } = walk.run(lane);
            let number = |step: usize| step.min(BLOCK) as u16;
            self.first[0][lane] = if column == 0 { 0 } else { BLOCK as u16 };
            self.first[1][lane] = number(next);
            self.last[0][lane] = number((w - 1).wrapping_sub(column));
            self.last[1][lane] = number(next + w - 1);
            self.active[0][lane] = end as u16;
            self.active[1][lane] = next as u16;
            self.active[2][lane] = next_end as u16;
        }
    }
}

/// What goes in and out of a block beside the lanes' own memory.
pub(in crate::lossless) struct Stage {
    /// What lane 0 finds above: samples of the row above and of the one above that, residuals of the row above, from
    /// the column of the block's first step on, each after [`Stage::BEFORE`] that mean nothing. Past the last column
    /// they mean nothing either.
    pub(in crate::lossless) north: [u16; Stage::LEN],
    pub(in crate::lossless) north2: [u16; Stage::LEN],
    pub(in crate::lossless) residuals: [u16; Stage::LEN],
    /// Samples of each lane, step by step, to be laid out in rows.
    pub(in crate::lossless) fresh: [[u16; BLOCK]; LANES],
    /// Residuals of the last lane.
    pub(in crate::lossless) last_lane: [u16; BLOCK],
}

impl Stage {
    /// So many that the vector of eight numbers which ends with a wanted one lies inside.
    pub(in crate::lossless) const BEFORE: usize = 7;
    pub(in crate::lossless) const LEN: usize = Self::BEFORE + BLOCK + 1;

    pub(in crate::lossless) const fn new() -> Self {
        Self {
            north: [0; Self::LEN],
            north2: [0; Self::LEN],
            residuals: [0; Self::LEN],
            fresh: [[0; BLOCK]; LANES],
            last_lane: [0; BLOCK],
        }
    }

    /// Reads what lane 0 finds above. The lane above it finished these columns a block ago at the latest: a pitch is
    /// at least two blocks.
    #[inline(always)]
    pub(in crate::lossless) fn load(&mut self, job: &Decoding<'_>, walk: &Walk) {
        let Unit { rows, w, pitch, .. } = job.unit;
        let (mut row, mut column, mut at) = (walk.row, walk.column, Self::BEFORE);
        while at < Self::LEN && row < rows {
            let run = (Self::LEN - at).min(pitch - column);
            let inside = run.min(w.saturating_sub(column));
            if inside > 0 {
                let north = job.start(row) - job.stride + column;
                copy(&mut self.north[at..at + inside], &job.samples[north..]);
                copy(&mut self.north2[at..at + inside], &job.samples[north - job.stride..]);
                copy(&mut self.residuals[at..at + inside], &job.line[column..]);
            }
            (row, column, at) = (row + LANES, 0, at + run);
        }
    }

    /// Lays out what the block has brought.
    #[inline(always)]
    pub(in crate::lossless) fn store(&self, job: &mut Decoding<'_>, walk: &Walk) {
        if walk.is_inside() {
            for (lane, fresh) in self.fresh.iter().enumerate() {
                let start = job.start(walk.row + lane) + walk.column - LAG * lane;
                if let Some(target) = job.samples[start..].first_chunk_mut() {
                    *target = *fresh;
                }
            }
            let column = walk.column - LAG * (LANES - 1);
            copy(&mut job.line[column..column + BLOCK], &self.last_lane);
            return;
        }
        for (lane, fresh) in self.fresh.iter().enumerate() {
            let run = walk.run(lane);
            if run.end > 0 {
                let start = job.start(run.row) + run.column;
                copy(&mut job.samples[start..start + run.end], fresh);
            }
            if run.next < run.next_end {
                let start = job.start(run.row.wrapping_add(LANES));
                copy(&mut job.samples[start..start + run.next_end - run.next], &fresh[run.next..]);
            }
        }
        let run = walk.run(LANES - 1);
        copy(&mut job.line[run.column..][..run.end], &self.last_lane);
        copy(&mut job.line[..run.next_end - run.next], &self.last_lane[run.next..]);
    }
}

/// Fills `target` from the start of `source`; nearly all of a whole block is one copy of known size.
#[inline(always)]
fn copy(target: &mut [u16], source: &[u16]) {
    let source = &source[..target.len()];
    if let (Some((target, end)), Some((source, rest))) =
        (target.split_first_chunk_mut::<BLOCK>(), source.split_first_chunk::<BLOCK>())
    {
        *target = *source;
        end.iter_mut().zip(rest).for_each(|(target, source)| *target = *source);
    } else {
        target.copy_from_slice(source);
    }
}
