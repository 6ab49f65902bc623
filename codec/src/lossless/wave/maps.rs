//! Which table codes which context of a unit: the encoder's choice.

use alloc::vec::Vec;

use super::OWN_STEPS;
use super::model::{CONTEXTS, ESCAPE};
use super::own::{self, Table};
use super::tables::{COST, COST_SCALE, ENCODE, ENTRIES, Entry, FAMILY_COUNT, MAPS, Map, expand_entries};
use crate::lossless::bytes::BitWriter;
use crate::lossless::kernel::Counts;

/// How a unit says which table codes which context.
pub(super) enum Choice {
    /// One of the ready maps.
    Preset(u8),
    /// A family for each context.
    Families(Map),
    /// The same, but for contexts that bring tables along.
    Own(Map, Vec<(usize, Table)>),
}

impl Choice {
    /// The cheapest way to code tokens that were seen this often.
    pub(super) fn of(steps: usize, counts: &Counts) -> Self {
        let costs = costs(counts);
        let mut map: Map = [0; CONTEXTS];
        let mut best = [0; CONTEXTS];
        for ((family, best), costs) in map.iter_mut().zip(&mut best).zip(&costs) {
            let (cheapest, cost) = costs.iter().enumerate().min_by_key(|(_, cost)| **cost).unwrap_or((0, &0));
            *family = cheapest as u8;
            *best = *cost + 5 * COST_SCALE;
        }
        let tables = if steps >= OWN_STEPS { own_tables(counts, &best) } else { Vec::new() };
        let mut total: u32 = best.iter().sum();
        if !tables.is_empty() {
            let saved: u32 = tables.iter().map(|own| best[own.context] - own.cost).sum();
            total = total - saved + CONTEXTS as u32 * COST_SCALE;
        }
        let mut choice = if tables.is_empty() {
            Choice::Families(map)
        } else {
            Choice::Own(map, tables.into_iter().map(|own| (own.context, own.table)).collect())
        };
        for (number, map) in MAPS.iter().enumerate() {
            let each = map.iter().zip(&costs).map(|(&family, costs)| costs[usize::from(family)]);
            let cost = 4 * COST_SCALE + each.sum::<u32>();
            if cost < total {
                (total, choice) = (cost, Choice::Preset(number as u8));
            }
        }
        choice
    }

    /// Appends the choice to the header of its unit.
    pub(super) fn write(&self, steps: usize, bits: &mut BitWriter<'_>) {
        let (map, own) = match self {
            Choice::Preset(number) => {
                bits.put(1, 1);
                return bits.put(*number, 4);
            }
            Choice::Families(map) => (map, &[][..]),
            Choice::Own(map, own) => (map, &own[..]),
        };
        bits.put(0, 1);
        if steps >= OWN_STEPS {
            bits.put(u8::from(!own.is_empty()), 1);
        }
        for (context, &family) in map.iter().enumerate() {
            let table = own.iter().find(|(own, _)| *own == context);
            if !own.is_empty() {
                bits.put(u8::from(table.is_some()), 1);
            }
            match table {
                Some((_, table)) => own::write(table, bits),
                None => bits.put(family, 5),
            }
        }
    }

    /// What [`push`](crate::lossless::kernel::push) codes it with; own tables are expanded in `entries`.
    pub(super) fn tables<'a>(&self, entries: &'a mut Vec<Entry>) -> (Map, &'a [Entry; ENTRIES]) {
        match self {
            Choice::Preset(number) => (MAPS[usize::from(*number)], &ENCODE),
            Choice::Families(map) => (*map, &ENCODE),
            Choice::Own(map, own) => {
                entries.resize(ENTRIES, Entry::IDLE);
                for (to, &family) in entries.chunks_mut(64).zip(map) {
                    to.copy_from_slice(&ENCODE[usize::from(family) * 64..][..64]);
                }
                for (context, table) in own {
                    expand_entries(&table.frequencies, entries, context * 64);
                }
                let entries = entries.first_chunk().unwrap_or(&ENCODE);
                (core::array::from_fn(|context| context as u8), entries)
            }
        }
    }
}

/// What each family would cost for each context.
fn costs(counts: &Counts) -> [[u32; FAMILY_COUNT]; CONTEXTS] {
    let mut costs = [[0u32; FAMILY_COUNT]; CONTEXTS];
    for (costs, counts) in costs.iter_mut().zip(counts) {
        for (&count, row) in counts[..ESCAPE].iter().zip(&COST) {
            if count != 0 {
                costs.iter_mut().zip(row).for_each(|(cost, &c)| *cost += count * u32::from(c));
            }
        }
    }
    costs
}

/// A context that does better with a table of its own.
struct OwnTable {
    context: usize,
    table: Table,
    cost: u32,
}

/// The contexts for which own tables cost less than `best`.
fn own_tables(counts: &Counts, best: &[u32; CONTEXTS]) -> Vec<OwnTable> {
    let mut tables = Vec::new();
    for (context, counts) in counts.iter().enumerate() {
        if counts[..ESCAPE].iter().sum::<u32>() > LEAST_SAMPLES {
            let table = own::fit(counts);
            let cost = own::cost_of(&table, counts);
            if cost < best[context] {
                tables.push(OwnTable { context, table, cost });
            }
        }
    }
    tables
}

/// Own tables are tried for contexts that were met more often than this: they are a hundred bits long.
const LEAST_SAMPLES: u32 = 400;
