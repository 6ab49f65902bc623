//! SPEC.md, "Encoding": how values become bytes, and how bytes that a stranger sent become values.
//!
//! Reading never panics and never allocates more than the input is long: counts are checked against a limit and
//! against what is left before anything is reserved.

pub mod frame;
pub mod ids;
mod varint;

use alloc::string::String;
use alloc::vec::Vec;

use crate::geom::{MAX_SIDE, Point, Rect, Size};

/// The largest value of a varint: 62 bits.
pub const VARINT_MAX: u64 = (1 << 62) - 1;

/// Why bytes are not the value they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end inside the value.
    #[error("message ends early: {needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes the next field needs.
        needed: usize,
        /// Bytes there are.
        left: usize,
    },
    /// The value ends before the bytes do.
    #[error("message has {left} bytes too many")]
    Trailing {
        /// Bytes left over.
        left: usize,
    },
    /// A varint is longer than it need be.
    #[error("varint is not in its shortest form")]
    Varint,
    /// A count, length or number is over its limit.
    #[error("{what} is {got}, the limit is {limit}")]
    Limit {
        /// The field's name.
        what: &'static str,
        /// The largest value allowed.
        limit: u64,
        /// The value sent.
        got: u64,
    },
    /// A field has a value that means nothing.
    #[error("{what} has the undefined value {got}")]
    Value {
        /// The field's name.
        what: &'static str,
        /// The value sent.
        got: u64,
    },
    /// Text is not UTF-8.
    #[error("{what} is not UTF-8")]
    Utf8 {
        /// The field's name.
        what: &'static str,
    },
}

/// A value that has a layout on the wire.
pub trait Encode {
    /// Appends the value.
    fn encode(&self, out: &mut Writer);

    /// The value's bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.encode(&mut out);
        out.into_vec()
    }
}

/// A value that can be read from bytes of a stranger.
pub trait Decode: Sized {
    /// Reads the value from the front of `input`.
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError>;

    /// Reads the value from the whole of `bytes`: bytes left over are an error.
    fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut input = Reader::new(bytes);
        let value = Self::decode(&mut input)?;
        input.finish()?;
        Ok(value)
    }
}

/// Reads values from the front of a byte string.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not read yet.
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    /// True when everything has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `n` bytes.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let Some((head, rest)) = self.rest.split_at_checked(n) else {
            return Err(WireError::Truncated { needed: n, left: self.left() });
        };
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let Some((head, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(WireError::Truncated { needed: N, left: self.left() });
        };
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array().map(|[b]| b)
    }

    /// A little-endian 16-bit number.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_le_bytes)
    }

    /// A little-endian 64-bit number.
    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A varint.
    pub fn varint(&mut self) -> Result<u64, WireError> {
        varint::read(self)
    }

    /// A varint of at most `limit`.
    pub fn number(&mut self, what: &'static str, limit: u64) -> Result<u64, WireError> {
        let got = self.varint()?;
        if got > limit { Err(WireError::Limit { what, limit, got }) } else { Ok(got) }
    }

    /// A varint that fits `u32`.
    pub fn u32v(&mut self, what: &'static str) -> Result<u32, WireError> {
        self.number(what, u32::MAX.into()).map(|n| n as u32)
    }

    /// A zigzag varint that fits `i32`.
    pub fn i32v(&mut self, what: &'static str) -> Result<i32, WireError> {
        let n = self.u32v(what)?;
        Ok((n >> 1) as i32 ^ -((n & 1) as i32))
    }

    /// A count of things of at least `each` bytes: no more than `limit`, and no more than can still follow.
    pub fn count(&mut self, what: &'static str, limit: u64, each: usize) -> Result<usize, WireError> {
        let n = self.number(what, limit)? as usize;
        let needed = n.saturating_mul(each);
        if needed > self.left() { Err(WireError::Truncated { needed, left: self.left() }) } else { Ok(n) }
    }

    /// A byte string with its length before it.
    pub fn blob(&mut self, what: &'static str, limit: u64) -> Result<&'a [u8], WireError> {
        let n = self.count(what, limit, 1)?;
        self.bytes(n)
    }

    /// UTF-8 text with its length in bytes before it.
    pub fn text(&mut self, what: &'static str, limit: u64) -> Result<String, WireError> {
        let bytes = self.blob(what, limit)?;
        core::str::from_utf8(bytes).map(String::from).map_err(|_| WireError::Utf8 { what })
    }

    /// A byte that is 0 or 1.
    pub fn flag(&mut self, what: &'static str) -> Result<bool, WireError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            got => Err(WireError::Value { what, got: got.into() }),
        }
    }

    /// Ends the reading; bytes left over are an error.
    pub fn finish(&self) -> Result<(), WireError> {
        match self.left() {
            0 => Ok(()),
            left => Err(WireError::Trailing { left }),
        }
    }
}

