//! Which parts of a colour rect are photographs for the wave coder; the rest is text.

use alloc::vec::Vec;

use super::DecodeError;
use super::bytes::{Reader, put_number};
use super::canvas::Canvas;
use super::deep::surplus;
use super::text::Block;
use crate::pixel::{ImageRef, PixelFormat};

/// The side of a cell, the grain of the division.
pub(super) const CELL: usize = 32;
/// A photograph of fewer cells is left to the text coder: it would not pay for its rANS states.
const MIN_CELLS: usize = 2;

/// What a cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Known beforehand: it stays as it is.
    Same,
    /// A photograph with R = G = B throughout: one plane.
    Gray,
    /// A photograph in colour.
    Colour,
    /// A part with colours that only ten bits hold, R = G = B throughout.
    DeepGray,
    /// The same in colour.
    DeepColour,
}

impl Kind {
    /// Red, green and blue are not the same throughout.
    pub(super) fn is_coloured(self) -> bool {
        matches!(self, Kind::Colour | Kind::DeepColour)
    }

    /// Bits of its samples.
    pub(super) fn bits(self) -> u32 {
        if self.is_deep() { 10 } else { 8 }
    }

    pub(super) fn is_deep(self) -> bool {
        matches!(self, Kind::DeepGray | Kind::DeepColour)
    }
}

/// The kinds of areas by their numbers in the stream: eight-bit pixels know the first two.
const NUMBERED: [Kind; 4] = [Kind::Gray, Kind::Colour, Kind::DeepGray, Kind::DeepColour];

/// Bits of a kind's number.
fn kind_bits(format: PixelFormat) -> usize {
    if format == PixelFormat::Bgrx10 { 2 } else { 1 }
}

/// A photograph inside a rect, in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) kind: Kind,
    x: usize,
    y: usize,
    w: usize,
    h: usize,
}

/// A rect divided into cells. The memory is kept from call to call.
#[derive(Default)]
pub(super) struct Layout {
    w: usize,
    h: usize,
    cells: Vec<Kind>,
    /// Scratch of [`Layout::find_areas`].
    open: Vec<Kind>,
    areas: Vec<Area>,
    blocks: Vec<Block>,
}

impl Area {
    /// Column, row, width and height in cells.
    pub(super) fn cells(&self) -> [usize; 4] {
        [self.x, self.y, self.w, self.h]
    }
}

impl Layout {
    /// Looks at the pixels and divides them; `canvas` has those of `image`.
    pub(super) fn see(&mut self, canvas: &Canvas, image: ImageRef<'_>) {
        self.reset(canvas.w(), canvas.h());
        let (columns, rows) = self.grid();
        for y in 0..rows {
            for x in 0..columns {
                let kind = match image.format() {
                    PixelFormat::Bgrx10 => look_deep(image, x * CELL, y * CELL),
                    _ => None,
                };
                self.cells.push(kind.unwrap_or_else(|| look(canvas, x * CELL, y * CELL)));
            }
        }
        self.find_areas();
    }

    /// All of it is one photograph.
    pub(super) fn set_whole(&mut self, w: usize, h: usize, kind: Kind) {
        self.reset(w, h);
        let (w, h) = self.grid();
        self.cells.resize(w * h, kind);
        self.areas.push(Area { kind, x: 0, y: 0, w, h });
    }

    /// All of it is text.
    pub(super) fn set_text(&mut self, w: usize, h: usize) {
        self.reset(w, h);
        let (w, h) = self.grid();
        self.cells.resize(w * h, Kind::Text);
    }

    /// Divides a rect of `w` x `h` pixels whose cells are of these kinds, row by row.
    pub(super) fn cover(&mut self, w: usize, h: usize, cells: &[Kind]) {
        self.reset(w, h);
        self.cells.extend_from_slice(cells);
        self.find_areas();
    }

    /// Adds an area: column, row, width and height in cells. False if it is empty, does not lie inside or meets
    /// another.
    pub(super) fn add(&mut self, kind: Kind, [x, y, w, h]: [usize; 4]) -> bool {
        let (columns, rows) = self.grid();
        let area = Area { kind, x, y, w, h };
        let fits = w > 0 && h > 0 && x + w <= columns && y + h <= rows;
        let is_added = fits && self.claim(area);
        if is_added {
            self.areas.push(area);
        }
        is_added
    }

