//! Yes-or-no decisions as a number: an adaptive binary range coder.

use alloc::vec::Vec;

/// How likely "yes" is: 22 bits of probability, then how often it was asked, 10 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Odds(u32);

impl Odds {
    /// Odds of `yes` in 1/256 that the first answers sway quickly: `asked` is how firm they are.
    pub(crate) const fn new(yes: u32, asked: u32) -> Self {
        Self(yes << 24 | asked)
    }

    /// In 1/65536, never 0 and never certain.
    #[inline(always)]
    fn yes(self) -> u32 {
        (self.0 >> 16).clamp(24, 65535 - 24)
    }

    #[inline(always)]
    fn learn(&mut self, yes: bool) {
        let asked = self.0 & 0x3ff;
        let p = i64::from(self.0 >> 10);
        let target = if yes { (1 << 22) - 1 } else { 0 };
        let p = p + (((target - p) * i64::from(RATES[asked as usize % RATES.len()])) >> 16);
        self.0 = (p as u32) << 10 | (asked + 1).min(RATES.len() as u32 - 1);
    }
}

/// 65536 / (asked + 1.6): an average of all answers at first, then of about the last two hundred.
static RATES: [u16; 192] = {
    let mut rates = [0; 192];
    let mut i = 0;
    while i < rates.len() {
        rates[i] = (655_360 / (10 * i + 16)) as u16;
        i += 1;
    }
    rates
};

/// One side of the coder. Model code is written once for both: it asks with the true answer, which the decoding
/// side does not look at.
pub(crate) trait Coder {
    /// It is the writing side.
    const WRITES: bool;

    /// Codes whether `yes`, and gives the answer.
    fn decide(&mut self, odds: &mut Odds, yes: bool) -> bool;

    /// True if more was read than a writer can have left out.
    fn is_spent(&self) -> bool {
        false
    }
}

/// The writing side.
pub(crate) struct RangeWriter<'a> {
    out: &'a mut Vec<u8>,
    // INVARIANT: low <= high. Their common leading bytes have been written.
    low: u32,
    high: u32,
}

impl<'a> RangeWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, low: 0, high: u32::MAX }
    }

    /// Writes the shortest number in range; the reader takes zeros past the end.
    pub(crate) fn finish(self) {
        for bytes in 0..=4u32 {
            let unit = 1u64 << (32 - 8 * bytes);
            let value = u64::from(self.low).next_multiple_of(unit);
            if value <= u64::from(self.high) {
                self.out.extend_from_slice(&(value as u32).to_be_bytes()[..bytes as usize]);
                return;
            }
        }
    }
}

impl Coder for RangeWriter<'_> {
    const WRITES: bool = true;

    #[inline(always)]
    fn decide(&mut self, odds: &mut Odds, yes: bool) -> bool {
        let middle = middle(self.low, self.high, odds.yes());
        if yes {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        odds.learn(yes);
        while (self.low ^ self.high) >> 24 == 0 {
            self.out.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
        }
        yes
    }
}

/// The reading side.
pub(crate) struct RangeReader<'a> {
    bytes: &'a [u8],
    // INVARIANT: low <= high.
    low: u32,
    high: u32,
    value: u32,
    /// Bytes taken past the end.
    missing: u32,
}

impl<'a> RangeReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Self { bytes, low: 0, high: u32::MAX, value: 0, missing: 0 };
        for _ in 0..4 {
            reader.next_byte();
        }
        reader
    }

    /// Bytes that were not needed.
    pub(crate) fn unread(&self) -> usize {
        self.bytes.len()
    }

    #[inline(always)]
    fn next_byte(&mut self) {
        let byte = if let [first, rest @ ..] = self.bytes {
            self.bytes = rest;
            *first
        } else {
            self.missing = self.missing.saturating_add(1);
            0
        };
        self.value = self.value << 8 | u32::from(byte);
    }
}

impl Coder for RangeReader<'_> {
    const WRITES: bool = false;

    fn is_spent(&self) -> bool {
        self.missing > 4
    }

    #[inline(always)]
    fn decide(&mut self, odds: &mut Odds, _: bool) -> bool {
        let middle = middle(self.low, self.high, odds.yes());
        let yes = self.value <= middle;
        if yes {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        odds.learn(yes);
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.next_byte();
        }
        yes
    }
}

/// The last number that means "yes": low <= middle < high, as the range is never empty.
#[inline(always)]
fn middle(low: u32, high: u32, yes: u32) -> u32 {
    low + ((u64::from(high - low) * u64::from(yes)) >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_is_read() {
        let answers = |i: u32| [i.is_multiple_of(7), i % 1000 != 1, i.wrapping_mul(0x9e37_79b9) >> 31 == 0];
        for count in [0, 1, 2, 3, 10, 1000, 50_000] {
            let mut bytes = Vec::new();
            let mut odds = [Odds::new(128, 0); 3];
            let mut writer = RangeWriter::new(&mut bytes);
            for i in 0..count {
                for (odds, yes) in odds.iter_mut().zip(answers(i)) {
                    writer.decide(odds, yes);
                }
            }
            writer.finish();
            let mut odds = [Odds::new(128, 0); 3];
            let mut reader = RangeReader::new(&bytes);
            for i in 0..count {
                for (odds, yes) in odds.iter_mut().zip(answers(i)) {
                    assert_eq!(reader.decide(odds, false), yes, "answer {i} of {count}");
                }
            }
            assert!(!reader.is_spent() && reader.unread() == 0, "{count}");
        }
    }
}
