//! The colour rects of a call: pixels and how they are divided.

use alloc::vec::Vec;

use super::bytes::Reader;
use super::canvas::Canvas;
use super::layout::{Kind, Layout};
use super::{DecodeError, Method};
use crate::pixel::ImageRef;

/// A colour rect on its way in or out. The memory is kept from use to use.
#[derive(Default)]
pub(super) struct Sheet {
    pub(super) canvas: Canvas,
    pub(super) layout: Layout,
    /// The text coder has a part in it.
    pub(super) has_text: bool,
}

impl Sheet {
    /// Takes over an image, and judges how to code it.
    pub(super) fn see(&mut self, image: ImageRef<'_>) -> Method {
        self.canvas.load(image);
        self.layout.see(&self.canvas);
        let method = match self.layout.whole() {
            Some(Kind::Text) => Method::Text,
            Some(Kind::Gray) => Method::Gray,
            Some(Kind::Colour) => Method::Colour,
            None => Method::Mixed,
        };
        self.has_text = matches!(method, Method::Text | Method::Mixed);
        method
    }

    /// Becomes `w` x `h` pixels to be painted, divided as `method` and the bytes say.
    pub(super) fn expect(
        &mut self,
        method: Method,
        w: usize,
        h: usize,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        match method {
            Method::Gray => self.layout.set_whole(w, h, Kind::Gray),
            Method::Colour => self.layout.set_whole(w, h, Kind::Colour),
            Method::Mixed => self.layout.read(w, h, reader)?,
            _ => self.layout.set_text(w, h),
        }
        self.canvas.reset(w, h);
        self.has_text = matches!(method, Method::Text | Method::Mixed);
        Ok(())
    }
}

/// The first `count` of `all`, made where there are fewer.
pub(super) fn first<T: Default>(all: &mut Vec<T>, count: usize) -> &mut [T] {
    if all.len() < count {
        all.resize_with(count, T::default);
    }
    &mut all[..count]
}
