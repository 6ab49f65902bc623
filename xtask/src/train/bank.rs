//! Linear predictors: blocks of samples are given to the predictor that does best on them, and each predictor is fitted
//! to the blocks it was given, in turns.

use std::path::Path;

use lightbox_codec::lossless::train::{self, Bank, Plane};

use super::corpus::Corpus;
use super::{Random, constants};
use crate::error::Result;

/// The size of a block, about that of one in the coder, but not skewed.
const BLOCK: (usize, usize) = (32, 16);
/// Blocks that a plane gives, and one that gives few counts as if it gave this many.
const BLOCKS: usize = 250;
const FEW_BLOCKS: usize = 60;
/// Turns.
const TURNS: usize = 24;
/// A sample and W, N, NW, NE, WW, NN of it.
type Site = (i32, [i32; 6]);

struct Block {
    sites: Vec<Site>,
    max: i32,
    weight: f64,
}

/// Trains the bank, and writes it beside the tables there are.
pub(super) fn train(corpus: &Corpus, out: &Path) -> Result<()> {
    let (mut blocks, mut random) = (Vec::new(), Random(12345));
    for entry in corpus.training() {
        let image = entry.read()?;
        for plane in train::planes(image.image()) {
            take_blocks(&plane, &mut random, &mut blocks);
        }
    }
    eprintln!("{} blocks", blocks.len());
    let mut bank = START;
    for turn in 0..TURNS {
        let (groups, cost) = assign(&blocks, &bank);
        eprintln!("turn {turn:2}: cost {cost:.5}");
        let most = (0..bank.len()).max_by_key(|&number| groups[number].len()).unwrap_or_default();
        for (number, group) in groups.iter().enumerate() {
            bank[number] = if group.len() < blocks.len() / 400 {
                // Few want it: it starts again near the one that most want.
                let (more, less) = (random.below(6), 1 + random.below(5));
                let mut near = bank[most];
                near[more] += 24;
                near[(more + less) % 6] -= 24;
                near
            } else {
                refit(bank[number], group)
            };
        }
    }
    let (_, families, presets) = train::constants();
    constants::save(&bank, &families, &presets, out)
}

/// Takes random blocks of a plane; flat ones teach nothing.
fn take_blocks(plane: &Plane, random: &mut Random, blocks: &mut Vec<Block>) {
    let (columns, rows) = (plane.w.saturating_sub(4) / BLOCK.0, plane.h.saturating_sub(2) / BLOCK.1);
    let first = blocks.len();
    let wanted = BLOCKS.min(columns * rows);
    for _ in 0..3 * wanted {
        if blocks.len() - first == wanted {
            break;
        }
        let place = random.below(columns * rows);
        let (x, y) = (2 + place % columns * BLOCK.0, 2 + place / columns * BLOCK.1);
        let sites: Vec<Site> = (y..y + BLOCK.1)
            .flat_map(|y| (x..x + BLOCK.0).step_by(2).map(move |x| (x, y)))
            .map(|(x, y)| site(plane, x, y))
            .collect();
        let change: i32 = sites.iter().map(|(sample, taps)| (sample - taps[0]).abs()).sum();
        if change >= 20 {
            blocks.push(Block { sites, max: (1 << plane.bits) - 1, weight: 0.0 });
        }
    }
    let count = (blocks.len() - first).max(FEW_BLOCKS);
    blocks[first..].iter_mut().for_each(|block| block.weight = 1.0 / count as f64);
}

fn site(plane: &Plane, x: usize, y: usize) -> Site {
    let at = |x: usize, y: usize| i32::from(plane.samples[y * plane.w + x]);
    let taps = [at(x - 1, y), at(x, y - 1), at(x - 1, y - 1), at(x + 1, y - 1), at(x - 2, y), at(x, y - 2)];
    (at(x, y), taps)
}

/// The normal equations of a fit: five weights beside that of N, which has what they leave of 1.
#[derive(Clone, Copy, Default)]
struct Fit([[f64; 6]; 5]);

/// Gives each block to its best predictor: the blocks of each linear one, and the cost of all.
fn assign<'a>(blocks: &'a [Block], bank: &Bank) -> (Vec<Vec<&'a Block>>, f64) {
    let (mut groups, mut total) = (vec![Vec::new(); bank.len()], 0.0);
    for block in blocks {
        let med = |taps: [i32; 6]| train::med(taps[0], taps[1], taps[2]);
        let mut best = (mean_error(block, med), None);
        for (number, weights) in bank.iter().enumerate() {
            let error = mean_error(block, |taps| train::linear(weights, taps, block.max));
            if error < best.0 {
                best = (error, Some(number));
            }
        }
        // Bits of a sample, about.
        total += block.weight * (best.0 + 0.3).log2();
        if let Some(number) = best.1 {
            groups[number].push(block);
        }
    }
    (groups, total)
}

