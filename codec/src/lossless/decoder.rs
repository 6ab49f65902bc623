//! Reads coded rects.

use alloc::vec::Vec;

use super::bytes::Reader;
use super::inter::InterDecoder;
use super::plane::Plane;
use super::sheet::{Sheet, first};
use super::split::Split;
use super::text::Text;
use super::wave::{self, DecodeScratch};
use super::{DecodeError, Method, raw};
use crate::cpu::Features;
use crate::geom::Rect;
use crate::pixel::{ImageMut, PixelFormat};

/// Decodes rects. Its work memory, at most 12 bytes for a pixel of the largest call so far, 300 bytes for a rect of it
/// and 64 for a column, is kept from call to call and never depends on what the bytes say; use one for each thread.
pub struct Decoder {
    pub(super) features: Features,
    pub(super) text: Text,
    pub(super) wave: DecodeScratch,
    methods: Vec<Method>,
    pub(super) sheets: Vec<Sheet>,
    pub(super) planes: Vec<Plane>,
    pub(super) inter: InterDecoder,
}

impl Decoder {
    /// A decoder.
    pub fn new() -> Self {
        Self {
            features: Features::detect(),
            text: Text::new(),
            wave: DecodeScratch::default(),
            methods: Vec::new(),
            sheets: Vec::new(),
            planes: Vec::new(),
            inter: InterDecoder::default(),
        }
    }

    /// The same decoder on kernels of `allowed` features only. Its output does not change.
    #[must_use]
    pub fn with_cpu(mut self, allowed: Features) -> Self {
        // INVARIANT: never more than the CPU has; the kernels rely on it.
        self.features = Features::detect().masked(allowed);
        self
    }

    /// Paints all of `into` from `bytes`, which are one coded rect of its size and format. The bits of
    /// colour pixels that carry nothing get set. The time is bounded by the size of `into`. After an error `into` may be partly painted.
    pub fn decode(&mut self, bytes: &[u8], into: &mut ImageMut<'_>) -> Result<(), DecodeError> {
        let all = into.as_ref().size().rect();
        self.decode_batch(bytes, into, &[all])
    }

    /// Paints the `rects` of `into`, in their order, from `bytes`: one batch of
    /// [`Encoder::encode_batch`](super::Encoder::encode_batch) with images of these sizes and of the format of
    /// `into`. Time and memory are bounded by the sum of the rects' areas, which is the caller's to limit; rects may
    /// overlap. After an error, a rect that sticks out among them, `into` may be partly painted.
    pub fn decode_batch(
        &mut self,
        bytes: &[u8],
        into: &mut ImageMut<'_>,
        rects: &[Rect],
    ) -> Result<(), DecodeError> {
        let mut reader = Reader::new(bytes);
        self.methods.clear();
        let (mut sheets, mut planes) = (0, 0);
        for &rect in rects {
            let mut target = into.crop_mut(rect).ok_or(DecodeError::Outside)?;
            let method = self.begin(&mut reader, &mut target, &mut sheets, &mut planes)?;
            self.methods.push(method);
        }
        wave::decode(self.features, &mut reader, first(&mut self.planes, planes), &mut self.wave)?;
        self.paint(&mut reader, into, rects)?;
        reader.finish()
    }

    /// Reads what stands at the head of a batch for `target`: paints raw and flat rects, and lays out planes and a
    /// sheet for others.
    fn begin(
        &mut self,
        reader: &mut Reader<'_>,
        target: &mut ImageMut<'_>,
        sheets: &mut usize,
        planes: &mut usize,
    ) -> Result<Method, DecodeError> {
        let code = reader.byte()?;
        let method = Method::of(&[code]).ok_or(DecodeError::UnknownMethod(code))?;
        let (w, h) = (target.size().w as usize, target.size().h as usize);
        match (method, target.format()) {
            (Method::Inter, _) => return Err(DecodeError::UnknownMethod(code)),
            (Method::Raw, _) => raw::decode(reader, target)?,
            (Method::Flat, _) => raw::decode_flat(reader, target)?,
            (Method::Palette, PixelFormat::Bgrx8 | PixelFormat::Bgrx10) => {
                return Err(DecodeError::WrongFormat(code));
            }
            (method, format @ (PixelFormat::Bgrx8 | PixelFormat::Bgrx10)) => {
                let sheet = &mut first(&mut self.sheets, *sheets + 1)[*sheets];
                sheet.expect(method, (w, h), format, reader)?;
                *sheets += 1;
                sheet.expect_planes(&mut self.planes, planes, reader)?;
            }
            (Method::Gray | Method::Palette, format) => {
                let own = &mut first(&mut self.planes, *planes + 1)[*planes..];
                let depth = format.depth().into();
                let mut split = Split::Gray;
                if method == Method::Palette {
                    own[0].palette.read(depth, false, w * h, reader)?;
                    split = Split::Palette;
                }
                split.reset(own, (w, h), depth);
                *planes += 1;
            }
            _ => return Err(DecodeError::WrongFormat(code)),
        }
        Ok(method)
    }

    /// Paints what came in planes, then what comes as text.
    fn paint(
        &mut self,
        reader: &mut Reader<'_>,
        into: &mut ImageMut<'_>,
        rects: &[Rect],
    ) -> Result<(), DecodeError> {
        let (mut sheets, mut planes) = (0, &self.planes[..]);
        for (&rect, method) in rects.iter().zip(&self.methods) {
            if let Method::Raw | Method::Flat = method {
                continue;
            }
            let mut target = into.crop_mut(rect).ok_or(DecodeError::Outside)?;
            if let PixelFormat::Bgrx8 | PixelFormat::Bgrx10 = target.format() {
                planes = self.sheets[sheets].join(planes, &mut target);
                sheets += 1;
            } else if let [plane, rest @ ..] = planes {
                give_samples(plane, &mut target);
                planes = rest;
            }
        }
        if sheets == 0 {
            return Ok(());
        }
        let sheets = &mut self.sheets[..sheets];
        if sheets.iter().any(|sheet| sheet.has_text) {
            self.text.decode(reader.rest(), sheets)?;
        }
        let coded = rects.iter().zip(&self.methods).filter(|(_, m)| !matches!(m, Method::Raw | Method::Flat));
        for ((&rect, _), sheet) in coded.zip(sheets) {
            sheet.store(&mut into.crop_mut(rect).ok_or(DecodeError::Outside)?);
        }
        Ok(())
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Paints a gray image.
pub(super) fn give_samples(plane: &Plane, into: &mut ImageMut<'_>) {
    if plane.split == Split::Palette {
        give_rows(plane, into, |number| plane.palette.pixel(number) as u16);
    } else {
        give_rows(plane, into, |sample| sample);
    }
}

fn give_rows(plane: &Plane, into: &mut ImageMut<'_>, pixel: impl Fn(u16) -> u16) {
    let format = into.format();
    for y in 0..into.size().h {
        let (source, target) = (plane.row(y as usize), into.row_mut(y));
        if format == PixelFormat::Gray8 {
            target.iter_mut().zip(source).for_each(|(byte, sample)| *byte = pixel(*sample) as u8);
        } else {
            let (pairs, _) = target.as_chunks_mut::<2>();
            pairs.iter_mut().zip(source).for_each(|(pair, sample)| *pair = pixel(*sample).to_le_bytes());
        }
    }
}
