//! One pixel as a chain of yes-or-no questions, "is it this colour?", asked of the best guess seven.

use super::model::{Around, Model};
use super::odds;
use crate::range::Coder;
use crate::ranking::{self, Rejected, SPELLED};

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
    let equalities = ranking::equalities(around.w, around.n, around.nw, around.ne);
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
                | usize::from(rejected.count() > 1) << 1;
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
                | usize::from(rejected.count() > 1) << 4;
            let confidence = seven.confidence as usize - 1;
            let at = (equalities * 7 + confidence) * 32 + agrees;
            if coder.decide(&mut odds[odds::SEVEN + at], seven.colour == truth) {
                break 'chain Some(seven.colour);
            }
        }
        let has_rejected = usize::from(rejected.count() > 0);
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
        let expected = ranking::expected(around.w, around.n, around.nw);
        let Model { odds, met, .. } = model;
        let colour = ranking::spell(coder, &mut odds[odds::SPELL..][..SPELLED], met, expected, truth);
        model.learn_surprise(&places, colour);
        colour
    });
    model.learn(&places, colour);
    colour
}
