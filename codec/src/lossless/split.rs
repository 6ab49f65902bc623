//! Colours into planes and back, and which planes: one of gray, three of colour, or one of numbers in a list.
//!
//! A colour is a number of three components of `depth` bits: blue at the bottom, then green, then red.

use alloc::vec::Vec;

use super::DecodeError;
use super::bytes::Reader;
use super::census::Census;
use super::colour::Transform;
use super::palette::Palette;
use super::plane::Plane;
use super::sample::Judge;

/// What planes were split from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Split {
    /// One plane: the samples, or what red, green and blue have in common.
    #[default]
    Gray,
    /// Three planes of channels and differences of channels.
    Three(Transform),
    /// One plane: numbers in the list of the pixels that occur.
    Palette,
}

/// A part of a picture: rows of pixels, and how to read one as a colour.
pub(super) struct Part<Row, Read> {
    pub(super) w: usize,
    pub(super) h: usize,
    /// Bits of a component.
    pub(super) depth: u32,
    pub(super) row: Row,
    pub(super) read: Read,
}

impl<'a, Pixel, Row, Read> Part<Row, Read>
where
    Pixel: Copy + 'a,
    Row: Fn(usize) -> &'a [Pixel],
    Read: Fn(Pixel) -> u32,
{
    /// The best split, for a part that is coloured or not. If that is [`Split::Palette`], `palette` is filled, and
    /// `census` knows the numbers.
    pub(super) fn choose(&self, coloured: bool, census: &mut Census, palette: &mut Palette) -> Split {
        if !coloured {
            return Split::Gray;
        }
        let colour = |x: usize, y: usize| (self.read)((self.row)(y)[x]);
        let (transform, cost) = Transform::choose(self.depth, self.w, self.h, colour);
        let all = (0..self.h).flat_map(|y| (self.row)(y).iter().map(|&pixel| (self.read)(pixel)));
        if census.take_colours(all, palette) {
            let judge = Judge::new(self.w, self.h);
            let numbers = judge.cost(|x, y| census.number_of_colour(colour(x, y)));
            if judge.saves(numbers, cost, palette.len() * BITS_OF_COLOUR) {
                return Split::Palette;
            }
        }
        Split::Three(transform)
    }

    /// Paints `planes`, which are as many as `split` has.
    pub(super) fn split(&self, split: Split, census: &Census, planes: &mut [Plane]) {
        for y in 0..self.h {
            let source = (self.row)(y).iter().map(|&pixel| (self.read)(pixel));
            match (split, &mut *planes) {
                (Split::Three(transform), [a, b, c]) => {
                    transform.split_row(self.depth, source, [a.row_mut(y), b.row_mut(y), c.row_mut(y)]);
                }
                (Split::Palette, [plane]) => {
                    let numbers = source.map(|colour| census.number_of_colour(colour));
                    plane.row_mut(y).iter_mut().zip(numbers).for_each(|(sample, number)| *sample = number);
                }
                (_, [plane, ..]) => {
                    let common = source.map(|colour| (colour & ((1 << self.depth) - 1)) as u16);
                    plane.row_mut(y).iter_mut().zip(common).for_each(|(sample, common)| *sample = common);
                }
                (_, []) => {}
            }
        }
    }
}

impl Split {
    /// How many planes there are.
    pub(super) fn planes(self) -> usize {
        if let Split::Three(_) = self { 3 } else { 1 }
    }

    /// Appends how a coloured part was split.
    pub(super) fn write(self, depth: u32, palette: &Palette, out: &mut Vec<u8>) {
        match self {
            Split::Three(transform) => out.push(transform.number()),
            Split::Palette | Split::Gray => {
                out.push(Transform::COUNT);
                palette.write(depth, true, out);
            }
        }
    }

    /// Reads what [`Split::write`] wrote for a part of `pixels` pixels.
    pub(super) fn read(
        depth: u32,
        pixels: usize,
        palette: &mut Palette,
        reader: &mut Reader<'_>,
    ) -> Result<Split, DecodeError> {
        let number = reader.byte()?;
        if let Some(transform) = Transform::new(number) {
            return Ok(Split::Three(transform));
        }
        if number != Transform::COUNT {
            return Err(DecodeError::Corrupt("colour transform"));
        }
        palette.read(depth, true, pixels, reader)?;
        Ok(Split::Palette)
    }

    /// Makes planes of `w` x `h` for it, of the first of which the palette is in place.
    pub(super) fn reset(self, planes: &mut [Plane], (w, h): (usize, usize), depth: u32) {
        for (place, plane) in planes.iter_mut().enumerate() {
            let bits = if self == Split::Palette { plane.palette.bits() } else { depth };
            plane.reset(w, h, bits);
            plane.place = matches!(self, Split::Three(_)).then_some(place as u8);
        }
        if let [first, ..] = planes {
            first.split = self;
        }
    }
}

/// Gives row `row` of what [`Part::split`] split, colour by colour, to `put`.
pub(super) fn join_row(depth: u32, planes: &[Plane], row: usize, mut put: impl FnMut(usize, u32)) {
    match planes {
        [a, b, c] if let Split::Three(transform) = a.split => {
            transform.join_row(depth, [a.row(row), b.row(row), c.row(row)], put);
        }
        [plane] if plane.split == Split::Palette => {
            plane.row(row).iter().enumerate().for_each(|(x, number)| put(x, plane.palette.pixel(*number)));
        }
        [plane, ..] => {
            let all = 1 | 1 << depth | 1 << (2 * depth);
            plane.row(row).iter().enumerate().for_each(|(x, sample)| put(x, u32::from(*sample) * all));
        }
        [] => {}
    }
}

/// Turns a plane of samples into one of numbers, where that saves something.
pub(super) fn number_samples(plane: &mut Plane, census: &mut Census) {
    let (w, h, bits) = (plane.w(), plane.h(), plane.bits());
    plane.split = Split::Gray;
    if w * h < LEAST_SAMPLES {
        return;
    }
    let mut palette = core::mem::take(&mut plane.palette);
    let judge = Judge::new(w, h);
    let direct = judge.cost(|x, y| plane.row(y)[x]);
    // A look at few samples finds more gaps than there are: it spares most pictures the look at all.
    let few = judge.sites().flat_map(|(x, y)| [&plane.row(y)[x - 1..=x], &plane.row(y - 1)[x - 1..=x]]);
    census.take_samples(bits, few, &mut palette);
    let hoped = judge.cost(|x, y| census.number_of_sample(plane.row(y)[x]));
    if judge.saves(hoped, direct, 0) {
        census.take_samples(bits, (0..h).map(|y| plane.row(y)), &mut palette);
        let numbers = judge.cost(|x, y| census.number_of_sample(plane.row(y)[x]));
        if judge.saves(numbers, direct, palette.len() * BITS_OF_SAMPLE) {
            for y in 0..h {
                plane.row_mut(y).iter_mut().for_each(|sample| *sample = census.number_of_sample(*sample));
            }
            plane.split = Split::Palette;
            plane.set_bits(palette.bits());
        }
    }
    plane.palette = palette;
}

/// Lists are tried for gray pictures of at least this many samples: in small ones they do not earn their length.
const LEAST_SAMPLES: usize = 1 << 14;
/// What a list spends on each of its colours, and of its samples: in bits, roughly.
const BITS_OF_COLOUR: usize = 8;
const BITS_OF_SAMPLE: usize = 1;
