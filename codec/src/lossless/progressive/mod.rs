//! Pictures in passes: a first one soon, exact at the end.
//!
//! A deep gray rect can come as its *high* bits, of which every sample shows the middle of a *cell* of 2^k samples,
//! and then as the *low* bits that end it exactly. Both together take a few percent more than one pass. On thin
//! links a *preview* comes first, the rect on a coarse grid, a tenth of the bytes; what follows does not build on it.
//! Every pass states how far a shown sample can lie from the true one.
//!
//! ```
//! use lightbox_codec::geom::Size;
//! use lightbox_codec::pixel::{Image, PixelFormat, SampleDepth};
//! use lightbox_codec::lossless::progressive::{Decoder, Encoder};
//!
//! let format = PixelFormat::Gray16(SampleDepth::new(12).expect("12 is in 9..=16"));
//! let mut source = Image::new(Size::new(64, 64), format)?;
//! let all = source.size().rect();
//! source.as_mut().fill(all, [0xAB, 0x0C, 0, 0]);
//! let (mut high, mut low) = (Vec::new(), Vec::new());
//! Encoder::new().encode_high(source.as_ref(), 2, &mut high).expect("deep gray");
//! Encoder::new().encode_low(source.as_ref(), 2, &mut low).expect("deep gray");
//!
//! let mut target = Image::new(Size::new(64, 64), format)?;
//! assert_eq!(Decoder::new().decode(&high, &mut target.as_mut())?.max_error, 2);
//! assert_eq!(Decoder::new().decode(&low, &mut target.as_mut())?.max_error, 0);
//! assert_eq!(target, source);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod grid;
mod list;
mod low;
mod preview;
mod tables;
mod walk;

use alloc::vec::Vec;

use self::list::List;
use super::bytes::Reader;
use super::census::Census;
use super::decoder::give_samples;
use super::encoder::take_samples;
use super::plane::Plane;
use super::split::{Split, number_samples};
use super::wave::{self, DecodeScratch, EncodeScratch, Search};
use super::{DecodeError, Level};
use crate::cpu::Features;
use crate::pixel::{ImageMut, ImageRef, PixelFormat};

/// The most low bits a rect can be split by.
pub const MAX_LOW_BITS: u32 = 4;

/// The widest grid of a preview.
pub const MAX_GRID: u32 = 8;

/// What a coded pass is: its first byte. None of them is the number of a
/// [`Method`](super::Method), so no pass is ever taken for an exact rect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pass {
    /// The high bits of deep gray.
    High,
    /// The low bits, for a target that shows the high ones.
    Low,
    /// The rect on a coarse grid.
    Preview,
}

impl Pass {
    /// All of them.
    pub const ALL: [Pass; 3] = [Pass::High, Pass::Low, Pass::Preview];

    /// The pass that these bytes are; `None` where they are empty or something else.
    pub fn of(bytes: &[u8]) -> Option<Pass> {
        let code = *bytes.first()?;
        Self::ALL.into_iter().find(|pass| pass.code() == code)
    }

    /// Its name in statistics.
    pub const fn name(self) -> &'static str {
        match self {
            Pass::High => "high",
            Pass::Low => "low",
            Pass::Preview => "preview",
        }
    }

    const fn code(self) -> u8 {
        match self {
            Pass::High => 0x20,
            Pass::Low => 0x21,
            Pass::Preview => 0x22,
        }
    }
}

/// What a rect shows after a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The pass that was painted.
    pub pass: Pass,
    /// The furthest a sample, or a component of a colour, lies from the true one; 0 is exact.
    pub max_error: u16,
}

/// Codes passes. It keeps its work memory from call to call; use one for each thread.
pub struct Encoder {
    features: Features,
    search: Search,
    plane: Plane,
    census: Census,
    channels: Vec<Plane>,
    coarse: Vec<Plane>,
    wave: EncodeScratch,
}

impl Encoder {
    /// An encoder at [`Level::Default`].
    pub fn new() -> Self {
        Self::with_level(Level::Default)
    }

    /// An encoder that works as hard as `level` says.
    pub fn with_level(level: Level) -> Self {
        Self {
            features: Features::detect(),
            search: level.search(),
            plane: Plane::default(),
            census: Census::default(),
            channels: Vec::new(),
            coarse: Vec::new(),
            wave: EncodeScratch::new(),
        }
    }

