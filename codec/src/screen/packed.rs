//! A tile put aside: its samples without what carries nothing.
//!
//! Radiographs make up most of what a reading room's desktop shows again, and on a BGRX surface three of their four
//! bytes say nothing. Packed, a tile of 64x64 pixels takes one [`CELL`] where it is gray, two where gray has
//! more than eight bits, and three where it is coloured: a memory of given size keeps up to four times as many tiles.

use alloc::vec::Vec;

use crate::geom::Size;
use crate::pixel::{ImageMut, ImageRef, PixelFormat};

/// The bytes of a tile of 64x64 gray pixels: what memory for packed tiles is counted in.
pub const CELL: u64 = 64 * 64;

/// The samples of an image, as few bytes as there are values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    what: Option<(Size, PixelFormat, Form)>,
    samples: Vec<u8>,
}

/// What a pixel is packed into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One byte: 8-bit gray, and BGRX pixels whose three samples are equal.
    Gray,
    /// Two bytes.
    Deep,
    /// Blue, green, red.
    Colour,
    /// Four bytes: colour of ten bits a sample.
    Wide,
}

impl Packed {
    /// Nothing.
    pub const fn new() -> Self {
        Self { what: None, samples: Vec::new() }
    }

    /// Takes `image` in place of what it held.
    pub fn take(&mut self, image: ImageRef<'_>) {
        let form = match image.format() {
            PixelFormat::Gray8 => Form::Gray,
            PixelFormat::Gray16(_) => Form::Deep,
            PixelFormat::Bgrx8 if image.rows().all(is_gray) => Form::Gray,
            PixelFormat::Bgrx8 => Form::Colour,
            PixelFormat::Bgrx10 => Form::Wide,
        };
        self.what = Some((image.size(), image.format(), form));
        self.samples.clear();
        for row in image.rows() {
            let pixels = row.as_chunks::<4>().0.iter();
            match (image.format(), form) {
                (PixelFormat::Bgrx8, Form::Gray) => self.samples.extend(pixels.map(|px| px[0])),
                (PixelFormat::Bgrx8, _) => self.samples.extend(pixels.flat_map(|[b, g, r, _]| [*b, *g, *r])),
                _ => self.samples.extend_from_slice(row),
            }
        }
    }

    /// The cells it takes where it is a tile: 1 to 4, and 0 where it is nothing.
    pub fn cells(&self) -> u64 {
        match self.what {
            None => 0,
            Some((_, _, Form::Gray)) => 1,
            Some((_, _, Form::Deep)) => 2,
            Some((_, _, Form::Colour)) => 3,
            Some((_, _, Form::Wide)) => 4,
        }
    }

    /// Its samples and a few bytes that tell images apart whose samples are the same.
    pub fn identity(&self) -> ([u8; 12], &[u8]) {
        let mut head = [0; 12];
        if let Some((size, format, form)) = self.what {
            head[..4].copy_from_slice(&size.w.to_le_bytes());
            head[4..8].copy_from_slice(&size.h.to_le_bytes());
            head[8..].copy_from_slice(&[format.bytes_per_pixel() as u8, format.depth(), form as u8, 1]);
        }
        (head, &self.samples)
    }

    /// Paints all of `into`. False, and nothing painted, where it is of another size or format.
    pub fn paint(&self, into: &mut ImageMut<'_>) -> bool {
        let Some((size, format, form)) =
            self.what.filter(|what| (what.0, what.1) == (into.size(), into.format()))
        else {
            return false;
        };
        let (rows, w) = (0..size.h, size.w as usize);
        match (format, form) {
            (PixelFormat::Bgrx8, Form::Gray) => {
                for (y, source) in rows.zip(self.samples.chunks_exact(w)) {
                    let pixels = into.row_mut(y).as_chunks_mut::<4>().0.iter_mut();
                    pixels.zip(source).for_each(|(px, v)| *px = [*v, *v, *v, 0xFF]);
                }
            }
            (PixelFormat::Bgrx8, _) => {
                for (y, source) in rows.zip(self.samples.chunks_exact(3 * w)) {
                    let pixels = into.row_mut(y).as_chunks_mut::<4>().0.iter_mut();
                    pixels
                        .zip(source.as_chunks::<3>().0)
                        .for_each(|(px, [b, g, r])| *px = [*b, *g, *r, 0xFF]);
                }
            }
            _ => {
                let bytes = w * format.bytes_per_pixel();
                for (y, source) in rows.zip(self.samples.chunks_exact(bytes)) {
                    into.row_mut(y).copy_from_slice(source);
                }
            }
        }
        true
    }

    /// Overwrites its samples with zeros, and is nothing from then on.
    pub fn wipe(&mut self) {
        self.what = None;
        self.samples.fill(0);
        // Memory that is about to be freed is written all the same.
        core::hint::black_box(&self.samples);
        self.samples.clear();
    }
}

fn is_gray(row: &[u8]) -> bool {
    let differences = row.as_chunks::<4>().0.iter().fold(0, |all, [b, g, r, _]| all | (b ^ g) | (g ^ r));
    differences == 0
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::geom::Rect;
    use crate::pixel::{Image, SampleDepth};

    #[test]
    fn comes_back_and_takes_as_little_as_it_can() {
        let size = Size::new(64, 40);
        let deep = PixelFormat::Gray16(SampleDepth::new(12).unwrap());
        for (format, red, cells) in [
            (PixelFormat::Gray8, 0, 1),
            (deep, 0, 2),
            (PixelFormat::Bgrx8, 0, 1),
            (PixelFormat::Bgrx8, 9, 3),
            (PixelFormat::Bgrx10, 9, 4),
        ] {
            let mut image = Image::new(size, format).unwrap();
            image.as_mut().fill(size.rect(), [7, 7, 7, 0xFF]);
            image.as_mut().fill(Rect::new(3, 4, 9, 1), [1, 1, 1 + red, 0xFF]);
            let mut packed = Packed::new();
            packed.take(image.as_ref());
            assert_eq!(packed.cells(), cells);
            assert_eq!(packed.identity().1.len() as u64, size.area() * cells);
            let mut again = Image::new(size, format).unwrap();
            assert!(packed.paint(&mut again.as_mut()));
            assert_eq!(again, image);
            // Another size, another format, nothing at all: nothing is painted.
            let mut other = Image::new(Size::new(40, 64), format).unwrap();
            assert!(!packed.paint(&mut other.as_mut()));
            packed.wipe();
            assert!(!packed.paint(&mut again.as_mut()) && packed.cells() == 0);
        }
    }

    #[test]
    fn equal_samples_of_other_images_are_told_apart() {
        let images = [
            Image::new(Size::new(8, 2), PixelFormat::Gray8),
            Image::new(Size::new(2, 8), PixelFormat::Gray8),
            Image::new(Size::new(4, 2), SampleDepth::new(10).map(PixelFormat::Gray16).unwrap()),
            Image::new(Size::new(4, 2), SampleDepth::new(12).map(PixelFormat::Gray16).unwrap()),
            Image::new(Size::new(8, 2), PixelFormat::Bgrx8),
        ];
        let mut seen = vec![Packed::new().identity().0];
        for image in images {
            let mut packed = Packed::new();
            packed.take(image.unwrap().as_ref());
            assert!(!seen.contains(&packed.identity().0));
            seen.push(packed.identity().0);
        }
    }
}
