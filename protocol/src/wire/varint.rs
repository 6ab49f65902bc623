//! Varints as QUIC has them (RFC 9000, 16): the top two bits of the first byte say 1, 2, 4 or 8 bytes, the rest is
//! big-endian. Only the shortest form is valid, so that equal values have equal bytes.

use alloc::vec::Vec;

use super::{Reader, WireError};

pub(super) fn read(input: &mut Reader<'_>) -> Result<u64, WireError> {
    let first = input.u8()?;
    let (value, shortest) = match first >> 6 {
        0 => return Ok(first.into()),
        1 => (u64::from(first & 0x3f) << 8 | u64::from(input.u8()?), 1 << 6),
        2 => {
            let [a, b, c] = input.array()?;
            (u32::from_be_bytes([first & 0x3f, a, b, c]).into(), 1 << 14)
        }
        _ => {
            let [a, b, c, d, e, f, g] = input.array()?;
            (u64::from_be_bytes([first & 0x3f, a, b, c, d, e, f, g]), 1 << 30)
        }
    };
    if value < shortest { Err(WireError::Varint) } else { Ok(value) }
}

pub(super) fn write(out: &mut Vec<u8>, n: u64) {
    match n {
        0..0x40 => out.push(n as u8),
        0x40..0x4000 => out.extend_from_slice(&(n as u16 | 0x4000).to_be_bytes()),
        0x4000..0x4000_0000 => out.extend_from_slice(&(n as u32 | 0x8000_0000).to_be_bytes()),
        _ => out.extend_from_slice(&(n | 0xc000_0000_0000_0000).to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn the_examples_of_rfc_9000_and_the_edges() {
        for (n, bytes) in [
            (37, vec![0x25]),
            (63, vec![0x3f]),
            (64, vec![0x40, 0x40]),
            (15_293, vec![0x7b, 0xbd]),
            (494_878_333, vec![0x9d, 0x7f, 0x3e, 0x7d]),
            (151_288_809_941_952_652, vec![0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c]),
        ] {
            let mut out = Vec::new();
            write(&mut out, n);
            assert_eq!(out, bytes);
            assert_eq!(read(&mut Reader::new(&bytes)), Ok(n));
        }
    }

    #[test]
    fn longer_than_need_be_is_refused() {
        for bytes in [&[0x40, 0x25][..], &[0x80, 0, 0x3f, 0xff], &[0xc0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff]] {
            assert_eq!(read(&mut Reader::new(bytes)), Err(WireError::Varint));
        }
    }
}
