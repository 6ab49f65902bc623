//! Units of the screen codec: what changed on a desktop, guessed from what was shown and from all units before.
//!
//! A unit speaks of some tiles of a surface. Their 16x16 blocks are kept, patched (what they showed is a guess), or
//! new. The pixels of the others are guessed from their neighbours by a [`Model`], which learns from each of them and
//! is kept for the next unit: a letter that was drawn once costs little wherever it is drawn again. There is one model
//! code for both sides, so they cannot disagree. SPEC-screen.md is the text of the format.
//!
//! A unit that is *alone* reads nothing of the surface: it paints its tiles whole, whatever was there.

mod band;
mod blocks;
mod content;
mod model;
mod odds;
mod pixel;

use alloc::vec::Vec;

pub use content::is_photo;
pub use model::Model;

use crate::geom::{Rect, TILE, TileMask};
use crate::lossless::DecodeError;
use crate::pixel::{ImageMut, ImageRef, PixelFormat};
use crate::range::{Coder, RangeReader, RangeWriter};
use band::{Band, Lines};
use blocks::{BLOCK, Mode};
use model::Around;
use pixel::Shown;

/// How far around its tiles a unit looks, in pixels, unless it is alone.
pub const MARGIN: usize = 4;

/// Writes units. The memory, about 1 KiB for each column of blocks, is kept from call to call.
#[derive(Default)]
pub struct Encoder {
    unit: Unit,
}

/// Reads units; the same memory.
#[derive(Default)]
pub struct Decoder {
    unit: Unit,
}

impl Encoder {
    /// Appends a unit that makes the `tiles` of `shown` what they are in `source`, and paints `shown` so. Both are BGRX8
    /// of one size, and `tiles` lie inside. `alone`: nothing is taken from `shown`. Blocks that differ nowhere cost
    /// next to nothing. False, and nothing done, for other formats.
    pub fn encode(
        &mut self,
        model: &mut Model,
        tiles: &TileMask,
        shown: &mut ImageMut<'_>,
        source: ImageRef<'_>,
        alone: bool,
        out: &mut Vec<u8>,
    ) -> bool {
        let is_fit = |format| format == PixelFormat::Bgrx8;
        if !is_fit(shown.format()) || !is_fit(source.format()) || shown.size() != source.size() {
            return false;
        }
        let mut writer = RangeWriter::new(out);
        let _ = self.unit.code(&mut writer, model, tiles, shown, Some(source), alone);
        writer.finish();
        true
    }
}

impl Decoder {
    /// Paints the `tiles` of `shown` from `bytes`, a unit of [`Encoder::encode`] from an equal `model` on. The time is
    /// bounded by the area of `tiles`.
    ///
    /// # Errors
    /// The bytes are no unit. `shown` may be partly painted, and `model` is worth nothing any more.
    pub fn decode(
        &mut self,
        model: &mut Model,
        tiles: &TileMask,
        shown: &mut ImageMut<'_>,
        alone: bool,
        bytes: &[u8],
    ) -> Result<(), DecodeError> {
        if shown.format() != PixelFormat::Bgrx8 {
            return Err(DecodeError::Corrupt("format of an update"));
        }
        let mut reader = RangeReader::new(bytes);
        if !self.unit.code(&mut reader, model, tiles, shown, None, alone) || reader.is_spent() {
            return Err(DecodeError::Truncated);
        }
        match reader.unread() {
            0 => Ok(()),
            extra => Err(DecodeError::Trailing { extra }),
        }
    }
}

impl core::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

/// A unit under way.
#[derive(Default)]
struct Unit {
    /// What becomes of the blocks of a row, from the left edge of the area on, and of the row above.
    modes: Vec<Mode>,
    above: Vec<Mode>,
    /// What was shown before the unit in the last row of the blocks above that it painted.
    last: Vec<u32>,
    band: Band,
}

