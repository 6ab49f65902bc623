//! Three channels into three planes and back: what differences between channels are worth coding.

use super::sample::{Sites, error_bits};

/// One of the ways to turn red, green and blue into planes: an order of the channels, and for the second and the
/// third what is taken away from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Transform(u8);

/// The orders of the channels; 0 is blue, 1 green, 2 red.
const ORDERS: [[usize; 3]; 6] = [[1, 0, 2], [1, 2, 0], [0, 1, 2], [0, 2, 1], [2, 1, 0], [2, 0, 1]];

/// A transform of a given depth as masks and shifts, so that one loop serves all.
struct Recipe {
    /// Where the channels of the first, second and third plane lie in a colour.
    shifts: [u32; 3],
    /// All bits of a sample.
    mask: u32,
    /// What stands for a difference of 0, in the second and the third plane; 0 where nothing is taken away.
    middle: [u32; 2],
    /// The part of the first channel that is taken away from the second.
    second: u32,
    /// The parts of the first and of the second channel whose sum, halved or not, is taken away from the third.
    third: [u32; 2],
    halved: u32,
}

impl Transform {
    /// How many there are.
    pub(super) const COUNT: u8 = 48;

    /// The transform of a number; `None` from [`Transform::COUNT`] on.
    pub(super) fn new(number: u8) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    pub(super) fn number(self) -> u8 {
        self.0
    }

    fn order(self) -> [usize; 3] {
        ORDERS[usize::from(self.0 % 6)]
    }

    fn recipe(self, depth: u32) -> Recipe {
        let all = u32::MAX;
        let second = if (self.0 / 6).is_multiple_of(2) { all } else { 0 };
        let (third, halved) = match self.0 / 12 {
            0 => ([all, 0], 0),
            1 => ([0, 0], 0),
            2 => ([0, all], 0),
            _ => ([all, all], 1),
        };
        let middle = |parts: u32| if parts == 0 { 0 } else { 1 << (depth - 1) };
        Recipe {
            shifts: self.order().map(|channel| channel as u32 * depth),
            mask: (1 << depth) - 1,
            middle: [middle(second), middle(third[0] | third[1])],
            second,
            third,
            halved,
        }
    }

    /// A row of colours, `depth` bits a channel with blue lowest, into rows of planes.
    #[inline]
    pub(super) fn split_row(self, depth: u32, source: impl Iterator<Item = u32>, planes: [&mut [u16]; 3]) {
        let Recipe { shifts: [a, b, c], mask, middle, second, third, halved } = self.recipe(depth);
        let [first_row, second_row, third_row] = planes;
        for (((colour, x), y), z) in source.zip(first_row).zip(second_row).zip(third_row) {
            let (p, q, r) = (colour >> a & mask, colour >> b & mask, colour >> c & mask);
            let base = ((p & third[0]) + (q & third[1])) >> halved;
            *x = p as u16;
            *y = (q.wrapping_sub(p & second).wrapping_add(middle[0]) & mask) as u16;
            *z = (r.wrapping_sub(base).wrapping_add(middle[1]) & mask) as u16;
        }
    }

    /// Gives what [`Transform::split_row`] split, colour by colour, to `put`.
    #[inline]
    pub(super) fn join_row(self, depth: u32, planes: [&[u16]; 3], mut put: impl FnMut(usize, u32)) {
        let Recipe { shifts: [a, b, c], mask, middle, second, third, halved } = self.recipe(depth);
        let [first_row, second_row, third_row] = planes;
        for (i, ((x, y), z)) in first_row.iter().zip(second_row).zip(third_row).enumerate() {
            let p = u32::from(*x) & mask;
            let q = u32::from(*y).wrapping_add(p & second).wrapping_sub(middle[0]) & mask;
            let base = ((p & third[0]) + (q & third[1])) >> halved;
            let r = u32::from(*z).wrapping_add(base).wrapping_sub(middle[1]) & mask;
            put(i, p << a | q << b | r << c);
        }
    }

