//! QEMU's pixels, in pixman's formats, as ours.

use super::fault::Fault;

/// Where a format of pixman's keeps the colours of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    bytes: usize,
    /// Blue, green and red.
    channels: [Channel; 3],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Channel {
    shift: u32,
    bits: u32,
}

impl Layout {
    /// The layout that `format` means, one of pixman's codes: bits a pixel, the order of its components, and the bits
    /// of each.
    pub(super) fn of(format: u32) -> Result<Self, Fault> {
        let unknown =
            || Fault::Wrong(format!("it shows pixels of the format {format:#x}, which is not known"));
        let (bits, order) = (format >> 24, format >> 16 & 0xff);
        let [a, r, g, b] = [12, 8, 4, 0].map(|at| format >> at & 0xf);
        let fits = a + r + g + b <= bits && [r, g, b].iter().all(|bits| (1..=8).contains(bits));
        if !matches!(bits, 16 | 24 | 32) || !fits {
            return Err(unknown());
        }
        // From the lowest bit up, or from the highest down.
        let [blue, green, red] = match order {
            ARGB => [0, b, b + g],
            ABGR => [r + g, r, 0],
            BGRA => [bits - b, bits - b - g, bits - b - g - r],
            RGBA => [bits - r - g - b, bits - r - g, bits - r],
            _ => return Err(unknown()),
        };
        let channel = |shift, bits| Channel { shift, bits };
        let channels = [channel(blue, b), channel(green, g), channel(red, r)];
        Ok(Self { bytes: bits as usize / 8, channels })
    }

    /// Bytes of a pixel.
    pub(super) fn bytes(self) -> usize {
        self.bytes
    }

    /// Our pixels differ from these in nothing but the byte that carries nothing.
    pub(super) fn is_ours(self) -> bool {
        self.bytes == 4 && self.channels.map(|c| (c.shift, c.bits)) == [(0, 8), (8, 8), (16, 8)]
    }

    /// Turns a row of these pixels into a row of ours.
    pub(super) fn row(self, from: &[u8], to: &mut [u8]) {
        let to = to.as_chunks_mut::<4>().0;
        if self.is_ours() {
            for (to, from) in to.iter_mut().zip(from.as_chunks::<4>().0) {
                *to = [from[0], from[1], from[2], 0xff];
            }
            return;
        }
        for (to, from) in to.iter_mut().zip(from.chunks_exact(self.bytes)) {
            let pixel = from.iter().rev().fold(0, |pixel, byte| pixel << 8 | u32::from(*byte));
            let [b, g, r] = self.channels.map(|channel| {
                let most = (1 << channel.bits) - 1;
                ((pixel >> channel.shift & most) * 255 / most) as u8
            });
            *to = [b, g, r, 0xff];
        }
    }
}

/// A cursor's pixels, with their colours multiplied by alpha.
///
/// QEMU passes on what the guest's driver says, and drivers differ: Linux's multiply before, others do not. A shape
/// that could have been multiplied is taken to be so; in one that was not, some colour is stronger than its alpha.
pub(super) fn premultiplied(bgra: &[u8]) -> Vec<u8> {
    let pixels = bgra.as_chunks::<4>().0;
    if pixels.iter().all(|pixel| pixel[..3].iter().all(|colour| *colour <= pixel[3])) {
        return bgra.to_vec();
    }
    let times = |colour: u8, alpha: u8| ((u32::from(colour) * u32::from(alpha) + 127) / 255) as u8;
    pixels.iter().flat_map(|&[b, g, r, a]| [times(b, a), times(g, a), times(r, a), a]).collect()
}

const ARGB: u32 = 2;
const ABGR: u32 = 3;
const BGRA: u32 = 8;
const RGBA: u32 = 9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formats_are_read_by_their_code() {
        let check = |format, pixel: &[u8], expected: [u8; 3]| {
            let layout = Layout::of(format).unwrap();
            assert_eq!(layout.bytes(), pixel.len());
            let mut to = [0; 4];
            layout.row(pixel, &mut to);
            assert_eq!((&to[..3], to[3]), (&expected[..], 0xff), "{format:#x}");
        };
        check(0x2002_0888, &[1, 2, 3, 4], [1, 2, 3]); // x8r8g8b8
        check(0x2002_8888, &[1, 2, 3, 4], [1, 2, 3]); // a8r8g8b8
        check(0x2003_0888, &[1, 2, 3, 4], [3, 2, 1]); // x8b8g8r8
        check(0x2008_8888, &[4, 1, 2, 3], [3, 2, 1]); // b8g8r8a8
        check(0x2009_0888, &[4, 1, 2, 3], [1, 2, 3]); // r8g8b8x8
        check(0x1802_0888, &[1, 2, 3], [1, 2, 3]); // r8g8b8
        check(0x1002_0565, &[0x1f, 0xf8], [255, 0, 255]); // r5g6b5: red and blue
        check(0x1002_0555, &[0xe0, 0x03], [0, 255, 0]); // x1r5g5b5: green
        assert!(Layout::of(0x2002_0888).unwrap().is_ours());
        assert!(!Layout::of(0x2003_0888).unwrap().is_ours());
        for unknown in [0, u32::MAX, 0x0801_8000, 0x2004_0888, 0x1002_0888, 0x2002_2aaa] {
            assert!(Layout::of(unknown).is_err(), "{unknown:#x}");
        }
    }

    #[test]
    fn a_cursor_is_multiplied_once() {
        let edge = [255, 255, 255, 128, 10, 20, 30, 255];
        let once = premultiplied(&edge);
        assert_eq!(once, [128, 128, 128, 128, 10, 20, 30, 255]);
        assert_eq!(premultiplied(&once), once);
    }

    proptest! {
        #[test]
        fn any_format_is_refused_or_read(format: u32, row in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(layout) = Layout::of(format) {
                layout.row(&row, &mut [0; 40]);
            }
        }
    }
}
