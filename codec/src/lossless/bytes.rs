//! Bytes and bits of the container.

use alloc::vec::Vec;

use super::DecodeError;

/// Takes fields off the front of a coded rect.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    /// A LEB128 number below 2^28.
    pub(super) fn number(&mut self) -> Result<usize, DecodeError> {
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::Corrupt("number"))
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    pub(super) fn finish(self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::Trailing { extra: self.0.len() }) }
    }

    /// Reads bit fields off the front by `f`; the bits to the next byte border are dropped.
    pub(super) fn bits<T>(
        &mut self,
        f: impl FnOnce(&mut BitReader<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut bits = BitReader { bytes: self.0, at: 0 };
        let value = f(&mut bits)?;
        let used = bits.at.div_ceil(8);
        self.0 = &self.0[used..];
        Ok(value)
    }
}

/// Bit fields, least significant bit first.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    // INVARIANT: at <= 8 * bytes.len().
    at: usize,
}

impl BitReader<'_> {
    /// The next `count` <= 8 bits.
    pub(super) fn take(&mut self, count: usize) -> Result<u8, DecodeError> {
        if self.at + count > self.bytes.len() * 8 {
            return Err(DecodeError::Truncated);
        }
        let first = self.at / 8;
        let low = self.bytes.get(first).copied().unwrap_or(0);
        let high = self.bytes.get(first + 1).copied().unwrap_or(0);
        let pair = u16::from_le_bytes([low, high]) >> (self.at % 8);
        self.at += count;
        Ok((pair & ((1 << count) - 1)) as u8)
    }
}

/// Appends a number below 2^28 as LEB128.
pub(super) fn put_number(out: &mut Vec<u8>, mut value: usize) {
    debug_assert!(value < 1 << 28);
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bit fields on their way out, least significant bit first.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    held: u32,
    count: usize,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    /// Appends the `count` <= 8 low bits of `value`.
    pub(super) fn put(&mut self, value: u8, count: usize) {
        self.held |= u32::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// Fills up the last byte with zero bits.
    pub(super) fn finish(self) {
        if self.count > 0 {
            self.out.push(self.held as u8);
        }
    }
}
