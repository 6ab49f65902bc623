//! Tables that a unit brings along, where the families fit its contexts badly.

use super::model::{ESCAPE, ESCAPE_BITS, TOKENS, raw_bits};
use super::tables::{COST_SCALE, SCALE_BITS, cost};
use crate::lossless::DecodeError;
use crate::lossless::bytes::{BitReader, BitWriter};

/// How many of 2^[`SCALE_BITS`] slots each token has; the escape has one at least, none has all.
pub(in crate::lossless) type Frequencies = [u16; TOKENS];

/// A table on the encoder's side.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) frequencies: Frequencies,
    /// The token that has what the others leave.
    rest: usize,
}

/// All slots of a table.
const ALL: i32 = 1 << SCALE_BITS;
/// Bits of a frequency that are coded below its leading one. What rounding leaves or takes goes to one token, whose
/// frequency is not coded.
const FINE: u32 = 3;
/// The length of a frequency that the first is told from.
const FIRST_LENGTH: i32 = 8;

/// A table for tokens that were seen this often, one of them at least.
pub(super) fn fit(counts: &[u32; 64]) -> Table {
    let seen: u64 = counts[..ESCAPE].iter().map(|&count| u64::from(count)).sum();
    let rest = (0..ESCAPE).max_by_key(|&k| counts[k]).unwrap_or_default();
    let mut table = [0; TOKENS];
    for (frequency, &count) in table[..ESCAPE].iter_mut().zip(counts) {
        // What is rarer than a seventh of a slot escapes.
        let sevenths = (7 << SCALE_BITS) * u64::from(count) / seen.max(1);
        let slots = ((sevenths + 3) / 7).max(u64::from(sevenths > 0));
        *frequency = round(slots as u32);
    }
    table[ESCAPE] = 1;
    // Rounding and rare tokens may take all there is: then all others give up a part.
    while settle(&mut table, rest).is_none() {
        for (k, frequency) in table[..ESCAPE].iter_mut().enumerate() {
            if k != rest && *frequency > 1 {
                *frequency = round(u32::from(*frequency) * 7 / 8);
            }
        }
    }
    Table { frequencies: table, rest }
}

/// The next number, up or down, that ends [`FINE`] places below its leading one.
fn round(slots: u32) -> u16 {
    let cut = slots.max(1).ilog2().saturating_sub(FINE);
    ((slots + (1 << cut >> 1)) >> cut << cut) as u16
}

/// Gives token `rest` what the others leave; `None` if that is nothing, or all.
fn settle(table: &mut Frequencies, rest: usize) -> Option<()> {
    table[rest] = 0;
    let left = ALL - table.iter().map(|&f| i32::from(f)).sum::<i32>();
    table[rest] = left.max(0) as u16;
    (1..ALL).contains(&left).then_some(())
}

/// What tokens that were seen this often cost with a table, and the table itself, in 1/[`COST_SCALE`] bit.
pub(super) fn cost_of(table: &Table, counts: &[u32; 64]) -> u32 {
    let frequencies = &table.frequencies;
    let escape = cost(frequencies[ESCAPE]) + (ESCAPE_BITS * COST_SCALE) as u16;
    let each = |k: usize| match frequencies[k] {
        0 => escape - (raw_bits(k as u32).0 * COST_SCALE) as u16,
        frequency => cost(frequency),
    };
    let tokens: u32 = (0..ESCAPE).filter(|&k| counts[k] != 0).map(|k| counts[k] * u32::from(each(k))).sum();
    let mut bits = 0;
    fields(table, |_, count| bits += count as u32);
    tokens + bits * COST_SCALE
}

/// Appends a table.
pub(super) fn write(table: &Table, bits: &mut BitWriter<'_>) {
    fields(table, |value, count| bits.put(value, count));
}

