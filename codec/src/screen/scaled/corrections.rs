//! What a scaled source does not show: few pixels, and most of them wrong by one.

use alloc::vec;
use alloc::vec::Vec;

use crate::pixel::PixelFormat;
use crate::range::{Coder, Odds, RangeReader, RangeWriter};

/// Codes the corrections of one image, row by row from the top: yes or no for a row, for eight pixels, for one; then
/// by how much.
pub(super) struct Corrections {
    is_colour: bool,
    is_row: [Odds; 2],
    /// Red, green and blue are corrected alike all along a row.
    is_gray: [Odds; 1],
    /// By what the eight pixels to the left, above, and on both sides above hold.
    is_group: [Odds; 16],
    /// By which of six neighbours are wrong.
    is_pixel: [Odds; 64],
    amounts: [Amounts; 3],
    above: Line,
    here: Line,
    /// The amounts of a row.
    gray: Vec<[u8; 1]>,
    colour: Vec<[u8; 3]>,
}

/// Which pixels of a row are wrong, with [`MARGIN`] right ones on both sides.
struct Line {
    wrong: Vec<u8>,
    is_any: bool,
}

const MARGIN: usize = 16;
const GROUP: usize = 8;

impl Corrections {
    /// Of an image with so many columns.
    pub(super) fn new(columns: usize, format: PixelFormat) -> Self {
        let line = || Line { wrong: vec![0; columns.next_multiple_of(GROUP) + 2 * MARGIN], is_any: false };
        Self {
            is_colour: format.is_colour(),
            is_row: [Odds::new(128, 0); 2],
            is_gray: [Odds::new(192, 0)],
            is_group: [Odds::new(64, 0); 16],
            is_pixel: [Odds::new(32, 0); 64],
            amounts: [Amounts::NEW; 3],
            above: line(),
            here: line(),
            gray: vec![[0]; columns],
            colour: if format.is_colour() { vec![[0; 3]; columns] } else { Vec::new() },
        }
    }

    /// Codes what makes a row, as `painted`, into `target`'s; returns how many pixels are wrong.
    pub(super) fn write(&mut self, coder: &mut RangeWriter<'_>, painted: &[u8], target: &[u8]) -> u64 {
        let mut is_gray = true;
        if self.is_colour {
            let pixels = painted.as_chunks::<4>().0.iter().zip(target.as_chunks::<4>().0);
            for ((a, b), (gray, colour)) in pixels.zip(self.gray.iter_mut().zip(&mut self.colour)) {
                *colour = [0, 1, 2].map(|i| b[i].wrapping_sub(a[i]));
                *gray = [colour[0]];
                is_gray &= colour[0] == colour[1] && colour[1] == colour[2];
            }
        } else {
            let samples = painted.iter().zip(target);
            samples.zip(&mut self.gray).for_each(|((a, b), gray)| *gray = [b.wrapping_sub(*a)]);
        }
        let wrong = |gray: usize| gray as u64;
        if is_gray {
            let wrong = wrong(self.gray.iter().filter(|pixel| **pixel != [0]).count());
            self.row(coder, wrong > 0, true);
            wrong
        } else {
            let wrong = wrong(self.colour.iter().filter(|pixel| **pixel != [0; 3]).count());
            self.row(coder, true, false);
            wrong
        }
    }

    /// Reads what makes a row right.
    pub(super) fn read(&mut self, coder: &mut RangeReader<'_>, row: &mut [u8]) {
        match self.row(coder, false, false) {
            Amount::None => (),
            Amount::Gray if !self.is_colour => {
                row.iter_mut().zip(&self.gray).for_each(|(sample, [by])| *sample = sample.wrapping_add(*by));
            }
            Amount::Gray => {
                for (pixel, [by]) in row.as_chunks_mut::<4>().0.iter_mut().zip(&self.gray) {
                    pixel[..3].iter_mut().for_each(|sample| *sample = sample.wrapping_add(*by));
                }
            }
            Amount::Colour => {
                for (pixel, by) in row.as_chunks_mut::<4>().0.iter_mut().zip(&self.colour) {
                    pixel.iter_mut().zip(by).for_each(|(sample, by)| *sample = sample.wrapping_add(*by));
                }
            }
        }
    }

