//! Reads rects that lean on what is shown.

use alloc::vec::Vec;

use super::levels::Levels;
use super::plan::Plan;
use super::ways::Way;
use super::{is_coloured, take_row};
use crate::lossless::bytes::Reader;
use crate::lossless::layout::Kind;
use crate::lossless::plane::Plane;
use crate::lossless::sheet::first;
use crate::lossless::split::Split;
use crate::lossless::text::Block;
use crate::lossless::wave::led::{self, Led, LedPlane, LedScratch};
use crate::lossless::{DecodeError, Decoder, Method, wave};
use crate::pixel::{ImageMut, PixelFormat};

/// Memory of [`Decoder::decode_inter`], kept from call to call.
#[derive(Default)]
pub(in crate::lossless) struct InterDecoder {
    plan: Plan,
    /// Areas led by what is shown: their samples, and what is shown.
    led_planes: Vec<(Plane, Plane)>,
    led: LedScratch,
}

impl Decoder {
    /// Paints `into`, which holds what is shown, from `bytes`: one coded rect of
    /// [`Encoder::encode_inter`](super::super::Encoder::encode_inter) with `shown` of these pixels. The guarantees are
    /// those of [`Decoder::decode`], whose rects it reads as well. Over other pixels than the encoder was given it
    /// paints something else, or fails.
    pub fn decode_inter(&mut self, bytes: &[u8], into: &mut ImageMut<'_>) -> Result<(), DecodeError> {
        if Method::of(bytes) != Some(Method::Inter) {
            return self.decode(bytes, into);
        }
        let format = into.format();
        if format == PixelFormat::Bgrx10 {
            return Err(DecodeError::WrongFormat(Method::Inter.code()));
        }
        let mut reader = Reader::new(&bytes[1..]);
        let size = (into.size().w as usize, into.size().h as usize);
        let sheet = &mut first(&mut self.sheets, 1)[0];
        let InterDecoder { plan, led_planes, led } = &mut self.inter;
        plan.read(size, format, &mut sheet.layout, &mut reader)?;
        let has_levels = plan.ways.contains(&Way::Level);
        let levels = if has_levels { Levels::read(&mut reader)? } else { Levels::NONE };

        let areas = || sheet.layout.areas().iter().copied().zip(plan.ways.iter().copied());
        let mut used = 0;
        for (area, _) in areas().filter(|(_, way)| *way == Way::Colour) {
            sheet.expect_area(area, &mut self.planes, &mut used, &mut reader)?;
        }
        let colour_planes = used;
        for (area, _) in areas().filter(|(_, way)| matches!(way, Way::Fresh | Way::Drift)) {
            reset(&mut first(&mut self.planes, used + 1)[used], sheet.layout.pixels(area), format);
            used += 1;
        }
        wave::decode(self.features, &mut reader, first(&mut self.planes, used), &mut self.wave)?;
        let mut led_used = 0;
        for (way, kind) in [(Way::Level, Led::Level), (Way::Echo, Led::Echo)] {
            let start = led_used;
            for (area, _) in areas().filter(|(_, own)| *own == way) {
                let at = sheet.layout.pixels(area);
                let (plane, shown) = &mut first(led_planes, led_used + 1)[led_used];
                reset(plane, at, format);
                take_shown(into, at, shown);
                led_used += 1;
            }
            let mut planes: Vec<_> = led_planes[start..led_used]
                .iter_mut()
                .map(|(plane, shown)| LedPlane { plane, shown })
                .collect();
            let hints = levels.hints();
            led::decode(self.features, kind, &hints, &mut reader, &mut planes, led, &mut self.wave)?;
        }

        let mut planes = &self.planes[colour_planes..used];
        for (area, way) in areas() {
            let at = sheet.layout.pixels(area);
            if let (Way::Fresh | Way::Drift, [plane, rest @ ..]) = (way, planes) {
                paint(into, at, plane, way == Way::Drift);
                planes = rest;
            }
        }
        let mut led_planes = led_planes[..led_used].iter();
        for led_way in [Way::Level, Way::Echo] {
            for ((area, _), (plane, _)) in areas().filter(|(_, way)| *way == led_way).zip(&mut led_planes) {
                paint(into, sheet.layout.pixels(area), plane, false);
            }
        }
        if !format.is_colour() {
            return reader.finish();
        }
        sheet.canvas.reset(size.0, size.1);
        sheet.has_text = sheet.layout.has_text();
        let coloured = sheet.layout.areas().iter().filter(|area| area.kind == Kind::Colour).count();
        sheet.join_first(coloured, &self.planes[..colour_planes], into);
        if sheet.has_text {
            sheet.canvas.load(into.as_ref());
            self.text.decode(reader.rest(), &mut self.sheets[..1])?;
            let sheet = &mut self.sheets[0];
            for &block in sheet.layout.blocks() {
                sheet.canvas.store(block, into);
            }
        }
        for y in 0..into.size().h {
            into.row_mut(y).as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = 0xff);
        }
        reader.finish()
    }
}

fn reset(plane: &mut Plane, at: Block, format: PixelFormat) {
    plane.reset(at.end_x - at.x, at.end_y - at.y, format.depth().into());
    (plane.place, plane.split) = (None, Split::Gray);
}

/// Copies what an area shows.
fn take_shown(into: &ImageMut<'_>, at: Block, shown: &mut Plane) {
    reset(shown, at, into.format());
    for y in at.y..at.end_y {
        take_row(into.as_ref(), (at.x, y), shown, y - at.y);
    }
}

/// Paints an area with the samples of `plane`, or, if they are `differences`, with what is shown and them. Pixels
/// that show a colour stay.
fn paint(into: &mut ImageMut<'_>, at: Block, plane: &Plane, differences: bool) {
    let format = into.format();
    let (max, middle) = (((1u32 << plane.bits()) - 1) as u16, 1u16 << (plane.bits() - 1));
    let base = if differences { u16::MAX } else { 0 };
    let join = |sample: u16, shown: u16| {
        let moved = (shown & max).wrapping_sub(middle) & base;
        sample.wrapping_add(moved) & max
    };
    for y in at.y..at.end_y {
        let (samples, row) = (plane.row(y - at.y).iter(), into.row_mut(y as u32));
        match format {
            PixelFormat::Gray8 => {
                let bytes = row[at.x..].iter_mut().zip(samples);
                bytes.for_each(|(byte, sample)| *byte = join(*sample, (*byte).into()) as u8);
            }
            PixelFormat::Gray16(_) => {
                let (pairs, _) = row[2 * at.x..].as_chunks_mut::<2>();
                for (pair, sample) in pairs.iter_mut().zip(samples) {
                    *pair = join(*sample, u16::from_le_bytes(*pair)).to_le_bytes();
                }
            }
            PixelFormat::Bgrx8 | PixelFormat::Bgrx10 => {
                let (quads, _) = row[4 * at.x..].as_chunks_mut::<4>();
                for (quad, sample) in quads.iter_mut().zip(samples) {
                    let new = 0xff00_0000 | (u32::from(join(*sample, quad[0].into())) * 0x01_0101);
                    let new = if is_coloured(*quad) { u32::from_le_bytes(*quad) } else { new };
                    *quad = new.to_le_bytes();
                }
            }
        }
    }
}
