use super::{Rect, Size, TILE};

/// A tile's number within its surface: row by row from the top left.
pub type TileIndex = u32;

/// The tiles of a surface: 64x64 cells, cut at the right and bottom edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileGrid {
    size: Size,
    cols: u32,
    rows: u32,
}

impl TileGrid {
    /// The grid over a surface of `size`.
    pub const fn new(size: Size) -> Self {
        Self { size, cols: size.w.div_ceil(TILE), rows: size.h.div_ceil(TILE) }
    }

    /// The surface's size.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Tiles in a row.
    pub const fn cols(&self) -> u32 {
        self.cols
    }

    /// Tiles in a column.
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// How many tiles there are.
    pub const fn len(&self) -> u32 {
        self.cols * self.rows
    }

    /// True if there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pixels of tile `index`; empty past the end.
    pub fn rect(&self, index: TileIndex) -> Rect {
        if index >= self.len() {
            return Rect::default();
        }
        let (x, y) = (index % self.cols * TILE, index / self.cols * TILE);
        Rect::span(x, y, (x + TILE).min(self.size.w), (y + TILE).min(self.size.h))
    }

    /// The numbers of the tiles that `rect` touches, row by row.
    pub fn touching(&self, rect: Rect) -> impl Iterator<Item = TileIndex> + use<> {
        let rect = rect.intersect(self.size.rect()).unwrap_or_default();
        let cols = if rect.is_empty() { 0..0 } else { rect.x / TILE..rect.right().div_ceil(TILE) };
        let rows = if rect.is_empty() { 0..0 } else { rect.y / TILE..rect.bottom().div_ceil(TILE) };
        let stride = self.cols;
        rows.flat_map(move |row| cols.clone().map(move |col| row * stride + col))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn edges_are_cut_and_every_pixel_has_one_tile() {
        let grid = TileGrid::new(Size::new(130, 65));
        assert_eq!((grid.cols(), grid.rows(), grid.len()), (3, 2, 6));
        assert_eq!(grid.rect(5), Rect::new(128, 64, 2, 1));
        assert_eq!((0..grid.len()).map(|i| grid.rect(i).area()).sum::<u64>(), 130 * 65);
        assert!(grid.rect(6).is_empty());
    }

    #[test]
    fn touching_lists_row_by_row() {
        let grid = TileGrid::new(Size::new(256, 256));
        assert_eq!(grid.touching(Rect::new(63, 63, 2, 2)).collect::<Vec<_>>(), [0, 1, 4, 5]);
        assert_eq!(grid.touching(Rect::new(64, 0, 64, 64)).collect::<Vec<_>>(), [1]);
        assert_eq!(grid.touching(Rect::new(300, 0, 64, 64)).count(), 0);
    }
}
