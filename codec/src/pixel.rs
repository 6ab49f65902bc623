//! What pixels are: formats, and borrowed views of them in memory.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::geom::{MAX_SIDE, Rect, Size};

/// How a sample is laid out in memory. All multi-byte samples are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// 4 bytes: blue, green, red, and one byte that carries nothing. Both sides keep that byte at 0xFF.
    Bgrx8,
    /// 4 bytes, a number: blue in bits 0 to 9, green in 10 to 19, red in 20 to 29; bits 30 and 31 carry nothing, and
    /// both sides keep them set. DRM calls it `XRGB2101010`; in `DXGI_FORMAT_R10G10B10A2_UNORM` red and blue have
    /// changed places.
    Bgrx10,
    /// 1 byte of gray.
    Gray8,
    /// 2 bytes of gray; the unused high bits are 0.
    Gray16(SampleDepth),
}

impl PixelFormat {
    /// Bytes a pixel takes in memory.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            PixelFormat::Bgrx8 | PixelFormat::Bgrx10 => 4,
            PixelFormat::Gray8 => 1,
            PixelFormat::Gray16(_) => 2,
        }
    }

    /// Significant bits of a sample.
    pub const fn depth(self) -> u8 {
        match self {
            PixelFormat::Bgrx8 | PixelFormat::Gray8 => 8,
            PixelFormat::Bgrx10 => 10,
            PixelFormat::Gray16(depth) => depth.bits(),
        }
    }

    /// True if a pixel has three components.
    pub const fn is_colour(self) -> bool {
        matches!(self, PixelFormat::Bgrx8 | PixelFormat::Bgrx10)
    }

    /// The bytes of a black pixel, the first [`PixelFormat::bytes_per_pixel`] of four: zeros, but for the bits that
    /// carry nothing.
    pub const fn black(self) -> [u8; 4] {
        match self {
            PixelFormat::Bgrx8 => [0, 0, 0, 0xFF],
            PixelFormat::Bgrx10 => [0, 0, 0, 0xC0],
            PixelFormat::Gray8 | PixelFormat::Gray16(_) => [0; 4],
        }
    }
}

/// Significant bits of a deep gray sample: 9 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SampleDepth(u8);

impl SampleDepth {
    /// `bits` as a depth; `None` outside 9..=16.
    pub const fn new(bits: u8) -> Option<Self> {
        if bits >= 9 && bits <= 16 { Some(Self(bits)) } else { None }
    }

    /// How many bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The largest sample value.
    pub const fn max(self) -> u16 {
        (((1u32) << self.0) - 1) as u16
    }
}

/// Why some memory is not an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A side is zero or longer than [`MAX_SIDE`].
    #[error("image size {w}x{h} is outside 1x1 to 16384x16384")]
    Size {
        /// Columns asked for.
        w: u32,
        /// Rows asked for.
        h: u32,
    },
    /// The stride is shorter than a row.
    #[error("stride of {got} bytes is shorter than a row of {needed}")]
    Stride {
        /// Bytes of a row.
        needed: usize,
        /// The stride given.
        got: usize,
    },
    /// The memory ends before the last row does.
    #[error("image needs {needed} bytes, {got} were given")]
    Short {
        /// Bytes the image spans.
        needed: usize,
        /// Bytes given.
        got: usize,
    },
}

/// A borrowed image: `size.h` rows of `size.w` pixels, `stride` bytes from one row to the next.
#[derive(Clone, Copy)]
pub struct ImageRef<'a> {
    // INVARIANT: see `check`.
    data: &'a [u8],
    size: Size,
    stride: usize,
    format: PixelFormat,
}

impl<'a> ImageRef<'a> {
    /// A view of `data`; the last row may end without its padding.
    pub fn new(data: &'a [u8], size: Size, stride: usize, format: PixelFormat) -> Result<Self, ImageError> {
        check(data.len(), size, stride, format)?;
        Ok(Self { data, size, stride, format })
    }

