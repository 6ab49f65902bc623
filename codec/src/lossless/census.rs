//! Which pixels occur in a picture, and the number of each in the list of them.

use alloc::vec::Vec;

use super::palette::Palette;

/// Colours are counted up to this many: a photograph in true colour has more, and shows it soon.
pub(super) const MOST_COLOURS: usize = 1 << 12;
/// Slots for colours: at most half of them are taken.
const SLOTS: usize = 2 * MOST_COLOURS;
/// A slot without a colour.
const NONE: u32 = u32::MAX;

/// Memory for counting, kept from picture to picture.
#[derive(Default)]
pub(super) struct Census {
    /// Of samples: 1 for each that occurs, then the number of each.
    numbers: Vec<u16>,
    /// Of colours, by their hash: the colour and its number.
    slots: Vec<(u32, u16)>,
    colours: Vec<u32>,
}

impl Census {
    /// Counts the samples of `rows`, which have `depth` bits, and fills `palette` with those that occur.
    pub(super) fn take_samples<'a>(
        &mut self,
        depth: u32,
        rows: impl Iterator<Item = &'a [u16]>,
        palette: &mut Palette,
    ) {
        self.numbers.clear();
        self.numbers.resize(1 << depth, 0);
        for row in rows {
            for &sample in row {
                self.numbers[usize::from(sample)] = 1;
            }
        }
        let occurring = |numbers: &[u16], v: &u32| numbers[*v as usize] != 0;
        palette.fill((0..1 << depth).filter(|v| occurring(&self.numbers, v)));
        let mut next = 0;
        for number in &mut self.numbers {
            next += u32::from(core::mem::replace(number, next as u16));
        }
    }

    /// The number of a sample that was counted; for others that of the next that was.
    #[inline(always)]
    pub(super) fn number_of_sample(&self, sample: u16) -> u16 {
        self.numbers[usize::from(sample)]
    }

    /// Counts `colours` and fills `palette` with them; false if there are more than [`MOST_COLOURS`].
    pub(super) fn take_colours(&mut self, colours: impl Iterator<Item = u32>, palette: &mut Palette) -> bool {
        self.slots.clear();
        self.slots.resize(SLOTS, (NONE, 0));
        self.colours.clear();
        let mut last = NONE;
        for colour in colours {
            if colour == last {
                continue;
            }
            last = colour;
            let slot = self.slot(colour);
            if self.slots[slot].0 == NONE {
                if self.colours.len() == MOST_COLOURS {
                    return false;
                }
                self.slots[slot].0 = colour;
                self.colours.push(colour);
            }
        }
        self.colours.sort_unstable();
        for i in 0..self.colours.len() {
            let slot = self.slot(self.colours[i]);
            self.slots[slot].1 = i as u16;
        }
        palette.fill(self.colours.iter().copied());
        true
    }

    /// The number of a colour that was counted.
    #[inline(always)]
    pub(super) fn number_of_colour(&self, colour: u32) -> u16 {
        self.slots[self.slot(colour)].1
    }

    /// The slot of a colour, or a free one for it.
    #[inline(always)]
    fn slot(&self, colour: u32) -> usize {
        let mut slot = (colour.wrapping_mul(0x9e37_79b1) >> (32 - SLOTS.ilog2())) as usize;
        while self.slots[slot].0 != colour && self.slots[slot].0 != NONE {
            slot = (slot + 1) % SLOTS;
        }
        slot
    }
}

const _: () = assert!(SLOTS.is_power_of_two());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_pixels() {
        let (mut census, mut palette) = (Census::default(), Palette::default());
        let samples = [500u16, 3, 500, 1023, 77];
        census.take_samples(10, samples.chunks(2), &mut palette);
        for sample in samples {
            assert_eq!(palette.pixel(census.number_of_sample(sample)), u32::from(sample));
        }
        assert_eq!(palette.bits(), 2);

        let colours: Vec<u32> = (0..MOST_COLOURS as u32).map(|i| i.wrapping_mul(0x9e37_79b1) >> 8).collect();
        assert!(census.take_colours(colours.iter().copied(), &mut palette));
        for &colour in &colours {
            assert_eq!(palette.pixel(census.number_of_colour(colour)), colour);
        }
        assert!(!census.take_colours(colours.iter().copied().chain([1]), &mut palette));
    }
}
