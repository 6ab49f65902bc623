//! Which cells of a rect stay as they are, and which areas are coded in which way.

use alloc::vec::Vec;

use super::slabs::{Cell, Slab, find_slabs};
use super::ways::Way;
use crate::lossless::DecodeError;
use crate::lossless::bytes::{Reader, put_number};
use crate::lossless::canvas::Canvas;
use crate::lossless::layout::{CELL, Kind, Layout, look};
use crate::pixel::{ImageRef, PixelFormat};
use crate::range::{Coder, Odds, RangeReader, RangeWriter};

/// The plan of a rect. The memory is kept from call to call.
#[derive(Default)]
pub(super) struct Plan {
    /// The ways of the first areas of the layout; those after them are cells that stay.
    pub(super) ways: Vec<Way>,
    /// Cells that stay, row by row, where no area lies.
    stays: Vec<bool>,
    cells: Vec<Cell>,
    kinds: Vec<Kind>,
    slabs: Vec<Slab>,
}

/// What a cell of an image looks like over what is shown.
enum Look {
    Same,
    /// Gray wherever it changes, and a photograph.
    Gray,
    /// Gray wherever it changes.
    GrayText,
    Colour,
    Text,
}

impl Plan {
    /// Divides `image`, whose colours are in `canvas` if it has any, by what is `shown`. Gray areas are
    /// [`Way::Fresh`] for now.
    pub(super) fn see(
        &mut self,
        image: ImageRef<'_>,
        shown: ImageRef<'_>,
        canvas: &Canvas,
        layout: &mut Layout,
    ) {
        let (w, h) = (image.size().w as usize, image.size().h as usize);
        let columns = w.div_ceil(CELL);
        self.clear();
        for y in (0..h).step_by(CELL) {
            for x in (0..w).step_by(CELL) {
                let look = look_at(image, shown, canvas, (x, y));
                self.stays.push(matches!(look, Look::Same));
                self.kinds.push(if matches!(look, Look::Colour) { Kind::Colour } else { Kind::Text });
                self.cells.push(match look {
                    Look::Gray => Cell::Needed,
                    Look::Same | Look::GrayText => Cell::Spare,
                    Look::Colour | Look::Text => Cell::Barred,
                });
            }
        }
        find_slabs(&mut self.cells, columns, &mut self.slabs);
        layout.cover(w, h, &self.kinds);
        self.ways.resize(layout.areas().len(), Way::Colour);
        for slab in &self.slabs {
            layout.add(Kind::Gray, [slab.x, slab.y, slab.end_x - slab.x, slab.end_y - slab.y]);
            self.ways.push(Way::Fresh);
        }
        for (cell, stays) in self.stays.iter_mut().enumerate() {
            *stays &= layout.is_open(cell);
        }
        self.add_stays(columns, layout);
    }

    /// True if nothing of what is shown helps.
    pub(super) fn is_fresh(&self) -> bool {
        !self.stays.contains(&true) && self.ways.iter().all(|way| matches!(way, Way::Fresh | Way::Colour))
    }

    pub(super) fn write(&mut self, format: PixelFormat, layout: &Layout, out: &mut Vec<u8>) {
        put_number(out, self.ways.len());
        for (area, way) in layout.areas().iter().zip(&self.ways) {
            let [x, y, w, h] = area.cells();
            put_number(out, x << WAY_BITS | way.number());
            [y, w, h].into_iter().for_each(|number| put_number(out, number));
        }
        if format.is_colour() {
            let mut bytes = Vec::new();
            let mut writer = RangeWriter::new(&mut bytes);
            let open = |cell: usize| layout.is_open(cell) || self.stays[cell];
            code_stays(&mut writer, layout.columns(), &mut self.stays.clone(), open);
            writer.finish();
            put_number(out, bytes.len());
            out.extend_from_slice(&bytes);
        }
    }

