//! A frame's number inside its own picture, so that whoever sees the picture knows which frame it is.
//!
//! 16 blocks of 8x8 pixels lie side by side from the top left corner, the lowest bit first: white is 1, black is 0.

use lightbox_codec::geom::Rect;
use lightbox_codec::pixel::{ImageMut, ImageRef, PixelFormat};

/// Where the blocks lie.
pub const AREA: Rect = Rect::new(0, 0, BITS * SIDE, SIDE);

/// Draws `n` over [`AREA`] of a BGRX image. False, and nothing done, where it does not fit or is no BGRX.
pub fn draw(image: &mut ImageMut<'_>, n: u16) -> bool {
    if image.format() != PixelFormat::Bgrx8 || !image.size().rect().contains(AREA) {
        return false;
    }
    for bit in 0..BITS {
        let level = if n >> bit & 1 == 1 { 0xFF } else { 0 };
        image.fill(Rect::new(bit * SIDE, 0, SIDE, SIDE), [level, level, level, 0xFF]);
    }
    true
}

/// The number in [`AREA`]; `None` where a block is neither black nor white, or there is no room for one.
///
/// The middle of each block decides, with some tolerance: lossy first passes soften the edges.
pub fn read(image: ImageRef<'_>) -> Option<u16> {
    if image.format() != PixelFormat::Bgrx8 || !image.size().rect().contains(AREA) {
        return None;
    }
    let row = image.row(SIDE / 2);
    (0..BITS).try_fold(0, |n, bit| match row[((bit * SIDE + SIDE / 2) * 4 + 1) as usize] {
        0..=70 => Some(n),
        185.. => Some(n | 1 << bit),
        _ => None,
    })
}

const BITS: u32 = 16;
const SIDE: u32 = 8;

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;

    use super::*;

    #[test]
    fn every_number_comes_back() {
        let size = Size::new(130, 9);
        let mut data = vec![0x80; 130 * 9 * 4];
        let image = |data: &[u8]| read(ImageRef::new(data, size, 130 * 4, PixelFormat::Bgrx8).unwrap());
        assert_eq!(image(&data), None, "gray is no number");
        for n in 0..=u16::MAX {
            let mut target = ImageMut::new(&mut data, size, 130 * 4, PixelFormat::Bgrx8).unwrap();
            assert!(draw(&mut target, n));
            assert_eq!(image(&data), Some(n));
        }
    }

    #[test]
    fn the_lowest_bit_is_leftmost_and_nothing_else_changes() {
        let size = Size::new(130, 9);
        let mut data = vec![0x80; 130 * 9 * 4];
        draw(&mut ImageMut::new(&mut data, size, 130 * 4, PixelFormat::Bgrx8).unwrap(), 0b10);
        assert_eq!(data[7 * 4..7 * 4 + 4], [0, 0, 0, 0xFF]);
        assert_eq!(data[8 * 4..8 * 4 + 4], [0xFF; 4]);
        assert!(data[128 * 4..130 * 4].iter().chain(&data[8 * 130 * 4..]).all(|b| *b == 0x80));
        let mut tiny = vec![0; 127 * 8 * 4];
        let size = Size::new(127, 8);
        assert!(!draw(&mut ImageMut::new(&mut tiny, size, 127 * 4, PixelFormat::Bgrx8).unwrap(), 1));
    }
}
