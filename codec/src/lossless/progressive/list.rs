//! Samples by their numbers in a list of those that occur, where an exact rect would take numbers as well.
//!
//! A cell is then of numbers. So that it stays narrow, and the first pass near the truth, a cell ends early where
//! the list has a gap.

use alloc::vec::Vec;

use crate::lossless::palette::Palette;

/// A list in cells of 2^k numbers.
pub(super) struct List {
    /// The number of each entry of the palette.
    numbers: Vec<u16>,
    /// The sample of each number; numbers that stand for none repeat the one before. INVARIANT: whole cells, ascending.
    samples: Vec<u16>,
    low_bits: u32,
}

impl List {
    /// Numbers the entries of a palette of samples, which is not empty.
    pub(super) fn new(palette: &Palette, low_bits: u32) -> Self {
        let n = 1 << low_bits;
        let mut list = Self { numbers: Vec::new(), samples: Vec::new(), low_bits };
        let mut first = 0;
        for entry in 0..palette.len() {
            let sample = palette.pixel(entry as u16) as u16;
            if usize::from(sample - first) >= 2 * n {
                list.end_cell();
            }
            if list.samples.len().is_multiple_of(n) {
                first = sample;
            }
            list.numbers.push(list.samples.len() as u16);
            list.samples.push(sample);
        }
        list.end_cell();
        list
    }

    fn end_cell(&mut self) {
        if let Some(&last) = self.samples.last() {
            self.samples.resize(self.samples.len().next_multiple_of(1 << self.low_bits), last);
        }
    }

    /// Significant bits of a number; a cell has one at least.
    pub(super) fn bits(&self) -> u32 {
        ((self.samples.len() - 1) >> self.low_bits).max(1).ilog2() + 1 + self.low_bits
    }

    /// The number of an entry of the palette.
    pub(super) fn number(&self, entry: u16) -> u16 {
        self.numbers[usize::from(entry)]
    }

    /// The sample of a number; numbers past the end mean the last.
    pub(super) fn sample(&self, number: u16) -> u16 {
        self.samples[usize::from(number).min(self.samples.len() - 1)]
    }

    /// What a cell shows: the middle between its first and its last sample.
    pub(super) fn middle(&self, cell: u16) -> u16 {
        let cells = self.samples.chunks(1 << self.low_bits);
        let last = cells.len() - 1;
        let (first, end) =
            span(&self.samples[usize::from(cell).min(last) << self.low_bits..][..1 << self.low_bits]);
        first + (end - first) / 2
    }

    /// The first number of the cell in which `shown` lies.
    pub(super) fn cell_start(&self, shown: u16) -> u16 {
        let after = self.samples.partition_point(|sample| *sample <= shown);
        (after.saturating_sub(1) >> self.low_bits << self.low_bits) as u16
    }

    /// How far a sample can lie from what its cell shows.
    pub(super) fn max_error(&self) -> u16 {
        let error = |cell| {
            let (first, end) = span(cell);
            (end - first).div_ceil(2)
        };
        self.samples.chunks(1 << self.low_bits).map(error).max().unwrap_or(0)
    }
}

/// The first and the last sample of a cell.
fn span(cell: &[u16]) -> (u16, u16) {
    (cell[0], cell[cell.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_narrow_and_every_sample_is_found_by_what_its_cell_shows() {
        let mut palette = Palette::default();
        let samples = (0..500).map(|i| i * 2 + i * i / 100).chain([40_000, 40_001, 65_535]);
        palette.fill(samples.clone());
        for low_bits in 1..=4 {
            let list = List::new(&palette, low_bits);
            assert!(u32::from(list.max_error()) <= 1 << low_bits && list.bits() <= 16);
            for (entry, sample) in (0..).zip(samples.clone()) {
                let number = list.number(entry);
                assert_eq!(u32::from(list.sample(number)), sample);
                let shown = list.middle(number >> low_bits);
                assert_eq!(list.cell_start(shown), number >> low_bits << low_bits);
                assert!(u32::from(shown).abs_diff(sample) <= u32::from(list.max_error()));
            }
        }
    }
}
