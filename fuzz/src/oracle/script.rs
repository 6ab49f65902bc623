//! Bytes as a list of choices.

use bytes::Bytes;
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::{PixelFormat, SampleDepth};

/// Hands out choices from the front of a byte string. Past its end every choice is 0, so that a shorter input is a
/// simpler run.
pub(super) struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn u8(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    /// A number that is small most of the time, and sometimes one at which sums overflow.
    pub(super) fn number(&mut self) -> u64 {
        match self.u8() {
            small @ 0..0xF0 => small.into(),
            0xF0..0xF8 => self.u16().into(),
            0xF8..0xFC => u32::MAX.into(),
            _ => (1 << 62) - 1,
        }
    }

    /// A number in `0..n`, `n` being at most 256 and not 0.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        u32::from(self.u8()) % n
    }

    pub(super) fn chance(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    /// At most `most` bytes, as many as the next choice says.
    pub(super) fn bytes(&mut self, most: usize) -> Bytes {
        let n = usize::from(self.u16()) % (most + 1);
        let (head, rest) = self.rest.split_at(n.min(self.rest.len()));
        self.rest = rest;
        Bytes::copy_from_slice(head)
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// An array of choices.
    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        [(); N].map(|()| self.u8())
    }

    pub(super) fn format(&mut self) -> PixelFormat {
        match self.below(10) {
            0 => PixelFormat::Bgrx8,
            1 => PixelFormat::Gray8,
            more => SampleDepth::new(more as u8 + 7).map_or(PixelFormat::Bgrx8, PixelFormat::Gray16),
        }
    }

    /// A format that the still codec knows, colour of ten bits among them.
    pub(super) fn still_format(&mut self) -> PixelFormat {
        match self.below(11) {
            0 => PixelFormat::Bgrx8,
            1 => PixelFormat::Gray8,
            10 => PixelFormat::Bgrx10,
            more => SampleDepth::new(more as u8 + 7).map_or(PixelFormat::Bgrx8, PixelFormat::Gray16),
        }
    }

    /// A size of at most 128x128.
    pub(super) fn size(&mut self) -> Size {
        Size::new(1 + self.below(128), 1 + self.below(128))
    }

    /// A rect that lies inside `size` most of the time.
    pub(super) fn rect(&mut self, size: Size) -> Rect {
        let (x, y) = (self.below(size.w.min(256)), self.below(size.h.min(256)));
        let (w, h) = (1 + u32::from(self.u8()), 1 + u32::from(self.u8()));
        if self.below(16) == 1 {
            return Rect::new(x, y, w, h);
        }
        Rect::new(x, y, w.min(size.w - x), h.min(size.h - y))
    }
}
