//! The text coder: desktop pixels as what was there before.
//!
//! Desktop pixels repeat: a letter was drawn before, a border runs on, a background stays. A row is a sequence of
//! tokens: so many pixels equal the ones above, so many have one colour, a rect is a copy of another one; what is new
//! is coded pixel by pixel. A copy hangs down into the rows below, where its pixels cost nothing more, and runs pass
//! over them. Hence the work goes with the number of things on the screen, not of pixels. Tokens and pixels are
//! decisions of an adaptive binary range coder. There is one model code for both sides, so they cannot disagree.
//! SPEC-lossless.md, "Text".

mod copies;
mod find;
mod guess;
mod number;
mod pixel;
mod token;

use alloc::vec::Vec;

use crate::range::{Coder, RangeReader, RangeWriter};
use copies::{Hanging, gaps, repeat};
use find::{Finder, View};
use pixel::Pixels;
use token::{Copied, History, Length, Token, Tokens};

use super::DecodeError;
use super::canvas::Canvas;
use super::layout::Layout;
use super::sheet::Sheet;

/// A part of a picture: rows `y..end_y` of columns `x..end_x`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) x: usize,
    pub(super) end_x: usize,
    pub(super) y: usize,
    pub(super) end_y: usize,
}

/// What is known so far. The memory is kept from call to call.
pub(super) struct Text {
    pixels: Pixels,
    tokens: Tokens,
    finder: Finder,
    /// What hangs into the row, from left to right.
    row: Vec<Hanging>,
    /// What hangs into the next one.
    below: Vec<Hanging>,
}

/// Where a row is coded.
#[derive(Default)]
struct Line {
    y: usize,
    /// Where pixel 0 of the row lies in the canvas.
    origin: usize,
    /// The next column.
    x: usize,
    /// How many open pixels of a run are still to come, and where they come from.
    left: usize,
    source: Source,
    history: History,
}

#[derive(Clone, Copy, Default)]
enum Source {
    #[default]
    Above,
    Colour(u32),
}

impl Text {
    pub(super) fn new() -> Self {
        Self {
            pixels: Pixels::new(),
            tokens: Tokens::new(),
            finder: Finder::default(),
            row: Vec::new(),
            below: Vec::new(),
        }
    }

    /// Appends the text of `sheets`. Everything else on them is known to the decoder.
    pub(super) fn encode(&mut self, sheets: &mut [Sheet], out: &mut Vec<u8>) {
        let mut text = sheets.iter_mut().filter(|sheet| sheet.has_text);
        let Some(first) = text.next() else { return };
        let background = first.layout.blocks().first().map_or(0, |block| first.canvas.row(block.y)[block.x]);
        out.extend_from_slice(&background.to_le_bytes()[..3]);
        let mut writer = RangeWriter::new(out);
        self.begin(sheets, background);
        for sheet in sheets.iter_mut().filter(|sheet| sheet.has_text) {
            self.finder.begin(&sheet.canvas);
            self.row.clear();
            for y in 0..sheet.canvas.h() {
                let fits = self.code_row(&mut writer, &mut sheet.canvas, &sheet.layout, y);
                debug_assert!(fits, "the finder finds what is there");
            }
        }
        writer.finish();
    }

    /// Paints the text of `sheets` from all of `bytes`.
    pub(super) fn decode(&mut self, bytes: &[u8], sheets: &mut [Sheet]) -> Result<(), DecodeError> {
        let Some((&[b, g, r], bytes)) = bytes.split_first_chunk() else { return Err(DecodeError::Truncated) };
        let mut reader = RangeReader::new(bytes);
        self.begin(sheets, u32::from_le_bytes([b, g, r, 0]));
        for sheet in sheets.iter_mut().filter(|sheet| sheet.has_text) {
            self.row.clear();
            for y in 0..sheet.canvas.h() {
                let fits = self.code_row(&mut reader, &mut sheet.canvas, &sheet.layout, y);
                if reader.is_spent() {
                    return Err(DecodeError::Truncated);
                }
                if !fits {
                    return Err(DecodeError::Corrupt("token of text"));
                }
            }
        }
        match reader.unread() {
            0 => Ok(()),
            extra => Err(DecodeError::Trailing { extra }),
        }
    }

    fn begin(&mut self, sheets: &mut [Sheet], background: u32) {
        let mut area = 0;
        for sheet in sheets.iter_mut().filter(|sheet| sheet.has_text) {
            sheet.canvas.set_margins(background);
            area += sheet.canvas.w() * sheet.canvas.h();
        }
        self.pixels.reset(area);
        self.tokens = Tokens::new();
    }

