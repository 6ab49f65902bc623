//! A plane on a coarse grid, and the smooth plane through it.
//!
//! The coarse sample of a cell is the mean of its samples. Shown is, in each direction, the piecewise parabola whose
//! means over the cells are the coarse samples and which has no steps between them: edges stay sharper than between
//! straight lines, and nothing gets brighter or darker on the whole.

use alloc::vec;
use alloc::vec::Vec;

use crate::lossless::plane::Plane;

/// Weights of a shown sample sum to this.
const ONE: i32 = 1 << 12;

/// Fills `coarse` with the means of the cells of `grid` x `grid` samples of `fine`; those at the end are cut.
pub(super) fn shrink(fine: &Plane, grid: usize, coarse: &mut Plane) {
    let (w, h) = (fine.w().div_ceil(grid), fine.h().div_ceil(grid));
    coarse.reset(w, h, fine.bits());
    let mut sums = vec![0u32; w];
    for row in 0..h {
        let rows = row * grid..(row * grid + grid).min(fine.h());
        sums.fill(0);
        for y in rows.clone() {
            for (sum, cell) in sums.iter_mut().zip(fine.row(y).chunks(grid)) {
                *sum += cell.iter().map(|sample| u32::from(*sample)).sum::<u32>();
            }
        }
        for (column, (mean, sum)) in coarse.row_mut(row).iter_mut().zip(&sums).enumerate() {
            let count = (rows.len() * grid.min(fine.w() - column * grid)) as u32;
            *mean = ((sum + count / 2) / count) as u16;
        }
    }
}

/// Gives the rows of `w` samples, `h` of them, that are shown for `coarse`, from the top.
pub(super) fn stretch(
    coarse: &Plane,
    grid: usize,
    (w, h): (usize, usize),
    mut give: impl FnMut(usize, &[u16]),
) {
    let weights: Vec<[i32; 5]> = (0..grid).map(|place| parabola(grid, place)).collect();
    // Coarse rows stretched to the right width; five of them make a shown row.
    let mut wide: [Vec<u16>; 5] = core::array::from_fn(|_| vec![0; w]);
    let row_at = |row: usize, step: usize| (row + step).saturating_sub(2).min(coarse.h() - 1);
    let mut shown = vec![0; w];
    for row in 0..coarse.h() {
        wide.rotate_left(1);
        // Later rounds find four of the five from the round before.
        let known = if row == 0 { 0 } else { 4 };
        for (step, wide) in wide.iter_mut().enumerate().skip(known) {
            stretch_row(coarse.row(row_at(row, step)), &weights, wide);
        }
        for y in row * grid..(row * grid + grid).min(h) {
            let weights = &weights[y - row * grid];
            let [a, b, c, d, e] = &wide;
            for (x, shown) in shown.iter_mut().enumerate() {
                *shown = blend([a[x], b[x], c[x], d[x], e[x]], weights);
            }
            give(y, &shown);
        }
    }
}

fn stretch_row(coarse: &[u16], weights: &[[i32; 5]], wide: &mut [u16]) {
    let last = coarse.len() - 1;
    for (column, cell) in wide.chunks_mut(weights.len()).enumerate() {
        let around = [0, 1, 2, 3, 4].map(|step| coarse[(column + step).saturating_sub(2).min(last)]);
        for (shown, weights) in cell.iter_mut().zip(weights) {
            *shown = blend(around, weights);
        }
    }
}

/// The weighted mean, not outside of what the middle one and those beside it span: no edge gets a halo.
#[inline(always)]
fn blend(around: [u16; 5], weights: &[i32; 5]) -> u16 {
    let a = around.map(i32::from);
    let sum: i32 = a.iter().zip(weights).map(|(a, weight)| a * weight).sum();
    let (least, most) = (a[1].min(a[2]).min(a[3]), a[1].max(a[2]).max(a[3]));
    ((sum + ONE / 2) >> 12).clamp(least, most) as u16
}

/// The weights of the five cells around for sample `place` of a cell of `grid`.
///
/// The value at a border of cells is (7 (a + b) - (c + d)) / 12 of the two nearest and the next two; between its
/// borders the parabola has the mean of its cell, and a sample is the mean of its part of it.
fn parabola(grid: usize, place: usize) -> [i32; 5] {
    let (g, j) = (grid as i32, place as i32);
    let (left, right) = ([-1, 7, 7, -1, 0], [0, -1, 7, 7, -1]);
    let bend = 3 * g * (2 * j + 1) - 2 * (3 * j * j + 3 * j + 1);
    let all = 24 * g * g;
    let mut weights = core::array::from_fn(|i| {
        let own = if i == 2 { 24 } else { 0 };
        let parts =
            left[i] * 2 * g * g + (right[i] - left[i]) * (2 * j + 1) * g + (own - left[i] - right[i]) * bend;
        (parts * ONE + all / 2).div_euclid(all)
    });
    // What rounding took or gave is the middle one's.
    weights[2] += ONE - weights.iter().sum::<i32>();
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_and_constants_stay_what_they_are() {
        for grid in 2..=8 {
            let (w, h) = (grid * 9 - 1, grid * 7);
            let mut fine = Plane::default();
            fine.reset(w, h, 16);
            for y in 0..h {
                for (x, sample) in fine.row_mut(y).iter_mut().enumerate() {
                    *sample = (1000 + 40 * x + 24 * y) as u16;
                }
            }
            let mut coarse = Plane::default();
            shrink(&fine, grid, &mut coarse);
            stretch(&coarse, grid, (w, h), |y, row| {
                if (2 * grid..h - 2 * grid).contains(&y) {
                    let inner = 2 * grid..w - 3 * grid;
                    let pairs = row[inner.clone()].iter().zip(&fine.row(y)[inner]);
                    pairs.for_each(|(a, b)| assert!(a.abs_diff(*b) <= 2, "{a} for {b} in row {y} of {grid}"));
                }
            });
        }
    }

    #[test]
    fn weights_are_whole_and_mirrored() {
        for grid in 2..=8 {
            for place in 0..grid {
                let weights = parabola(grid, place);
                assert_eq!(weights.iter().sum::<i32>(), ONE);
                let mut mirrored = parabola(grid, grid - 1 - place);
                mirrored.reverse();
                assert!(weights.iter().zip(mirrored).all(|(a, b)| a.abs_diff(b) <= 4));
            }
        }
    }
}