    /// The same encoder on kernels of `allowed` features only. Its output does not change.
    #[must_use]
    pub fn with_cpu(mut self, allowed: Features) -> Self {
        // INVARIANT: never more than the CPU has; the kernels rely on it.
        self.features = Features::detect().masked(allowed);
        self
    }

    /// Appends the rect on a grid of one sample for `grid` x `grid`, 2 to [`MAX_GRID`]; 4 is some tenth of what an exact
    /// radiograph takes. The decoder shows a smooth picture through them, and the stream states how far that is off.
    /// It is meant for photographs: text is unreadable, and exact text is cheap.
    ///
    /// `None`, and nothing appended, where a sample has more bits than its format or `grid` is out of range.
    pub fn encode_preview(&mut self, image: ImageRef<'_>, grid: u32, out: &mut Vec<u8>) -> Option<Shown> {
        if !(2..=MAX_GRID).contains(&grid) {
            return None;
        }
        let max_error = preview::encode(self, image, grid, out)?;
        Some(Shown { pass: Pass::Preview, max_error })
    }

    /// Appends the first of two passes: all but `low_bits` bits, 1 to [`MAX_LOW_BITS`], of every sample. The decoder
    /// shows the middle of what they leave open.
    ///
    /// `None`, and nothing appended, where the image cannot be split: it is no deep gray, a sample has more bits than
    /// its format, or `low_bits` is out of range. Such a rect is for [`Encoder::encode`](super::Encoder).
    pub fn encode_high(&mut self, image: ImageRef<'_>, low_bits: u32, out: &mut Vec<u8>) -> Option<Shown> {
        self.take(image, low_bits)?;
        let max_error = self.begin(Pass::High, low_bits, out);
        let bits = self.plane.bits();
        change(&mut self.plane, |sample| sample >> low_bits);
        self.plane.set_bits(bits - low_bits);
        wave::encode(self.features, self.search, core::slice::from_mut(&mut self.plane), &mut self.wave, out);
        Some(Shown { pass: Pass::High, max_error })
    }

    /// Appends the second pass, for a target that shows what [`Encoder::encode_high`] wrote of this image with as
    /// many low bits. `None` as there.
    pub fn encode_low(&mut self, image: ImageRef<'_>, low_bits: u32, out: &mut Vec<u8>) -> Option<Shown> {
        self.take(image, low_bits)?;
        self.begin(Pass::Low, low_bits, out);
        let encode = match low_bits {
            1 => low::encode::<2>,
            2 => low::encode::<4>,
            3 => low::encode::<8>,
            _ => low::encode::<16>,
        };
        encode(&mut self.plane, self.search, out);
        Some(Shown { pass: Pass::Low, max_error: 0 })
    }

    fn take(&mut self, image: ImageRef<'_>, low_bits: u32) -> Option<()> {
        let is_deep = matches!(image.format(), PixelFormat::Gray16(_));
        let can = is_deep && (1..=MAX_LOW_BITS).contains(&low_bits) && take_samples(image, &mut self.plane);
        can.then_some(())
    }

