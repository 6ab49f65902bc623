//! Colours into planes and back: one plane of gray, or green and what blue and red have more.
//!
//! A colour is a number of three components of `BITS` bits: blue at the bottom, then green, then red.

use super::plane::Plane;

/// One row of colours into one plane of gray or three planes G, B - G, R - G around the middle.
pub(super) fn split_row<const BITS: u32>(
    source: impl Iterator<Item = u32>,
    planes: &mut [Plane],
    row: usize,
) {
    let (max, middle) = ((1 << BITS) - 1, 1 << (BITS - 1));
    if let [g, b, r] = planes {
        let targets = g.row_mut(row).iter_mut().zip(b.row_mut(row)).zip(r.row_mut(row));
        for (((g, b), r), colour) in targets.zip(source) {
            let green = colour >> BITS & max;
            *g = green as u16;
            *b = ((colour & max).wrapping_sub(green).wrapping_add(middle) & max) as u16;
            *r = ((colour >> (2 * BITS) & max).wrapping_sub(green).wrapping_add(middle) & max) as u16;
        }
    } else if let [gray] = planes {
        gray.row_mut(row).iter_mut().zip(source).for_each(|(sample, colour)| *sample = (colour & max) as u16);
    }
}

/// Gives what [`split_row`] split, colour by colour, to `put`.
pub(super) fn join_row<const BITS: u32>(planes: &[Plane], row: usize, mut put: impl FnMut(usize, u32)) {
    let (max, middle) = ((1 << BITS) - 1, 1 << (BITS - 1));
    if let [g, b, r] = planes {
        let sources = g.row(row).iter().zip(b.row(row)).zip(r.row(row));
        for (x, ((g, b), r)) in sources.enumerate() {
            let green = u32::from(*g);
            let back = |more: &u16| (u32::from(*more) + green).wrapping_sub(middle) & max;
            put(x, back(b) | green << BITS | back(r) << (2 * BITS));
        }
    } else if let [gray] = planes {
        let all = 1 | 1 << BITS | 1 << (2 * BITS);
        gray.row(row).iter().enumerate().for_each(|(x, sample)| put(x, u32::from(*sample) * all));
    }
}
