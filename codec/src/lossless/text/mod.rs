//! The text coder: colours guessed from the colours around, by what followed such surroundings before.
//!
//! Desktop pixels repeat: a letter was drawn before, a border runs on, a background stays. Each pixel is a chain
//! of yes-or-no questions, "is it this colour?", asked of the best guess first; most pixels end at the first.
//! Guesses come from two tables indexed by the neighbours (symbol ranking), from the neighbours themselves, and
//! from the colours met so far; what nobody guessed is spelled out. Eight pixels of plain background take one
//! question. There is one model code for both sides, so they cannot disagree. SPEC-lossless.md, "Text".

mod guess;
pub(super) mod range;

use alloc::vec::Vec;

use guess::{Guesses, Surroundings};
use range::{Coder, Odds, RangeReader, RangeWriter};

use super::DecodeError;
use super::canvas::Canvas;
use super::sheet::Sheet;

/// Pixels that one question can settle.
const GROUP: usize = 8;

/// A part of the canvas that is coded row by row: rows `y..end_y` of columns `x..end_x`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) x: usize,
    pub(super) end_x: usize,
    pub(super) y: usize,
    pub(super) end_y: usize,
}

/// What is known so far. The memory is kept from call to call.
pub(super) struct Text {
    guesses: Guesses,
    odds: Vec<Odds>,
}

