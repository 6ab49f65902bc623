//! The wave coder: planes of samples by prediction, contexts and sixteen rANS states in step.
//!
//! A plane is cut into *units* of rows. In a unit sixteen *lanes* each own every sixteenth row and walk along it
//! together, each two columns behind the lane above, so that all neighbours that a sample is predicted from are
//! known before it is decoded, and one step of the sixteen is one vector operation. The text of it is
//! SPEC-lossless.md, "Wave"; [`model`] is the arithmetic, [`tables`] the code tables, and the kernels walk.

mod decode;
mod encode;
pub(super) mod led;
mod maps;
pub(super) mod model;
mod own;
pub(super) mod tables;
pub(super) mod trained;

pub(super) use decode::{DecodeScratch, decode};
#[cfg(feature = "train")]
pub(super) use encode::count;
pub(super) use encode::{EncodeScratch, Search, encode};

/// Rows that are coded in step.
pub(super) const LANES: usize = 16;
/// Columns that a lane walks behind the lane above it.
pub(super) const LAG: usize = 2;
/// Steps that share a predictor.
pub(super) const BLOCK: usize = 32;
/// A segment is closed once it holds this many steps: symbols of a segment stay in the second-level cache.
const SEGMENT_STEPS: usize = 1 << 14;
/// Units of at least this many steps may bring own tables.
const OWN_STEPS: usize = 1 << 9;
/// A row takes at least this many steps, or lane 0 would read rows that lane 15 has yet to write.
const MIN_PITCH: usize = 64;

/// Some rows of a plane: what has its own predictors and its own map from contexts to tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// The first row.
    pub(super) y: usize,
    pub(super) rows: usize,
    pub(super) w: usize,
    /// Steps from a row to the next row of the same lane.
    pub(super) pitch: usize,
    /// Steps of the whole unit, a multiple of [`BLOCK`].
    pub(super) steps: usize,
}

/// The units of a plane from the top.
pub(super) fn units(w: usize, h: usize) -> impl Iterator<Item = Unit> {
    let pitch = w.max(MIN_PITCH);
    let rows_of_unit = LANES * (SEGMENT_STEPS * LANES / pitch / LANES).max(1);
    (0..h).step_by(rows_of_unit).map(move |y| {
        let rows = rows_of_unit.min(h - y);
        let bands = rows.div_ceil(LANES);
        let last_lane = rows - (bands - 1) * LANES - 1;
        let steps = ((bands - 1) * pitch + w + LAG * last_lane).next_multiple_of(BLOCK);
        Unit { y, rows, w, pitch, steps }
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn units_cover_every_row_and_every_step() {
        for (w, h) in [(1, 1), (10, 16), (64, 64), (65, 17), (1920, 1080), (16384, 33), (1, 16384)] {
            let all: Vec<_> = units(w, h).collect();
            assert_eq!(all.iter().map(|u| u.rows).sum::<usize>(), h);
            for unit in all {
                let last = |row: usize| row / LANES * unit.pitch + LAG * (row % LANES) + w;
                let needed = (0..unit.rows).map(last).max().unwrap_or(0);
                assert!(unit.steps >= needed && unit.steps < needed + BLOCK, "{unit:?} needs {needed}");
            }
        }
    }
}
