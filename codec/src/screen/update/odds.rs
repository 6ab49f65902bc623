//! Where the odds of each question stand in a model.

use alloc::vec;
use alloc::vec::Vec;

use crate::range::Odds;
use crate::ranking::SPELLED;

/// Did the block change, and is what it showed a guess worth asking: two questions, by the blocks left and above.
pub(super) const BLOCK: usize = 0;
/// Are the next eight pixels what was shown, by how that went for four pixels around.
pub(super) const SAME: usize = BLOCK + 2 * 9;
/// Are the next eight pixels of the colour all around.
pub(super) const FLAT: usize = SAME + 16;
/// Is it what was shown, where that was so to the left and above.
pub(super) const SHOWN: usize = FLAT + 8;
/// Is it what followed the same twelve neighbours.
pub(super) const TWELVE: usize = SHOWN + 4 * 4 * 2;
/// The same seven.
pub(super) const SEVEN: usize = TWELVE + 16 * 7 * 4;
/// Is it what was shown, elsewhere.
pub(super) const SHOWN_LATE: usize = SEVEN + 16 * 7 * 32;
/// Is it what followed the same four neighbours.
pub(super) const FOUR: usize = SHOWN_LATE + 16 * 2;
/// Is it W, N, NE, NW.
pub(super) const NEAR: usize = FOUR + 16 * 2 * 4;
/// Is it what surprised after the same two neighbours.
pub(super) const TWO: usize = NEAR + 4 * 16 * 2;
/// What it is, where nobody guessed it.
pub(super) const SPELL: usize = TWO + 2;
/// How many there are.
pub(super) const ALL: usize = SPELL + SPELLED;

/// What is expected before anything was seen.
pub(super) fn fresh() -> Vec<Odds> {
    let mut odds = vec![Odds::new(128, 0); ALL];
    odds[TWELVE..SEVEN].fill(Odds::new(240, 2));
    odds[SEVEN..SHOWN_LATE].fill(Odds::new(230, 2));
    odds
}
