//! Whatever a unit holds, every kernel gives what the plain one gives, and decodes what was modelled and pushed.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::lossless::plane::Plane;
use crate::lossless::wave::model::{CONTEXTS, PREDICTORS};
use crate::lossless::wave::tables::{DECODE, ENCODE, FAMILY_COUNT, SCALE_BITS, SLOTS};
use crate::lossless::wave::{BLOCK, LAG, LANES, Search, Unit, units};

/// A plane to be coded by the kernels alone.
#[derive(Clone, Debug)]
struct Sheet {
    w: usize,
    h: usize,
    bits: u32,
    /// The largest step between neighbours, in bits.
    roughness: u32,
    /// The largest number of the guide in bits, if there is one.
    guide: Option<u32>,
    search: Search,
    /// Families are this many places further on in the tables, as if they were the unit's own.
    turn: usize,
    seed: u32,
}

/// What one unit became.
#[derive(PartialEq)]
struct Modelled {
    predictors: Vec<u8>,
    steps: Vec<Step>,
    counts: Box<Counts>,
}

/// All that an encoder hands to a decoder, unit by unit, and the guides before and after.
#[derive(PartialEq)]
struct Coded {
    units: Vec<Modelled>,
    guide: Option<Vec<u16>>,
    states: [u32; LANES],
    words: Vec<u16>,
}

const UNWRITTEN: Step = Step { keys: [5; LANES], residuals: [6; LANES] };

/// Pseudo-random numbers.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 >> 7
    }

    fn bits(&mut self, bits: u32) -> u32 {
        self.next() & ((1 << bits) - 1)
    }
}

impl Sheet {
    fn random(&self) -> Random {
        Random(self.seed | 1)
    }

    fn plane(&self) -> Plane {
        let mut plane = Plane::default();
        plane.reset(self.w, self.h, self.bits);
        let mut random = self.random();
        for y in 0..self.h {
            let mut sample = (y * 5) as u32;
            for target in plane.row_mut(y) {
                sample =
                    sample.wrapping_add(random.bits(self.roughness)).wrapping_sub(1 << self.roughness >> 1);
                *target = (sample & ((1 << self.bits) - 1)) as u16;
            }
        }
        plane
    }

    /// Numbers of the guide, row by row.
    fn guide(&self) -> Option<Vec<u16>> {
        let mut random = self.random();
        self.guide.map(|bits| (0..self.w * self.h).map(|_| random.bits(bits) as u16).collect())
    }

    fn map(&self) -> Map {
        core::array::from_fn(|context| ((context * 5 + self.turn) % FAMILY_COUNT) as u8)
    }

    fn encode(&self, features: Features) -> Coded {
        let (mut plane, mut residuals, mut words) = (self.plane(), Residuals::default(), Words::default());
        residuals.reset(self.w);
        let mut guide = self.guide();
        let mut modelled = Vec::new();
        for unit in units(self.w, self.h) {
            let blocks = unit.steps / BLOCK;
            let mut counts = Box::new([[7; 64]; CONTEXTS]);
            let (mut predictors, mut steps) = (vec![9; blocks], vec![UNWRITTEN; unit.steps]);
            model(
                features,
                &mut Modelling {
                    unit,
                    plane: &mut plane,
                    search: self.search,
                    residuals: &mut residuals,
                    guide: guide.as_mut().map(|guide| &mut guide[unit.y * unit.w..][..unit.rows * unit.w]),
                    costs: &mut vec![[3; PREDICTORS]; blocks],
                    predictors: &mut predictors,
                    steps: &mut steps,
                    counts: &mut counts,
                },
            );
            modelled.push(Modelled { predictors, steps, counts });
        }
        let mut states = [1 << 16; LANES];
        let mut entries = Box::new(ENCODE);
        entries.rotate_right(self.turn * 64);
        words.reset(modelled.iter().map(|unit| unit.steps.len()).sum());
        for unit in modelled.iter().rev() {
            push(features, &unit.steps, &self.map(), &entries, &mut states, &mut words);
        }
        Coded { units: modelled, guide, states, words: words.written().to_vec() }
    }

