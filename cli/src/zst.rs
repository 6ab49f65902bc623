//! Opening zstd data that may come from anyone: the memory a frame may ask for is checked before it is used.

use std::io::{Cursor, Read};

use ruzstd::decoding::StreamingDecoder;

/// The largest window a frame may ask for: zstd's own default limit for decoders, and all that a recording uses.
const MAX_WINDOW: u64 = 1 << 27;

/// Why some bytes are not zstd data that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZstError {
    /// It does not begin like a zstd frame.
    #[error("not a zstd file: give one that `zstd -t` accepts")]
    Header,
    /// It asks for more memory than is given to it.
    #[error(
        "its zstd window of {got} bytes is larger than {MAX_WINDOW}: pack it again with a windowLog up to 27"
    )]
    Window {
        /// Bytes it asks for.
        got: u64,
    },
}

/// A reader of what the one zstd frame in `packed` holds. It uses at most a window of 128 MiB; what it returns is
/// as long as the frame says, so a caller sets its own limit with [`Read::take`].
pub fn reader<T: AsRef<[u8]>>(packed: T) -> Result<impl Read + use<T>, ZstError> {
    let got = window(packed.as_ref()).ok_or(ZstError::Header)?;
    if got > MAX_WINDOW {
        return Err(ZstError::Window { got });
    }
    StreamingDecoder::new(Cursor::new(packed)).map_err(|_| ZstError::Header)
}

/// The window that the frame header asks for (RFC 8878, 3.1.1.1).
fn window(packed: &[u8]) -> Option<u64> {
    let rest = packed.strip_prefix(&MAGIC)?;
    let (&descriptor, rest) = rest.split_first()?;
    let single_segment = descriptor & 0x20 != 0;
    if !single_segment {
        let byte = *rest.first()?;
        let base = 1u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * u64::from(byte & 7));
    }
    // Without a window of its own a frame needs all of its content; its size stands behind the dictionary's id.
    let rest = rest.get([0, 1, 2, 4][usize::from(descriptor & 3)]..)?;
    let field = |n: usize| {
        let mut le = [0u8; 8];
        le[..n].copy_from_slice(rest.get(..n)?);
        Some(u64::from_le_bytes(le))
    };
    match descriptor >> 6 {
        0 => field(1),
        1 => field(2).map(|n| n + 256),
        2 => field(4),
        _ => field(8),
    }
}

const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_asks_for_too_much_is_refused_before_it_gets_it() {
        let mut bomb = MAGIC.to_vec();
        bomb.extend([0x00 /* no single segment */, 0xF8 /* 2^41 bytes */, 0, 0, 0]);
        assert_eq!(reader(&bomb).err(), Some(ZstError::Window { got: 1 << 41 }));
        let mut single = MAGIC.to_vec();
        single.push(0xE0 /* single segment, 8 bytes of size */);
        single.extend(u64::MAX.to_le_bytes());
        assert_eq!(reader(&single).err(), Some(ZstError::Window { got: u64::MAX }));
        assert_eq!(reader(b"P5 1 1 255 x").err(), Some(ZstError::Header));
        assert_eq!(reader(MAGIC).err(), Some(ZstError::Header));
    }
}
