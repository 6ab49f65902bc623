//! Colours of eight bits a component as numbers, with the margins that the text coder reads.

use alloc::vec::Vec;

use super::deep::{COLOUR, narrow, widen};
use super::text::Block;
use crate::pixel::{ImageMut, ImageRef, PixelFormat};

/// Columns before a row: W and WW of its first pixel.
const LEFT: usize = 2;
/// Columns after a row: NE and NEE of its last pixel, and the end of a group's row above.
const RIGHT: usize = 2;
/// Rows above the first.
const TOP: usize = 2;

/// Colours `0xRRGGBB`, margins in one colour. The memory is kept from use to use.
#[derive(Default)]
pub(super) struct Canvas {
    // INVARIANT: data.len() >= (TOP + h) * stride, stride = LEFT + w + RIGHT.
    data: Vec<u32>,
    w: usize,
    h: usize,
}

impl Canvas {
    /// Becomes `w` x `h` pixels that hold anything.
    pub(super) fn reset(&mut self, w: usize, h: usize) {
        (self.w, self.h) = (w, h);
        let len = (TOP + h) * self.stride();
        if self.data.len() < len {
            self.data.resize(len, 0);
        }
    }

    /// Takes over the colours of a colour image; of ten bits the high eight.
    pub(super) fn load(&mut self, image: ImageRef<'_>) {
        self.reset(image.size().w as usize, image.size().h as usize);
        let is_deep = image.format() == PixelFormat::Bgrx10;
        for (y, source) in image.rows().enumerate() {
            let pixels = self.row_mut(y).iter_mut().zip(source.as_chunks::<4>().0);
            if is_deep {
                pixels.for_each(|(target, pixel)| *target = narrow(u32::from_le_bytes(*pixel)));
            } else {
                pixels.for_each(|(target, pixel)| *target = u32::from_le_bytes(*pixel) & 0xff_ffff);
            }
        }
    }

    /// Paints a part of a colour image of the same size: columns `x..end_x` of rows `y..end_y`.
    pub(super) fn store(&self, part: Block, into: &mut ImageMut<'_>) {
        let is_deep = into.format() == PixelFormat::Bgrx10;
        for y in part.y..part.end_y {
            let (pixels, _) = into.row_mut(y as u32).as_chunks_mut::<4>();
            let pixels = pixels[part.x..part.end_x].iter_mut().zip(&self.row(y)[part.x..part.end_x]);
            if is_deep {
                pixels.for_each(|(target, source)| *target = (widen(*source) | !COLOUR).to_le_bytes());
            } else {
                pixels.for_each(|(target, source)| *target = (source | 0xff00_0000).to_le_bytes());
            }
        }
    }

    /// Paints the margins.
    pub(super) fn set_margins(&mut self, colour: u32) {
        let stride = self.stride();
        self.data[..TOP * stride].fill(colour);
        for y in 0..self.h {
            let row = self.origin(y);
            self.data[row - LEFT..row].fill(colour);
            self.data[row + self.w..row + self.w + RIGHT].fill(colour);
        }
    }

    pub(super) fn w(&self) -> usize {
        self.w
    }

    pub(super) fn h(&self) -> usize {
        self.h
    }

    pub(super) fn row(&self, y: usize) -> &[u32] {
        let start = self.origin(y);
        &self.data[start..start + self.w]
    }

    pub(super) fn row_mut(&mut self, y: usize) -> &mut [u32] {
        let start = self.origin(y);
        &mut self.data[start..start + self.w]
    }

    /// All rows with their margins, one after the other.
    pub(super) fn data(&self) -> &[u32] {
        &self.data
    }

    /// All rows with their margins, to be painted.
    pub(super) fn data_mut(&mut self) -> &mut [u32] {
        &mut self.data
    }

    /// Where pixel 0 of row `y` lies in [`Canvas::data`].
    pub(super) fn origin(&self, y: usize) -> usize {
        (y + TOP) * self.stride() + LEFT
    }

    /// How far a pixel of [`Canvas::data`] lies behind the one above it.
    pub(super) fn stride(&self) -> usize {
        LEFT + self.w + RIGHT
    }
}