    /// Codes row `y`. The writing side finds the colours in the canvas, the reading side leaves them there. False if a
    /// token that was read does not fit, and the row is not all painted.
    fn code_row<C: Coder>(&mut self, coder: &mut C, canvas: &mut Canvas, layout: &Layout, y: usize) -> bool {
        copies::add_areas(&mut self.row, layout, y);
        self.below.clear();
        let mut line = Line { y, origin: canvas.origin(y), ..Line::default() };
        for i in 0..=self.row.len() {
            let hanging = self.row.get(i).copied();
            let gap_end = hanging.map_or(canvas.w(), Hanging::x);
            while line.x < gap_end {
                if line.left > 0 {
                    line.run::<C>(canvas, gap_end);
                } else if !self.code_token(coder, canvas, layout, &mut line, (i, gap_end)) {
                    return false;
                }
            }
            if let Some(hanging) = hanging {
                line.x = hanging.end_x();
                self.pass::<C>(canvas, &line, hanging);
            }
        }
        core::mem::swap(&mut self.row, &mut self.below);
        line.left == 0
    }

    /// Codes one token, which stands in the gap that ends at `gap_end`, before number `next` of what hangs into the row.
    #[inline]
    fn code_token<C: Coder>(
        &mut self,
        coder: &mut C,
        canvas: &mut Canvas,
        layout: &Layout,
        line: &mut Line,
        (next, gap_end): (usize, usize),
    ) -> bool {
        let (w, stride, at) = (canvas.w(), canvas.stride(), line.origin + line.x);
        let row = &self.row[next..];
        let truth = if C::WRITES {
            self.finder.find(&View::new(canvas, layout, line.y), row, line.x)
        } else {
            Token::Pixel
        };
        let around = token::around(canvas.data(), at, stride);
        let token = self.tokens.code(coder, around, &mut line.history, truth);
        let (source, length) = match token {
            Token::Pixel => {
                self.pixels.code_at(coder, canvas, at);
                line.x += 1;
                return true;
            }
            Token::Copy(copied) => {
                if !C::WRITES && !copied.fits(canvas, layout, line, gap_end) {
                    return false;
                }
                let end_x = line.x + copied.w;
                let hanging = Hanging::copy(line.x, end_x, line.y + copied.h, copied.vector.back(stride));
                line.x = end_x;
                self.pass::<C>(canvas, line, hanging);
                return true;
            }
            Token::Above(length) => (Source::Above, length),
            Token::Flat(length) => (Source::Colour(canvas.data()[at - 1]), length),
        };
        line.source = source;
        line.left = match length {
            Length::Pixels(pixels) => pixels,
            Length::ToTheEnd => gaps(row, line.x, w).map(|(start, end)| end - start).sum(),
        };
        true
    }

    /// Paints what hangs into the row, and lets it hang on.
    #[inline(always)]
    fn pass<C: Coder>(&mut self, canvas: &mut Canvas, line: &Line, hanging: Hanging) {
        if !C::WRITES {
            hanging.paint(canvas.data_mut(), line.origin);
        }
        if hanging.reaches(line.y + 1) {
            self.below.push(hanging);
        }
    }
}

impl Line {
    /// Goes on with the run, up to the end of the gap.
    #[inline(always)]
    fn run<C: Coder>(&mut self, canvas: &mut Canvas, gap_end: usize) {
        let end = gap_end.min(self.x + self.left);
        if !C::WRITES {
            let (from, to, stride) = (self.origin + self.x, self.origin + end, canvas.stride());
            match self.source {
                Source::Above => repeat(canvas.data_mut(), from, to, stride),
                Source::Colour(colour) => canvas.data_mut()[from..to].fill(colour),
            }
        }
        self.left -= end - self.x;
        self.x = end;
    }
}

impl Copied {
    /// True if the rect, begun where `line` stands, covers no photograph and nothing beyond the gap or the picture, and
    /// its source is painted before it.
    fn fits(&self, canvas: &Canvas, layout: &Layout, line: &Line, gap_end: usize) -> bool {
        let (end_x, end_y) = (line.x + self.w, line.y + self.h);
        let source_x = line.x as isize - self.vector.dx;
        end_x <= gap_end
            && end_y <= canvas.h()
            && self.vector.dy <= line.y
            && source_x >= 0
            && source_x as usize + self.w <= canvas.w()
            && (self.vector.dy > 0 || self.vector.dx > 0)
            && layout.is_text(Block { x: line.x, end_x, y: line.y, end_y })
    }
}

#[cfg(test)]
mod tests;