    /// Columns and rows.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Bytes from one row to the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// The layout of a pixel.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// The bytes of row `y` without padding. Panics past the last row.
    pub fn row(&self, y: u32) -> &'a [u8] {
        assert!(y < self.size.h, "row {y} of {}", self.size.h);
        let start = y as usize * self.stride;
        &self.data[start..start + self.size.w as usize * self.format.bytes_per_pixel()]
    }

    /// All rows from the top, without padding.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let row = self.size.w as usize * self.format.bytes_per_pixel();
        self.data.chunks(self.stride).take(self.size.h as usize).map(move |r| &r[..row])
    }

    /// The part inside `rect`; `None` where it is empty or sticks out.
    pub fn crop(&self, rect: Rect) -> Option<ImageRef<'a>> {
        if rect.is_empty() || !self.size.rect().contains(rect) {
            return None;
        }
        let start = rect.y as usize * self.stride + rect.x as usize * self.format.bytes_per_pixel();
        Some(Self { data: &self.data[start..], size: rect.size(), ..*self })
    }
}

impl fmt::Debug for ImageRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageRef({}x{} {:?})", self.size.w, self.size.h, self.format)
    }
}

/// A borrowed image that can be painted.
pub struct ImageMut<'a> {
    // INVARIANT: see `check`.
    data: &'a mut [u8],
    size: Size,
    stride: usize,
    format: PixelFormat,
}

impl<'a> ImageMut<'a> {
    /// A view of `data`; the last row may end without its padding.
    pub fn new(
        data: &'a mut [u8],
        size: Size,
        stride: usize,
        format: PixelFormat,
    ) -> Result<Self, ImageError> {
        check(data.len(), size, stride, format)?;
        Ok(Self { data, size, stride, format })
    }

    /// Columns and rows.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Bytes from one row to the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// The layout of a pixel.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// The same image, read only.
    pub fn as_ref(&self) -> ImageRef<'_> {
        ImageRef { data: self.data, size: self.size, stride: self.stride, format: self.format }
    }

    /// The bytes of row `y` without padding. Panics past the last row.
    pub fn row_mut(&mut self, y: u32) -> &mut [u8] {
        assert!(y < self.size.h, "row {y} of {}", self.size.h);
        let start = y as usize * self.stride;
        &mut self.data[start..start + self.size.w as usize * self.format.bytes_per_pixel()]
    }

    /// The part inside `rect`; `None` where it is empty or sticks out.
    pub fn crop_mut(&mut self, rect: Rect) -> Option<ImageMut<'_>> {
        if rect.is_empty() || !self.size.rect().contains(rect) {
            return None;
        }
        let start = rect.y as usize * self.stride + rect.x as usize * self.format.bytes_per_pixel();
        Some(ImageMut {
            data: &mut self.data[start..],
            size: rect.size(),
            stride: self.stride,
            format: self.format,
        })
    }

    /// Copies `source` over the whole of it. Panics unless size and format are equal.
    pub fn copy_from(&mut self, source: ImageRef<'_>) {
        assert!(source.size() == self.size && source.format() == self.format, "copy between unlike images");
        for y in 0..self.size.h {
            self.row_mut(y).copy_from_slice(source.row(y));
        }
    }

    /// Copies the pixels of `from` so that its top left corner lands on `to`; overlapping is fine.
    /// False, and nothing done, where either sticks out.
    pub fn copy_within(&mut self, from: Rect, to: crate::geom::Point) -> bool {
        let all = self.size.rect();
        if from.is_empty() || !all.contains(from) || !all.contains(from.at(to)) {
            return false;
        }
        let bytes = self.format.bytes_per_pixel();
        let (width, stride) = (from.w as usize * bytes, self.stride);
        let mut line = |i: u32| {
            let source = (from.y + i) as usize * stride + from.x as usize * bytes;
            let target = (to.y + i) as usize * stride + to.x as usize * bytes;
            self.data.copy_within(source..source + width, target);
        };
        // Rows still to be read must not be overwritten: go away from the side that the copy moves to.
        if to.y > from.y {
            (0..from.h).rev().for_each(&mut line)
        } else {
            (0..from.h).for_each(&mut line)
        }
        true
    }

    /// Paints every pixel of `rect` with `pixel` (its bytes in memory order, the first
    /// `bytes_per_pixel` of the array). False, and nothing done, where `rect` sticks out.
    pub fn fill(&mut self, rect: Rect, pixel: [u8; 4]) -> bool {
        let bytes = self.format.bytes_per_pixel();
        let Some(mut part) = self.crop_mut(rect) else { return false };
        for y in 0..rect.h {
            for px in part.row_mut(y).chunks_exact_mut(bytes) {
                px.copy_from_slice(&pixel[..bytes]);
            }
        }
        true
    }
}

