use alloc::vec;
use alloc::vec::Vec;

use super::{Rect, TileGrid, TileIndex};

/// Some of the tiles of a rectangle of tiles.
///
/// Columns and rows are those of the surface's grid, not counted from the area's corner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileMask {
    area: Rect,
    // INVARIANT: one bit a tile of the area, row by row, lowest bits first; those behind the last tile are 0.
    bits: Vec<u64>,
}

impl TileMask {
    /// No tile of `area`, which counts tiles.
    pub fn empty(area: Rect) -> Self {
        Self { area, bits: vec![0; (area.area() as usize).div_ceil(64)] }
    }

    /// Every tile of `area`, which counts tiles.
    pub fn all(area: Rect) -> Self {
        let mut mask = Self::empty(area);
        mask.bits.fill(u64::MAX);
        if let (Some(last), used @ 1..) = (mask.bits.last_mut(), area.area() % 64) {
            *last = (1 << used) - 1;
        }
        mask
    }

    /// These tiles of `grid`, in the smallest area that holds them; numbers past its end are left out.
    pub fn of(grid: TileGrid, tiles: impl Iterator<Item = TileIndex> + Clone) -> Self {
        let places =
            tiles.filter(|tile| *tile < grid.len()).map(|tile| (tile % grid.cols(), tile / grid.cols()));
        let area =
            places.clone().fold(Rect::default(), |area, (col, row)| area.union(Rect::new(col, row, 1, 1)));
        let mut mask = Self::empty(area);
        places.for_each(|(col, row)| mask.insert(col, row));
        mask
    }

    /// What [`Self::to_bytes`] gave for `area`. `None` where `bytes` have another length, no bit, or one behind the
    /// last tile.
    pub fn from_bytes(area: Rect, bytes: &[u8]) -> Option<Self> {
        if bytes.len() as u64 != area.area().div_ceil(8) {
            return None;
        }
        let mut mask = Self::empty(area);
        for (word, chunk) in mask.bits.iter_mut().zip(bytes.chunks(8)) {
            let mut whole = [0; 8];
            whole[..chunk.len()].copy_from_slice(chunk);
            *word = u64::from_le_bytes(whole);
        }
        let spare = mask.bits.last()? >> ((area.area() - 1) % 64) >> 1;
        (spare == 0 && !mask.is_empty()).then_some(mask)
    }

    /// One bit a tile of the area, row by row, the lowest of each byte first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.bits.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate((self.area.area() as usize).div_ceil(8));
        bytes
    }

    /// Where its tiles are at most, in tiles.
    pub const fn area(&self) -> Rect {
        self.area
    }

    /// How many tiles it has.
    pub fn len(&self) -> u32 {
        self.bits.iter().map(|word| word.count_ones()).sum()
    }

    /// True if it has none.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|word| *word == 0)
    }

    /// True if it has every tile of its area.
    pub fn is_all(&self) -> bool {
        u64::from(self.len()) == self.area.area()
    }

    /// Adds the tile in this column and row; nothing where it is outside the area.
    pub fn insert(&mut self, col: u32, row: u32) {
        if let Some(bit) = self.bit(col, row) {
            self.bits[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// True if it has the tile in this column and row.
    pub fn contains(&self, col: u32, row: u32) -> bool {
        self.bit(col, row).is_some_and(|bit| self.bits[bit / 64] >> (bit % 64) & 1 == 1)
    }

    /// The column and row of each of its tiles, row by row.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + Clone + '_ {
        let Rect { x, y, w, .. } = self.area;
        let set = self.bits.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            core::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at as u32 * 64 + bit)
            })
        });
        set.map(move |bit| (x + bit % w, y + bit / w))
    }

    /// The numbers that its tiles have in `grid`, rising; those that the grid does not have are left out.
    pub fn tiles(&self, grid: TileGrid) -> impl Iterator<Item = TileIndex> + Clone + '_ {
        let inside = self.iter().filter(move |(col, row)| *col < grid.cols() && *row < grid.rows());
        inside.map(move |(col, row)| row * grid.cols() + col)
    }

    /// Its tiles and the up to eight around each of them, as far as `grid` has them.
    pub fn with_neighbours(&self, grid: TileGrid) -> Self {
        let Rect { x, y, .. } = self.area;
        let area = Rect::span(
            x.saturating_sub(1),
            y.saturating_sub(1),
            (self.area.right() + 1).min(grid.cols()),
            (self.area.bottom() + 1).min(grid.rows()),
        );
        let mut wider = Self::empty(area);
        for (col, row) in self.iter() {
            for row in row.saturating_sub(1)..=row + 1 {
                (col.saturating_sub(1)..=col + 1).for_each(|col| wider.insert(col, row));
            }
        }
        wider
    }

    /// The number of a tile's bit; `None` outside the area.
    fn bit(&self, col: u32, row: u32) -> Option<usize> {
        let (x, y) = (col.checked_sub(self.area.x)?, row.checked_sub(self.area.y)?);
        (x < self.area.w && y < self.area.h).then(|| y as usize * self.area.w as usize + x as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geom::Size;

    proptest! {
        #[test]
        fn acts_like_a_set_of_tiles(tiles in prop::collection::btree_set(0u32..12 * 9, 1..40)) {
            let grid = TileGrid::new(Size::new(12 * 64 - 5, 9 * 64));
            let mask = TileMask::of(grid, tiles.iter().copied());
            prop_assert_eq!(mask.tiles(grid).collect::<Vec<_>>(), tiles.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(mask.len() as usize, tiles.len());
            prop_assert_eq!(mask.is_all(), mask == TileMask::all(mask.area()));
            prop_assert_eq!(TileMask::from_bytes(mask.area(), &mask.to_bytes()), Some(mask.clone()));
            let wider = mask.with_neighbours(grid);
            for (col, row) in (0..10).flat_map(|row| (0..13).map(move |col| (col, row))) {
                let has = |col: u32, row: u32| tiles.contains(&(row * 12 + col)) && col < 12;
                prop_assert_eq!(mask.contains(col, row), has(col, row));
                let near = tiles.iter().any(|t| (t % 12).abs_diff(col) <= 1 && (t / 12).abs_diff(row) <= 1);
                prop_assert_eq!(wider.contains(col, row), near && col < 12 && row < 9);
            }
        }
    }

    #[test]
    fn bytes_of_a_stranger_have_one_bit_a_tile_and_one_set_at_the_least() {
        let area = Rect::new(3, 1, 5, 2);
        let mask = TileMask::from_bytes(area, &[0b10_0001, 0b10]).unwrap();
        assert_eq!(mask.iter().collect::<Vec<_>>(), [(3, 1), (3, 2), (7, 2)]);
        for bad in [&[1, 0b100][..], &[0, 0], &[1], &[1, 0, 0], &[]] {
            assert_eq!(TileMask::from_bytes(area, bad), None, "{bad:?}");
        }
        assert_eq!(
            TileMask::from_bytes(Rect::new(0, 0, 8, 8), &[0xFF; 8]),
            Some(TileMask::all(Rect::new(0, 0, 8, 8)))
        );
        assert_eq!(TileMask::from_bytes(Rect::default(), &[]), None);
    }
}
