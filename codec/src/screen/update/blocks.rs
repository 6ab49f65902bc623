//! What becomes of each 16x16 block of a unit's tiles.

use crate::geom::Rect;
use crate::pixel::ImageRef;

/// The side of a block, in pixels.
pub(super) const BLOCK: u32 = 16;

/// What becomes of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// It stays what it is.
    #[default]
    Kept = 0,
    /// It is coded anew, and what it showed is a guess.
    Patched = 1,
    /// It is coded anew, and what it showed has nothing to do with it.
    New = 2,
}

/// What to do with the block `rect`. What it showed is worth a guess where that is right for half of the pixels that
/// differ from the one before them: all pixels would be a bad measure, as most are background.
pub(super) fn judge(shown: ImageRef<'_>, source: ImageRef<'_>, rect: Rect) -> Mode {
    let span = rect.x as usize * 4..rect.right() as usize * 4;
    let differs = |y| shown.row(y)[span.clone()] != source.row(y)[span.clone()];
    if !(rect.y..rect.bottom()).any(differs) {
        return Mode::Kept;
    }
    let (mut edges, mut right, mut same) = (0u32, 0u32, 0u32);
    for y in rect.y..rect.bottom() {
        let (old, new) = (&shown.row(y)[span.clone()], &source.row(y)[span.clone()]);
        let (old, new) = (old.as_chunks::<4>().0, new.as_chunks::<4>().0);
        same += old.iter().zip(new).map(|(old, new)| u32::from(old == new)).sum::<u32>();
        for (old, pair) in old.iter().skip(1).zip(new.windows(2)) {
            let edge = u32::from(pair[0] != pair[1]);
            edges += edge;
            right += edge & u32::from(*old == pair[1]);
        }
    }
    if (right + 2) * 2 >= edges && same * 4 >= rect.area() as u32 { Mode::Patched } else { Mode::New }
}