/// An image in memory of its own, rows without padding. New ones are black, see [`PixelFormat::black`].
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    // INVARIANT: `size.area() * bytes_per_pixel` bytes, sides in 1..=MAX_SIDE.
    data: Vec<u8>,
    size: Size,
    format: PixelFormat,
}

impl Image {
    /// A black image.
    pub fn new(size: Size, format: PixelFormat) -> Result<Self, ImageError> {
        let row = size.w as usize * format.bytes_per_pixel();
        check(usize::MAX, size, row, format)?;
        let mut image = Self { data: vec![0; row * size.h as usize], size, format };
        if format.black() != [0; 4] {
            image.as_mut().fill(size.rect(), format.black());
        }
        Ok(image)
    }

    /// Columns and rows.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The layout of a pixel.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// All samples, row by row.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The same, taken out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.data
    }

    /// A view of it.
    pub fn as_ref(&self) -> ImageRef<'_> {
        ImageRef { data: &self.data, size: self.size, stride: self.stride(), format: self.format }
    }

    /// A view to paint on.
    pub fn as_mut(&mut self) -> ImageMut<'_> {
        let (size, stride, format) = (self.size, self.stride(), self.format);
        ImageMut { data: &mut self.data, size, stride, format }
    }

    fn stride(&self) -> usize {
        self.size.w as usize * self.format.bytes_per_pixel()
    }
}

impl From<ImageRef<'_>> for Image {
    /// A copy.
    fn from(image: ImageRef<'_>) -> Self {
        let mut data = Vec::with_capacity(image.size.area() as usize * image.format.bytes_per_pixel());
        image.rows().for_each(|row| data.extend_from_slice(row));
        Self { data, size: image.size, format: image.format }
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for ImageMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// INVARIANT of both views: sides in 1..=MAX_SIDE, a stride no shorter than a row, memory up to the last row's end.
fn check(len: usize, size: Size, stride: usize, format: PixelFormat) -> Result<(), ImageError> {
    if size.is_empty() || size.w > MAX_SIDE || size.h > MAX_SIDE {
        return Err(ImageError::Size { w: size.w, h: size.h });
    }
    let row = size.w as usize * format.bytes_per_pixel();
    if stride < row {
        return Err(ImageError::Stride { needed: row, got: stride });
    }
    let needed = stride.checked_mul(size.h as usize - 1).map_or(usize::MAX, |rows| rows.saturating_add(row));
    if len < needed {
        return Err(ImageError::Short { needed, got: len });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Point;

    #[test]
    fn refuses_what_is_no_image() {
        let data = [0u8; 64];
        let new =
            |w, h, stride| ImageRef::new(&data, Size::new(w, h), stride, PixelFormat::Bgrx8).map(|_| ());
        assert_eq!(new(4, 4, 16), Ok(()));
        assert_eq!(new(0, 4, 16), Err(ImageError::Size { w: 0, h: 4 }));
        assert_eq!(new(4, 1 << 20, 16), Err(ImageError::Size { w: 4, h: 1 << 20 }));
        assert_eq!(new(5, 1, 16), Err(ImageError::Stride { needed: 20, got: 16 }));
        assert_eq!(new(4, 5, 16), Err(ImageError::Short { needed: 80, got: 64 }));
        assert_eq!(new(4, 2, usize::MAX), Err(ImageError::Short { needed: usize::MAX, got: 64 }));
    }

    #[test]
    fn overlapping_copies_move_like_memmove() {
        for (to, expect) in
            [((1u32, 1u32), [0, 1, 2, 3, 0, 1, 6, 3, 4]), ((0, 0), [0, 1, 2, 3, 4, 5, 6, 7, 8])]
        {
            let mut data = vec![0u8, 1, 2, 3, 4, 5, 6, 7, 8];
            let mut image = ImageMut::new(&mut data, Size::new(3, 3), 3, PixelFormat::Gray8).unwrap();
            assert!(image.copy_within(Rect::new(0, 0, 2, 2), Point::new(to.0, to.1)));
            assert_eq!(data, expect);
        }
        let mut data = vec![0u8; 9];
        let mut image = ImageMut::new(&mut data, Size::new(3, 3), 3, PixelFormat::Gray8).unwrap();
        assert!(!image.copy_within(Rect::new(0, 0, 2, 2), Point::new(2, 2)));
        assert!(!image.copy_within(Rect::new(0, 0, 0, 2), Point::new(9, 9)), "nothing is copied nowhere");
    }
}