/// Better weights for a group of blocks: least absolute errors, as parts of the mean error of their block.
fn refit(old: [i16; 6], group: &[&Block]) -> [i16; 6] {
    let mut fit = Fit::default();
    for block in group {
        let mean = mean_error(block, |taps| train::linear(&old, taps, block.max));
        for &(sample, taps) in &block.sites {
            let error = f64::from(sample - train::linear(&old, taps, block.max)).abs();
            // Least squares weighted by the inverse of the error are least absolute errors; very small errors would
            // pin the weights down.
            fit.add(sample, taps, block.weight / ((mean + 0.5) * error.max(0.5 * mean + 0.5)));
        }
    }
    fit.solve().unwrap_or(old)
}

fn mean_error(block: &Block, predict: impl Fn([i32; 6]) -> i32) -> f64 {
    let sum: i32 = block.sites.iter().map(|&(sample, taps)| (sample - predict(taps)).abs()).sum();
    f64::from(sum) / block.sites.len() as f64
}

impl Fit {
    fn add(&mut self, sample: i32, taps: [i32; 6], weight: f64) {
        let n = taps[1];
        let [w, _, nw, ne, ww, nn] = taps.map(|tap| f64::from(tap - n));
        let row = [w, nw, ne, ww, nn, f64::from(sample - n)];
        for (sums, a) in self.0.iter_mut().zip(row) {
            sums.iter_mut().zip(row).for_each(|(sum, b)| *sum += weight * a * b);
        }
    }

    /// The weights, rounded to 1/256 so that they sum to 256; `None` where they are out of all proportion.
    fn solve(mut self) -> Option<[i16; 6]> {
        let rows = &mut self.0;
        let trace: f64 = (0..5).map(|i| rows[i][i]).sum();
        (0..5).for_each(|i| rows[i][i] += trace * 1e-5 + 1e-9);
        for i in 0..5 {
            let pivot = rows[i].map(|value| value / rows[i][i]);
            for (j, row) in rows.iter_mut().enumerate() {
                let factor = row[i];
                row.iter_mut().zip(pivot).for_each(|(value, p)| *value -= factor * p);
                if i == j {
                    *row = pivot;
                }
            }
        }
        let [w, nw, ne, ww, nn] = rows.map(|row| (row[5] * 256.0).round());
        let weights = [w, 256.0 - (w + nw + ne + ww + nn), nw, ne, ww, nn];
        weights.iter().all(|weight| weight.abs() < 1024.0).then(|| weights.map(|weight| weight as i16))
    }
}

/// What training starts with: W, N, their mean, planes, and mixtures.
const START: Bank = [
    [256, 0, 0, 0, 0, 0],
    [0, 256, 0, 0, 0, 0],
    [128, 128, 0, 0, 0, 0],
    [192, 192, -128, 0, 0, 0],
    [256, 256, -256, 0, 0, 0],
    [128, 64, -64, 128, 0, 0],
    [0, 128, 0, 128, 0, 0],
    [160, 96, -80, 80, 0, 0],
    [256, 128, -128, 64, -64, 0],
    [96, 256, -96, 64, 0, -64],
    [96, 96, 32, 32, 0, 0],
    [128, 128, -64, 96, -16, -16],
    [192, 64, -64, 64, 0, 0],
    [64, 192, -64, 64, 0, 0],
    [256, 192, -192, 64, -32, -32],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_finds_the_weights_that_made_the_samples() {
        let (mut random, mut fit) = (Random(7), Fit::default());
        let made = [100, 180, -60, 40, 10, -14];
        for _ in 0..1000 {
            let taps = [(); 6].map(|()| random.below(4000) as i32);
            let sample = train::linear(&made, taps, 0xffff);
            if sample > 0 {
                fit.add(sample, taps, 1.0);
            }
        }
        let found = fit.solve().unwrap();
        assert!(found.iter().zip(made).all(|(found, made)| (found - made).abs() <= 1), "{found:?}");
        assert_eq!(found.iter().sum::<i16>(), 256);
    }
}
