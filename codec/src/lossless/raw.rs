//! The plain paths: raw pixels and flat rects. They share nothing with the coders.

use alloc::vec::Vec;

use super::DecodeError;
use super::bytes::Reader;
use super::deep;
use crate::pixel::{ImageMut, ImageRef, PixelFormat};

/// Bytes of a pixel here: BGRX leaves its X out, and sets it where it is two bits.
pub(super) fn pixel_bytes(format: PixelFormat) -> usize {
    match format {
        PixelFormat::Bgrx8 => 3,
        PixelFormat::Bgrx10 | PixelFormat::Gray8 | PixelFormat::Gray16(_) => format.bytes_per_pixel(),
    }
}

/// Appends all pixels.
pub(super) fn encode(image: ImageRef<'_>, out: &mut Vec<u8>) {
    for row in image.rows() {
        match image.format() {
            PixelFormat::Bgrx8 => {
                out.extend(row.as_chunks::<4>().0.iter().flat_map(|[b, g, r, _]| [*b, *g, *r]))
            }
            PixelFormat::Bgrx10 => {
                out.extend(row.as_chunks::<4>().0.iter().flat_map(|[a, b, c, d]| [*a, *b, *c, *d | 0xc0]))
            }
            PixelFormat::Gray8 | PixelFormat::Gray16(_) => out.extend_from_slice(row),
        }
    }
}

/// Paints all pixels.
pub(super) fn decode(reader: &mut Reader<'_>, into: &mut ImageMut<'_>) -> Result<(), DecodeError> {
    let row_bytes = into.size().w as usize * pixel_bytes(into.format());
    for y in 0..into.size().h {
        let source = reader.take(row_bytes)?;
        let format = into.format();
        let row = into.row_mut(y);
        match format {
            PixelFormat::Bgrx8 => {
                for (pixel, [b, g, r]) in row.as_chunks_mut::<4>().0.iter_mut().zip(source.as_chunks::<3>().0)
                {
                    *pixel = [*b, *g, *r, 0xff];
                }
            }
            PixelFormat::Bgrx10 => {
                row.copy_from_slice(source);
                row.iter_mut().skip(3).step_by(4).for_each(|top| *top |= 0xc0);
            }
            PixelFormat::Gray8 | PixelFormat::Gray16(_) => row.copy_from_slice(source),
        }
    }
    Ok(())
}

/// Appends the one pixel that all equal, if all are equal.
pub(super) fn encode_flat(image: ImageRef<'_>, out: &mut Vec<u8>) -> bool {
    let bytes = image.format().bytes_per_pixel();
    // INVARIANT of images: there is a first pixel.
    let first = &image.row(0)[..bytes];
    let counts = pixel_bytes(image.format());
    let is_flat = match image.format() {
        PixelFormat::Bgrx8 => all_equal(image, 0xff_ffff),
        PixelFormat::Bgrx10 => all_equal(image, deep::COLOUR),
        PixelFormat::Gray8 => image.rows().all(|row| row.iter().all(|sample| *sample == first[0])),
        PixelFormat::Gray16(_) => image.rows().all(|row| row.chunks_exact(2).all(|sample| sample == first)),
    };
    if is_flat {
        out.extend_from_slice(&first[..counts]);
        if image.format() == PixelFormat::Bgrx10
            && let Some(top) = out.last_mut()
        {
            *top |= 0xc0;
        }
    }
    is_flat
}

/// True if all pixels of four bytes have the same bits inside `mask`.
fn all_equal(image: ImageRef<'_>, mask: u32) -> bool {
    // INVARIANT of images: there is a first pixel.
    let first = u32::from_le_bytes(image.row(0).as_chunks::<4>().0[0]);
    let differs = |pixel: &[u8; 4]| (u32::from_le_bytes(*pixel) ^ first) & mask;
    image.rows().all(|row| {
        let (pixels, _) = row.as_chunks::<4>();
        pixels.chunks(64).all(|run| run.iter().fold(0, |d, pixel| d | differs(pixel)) == 0)
    })
}

/// Paints one pixel everywhere.
pub(super) fn decode_flat(reader: &mut Reader<'_>, into: &mut ImageMut<'_>) -> Result<(), DecodeError> {
    let counts = pixel_bytes(into.format());
    let mut pixel = [0xff; 4];
    pixel[..counts].copy_from_slice(reader.take(counts)?);
    if into.format() == PixelFormat::Bgrx10 {
        pixel[3] |= 0xc0;
    }
    into.fill(into.as_ref().size().rect(), pixel);
    Ok(())
}
