//! Images that are shown scaled: the image as it was before, and what its scaling leaves over.
//!
//! A viewer enlarges a slice of 512x512 pixels to 900x900: three times as many samples, and no more to tell. Where the
//! source and the arithmetic are known, the source is coded by the still codec, both sides scale it, and of the target
//! only corrections remain: what lies over the image, and what the arithmetic was not.
//! So the target is exact whatever is said of its source.
//!
//! - [`Source`]: the image as it was.
//! - [`Scale`]: which pixel of the source a pixel of the target comes from, by which [`Kernel`].
//! - [`Encoder`], [`Decoder`]: rects that show it to bytes and back; SPEC-lossless.md, "Scaled images".

mod corrections;
mod scale;
mod source;

pub use scale::{Axis, Kernel, Rounding, Scale};
pub use source::Source;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::geom::{Rect, Size};
use crate::lossless::{self, DecodeError};
use crate::pixel::{ImageMut, ImageRef, PixelFormat};
use crate::range::{Coder, RangeReader, RangeWriter};
use corrections::Corrections;
use scale::Painter;

/// The most pixels of a source; and see [`MAX_SHARE`].
pub const MAX_SOURCE: u64 = 1 << 20;
/// The most pixels of a target.
pub const MAX_TARGET: u64 = 1 << 22;

/// A source has no more pixels than so many for each of its target's: few bytes may not ask for much work.
pub const MAX_SHARE: u64 = 4;

/// How well a scaled source fits a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// Pixels of the target.
    pub pixels: u64,
    /// Those that the scaled source does not show.
    pub wrong: u64,
}

/// Codes rects that show a source, scaled. It keeps its work memory: that of a still encoder.
#[derive(Default)]
pub struct Encoder {
    still: Box<lossless::Encoder>,
    coded: Vec<u8>,
    painted: Vec<u8>,
}

