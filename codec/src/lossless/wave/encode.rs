//! Planes in, segments out.

use alloc::vec::Vec;

use super::maps::Choice;
use super::model::{CONTEXTS, PREDICTORS};
use super::tables::Entry;
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
    /// Sums of the residuals of the planes that share a guide.
    guide: Vec<u16>,
    segment: Segment,
}

/// What is waiting to be written together.
#[derive(Default)]
struct Segment {
    units: Vec<(Unit, Choice)>,
    predictors: Vec<u8>,
    steps: Vec<Step>,
    words: Words,
    /// Scratch of [`Choice::tables`].
    entries: Vec<Entry>,
}

impl EncodeScratch {
    pub(in crate::lossless) fn new() -> Self {
        Self {
            residuals: Residuals::default(),
            costs: Vec::new(),
            counts: [[0; 64]; CONTEXTS],
            guide: Vec::new(),
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
    encode_watched(features, search, planes, scratch, out, |_| {});
}

/// Gives what was counted in each unit of `planes` to `watch`.
#[cfg(feature = "train")]
pub(in crate::lossless) fn count(
    features: Features,
    search: Search,
    planes: &mut [Plane],
    watch: impl FnMut(&Counts),
) {
    encode_watched(features, search, planes, &mut EncodeScratch::new(), &mut Vec::new(), watch);
}

fn encode_watched(
    features: Features,
    search: Search,
    planes: &mut [Plane],
    scratch: &mut EncodeScratch,
    out: &mut Vec<u8>,
    mut watch: impl FnMut(&Counts),
) {
    let segment = &mut scratch.segment;
    segment.clear();
    for plane in planes {
        scratch.residuals.reset(plane.w());
        if plane.place == Some(0) {
            scratch.guide.clear();
            scratch.guide.resize(plane.w() * plane.h(), 0);
        }
        for unit in units(plane.w(), plane.h()) {
            let (first, blocks) = (segment.predictors.len(), unit.steps / BLOCK);
            segment.predictors.resize(first + blocks, 0);
            let steps = segment.steps.len();
            segment.steps.resize(steps + unit.steps, Step::EMPTY);
            if scratch.costs.len() < blocks {
                scratch.costs.resize(blocks, [0; PREDICTORS]);
            }
            let guided = unit.y * unit.w..(unit.y + unit.rows) * unit.w;
            let guide = plane.place.map(|_| &mut scratch.guide[guided]);
            kernel::model(
                features,
                &mut Modelling {
                    unit,
                    plane,
                    search,
                    residuals: &mut scratch.residuals,
                    guide,
                    costs: &mut scratch.costs[..blocks],
                    predictors: &mut segment.predictors[first..],
                    steps: &mut segment.steps[steps..],
                    counts: &mut scratch.counts,
                },
            );
            watch(&scratch.counts);
            segment.units.push((unit, Choice::of(unit.steps, &scratch.counts)));
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
            choice.write(unit.steps, &mut bits);
            predictors.by_ref().take(unit.steps / BLOCK).for_each(|&id| bits.put(id, 4));
        }
        bits.finish();

        let mut states = [1 << 16; LANES];
        self.words.reset(self.steps.len());
        let mut end = self.steps.len();
        for (unit, choice) in self.units.iter().rev() {
            let start = end - unit.steps;
            let steps = &self.steps[start..end];
            let (map, entries) = choice.tables(&mut self.entries);
            kernel::push(features, steps, &map, entries, &mut states, &mut self.words);
            end = start;
        }
        let words = self.words.written();
        put_number(out, words.len());
        out.extend(states.iter().flat_map(|state| state.to_le_bytes()));
        out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.clear();
    }
}

const _: () = assert!(MIN_PITCH >= 2 * LANES, "lane 15 is done with a column before lane 0 reads it");