    /// The transform whose planes look cheapest at some sites of a `w` x `h` picture, and the bits they would cost
    /// there, in the unit of [`error_bits`]. `colour` gives the colour at (x, y).
    pub(super) fn choose(
        depth: u32,
        w: usize,
        h: usize,
        colour: impl Fn(usize, usize) -> u32,
    ) -> (Self, u64) {
        let mask = (1 << depth) - 1;
        let mut costs = Costs::default();
        for (x, y) in Sites::new(w, h) {
            let around = [colour(x, y), colour(x - 1, y), colour(x, y - 1), colour(x - 1, y - 1)];
            costs.add(around.map(|c| [0, depth, 2 * depth].map(|shift| (c >> shift & mask) as i32)));
        }
        let all = (0..Self::COUNT).map(|number| (Self(number), costs.of(Self(number))));
        all.min_by_key(|(_, cost)| *cost).unwrap_or_default()
    }
}

/// What each plane that a transform can have would cost.
#[derive(Default)]
struct Costs {
    /// A channel as it is.
    alone: [u64; 3],
    /// The difference of the two channels other than this.
    without: [u64; 3],
    /// A channel less the mean of the other two.
    less_mean: [u64; 3],
}

impl Costs {
    /// Adds a site: the channels of a pixel, and of its W, N and NW.
    fn add(&mut self, around: [[i32; 3]; 4]) {
        for i in 0..3 {
            let (j, k) = ((i + 1) % 3, (i + 2) % 3);
            let cost = |of: fn(i32, i32, i32) -> i32| {
                let [own, w, n, nw] = around.map(|c| of(c[i], c[j], c[k]));
                u64::from(error_bits(own, w, n, nw))
            };
            self.alone[i] += cost(|own, _, _| own);
            self.without[i] += cost(|_, a, b| a - b);
            self.less_mean[i] += cost(|own, a, b| own - ((a + b) >> 1));
        }
    }

    fn of(&self, transform: Transform) -> u64 {
        let [a, b, c] = transform.order();
        let second = if (transform.0 / 6).is_multiple_of(2) { self.without[c] } else { self.alone[b] };
        let third = match transform.0 / 12 {
            0 => self.without[b],
            1 => self.alone[c],
            2 => self.without[a],
            _ => self.less_mean[c],
        };
        self.alone[a] + second + third
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transform_gives_colours_back() {
        for depth in [8, 10] {
            let all = (1 << (3 * depth)) - 1;
            let colours: [u32; 64] = core::array::from_fn(|i| (i as u32).wrapping_mul(0x9e37_79b9) & all);
            for number in 0..Transform::COUNT {
                let transform = Transform::new(number).unwrap();
                let [mut a, mut b, mut c] = [[0; 64]; 3];
                transform.split_row(depth, colours.iter().copied(), [&mut a, &mut b, &mut c]);
                assert!(a.iter().chain(&b).chain(&c).all(|&sample| sample < 1 << depth));
                let mut back = [0; 64];
                transform.join_row(depth, [&a, &b, &c], |x, colour| back[x] = colour);
                assert_eq!(back, colours, "{number}");
            }
        }
        assert_eq!(Transform::new(Transform::COUNT), None);
    }

    #[test]
    fn what_channels_share_is_taken_away() {
        // Noise that is the same in red and green, other noise in blue.
        let noise = |x: usize, y: usize, salt: usize| {
            ((x * 31 + y * 17 + salt).wrapping_mul(0x9e37_79b1) >> 20 & 0x7f) as u32
        };
        let (chosen, _) = Transform::choose(8, 100, 100, |x, y| {
            let shared = noise(x, y, 0);
            (shared + 3) << 16 | shared << 8 | noise(x, y, 5000)
        });
        let mut planes = [[0; 100]; 3];
        let row: [u32; 100] = core::array::from_fn(|x| (noise(x, 7, 0) + 3) << 16 | noise(x, 7, 0) << 8);
        let [a, b, c] = &mut planes;
        chosen.split_row(8, row.iter().copied(), [a, b, c]);
        assert!(planes.iter().any(|plane| plane.iter().all(|&sample| sample == 131 || sample == 125)));
    }
}
