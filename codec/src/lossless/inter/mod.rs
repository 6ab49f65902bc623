//! Coded rects that lean on what the rect shows: cells that stay, and photographs told from what was there.
//!
//! A rect is divided into cells. Those that stay the same cost next to nothing; gray photographs are covered with
//! areas, each coded in the way that looks cheapest: *fresh*, as if nothing were known; *drift*, by its difference to
//! what is shown; *level*, by a new level for each shown one, as when a window is dragged over the levels of a
//! radiograph; *echo*, where neighbours that showed the same will again, as in a cine scaled to blocks of equal pixels.
//! What is left is text and coloured photographs, coded as they are elsewhere.

mod decode;
mod encode;
mod levels;
mod plan;
mod slabs;
mod ways;

pub(super) use decode::InterDecoder;
pub(super) use encode::InterEncoder;

use super::plane::Plane;
use crate::pixel::{ImageRef, PixelFormat};

/// Copies gray samples of a row of `image`, from column `x` on, to row `row` of `plane`; of colour the blue ones. Bits
/// beyond the depth are left out.
fn take_row(image: ImageRef<'_>, (x, y): (usize, usize), plane: &mut Plane, row: usize) {
    let source = image.row(y as u32);
    let max = ((1u32 << plane.bits()) - 1) as u16;
    let target = plane.row_mut(row).iter_mut();
    match image.format() {
        PixelFormat::Gray8 => {
            target.zip(&source[x..]).for_each(|(sample, byte)| *sample = (*byte).into());
        }
        PixelFormat::Gray16(_) => {
            let (pairs, _) = source[2 * x..].as_chunks::<2>();
            target.zip(pairs).for_each(|(sample, pair)| *sample = u16::from_le_bytes(*pair) & max);
        }
        PixelFormat::Bgrx8 | PixelFormat::Bgrx10 => {
            let (quads, _) = source[4 * x..].as_chunks::<4>();
            target.zip(quads).for_each(|(sample, quad)| *sample = quad[0].into());
        }
    }
}

/// True if a BGRX8 pixel is not gray.
#[inline(always)]
fn is_coloured([b, g, r, _]: [u8; 4]) -> bool {
    b != g || g != r
}
