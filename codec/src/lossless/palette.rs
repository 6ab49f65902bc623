//! Lists of the pixels that occur. Where these are few, or leave gaps, their numbers in the list are what is coded.

use alloc::vec::Vec;

use super::DecodeError;
use super::bytes::{Reader, put_number};
use crate::range::{Coder, Odds, RangeReader, RangeWriter};

/// Pixels in ascending order: samples, or colours `0xRRGGBB`.
#[derive(Default)]
pub(super) struct Palette {
    // INVARIANT: not empty and strictly ascending once it was filled or read, at most 2^16 long.
    pixels: Vec<u32>,
}

impl Palette {
    /// Becomes a list of pixels; `pixels` are strictly ascending, 1 to 2^16 of them.
    pub(super) fn fill(&mut self, pixels: impl Iterator<Item = u32>) {
        self.pixels.clear();
        self.pixels.extend(pixels);
        debug_assert!(!self.pixels.is_empty() && self.pixels.len() <= 1 << 16);
    }

    pub(super) fn len(&self) -> usize {
        self.pixels.len()
    }

    /// Significant bits of a number in the list, at least one.
    pub(super) fn bits(&self) -> u32 {
        (self.pixels.len().max(2) - 1).ilog2() + 1
    }

    /// The pixel of a number; numbers past the end mean the last.
    #[inline(always)]
    pub(super) fn pixel(&self, number: u16) -> u32 {
        let last = self.pixels.len().saturating_sub(1);
        self.pixels.get(usize::from(number).min(last)).copied().unwrap_or(0)
    }

    /// Appends the list of pixels that are numbers of `3 * depth` bits if `coloured`, of `depth` bits if not.
    pub(super) fn write(&self, depth: u32, coloured: bool, out: &mut Vec<u8>) {
        put_number(out, self.pixels.len());
        let mut coded = Vec::new();
        let mut writer = ListCoder { coder: RangeWriter::new(&mut coded), odds: ListOdds::new() };
        let mut last = None;
        for &pixel in &self.pixels {
            writer.pixel(depth, coloured, last, pixel);
            last = Some(pixel);
        }
        writer.coder.finish();
        put_number(out, coded.len());
        out.extend_from_slice(&coded);
    }

    /// Reads what [`Palette::write`] wrote, at most `most` pixels.
    pub(super) fn read(
        &mut self,
        depth: u32,
        coloured: bool,
        most: usize,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        const CORRUPT: DecodeError = DecodeError::Corrupt("list of pixels");
        let count = reader.number()?;
        if count == 0 || count > most.min(1 << 16) {
            return Err(CORRUPT);
        }
        let len = reader.number()?;
        let mut list = ListCoder { coder: RangeReader::new(reader.take(len)?), odds: ListOdds::new() };
        self.pixels.clear();
        let bits = if coloured { 3 * depth } else { depth };
        let mut last = None;
        for _ in 0..count {
            let pixel = list.pixel(depth, coloured, last, 0);
            if pixel >> bits != 0 || last.is_some_and(|last| last >= pixel) || list.coder.is_spent() {
                return Err(CORRUPT);
            }
            self.pixels.push(pixel);
            last = Some(pixel);
        }
        if list.coder.unread() == 0 { Ok(()) } else { Err(CORRUPT) }
    }
}

/// The odds of numbers of one kind.
#[derive(Clone, Copy)]
pub(super) struct NumberOdds {
    longer: [Odds; NumberOdds::BITS],
    bits: [[Odds; NumberOdds::BITS]; NumberOdds::BITS],
}

impl NumberOdds {
    /// Bits of the largest number and one.
    const BITS: usize = 17;
    const FRESH: Odds = Odds::new(128, 0);

    pub(super) const fn new() -> Self {
        Self { longer: [Self::FRESH; Self::BITS], bits: [[Self::FRESH; Self::BITS]; Self::BITS] }
    }

    /// A number below 2^16: how long it is, then its bits below the leading one. The reading side ignores `number`.
    pub(super) fn code(&mut self, coder: &mut impl Coder, number: u32) -> u32 {
        let number = number.wrapping_add(1);
        let mut len = 0;
        while len < Self::BITS - 1 && coder.decide(&mut self.longer[len], number >> (len + 1) != 0) {
            len += 1;
        }
        let mut value = 1;
        for bit in (0..len).rev() {
            let yes = coder.decide(&mut self.bits[len][bit], number >> bit & 1 == 1);
            value = value << 1 | u32::from(yes);
        }
        value - 1
    }
}

/// What a list has taught about itself.
struct ListOdds {
    /// Gaps between samples, by the two before.
    gaps: [[NumberOdds; 4]; 4],
    recent: [usize; 2],
    /// Of colours: how far red, green, blue lie from those of the last colour, and what green has more than red and
    /// blue more than green.
    steps: [NumberOdds; 3],
    leaps: [NumberOdds; 2],
}

