//! The colour rects of a call: pixels and how they are divided.

use alloc::vec::Vec;

use super::bytes::Reader;
use super::canvas::Canvas;
use super::census::Census;
use super::deep::{COLOUR, narrow};
use super::layout::{Area, Kind, Layout};
use super::plane::Plane;
use super::split::{Part, Split, join_row};
use super::{DecodeError, Method};
use crate::pixel::{ImageMut, ImageRef, PixelFormat};

/// A colour rect on its way in or out. The memory is kept from use to use.
#[derive(Default)]
pub(super) struct Sheet {
    /// The colours in eight bits. Where ten are needed they are around text, and no more.
    pub(super) canvas: Canvas,
    pub(super) layout: Layout,
    /// The text coder has a part in it.
    pub(super) has_text: bool,
}

impl Sheet {
    /// Takes over an image, and judges how to code it.
    pub(super) fn see(&mut self, image: ImageRef<'_>) -> Method {
        self.canvas.load(image);
        self.layout.see(&self.canvas, image);
        let is_deep = image.format() == PixelFormat::Bgrx10;
        let method = match self.layout.whole() {
            Some(Kind::Text) => Method::Text,
            // Of ten bits, eight-bit photographs are areas: the methods for the whole stand for ten.
            Some(kind) if kind.is_deep() != is_deep => Method::Mixed,
            Some(kind) if kind.is_coloured() => Method::Colour,
            Some(_) => Method::Gray,
            None => Method::Mixed,
        };
        self.has_text = matches!(method, Method::Text | Method::Mixed);
        method
    }

    /// Becomes a rect of `w` x `h` pixels to be painted, divided as `method` and the bytes say.
    pub(super) fn expect(
        &mut self,
        method: Method,
        (w, h): (usize, usize),
        format: PixelFormat,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        let is_deep = format == PixelFormat::Bgrx10;
        match method {
            Method::Gray => self.layout.set_whole(w, h, if is_deep { Kind::DeepGray } else { Kind::Gray }),
            Method::Colour => {
                self.layout.set_whole(w, h, if is_deep { Kind::DeepColour } else { Kind::Colour })
            }
            Method::Mixed => self.layout.read(w, h, format, reader)?,
            _ => self.layout.set_text(w, h),
        }
        self.canvas.reset(w, h);
        self.has_text = matches!(method, Method::Text | Method::Mixed);
        Ok(())
    }

    /// Makes room for the photographs in planes after the first `used`, which are counted, split as the bytes say.
    pub(super) fn expect_planes(
        &self,
        planes: &mut Vec<Plane>,
        used: &mut usize,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        let mut areas = self.layout.areas().iter();
        areas.try_for_each(|&area| self.expect_area(area, planes, used, reader))
    }

    /// The same for one photograph.
    pub(super) fn expect_area(
        &self,
        area: Area,
        planes: &mut Vec<Plane>,
        used: &mut usize,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        let (at, depth) = (self.layout.pixels(area), area.kind.bits());
        let size = (at.end_x - at.x, at.end_y - at.y);
        let mut split = Split::Gray;
        if area.kind.is_coloured() {
            let palette = &mut first(planes, *used + 1)[*used].palette;
            split = Split::read(depth, size.0 * size.1, palette, reader)?;
        }
        let own = &mut first(planes, *used + split.planes())[*used..];
        split.reset(own, size, depth);
        *used += own.len();
        Ok(())
    }

    /// Copies the photographs of `image` to planes after the first of these, which are counted, and appends how the
    /// coloured ones are split.
    pub(super) fn split(
        &self,
        image: ImageRef<'_>,
        census: &mut Census,
        (planes, used): (&mut Vec<Plane>, &mut usize),
        out: &mut Vec<u8>,
    ) {
        for &area in self.layout.areas() {
            self.split_area(area, image, census, (&mut *planes, &mut *used), out);
        }
    }