    /// Reads the plan of a rect of `w` x `h` pixels, and lays it out.
    pub(super) fn read(
        &mut self,
        (w, h): (usize, usize),
        format: PixelFormat,
        layout: &mut Layout,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        self.clear();
        layout.set_text(w, h);
        let cells = w.div_ceil(CELL) * h.div_ceil(CELL);
        let count = reader.number()?;
        if count > cells {
            return Err(DecodeError::Corrupt("number of areas"));
        }
        for _ in 0..count {
            let first = reader.number()?;
            let way = Way::ALL.get(first % (1 << WAY_BITS)).copied();
            let Some(way) = way.filter(|way| format.is_colour() || *way != Way::Colour) else {
                return Err(DecodeError::Corrupt("way of an area"));
            };
            if way == Way::Level && format.depth() != 8 {
                return Err(DecodeError::Corrupt("way of an area"));
            }
            let kind = if way == Way::Colour { Kind::Colour } else { Kind::Gray };
            let area = [first >> WAY_BITS, reader.number()?, reader.number()?, reader.number()?];
            if !layout.add(kind, area) {
                return Err(DecodeError::Corrupt("area"));
            }
            self.ways.push(way);
        }
        self.stays.resize(cells, false);
        if format.is_colour() {
            let len = reader.number()?;
            let mut range = RangeReader::new(reader.take(len)?);
            code_stays(&mut range, layout.columns(), &mut self.stays, |cell| layout.is_open(cell));
            if range.is_spent() || range.unread() > 0 {
                return Err(DecodeError::Corrupt("cells that stay"));
            }
        } else {
            let stays = self.stays.iter_mut().enumerate();
            stays.for_each(|(cell, stays)| *stays = layout.is_open(cell));
        }
        self.add_stays(layout.columns(), layout);
        Ok(())
    }

    fn clear(&mut self) {
        self.ways.clear();
        self.stays.clear();
        self.cells.clear();
        self.kinds.clear();
        self.slabs.clear();
    }

    /// To the text around, cells that stay are areas of known pixels: runs in their rows.
    fn add_stays(&self, columns: usize, layout: &mut Layout) {
        for (y, row) in self.stays.chunks(columns).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                if run[0] {
                    layout.add(Kind::Same, [x, y, run.len(), 1]);
                }
                x += run.len();
            }
        }
    }
}

/// Codes which of the cells stay that are `open`.
fn code_stays(coder: &mut impl Coder, columns: usize, stays: &mut [bool], open: impl Fn(usize) -> bool) {
    let mut odds = [Odds::new(128, 0); 4];
    for cell in 0..stays.len() {
        if open(cell) {
            let west = !cell.is_multiple_of(columns) && stays[cell - 1];
            let north = cell >= columns && stays[cell - columns];
            let odds = &mut odds[usize::from(west) + 2 * usize::from(north)];
            stays[cell] = coder.decide(odds, stays[cell]);
        }
    }
}

fn look_at(image: ImageRef<'_>, shown: ImageRef<'_>, canvas: &Canvas, (x, y): (usize, usize)) -> Look {
    let format = image.format();
    let bytes = format.bytes_per_pixel();
    let (w, h) = (image.size().w as usize, image.size().h as usize);
    let span = x * bytes..(x + CELL).min(w) * bytes;
    let rows = (y..(y + CELL).min(h)).map(|y| {
        let y = y as u32;
        (&image.row(y)[span.clone()], &shown.row(y)[span.clone()])
    });
    if rows.clone().all(|(new, old)| new == old) {
        return Look::Same;
    }
    if !format.is_colour() {
        return Look::Gray;
    }
    let (differs, coloured) = rows.fold((0, 0), |(differs, coloured), (new, old)| {
        let (change, colour) = compare(new.as_chunks().0, old.as_chunks().0);
        (differs | change, coloured | colour)
    });
    // The X byte alone is no difference.
    if differs == 0 {
        return Look::Same;
    }
    match (coloured, look(canvas, x, y)) {
        (0, Kind::Text) => Look::GrayText,
        (0, _) => Look::Gray,
        (_, Kind::Text) => Look::Text,
        _ => Look::Colour,
    }
}

/// What differs of two rows, and what of that is not gray in one of them: 0 for none.
fn compare(new: &[[u8; 4]], old: &[[u8; 4]]) -> (u32, u32) {
    let (mut differs, mut coloured) = (0, 0);
    for (new, old) in new.iter().zip(old) {
        let (new, old) = (u32::from_le_bytes(*new), u32::from_le_bytes(*old));
        let change = (new ^ old) & 0xff_ffff;
        let colour = ((new ^ (new >> 8)) | (old ^ (old >> 8))) & 0xffff;
        differs |= change;
        coloured |= if change == 0 { 0 } else { colour };
    }
    (differs, coloured)
}

/// Bits of a way's number.
const WAY_BITS: usize = 3;
