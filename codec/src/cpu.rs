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

    /// What this CPU offers. Without the feature `std` there is no way to ask: [`Features::NONE`].
    pub fn detect() -> Features {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("popcnt")
        {
            return Features::AVX2;
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
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.has(Features::AVX2) { "Features(avx2)" } else { "Features(plain)" })
    }
}