impl Encoder {
    /// With empty work memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `target` as `source`, scaled, and corrected, for [`Decoder::decode`]; says how much was corrected. `None`,
    /// and nothing appended, where no such pixels can be made of it (see [`Scale::is_valid`] and [`Source::is_for`]), or where
    /// the source is too large for the target ([`MAX_SHARE`]).
    pub fn encode(
        &mut self,
        scale: &Scale,
        source: &Source,
        target: ImageRef<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Fit> {
        if source.size().area() > target.size().area() * MAX_SHARE {
            return None;
        }
        let start = out.len();
        out.push(scale.kernel.code());
        for number in [source.size().w.into(), source.size().h.into()] {
            put_number(number, out);
        }
        for axis in [scale.x, scale.y] {
            put_number(zigzag(axis.origin), out);
            put_number(axis.step, out);
        }
        self.encode_source(source, out);
        let fit = self.encode_corrections(scale, source, target, out);
        if fit.is_none() {
            out.truncate(start);
        }
        fit
    }

    fn encode_source(&mut self, source: &Source, out: &mut Vec<u8>) {
        out.push(u8::from(source.format().is_colour()));
        for band in bands(source.size()) {
            let Some(part) = source.image().crop(band) else { continue };
            self.coded.clear();
            self.still.encode(part, &mut self.coded);
            put_band(&self.coded, out);
        }
    }

    /// How many pixels of `target` the scaled `source` shows, by every `step`th row; `None` where no such pixels can
    /// be made of it.
    pub fn fit(&mut self, scale: &Scale, source: &Source, target: ImageRef<'_>, step: u32) -> Option<Fit> {
        let mut painter = Painter::new(scale, source, target.size(), target.format())?;
        let mut fit = Fit::default();
        let pixel = target.format().bytes_per_pixel();
        let samples = if pixel == 4 { 3 } else { 1 };
        for y in (0..target.size().h).step_by(step.max(1) as usize) {
            let (painted, target) = (self.paint(&mut painter, target.row(y).len(), y), target.row(y));
            let pairs = painted.chunks_exact(pixel).zip(target.chunks_exact(pixel));
            fit.wrong += pairs.filter(|(a, b)| a[..samples] != b[..samples]).count() as u64;
            fit.pixels += (target.len() / pixel) as u64;
        }
        Some(fit)
    }

    /// Appends what makes the scaled `source` into `target`; nothing where nothing is wrong.
    fn encode_corrections(
        &mut self,
        scale: &Scale,
        source: &Source,
        target: ImageRef<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Fit> {
        let mut painter = Painter::new(scale, source, target.size(), target.format())?;
        let mut fit = Fit { pixels: target.size().area(), wrong: 0 };
        let start = out.len();
        let mut corrections = Corrections::new(target.size().w as usize, target.format());
        let mut coder = RangeWriter::new(out);
        for y in 0..target.size().h {
            let painted = self.paint(&mut painter, target.row(y).len(), y);
            fit.wrong += corrections.write(&mut coder, painted, target.row(y));
        }
        coder.finish();
        if fit.wrong == 0 {
            out.truncate(start);
        }
        Some(fit)
    }

    fn paint(&mut self, painter: &mut Painter<'_>, bytes: usize, y: u32) -> &[u8] {
        self.painted.resize(bytes, 0);
        painter.paint(y, &mut self.painted);
        &self.painted
    }
}

/// Reads what an [`Encoder`] writes. It keeps its work memory: that of a still decoder.
#[derive(Default)]
pub struct Decoder {
    still: Box<lossless::Decoder>,
}

impl Decoder {
    /// With empty work memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Paints all of `target` from `bytes`, which are one scaled rect of its size and format. Time and memory are bounded
    /// by the size of `target`.
    ///
    /// # Errors
    /// They are none; `target` may be partly painted.
    pub fn decode(&mut self, bytes: &[u8], target: &mut ImageMut<'_>) -> Result<(), DecodeError> {
        let (&kernel, mut bytes) = bytes.split_first().ok_or(DecodeError::Truncated)?;
        let kernel = Kernel::of(kernel).ok_or(DecodeError::Corrupt("kernel"))?;
        let mut number = || take_number(&mut bytes);
        let mut side = || u32::try_from(number()?).map_err(|_| DecodeError::Corrupt("source size"));
        let size = Size::new(side()?, side()?);
        if size.area() > target.size().area() * MAX_SHARE {
            return Err(DecodeError::Corrupt("source size"));
        }
        let mut axis = || Ok(Axis { origin: unzigzag(number()?), step: number()? });
        let scale = Scale { kernel, x: axis()?, y: axis()? };
        let source = self.decode_source(&mut bytes, size)?;
        let painter = Painter::new(&scale, &source, target.size(), target.format());
        paint(painter.ok_or(DecodeError::Corrupt("scale"))?, bytes, target)
    }

    fn decode_source(&mut self, bytes: &mut &[u8], size: Size) -> Result<Source, DecodeError> {
        let (form, rest) = bytes.split_first().ok_or(DecodeError::Truncated)?;
        *bytes = rest;
        let format = match form {
            0 => PixelFormat::Gray8,
            1 => PixelFormat::Bgrx8,
            other => return Err(DecodeError::UnknownMethod(*other)),
        };
        let mut source = Source::black(size, format).ok_or(DecodeError::Corrupt("source size"))?;
        for band in bands(size) {
            let coded = take_band(bytes)?;
            let mut image = source.image_mut();
            let mut part = image.crop_mut(band).ok_or(DecodeError::Outside)?;
            self.still.decode(coded, &mut part)?;
        }
        Ok(source)
    }
}

/// Paints all of `target`, and corrects it.
fn paint(mut painter: Painter<'_>, corrections: &[u8], target: &mut ImageMut<'_>) -> Result<(), DecodeError> {
    let (size, format) = (target.size(), target.format());
    if corrections.is_empty() {
        (0..size.h).for_each(|y| painter.paint(y, target.row_mut(y)));
        return Ok(());
    }
    let mut coder = RangeReader::new(corrections);
    let mut corrections = Corrections::new(size.w as usize, format);
    for y in 0..size.h {
        let row = target.row_mut(y);
        painter.paint(y, row);
        corrections.read(&mut coder, row);
        if coder.is_spent() {
            return Err(DecodeError::Truncated);
        }
    }
    match coder.unread() {
        0 => Ok(()),
        extra => Err(DecodeError::Trailing { extra }),
    }
}

/// The most pixels of a band.
const MAX_BAND: u64 = 1 << 18;

/// Sources are coded in bands of whole rows, so that no coder needs memory for more than one.
fn bands(size: Size) -> impl Iterator<Item = Rect> {
    let most = (MAX_BAND / u64::from(size.w.max(1))).max(1) as u32;
    let rows = if most >= 16 { most / 16 * 16 } else { most };
    let starts = (0..size.h).step_by(rows as usize);
    starts.map(move |y| Rect::new(0, y, size.w, rows.min(size.h - y)))
}

/// Appends a band's bytes behind their length.
fn put_band(coded: &[u8], out: &mut Vec<u8>) {
    put_number(coded.len() as u64, out);
    out.extend_from_slice(coded);
}

fn take_band<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let length = usize::try_from(take_number(bytes)?).map_err(|_| DecodeError::Truncated)?;
    let (band, rest) = bytes.split_at_checked(length).ok_or(DecodeError::Truncated)?;
    *bytes = rest;
    Ok(band)
}

/// Appends a number below 2^56, seven bits a byte, the lowest first.
fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut number = 0;
    for shift in (0..56).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(DecodeError::Truncated)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Ok(number);
        }
    }
    Err(DecodeError::Corrupt("number"))
}

/// Numbers of both signs as numbers: 0, -1, 1, -2, ..
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests;