    /// Appends the head of a pass, numbers the samples if that is cheaper, and gives the error of the first pass.
    fn begin(&mut self, pass: Pass, low_bits: u32, out: &mut Vec<u8>) -> u16 {
        let depth = self.plane.bits();
        number_samples(&mut self.plane, &mut self.census);
        if self.plane.split != Split::Palette {
            out.extend([pass.code(), low_bits as u8]);
            return half_cell(low_bits);
        }
        out.extend([pass.code(), low_bits as u8 | LISTED]);
        self.plane.palette.write(depth, false, out);
        let list = List::new(&self.plane.palette, low_bits);
        change(&mut self.plane, |entry| list.number(entry));
        self.plane.set_bits(list.bits());
        self.plane.split = Split::Gray;
        list.max_error()
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Paints passes. Its work memory is bounded by the size of the rect; use one for each thread.
pub struct Decoder {
    features: Features,
    plane: Plane,
    coarse: Vec<Plane>,
    wave: DecodeScratch,
}

impl Decoder {
    /// A decoder.
    pub fn new() -> Self {
        Self {
            features: Features::detect(),
            plane: Plane::default(),
            coarse: Vec::new(),
            wave: DecodeScratch::default(),
        }
    }

    /// The same decoder on kernels of `allowed` features only. Its output does not change.
    #[must_use]
    pub fn with_cpu(mut self, allowed: Features) -> Self {
        // INVARIANT: never more than the CPU has; the kernels rely on it.
        self.features = Features::detect().masked(allowed);
        self
    }

    /// Paints all of `into` from `bytes`, which are one pass of a rect of its size and format. For [`Pass::Low`]
    /// `into` must show what [`Pass::High`] painted; if it does not, what it shows in the end is wrong and nothing
    /// worse. The time is bounded by the size of `into`. After an error `into` may be partly painted.
    pub fn decode(&mut self, bytes: &[u8], into: &mut ImageMut<'_>) -> Result<Shown, DecodeError> {
        let mut reader = Reader::new(bytes);
        let code = reader.byte()?;
        let pass = Pass::of(&[code]).ok_or(DecodeError::UnknownMethod(code))?;
        let max_error = match (pass, into.format()) {
            (Pass::High, PixelFormat::Gray16(_)) => self.decode_high(&mut reader, into)?,
            (Pass::Low, PixelFormat::Gray16(_)) => self.decode_low(&mut reader, into)?,
            (Pass::Preview, _) => preview::decode(self, &mut reader, into)?,
            _ => return Err(DecodeError::WrongFormat(code)),
        };
        reader.finish()?;
        Ok(Shown { pass, max_error })
    }

    fn decode_high(&mut self, reader: &mut Reader<'_>, into: &mut ImageMut<'_>) -> Result<u16, DecodeError> {
        let (low_bits, list) = self.read_head(reader, into)?;
        let bits = list.as_ref().map_or(into.format().depth().into(), List::bits);
        self.plane.reset(into.size().w as usize, into.size().h as usize, bits - low_bits);
        wave::decode(self.features, reader, core::slice::from_mut(&mut self.plane), &mut self.wave)?;
        let half = half_cell(low_bits);
        match &list {
            Some(list) => change(&mut self.plane, |cell| list.middle(cell)),
            None => change(&mut self.plane, |cell| cell << low_bits | half),
        }
        give_samples(&self.plane, into);
        Ok(list.map_or(half, |list| list.max_error()))
    }

    fn decode_low(&mut self, reader: &mut Reader<'_>, into: &mut ImageMut<'_>) -> Result<u16, DecodeError> {
        let (low_bits, list) = self.read_head(reader, into)?;
        take_samples(into.as_ref(), &mut self.plane);
        match &list {
            Some(list) => {
                change(&mut self.plane, |shown| list.cell_start(shown));
                self.plane.set_bits(list.bits());
            }
            None => {
                // Bits beyond the depth, which no pass paints, would be worse than wrong.
                let max = ((1u32 << self.plane.bits()) - 1) as u16;
                change(&mut self.plane, |shown| shown & max);
            }
        }
        let decode = match low_bits {
            1 => low::decode::<2>,
            2 => low::decode::<4>,
            3 => low::decode::<8>,
            _ => low::decode::<16>,
        };
        decode(&mut self.plane, reader)?;
        if let Some(list) = &list {
            change(&mut self.plane, |number| list.sample(number));
        }
        give_samples(&self.plane, into);
        Ok(0)
    }

    /// Reads the number of low bits, and the list that samples are numbers of if there is one.
    fn read_head(
        &mut self,
        reader: &mut Reader<'_>,
        into: &ImageMut<'_>,
    ) -> Result<(u32, Option<List>), DecodeError> {
        let head = reader.byte()?;
        let low_bits = u32::from(head & !LISTED);
        if low_bits == 0 || low_bits > MAX_LOW_BITS {
            return Err(DecodeError::Corrupt("number of low bits"));
        }
        if head & LISTED == 0 {
            return Ok((low_bits, None));
        }
        // There are no more entries than samples, or the list would not be bounded by the rect.
        let area = into.size().area() as usize;
        self.plane.palette.read(into.format().depth().into(), false, area, reader)?;
        Ok((low_bits, Some(List::new(&self.plane.palette, low_bits))))
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Changes every sample of a plane.
fn change(plane: &mut Plane, by: impl Fn(u16) -> u16) {
    for y in 0..plane.h() {
        plane.row_mut(y).iter_mut().for_each(|sample| *sample = by(*sample));
    }
}

/// Set beside the number of low bits if a list follows.
const LISTED: u8 = 0x80;

/// The middle of a cell, which is also how far its first sample lies from it.
const fn half_cell(low_bits: u32) -> u16 {
    1 << (low_bits - 1)
}

#[cfg(test)]
mod tests;
