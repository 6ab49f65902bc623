//! Sixteen lanes of 16 bits in two NEON registers.

use core::arch::aarch64::*;

use super::super::vector::{Narrow, narrow_methods, trusting};
use super::wide::V;
use crate::lossless::wave::LANES;

/// Lanes 0..8 and 8..16. A value exists only where the CPU has NEON.
#[derive(Clone, Copy)]
pub(super) struct H(pub(super) uint16x8_t, pub(super) uint16x8_t);

/// Gives operations on two registers their names.
macro_rules! lanewise {
    ($($name:ident = $op:ident;)*) => { $(
        #[inline]
        #[target_feature(enable = "neon")]
        pub(super) fn $name(self, other: H) -> H {
            H($op(self.0, other.0), $op(self.1, other.1))
        }
    )* };
}

/// The same for numbers with sign.
macro_rules! signed {
    ($($name:ident = $op:ident $back:ident;)*) => { $(
        #[inline]
        #[target_feature(enable = "neon")]
        pub(super) fn $name(self, other: H) -> H {
            let half = |a, b| $back($op(vreinterpretq_s16_u16(a), vreinterpretq_s16_u16(b)));
            H(half(self.0, other.0), half(self.1, other.1))
        }
    )* };
}

/// `x` as it is.
#[inline]
fn same(x: uint16x8_t) -> uint16x8_t {
    x
}

impl H {
    lanewise! {
        add = vaddq_u16;
        sub = vsubq_u16;
        add_up = vqaddq_u16;
        and = vandq_u16;
        or = vorrq_u16;
        xor = veorq_u16;
        least = vminq_u16;
        is = vceqq_u16;
    }

    signed! {
        min = vminq_s16 vreinterpretq_u16_s16;
        max = vmaxq_s16 vreinterpretq_u16_s16;
        is_more = vcgtq_s16 same;
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn all(value: u16) -> H {
        H(vdupq_n_u16(value), vdupq_n_u16(value))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn load(lanes: &[u16; LANES]) -> H {
        let at = lanes.as_ptr();
        // SAFETY: the reference holds two registers of 16 bytes, and a load asks for nothing else.
        unsafe { H(vld1q_u16(at), vld1q_u16(at.add(8))) }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn store(self, lanes: &mut [u16; LANES]) {
        let at = lanes.as_mut_ptr();
        // SAFETY: as in `load`, and the reference is exclusive.
        unsafe {
            vst1q_u16(at, self.0);
            vst1q_u16(at.add(8), self.1);
        }
    }

    /// The bits of `other` that are not in this one.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn clears(self, other: H) -> H {
        H(vbicq_u16(other.0, self.0), vbicq_u16(other.1, self.1))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn left<const BITS: i32>(self) -> H {
        H(vshlq_n_u16::<BITS>(self.0), vshlq_n_u16::<BITS>(self.1))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn right<const BITS: i32>(self) -> H {
        H(vshrq_n_u16::<BITS>(self.0), vshrq_n_u16::<BITS>(self.1))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn halve<const BITS: i32>(self) -> H {
        let half = |x| vreinterpretq_u16_s16(vshrq_n_s16::<BITS>(vreinterpretq_s16_u16(x)));
        H(half(self.0), half(self.1))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn or_where(self, mask: H, other: H) -> H {
        H(vbslq_u16(mask.0, other.0, self.0), vbslq_u16(mask.1, other.1, self.1))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn down(self, first: &[u16; 8]) -> H {
        // SAFETY: the reference holds 16 bytes, and a load asks for nothing else.
        let first = unsafe { vld1q_u16(first.as_ptr()) };
        H(vextq_u16::<7>(first, self.0), vextq_u16::<7>(self.0, self.1))
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn last(self) -> u16 {
        vgetq_lane_u16::<7>(self.1)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn bits(self) -> u32 {
        const BITS: [u16; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
        // SAFETY: the array holds 16 bytes, and a load asks for nothing else.
        let bits = unsafe { vld1q_u16(BITS.as_ptr()) };
        let half = |mask| u32::from(vaddvq_u16(vandq_u16(mask, bits)));
        half(self.0) | half(self.1) << 8
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn spread(self) -> V {
        let low = |x| vmovl_u16(vget_low_u16(x));
        V([low(self.0), vmovl_high_u16(self.0), low(self.1), vmovl_high_u16(self.1)])
    }

    /// A mask for lanes of 32 bits.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn spread_mask(self) -> V {
        let low = |x| vreinterpretq_u32_u16(vzip1q_u16(x, x));
        let high = |x| vreinterpretq_u32_u16(vzip2q_u16(x, x));
        V([low(self.0), high(self.0), low(self.1), high(self.1)])
    }
}

impl Narrow for H {
    narrow_methods! { H }
}
