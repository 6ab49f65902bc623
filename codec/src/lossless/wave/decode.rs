//! Segments in, planes out.

use alloc::vec::Vec;

use super::model::CONTEXTS;
use super::tables::{DECODE, FAMILY_COUNT, MAPS, Map, SCALE_BITS};
use super::{BLOCK, LANES, MIN_PITCH, SEGMENT_STEPS, Unit, units};
use crate::cpu::Features;
use crate::lossless::DecodeError;
use crate::lossless::bytes::{BitReader, Reader};
use crate::lossless::kernel::{self, Decoding, Source};
use crate::lossless::plane::Plane;

/// Memory that is kept from call to call.
#[derive(Default)]
pub(in crate::lossless) struct DecodeScratch {
    line: Vec<u16>,
    sizes: Vec<(usize, usize)>,
    units: Vec<(usize, Unit, [u32; CONTEXTS])>,
    predictors: Vec<u8>,
    source: Source,
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
        let count = reader.number()?;
        let mut states = [0; LANES];
        let (quads, _) = reader.take(4 * LANES)?.as_chunks::<4>();
        for (state, quad) in states.iter_mut().zip(quads) {
            *state = u32::from_le_bytes(*quad);
        }
        scratch.source.load(reader.take(2 * count)?);
        let mut predictors = &scratch.predictors[..];
        for (number, unit, starts) in &scratch.units {
            let (own, rest) = predictors.split_at(unit.steps / BLOCK);
            predictors = rest;
            let plane = &mut planes[*number];
            if unit.y == 0 {
                scratch.line.clear();
                scratch.line.resize(plane.w().max(MIN_PITCH), 0);
            }
            let top = plane.start(unit.y as isize - 2) - 2;
            kernel::decode(
                features,
                &mut Decoding {
                    unit: *unit,
                    bits: plane.bits(),
                    stride: plane.stride(),
                    samples: &mut plane.samples_mut()[top..],
                    line: &mut scratch.line,
                    predictors: own,
                    guide: None,
                    table: &DECODE,
                    starts,
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
    let mut steps = 0;
    reader.bits(|bits| {
        while steps < SEGMENT_STEPS
            && let Some((number, unit)) = waiting.next()
        {
            steps += unit.steps;
            scratch.units.push((number, unit, read_map(bits)?));
            for _ in 0..unit.steps / BLOCK {
                scratch.predictors.push(bits.take(4)?);
            }
        }
        Ok(())
    })
}

/// The start of each context's table.
fn read_map(bits: &mut BitReader<'_>) -> Result<[u32; CONTEXTS], DecodeError> {
    let mut map: Map = [0; CONTEXTS];
    if bits.take(1)? == 1 {
        map = MAPS[usize::from(bits.take(4)?)];
    } else {
        for family in &mut map {
            *family = bits.take(5)?;
        }
    }
    Ok(map.map(|family| (u32::from(family) % FAMILY_COUNT as u32) << SCALE_BITS))
}
