//! Tiles put aside to be shown again: SPEC.md 5.5. In memory only, wiped as soon as they are not needed.

use std::collections::BTreeMap;

use lightbox_codec::pixel::{ImageMut, ImageRef};
use lightbox_codec::screen::packed::Packed;

/// The cells that a server may fill, and what is in them.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    cells: u64,
    /// The end of the highest slot that was ever filled.
    end: u64,
    /// INVARIANT: none reaches into another, and all lie within the last `cells` cells before `end`.
    held: BTreeMap<u64, Kept>,
}

/// A tile that is wiped when it is let go.
#[derive(Debug)]
struct Kept(Packed);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl Slots {
    /// Empty, with room for so many cells.
    pub(crate) fn new(cells: u64) -> Self {
        Self { cells, ..Self::default() }
    }

    /// Puts `tile` aside in `slot`, over whatever was there and whatever is too old now. Returns the slot behind it.
    pub(crate) fn store(&mut self, slot: u64, tile: ImageRef<'_>) -> u64 {
        let mut packed = Packed::new();
        packed.take(tile);
        let end = slot.saturating_add(packed.cells());
        self.end = self.end.max(end);
        let oldest = self.end.saturating_sub(self.cells);
        while let Some(first) = self.held.first_entry().filter(|first| *first.key() < oldest) {
            first.remove();
        }
        let before = self.held.range(..slot).next_back().filter(|(at, kept)| *at + kept.0.cells() > slot);
        let covered: Vec<u64> =
            before.into_iter().chain(self.held.range(slot..end)).map(|(at, _)| *at).collect();
        covered.iter().for_each(|at| drop(self.held.remove(at)));
        if slot >= oldest {
            self.held.insert(slot, Kept(packed));
        }
        end
    }

    /// Paints `tile` with what `slot` holds, and returns the slot behind it; `None`, and nothing painted, where the
    /// slot holds no tile of this size and format.
    pub(crate) fn show(&self, slot: u64, tile: &mut ImageMut<'_>) -> Option<u64> {
        let Kept(packed) = self.held.get(&slot)?;
        packed.paint(tile).then(|| slot + packed.cells())
    }
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;
    use lightbox_codec::pixel::{Image, PixelFormat};

    use super::*;

    fn tile(level: u8, format: PixelFormat) -> Image {
        let mut image = Image::new(Size::new(64, 64), format).unwrap();
        // Not gray: three cells.
        image.as_mut().fill(Size::new(64, 64).rect(), [level, 0, 1, 0xFF]);
        image
    }

    fn cells(slots: &Slots) -> u64 {
        slots.held.values().map(|kept| kept.0.cells()).sum()
    }

    #[test]
    fn whatever_numbers_a_server_gives_no_more_is_kept_than_was_agreed() {
        let mut slots = Slots::new(10);
        let format = PixelFormat::Bgrx8;
        for slot in [0, 3, 6, 4, 5, 5, 20, 19, 18, 9, u64::MAX >> 2, 7, 0, 1 << 40] {
            slots.store(slot, tile(slot as u8, format).as_ref());
            assert!(cells(&slots) <= 10, "{:?}", slots.held.keys());
        }
    }

    #[test]
    fn a_slot_is_shown_until_it_is_displaced_and_only_where_it_fits() {
        let mut slots = Slots::new(10);
        let first = tile(1, PixelFormat::Bgrx8);
        assert_eq!(slots.store(100, first.as_ref()), 103);
        let mut seen = tile(9, PixelFormat::Bgrx8);
        assert_eq!(slots.show(100, &mut seen.as_mut()), Some(103));
        assert_eq!(seen, first);
        let mut gray = tile(9, PixelFormat::Gray8);
        assert_eq!((slots.show(100, &mut gray.as_mut()), slots.show(101, &mut seen.as_mut())), (None, None));
        for slot in [103, 106] {
            slots.store(slot, first.as_ref());
        }
        assert_eq!(slots.show(100, &mut seen.as_mut()), Some(103));
        slots.store(109, gray.as_ref());
        assert_eq!(slots.show(100, &mut seen.as_mut()), Some(103));
        slots.store(110, gray.as_ref());
        assert_eq!(slots.show(100, &mut seen.as_mut()), None);
    }
}