/// The bit fields of a table: values and how many bits they have.
fn fields(table: &Table, mut put: impl FnMut(u8, usize)) {
    let Table { frequencies, rest } = table;
    let last = (0..ESCAPE).rev().find(|&k| frequencies[k] != 0).unwrap_or(0);
    put(last as u8, 6);
    put(*rest as u8, 6);
    let mut before = FIRST_LENGTH;
    for (_, &frequency) in frequencies[..=last].iter().enumerate().filter(|(k, _)| k != rest) {
        let length = if frequency == 0 { 0 } else { frequency.ilog2() as i32 + 1 };
        let step = length - before;
        before = length;
        let folded = ((step << 1 ^ step >> 31) + 1) as u32;
        let extra = folded.ilog2() as usize;
        put(((1u32 << extra) - 1) as u8, extra + 1);
        put((folded - (1 << extra)) as u8, extra);
        let fine = (length - 1).clamp(0, FINE as i32);
        let value = frequency >> (length - 1 - fine).max(0);
        put((value & ((1 << fine) - 1)) as u8, fine as usize);
    }
}

/// Reads a table.
pub(super) fn read(bits: &mut BitReader<'_>) -> Result<Frequencies, DecodeError> {
    const CORRUPT: DecodeError = DecodeError::Corrupt("table");
    let mut table = [0; TOKENS];
    let (last, rest) = (usize::from(bits.take(6)?), usize::from(bits.take(6)?));
    if last >= ESCAPE || rest > last {
        return Err(CORRUPT);
    }
    let mut length = FIRST_LENGTH;
    for (_, frequency) in table[..=last].iter_mut().enumerate().filter(|(k, _)| *k != rest) {
        let mut extra = 0;
        while bits.take(1)? == 1 {
            extra += 1;
            if extra > 4 {
                return Err(CORRUPT);
            }
        }
        let folded = (1 << extra | i32::from(bits.take(extra)?)) - 1;
        length += folded >> 1 ^ -(folded & 1);
        if !(0..=SCALE_BITS as i32).contains(&length) {
            return Err(CORRUPT);
        }
        if length > 0 {
            let fine = (length - 1).min(FINE as i32) as usize;
            *frequency = (1 << fine | u16::from(bits.take(fine)?)) << (length as usize - 1 - fine);
        }
    }
    table[ESCAPE] = 1;
    settle(&mut table, rest).ok_or(CORRUPT)?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::lossless::bytes::Reader;

    /// The table of `counts`, as it comes out at the other end.
    fn check(counts: &[u32; 64]) -> Frequencies {
        let table = fit(counts);
        let mut bytes = Vec::new();
        let mut bits = BitWriter::new(&mut bytes);
        write(&table, &mut bits);
        bits.finish();
        let back = Reader::new(&bytes).bits(read).unwrap();
        let table = table.frequencies;
        assert_eq!(back, table);
        assert_eq!(table.iter().map(|&f| i32::from(f)).sum::<i32>(), ALL);
        assert!(table[ESCAPE] >= 1 && table.iter().all(|&f| i32::from(f) < ALL));
        table
    }

    #[test]
    fn tables_fit_and_come_back() {
        let mut counts = [0; 64];
        counts[7] = 1;
        assert_eq!(check(&counts)[7], 1023);
        check(&[1; 64]);
        check(&core::array::from_fn(|k| 1 << (k % 16)));
        check(&core::array::from_fn(|k| if k % 2 == 0 { 1_000_000 } else { 3 }));
        check(&core::array::from_fn(|k| 1_000_000 >> (k / 2)));
        let mut state = 1u32;
        for _ in 0..2000 {
            let counts = core::array::from_fn(|_| {
                state = state.wrapping_mul(0x9e37_79b1).wrapping_add(7);
                state >> 12 >> (state % 20)
            });
            check(&counts);
        }
    }

    #[test]
    fn random_bits_are_no_table_or_one_that_holds_together() {
        let mut state = 9u32;
        for _ in 0..2000 {
            let bytes: [u8; 60] = core::array::from_fn(|_| {
                state = state.wrapping_mul(0x9e37_79b1).wrapping_add(7);
                (state >> 24 & state >> 16) as u8
            });
            if let Ok(table) = Reader::new(&bytes).bits(read) {
                assert_eq!(table.iter().map(|&f| i32::from(f)).sum::<i32>(), ALL);
                assert!(table.iter().all(|&f| i32::from(f) < ALL));
            }
        }
    }
}
