//! The pointer's pictures.

use lightbox_codec::geom::{Point, Size};

use super::super::CursorShape;

/// What the pointer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pointer {
    Arrow,
    Hand,
    Text,
    Cross,
}

impl Pointer {
    /// Its picture.
    pub(crate) fn shape(self) -> CursorShape {
        let (hotspot, art) = match self {
            Pointer::Arrow => (Point::new(0, 0), ARROW),
            Pointer::Hand => (Point::new(5, 0), HAND),
            Pointer::Text => (Point::new(3, 8), TEXT),
            Pointer::Cross => (Point::new(8, 8), CROSS),
        };
        let size = Size::new(art[0].len() as u32, art.len() as u32);
        let bgra = art.iter().flat_map(|row| row.bytes()).flat_map(|c| match c {
            b'#' => [0, 0, 0, 0xFF],
            b'o' => [0xFF; 4],
            b'+' => [0, 0, 0, 0x80],
            _ => [0; 4],
        });
        CursorShape { size, hotspot, bgra: bgra.collect() }
    }
}

const ARROW: &[&str] = &[
    "#...........",
    "##..........",
    "#o#.........",
    "#oo#........",
    "#ooo#.......",
    "#oooo#......",
    "#ooooo#.....",
    "#oooooo#....",
    "#ooooooo#...",
    "#oooooooo#..",
    "#ooooooooo#.",
    "#oooooo#####",
    "#ooo#oo#....",
    "#oo##oo#....",
    "#o#..#oo#...",
    "##...#oo#...",
    "#.....#oo#..",
    "......#oo#..",
    ".......##...",
];
const HAND: &[&str] = &[
    ".....##.........",
    "....#oo#........",
    "....#oo#........",
    "....#oo#........",
    "....#oo#........",
    "....#oo###......",
    "....#oo#oo###...",
    "....#oo#oo#oo##.",
    ".##.#oo#oo#oo#o#",
    "#oo##oooooooooo#",
    "#ooo#oooooooooo#",
    ".#ooooooooooooo#",
    "..#oooooooooooo#",
    "..#ooooooooooo#.",
    "...#oooooooooo#.",
    "....#ooooooooo#.",
    "....#oooooooo#..",
    "....##########..",
];
const TEXT: &[&str] = &[
    "+##+##+", "#oo#oo#", "+##o##+", "..#o#..", "..#o#..", "..#o#..", "..#o#..", "..#o#..", "..#o#..",
    "..#o#..", "..#o#..", "..#o#..", "..#o#..", "..#o#..", "+##o##+", "#oo#oo#", "+##+##+",
];
const CROSS: &[&str] = &[
    ".......###.......",
    ".......#o#.......",
    ".......#o#.......",
    ".......#o#.......",
    ".......#o#.......",
    ".......#o#.......",
    ".......#o#.......",
    "########.########",
    "#oooooo...oooooo#",
    "########.########",
    ".......#o#.......",
    ".......#o#.......",
    ".......#o#.......",
    ".......#o#.......",
    ".......#o#.......",
    ".......#o#.......",
    ".......###.......",
];
