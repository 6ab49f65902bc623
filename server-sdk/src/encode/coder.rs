//! One rect into bytes, and which of two ways is worth it.

use bytes::Bytes;
use lightbox_codec::geom::Rect;
use lightbox_codec::lossless::{Encoder, Method, progressive};
use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::wire::Writer;

use super::boxes::{CodedBox, How};

/// Low bits that go later: at 3 the high bits of a radiograph are half of it, at 1 four fifths.
const LOW_BITS: u32 = 2;

/// A coded rect.
#[derive(Debug)]
pub(crate) struct Coded {
    pub(crate) rect: Rect,
    /// How it was coded in the end.
    pub(crate) how: How,
    /// Of the still codec, where it is exact.
    pub(crate) method: Method,
    /// What a CODED rect holds.
    pub(crate) data: Bytes,
    /// The bytes of its samples, sent or not; `None` where they were not coded.
    pub(crate) exact: Option<usize>,
}

/// An encoder with its work memory.
#[derive(Default)]
pub(crate) struct Coder {
    encoder: Box<Encoder>,
    passes: Box<progressive::Encoder>,
    exact: Vec<u8>,
    pass: Vec<u8>,
}

impl Coder {
    /// Codes `part`, which is the image's in the box; `shown` is what the client shows there, where that may be built on.
    pub(crate) fn code(
        &mut self,
        part: ImageRef<'_>,
        shown: Option<ImageRef<'_>>,
        CodedBox { rect, how, .. }: CodedBox,
    ) -> Coded {
        self.exact.clear();
        self.pass.clear();
        // What cannot be split never had its high bits sent.
        if how == How::Low && self.passes.encode_low(part, LOW_BITS, &mut self.pass).is_some() {
            let data = Bytes::copy_from_slice(&self.pass);
            return Coded { rect, how, method: Method::Raw, data, exact: None };
        }
        if how == How::Plain {
            self.encoder.encode_plain(part, &mut self.exact);
            let data = Bytes::copy_from_slice(&self.exact);
            return Coded { rect, how, method: Method::Raw, exact: Some(data.len()), data };
        }
        let method = match shown {
            Some(shown) => self.encoder.encode_inter(part, shown, &mut self.exact),
            None => self.encoder.encode(part, &mut self.exact),
        };
        let exact = Some(self.exact.len());
        if let Some((how, data)) = self.coarse(part, how) {
            return Coded { rect, how, method, data, exact };
        }
        let data = Bytes::copy_from_slice(&self.exact);
        Coded { rect, how: How::Exact, method, data, exact }
    }

    /// A pass over `part`; `None` where none is wanted, or its samples, which were coded before, cost little more.
    fn coarse(&mut self, part: ImageRef<'_>, how: How) -> Option<(How, Bytes)> {
        let (shown, share) = match how {
            How::First => (self.passes.encode_preview(part, GRID, &mut self.pass)?, FIRST_SHARE),
            How::High => (self.passes.encode_high(part, LOW_BITS, &mut self.pass)?, HIGH_SHARE),
            How::Exact | How::Plain | How::Low => return None,
        };
        if self.pass.len() as f64 > self.exact.len() as f64 * share {
            return None;
        }
        let mut data = Writer::new();
        data.varint(shown.max_error.into());
        data.bytes(&self.pass);
        Some((how, data.into_vec().into()))
    }
}

/// One sample of a first pass stands for so many columns and rows.
const GRID: u32 = 4;
/// A first pass, all of whose bytes come on top, is worth it up to this share of the samples' own. Text passes it, and
/// is unreadable on a grid.
const FIRST_SHARE: f64 = 0.2;
/// High bits are worth it up to this share of the samples' own bytes.
const HIGH_SHARE: f64 = 0.9;
