//! Which kernels this CPU may run.
//!
//! Every kernel gives the same bytes at every level, so a mask changes speed and nothing else: the tests mask
//! features off to compare the fast versions with the plain one.

use core::fmt;

/// A set of CPU features that kernels know how to use.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Features(u8);

impl Features {
    /// Plain Rust only.
    pub const NONE: Features = Features(0);
    /// x86-64 with AVX2, BMI1, BMI2 and POPCNT.
    pub const AVX2: Features = Features(1);
    /// What [`Features::AVX2`] holds, and of AVX-512 the parts F, BW and VL.
    pub const AVX512: Features = Features(1 | 2);
    /// AArch64 with NEON.
    pub const NEON: Features = Features(4);

    /// What this CPU offers. On x86-64 without the feature `std` there is no way to ask: [`Features::NONE`]. NEON
    /// needs no question: it is there if the target says so, and nearly all do.
    pub fn detect() -> Features {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("popcnt") {
                let is_wide = has!("avx512f") && has!("avx512bw") && has!("avx512vl");
                return if is_wide { Features::AVX512 } else { Features::AVX2 };
            }
        }
        if cfg!(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little")) {
            return Features::NEON;
        }
        Features::NONE
    }

    /// What both sets hold: `Features::detect().masked(allowed)` never claims what the CPU lacks.
    #[must_use]
    pub const fn masked(self, allowed: Features) -> Features {
        Features(self.0 & allowed.0)
    }

    /// True if every feature of `other` is in this set.
    pub const fn has(self, other: Features) -> bool {
        self.0 & other.0 == other.0
    }

    /// The sets within this one that have kernels of their own, the plain one first.
    pub fn levels(self) -> impl Iterator<Item = Features> {
        LEVELS.into_iter().map(|(level, _)| level).filter(move |level| self.has(*level))
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = LEVELS.iter().rev().find(|(level, _)| self.has(*level)).map_or("plain", |(_, name)| name);
        write!(f, "Features({name})")
    }
}

const LEVELS: [(Features, &str); 4] = [
    (Features::NONE, "plain"),
    (Features::AVX2, "avx2"),
    (Features::AVX512, "avx512"),
    (Features::NEON, "neon"),
];

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn levels_are_what_a_mask_may_leave() {
        let cpu = Features::detect();
        let levels: Vec<_> = cpu.levels().collect();
        assert_eq!(levels.first(), Some(&Features::NONE));
        assert_eq!(levels.last(), Some(&cpu), "the fastest kernels are those that run");
        for (level, name) in LEVELS {
            if !levels.contains(&level) {
                std::eprintln!("skipped: this CPU does not run the kernels of {name}");
            }
            assert!(levels.contains(&cpu.masked(level)));
        }
    }
}