    /// Cells in a row.
    pub(super) fn columns(&self) -> usize {
        self.grid().0
    }

    /// True if no area covers a cell, by its number row by row.
    pub(super) fn is_open(&self, cell: usize) -> bool {
        self.cells[cell] == Kind::Text
    }

    pub(super) fn has_text(&self) -> bool {
        self.cells.contains(&Kind::Text)
    }

    pub(super) fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The one kind of all cells, if there is one.
    pub(super) fn whole(&self) -> Option<Kind> {
        let first = *self.cells.first()?;
        self.cells.iter().all(|&kind| kind == first).then_some(first)
    }

    /// The pixels of an area.
    pub(super) fn pixels(&self, area: Area) -> Block {
        Block {
            x: area.x * CELL,
            end_x: ((area.x + area.w) * CELL).min(self.w),
            y: area.y * CELL,
            end_y: ((area.y + area.h) * CELL).min(self.h),
        }
    }

    /// What is text, in the order of coding: along each row of cells, the runs between photographs.
    pub(super) fn blocks(&mut self) -> &[Block] {
        self.blocks.clear();
        let (columns, _) = self.grid();
        for (y, row) in self.cells.chunks(columns).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| (*a == Kind::Text) == (*b == Kind::Text)) {
                if run[0] == Kind::Text {
                    self.blocks.push(Block {
                        x: x * CELL,
                        end_x: ((x + run.len()) * CELL).min(self.w),
                        y: y * CELL,
                        end_y: ((y + 1) * CELL).min(self.h),
                    });
                }
                x += run.len();
            }
        }
        &self.blocks
    }

    /// True if no photograph reaches into a block of pixels.
    pub(super) fn is_text(&self, block: Block) -> bool {
        let (columns, _) = self.grid();
        let cells = block.x / CELL..block.end_x.div_ceil(CELL);
        self.areas.is_empty()
            || (block.y / CELL..block.end_y.div_ceil(CELL))
                .all(|row| self.cells[row * columns..][cells.clone()].iter().all(|&kind| kind == Kind::Text))
    }

    pub(super) fn write(&self, format: PixelFormat, out: &mut Vec<u8>) {
        put_number(out, self.areas.len());
        for area in &self.areas {
            let kind = NUMBERED.iter().position(|kind| *kind == area.kind).unwrap_or_default();
            put_number(out, area.x << kind_bits(format) | kind);
            for number in [area.y, area.w, area.h] {
                put_number(out, number);
            }
        }
    }

    /// Reads the areas of a rect of `w` x `h` pixels. They never overlap, so they hold no more pixels than it.
    pub(super) fn read(
        &mut self,
        w: usize,
        h: usize,
        format: PixelFormat,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        self.set_text(w, h);
        let count = reader.number()?;
        if count > self.cells.len() {
            return Err(DecodeError::Corrupt("number of areas"));
        }
        for _ in 0..count {
            let x = reader.number()?;
            let bits = kind_bits(format);
            let kind = NUMBERED[x & ((1 << bits) - 1)];
            if !self.add(kind, [x >> bits, reader.number()?, reader.number()?, reader.number()?]) {
                return Err(DecodeError::Corrupt("area"));
            }
        }
        Ok(())
    }

    fn reset(&mut self, w: usize, h: usize) {
        (self.w, self.h) = (w, h);
        self.cells.clear();
        self.areas.clear();
    }

    /// Columns and rows of cells.
    fn grid(&self) -> (usize, usize) {
        (self.w.div_ceil(CELL), self.h.div_ceil(CELL))
    }

    /// Marks the cells of an area; false if one of them is no text any more.
    fn claim(&mut self, area: Area) -> bool {
        let (columns, _) = self.grid();
        for row in self.cells.chunks_mut(columns).skip(area.y).take(area.h) {
            for cell in &mut row[area.x..area.x + area.w] {
                if core::mem::replace(cell, area.kind) != Kind::Text {
                    return false;
                }
            }
        }
        true
    }

    /// Covers the photographs with areas: as wide as possible, then as high. What is too small becomes text.
    fn find_areas(&mut self) {
        let (columns, rows) = self.grid();
        // Cells leave `open` as they are dealt with, and come back to `cells` with an area around them.
        let mut open = core::mem::take(&mut self.open);
        open.clear();
        open.append(&mut self.cells);
        self.cells.resize(columns * rows, Kind::Text);
        for start in 0..open.len() {
            let (x, y, kind) = (start % columns, start / columns, open[start]);
            if kind == Kind::Text {
                continue;
            }
            let fits = |x: usize, y: usize| open[y * columns + x] == kind;
            let w = (x..columns).take_while(|&x| fits(x, y)).count();
            let h = (y..rows).take_while(|&y| (x..x + w).all(|x| fits(x, y))).count();
            for row in y..y + h {
                open[row * columns + x..][..w].fill(Kind::Text);
            }
            if w * h >= MIN_CELLS || kind.is_deep() || w * h == open.len() {
                let area = Area { kind, x, y, w, h };
                self.claim(area);
                self.areas.push(area);
            }
        }
        self.open = open;
    }
}

