//! Planes in, segments out.

use alloc::vec::Vec;

use super::model::{CONTEXTS, ESCAPE, PREDICTORS};
use super::tables::{COST, ENCODE, FAMILY_COUNT, MAPS, Map};
use super::{BLOCK, LANES, MIN_PITCH, SEGMENT_STEPS, Unit, units};
use crate::cpu::Features;
use crate::lossless::bytes::{BitWriter, put_number};
use crate::lossless::kernel::{self, Counts, Modelling, Residuals, Step, Words};
use crate::lossless::plane::Plane;

/// How hard the encoder looks for predictors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lossless) enum Search {
    /// Not at all: the median edge detector everywhere.
    None,
    /// Each is tried on a quarter of the samples.
    Sampled,
    /// Each is tried on every sample.
    All,
}

/// Memory that is kept from call to call.
pub(in crate::lossless) struct EncodeScratch {
    residuals: Residuals,
    costs: Vec<[u32; PREDICTORS]>,
    counts: Counts,
    segment: Segment,
}

/// What is waiting to be written together.
#[derive(Default)]
struct Segment {
    units: Vec<(Unit, Choice)>,
    predictors: Vec<u8>,
    steps: Vec<Step>,
    words: Words,
}

/// How a unit says which family codes which context.
#[derive(Clone, Copy)]
enum Choice {
    Preset(u8),
    Own(Map),
}

impl EncodeScratch {
    pub(in crate::lossless) fn new() -> Self {
        Self {
            residuals: Residuals::default(),
            costs: Vec::new(),
            counts: [[0; 64]; CONTEXTS],
            segment: Segment::default(),
        }
    }
}

/// Appends the segments of `planes`.
pub(in crate::lossless) fn encode(
    features: Features,
    search: Search,
    planes: &mut [Plane],
    scratch: &mut EncodeScratch,
    out: &mut Vec<u8>,
) {
    let segment = &mut scratch.segment;
    segment.clear();
    for plane in planes {
        scratch.residuals.reset(plane.w());
        for unit in units(plane.w(), plane.h()) {
            let (first, blocks) = (segment.predictors.len(), unit.steps / BLOCK);
            segment.predictors.resize(first + blocks, 0);
            let steps = segment.steps.len();
            segment.steps.resize(steps + unit.steps, Step::EMPTY);
            if scratch.costs.len() < blocks {
                scratch.costs.resize(blocks, [0; PREDICTORS]);
            }
            kernel::model(
                features,
                &mut Modelling {
                    unit,
                    plane,
                    search,
                    residuals: &mut scratch.residuals,
                    guide: None,
                    costs: &mut scratch.costs[..blocks],
                    predictors: &mut segment.predictors[first..],
                    steps: &mut segment.steps[steps..],
                    counts: &mut scratch.counts,
                },
            );
            segment.units.push((unit, choose_map(&scratch.counts)));
            if segment.steps.len() >= SEGMENT_STEPS {
                segment.write(features, out);
            }
        }
    }
    if !segment.units.is_empty() {
        segment.write(features, out);
    }
}

impl Segment {
    fn clear(&mut self) {
        self.units.clear();
        self.predictors.clear();
        self.steps.clear();
    }

    fn write(&mut self, features: Features, out: &mut Vec<u8>) {
        let mut bits = BitWriter::new(out);
        let mut predictors = self.predictors.iter();
        for (unit, choice) in &self.units {
            match choice {
                Choice::Preset(number) => {
                    bits.put(1, 1);
                    bits.put(*number, 4);
                }
                Choice::Own(map) => {
                    bits.put(0, 1);
                    map.iter().for_each(|&family| bits.put(family, 5));
                }
            }
            predictors.by_ref().take(unit.steps / BLOCK).for_each(|&id| bits.put(id, 4));
        }
        bits.finish();

        let mut states = [1 << 16; LANES];
        self.words.reset(self.steps.len());
        let mut end = self.steps.len();
        for (unit, choice) in self.units.iter().rev() {
            let start = end - unit.steps;
            let map = match choice {
                Choice::Preset(number) => &MAPS[usize::from(*number)],
                Choice::Own(map) => map,
            };
            let steps = &self.steps[start..end];
            kernel::push(features, steps, map, &ENCODE, &mut states, &mut self.words);
            end = start;
        }
        let words = self.words.written();
        put_number(out, words.len());
        out.extend(states.iter().flat_map(|state| state.to_le_bytes()));
        out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.clear();
    }
}

/// The cheapest way to code tokens that were seen this often.
fn choose_map(counts: &Counts) -> Choice {
    let mut costs = [[0u32; FAMILY_COUNT]; CONTEXTS];
    for (costs, counts) in costs.iter_mut().zip(counts) {
        for (&count, row) in counts[..ESCAPE].iter().zip(&COST) {
            if count != 0 {
                costs.iter_mut().zip(row).for_each(|(cost, &c)| *cost += count * u32::from(c));
            }
        }
    }
    let mut own: Map = [0; CONTEXTS];
    // Five bits for each context, in the unit of the costs.
    let mut own_cost = (CONTEXTS as u32) * 5 * 32;
    for (family, costs) in own.iter_mut().zip(&costs) {
        let (best, cost) = costs.iter().enumerate().min_by_key(|(_, cost)| **cost).unwrap_or((0, &0));
        *family = best as u8;
        own_cost += cost;
    }
    let mut best = (own_cost, Choice::Own(own));
    for (number, map) in MAPS.iter().enumerate() {
        let cost = 4 * 32 + map.iter().zip(&costs).map(|(&f, costs)| costs[usize::from(f)]).sum::<u32>();
        if cost < best.0 {
            best = (cost, Choice::Preset(number as u8));
        }
    }
    best.1
}

const _: () = assert!(MIN_PITCH >= 2 * LANES, "lane 15 is done with a column before lane 0 reads it");
