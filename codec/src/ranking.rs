//! Colours as a chain of guesses: what the text coder and units of the screen codec have in common.

use crate::range::{Coder, Odds};

/// Hashes of two, four and seven neighbours: of W and N; and NW and NE; and WW, NN and NEE.
#[inline(always)]
pub(crate) fn hashes([w, n, nw, ne, ww, nn, nee]: [u32; 7]) -> [u32; 3] {
    let two = mix(w, 0x9e37_79b1) ^ mix(n, 0x85eb_ca6b).rotate_left(11);
    let four = two ^ mix(nw, 0xc2b2_ae35).rotate_left(5) ^ mix(ne, 0x27d4_eb2f).rotate_left(17);
    let seven = four
        ^ mix(ww, 0x1656_67b1).rotate_left(7)
        ^ mix(nn, 0xd3a2_646d).rotate_left(13)
        ^ mix(nee, 0xfd70_46c5).rotate_left(23);
    [two, four, seven]
}

#[inline(always)]
pub(crate) fn mix(colour: u32, odd: u32) -> u32 {
    colour.wrapping_mul(odd)
}

/// Which neighbours are equal, as a number below 16.
#[inline(always)]
pub(crate) fn equalities(w: u32, n: u32, nw: u32, ne: u32) -> usize {
    usize::from(w == n) | usize::from(n == ne) << 1 | usize::from(w == nw) << 2 | usize::from(n == nw) << 3
}

/// The colour that continues W, N and NW smoothly.
pub(crate) fn expected(w: u32, n: u32, nw: u32) -> u32 {
    let [w, n, nw] = [w, n, nw].map(|colour| colour.to_le_bytes().map(i32::from));
    let component = |i: usize| (w[i] + n[i] - nw[i]).clamp(w[i].min(n[i]), w[i].max(n[i])) as u8;
    u32::from_le_bytes([component(0), component(1), component(2), 0])
}

/// Guesses that were wrong; asking again would waste a question.
#[derive(Default)]
pub(crate) struct Rejected {
    colours: [u32; Self::MOST],
    count: usize,
}

impl Rejected {
    /// Four tables, four neighbours, and what was shown.
    const MOST: usize = 9;

    /// False if `colour` is there already.
    #[inline(always)]
    pub(crate) fn add(&mut self, colour: u32) -> bool {
        if self.colours[..self.count].contains(&colour) {
            return false;
        }
        self.colours[self.count % Self::MOST] = colour;
        self.count += 1;
        true
    }

    /// How many there are.
    #[inline(always)]
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

/// Colours that were spelled out, by [`number`].
pub(crate) type Met = [u32; 256];

/// The number under which a colour is met again.
pub(crate) fn number(colour: u32) -> u8 {
    (colour.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

/// How many odds [`spell`] takes.
pub(crate) const SPELLED: usize = RED + 2 * 256;
/// Was it met before; which one.
const MET: usize = 0;
const NUMBER: usize = MET + 1;
/// The components of a new colour, less what is expected.
const GREEN: usize = NUMBER + 256;
const GRAY: usize = GREEN + 256;
const BLUE: usize = GRAY + 2;
const RED: usize = BLUE + 2 * 256;

/// Codes a colour that was not guessed: one met before by its number, or its three components. `odds` are [`SPELLED`].
#[cold]
pub(crate) fn spell<C: Coder>(
    coder: &mut C,
    odds: &mut [Odds],
    met: &mut Met,
    expected: u32,
    truth: u32,
) -> u32 {
    let place = number(truth);
    if coder.decide(&mut odds[MET], met[usize::from(place)] == truth) {
        return met[usize::from(code_byte(coder, &mut odds[NUMBER..][..256], place))];
    }
    let [b, g, r, _] = truth.to_le_bytes();
    let [eb, eg, er, _] = expected.to_le_bytes();
    let dg = code_byte(coder, &mut odds[GREEN..][..256], g.wrapping_sub(eg));
    let db = b.wrapping_sub(eb).wrapping_sub(dg);
    let dr = r.wrapping_sub(er).wrapping_sub(dg);
    let is_gray = coder.decide(&mut odds[GRAY + usize::from(dg == 0)], db == 0 && dr == 0);
    let (db, dr) = if is_gray {
        (0, 0)
    } else {
        let db = code_byte(coder, &mut odds[BLUE + usize::from(dg == 0) * 256..][..256], db);
        (db, code_byte(coder, &mut odds[RED + usize::from(db == 0) * 256..][..256], dr))
    };
    let component = |expected: u8, d: u8| expected.wrapping_add(dg).wrapping_add(d);
    let colour = u32::from_le_bytes([component(eb, db), eg.wrapping_add(dg), component(er, dr), 0]);
    met[usize::from(number(colour))] = colour;
    colour
}

/// Eight questions, from the top bit down.
fn code_byte<C: Coder>(coder: &mut C, odds: &mut [Odds], byte: u8) -> u8 {
    let mut node = 1usize;
    for bit in (0..8).rev() {
        node = node << 1 | usize::from(coder.decide(&mut odds[node % 256], byte >> bit & 1 == 1));
    }
    node as u8
}