impl Text {
    pub(super) fn new() -> Self {
        Self { guesses: Guesses::new(), odds: Vec::new() }
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
            for block in sheet.layout.blocks() {
                for y in block.y..block.end_y {
                    self.code_row(&mut writer, &mut sheet.canvas, y, block.x, block.end_x);
                }
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
            for block in sheet.layout.blocks() {
                for y in block.y..block.end_y {
                    self.code_row(&mut reader, &mut sheet.canvas, y, block.x, block.end_x);
                    if reader.is_overrun() {
                        return Err(DecodeError::Truncated);
                    }
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
        self.guesses.reset(area);
        self.odds.clear();
        self.odds.extend_from_slice(&FRESH);
    }

    /// Codes columns `x..end` of row `y`. The writing side finds the colours in the canvas, the reading side
    /// leaves them there.
    fn code_row<C: Coder>(&mut self, coder: &mut C, canvas: &mut Canvas, y: usize, from: usize, end: usize) {
        let (own, n, nn) = canvas.three_rows(y);
        let (mut x, end) = (from + Canvas::ORIGIN, end + Canvas::ORIGIN);
        while x < end {
            if (x - Canvas::ORIGIN).is_multiple_of(GROUP) && x + GROUP <= end {
                let w = own[x - 1];
                if is_plain(w, &n[x - 1..=x + GROUP]) {
                    let odds = usize::from(own[x - 2] == w)
                        | usize::from(nn[x] == w) << 1
                        | usize::from(nn[x + GROUP - 1] == w) << 2;
                    let group = &mut own[x..x + GROUP];
                    let all = group.iter().all(|&colour| colour == w);
                    if coder.decide(&mut self.odds[GROUP_ODDS + odds], all) {
                        group.fill(w);
                        x += GROUP;
                        continue;
                    }
                }
            }

            let around =
                Surroundings::new([own[x - 1], n[x], n[x - 1], n[x + 1], own[x - 2], nn[x], n[x + 2]]);
            own[x] = self.code_pixel(coder, &around, own[x]);
            x += 1;
        }
    }

    fn code_pixel<C: Coder>(&mut self, coder: &mut C, around: &Surroundings, truth: u32) -> u32 {
        let Self { guesses, odds } = self;
        let places = guesses.places(around);
        let [first, second, third] = guesses.ask(&places);
        let equalities = around.equalities();
        let has_first = usize::from(first.confidence > 0);
        let mut rejected = Rejected::default();

        let found = 'chain: {
            if first.confidence > 0 {
                let agrees = usize::from(second.confidence > 0 && second.colour == first.colour)
                    | usize::from(first.colour == around.w()) << 1
                    | usize::from(first.colour == around.n()) << 2;
                let confidence = (first.confidence as usize).min(8) - 1;
                let odds = &mut odds[FIRST_ODDS + (equalities * 8 + confidence) * 8 + agrees];
                if coder.decide(odds, first.colour == truth) {
                    break 'chain Some(first.colour);
                }
                rejected.add(first.colour);
            }
            if second.confidence > 0 && rejected.add(second.colour) {
                let confidence = (second.confidence as usize).min(4) - 1;
                let odds = &mut odds[SECOND_ODDS + (equalities * 2 + has_first) * 4 + confidence];
                if coder.decide(odds, second.colour == truth) {
                    break 'chain Some(second.colour);
                }
            }
            for (i, colour) in around.near().into_iter().enumerate() {
                if rejected.add(colour) {
                    let odds = &mut odds[NEAR_ODDS + (i * 16 + equalities) * 2 + has_first];
                    if coder.decide(odds, colour == truth) {
                        break 'chain Some(colour);
                    }
                }
            }
            if third.confidence > 0
                && rejected.add(third.colour)
                && coder.decide(&mut odds[THIRD_ODDS + has_first], third.colour == truth)
            {
                break 'chain Some(third.colour);
            }
            None
        };
        let colour = found.unwrap_or_else(|| {
            let colour = spell(guesses, odds, coder, around, truth);
            guesses.learn_surprise(&places, colour);
            colour
        });
        guesses.learn(&places, colour);
        colour
    }
}

/// True if the pixels above a group and around its start are all `w`.
#[inline(always)]
fn is_plain(w: u32, above: &[u32]) -> bool {
    above.iter().fold(0, |differences, colour| differences | (colour ^ w)) == 0
}

/// Codes a colour that was not guessed: one met before by its number, or its three components.
#[cold]
fn spell<C: Coder>(
    guesses: &mut Guesses,
    odds: &mut [Odds],
    coder: &mut C,
    around: &Surroundings,
    truth: u32,
) -> u32 {
    let number = Guesses::number(truth);
    if coder.decide(&mut odds[MET_ODDS], guesses.met[usize::from(number)] == truth) {
        let number = code_byte(coder, &mut odds[NUMBER_ODDS..][..256], number);
        return guesses.met[usize::from(number)];
    }
    let expected = around.expected();
    let [b, g, r, _] = truth.to_le_bytes();
    let [eb, eg, er, _] = expected.to_le_bytes();
    let dg = code_byte(coder, &mut odds[GREEN_ODDS..][..256], g.wrapping_sub(eg));
    let plain = usize::from(dg == 0) * 256;
    let db = code_byte(coder, &mut odds[BLUE_ODDS + plain..][..256], b.wrapping_sub(eb).wrapping_sub(dg));
    let plain = usize::from(db == 0) * 256;
    let dr = code_byte(coder, &mut odds[RED_ODDS + plain..][..256], r.wrapping_sub(er).wrapping_sub(dg));
    let g = eg.wrapping_add(dg);
    let colour = u32::from_le_bytes([
        eb.wrapping_add(dg).wrapping_add(db),
        g,
        er.wrapping_add(dg).wrapping_add(dr),
        0,
    ]);
    guesses.met[usize::from(Guesses::number(colour))] = colour;
    colour
}

/// Eight questions, from the top bit down.
fn code_byte<C: Coder>(coder: &mut C, odds: &mut [Odds], byte: u8) -> u8 {
    let mut node = 1usize;
    for bit in (0..8).rev() {
        node = node << 1 | usize::from(coder.decide(&mut odds[node % 256], byte >> bit & 1 == 1));
    }
    node as u8
}

/// Guesses that were wrong; asking again would waste a question.
#[derive(Default)]
struct Rejected {
    colours: [u32; 8],
    count: usize,
}

impl Rejected {
    /// False if `colour` is there already.
    #[inline(always)]
    fn add(&mut self, colour: u32) -> bool {
        if self.colours[..self.count].contains(&colour) {
            return false;
        }
        self.colours[self.count % 8] = colour;
        self.count += 1;
        true
    }
}

const GROUP_ODDS: usize = 0;
const FIRST_ODDS: usize = GROUP_ODDS + 8;
const SECOND_ODDS: usize = FIRST_ODDS + 16 * 8 * 8;
const NEAR_ODDS: usize = SECOND_ODDS + 16 * 2 * 4;
const THIRD_ODDS: usize = NEAR_ODDS + 4 * 16 * 2;
const MET_ODDS: usize = THIRD_ODDS + 2;
const NUMBER_ODDS: usize = MET_ODDS + 1;
const GREEN_ODDS: usize = NUMBER_ODDS + 256;
const BLUE_ODDS: usize = GREEN_ODDS + 256;
const RED_ODDS: usize = BLUE_ODDS + 2 * 256;
const ALL_ODDS: usize = RED_ODDS + 2 * 256;

/// What the coder expects before it has seen a pixel.
static FRESH: [Odds; ALL_ODDS] = {
    let mut odds = [Odds::new(128, 0); ALL_ODDS];
    let mut i = GROUP_ODDS;
    while i < SECOND_ODDS {
        odds[i] = Odds::new(if i < FIRST_ODDS { 250 } else { 230 }, 2);
        i += 1;
    }
    odds
};
