//! One pixel as a chain of yes-or-no questions, "is it this colour?", asked of the best guess seven.

use super::model::{Around, Model};
use super::odds;
use crate::range::{Coder, Odds};

/// What was shown where the pixel is, and where around it that is what is there now.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) colour: u32,
    pub(super) w: bool,
    pub(super) n: bool,
    pub(super) ne: bool,
    pub(super) nw: bool,
}

/// Codes the colour `truth`, which the reading side does not look at, and gives it.
#[inline(always)]
pub(super) fn code<C: Coder>(
    model: &mut Model,
    coder: &mut C,
    around: &Around,
    shown: Option<Shown>,
    truth: u32,
) -> u32 {
    let places = Model::places(around);
    let [twelve, seven, four, two] = model.ask(&places);
    let equalities = equalities(around);
    let odds = &mut model.odds[..];
    let mut rejected = Rejected::default();
    let found = 'chain: {
        if let Some(shown) = shown
            && shown.w
            && shown.n
        {
            let at = usize::from(shown.ne)
                | usize::from(shown.nw) << 1
                | (seven.confidence as usize).min(3) << 2
                | usize::from(seven.colour == shown.colour) << 4;
            if coder.decide(&mut odds[odds::SHOWN + at], shown.colour == truth) {
                break 'chain Some(shown.colour);
            }
            rejected.add(shown.colour);
        }
        if twelve.confidence > 0 && rejected.add(twelve.colour) {
            let agrees = usize::from(seven.confidence > 0 && seven.colour == twelve.colour)
                | usize::from(rejected.count > 1) << 1;
            let confidence = twelve.confidence as usize - 1;
            let at = (equalities * 7 + confidence) * 4 + agrees;
            if coder.decide(&mut odds[odds::TWELVE + at], twelve.colour == truth) {
                break 'chain Some(twelve.colour);
            }
        }
        if seven.confidence > 0 && rejected.add(seven.colour) {
            let agrees = usize::from(four.confidence > 0 && four.colour == seven.colour)
                | usize::from(seven.colour == around.w) << 1
                | usize::from(seven.colour == around.n) << 2
                | usize::from(shown.is_some_and(|shown| shown.colour == seven.colour)) << 3
                | usize::from(rejected.count > 1) << 4;
            let confidence = seven.confidence as usize - 1;
            let at = (equalities * 7 + confidence) * 32 + agrees;
            if coder.decide(&mut odds[odds::SEVEN + at], seven.colour == truth) {
                break 'chain Some(seven.colour);
            }
        }
        let has_rejected = usize::from(rejected.count > 0);
        if let Some(shown) = shown
            && rejected.add(shown.colour)
        {
            let at = usize::from(shown.w)
                | usize::from(shown.n) << 1
                | usize::from(shown.ne) << 2
                | usize::from(shown.nw) << 3
                | has_rejected << 4;
            if coder.decide(&mut odds[odds::SHOWN_LATE + at], shown.colour == truth) {
                break 'chain Some(shown.colour);
            }
        }
        if four.confidence > 0 && rejected.add(four.colour) {
            let confidence = (four.confidence as usize).min(4) - 1;
            let at = (equalities * 2 + has_rejected) * 4 + confidence;
            if coder.decide(&mut odds[odds::FOUR + at], four.colour == truth) {
                break 'chain Some(four.colour);
            }
        }
        for (i, colour) in [around.w, around.n, around.ne, around.nw].into_iter().enumerate() {
            if rejected.add(colour) {
                let at = (i * 16 + equalities) * 2 + has_rejected;
                if coder.decide(&mut odds[odds::NEAR + at], colour == truth) {
                    break 'chain Some(colour);
                }
            }
        }
        if two.confidence > 0
            && rejected.add(two.colour)
            && coder.decide(&mut odds[odds::TWO + has_rejected], two.colour == truth)
        {
            break 'chain Some(two.colour);
        }
        None
    };
    let colour = found.unwrap_or_else(|| {
        let colour = spell(model, coder, around, truth);
        model.learn_surprise(&places, colour);
        colour
    });
    model.learn(&places, colour);
    colour
}

/// Which neighbours are equal, as a number below 16.
#[inline(always)]
fn equalities(around: &Around) -> usize {
    usize::from(around.w == around.n)
        | usize::from(around.n == around.ne) << 1
        | usize::from(around.w == around.nw) << 2
        | usize::from(around.n == around.nw) << 3
}

/// Codes a colour that was not guessed: one met before by its number, or its three components.
#[cold]
fn spell<C: Coder>(model: &mut Model, coder: &mut C, around: &Around, truth: u32) -> u32 {
    let Model { odds, met, .. } = model;
    let number = Model::number(truth);
    if coder.decide(&mut odds[odds::MET], met[usize::from(number)] == truth) {
        return met[usize::from(code_byte(coder, &mut odds[odds::NUMBER..][..256], number))];
    }
    let [b, g, r, _] = truth.to_le_bytes();
    let [eb, eg, er, _] = expected(around.w, around.n, around.nw).to_le_bytes();
    let dg = code_byte(coder, &mut odds[odds::GREEN..][..256], g.wrapping_sub(eg));
    let db = b.wrapping_sub(eb).wrapping_sub(dg);
    let dr = r.wrapping_sub(er).wrapping_sub(dg);
    let is_gray = coder.decide(&mut odds[odds::GRAY + usize::from(dg == 0)], db == 0 && dr == 0);
    let (db, dr) = if is_gray {
        (0, 0)
    } else {
        let db = code_byte(coder, &mut odds[odds::BLUE + usize::from(dg == 0) * 256..][..256], db);
        (db, code_byte(coder, &mut odds[odds::RED + usize::from(db == 0) * 256..][..256], dr))
    };
    let component = |expected: u8, d: u8| expected.wrapping_add(dg).wrapping_add(d);
    u32::from_le_bytes([component(eb, db), eg.wrapping_add(dg), component(er, dr), 0])
}

/// The colour that continues W, N and NW smoothly.
pub(super) fn expected(w: u32, n: u32, nw: u32) -> u32 {
    let [w, n, nw] = [w, n, nw].map(|colour| colour.to_le_bytes().map(i32::from));
    let component = |i: usize| (w[i] + n[i] - nw[i]).clamp(w[i].min(n[i]), w[i].max(n[i])) as u8;
    u32::from_le_bytes([component(0), component(1), component(2), 0])
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
