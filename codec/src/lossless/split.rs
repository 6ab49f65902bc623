//! Colours into planes and back: one plane of gray, or green and what blue and red have more.

use super::plane::Plane;

/// One row of colours `0xRRGGBB` into one plane of gray or three planes G, B - G, R - G around the middle.
pub(super) fn split_row(source: &[u32], planes: &mut [Plane], row: usize) {
    if let [g, b, r] = planes {
        let targets = g.row_mut(row).iter_mut().zip(b.row_mut(row)).zip(r.row_mut(row));
        for (((g, b), r), colour) in targets.zip(source) {
            let [blue, green, red, _] = colour.to_le_bytes();
            *g = u16::from(green);
            *b = u16::from(blue.wrapping_sub(green).wrapping_add(128));
            *r = u16::from(red.wrapping_sub(green).wrapping_add(128));
        }
    } else if let [gray] = planes {
        gray.row_mut(row)
            .iter_mut()
            .zip(source)
            .for_each(|(sample, colour)| *sample = (colour & 0xff) as u16);
    }
}

/// What [`split_row`] split.
pub(super) fn join_row(planes: &[Plane], row: usize, target: &mut [u32]) {
    if let [g, b, r] = planes {
        let sources = g.row(row).iter().zip(b.row(row)).zip(r.row(row));
        for (colour, ((g, b), r)) in target.iter_mut().zip(sources) {
            let back = |more: &u16| more.wrapping_add(*g).wrapping_sub(128) as u8;
            *colour = u32::from_le_bytes([back(b), *g as u8, back(r), 0]);
        }
    } else if let [gray] = planes {
        target
            .iter_mut()
            .zip(gray.row(row))
            .for_each(|(colour, sample)| *colour = u32::from(*sample) * 0x01_0101);
    }
}
