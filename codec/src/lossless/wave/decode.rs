//! Segments in, planes out.

use alloc::vec::Vec;

use super::model::CONTEXTS;
use super::own::{self, Frequencies};
use super::tables::{DECODE, FAMILY_COUNT, MAPS, Map, SCALE_BITS, SLOTS, expand_slots};
use super::{BLOCK, LANES, MIN_PITCH, OWN_STEPS, SEGMENT_STEPS, Unit, units};
use crate::cpu::Features;
use crate::lossless::DecodeError;
use crate::lossless::bytes::{BitReader, Reader};
use crate::lossless::kernel::{self, Decoding, Source};
use crate::lossless::plane::Plane;

/// Memory that is kept from call to call.
#[derive(Default)]
pub(in crate::lossless) struct DecodeScratch {
    pub(super) line: Vec<u16>,
    sizes: Vec<(usize, usize)>,
    units: Vec<Waiting>,
    /// Tables that units of the segment brought along.
    own: Vec<Frequencies>,
    predictors: Vec<u8>,
    pub(super) source: Source,
    /// Sums of the residuals of the planes that share a guide, in the order of their steps.
    guide: Vec<[u16; LANES]>,
    /// Steps of the plane that are behind.
    guided: usize,
    /// The tables of a unit with own ones among them, one for each context.
    pub(super) slots: Vec<u32>,
}

/// A unit whose header has been read.
struct Waiting {
    plane: usize,
    unit: Unit,
    map: Map,
    /// The contexts that have own tables, one bit each.
    own: u32,
}

/// Reads the segments of `planes`, whose sizes and bits are set.
pub(in crate::lossless) fn decode(
    features: Features,
    reader: &mut Reader<'_>,
    planes: &mut [Plane],
    scratch: &mut DecodeScratch,
) -> Result<(), DecodeError> {
    let mut sizes = core::mem::take(&mut scratch.sizes);
    sizes.clear();
    sizes.extend(planes.iter().map(|plane| (plane.w(), plane.h())));
    let mut waiting = sizes
        .iter()
        .enumerate()
        .flat_map(|(number, &(w, h))| units(w, h).map(move |unit| (number, unit)))
        .peekable();
    while waiting.peek().is_some() {
        read_header(reader, &mut waiting, scratch)?;
        let mut states = scratch.start_segment(reader)?;
        let (mut predictors, mut own_tables) = (&scratch.predictors[..], &scratch.own[..]);
        for waiting in &scratch.units {
            let (unit, plane) = (waiting.unit, &mut planes[waiting.plane]);
            let (own, rest) = predictors.split_at(unit.steps / BLOCK);
            predictors = rest;
            if unit.y == 0 {
                scratch.line.clear();
                scratch.line.resize(plane.w().max(MIN_PITCH), 0);
                scratch.guided = 0;
            }
            let guide = plane.place.map(|place| {
                let start = scratch.guided;
                scratch.guided += unit.steps;
                if place == 0 {
                    scratch.guide.truncate(start);
                }
                if scratch.guide.len() < scratch.guided {
                    scratch.guide.resize(scratch.guided, [0; LANES]);
                }
                &mut scratch.guide[start..scratch.guided]
            });
            let (starts, table) = tables((waiting.map, waiting.own), &mut own_tables, &mut scratch.slots);
            let top = plane.start(unit.y as isize - 2) - 2;
            kernel::decode(
                features,
                &mut Decoding {
                    unit,
                    bits: plane.bits(),
                    stride: plane.stride(),
                    samples: &mut plane.samples_mut()[top..],
                    line: &mut scratch.line,
                    predictors: own,
                    guide,
                    table,
                    starts: &starts,
                    states: &mut states,
                    source: &mut scratch.source,
                },
            );
        }
        if !scratch.source.is_used_up() || states != [1 << 16; LANES] {
            return Err(DecodeError::Corrupt("entropy state"));
        }
    }
    drop(waiting);
    scratch.sizes = sizes;
    Ok(())
}

/// Takes the units of the next segment and what their headers say.
fn read_header(
    reader: &mut Reader<'_>,
    waiting: &mut impl Iterator<Item = (usize, Unit)>,
    scratch: &mut DecodeScratch,
) -> Result<(), DecodeError> {
    scratch.units.clear();
    scratch.predictors.clear();
    scratch.own.clear();
    let mut steps = 0;
    reader.bits(|bits| {
        while steps < SEGMENT_STEPS
            && let Some((plane, unit)) = waiting.next()
        {
            steps += unit.steps;
            let (map, own) = read_map(unit.steps, bits, &mut scratch.own)?;
            scratch.units.push(Waiting { plane, unit, map, own });
            for _ in 0..unit.steps / BLOCK {
                scratch.predictors.push(bits.take(4)?);
            }
        }
        Ok(())
    })
}

/// The family of each context, and which contexts have tables of their own instead; these go to `tables`.
pub(super) fn read_map(
    steps: usize,
    bits: &mut BitReader<'_>,
    tables: &mut Vec<Frequencies>,
) -> Result<(Map, u32), DecodeError> {
    if bits.take(1)? == 1 {
        return Ok((MAPS[usize::from(bits.take(4)?)], 0));
    }
    let mut map: Map = [0; CONTEXTS];
    let has_own = steps >= OWN_STEPS && bits.take(1)? == 1;
    let mut own = 0;
    for (context, family) in map.iter_mut().enumerate() {
        if has_own && bits.take(1)? == 1 {
            tables.push(own::read(bits)?);
            own |= 1 << context;
        } else {
            *family = bits.take(5)?;
        }
    }
    Ok((map, own))
}

impl DecodeScratch {
    /// Reads what follows the header of a segment: takes its words, and gives its states.
    pub(super) fn start_segment(&mut self, reader: &mut Reader<'_>) -> Result<[u32; LANES], DecodeError> {
        let count = reader.number()?;
        let mut states = [0; LANES];
        let (quads, _) = reader.take(4 * LANES)?.as_chunks::<4>();
        for (state, quad) in states.iter_mut().zip(quads) {
            *state = u32::from_le_bytes(*quad);
        }
        self.source.load(reader.take(2 * count)?);
        Ok(states)
    }
}

/// The tables of a unit, and where in them each context's begins: `map` has the family of each context, and one bit
/// for each context with a table of its own. These are taken off the front of `own`, and expanded in `slots`.
pub(super) fn tables<'a>(
    (map, has_own): (Map, u32),
    own: &mut &[Frequencies],
    slots: &'a mut Vec<u32>,
) -> ([u32; CONTEXTS], &'a [u32; SLOTS]) {
    let family = |context: usize| (usize::from(map[context]) % FAMILY_COUNT) << SCALE_BITS;
    if has_own == 0 {
        return (core::array::from_fn(|context| family(context) as u32), &DECODE);
    }
    slots.resize(SLOTS, 0);
    for context in 0..CONTEXTS {
        let at = context << SCALE_BITS;
        if has_own >> context & 1 == 0 {
            slots[at..at + (1 << SCALE_BITS)].copy_from_slice(&DECODE[family(context)..][..1 << SCALE_BITS]);
        } else if let Some((first, rest)) = own.split_first() {
            expand_slots(first, slots, at);
            *own = rest;
        }
    }
    let slots = slots.first_chunk().unwrap_or(&DECODE);
    (core::array::from_fn(|context| (context << SCALE_BITS) as u32), slots)
}

const _: () = assert!(CONTEXTS <= FAMILY_COUNT, "a table for each context has room");
