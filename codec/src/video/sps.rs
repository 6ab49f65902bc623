//! What an H.264 stream says of its pictures' size, read before a decoder believes it: Rec. ITU-T H.264, 7.3.2.1.

use alloc::vec::Vec;

use super::{DecodeError, fits};
use crate::geom::Size;

/// Frames that a decoder may have to keep; more than any level needs for a picture of a screen's size.
const MAX_REFERENCES: u32 = 16;

/// Checks every sequence parameter set of an access unit in the byte stream format against the picture that is shown.
/// True if there was one.
///
/// # Errors
/// A picture that would be smaller, or larger than a coder's blocks explain; interlaced, or not 8 bits and 4:2:0.
pub fn check(unit: &[u8], shown: Size) -> Result<bool, DecodeError> {
    let mut found = false;
    for nal in nals(unit).filter(|nal| nal.first().is_some_and(|head| matches!(head & 31, 7 | 15))) {
        let got = coded_size(nal).ok_or(DecodeError::Malformed("sequence parameter set"))?;
        if !fits(got, shown) {
            return Err(DecodeError::Size { got, shown });
        }
        found = true;
    }
    Ok(found)
}

/// The units between start codes.
fn nals(unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = next_start(unit);
    core::iter::from_fn(move || {
        let nal = rest?;
        rest = next_start(nal);
        let end = rest.map_or(nal.len(), |after| nal.len() - after.len() - 3);
        Some(&nal[..end])
    })
}

/// What follows the next 0, 0, 1.
fn next_start(bytes: &[u8]) -> Option<&[u8]> {
    let at = bytes.windows(3).position(|three| three == [0, 0, 1])?;
    Some(&bytes[at + 3..])
}

/// The size of the coded picture, before cropping; `None` where the set is malformed or is of something that has no
/// place here.
fn coded_size(nal: &[u8]) -> Option<Size> {
    // A set is short. What is behind its size is not looked at.
    let bytes = unescaped(nal.get(1..)?.get(..MAX_SET.min(nal.len() - 1))?);
    let mut bits = Bits { bytes: &bytes, at: 0 };
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.ue()?;
    if HIGH_PROFILES.contains(&profile) {
        let is_420 = bits.ue()? == 1;
        let has_8_bits = (bits.ue()?, bits.ue()?) == (0, 0);
        if !is_420 || !has_8_bits {
            return None;
        }
        bits.take(1)?;
        if bits.take(1)? == 1 {
            for list in 0..8 {
                if bits.take(1)? == 1 {
                    bits.skip_scaling_list(if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.ue()?;
    match bits.ue()? {
        0 => drop(bits.ue()?),
        1 => {
            bits.take(1)?;
            bits.ue()?;
            bits.ue()?;
            let cycle = bits.ue()?;
            if cycle > 255 {
                return None;
            }
            for _ in 0..cycle {
                bits.ue()?;
            }
        }
        2 => (),
        _ => return None,
    }
    if bits.ue()? > MAX_REFERENCES {
        return None;
    }
    bits.take(1)?;
    let (columns, rows) = (bits.ue()?, bits.ue()?);
    let is_progressive = bits.take(1)? == 1;
    let side = |blocks: u32| blocks.checked_add(1)?.checked_mul(16);
    if is_progressive { Some(Size::new(side(columns)?, side(rows)?)) } else { None }
}

/// Without the bytes that keep start codes out.
fn unescaped(nal: &[u8]) -> Vec<u8> {
    let mut zeros = 0;
    let mut bytes = Vec::with_capacity(nal.len());
    for &byte in nal {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        bytes.push(byte);
    }
    bytes
}

/// Profiles whose sets say more of the samples.
const HIGH_PROFILES: [u32; 12] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134];
/// Bytes of a set that are looked at: scaling lists are its largest part, and take less than half of that.
const MAX_SET: usize = 4_096;

/// Bits from the highest down.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, n: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..n {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// An Exp-Golomb number of at most 31 bits.
    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 30 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }

    fn skip_scaling_list(&mut self, length: u32) -> Option<()> {
        let (mut last, mut next) = (8i64, 8i64);
        for _ in 0..length {
            if next != 0 {
                let code = i64::from(self.ue()?);
                let delta = if code % 2 == 1 { code / 2 + 1 } else { -(code / 2) };
                next = (last + delta).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// What OpenH264 writes in front of a key frame of 640x360: access unit delimiter, sequence and picture sets.
    const BASELINE: &[u8] = &[
        0, 0, 0, 1, 9, 16, 0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x1E, 0x8C, 0x68, 0x0A, 0x02, 0xFF, 0x96, 0x01,
        0xE1, 0x10, 0x8D, 0x40, 0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80,
    ];

    #[test]
    fn a_set_is_read_and_its_size_checked() {
        let got = Size::new(640, 368);
        for shown in [got, Size::new(640, 360), Size::new(577, 305)] {
            assert_eq!(check(BASELINE, shown), Ok(true));
        }
        for shown in [Size::new(got.w + 1, got.h), Size::new(got.w - 64, got.h), Size::new(1, 1)] {
            assert_eq!(check(BASELINE, shown), Err(DecodeError::Size { got, shown }));
        }
        assert_eq!(check(&BASELINE[25..], got), Ok(false), "a picture parameter set alone");
    }

    #[test]
    fn every_cut_and_every_changed_bit_is_survived() {
        for cut in 0..BASELINE.len() {
            let _ = check(&BASELINE[..cut], Size::new(640, 368));
        }
        for bit in 0..BASELINE.len() * 8 {
            let mut unit = BASELINE.to_vec();
            unit[bit / 8] ^= 1 << (bit % 8);
            let _ = check(&unit, Size::new(640, 368));
        }
        let zeros = vec![0; 100_000];
        assert_eq!(check(&zeros, Size::new(1, 1)), Ok(false));
    }
}
