//! Code tables of low bits, expanded when the crate is built.
//!
//! A sample is expected at its prediction, and others the less the further they lie: by a factor for each half
//! sample of distance. Of that the cell, 2^k samples whose high bits are known, sees a part.

use crate::lossless::wave::tables::SCALE_BITS;

/// How widely samples scatter around their predictions, from hardly to all over a cell.
pub(super) const SCALES: usize = 16;

/// Positions of a prediction beside or in a cell of `n` samples: half samples from `n` before it to `n` after it.
pub(super) const fn positions(n: usize) -> usize {
    6 * n + 1
}

/// exp(-1 / (0.4 * 2^(i / 2))) in 1/65536: a half sample further at scale `i`.
const FACTORS: [u64; SCALES] = [
    5380, 11188, 18776, 27078, 35079, 42126, 47947, 52543, 56056, 58681, 60611, 62014, 63025, 63751, 64268,
    64637,
];
/// A sample at the prediction itself, and what every sample has beside.
const PEAK: u64 = 1 << 24;
const FLOOR: u64 = 1 << 12;

/// Tables of cells of `N` samples: row `scale * positions(N) + position` holds where the range of each of them begins.
pub(super) struct Cells<const N: usize>;

/// What the coders need to know of the tables of one size of cells.
pub(super) trait Cell {
    /// The starts of the ranges of `N` low values, for each scale and position.
    const STARTS: &'static [u16];
}

/// Row by row, `N` starts to a row.
const fn expand<const N: usize, const LEN: usize>() -> [u16; LEN] {
    let mut starts = [0; LEN];
    let mut scale = 0;
    while scale < SCALES {
        let mut position = 0;
        while position < positions(N) {
            let row = (scale * positions(N) + position) * N;
            let mut all = 0;
            let mut low = 0;
            while low < N {
                all += weight(scale, (2 * low + 2 * N).abs_diff(position));
                low += 1;
            }
            let (mut before, mut low) = (0, 0);
            while low < N {
                // Every value has one slot, the others are shared out by weight.
                starts[row + low] = (before * ((1 << SCALE_BITS) - N as u64) / all) as u16 + low as u16;
                before += weight(scale, (2 * low + 2 * N).abs_diff(position));
                low += 1;
            }
            position += 1;
        }
        scale += 1;
    }
    starts
}

/// The weight of a sample `distance` half samples from the prediction.
const fn weight(scale: usize, distance: usize) -> u64 {
    let (mut weight, mut i) = (PEAK, 0);
    while i < distance && weight > 0 {
        weight = (weight * FACTORS[scale]) >> 16;
        i += 1;
    }
    weight + FLOOR
}

macro_rules! cells {
    ($($n:literal)*) => {$(
        impl Cell for Cells<$n> {
            const STARTS: &'static [u16] = {
                static TABLE: [u16; SCALES * positions($n) * $n] = expand::<$n, { SCALES * positions($n) * $n }>();
                &TABLE
            };
        }
    )*};
}
cells!(2 4 8 16);

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const N: usize>()
    where
        Cells<N>: Cell,
    {
        let (rows, rest) = Cells::<N>::STARTS.as_chunks::<N>();
        assert!(rest.is_empty() && rows.len() == SCALES * positions(N));
        for row in rows {
            assert!(row[0] == 0 && row.is_sorted_by(|a, b| a < b) && row[N - 1] < 1 << SCALE_BITS);
        }
        // A prediction in the middle of a cell at the narrowest scale makes its sample the likeliest.
        let row = rows[2 * N + 2 * (N / 2)];
        assert!(row.get(N / 2 + 1).map_or(1 << SCALE_BITS, |next| *next) - row[N / 2] > 800);
    }

    #[test]
    fn every_low_value_has_a_range_everywhere() {
        check::<2>();
        check::<4>();
        check::<8>();
        check::<16>();
    }
}