    /// Codes the row whose amounts are in `gray` or in `colour`; the reading side finds them there.
    fn row<C: Coder>(&mut self, coder: &mut C, is_any: bool, is_gray: bool) -> Amount {
        let is_any = coder.decide(&mut self.is_row[usize::from(self.above.is_any)], is_any);
        if self.here.is_any {
            self.here.wrong.fill(0);
        }
        self.here.is_any = is_any;
        let mut amount = Amount::None;
        if is_any {
            let is_gray = !self.is_colour || coder.decide(&mut self.is_gray[0], is_gray);
            amount = if is_gray { Amount::Gray } else { Amount::Colour };
            // Taken out, so that the rest can be lent.
            if is_gray {
                let mut pixels = core::mem::take(&mut self.gray);
                self.groups(coder, &mut pixels);
                self.gray = pixels;
            } else {
                let mut pixels = core::mem::take(&mut self.colour);
                self.groups(coder, &mut pixels);
                self.colour = pixels;
            }
        }
        core::mem::swap(&mut self.above, &mut self.here);
        amount
    }

    fn groups<const N: usize, C: Coder>(&mut self, coder: &mut C, pixels: &mut [[u8; N]]) {
        if !C::WRITES {
            pixels.fill([0; N]);
        }
        for (i, group) in pixels.chunks_mut(GROUP).enumerate() {
            self.group(coder, group, MARGIN + i * GROUP);
        }
    }

    fn group<const N: usize, C: Coder>(&mut self, coder: &mut C, group: &mut [[u8; N]], at: usize) {
        let (above, here) = (&self.above.wrong, &mut self.here.wrong);
        let any = |flags: &[u8]| usize::from(flags.iter().fold(0, |any, flag| any | flag));
        let context = any(&here[at - GROUP..at])
            | any(&above[at..at + GROUP]) << 1
            | any(&above[at - GROUP..at]) << 2
            | any(&above[at + GROUP..at + 2 * GROUP]) << 3;
        let is_any = group.iter().any(|pixel| *pixel != [0; N]);
        if !coder.decide(&mut self.is_group[context], is_any) {
            return;
        }
        for (at, pixel) in (at..).zip(group) {
            let context = here[at - 1]
                | here[at - 2] << 1
                | above[at] << 2
                | above[at - 1] << 3
                | above[at + 1] << 4
                | above[at + 2] << 5;
            let is_wrong = coder.decide(&mut self.is_pixel[usize::from(context)], *pixel != [0; N]);
            here[at] = u8::from(is_wrong);
            if is_wrong {
                for (sample, amounts) in pixel.iter_mut().zip(&mut self.amounts) {
                    *sample = amounts.code(coder, *sample, N == 1);
                }
            }
        }
    }
}

/// What a row is corrected by.
enum Amount {
    None,
    /// By one amount a pixel.
    Gray,
    /// By one for each sample.
    Colour,
}

/// What is known of the amounts of one sample.
struct Amounts {
    is_zero: [Odds; 1],
    /// By the sign before.
    is_negative: [Odds; 2],
    was_negative: bool,
    /// It has no more bits than this, beside the leading one.
    size: [Odds; 8],
}

impl Amounts {
    const NEW: Amounts = Amounts {
        is_zero: [Odds::new(128, 0)],
        is_negative: [Odds::new(128, 0); 2],
        was_negative: false,
        size: [Odds::new(160, 0); 8],
    };

    /// Codes an amount, which is not 0 where it `is_sole`; the reading side does not look at `truth`.
    fn code<C: Coder>(&mut self, coder: &mut C, truth: u8, is_sole: bool) -> u8 {
        if !is_sole && coder.decide(&mut self.is_zero[0], truth == 0) {
            return 0;
        }
        let odds = &mut self.is_negative[usize::from(self.was_negative)];
        let is_negative = coder.decide(odds, truth >= 128);
        self.was_negative = is_negative;
        let truth = u32::from(if is_negative { truth.wrapping_neg() } else { truth }).max(1);
        let last = truth.ilog2();
        let mut size = 0;
        while size < 7 && !coder.decide(&mut self.size[size as usize], size == last) {
            size += 1;
        }
        let mut amount = 1;
        for bit in (0..size).rev() {
            amount = amount << 1 | u32::from(coder.decide(&mut Odds::new(128, 0), truth >> bit & 1 == 1));
        }
        let amount = amount as u8;
        if is_negative { amount.wrapping_neg() } else { amount }
    }
}