    /// The same for one photograph.
    pub(super) fn split_area(
        &self,
        area: Area,
        image: ImageRef<'_>,
        census: &mut Census,
        planes: (&mut Vec<Plane>, &mut usize),
        out: &mut Vec<u8>,
    ) {
        let (at, depth) = (self.layout.pixels(area), area.kind.bits());
        let (w, h) = (at.end_x - at.x, at.end_y - at.y);
        if area.kind.is_deep() {
            let row = |y| &image.row((at.y + y) as u32).as_chunks::<4>().0[at.x..at.end_x];
            let read = |pixel| u32::from_le_bytes(pixel) & COLOUR;
            split_part(area, Part { w, h, depth, row, read }, census, planes, out);
        } else {
            let row = |y| &self.canvas.row(at.y + y)[at.x..at.end_x];
            let read = |colour| colour;
            split_part(area, Part { w, h, depth, row, read }, census, planes, out);
        }
    }

    /// Paints the photographs from the first of `planes`, ten-bit ones into the image as well, and returns the rest
    /// of the planes.
    pub(super) fn join<'a>(&mut self, planes: &'a [Plane], into: &mut ImageMut<'_>) -> &'a [Plane] {
        self.join_areas(self.layout.areas().len(), planes, into)
    }

    /// Paints the first `count` photographs, all the way into the image. They have eight bits.
    pub(super) fn join_first(&mut self, count: usize, planes: &[Plane], into: &mut ImageMut<'_>) {
        self.join_areas(count, planes, into);
        for &area in &self.layout.areas()[..count] {
            self.canvas.store(self.layout.pixels(area), into);
        }
    }

    fn join_areas<'a>(
        &mut self,
        count: usize,
        mut planes: &'a [Plane],
        into: &mut ImageMut<'_>,
    ) -> &'a [Plane] {
        for &area in &self.layout.areas()[..count] {
            let at = self.layout.pixels(area);
            let Some(first) = planes.first() else { return planes };
            let (own, rest) = planes.split_at(first.split.planes());
            planes = rest;
            for y in at.y..at.end_y {
                let around = &mut self.canvas.row_mut(y)[at.x..at.end_x];
                if area.kind.is_deep() {
                    let target = &mut into.row_mut(y as u32).as_chunks_mut::<4>().0[at.x..at.end_x];
                    join_row(10, own, y - at.y, |x, deep| {
                        target[x] = (deep | !COLOUR).to_le_bytes();
                        around[x] = narrow(deep);
                    });
                } else {
                    join_row(8, own, y - at.y, |x, colour| around[x] = colour);
                }
            }
        }
        planes
    }

    /// Paints all that [`Sheet::join`] has not painted.
    pub(super) fn store(&mut self, into: &mut ImageMut<'_>) {
        for &area in self.layout.areas() {
            if !area.kind.is_deep() {
                self.canvas.store(self.layout.pixels(area), into);
            }
        }
        for &block in self.layout.blocks() {
            self.canvas.store(block, into);
        }
    }
}

/// Copies one photograph to planes.
fn split_part<'a, Pixel: Copy + 'a>(
    area: Area,
    part: Part<impl Fn(usize) -> &'a [Pixel], impl Fn(Pixel) -> u32>,
    census: &mut Census,
    (planes, used): (&mut Vec<Plane>, &mut usize),
    out: &mut Vec<u8>,
) {
    let palette = &mut first(planes, *used + 1)[*used].palette;
    let split = part.choose(area.kind.is_coloured(), census, palette);
    if area.kind.is_coloured() {
        split.write(part.depth, palette, out);
    }
    let own = &mut first(planes, *used + split.planes())[*used..];
    split.reset(own, (part.w, part.h), part.depth);
    part.split(split, census, own);
    *used += own.len();
}

/// The first `count` of `all`, made where there are fewer.
pub(super) fn first<T: Default>(all: &mut Vec<T>, count: usize) -> &mut [T] {
    if all.len() < count {
        all.resize_with(count, T::default);
    }
    &mut all[..count]
}
