use lightbox_codec::geom::{TileGrid, TileIndex};

/// A set of tiles of one surface.
#[derive(Clone, Debug)]
pub(crate) struct TileSet {
    words: Vec<u64>,
    len: u32,
}

impl TileSet {
    pub(crate) fn empty(grid: &TileGrid) -> Self {
        Self { words: vec![0; grid.len().div_ceil(64) as usize], len: grid.len() }
    }

    pub(crate) fn all(grid: &TileGrid) -> Self {
        let mut set = Self::empty(grid);
        (0..grid.len()).for_each(|tile| set.insert(tile));
        set
    }

    pub(crate) fn insert(&mut self, tile: TileIndex) {
        if tile < self.len {
            self.words[tile as usize / 64] |= 1 << (tile % 64);
        }
    }

    pub(crate) fn remove(&mut self, tile: TileIndex) {
        if tile < self.len {
            self.words[tile as usize / 64] &= !(1 << (tile % 64));
        }
    }

    pub(crate) fn contains(&self, tile: TileIndex) -> bool {
        tile < self.len && self.words[tile as usize / 64] >> (tile % 64) & 1 == 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// The first tile at or after `from`, then those behind the end from the beginning.
    pub(crate) fn next_from(&self, from: TileIndex) -> Option<TileIndex> {
        self.search(from, self.len).or_else(|| self.search(0, from.min(self.len)))
    }

    /// The same among those that are in `other` as well.
    pub(crate) fn next_in(&self, other: &TileSet, from: TileIndex) -> Option<TileIndex> {
        let both = |at: usize| self.words[at] & other.words.get(at).copied().unwrap_or(0);
        search(both, from, self.len).or_else(|| search(both, 0, from.min(self.len)))
    }

    /// Its tiles, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = TileIndex> + Clone + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            let tile = self.search(at, self.len)?;
            at = tile + 1;
            Some(tile)
        })
    }

    fn search(&self, from: TileIndex, end: TileIndex) -> Option<TileIndex> {
        search(|at| self.words[at], from, end)
    }
}

/// The first tile at or after `from` and before `end` whose bit is set in these words.
fn search(word: impl Fn(usize) -> u64, from: TileIndex, end: TileIndex) -> Option<TileIndex> {
    let mut at = from;
    while at < end {
        let word = word(at as usize / 64) >> (at % 64);
        if word != 0 {
            let tile = at + word.trailing_zeros();
            return (tile < end).then_some(tile);
        }
        at = (at / 64 + 1) * 64;
    }
    None
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;

    use super::*;

    #[test]
    fn goes_around_and_keeps_order() {
        let grid = TileGrid::new(Size::new(64 * 20, 64 * 10));
        let mut set = TileSet::empty(&grid);
        for tile in [3, 64, 130, 199, 200] {
            set.insert(tile);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 64, 130, 199]);
        assert_eq!(set.next_from(65), Some(130));
        assert_eq!(set.next_from(200), Some(3));
        let mut other = TileSet::empty(&grid);
        [5, 64, 199].into_iter().for_each(|tile| other.insert(tile));
        assert_eq!((set.next_in(&other, 65), set.next_in(&other, 0)), (Some(199), Some(64)));
        assert_eq!(set.next_in(&TileSet::empty(&grid), 0), None);
        set.remove(3);
        assert_eq!(set.next_from(0), Some(64));
        assert!(TileSet::all(&grid).contains(199) && !set.contains(3));
    }
}
