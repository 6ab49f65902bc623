//! One pixel as a chain of yes-or-no questions, "is it this colour?", asked of the best guess first.

use alloc::vec::Vec;

use super::guess::{Guesses, Surroundings};
use crate::lossless::canvas::Canvas;
use crate::range::{Coder, Odds};
use crate::ranking::{self, Rejected, SPELLED};

/// The pixels coded one by one so far, and what they teach. The memory is kept from use to use.
pub(super) struct Pixels {
    guesses: Guesses,
    odds: Vec<Odds>,
}

impl Pixels {
    pub(super) fn new() -> Self {
        Self { guesses: Guesses::new(), odds: Vec::new() }
    }

    /// Forgets everything, for pictures of `area` pixels in all.
    pub(super) fn reset(&mut self, area: usize) {
        self.guesses.reset(area);
        self.odds.clear();
        self.odds.extend_from_slice(&FRESH);
    }

    /// Codes the pixel at `at` of the canvas. The writing side finds it there, the reading side leaves it there.
    pub(super) fn code_at<C: Coder>(&mut self, coder: &mut C, canvas: &mut Canvas, at: usize) {
        let stride = canvas.stride();
        let data = canvas.data_mut();
        let (n, nn) = (at - stride, at - 2 * stride);
        let near = [data[at - 1], data[n], data[n - 1], data[n + 1], data[at - 2], data[nn], data[n + 2]];
        data[at] = self.code(coder, &Surroundings::new(near), data[at]);
    }

    /// Codes the colour `truth`, which the reading side does not look at, and gives it.
    fn code<C: Coder>(&mut self, coder: &mut C, around: &Surroundings, truth: u32) -> u32 {
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
            let odds = &mut odds[SPELL_ODDS..][..SPELLED];
            let colour = ranking::spell(coder, odds, &mut guesses.met, around.expected(), truth);
            guesses.learn_surprise(&places, colour);
            colour
        });
        guesses.learn(&places, colour);
        colour
    }
}

const FIRST_ODDS: usize = 0;
const SECOND_ODDS: usize = FIRST_ODDS + 16 * 8 * 8;
const NEAR_ODDS: usize = SECOND_ODDS + 16 * 2 * 4;
const THIRD_ODDS: usize = NEAR_ODDS + 4 * 16 * 2;
const SPELL_ODDS: usize = THIRD_ODDS + 2;
const ALL_ODDS: usize = SPELL_ODDS + SPELLED;

/// What the coder expects before it has seen a pixel.
static FRESH: [Odds; ALL_ODDS] = {
    let mut odds = [Odds::new(128, 0); ALL_ODDS];
    let mut i = FIRST_ODDS;
    while i < SECOND_ODDS {
        odds[i] = Odds::new(230, 2);
        i += 1;
    }
    odds
};
