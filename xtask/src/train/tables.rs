//! Families of token frequencies and presets, by k-means in code length: what was counted in each context of each unit
//! is given to the family that codes it best, and each family becomes the mean of what it was given, in turns; then the
//! same with units and maps.

use std::path::Path;

use lightbox_codec::geom::Rect;
use lightbox_codec::lossless::train::{self, Counts, Families, Presets};

use super::constants;
use super::corpus::Corpus;
use crate::error::Result;

/// Turns of either clustering; nothing moves after some thirty.
const TURNS: usize = 40;
/// Tiles of this side are trained on beside whole images.
const TILE: u32 = 256;
/// Tokens but the escape, which is the one after them.
const TOKENS: usize = 40;
const ESCAPE_BITS: f64 = 16.0;
const SLOTS: u32 = 1024;

/// The counts of a context as parts of the samples of its unit, which weighs by the root of them.
struct Histogram {
    unit: usize,
    context: usize,
    counts: [f64; TOKENS],
}

/// Trains families and presets, and writes them beside the bank there is.
pub(super) fn train(corpus: &Corpus, out: &Path) -> Result<()> {
    let (mut histograms, mut units) = (Vec::new(), 0);
    for entry in corpus.training() {
        let image = entry.read()?;
        let image = image.image();
        let (w, h) = (image.size().w, image.size().h);
        let mut all = train::counts(image);
        if w > TILE || h > TILE {
            for (x, y) in
                (0..h).step_by(TILE as usize).flat_map(|y| (0..w).step_by(TILE as usize).map(move |x| (x, y)))
            {
                let rect = Rect::new(x, y, TILE.min(w - x), TILE.min(h - y));
                all.extend(image.crop(rect).iter().flat_map(|tile| train::counts(*tile)));
            }
        }
        for counts in all {
            take(units, &counts, &mut histograms);
            units += 1;
        }
    }
    eprintln!("{} histograms of {units} units", histograms.len());
    let families = cluster_histograms(&histograms);
    let presets = cluster_maps(&histograms, units, &families);
    let (bank, ..) = train::constants();
    constants::save(&bank, &families, &presets, out)
}

fn take(unit: usize, counts: &Counts, histograms: &mut Vec<Histogram>) {
    let samples: u32 = counts.iter().flat_map(|counts| &counts[..TOKENS]).sum();
    let weight = 1.0 / f64::from(samples.max(1)).sqrt();
    for (context, counts) in counts.iter().enumerate() {
        if counts[..TOKENS].iter().any(|&count| count > 0) {
            let counts = std::array::from_fn(|k| f64::from(counts[k]) * weight);
            histograms.push(Histogram { unit, context, counts });
        }
    }
}

/// What each token costs in each family, in bits.
fn costs(families: &Families) -> Vec<[f64; TOKENS]> {
    let bits = |frequency: u16| (f64::from(SLOTS) / f64::from(frequency)).log2();
    let cost = |family: &[u16; TOKENS + 1], k: usize| {
        if family[k] > 0 {
            bits(family[k]) + f64::from(train::raw_bits(k))
        } else {
            bits(family[TOKENS]) + ESCAPE_BITS
        }
    };
    families.iter().map(|family| std::array::from_fn(|k| cost(family, k))).collect()
}

fn cost(counts: &[f64; TOKENS], costs: &[f64; TOKENS]) -> f64 {
    counts.iter().zip(costs).map(|(count, cost)| count * cost).sum()
}

fn cluster_histograms(histograms: &[Histogram]) -> Families {
    // To begin with, histograms in the order of their mean token are cut into as many parts of the same weight.
    let mean = |h: &Histogram| {
        let sum: f64 = h.counts.iter().enumerate().map(|(k, count)| k as f64 * count).sum();
        sum / h.counts.iter().sum::<f64>()
    };
    let mut order: Vec<&Histogram> = histograms.iter().collect();
    order.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    let weight: f64 = order.iter().map(|h| h.counts.iter().sum::<f64>().sqrt()).sum();
    let (mut sums, mut seen) = ([[0.0; TOKENS]; FAMILIES], 0.0);
    for histogram in order {
        seen += histogram.counts.iter().sum::<f64>().sqrt();
        add(&mut sums[((seen / weight * FAMILIES as f64) as usize).min(FAMILIES - 1)], &histogram.counts);
    }
    let mut families = sums.map(|sum| frequencies(&sum));
    for turn in 0..TURNS {
        let costs = costs(&families);
        let (mut sums, mut total) = ([[0.0; TOKENS]; FAMILIES], 0.0);
        let mut worst = Vec::new();
        for histogram in histograms {
            let (family, bits) = best(&costs, |costs| cost(&histogram.counts, costs));
            add(&mut sums[family], &histogram.counts);
            total += bits;
            worst.push(bits - ideal(&histogram.counts));
        }
        eprintln!("turn {turn:2}: families cost {total:.1}");
        for (family, sum) in families.iter_mut().zip(&mut sums) {
            if sum.iter().sum::<f64>() == 0.0 {
                // Nobody wants it: it takes the part of the histogram that others serve worst.
                let at = (0..worst.len()).max_by(|&a, &b| worst[a].total_cmp(&worst[b])).unwrap_or_default();
                *sum = histograms[at].counts;
                worst[at] = 0.0;
            }
            *family = frequencies(sum);
        }
    }
    families.sort_by_key(|family| std::cmp::Reverse(family[0]));
    families
}

