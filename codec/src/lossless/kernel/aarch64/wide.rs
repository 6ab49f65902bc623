//! Sixteen lanes of 32 bits in four NEON registers.

use core::arch::aarch64::*;

use super::super::vector::{Wide, trusting, wide_methods};
use super::narrow::H;
use crate::lossless::wave::LANES;

/// Lanes in their natural order. A value exists only where the CPU has NEON.
#[derive(Clone, Copy)]
pub(super) struct V(pub(super) [uint32x4_t; 4]);

/// Gives operations on two numbers their names.
macro_rules! lanewise {
    ($($name:ident = $op:ident;)*) => { $(
        #[inline]
        #[target_feature(enable = "neon")]
        pub(super) fn $name(self, other: V) -> V {
            let (V([a, b, c, d]), V([e, f, g, h])) = (self, other);
            V([$op(a, e), $op(b, f), $op(c, g), $op(d, h)])
        }
    )* };
}

/// The same for one.
macro_rules! each {
    ($(fn $name:ident $(<const $bits:ident: i32>)? = $op:expr;)*) => { $(
        #[inline]
        #[target_feature(enable = "neon")]
        pub(super) fn $name $(<const $bits: i32>)? (self) -> V {
            let (V([a, b, c, d]), op) = (self, $op);
            V([op(a), op(b), op(c), op(d)])
        }
    )* };
}

impl V {
    lanewise! {
        add = vaddq_u32;
        sub = vsubq_u32;
        mul = vmulq_u32;
        high_product = high_product;
        and = vandq_u32;
        or = vorrq_u32;
        clears = clears;
        is_more = is_more;
        shift_left = shift_left;
        shift_right = shift_right;
    }

    each! {
        fn left<const BITS: i32> = |x| vshlq_n_u32::<BITS>(x);
        fn right<const BITS: i32> = |x| vshrq_n_u32::<BITS>(x);
        fn float_bits = |x| vreinterpretq_u32_f32(vcvtq_f32_u32(x));
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn all(value: u32) -> V {
        V([vdupq_n_u32(value); 4])
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn load(lanes: &[u32; LANES]) -> V {
        let at = lanes.as_ptr();
        // SAFETY: the reference holds four registers of 16 bytes, and a load asks for nothing else.
        unsafe { V([vld1q_u32(at), vld1q_u32(at.add(4)), vld1q_u32(at.add(8)), vld1q_u32(at.add(12))]) }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    fn store(self) -> [u32; LANES] {
        let mut lanes = [0; LANES];
        for (four, x) in lanes.as_chunks_mut::<4>().0.iter_mut().zip(self.0) {
            // SAFETY: the reference holds 16 bytes, and a store asks for nothing else.
            unsafe { vst1q_u32(four.as_mut_ptr(), x) };
        }
        lanes
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn or_where(self, mask: V, other: V) -> V {
        let (V([a, b, c, d]), V([e, f, g, h]), V([i, j, k, l])) = (mask, other, self);
        V([vbslq_u32(a, e, i), vbslq_u32(b, f, j), vbslq_u32(c, g, k), vbslq_u32(d, h, l)])
    }

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn pack(self) -> H {
        let V([a, b, c, d]) = self;
        let low = |a, b| vuzp1q_u16(vreinterpretq_u16_u32(a), vreinterpretq_u16_u32(b));
        H(low(a, b), low(c, d))
    }

    /// The largest of the lanes or above it; 0 if all are 0.
    #[inline]
    #[target_feature(enable = "neon")]
    fn all_bits(self) -> u32 {
        let V([a, b, c, d]) = self;
        vmaxvq_u32(vorrq_u32(vorrq_u32(a, b), vorrq_u32(c, d)))
    }
}

#[rustfmt::skip]
impl Wide for V {
    type H = H;
    type Mask = V;

    wide_methods! { V }
    trusting! {
        fn store(self) -> [u32; LANES] { V::store(self) }
        fn pack(self) -> H { V::pack(self) }
        fn is_none(self) -> bool { V::all_bits(self) == 0 }
        fn is_any_negative(self) -> bool { V::all_bits(self) >> 31 == 1 }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn high_product(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    let low = vmull_u32(vget_low_u32(a), vget_low_u32(b));
    let high = vmull_high_u32(a, b);
    vuzp2q_u32(vreinterpretq_u32_u64(low), vreinterpretq_u32_u64(high))
}

/// The bits of `b` that are not in `a`.
#[inline]
#[target_feature(enable = "neon")]
fn clears(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    vbicq_u32(b, a)
}

#[inline]
#[target_feature(enable = "neon")]
fn is_more(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    vcgtq_s32(vreinterpretq_s32_u32(a), vreinterpretq_s32_u32(b))
}

#[inline]
#[target_feature(enable = "neon")]
fn shift_left(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    vshlq_u32(a, vreinterpretq_s32_u32(b))
}

#[inline]
#[target_feature(enable = "neon")]
fn shift_right(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    vshlq_u32(a, vnegq_s32(vreinterpretq_s32_u32(b)))
}
