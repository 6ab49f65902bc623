//! What is scaled: an image in memory of its own.

use alloc::vec;
use alloc::vec::Vec;

use super::{Axis, MAX_SOURCE, Painter, Scale};
use crate::geom::{Rect, Size};
use crate::pixel::{ImageMut, ImageRef, PixelFormat};

/// An image that others are scaled from. Where it is gray, as radiographs are, it takes one byte a pixel.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    size: Size,
    /// INVARIANT: Gray8 or Bgrx8.
    format: PixelFormat,
    /// INVARIANT: an image of this size and format without padding, of at most MAX_SOURCE pixels.
    samples: Vec<u8>,
}

impl Source {
    /// A copy of `image`; `None` where that is larger than [`MAX_SOURCE`], or of a format that is not scaled: those
    /// with eight bits a sample are.
    pub fn new(image: ImageRef<'_>) -> Option<Self> {
        let is_gray = match image.format() {
            PixelFormat::Gray8 => true,
            PixelFormat::Bgrx8 => image
                .rows()
                .all(|row| row.as_chunks::<4>().0.iter().all(|px| px[0] == px[1] && px[1] == px[2])),
            _ => return None,
        };
        let format = if is_gray { PixelFormat::Gray8 } else { PixelFormat::Bgrx8 };
        let mut source = Self::black(image.size(), format)?;
        let row_bytes = source.row_bytes();
        for (to, from) in source.samples.chunks_exact_mut(row_bytes).zip(image.rows()) {
            if is_gray && image.format() == PixelFormat::Bgrx8 {
                to.iter_mut().zip(from.as_chunks::<4>().0).for_each(|(to, from)| *to = from[0]);
            } else {
                to.copy_from_slice(from);
            }
        }
        Some(source)
    }

    /// What a target of this size shows of `image`, and its scale from there: the same pixels, and fewer to keep where a
    /// viewer has zoomed in. `None` as for [`Source::new`], and where `scale` is not valid.
    pub fn visible(image: ImageRef<'_>, scale: &Scale, target: Size) -> Option<(Self, Scale)> {
        if !scale.is_valid() || target.is_empty() {
            return None;
        }
        let (x, w) = scale.x.visible(scale.kernel, image.size().w, target.w);
        let (y, h) = scale.y.visible(scale.kernel, image.size().h, target.h);
        let from = |axis: Axis, first: u32| Axis { origin: axis.origin - (i64::from(first) << 32), ..axis };
        let scale = Scale { x: from(scale.x, x), y: from(scale.y, y), ..*scale };
        let source = Self::new(image.crop(Rect::new(x, y, w, h))?)?;
        // Beyond the edges a valid scale may not be one from there.
        scale.is_valid().then_some((source, scale))
    }

    /// All samples 0; `None` as for [`Source::new`].
    pub(super) fn black(size: Size, format: PixelFormat) -> Option<Self> {
        let is_one = matches!(format, PixelFormat::Gray8 | PixelFormat::Bgrx8);
        if !is_one || size.is_empty() || size.area() > MAX_SOURCE {
            return None;
        }
        let samples = vec![0; size.area() as usize * format.bytes_per_pixel()];
        Some(Self { size, format, samples })
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.size
    }

    /// [`PixelFormat::Gray8`] or [`PixelFormat::Bgrx8`].
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// True if pixels of `target` can be made of it: gray is of all that have eight bits a sample.
    pub fn is_for(&self, target: PixelFormat) -> bool {
        match target {
            PixelFormat::Bgrx8 => true,
            PixelFormat::Gray8 => self.format == PixelFormat::Gray8,
            _ => false,
        }
    }

    /// A view of it.
    pub fn image(&self) -> ImageRef<'_> {
        ImageRef::new(&self.samples, self.size, self.row_bytes(), self.format).expect("a source is an image")
    }

    /// A view to paint on.
    pub(super) fn image_mut(&mut self) -> ImageMut<'_> {
        let row_bytes = self.row_bytes();
        ImageMut::new(&mut self.samples, self.size, row_bytes, self.format).expect("a source is an image")
    }

    pub(super) fn row(&self, y: usize) -> &[u8] {
        let row = self.row_bytes();
        &self.samples[y * row..(y + 1) * row]
    }

    fn row_bytes(&self) -> usize {
        self.size.w as usize * self.format.bytes_per_pixel()
    }

    /// Paints all of `target` with it, scaled; false, and nothing painted, where `scale` or the formats do not allow it.
    pub fn paint(&self, scale: &Scale, target: &mut ImageMut<'_>) -> bool {
        let Some(mut painter) = Painter::new(scale, self, target.size(), target.format()) else {
            return false;
        };
        (0..target.size().h).for_each(|y| painter.paint(y, target.row_mut(y)));
        true
    }
}

impl core::fmt::Debug for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Source({}x{} {:?})", self.size.w, self.size.h, self.format)
    }
}