/// The bits of a table made for it.
fn ideal(counts: &[f64; TOKENS]) -> f64 {
    let all: f64 = counts.iter().sum();
    let each = |(k, &count): (usize, &f64)| count * ((all / count).log2() + f64::from(train::raw_bits(k)));
    counts.iter().enumerate().filter(|(_, count)| **count > 0.0).map(each).sum()
}

/// Frequencies in proportion: what has less than half a slot escapes, and the largest takes what rounding leaves.
fn frequencies(sums: &[f64; TOKENS]) -> [u16; TOKENS + 1] {
    let all: f64 = sums.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut table = [0; TOKENS + 1];
    for (frequency, sum) in table.iter_mut().zip(sums) {
        *frequency = (sum / all * f64::from(SLOTS - 1)).round() as u16;
    }
    table[TOKENS] = 1;
    let largest = (0..TOKENS).max_by_key(|&k| table[k]).unwrap_or_default();
    let sum: u16 = table.iter().sum();
    table[largest] = table[largest] + SLOTS as u16 - sum;
    table
}

fn cluster_maps(histograms: &[Histogram], units: usize, families: &Families) -> Presets {
    let costs = costs(families);
    // Bits of each unit's contexts in each family.
    let mut bits = vec![[[0.0; FAMILIES]; CONTEXTS]; units];
    for histogram in histograms {
        let row = &mut bits[histogram.unit][histogram.context];
        row.iter_mut().zip(&costs).for_each(|(bits, costs)| *bits = cost(&histogram.counts, costs));
    }
    // To begin with, maps of units all over the list.
    let map = |sums: &[[f64; FAMILIES]; CONTEXTS]| {
        std::array::from_fn(|context| best(&sums[context], |bits| *bits).0 as u8)
    };
    let mut presets: Presets = std::array::from_fn(|i| map(&bits[i * units / PRESETS]));
    for turn in 0..TURNS {
        let (mut sums, mut total) = (vec![[[0.0; FAMILIES]; CONTEXTS]; PRESETS], 0.0);
        let mut used = [0; PRESETS];
        let mut worst = (0.0, 0);
        for (number, unit) in bits.iter().enumerate() {
            let coded = |map: &[u8; CONTEXTS]| -> f64 {
                unit.iter().zip(map).map(|(bits, &family)| bits[usize::from(family)]).sum()
            };
            let (preset, bits) = best(&presets, coded);
            total += bits;
            used[preset] += 1;
            let lost = bits - coded(&map(unit));
            if lost > worst.0 {
                worst = (lost, number);
            }
            for (sums, bits) in sums[preset].iter_mut().zip(unit) {
                add(sums, bits);
            }
        }
        eprintln!("turn {turn:2}: presets cost {total:.1}");
        for ((preset, sums), used) in presets.iter_mut().zip(&sums).zip(used) {
            *preset = if used > 0 { map(sums) } else { map(&bits[worst.1]) };
        }
    }
    presets
}

fn add<const N: usize>(sums: &mut [f64; N], more: &[f64; N]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// The number and the cost of the cheapest.
fn best<T>(all: &[T], cost: impl Fn(&T) -> f64) -> (usize, f64) {
    let costs = all.iter().map(cost).enumerate();
    costs.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

const FAMILIES: usize = size_of::<Families>() / size_of::<[u16; TOKENS + 1]>();
const PRESETS: usize = size_of::<Presets>() / CONTEXTS;
const CONTEXTS: usize = size_of::<Counts>() / size_of::<[u32; 64]>();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_maps_find_the_two_kinds_there_are() {
        let mut histograms = Vec::new();
        for unit in 0..20 {
            let mut counts: Counts = [[0; 64]; CONTEXTS];
            for (context, counts) in counts.iter_mut().enumerate() {
                let small = (unit + context) % 2 == 0;
                let (a, b) = if small { (0, 1) } else { (20, 21) };
                (counts[a], counts[b]) = (3000, 1000);
            }
            take(unit, &counts, &mut histograms);
        }
        let families = cluster_histograms(&histograms);
        assert!(families.iter().all(|family| family.iter().sum::<u16>() == 1024 && family[TOKENS] == 1));
        let presets = cluster_maps(&histograms, 20, &families);
        let costs = costs(&families);
        for histogram in &histograms {
            let coded =
                |map: &[u8; CONTEXTS]| cost(&histogram.counts, &costs[usize::from(map[histogram.context])]);
            assert!(best(&presets, coded).1 < ideal(&histogram.counts) * 1.01);
        }
    }
}
