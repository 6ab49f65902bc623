//! The rects that hang down into a row: copies that began above it, and photographs.

use alloc::vec::Vec;

use crate::lossless::layout::{CELL, Layout};

/// Columns of a row whose pixels are known or can be had from others. 16 bytes, as a row may have one for each pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hanging {
    x: u32,
    end_x: u32,
    end_y: u32,
    /// How many pixels before, in the order of the canvas, a pixel is found; 0: it is there already.
    back: u32,
}

impl Hanging {
    /// Columns `x..end_x` down to row `end_y`, not included. A photograph has 0 for `back`.
    pub(super) fn copy(x: usize, end_x: usize, end_y: usize, back: usize) -> Self {
        Self { x: x as u32, end_x: end_x as u32, end_y: end_y as u32, back: back as u32 }
    }

    pub(super) fn x(self) -> usize {
        self.x as usize
    }

    pub(super) fn end_x(self) -> usize {
        self.end_x as usize
    }

    /// True if row `y` has a part of it.
    pub(super) fn reaches(self, y: usize) -> bool {
        y < self.end_y as usize
    }

    /// Paints its part of the row whose first pixel is `origin`.
    #[inline(always)]
    pub(super) fn paint(self, data: &mut [u32], origin: usize) {
        if self.back > 0 {
            repeat(data, origin + self.x(), origin + self.end_x(), self.back as usize);
        }
    }
}

/// Paints `from..to` with what lies `back` > 0 pixels before, one pixel after the other.
#[inline(always)]
pub(super) fn repeat(data: &mut [u32], from: usize, to: usize, back: usize) {
    if back >= to - from {
        data.copy_within(from - back..to - back, from);
    } else {
        (from..to).for_each(|i| data[i] = data[i - back]);
    }
}

/// Puts the photographs that begin with row `y` among what hangs into it.
pub(super) fn add_areas(row: &mut Vec<Hanging>, layout: &Layout, y: usize) {
    if layout.areas().is_empty() || !y.is_multiple_of(CELL) {
        return;
    }
    for &area in layout.areas() {
        let at = layout.pixels(area);
        if at.y == y {
            row.push(Hanging::copy(at.x, at.end_x, at.end_y, 0));
        }
    }
    row.sort_unstable_by_key(|hanging| hanging.x);
}

/// The columns from `x` on, of a row `w` wide, that nothing of `row` covers: (start, end), in order. `row` begins with
/// what lies right of `x`.
pub(super) fn gaps(row: &[Hanging], x: usize, w: usize) -> impl Iterator<Item = (usize, usize)> {
    let starts = core::iter::once(x).chain(row.iter().map(|hanging| hanging.end_x()));
    let ends = row.iter().map(|hanging| hanging.x()).chain(core::iter::once(w));
    starts.zip(ends).filter(|(start, end)| start < end)
}
