//! Sixteen lanes in two AVX2 registers.

use core::arch::x86_64::*;

use crate::lossless::wave::LANES;

/// Lanes 0..8 and 8..16.
#[derive(Clone, Copy)]
pub(super) struct V(pub(super) __m256i, pub(super) __m256i);

/// Gives a lane-wise operation its two halves.
macro_rules! lanewise {
    ($($(#[$doc:meta])? $name:ident = $op:ident;)*) => { impl V { $(
        $(#[$doc])?
        #[inline]
        #[target_feature(enable = "avx2")]
        pub(super) fn $name(self, other: V) -> V {
            V($op(self.0, other.0), $op(self.1, other.1))
        }
    )* } };
}

lanewise! {
    add = _mm256_add_epi32;
    sub = _mm256_sub_epi32;
    mul = _mm256_mullo_epi32;
    and = _mm256_and_si256;
    or = _mm256_or_si256;
    mul_pairs = _mm256_madd_epi16;
    is_more = _mm256_cmpgt_epi32;
    /// The bits of `other` that are not in this one.
    clears = _mm256_andnot_si256;
    shift_left = _mm256_sllv_epi32;
    shift_right = _mm256_srlv_epi32;
}

impl V {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn all(value: i32) -> V {
        V(_mm256_set1_epi32(value), _mm256_set1_epi32(value))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn load(lanes: &[i32; LANES]) -> V {
        let at = lanes.as_ptr();
        // SAFETY: the reference holds 16 numbers of 4 bytes: both halves of 32 bytes lie in it, and an unaligned
        // load asks for nothing else.
        unsafe { V(_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(8).cast())) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn store(self) -> [i32; LANES] {
        let mut lanes = [0; LANES];
        let at = lanes.as_mut_ptr();
        // SAFETY: as in `load`, and the reference is exclusive.
        unsafe {
            _mm256_storeu_si256(at.cast(), self.0);
            _mm256_storeu_si256(at.add(8).cast(), self.1);
        }
        lanes
    }

    /// `other` in the lanes where `mask` is -1.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn or_where(self, mask: V, other: V) -> V {
        V(_mm256_blendv_epi8(self.0, other.0, mask.0), _mm256_blendv_epi8(self.1, other.1, mask.1))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn left<const BITS: i32>(self) -> V {
        V(_mm256_slli_epi32::<BITS>(self.0), _mm256_slli_epi32::<BITS>(self.1))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn right<const BITS: i32>(self) -> V {
        V(_mm256_srli_epi32::<BITS>(self.0), _mm256_srli_epi32::<BITS>(self.1))
    }

    /// A shift that keeps the sign.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn halve<const BITS: i32>(self) -> V {
        V(_mm256_srai_epi32::<BITS>(self.0), _mm256_srai_epi32::<BITS>(self.1))
    }

    /// The bits of the numbers as floats.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn float_bits(self) -> V {
        V(_mm256_castps_si256(_mm256_cvtepi32_ps(self.0)), _mm256_castps_si256(_mm256_cvtepi32_ps(self.1)))
    }

    /// The high halves of the products without sign.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn high_product(self, other: V) -> V {
        let half = |a, b| {
            let even = _mm256_srli_epi64::<32>(_mm256_mul_epu32(a, b));
            let odd = _mm256_mul_epu32(_mm256_srli_epi64::<32>(a), _mm256_srli_epi64::<32>(b));
            _mm256_blend_epi32::<0b1010_1010>(even, odd)
        };
        V(half(self.0, other.0), half(self.1, other.1))
    }

    /// In crossed order: sixteen numbers of 16 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn spread(lanes: &[u16; LANES]) -> V {
        // SAFETY: the reference holds 32 bytes, and an unaligned load asks for nothing else.
        let lanes = unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) };
        let none = _mm256_setzero_si256();
        V(_mm256_unpacklo_epi16(lanes, none), _mm256_unpackhi_epi16(lanes, none))
    }

    /// Back from crossed order: the lanes, which are below 2^16, as numbers of 16 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn pack(self) -> __m256i {
        _mm256_packus_epi32(self.0, self.1)
    }

    /// One bit for each lane of a mask in crossed order: lanes 0..8 and 8..16.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn crossed_bits(self) -> (u32, u32) {
        let bytes = _mm256_packs_epi16(_mm256_packs_epi32(self.0, self.1), _mm256_setzero_si256());
        let bits = _mm256_movemask_epi8(bytes) as u32;
        (bits & 0xff, bits >> 16)
    }

    /// True if no bit is set.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn is_none(self) -> bool {
        let all = _mm256_or_si256(self.0, self.1);
        _mm256_testz_si256(all, all) != 0
    }

    /// True if a lane has its top bit set.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn is_any_negative(self) -> bool {
        _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_or_si256(self.0, self.1))) != 0
    }

    /// States in crossed order: lanes 0..4 and 8..12, then 4..8 and 12..16. It is the order in which AVX2, which
    /// works on halves of 128 bits, packs two registers into one of 16-bit lanes in their natural order.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn cross(states: &[u32; LANES]) -> V {
        let V(a, b) = V::load(&states.map(|x| x as i32));
        V(_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b))
    }

    /// What [`V::cross`] crossed.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn uncross(self) -> [u32; LANES] {
        let V(a, b) = self;
        let lanes = V(_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b));
        lanes.store().map(|x| x as u32)
    }
}
