//! How dear a plane will be, judged by some of its samples.

use super::wave::model::med;

/// Places in a picture that stand for all of it, neither in the first column nor in the first row.
pub(super) struct Sites {
    w: usize,
    len: usize,
    step: usize,
    at: usize,
    count: u32,
}

impl Sites {
    /// Of a picture of `w` x `h`: one place in 64, but 256 where there are so many, and 4096 at most.
    pub(super) fn new(w: usize, h: usize) -> Self {
        let len = w * h;
        let step = len / (len / 64).clamp(256, 4096);
        Self { w, len, step: step.max(1), at: 0, count: 0 }
    }
}

impl Iterator for Sites {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        loop {
            // Steps of one length could follow a column or a pattern of the picture.
            let jitter = self.count.wrapping_mul(0x9e37_79b1) as usize >> 16;
            let place = self.at + jitter % self.step;
            self.count += 1;
            self.at += self.step;
            if place >= self.len {
                return None;
            }
            let (x, y) = (place % self.w, place / self.w);
            if x > 0 && y > 0 {
                return Some((x, y));
            }
        }
    }
}

/// Compares what ways to code one picture cost at its sites.
pub(super) struct Judge {
    w: usize,
    h: usize,
}

impl Judge {
    pub(super) fn new(w: usize, h: usize) -> Self {
        Self { w, h }
    }

    pub(super) fn sites(&self) -> Sites {
        Sites::new(self.w, self.h)
    }

    /// What a plane of these samples costs, in the unit of [`error_bits`].
    pub(super) fn cost(&self, sample: impl Fn(usize, usize) -> u16) -> u64 {
        let at = |x: usize, y: usize| i32::from(sample(x, y));
        let bits = |(x, y)| error_bits(at(x, y), at(x - 1, y), at(x, y - 1), at(x - 1, y - 1));
        self.sites().map(|site| u64::from(bits(site))).sum()
    }

    /// True if `cost` and a list of `list` bits are less than `other`, by as much as a judgement by sites can tell.
    pub(super) fn saves(&self, cost: u64, other: u64, list: usize) -> bool {
        let list = 128 * list / Sites::new(self.w, self.h).step;
        cost + list as u64 + other / 128 < other
    }
}

/// What the error of the median edge detector will cost, in 1/128 bit: the logarithm of how large it is.
#[inline(always)]
pub(super) fn error_bits(own: i32, w: i32, n: i32, nw: i32) -> u32 {
    error_size(own - med(w, n, nw))
}

/// What any error will cost, likewise.
#[inline(always)]
pub(super) fn error_size(error: i32) -> u32 {
    (((error.unsigned_abs() + 1) as f32).to_bits() >> 16) - (127 << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_inside_and_few() {
        for (w, h) in [(1, 1), (1, 500), (500, 1), (2, 2), (64, 64), (640, 480), (4000, 3000)] {
            let all: alloc::vec::Vec<_> = Sites::new(w, h).collect();
            assert!(all.iter().all(|&(x, y)| (1..w).contains(&x) && (1..h).contains(&y)));
            assert!(all.len() <= 4200 && (w < 16 || h < 16 || all.len() >= 200), "{w}x{h}: {}", all.len());
        }
    }
}