/// The kind of the cell at (`x`, `top`) of a ten-bit image, if eight bits do not hold its colours.
fn look_deep(image: ImageRef<'_>, x: usize, top: usize) -> Option<Kind> {
    let end_y = (top + CELL).min(image.size().h as usize);
    let (mut more, mut coloured) = (0, 0);
    for y in top..end_y {
        for pixel in image.row(y as u32).as_chunks::<4>().0.iter().skip(x).take(CELL) {
            let deep = u32::from_le_bytes(*pixel);
            more |= surplus(deep);
            // Green against blue, and red against green.
            coloured |= (deep ^ deep >> 10) & ((1 << 20) - 1);
        }
    }
    match (more, coloured) {
        (0, _) => None,
        (_, 0) => Some(Kind::DeepGray),
        _ => Some(Kind::DeepColour),
    }
}

/// Judges the cell at (`x`, `y`) by every second row. Text is made of few colours with sharp borders; in a
/// photograph hardly a pixel equals its neighbours, and it differs from what they predict by little.
pub(super) fn look(canvas: &Canvas, x: usize, top: usize) -> Kind {
    let (end_x, end_y) = ((x + CELL).min(canvas.w()), (top + CELL).min(canvas.h()));
    let rows = (top + 1..end_y).step_by(2).map(|y| (&canvas.row(y)[x..end_x], &canvas.row(y - 1)[x..end_x]));
    let seen = (rows.len() * (end_x - x - 1)) as u32;
    let novel: u32 = rows.clone().map(|(own, above)| count_novel(own, above)).sum();
    if novel * 10 < seen {
        return Kind::Text;
    }
    let errors: u32 = rows.map(|(own, above)| sum_errors(own, above)).sum();
    if errors >= novel * SMOOTH_ERROR && novel * 100 <= seen * NOVEL_PERCENT {
        return Kind::Text;
    }
    // One coloured pixel anywhere makes three planes: this is no judgement, the gray way carries no colour.
    let coloured = (top..end_y)
        .any(|y| canvas.row(y)[x..end_x].iter().fold(0, |d, pixel| d | (pixel ^ (pixel >> 8)) & 0xffff) != 0);
    if coloured { Kind::Colour } else { Kind::Gray }
}

/// How many pixels after the first equal neither W nor N.
fn count_novel(own: &[u32], above: &[u32]) -> u32 {
    own.iter().zip(&own[1..]).zip(&above[1..]).map(|((w, pixel), n)| is_novel(*pixel, *w, *n)).sum()
}

/// How far the green of these pixels lies from W + N - NW.
fn sum_errors(own: &[u32], above: &[u32]) -> u32 {
    let green = |colour: u32| (colour >> 8 & 0xff) as i32;
    let before = own.iter().zip(above);
    let pixels = own[1..].iter().zip(&above[1..]);
    before
        .zip(pixels)
        .map(|((&w, &nw), (&pixel, &n))| {
            is_novel(pixel, w, n) * (green(pixel) - green(w) - green(n) + green(nw)).unsigned_abs()
        })
        .sum()
}

fn is_novel(pixel: u32, w: u32, n: u32) -> u32 {
    u32::from(pixel != w) & u32::from(pixel != n)
}

/// A novel pixel of a photograph is this close to the plane through its neighbours, on average.
const SMOOTH_ERROR: u32 = 14;
/// Where more pixels than this are novel, no guess will help.
const NOVEL_PERCENT: u32 = 55;
