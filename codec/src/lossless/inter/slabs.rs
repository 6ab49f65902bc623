//! Covers what must be coded with few rects of cells, which may hold some cells that need not.

use alloc::vec::Vec;

/// What may become of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// It must be covered.
    Needed,
    /// It may be covered.
    Spare,
    /// It must not be covered.
    Barred,
}

/// A rect of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slab {
    pub(super) x: usize,
    pub(super) end_x: usize,
    pub(super) y: usize,
    pub(super) end_y: usize,
    /// How many of its cells are needed.
    needed: usize,
}

/// Between needed cells of a row, so many spare ones are covered with them.
const GAP: usize = 2;

/// Appends slabs that cover all needed cells, `columns` to a row, and do not overlap. Covered cells become barred.
pub(super) fn find_slabs(cells: &mut [Cell], columns: usize, slabs: &mut Vec<Slab>) {
    for y in 0..cells.len() / columns {
        let mut x = 0;
        while x < columns {
            if cells[y * columns + x] != Cell::Needed {
                x += 1;
                continue;
            }
            let end_x = end_of_run(&cells[y * columns..][..columns], x);
            let run = Slab { x, end_x, y, end_y: y + 1, needed: 0 };
            let grown = slabs
                .iter()
                .enumerate()
                .filter(|(_, slab)| slab.end_y == y && slab.x < end_x && x < slab.end_x)
                .find_map(|(i, slab)| Some((i, grow(cells, columns, slab, &run)?)));
            let slab = match grown {
                Some((i, grown)) => {
                    slabs[i] = grown;
                    grown
                }
                None => {
                    let needed = count(cells, columns, &run, Cell::Needed);
                    slabs.push(Slab { needed, ..run });
                    run
                }
            };
            for row in slab.y..slab.end_y {
                cells[row * columns + slab.x..row * columns + slab.end_x].fill(Cell::Barred);
            }
            x = end_x;
        }
    }
}

/// Where a run of needed cells that begins at `x` ends.
fn end_of_run(row: &[Cell], x: usize) -> usize {
    let (mut end, mut gap) = (x, 0);
    for (at, cell) in row.iter().enumerate().skip(x) {
        match cell {
            Cell::Needed => (end, gap) = (at + 1, 0),
            Cell::Spare if gap < GAP => gap += 1,
            _ => break,
        }
    }
    end
}

/// `slab` with the run below it, if that can be and does not cover much that is not needed.
fn grow(cells: &[Cell], columns: usize, slab: &Slab, run: &Slab) -> Option<Slab> {
    let (x, end_x) = (slab.x.min(run.x), slab.end_x.max(run.end_x));
    let left = Slab { x, end_x: slab.x, ..*slab };
    let right = Slab { x: slab.end_x, end_x, ..*slab };
    let below = Slab { x, end_x, ..*run };
    let parts = [left, right, below];
    let new: usize = parts.iter().map(|part| count(cells, columns, part, Cell::Needed)).sum();
    let barred: usize = parts.iter().map(|part| count(cells, columns, part, Cell::Barred)).sum();
    let grown = Slab { x, end_x, y: slab.y, end_y: run.end_y, needed: slab.needed + new };
    let area = (end_x - x) * (grown.end_y - grown.y);
    (barred == 0 && (area - grown.needed) * 6 <= area).then_some(grown)
}

fn count(cells: &[Cell], columns: usize, slab: &Slab, what: Cell) -> usize {
    let rows = slab.y..slab.end_y;
    rows.map(|y| cells[y * columns..][slab.x..slab.end_x].iter().filter(|cell| **cell == what).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slabs_of(picture: &[&str]) -> Vec<[usize; 4]> {
        let cell = |c: u8| match c {
            b'#' => Cell::Needed,
            b'.' => Cell::Spare,
            _ => Cell::Barred,
        };
        let mut cells: Vec<_> = picture.iter().flat_map(|row| row.bytes().map(cell)).collect();
        let mut slabs = Vec::new();
        find_slabs(&mut cells, picture[0].len(), &mut slabs);
        assert!(!cells.contains(&Cell::Needed));
        slabs.iter().map(|s| [s.x, s.y, s.end_x, s.end_y]).collect()
    }

    #[test]
    fn everything_needed_is_covered_once() {
        assert_eq!(slabs_of(&["....", "...."]), Vec::<[usize; 4]>::new());
        assert_eq!(slabs_of(&["#.#", "###", "###"]), [[0, 0, 3, 3]]);
        assert_eq!(slabs_of(&["#x#", "###"]), [[0, 0, 1, 1], [2, 0, 3, 1], [0, 1, 3, 2]]);
        assert_eq!(slabs_of(&["#...#"]), [[0, 0, 1, 1], [4, 0, 5, 1]]);
        assert_eq!(slabs_of(&[".####.", "######", "######"]), [[0, 0, 6, 3]]);
    }
}