impl Unit {
    /// False if it ended before it was complete, which only the reading side sees.
    fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        model: &mut Model,
        tiles: &TileMask,
        shown: &mut ImageMut<'_>,
        source: Option<ImageRef<'_>>,
        alone: bool,
    ) -> bool {
        let per_tile = TILE / BLOCK;
        let area = tiles.area();
        let all = Rect::new(area.x * TILE, area.y * TILE, area.w * TILE, area.h * TILE);
        let Some(all) = all.intersect(shown.size().rect()) else { return true };
        let columns = all.w.div_ceil(BLOCK) as usize;
        for modes in [&mut self.modes, &mut self.above] {
            modes.clear();
            modes.resize(columns, Mode::Kept);
        }
        self.last.clear();
        self.last.resize(columns * BLOCK as usize, 0);
        for y in (all.y..all.bottom()).step_by(BLOCK as usize) {
            core::mem::swap(&mut self.modes, &mut self.above);
            for column in 0..columns {
                let x = all.x + column as u32 * BLOCK;
                let is_touched = tiles.contains(area.x + column as u32 / per_tile, y / TILE);
                let rect = Rect::span(x, y, (x + BLOCK).min(all.right()), (y + BLOCK).min(all.bottom()));
                self.modes[column] = match (is_touched, alone) {
                    (false, _) => Mode::Kept,
                    (true, true) => Mode::New,
                    (true, false) => {
                        let truth = source.map_or(Mode::Kept, |s| blocks::judge(shown.as_ref(), s, rect));
                        let w = column.checked_sub(1).map_or(Mode::Kept, |left| self.modes[left]);
                        code_mode(coder, model, [w, self.above[column]], truth)
                    }
                };
            }
            let mut column = 0;
            while column < columns {
                let run = self.modes[column..].iter().take_while(|mode| **mode != Mode::Kept).count();
                if run > 0 {
                    let (left, right) = (column as u32 * BLOCK, (column + run) as u32 * BLOCK);
                    let (left, right) = (all.x + left, (all.x + right).min(all.right()));
                    let rect = Rect::span(left, y, right, (y + BLOCK).min(all.bottom()));
                    self.code_run(coder, model, shown, source, (rect, all.x), alone.then_some(tiles));
                }
                if coder.is_spent() {
                    return false;
                }
                column += run.max(1);
            }
        }
        true
    }

    /// Codes and paints the blocks of `rect`, in an area that begins at column `left`.
    fn code_run<C: Coder>(
        &mut self,
        coder: &mut C,
        model: &mut Model,
        shown: &mut ImageMut<'_>,
        source: Option<ImageRef<'_>>,
        (rect, left): (Rect, u32),
        alone: Option<&TileMask>,
    ) {
        let from = ((rect.x - left) / BLOCK) as usize;
        let blocks = rect.w.div_ceil(BLOCK) as usize;
        self.band.lift(shown, rect, alone);
        let beside = from.saturating_sub(1)..(from + blocks + 1).min(self.above.len());
        for column in beside.filter(|column| self.above[*column] != Mode::Kept) {
            let at = column * BLOCK as usize;
            self.band.set_before(left + at as u32, &self.last[at..][..BLOCK as usize]);
        }
        if let Some(source) = source {
            self.band.take(source);
        }
        for i in 0..rect.h as usize {
            code_line(coder, model, self.band.lines(i), rect.w as usize, &self.modes[from..][..blocks]);
        }
        let last = self.band.last_before();
        self.last[from * BLOCK as usize..][..last.len()].copy_from_slice(last);
        self.band.lay(shown);
    }
}

/// Two questions: is it kept, and if not, is it patched.
fn code_mode<C: Coder>(coder: &mut C, model: &mut Model, [w, n]: [Mode; 2], truth: Mode) -> Mode {
    let at = odds::BLOCK + w as usize * 3 + n as usize;
    if coder.decide(&mut model.odds[at], truth == Mode::Kept) {
        Mode::Kept
    } else if coder.decide(&mut model.odds[at + 9], truth == Mode::Patched) {
        Mode::Patched
    } else {
        Mode::New
    }
}

/// Codes a row of `w` pixels, eight at a time where those are easy. The writing side finds the colours in the line, the
/// reading side leaves them there.
fn code_line<C: Coder>(coder: &mut C, model: &mut Model, lines: Lines<'_>, w: usize, modes: &[Mode]) {
    let Lines { nn, n, line, n_before, before } = lines;
    for x in (0..w).step_by(8) {
        let at = MARGIN + x;
        let end = MARGIN + w.min(x + 8);
        let is_patched = modes[x / BLOCK as usize] == Mode::Patched;
        if is_patched {
            let context = usize::from(line[at - 1] == before[at - 1])
                | usize::from(n[at] == n_before[at]) << 1
                | usize::from(n[at + 4] == n_before[at + 4]) << 2
                | usize::from(n[at + 7] == n_before[at + 7]) << 3;
            let truth = C::WRITES && line[at..end] == before[at..end];
            if coder.decide(&mut model.odds[odds::SAME + context], truth) {
                line[at..end].copy_from_slice(&before[at..end]);
                continue;
            }
        } else {
            let colour = line[at - 1];
            if n[at - 1] == colour && n[at..=end].iter().all(|n| *n == colour) {
                let context = usize::from(line[at - 2] == colour)
                    | usize::from(nn[at] == colour) << 1
                    | usize::from(nn[at + 7] == colour) << 2;
                let truth = C::WRITES && line[at..end].iter().all(|pixel| *pixel == colour);
                if coder.decide(&mut model.odds[odds::FLAT + context], truth) {
                    line[at..end].fill(colour);
                    continue;
                }
            }
        }
        for at in at..end {
            let around = Around {
                w: line[at - 1],
                n: n[at],
                nw: n[at - 1],
                ne: n[at + 1],
                ww: line[at - 2],
                nn: nn[at],
                nee: n[at + 2],
                far: [line[at - 3], n[at - 2], n[at + 3], nn[at - 1], nn[at + 1]],
            };
            let shown = is_patched.then(|| Shown {
                colour: before[at],
                w: around.w == before[at - 1],
                n: around.n == n_before[at],
                ne: around.ne == n_before[at + 1],
                nw: around.nw == n_before[at - 1],
            });
            line[at] = pixel::code(model, coder, &around, shown, line[at]);
        }
    }
}

#[cfg(test)]
mod tests;
