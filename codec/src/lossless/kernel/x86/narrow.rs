//! Sixteen lanes of 16 bits in one AVX2 register.

use core::arch::x86_64::*;

use super::lanes::V;
use crate::lossless::wave::LANES;

/// Lanes in their natural order.
#[derive(Clone, Copy)]
pub(super) struct H(pub(super) __m256i);

/// Gives operations on two registers their names.
macro_rules! lanewise {
    ($($(#[$doc:meta])* $name:ident = $op:ident;)*) => { impl H { $(
        #[inline]
        #[target_feature(enable = "avx2")]
        $(#[$doc])*
        pub(super) fn $name(self, other: H) -> H {
            H($op(self.0, other.0))
        }
    )* } };
}

lanewise! {
    add = _mm256_add_epi16;
    sub = _mm256_sub_epi16;
    /// The sum, or the largest number of 16 bits.
    add_up = _mm256_adds_epu16;
    /// The difference, or 0.
    sub_down = _mm256_subs_epu16;
    and = _mm256_and_si256;
    or = _mm256_or_si256;
    xor = _mm256_xor_si256;
    min = _mm256_min_epi16;
    max = _mm256_max_epi16;
    /// The smaller one without sign.
    least = _mm256_min_epu16;
    is = _mm256_cmpeq_epi16;
    is_more = _mm256_cmpgt_epi16;
    /// The lanes of `other` where this mask is not set.
    clears = _mm256_andnot_si256;
    /// Bytes of this, as the bytes of `other` say.
    look_up = _mm256_shuffle_epi8;
}

impl H {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn all(value: i16) -> H {
        H(_mm256_set1_epi16(value))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn load(lanes: &[u16; LANES]) -> H {
        // SAFETY: the reference holds 32 bytes, and an unaligned load asks for nothing else.
        H(unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn store(self, lanes: &mut [u16; LANES]) {
        // SAFETY: as in `load`, and the reference is exclusive.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), self.0) };
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn left<const BITS: i32>(self) -> H {
        H(_mm256_slli_epi16::<BITS>(self.0))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn right<const BITS: i32>(self) -> H {
        H(_mm256_srli_epi16::<BITS>(self.0))
    }

    /// A shift that keeps the sign.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn halve<const BITS: i32>(self) -> H {
        H(_mm256_srai_epi16::<BITS>(self.0))
    }

    /// `other` in the lanes where `mask` is -1.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn or_where(self, mask: H, other: H) -> H {
        H(_mm256_blendv_epi8(self.0, other.0, mask.0))
    }

    /// Every lane gets what the lane above had, lane 0 gets the last of `first`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn down(self, first: &[u16; 8]) -> H {
        // SAFETY: the reference holds 16 bytes, and an unaligned load asks for nothing else.
        let first = _mm256_castsi128_si256(unsafe { _mm_loadu_si128(first.as_ptr().cast()) });
        let above = _mm256_inserti128_si256::<1>(first, _mm256_castsi256_si128(self.0));
        H(_mm256_alignr_epi8::<14>(self.0, above))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn last(self) -> u16 {
        _mm256_extract_epi16::<15>(self.0) as u16
    }

    /// As 32-bit lanes in crossed order, with the lanes of `high` as their high halves.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn with_high(self, high: H) -> V {
        V(_mm256_unpacklo_epi16(self.0, high.0), _mm256_unpackhi_epi16(self.0, high.0))
    }

    /// As 32-bit lanes in crossed order.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn spread(self) -> V {
        self.with_high(H(_mm256_setzero_si256()))
    }

    /// One bit for each lane of a mask.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn bits(self) -> u32 {
        let bits = _mm256_movemask_epi8(_mm256_packs_epi16(self.0, self.0)) as u32;
        // Each half of the register holds its eight lanes twice.
        bits & 0xff | bits >> 16 & 0xff00
    }
}

/// Turns sixteen rows of eight numbers into eight columns of sixteen.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn transpose(rows: [&[u16; 8]; 16]) -> [H; 8] {
    // Rows i and i + 8 in one register: each half of it is transposed alone.
    let pair = |i: usize| {
        // SAFETY: the references hold 16 bytes, and unaligned loads ask for nothing else.
        let (low, high) = unsafe {
            (_mm_loadu_si128(rows[i].as_ptr().cast()), _mm_loadu_si128(rows[i + 8].as_ptr().cast()))
        };
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
    };
    let r = [pair(0), pair(1), pair(2), pair(3), pair(4), pair(5), pair(6), pair(7)];
    let (a0, a1) = (_mm256_unpacklo_epi16(r[0], r[1]), _mm256_unpackhi_epi16(r[0], r[1]));
    let (a2, a3) = (_mm256_unpacklo_epi16(r[2], r[3]), _mm256_unpackhi_epi16(r[2], r[3]));
    let (a4, a5) = (_mm256_unpacklo_epi16(r[4], r[5]), _mm256_unpackhi_epi16(r[4], r[5]));
    let (a6, a7) = (_mm256_unpacklo_epi16(r[6], r[7]), _mm256_unpackhi_epi16(r[6], r[7]));
    let (b0, b1) = (_mm256_unpacklo_epi32(a0, a2), _mm256_unpackhi_epi32(a0, a2));
    let (b2, b3) = (_mm256_unpacklo_epi32(a1, a3), _mm256_unpackhi_epi32(a1, a3));
    let (b4, b5) = (_mm256_unpacklo_epi32(a4, a6), _mm256_unpackhi_epi32(a4, a6));
    let (b6, b7) = (_mm256_unpacklo_epi32(a5, a7), _mm256_unpackhi_epi32(a5, a7));
    [
        H(_mm256_unpacklo_epi64(b0, b4)),
        H(_mm256_unpackhi_epi64(b0, b4)),
        H(_mm256_unpacklo_epi64(b1, b5)),
        H(_mm256_unpackhi_epi64(b1, b5)),
        H(_mm256_unpacklo_epi64(b2, b6)),
        H(_mm256_unpackhi_epi64(b2, b6)),
        H(_mm256_unpacklo_epi64(b3, b7)),
        H(_mm256_unpackhi_epi64(b3, b7)),
    ]
}
