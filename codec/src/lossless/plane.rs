//! A plane of samples with the margins that prediction reads.

use alloc::vec::Vec;

use super::palette::Palette;
use super::split::Split;

/// Columns before a row: W and WW of its first sample.
const LEFT: usize = 2;
/// Columns after a row: NE of its last sample.
const RIGHT: usize = 1;
/// Numbers after the last row, which a kernel may read together with its end.
const AFTER: usize = 48;
/// Rows above the first: N and NN of the first row, all zero.
const TOP: usize = 2;

/// One sample per pixel, up to 16 bits. The memory is kept from use to use.
#[derive(Default)]
pub(super) struct Plane {
    // INVARIANT: data.len() >= (TOP + h) * stride + AFTER, stride = LEFT + w + RIGHT.
    data: Vec<u16>,
    w: usize,
    h: usize,
    bits: u32,
    /// What this plane, or three of which it is the first, was split from.
    pub(super) split: Split,
    /// Its place among the planes of a picture that share a guide: the residuals of those before it tell how large its
    /// own will be.
    pub(super) place: Option<u8>,
    /// The pixels that the samples are numbers of, if that is [`Split::Palette`].
    pub(super) palette: Palette,
}

impl Plane {
    /// Becomes `w` x `h` samples of `bits` bits. The rows hold anything; the rows above them hold 0.
    pub(super) fn reset(&mut self, w: usize, h: usize, bits: u32) {
        (self.w, self.h, self.bits) = (w, h, bits);
        let len = (TOP + h) * self.stride() + AFTER;
        if self.data.len() < len {
            self.data.resize(len, 0);
        }
        let top = TOP * self.stride();
        self.data[..top].fill(0);
    }

    pub(super) fn w(&self) -> usize {
        self.w
    }

    pub(super) fn h(&self) -> usize {
        self.h
    }

    /// Samples become shorter: nothing else changes.
    pub(super) fn set_bits(&mut self, bits: u32) {
        self.bits = bits;
    }

    pub(super) fn bits(&self) -> u32 {
        self.bits
    }

    pub(super) fn stride(&self) -> usize {
        LEFT + self.w + RIGHT
    }

    /// Where sample 0 of row `y` lies in [`Plane::samples`]; -2 and -1 are the rows above the plane.
    pub(super) fn start(&self, y: isize) -> usize {
        (y + TOP as isize) as usize * self.stride() + LEFT
    }

    /// Everything, margins included.
    pub(super) fn samples(&self) -> &[u16] {
        &self.data
    }

    /// Everything, margins included, to be painted.
    pub(super) fn samples_mut(&mut self) -> &mut [u16] {
        &mut self.data
    }

    pub(super) fn row(&self, y: usize) -> &[u16] {
        let start = self.start(y as isize);
        &self.data[start..start + self.w]
    }

    pub(super) fn row_mut(&mut self, y: usize) -> &mut [u16] {
        let start = self.start(y as isize);
        &mut self.data[start..start + self.w]
    }

    /// Sets the margins of row `y` for a row that is about to be modelled (W and WW of its first sample are
    /// the N of it), and those of the row above for being the row above (NW is N, NE of the last is N).
    pub(super) fn set_margins(&mut self, y: usize) {
        let (above, row) = (self.start(y as isize - 1), self.start(y as isize));
        let (first, last) = (self.data[above], self.data[above + self.w - 1]);
        self.data[above - 1] = first;
        self.data[above + self.w] = last;
        self.data[row - 1] = first;
        self.data[row - 2] = first;
    }
}
