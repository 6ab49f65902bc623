//! The pass for thin links: a rect on a coarse grid.

use alloc::vec::Vec;

use super::grid::{shrink, stretch};
use super::{Decoder, Encoder, MAX_GRID, Pass};
use crate::lossless::DecodeError;
use crate::lossless::bytes::{Reader, put_number};
use crate::lossless::decoder::give_samples;
use crate::lossless::deep::COLOUR;
use crate::lossless::encoder::take_samples;
use crate::lossless::plane::Plane;
use crate::lossless::sheet::first;
use crate::lossless::wave;
use crate::pixel::{ImageMut, ImageRef, PixelFormat};

/// Appends a preview, and says how far it is off; `None`, and nothing appended, where there can be none.
pub(super) fn encode(
    encoder: &mut Encoder,
    image: ImageRef<'_>,
    grid: u32,
    out: &mut Vec<u8>,
) -> Option<u16> {
    let count = take_channels(image, &mut encoder.channels)?;
    let (grid, size) = (grid as usize, (image.size().w as usize, image.size().h as usize));
    let (channels, coarse) = (&encoder.channels[..count], first(&mut encoder.coarse, count));
    let mut max_error = 0;
    for (channel, coarse) in channels.iter().zip(&mut *coarse) {
        shrink(channel, grid, coarse);
        stretch(coarse, grid, size, |y, shown| {
            let errors = shown.iter().zip(channel.row(y)).map(|(a, b)| a.abs_diff(*b));
            max_error = errors.fold(max_error, u16::max);
        });
    }
    out.extend([Pass::Preview.code(), grid as u8]);
    put_number(out, max_error.into());
    if image.format().is_colour() {
        out.push(count as u8);
    }
    turn(coarse, |sample, green, middle, mask| sample.wrapping_sub(green).wrapping_add(middle) & mask);
    wave::encode(encoder.features, encoder.search, coarse, &mut encoder.wave, out);
    Some(max_error)
}

/// Paints a preview, and gives how far it is off by its own word.
pub(super) fn decode(
    decoder: &mut Decoder,
    reader: &mut Reader<'_>,
    into: &mut ImageMut<'_>,
) -> Result<u16, DecodeError> {
    let grid = usize::from(reader.byte()?);
    if grid < 2 || grid > MAX_GRID as usize {
        return Err(DecodeError::Corrupt("grid"));
    }
    let max_error = u16::try_from(reader.number()?).map_err(|_| DecodeError::Corrupt("error bound"))?;
    let count = if into.format().is_colour() { usize::from(reader.byte()?) } else { 1 };
    if count != 1 && count != 3 {
        return Err(DecodeError::Corrupt("number of planes"));
    }
    let size = (into.size().w as usize, into.size().h as usize);
    let coarse = first(&mut decoder.coarse, count);
    let coarse_size = (size.0.div_ceil(grid), size.1.div_ceil(grid));
    coarse
        .iter_mut()
        .for_each(|plane| plane.reset(coarse_size.0, coarse_size.1, into.format().depth().into()));
    wave::decode(decoder.features, reader, coarse, &mut decoder.wave)?;
    turn(coarse, |more, green, middle, mask| more.wrapping_add(green).wrapping_sub(middle) & mask);
    if !into.format().is_colour() {
        let plane = &mut decoder.plane;
        plane.reset(size.0, size.1, into.format().depth().into());
        stretch(&coarse[0], grid, size, |y, shown| plane.row_mut(y).copy_from_slice(shown));
        give_samples(plane, into);
        return Ok(max_error);
    }
    for channel in 0..3 {
        let plane = &coarse[if count == 1 { 0 } else { ORDER[channel] }];
        stretch(plane, grid, size, |y, shown| give_channel(into, y as u32, channel as u32, shown));
    }
    Ok(max_error)
}

/// Which plane holds blue, green and red: green comes first, as the others build on it.
const ORDER: [usize; 3] = [1, 0, 2];

/// Applies `turn(sample, green, middle, mask)` to the planes after the first of three.
fn turn(planes: &mut [Plane], turn: impl Fn(u16, u16, u16, u16) -> u16) {
    let [green, others @ ..] = planes else { return };
    let (middle, mask) = (1 << (green.bits() - 1), ((1u32 << green.bits()) - 1) as u16);
    for other in others {
        for y in 0..green.h() {
            let samples = other.row_mut(y).iter_mut().zip(green.row(y));
            samples.for_each(|(sample, green)| *sample = turn(*sample, *green, middle, mask));
        }
    }
}

/// Copies an image to planes: its samples, what its components have in common, or green, blue and red. Counts them;
/// `None` if a sample has more bits than the format says.
fn take_channels(image: ImageRef<'_>, planes: &mut Vec<Plane>) -> Option<usize> {
    let planes = first(planes, 3);
    if !image.format().is_colour() {
        return take_samples(image, &mut planes[0]).then_some(1);
    }
    let bits = u32::from(image.format().depth());
    let mut differences = 0;
    for (channel, place) in ORDER.into_iter().enumerate() {
        let plane = &mut planes[place];
        plane.reset(image.size().w as usize, image.size().h as usize, bits);
        for (y, row) in image.rows().enumerate() {
            for (sample, pixel) in plane.row_mut(y).iter_mut().zip(row.as_chunks::<4>().0) {
                let pixel = u32::from_le_bytes(*pixel);
                differences |= pixel ^ pixel >> bits;
                *sample = (pixel >> (channel as u32 * bits) & ((1 << bits) - 1)) as u16;
            }
        }
    }
    Some(if differences & ((1 << (2 * bits)) - 1) == 0 { 1 } else { 3 })
}

/// Paints one component of a row; the bits that carry nothing come with blue.
fn give_channel(into: &mut ImageMut<'_>, y: u32, channel: u32, samples: &[u16]) {
    let bits = u32::from(into.format().depth());
    let spare = if into.format() == PixelFormat::Bgrx10 { !COLOUR } else { 0xff00_0000 };
    for (pixel, sample) in into.row_mut(y).as_chunks_mut::<4>().0.iter_mut().zip(samples) {
        let before = if channel == 0 { spare } else { u32::from_le_bytes(*pixel) };
        *pixel = (before & !(((1 << bits) - 1) << (channel * bits)) | u32::from(*sample) << (channel * bits))
            .to_le_bytes();
    }
}
