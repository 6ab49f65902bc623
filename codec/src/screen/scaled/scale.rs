//! The arithmetic of scaling, exactly: whoever paints a scaled image gets these samples and no others.

use alloc::vec::Vec;

use super::Source;
use crate::geom::{MAX_SIDE, Rect, Size};
use crate::pixel::PixelFormat;

/// How a sample between source pixels comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// The source pixel that the position lies in.
    Nearest,
    /// The four source pixels around the position, weighted by how near it is to each.
    Bilinear {
        /// A position between two pixels is cut to this many binary places: 1 to [`Kernel::MAX_PLACES`].
        places: u8,
        /// What becomes of a sum of weighted samples.
        rounding: Rounding,
    },
}

/// What becomes of a sum of weighted samples that is no whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// The whole number below.
    Down,
    /// The nearest one, and the one above where two are as near.
    Nearest,
}

impl Kernel {
    /// The most binary places of a bilinear kernel.
    pub const MAX_PLACES: u8 = 8;

    /// Of Chromium and Skia without a GPU: sixteenths, rounded down.
    pub const SKIA: Kernel = Kernel::Bilinear { places: 4, rounding: Rounding::Down };

    /// The mean of each two by two pixels, where [`Scale::fit`] halves an image.
    pub const MEAN: Kernel = Kernel::Bilinear { places: 1, rounding: Rounding::Nearest };

    /// Its number on the wire: 0, or the places, and 16 more where sums go to the nearest number.
    pub const fn code(self) -> u8 {
        match self {
            Kernel::Nearest => 0,
            Kernel::Bilinear { places, rounding: Rounding::Down } => places,
            Kernel::Bilinear { places, rounding: Rounding::Nearest } => places | 16,
        }
    }

    /// The kernel of a number; `None` where there is none.
    pub const fn of(code: u8) -> Option<Kernel> {
        let rounding = if code & 16 == 0 { Rounding::Down } else { Rounding::Nearest };
        match code & !16 {
            0 if code == 0 => Some(Kernel::Nearest),
            places @ 1..=Self::MAX_PLACES => Some(Kernel::Bilinear { places, rounding }),
            _ => None,
        }
    }

    const fn places(self) -> u32 {
        match self {
            Kernel::Nearest => 0,
            Kernel::Bilinear { places, .. } => places as u32,
        }
    }

    /// Added to a sum before its binary places are cut off.
    const fn bias(self) -> u32 {
        match self {
            Kernel::Bilinear { places, rounding: Rounding::Nearest } => 1 << (2 * places - 1),
            _ => 0,
        }
    }
}

/// Where the columns of a target lie in its source, or the rows. Column `x` is at `origin + x * step`, in units of
/// 1/2^32 source pixels; the middle of the first source pixel is at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Axis {
    /// Where the first column is; within [`Axis::LIMIT`] of 0.
    pub origin: i64,
    /// From one column to the next; at most [`Axis::LIMIT`].
    pub step: u64,
}

impl Axis {
    /// No position is farther from the source's first pixel: the longest side, in 1/2^32 pixels.
    pub const LIMIT: i64 = (MAX_SIDE as i64) << 32;

    /// Of `target` pixels side by side that show `source` pixels from edge to edge.
    pub const fn fit(source: u32, target: u32) -> Self {
        let target = if target == 0 { 1 } else { target as i128 };
        let one = 1i128 << 32;
        // Up, so that a position which is a whole number of sixteenths is not cut to the one before.
        let step = (source as i128 * one + target - 1) / target;
        let origin = (source as i128 * one + target - 1) / (2 * target) - one / 2;
        Self { origin: origin as i64, step: step as u64 }
    }

    /// False if a number of it is out of bounds.
    pub const fn is_valid(&self) -> bool {
        self.origin.unsigned_abs() <= Self::LIMIT as u64 && self.step <= Self::LIMIT as u64
    }

    /// Of the same columns but the first `n`.
    #[must_use]
    pub const fn skip(self, n: u32) -> Self {
        Self { origin: self.origin + n as i64 * self.step as i64, ..self }
    }

    /// The first of the source's columns that so many of the target's are made of, and how many these are.
    pub(super) fn visible(self, kernel: Kernel, side: u32, columns: u32) -> (u32, u32) {
        let (first, last) = (self.tap(0, kernel, side), self.tap(columns.saturating_sub(1), kernel, side));
        (first.first as u32, (last.second - first.first + 1) as u32)
    }