/// Appends values to a byte string.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty byte string.
    pub const fn new() -> Self {
        Self { out: Vec::new() }
    }

    /// Bytes written.
    pub const fn len(&self) -> usize {
        self.out.len()
    }

    /// True if nothing was written.
    pub const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The bytes written.
    pub fn into_vec(self) -> Vec<u8> {
        self.out
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn u8(&mut self, n: u8) {
        self.out.push(n);
    }

    /// A little-endian 16-bit number.
    pub fn u16(&mut self, n: u16) {
        self.bytes(&n.to_le_bytes());
    }

    /// A little-endian 64-bit number.
    pub fn u64(&mut self, n: u64) {
        self.bytes(&n.to_le_bytes());
    }

    /// A varint; values over [`VARINT_MAX`] are a bug of the caller and are written as that.
    pub fn varint(&mut self, n: u64) {
        varint::write(&mut self.out, n.min(VARINT_MAX));
    }

    /// A zigzag varint.
    pub fn i32v(&mut self, n: i32) {
        self.varint(((n << 1) ^ (n >> 31)) as u32 as u64);
    }

    /// A byte string with its length before it.
    pub fn blob(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.bytes(bytes);
    }

    /// A byte that is 0 or 1.
    pub fn flag(&mut self, on: bool) {
        self.u8(on.into());
    }
}

impl Encode for Point {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.x.into());
        out.varint(self.y.into());
    }
}

impl Decode for Point {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let side = u64::from(MAX_SIDE);
        Ok(Point::new(input.number("x", side)? as u32, input.number("y", side)? as u32))
    }
}

impl Encode for Size {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.w.into());
        out.varint(self.h.into());
    }
}

/// A decoded size is never empty and no side is over [`MAX_SIDE`].
impl Decode for Size {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut side = |what| match input.number(what, MAX_SIDE.into())? {
            0 => Err(WireError::Value { what, got: 0 }),
            n => Ok(n as u32),
        };
        Ok(Size::new(side("width")?, side("height")?))
    }
}

impl Encode for Rect {
    fn encode(&self, out: &mut Writer) {
        self.origin().encode(out);
        self.size().encode(out);
    }
}

/// A decoded rect is never empty; whether it lies inside its surface is for the surface to say.
impl Decode for Rect {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let at = Point::decode(input)?;
        let size = Size::decode(input)?;
        Ok(Rect::new(at.x, at.y, size.w, size.h))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_count_is_checked_before_anything_is_reserved() {
        let mut out = Writer::new();
        out.varint(1 << 40);
        let bytes = out.into_vec();
        assert_eq!(
            Reader::new(&bytes).count("tiles", 1 << 50, 16),
            Err(WireError::Truncated { needed: 16 << 40, left: 0 })
        );
        assert_eq!(
            Reader::new(&bytes).count("tiles", 100, 16),
            Err(WireError::Limit { what: "tiles", limit: 100, got: 1 << 40 })
        );
    }

    proptest! {
        #[test]
        fn numbers_come_back(n in 0..=VARINT_MAX, i in any::<i32>()) {
            let mut out = Writer::new();
            out.varint(n);
            out.i32v(i);
            let bytes = out.into_vec();
            let mut input = Reader::new(&bytes);
            prop_assert_eq!(input.varint(), Ok(n));
            prop_assert_eq!(input.i32v("i"), Ok(i));
            prop_assert_eq!(input.finish(), Ok(()));
        }
    }
}
