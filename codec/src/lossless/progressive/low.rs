//! The second pass: low bits in, words out, and back.

use alloc::vec;
use alloc::vec::Vec;

use super::tables::{Cell, Cells, SCALES, positions};
use super::walk::{BLOCK, Coder, Errors, LANES, LEANS, LEVELS, Place, Unit, units, walk};
use crate::lossless::DecodeError;
use crate::lossless::bytes::{BitReader, BitWriter, Reader, put_number};
use crate::lossless::kernel::{Stretch, try_stretch};
use crate::lossless::plane::Plane;
use crate::lossless::wave::Search;
use crate::lossless::wave::model::PREDICTORS;
use crate::lossless::wave::tables::{SCALE_BITS, cost};

/// What a unit says of its contexts: for each level a scale, and how far a lean moves the prediction.
type Map = [(u8, u8); LEVELS];
/// Moves: eighths of a cell, in half samples.
const MOVES: usize = 8;

/// How a place looks up its table under a map.
struct Lookup {
    starts: [usize; LEVELS],
    moves: [[i32; LEANS]; LEVELS],
    last: i32,
}

impl Lookup {
    fn new(map: &Map, n: usize) -> Self {
        let starts = map.map(|(scale, _)| usize::from(scale) * positions(n));
        let by = |lean: usize, step: u8| ((lean as i32 - 2) * i32::from(step) * n as i32 + 4) >> 3;
        let moves = map.map(|(_, step)| core::array::from_fn(|lean| by(lean, step)));
        Self { starts, moves, last: positions(n) as i32 - 1 }
    }

    /// The row of the table.
    #[inline(always)]
    fn row(&self, place: Place) -> usize {
        let moved = (place.position as i32 + self.moves[place.level][place.lean]).clamp(0, self.last);
        self.starts[place.level] + moved as usize
    }
}

/// The range of a low value: its start and its end.
#[inline(always)]
fn range<const N: usize>(row: &[u16; N], low: usize) -> (u32, u32) {
    let end = row.get(low + 1).map_or(1 << SCALE_BITS, |next| u32::from(*next));
    (u32::from(row[low]), end)
}

/// Notes what would be coded.
struct Recorder<const N: usize> {
    /// In the order of coding: place:16, low value:8, lane:8.
    symbols: Vec<u32>,
    /// How often each low value was seen at each place.
    counts: Vec<[u32; N]>,
}

impl<const N: usize> Recorder<N> {
    fn number(place: Place) -> usize {
        (place.level * LEANS + place.lean) * positions(N) + place.position
    }

    fn place(number: usize) -> Place {
        let (rest, position) = (number / positions(N), number % positions(N));
        Place { level: rest / LEANS, lean: rest % LEANS, position }
    }
}

impl<const N: usize> Coder for Recorder<N> {
    #[inline(always)]
    fn code(&mut self, lane: usize, place: Place, truth: u32) -> u32 {
        let number = Self::number(place);
        self.counts[number][truth as usize % N] += 1;
        self.symbols.push(number as u32 | truth << 16 | (lane as u32) << 24);
        truth
    }
}

/// Appends the low bits of a plane whose cells have `N` samples.
pub(super) fn encode<const N: usize>(plane: &mut Plane, search: Search, out: &mut Vec<u8>)
where
    Cells<N>: Cell,
{
    let (rows, _) = Cells::<N>::STARTS.as_chunks::<N>();
    let mut errors = Errors::new(plane.w());
    let mut recorder = Recorder::<N> { symbols: Vec::new(), counts: Vec::new() };
    for unit in units(plane.w(), plane.h()) {
        let predictors = choose_predictors(plane, unit, search);
        recorder.symbols.clear();
        recorder.counts.clear();
        recorder.counts.resize(LEVELS * LEANS * positions(N), [0; N]);
        walk::<N>(plane, unit, &predictors, &mut errors, &mut recorder);
        let map = choose_map(&recorder, rows);

        let mut bits = BitWriter::new(out);
        for (scale, step) in map {
            bits.put(scale, 4);
            bits.put(step, 3);
        }
        predictors.iter().for_each(|id| bits.put(*id, 4));
        bits.finish();
        push(&recorder, &Lookup::new(&map, N), rows, out);
    }
}

/// Appends the words of a unit. The encoder runs backwards, so that the decoder runs forwards.
fn push<const N: usize>(recorder: &Recorder<N>, lookup: &Lookup, rows: &[[u16; N]], out: &mut Vec<u8>) {
    let mut states = [1u32 << 16; LANES];
    let mut words = Vec::new();
    for &symbol in recorder.symbols.iter().rev() {
        let place = Recorder::<N>::place((symbol & 0xffff) as usize);
        let (start, end) = range(&rows[lookup.row(place)], (symbol >> 16 & 0xff) as usize);
        let (frequency, state) = (end - start, &mut states[(symbol >> 24) as usize % LANES]);
        if *state >= frequency << (32 - SCALE_BITS) {
            words.push(*state as u16);
            *state >>= 16;
        }
        *state = ((*state / frequency) << SCALE_BITS) + *state % frequency + start;
    }
    put_number(out, words.len());
    out.extend(states.iter().flat_map(|state| state.to_le_bytes()));
    out.extend(words.iter().rev().flat_map(|word| word.to_le_bytes()));
}