    fn tap(self, x: u32, kernel: Kernel, side: u32) -> Tap {
        let mut at = self.origin + i64::from(x) * self.step as i64;
        if kernel == Kernel::Nearest {
            at += 1 << 31;
        }
        let last = i64::from(side) - 1;
        let place = |at: i64| at.clamp(0, last) as usize;
        let whole = at >> 32;
        let between = (at as u32).checked_shr(32 - kernel.places()).unwrap_or(0);
        Tap { first: place(whole), second: place(whole + 1), between }
    }
}

/// The source pixels that a column or row of the target is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub(super) first: usize,
    pub(super) second: usize,
    /// How much of the second, in units of the kernel's last binary place; the first has what is left to one.
    pub(super) between: u32,
}

/// How a target's pixels come out of a source's. Beyond its edges a source goes on with its outermost pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    /// How samples come about.
    pub kernel: Kernel,
    /// Where columns lie.
    pub x: Axis,
    /// Where rows lie.
    pub y: Axis,
}

impl Scale {
    /// All of a source shown by all of a target, edge to edge.
    pub const fn fit(kernel: Kernel, source: Size, target: Size) -> Self {
        Self { kernel, x: Axis::fit(source.w, target.w), y: Axis::fit(source.h, target.h) }
    }

    /// The scale of a part of the target.
    #[must_use]
    pub const fn crop(self, part: Rect) -> Self {
        Self { x: self.x.skip(part.x), y: self.y.skip(part.y), ..self }
    }

    /// True if all numbers are within bounds.
    pub const fn is_valid(&self) -> bool {
        let is_kernel = match self.kernel {
            Kernel::Nearest => true,
            Kernel::Bilinear { places, .. } => places >= 1 && places <= Kernel::MAX_PLACES,
        };
        is_kernel && self.x.is_valid() && self.y.is_valid()
    }
}

/// The rows of a target, painted one by one.
pub(super) struct Painter<'a> {
    kernel: Kernel,
    source: &'a Source,
    target: PixelFormat,
    columns: Vec<Tap>,
    y: Axis,
    /// A row between two of the source's: its samples times the kernel's unit.
    line: Vec<u16>,
}

impl<'a> Painter<'a> {
    /// For a target of this size and format; `None` where `scale` is not valid, or makes no such pixels of `source`.
    pub(super) fn new(scale: &Scale, source: &'a Source, size: Size, target: PixelFormat) -> Option<Self> {
        if !scale.is_valid() || !source.is_for(target) {
            return None;
        }
        let columns = (0..size.w).map(|x| scale.x.tap(x, scale.kernel, source.size().w)).collect();
        Some(Self { kernel: scale.kernel, source, target, columns, y: scale.y, line: Vec::new() })
    }

    /// Paints row `y` of the target, all of it.
    pub(super) fn paint(&mut self, y: u32, row: &mut [u8]) {
        self.between(self.y.tap(y, self.kernel, self.source.size().h));
        let (places, bias) = (self.kernel.places(), self.kernel.bias());
        let columns = self.columns.iter();
        let gray = |line: &[u16], tap: &Tap| {
            let [sample] = mix([line[tap.first]], [line[tap.second]], tap.between, places, bias);
            sample
        };
        match (self.source.format(), self.target) {
            (PixelFormat::Gray8, PixelFormat::Gray8) => {
                row.iter_mut().zip(columns).for_each(|(sample, tap)| *sample = gray(&self.line, tap));
            }
            (PixelFormat::Gray8, _) => {
                for (pixel, tap) in row.as_chunks_mut::<4>().0.iter_mut().zip(columns) {
                    let sample = gray(&self.line, tap);
                    *pixel = [sample, sample, sample, 0xFF];
                }
            }
            _ => {
                let line = self.line.as_chunks::<4>().0;
                for (pixel, tap) in row.as_chunks_mut::<4>().0.iter_mut().zip(columns) {
                    *pixel = mix(line[tap.first], line[tap.second], tap.between, places, bias);
                    pixel[3] = 0xFF;
                }
            }
        }
    }

    fn between(&mut self, row: Tap) {
        let (above, below) = (self.source.row(row.first), self.source.row(row.second));
        // 255 times 256 at the most.
        let (far, near) = (row.between as u16, (1 << self.kernel.places()) - row.between as u16);
        self.line.clear();
        self.line.extend(above.iter().zip(below).map(|(a, b)| u16::from(*a) * near + u16::from(*b) * far));
    }
}

/// Samples between those of `a` and of `b`, which are multiples of the kernel's unit.
#[inline(always)]
fn mix<const N: usize>(a: [u16; N], b: [u16; N], between: u32, places: u32, bias: u32) -> [u8; N] {
    let near = (1 << places) - between;
    core::array::from_fn(|i| {
        ((u32::from(a[i]) * near + u32::from(b[i]) * between + bias) >> (2 * places)) as u8
    })
}
