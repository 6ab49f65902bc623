//! Numbers from 1 on as decisions: how many bits, then the bits.

use crate::range::{Coder, Odds};

const BITS: usize = 15;
/// Bits after the leading one that are expected to be one or the other.
const LEARNED: usize = 2;

/// What is known of numbers of one meaning.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    /// The number has no more than this many bits after the leading one.
    size: [Odds; BITS],
    /// The first of them, by how many there are and those before.
    bits: [[Odds; 1 << LEARNED]; BITS],
}

impl Numbers {
    /// Nothing is known.
    pub(super) const NEW: Numbers =
        Numbers { size: [Odds::new(128, 0); BITS], bits: [[Odds::new(128, 0); 1 << LEARNED]; BITS] };

    /// Codes the number `truth`, which the reading side does not look at, and gives it: below 2^15.
    #[inline]
    pub(super) fn code<C: Coder>(&mut self, coder: &mut C, truth: usize) -> usize {
        let last = truth.max(1).ilog2() as usize;
        let mut size = 0;
        while size < BITS - 1 && !coder.decide(&mut self.size[size], size == last) {
            size += 1;
        }
        let mut number = 1;
        for bit in (0..size).rev() {
            let is_one = truth >> bit & 1 == 1;
            let is_one = if bit + LEARNED >= size {
                coder.decide(&mut self.bits[size][number], is_one)
            } else {
                coder.decide(&mut Odds::new(128, 0), is_one)
            };
            number = number << 1 | usize::from(is_one);
        }
        number
    }
}