/// The predictor of each block with the smallest errors.
fn choose_predictors(plane: &mut Plane, unit: Unit, search: Search) -> Vec<u8> {
    let (columns, rows) = unit.blocks(plane.w());
    let stride = match search {
        Search::None => return vec![0; columns * rows],
        Search::Sampled => 4,
        Search::All => 1,
    };
    let max = (1 << plane.bits()) - 1;
    let mut costs = vec![[0; PREDICTORS]; columns * rows];
    for row in 0..unit.rows {
        plane.set_margins(unit.y + row);
        let own = &mut costs[row / BLOCK.1 * columns..][..columns];
        for (column, cost) in own.iter_mut().enumerate() {
            let from = column * BLOCK.0;
            let to = (from + BLOCK.0).min(plane.w());
            // Another column in each row, so that no pattern of the picture decides.
            try_stretch(cost, &Stretch::new(plane, unit.y + row, from, to), row * 5 % stride, stride, max);
        }
    }
    let best = |cost: &[u32; PREDICTORS]| (0..PREDICTORS).min_by_key(|id| cost[*id]).unwrap_or(0) as u8;
    costs.iter().map(best).collect()
}

/// The cheapest scale of each level, then the cheapest move.
fn choose_map<const N: usize>(recorder: &Recorder<N>, rows: &[[u16; N]]) -> Map {
    let mut map = [(0, 0); LEVELS];
    let per_level = LEANS * positions(N);
    for (chosen, seen) in map.iter_mut().zip(recorder.counts.chunks(per_level)) {
        let price = |scale: u8, step: u8| {
            let lookup = Lookup::new(&[(scale, step); LEVELS], N);
            let mut sum = 0u64;
            for (number, counts) in seen.iter().enumerate().filter(|(_, counts)| **counts != [0; N]) {
                let row = &rows[lookup.row(Recorder::<N>::place(number))];
                for (low, count) in counts.iter().enumerate() {
                    let (start, end) = range(row, low);
                    sum += u64::from(*count) * u64::from(cost((end - start) as u16));
                }
            }
            sum
        };
        // Most leans move by about a quarter of a cell: scales are compared under that.
        let scale = (0..SCALES as u8).min_by_key(|scale| price(*scale, 2)).unwrap_or(0);
        let step = (0..MOVES as u8).min_by_key(|step| price(scale, *step)).unwrap_or(0);
        *chosen = (scale, step);
    }
    map
}

/// Takes low values from words.
struct Taker<'a, const N: usize> {
    rows: &'static [[u16; N]],
    lookup: Lookup,
    states: [u32; LANES],
    words: &'a [[u8; 2]],
    next: usize,
}

impl<const N: usize> Coder for Taker<'_, N> {
    #[inline(always)]
    fn code(&mut self, lane: usize, place: Place, _: u32) -> u32 {
        let row = &self.rows[self.lookup.row(place)];
        let x = self.states[lane % LANES];
        let slot = x & ((1 << SCALE_BITS) - 1);
        let low = row[1..].iter().map(|start| u32::from(u32::from(*start) <= slot)).sum::<u32>();
        let (start, end) = range(row, low as usize);
        let mut x = (end - start) * (x >> SCALE_BITS) + slot - start;
        if x < 1 << 16 {
            // Past the end the words are zero, and the count tells.
            x = x << 16 | self.words.get(self.next).map_or(0, |word| u32::from(u16::from_le_bytes(*word)));
            self.next += 1;
        }
        self.states[lane % LANES] = x;
        low
    }
}

/// Reads the low bits of a plane whose cells have `N` samples and hold the right high bits.
pub(super) fn decode<const N: usize>(plane: &mut Plane, reader: &mut Reader<'_>) -> Result<(), DecodeError>
where
    Cells<N>: Cell,
{
    let mut errors = Errors::new(plane.w());
    for unit in units(plane.w(), plane.h()) {
        let (map, predictors) = reader.bits(|bits| read_header(bits, unit.blocks(plane.w())))?;
        let count = reader.number()?;
        let (quads, _) = reader.take(4 * LANES)?.as_chunks::<4>();
        let mut taker = Taker::<N> {
            rows: Cells::<N>::STARTS.as_chunks::<N>().0,
            lookup: Lookup::new(&map, N),
            states: core::array::from_fn(|lane| u32::from_le_bytes(quads[lane])),
            words: reader.take(2 * count)?.as_chunks::<2>().0,
            next: 0,
        };
        walk::<N>(plane, unit, &predictors, &mut errors, &mut taker);
        if taker.next != count || taker.states != [1 << 16; LANES] {
            return Err(DecodeError::Corrupt("entropy state"));
        }
    }
    Ok(())
}

fn read_header(
    bits: &mut BitReader<'_>,
    (columns, rows): (usize, usize),
) -> Result<(Map, Vec<u8>), DecodeError> {
    let mut map = [(0, 0); LEVELS];
    for (scale, step) in &mut map {
        (*scale, *step) = (bits.take(4)?, bits.take(3)?);
    }
    let predictors = (0..columns * rows).map(|_| bits.take(4)).collect::<Result<_, _>>()?;
    Ok((map, predictors))
}
