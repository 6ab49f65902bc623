//! [`scalar::push`](super::super::scalar::push) with vectors: all lanes of a step at once.

use super::super::scalar::{Step, Tables, Words, push_step};
use super::{Lanes, Wide};
use crate::lossless::wave::LANES;
use crate::lossless::wave::tables::{ENTRIES, Entry, Map, SCALE_BITS};

/// Pushes the symbols of a unit.
#[inline(always)]
pub(in super::super) fn push<L: Lanes>(
    cpu: L,
    steps: &[Step],
    map: &Map,
    entries: &[Entry; ENTRIES],
    states: &mut [u32; LANES],
    words: &mut Words,
) {
    let mut tables = Tables::IDLE;
    tables.fill(map, entries);
    let mut x = cpu.load_wide(states);
    for step in steps.iter().rev() {
        let (reciprocal, rest) = cpu.look_up(&tables, &step.keys);
        if rest.is_any_negative() {
            let mut lanes = x.store();
            push_step(&mut lanes, step, &tables, words);
            x = cpu.load_wide(&lanes);
        } else {
            x = push_lanes(cpu, x, cpu.spread(&step.residuals), reciprocal, rest, words);
        }
    }
    *states = x.store();
}

/// One token into each state.
#[inline(always)]
fn push_lanes<L: Lanes>(
    cpu: L,
    x: L::V,
    residuals: L::V,
    reciprocal: L::V,
    rest: L::V,
    words: &mut Words,
) -> L::V {
    let frequency = rest.and(cpu.all_wide(0x7ff));
    let room = rest.right::<11>().and(cpu.all_wide(31));
    // Nothing lies above it: no lane is special.
    let start = rest.right::<16>();

    let fits = frequency.is_more(x.shift_right(room));
    cpu.put(x, fits, words);
    let x = x.right::<16>().or_where(fits, x);

    let raw = residuals.and(cpu.all_wide((1 << 22) - 1).shift_right(room));
    let y = x.shift_left(cpu.all_wide(22).sub(room)).or(raw);
    // The reciprocal is rounded down: the quotient is one short at most.
    let short = y.high_product(reciprocal);
    let remainder = y.sub(short.mul(frequency));
    let is_exact = frequency.is_more(remainder);
    let more = cpu.all_wide(1 << SCALE_BITS).sub(frequency).unless(is_exact);
    remainder.add(start).add(short.left::<{ SCALE_BITS as i32 }>().add(more))
}
