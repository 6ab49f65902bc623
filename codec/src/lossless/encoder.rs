//! Chooses a method and writes a coded rect.

use alloc::vec::Vec;

use super::canvas::Canvas;
use super::layout::{Kind, Layout};
use super::plane::Plane;
use super::text::Text;
use super::wave::{self, EncodeScratch, Search};
use super::{Level, Method, raw};
use crate::cpu::Features;
use crate::pixel::{ImageRef, PixelFormat};

/// Codes rects, each alone. It keeps its work memory (up to 24 bytes for a pixel of the largest rect so far), so
/// that small rects cost neither allocation nor set-up; use one for each thread.
pub struct Encoder {
    features: Features,
    search: Search,
    canvas: Canvas,
    layout: Layout,
    text: Text,
    planes: Vec<Plane>,
    wave: EncodeScratch,
}

impl Encoder {
    /// An encoder at [`Level::Default`].
    pub fn new() -> Self {
        Self::with_level(Level::Default)
    }

    /// An encoder that works as hard as `level` says.
    pub fn with_level(level: Level) -> Self {
        let search = match level {
            Level::Fast => Search::None,
            Level::Default => Search::Sampled,
            Level::Dense => Search::All,
        };
        Self {
            features: Features::detect(),
            search,
            canvas: Canvas::default(),
            layout: Layout::default(),
            text: Text::new(),
            planes: Vec::new(),
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

    /// Appends the coded rect to `out`; always succeeds, with at most one byte more than the raw pixels.
    pub fn encode(&mut self, image: ImageRef<'_>, out: &mut Vec<u8>) -> Method {
        let start = out.len();
        out.push(Method::Flat.code());
        if raw::encode_flat(image, out) {
            return Method::Flat;
        }
        out.truncate(start);

        let method = match image.format() {
            PixelFormat::Bgrx8 => Some(self.encode_colours(image, out)),
            PixelFormat::Gray8 | PixelFormat::Gray16(_) => self.encode_samples(image, out),
        };
        let raw_len = image.size().area() as usize * raw::pixel_bytes(image.format());
        match method {
            Some(method) if out.len() - start <= raw_len => method,
            _ => {
                out.truncate(start);
                self.encode_plain(image, out);
                Method::Raw
            }
        }
    }

    /// Appends the rect by the plain path, raw pixels: it shares no coder with [`Encoder::encode`], so a fault in
    /// one cannot survive in the other.
    pub fn encode_plain(&mut self, image: ImageRef<'_>, out: &mut Vec<u8>) {
        out.push(Method::Raw.code());
        raw::encode(image, out);
    }

    /// A gray image; `None` if a sample has more bits than the format says.
    fn encode_samples(&mut self, image: ImageRef<'_>, out: &mut Vec<u8>) -> Option<Method> {
        let (w, h) = (image.size().w as usize, image.size().h as usize);
        let planes = planes(&mut self.planes, 1);
        planes[0].reset(w, h, image.format().depth().into());
        let mut used = 0;
        for (y, source) in image.rows().enumerate() {
            let target = planes[0].row_mut(y);
            if let PixelFormat::Gray16(_) = image.format() {
                for (sample, bytes) in target.iter_mut().zip(source.as_chunks::<2>().0) {
                    *sample = u16::from_le_bytes(*bytes);
                    used |= *sample;
                }
            } else {
                target.iter_mut().zip(source).for_each(|(sample, byte)| *sample = u16::from(*byte));
            }
        }
        if u32::from(used) >> image.format().depth() != 0 {
            return None;
        }
        out.push(Method::Gray.code());
        wave::encode(self.features, self.search, planes, &mut self.wave, out);
        Some(Method::Gray)
    }

    /// A BGRX image.
    fn encode_colours(&mut self, image: ImageRef<'_>, out: &mut Vec<u8>) -> Method {
        self.canvas.load(image);
        self.layout.see(&self.canvas);
        let method = match self.layout.whole() {
            Some(Kind::Text) => Method::Text,
            Some(Kind::Gray) => Method::Gray,
            Some(Kind::Colour) => Method::Colour,
            None => Method::Mixed,
        };
        out.push(method.code());
        if method == Method::Mixed {
            self.layout.write(out);
        }
        if method != Method::Text {
            let count = self.take_planes();
            let planes = planes(&mut self.planes, count);
            wave::encode(self.features, self.search, planes, &mut self.wave, out);
        }
        if let Method::Text | Method::Mixed = method {
            self.text.encode(&mut self.canvas, self.layout.blocks(), out);
        }
        method
    }

    /// Copies the photographs to planes, and counts those.
    fn take_planes(&mut self) -> usize {
        let mut count = 0;
        for &area in self.layout.areas() {
            let (x, y, w, h) = self.layout.pixels(area);
            let new = if area.kind == Kind::Gray { 1 } else { 3 };
            let own = &mut planes(&mut self.planes, count + new)[count..];
            own.iter_mut().for_each(|plane| plane.reset(w, h, 8));
            for row in 0..h {
                let source = &self.canvas.row(y + row)[x..x + w];
                split_row(source, own, row);
            }
            count += new;
        }
        count
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// The first `count` planes, made where there are fewer.
pub(super) fn planes(all: &mut Vec<Plane>, count: usize) -> &mut [Plane] {
    if all.len() < count {
        all.resize_with(count, Plane::default);
    }
    &mut all[..count]
}

/// One row of colours into one plane of gray, or into green and what blue and red have more, around 128.
fn split_row(source: &[u32], planes: &mut [Plane], row: usize) {
    if let [g, b, r] = planes {
        let targets = g.row_mut(row).iter_mut().zip(b.row_mut(row)).zip(r.row_mut(row));
        for (((g, b), r), colour) in targets.zip(source) {
            let [blue, green, red, _] = colour.to_le_bytes();
            *g = u16::from(green);
            *b = u16::from(blue.wrapping_sub(green).wrapping_add(128));
            *r = u16::from(red.wrapping_sub(green).wrapping_add(128));
        }
    } else if let [gray] = planes {
        gray.row_mut(row)
            .iter_mut()
            .zip(source)
            .for_each(|(sample, colour)| *sample = (colour & 0xff) as u16);
    }
}
