//! Reads a coded rect.

use alloc::vec::Vec;

use super::bytes::Reader;
use super::canvas::Canvas;
use super::encoder::planes;
use super::layout::{Kind, Layout};
use super::plane::Plane;
use super::text::Text;
use super::wave::{self, DecodeScratch};
use super::{DecodeError, Method, raw};
use crate::cpu::Features;
use crate::pixel::{ImageMut, PixelFormat};

/// Decodes rects. Its work memory, at most 12 bytes for a pixel of the largest rect so far, is kept from call to
/// call and never depends on what the bytes say; use one for each thread.
pub struct Decoder {
    features: Features,
    canvas: Canvas,
    layout: Layout,
    text: Text,
    planes: Vec<Plane>,
    wave: DecodeScratch,
}

impl Decoder {
    /// A decoder.
    pub fn new() -> Self {
        Self {
            features: Features::detect(),
            canvas: Canvas::default(),
            layout: Layout::default(),
            text: Text::new(),
            planes: Vec::new(),
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

    /// Paints all of `into` from `bytes`, which are one coded rect of its size and format. BGRX pixels get an X of
    /// 0xFF. The time is bounded by the size of `into`. After an error `into` may be partly painted.
    pub fn decode(&mut self, bytes: &[u8], into: &mut ImageMut<'_>) -> Result<(), DecodeError> {
        let mut reader = Reader::new(bytes);
        let code = reader.byte()?;
        let method = Method::of(&[code]).ok_or(DecodeError::UnknownMethod(code))?;
        match (method, into.format()) {
            (Method::Raw, _) => raw::decode(&mut reader, into)?,
            (Method::Flat, _) => raw::decode_flat(&mut reader, into)?,
            (method, PixelFormat::Bgrx8) => self.decode_colours(method, &mut reader, into)?,
            (Method::Gray, _) => self.decode_samples(&mut reader, into)?,
            _ => return Err(DecodeError::WrongFormat(code)),
        }
        reader.finish()
    }

    fn decode_samples(
        &mut self,
        reader: &mut Reader<'_>,
        into: &mut ImageMut<'_>,
    ) -> Result<(), DecodeError> {
        let format = into.format();
        let planes = planes(&mut self.planes, 1);
        planes[0].reset(into.size().w as usize, into.size().h as usize, format.depth().into());
        wave::decode(self.features, reader, planes, &mut self.wave)?;
        for y in 0..into.size().h {
            let (source, target) = (planes[0].row(y as usize), into.row_mut(y));
            if format == PixelFormat::Gray8 {
                target.iter_mut().zip(source).for_each(|(byte, sample)| *byte = *sample as u8);
            } else {
                let (pairs, _) = target.as_chunks_mut::<2>();
                pairs.iter_mut().zip(source).for_each(|(pair, sample)| *pair = sample.to_le_bytes());
            }
        }
        Ok(())
    }

    fn decode_colours(
        &mut self,
        method: Method,
        reader: &mut Reader<'_>,
        into: &mut ImageMut<'_>,
    ) -> Result<(), DecodeError> {
        let (w, h) = (into.size().w as usize, into.size().h as usize);
        match method {
            Method::Gray => self.layout.set_whole(w, h, Kind::Gray),
            Method::Colour => self.layout.set_whole(w, h, Kind::Colour),
            Method::Mixed => self.layout.read(w, h, reader)?,
            _ => self.layout.set_text(w, h),
        }
        self.canvas.reset(w, h);
        if method != Method::Text {
            self.decode_areas(reader)?;
        }
        if let Method::Text | Method::Mixed = method {
            self.text.decode(reader.rest(), &mut self.canvas, self.layout.blocks())?;
        }
        self.canvas.store(into);
        Ok(())
    }

    /// Paints the photographs.
    fn decode_areas(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut count = 0;
        for &area in self.layout.areas() {
            let (_, _, w, h) = self.layout.pixels(area);
            let new = if area.kind == Kind::Gray { 1 } else { 3 };
            for plane in &mut planes(&mut self.planes, count + new)[count..] {
                plane.reset(w, h, 8);
            }
            count += new;
        }
        let mut planes = planes(&mut self.planes, count);
        wave::decode(self.features, reader, planes, &mut self.wave)?;
        for &area in self.layout.areas() {
            let (x, y, w, h) = self.layout.pixels(area);
            let (own, rest) = planes.split_at_mut(if area.kind == Kind::Gray { 1 } else { 3 });
            planes = rest;
            for row in 0..h {
                join_row(own, row, &mut self.canvas.row_mut(y + row)[x..x + w]);
            }
        }
        Ok(())
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// What the encoder split.
fn join_row(planes: &[Plane], row: usize, target: &mut [u32]) {
    if let [g, b, r] = planes {
        let sources = g.row(row).iter().zip(b.row(row)).zip(r.row(row));
        for (colour, ((g, b), r)) in target.iter_mut().zip(sources) {
            let back = |more: &u16| more.wrapping_add(*g).wrapping_sub(128) as u8;
            *colour = u32::from_le_bytes([back(b), *g as u8, back(r), 0]);
        }
    } else if let [gray] = planes {
        target
            .iter_mut()
            .zip(gray.row(row))
            .for_each(|(colour, sample)| *colour = u32::from(*sample) * 0x01_0101);
    }
}