    fn decode(&self, features: Features, coded: &Coded) -> (Plane, Option<Vec<u16>>) {
        let mut plane = Plane::default();
        plane.reset(self.w, self.h, self.bits);
        let mut guide = self.guide();
        let (mut line, mut states) = (vec![0; self.w.max(64)], coded.states);
        let mut table = Box::new(DECODE);
        table.rotate_right(self.turn << SCALE_BITS);
        let starts = self.map().map(|family| u32::from(family) << SCALE_BITS);
        let mut source = Source::default();
        source.load(&coded.words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
        for (unit, modelled) in units(self.w, self.h).zip(&coded.units) {
            let rows = guide.as_mut().map(|guide| &mut guide[unit.y * unit.w..][..unit.rows * unit.w]);
            let mut steps = rows.as_ref().map(|rows| in_steps(&unit, rows));
            let top = plane.start(unit.y as isize - 2) - 2;
            decode(
                features,
                &mut Decoding {
                    unit,
                    bits: self.bits,
                    stride: plane.stride(),
                    samples: &mut plane.samples_mut()[top..],
                    line: &mut line,
                    predictors: &modelled.predictors,
                    guide: steps.as_deref_mut(),
                    table: table.first_chunk::<SLOTS>().unwrap(),
                    starts: &starts,
                    states: &mut states,
                    source: &mut source,
                },
            );
            if let (Some(rows), Some(steps)) = (rows, steps) {
                for_each_place(&unit, |row, column, step, lane| {
                    rows[row * unit.w + column] = steps[step][lane]
                });
                // Where no sample is, nothing was added.
                let mut idle = in_steps(&unit, rows);
                for_each_place(&unit, |_, _, step, lane| idle[step][lane] = steps[step][lane]);
                assert!(idle == steps);
            }
        }
        assert!(source.is_used_up() && states == [1 << 16; LANES]);
        (plane, guide)
    }

    fn check(&self) {
        let coded = self.encode(Features::NONE);
        for features in Features::detect().levels() {
            assert!(self.encode(features) == coded, "the encoder of {features:?} differs");
        }
        let plane = self.plane();
        for features in Features::detect().levels() {
            let (decoded, guide) = self.decode(features, &coded);
            for y in 0..self.h {
                assert!(decoded.row(y) == plane.row(y), "{features:?}, row {y}");
            }
            assert!(guide == coded.guide, "guides differ, {features:?}");
        }
    }
}

/// Calls back with (row, column, step, lane) of every sample.
fn for_each_place(unit: &Unit, mut place: impl FnMut(usize, usize, usize, usize)) {
    for row in 0..unit.rows {
        let start = row / LANES * unit.pitch + LAG * (row % LANES);
        (0..unit.w).for_each(|column| place(row, column, start + column, row % LANES));
    }
}

/// Rows in the order of steps, with noise in idle lanes.
fn in_steps(unit: &Unit, rows: &[u16]) -> Vec<[u16; LANES]> {
    let mut steps = vec![[0x5a; LANES]; unit.steps];
    for_each_place(unit, |row, column, step, lane| steps[step][lane] = rows[row * unit.w + column]);
    steps
}

fn sheets() -> impl Strategy<Value = Sheet> {
    let searches = prop_oneof![Just(Search::None), Just(Search::Sampled), Just(Search::All)];
    let contents = (8..=16u32, 0..=16u32, prop::option::of(0..=16u32));
    (1..200usize, 1..90usize, contents, searches, 0..FAMILY_COUNT, any::<u32>()).prop_map(
        |(w, h, (bits, roughness, guide), search, turn, seed)| Sheet {
            w,
            h,
            bits,
            roughness: roughness.min(bits),
            guide,
            search,
            turn,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kernels_agree_on_every_sheet(sheet in sheets()) {
        sheet.check();
    }
}

#[test]
fn kernels_agree_across_units() {
    for (w, h, guide) in [(64, 4096 + 40, Some(5)), (5000, 70, None), (16384, 18, Some(16))] {
        let search = Search::Sampled;
        Sheet { w, h, bits: 12, roughness: 5, guide, search, turn: 3, seed: 11 }.check();
    }
}