impl ListOdds {
    const fn new() -> Self {
        const FRESH: NumberOdds = NumberOdds::new();
        Self { gaps: [[FRESH; 4]; 4], recent: [0; 2], steps: [FRESH; 3], leaps: [FRESH; 2] }
    }
}

/// One side of the coding of a list.
struct ListCoder<C> {
    coder: C,
    odds: ListOdds,
}

impl<C: Coder> ListCoder<C> {
    /// Codes `pixel` after `last`, and gives it. A bad stream gives any number.
    fn pixel(&mut self, depth: u32, coloured: bool, last: Option<u32>, pixel: u32) -> u32 {
        if coloured { self.colour(depth, last, pixel) } else { self.sample(last, pixel) }
    }

    fn sample(&mut self, last: Option<u32>, sample: u32) -> u32 {
        // What the first sample follows.
        let least = last.map_or(0, |last| last + 1);
        let odds = &mut self.odds;
        let [a, b] = odds.recent;
        let gap = odds.gaps[a][b].code(&mut self.coder, sample.wrapping_sub(least));
        odds.recent = [b, (gap as usize).min(3)];
        least + gap
    }

    fn colour(&mut self, depth: u32, last: Option<u32>, colour: u32) -> u32 {
        let mask = (1 << depth) - 1;
        let channels = |colour: u32| [2, 1, 0].map(|channel| colour >> (channel * depth) & mask);
        let (own, before) = (channels(colour), last.map(channels));
        let ([red, green, blue], [r, g, b]) = (own, before.unwrap_or([0; 3]));
        let ListCoder { coder, odds } = self;
        let mut step = |kind: usize, own: u32, least: u32| {
            odds.steps[kind].code(coder, own.wrapping_sub(least) & mask).wrapping_add(least) & mask
        };
        // A channel never falls while those before it stand still.
        let red = step(0, red, r);
        let (same_red, mut same_green) = (before.is_some() && red == r, false);
        let green = if same_red {
            let green = step(1, green, g);
            same_green = green == g;
            green
        } else {
            Self::leap(coder, &mut odds.leaps[0], green, red, mask)
        };
        let blue = if same_green {
            odds.steps[2].code(coder, blue.wrapping_sub(b + 1) & mask).wrapping_add(b + 1) & mask
        } else {
            Self::leap(coder, &mut odds.leaps[1], blue, green, mask)
        };
        red << (2 * depth) | green << depth | blue
    }

    /// A channel by how far it lies from another, to either side.
    fn leap(coder: &mut C, odds: &mut NumberOdds, own: u32, from: u32, mask: u32) -> u32 {
        let half = mask / 2 + 1;
        let apart = own.wrapping_sub(from) & mask;
        let folded = if apart < half { 2 * apart } else { 2 * (mask - apart) + 1 };
        let folded = odds.code(coder, folded);
        let apart = if folded & 1 == 0 { folded / 2 } else { mask.wrapping_sub(folded / 2) };
        from.wrapping_add(apart) & mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a list, which must come back.
    fn check(depth: u32, coloured: bool, pixels: &[u32]) -> usize {
        let mut palette = Palette::default();
        palette.fill(pixels.iter().copied());
        let mut bytes = Vec::new();
        palette.write(depth, coloured, &mut bytes);
        let mut back = Palette::default();
        let mut reader = Reader::new(&bytes);
        back.read(depth, coloured, pixels.len(), &mut reader).unwrap();
        reader.finish().unwrap();
        assert_eq!(back.pixels, pixels);
        let mut reader = Reader::new(&bytes);
        assert!(
            back.read(depth, coloured, pixels.len() - 1, &mut reader).is_err(),
            "a list that is too long"
        );
        bytes.len()
    }

    #[test]
    fn lists_come_back_and_what_is_regular_is_short() {
        check(16, false, &[0]);
        check(16, false, &[65535]);
        check(8, true, &[0]);
        check(8, true, &[0xff_ffff]);
        check(12, false, &[7, 8, 9, 500, 4095]);
        let every: Vec<u32> = (0..65536).collect();
        assert!(check(16, false, &every) < 64);
        let thirds: Vec<u32> = (0..900).filter(|v| v % 5 == 0 || v % 5 == 2).collect();
        assert!(check(10, false, &thirds) < 60);
        let grays: Vec<u32> = (0..256).map(|v| v * 0x01_0101).collect();
        assert!(check(8, true, &grays) < 40);
        let steps: Vec<u32> = (0..512).map(|i| (i >> 6) << 20 | (i >> 3 & 7) << 12 | (i & 7) << 4).collect();
        assert!(check(8, true, &steps) < 300);
        let mut wild: Vec<u32> = (1..2000u32).map(|i| i.wrapping_mul(0x9e37_79b1) >> 2).collect();
        wild.sort_unstable();
        wild.dedup();
        check(10, true, &wild);
    }
}
