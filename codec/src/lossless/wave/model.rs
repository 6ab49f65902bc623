//! The arithmetic of the wave coder, one sample at a time. All kernels give what these functions give.

/// Contexts of a residual.
pub(in crate::lossless) const CONTEXTS: usize = 28;
/// Predictors: [`MED`] and the linear ones.
pub(in crate::lossless) const PREDICTORS: usize = 16;
/// Tokens, the escape included.
pub(in crate::lossless) const TOKENS: usize = 41;
/// The token of values whose own token has no place in the table.
pub(in crate::lossless) const ESCAPE: usize = TOKENS - 1;
/// From this token on, raw bits are taken from the state in a second round.
pub(in crate::lossless) const FIRST_WIDE: u32 = 24;
/// Raw bits of the escape.
pub(in crate::lossless) const ESCAPE_BITS: u32 = 16;
/// The number of the median edge detector.
pub(in crate::lossless) const MED: u8 = 0;
/// What a guide counts for in a context, beside the weights of the neighbours.
pub(in crate::lossless) const GUIDE_WEIGHT: u32 = 4;

pub(in crate::lossless) use super::trained::BANK;

/// The median edge detector: W or N at an edge, the plane through the three elsewhere.
#[inline(always)]
pub(in crate::lossless) fn med(w: i32, n: i32, nw: i32) -> i32 {
    (w + n - nw).clamp(w.min(n), w.max(n))
}

/// A linear predictor with weights `c` in 1/256; `taps` are W, N, NW, NE, WW, NN.
#[inline(always)]
pub(in crate::lossless) fn linear(c: &[i16; 6], taps: [u16; 6], max: u16) -> u16 {
    let mut sum = 0;
    for (&tap, &c) in taps.iter().zip(c) {
        sum += signed_product(tap, c);
    }
    from_signed_sum(sum, max)
}

/// `c` times a tap less 2^15: both are signed numbers of 16 bits, whose products all CPUs find in vectors.
#[inline(always)]
pub(in crate::lossless) fn signed_product(tap: u16, c: i16) -> i32 {
    i32::from((tap ^ 1 << 15) as i16) * i32::from(c)
}

/// The prediction that [`signed_product`]s sum to. Weights sum to 256: it is less 2^15 too.
#[inline(always)]
pub(in crate::lossless) fn from_signed_sum(sum: i32, max: u16) -> u16 {
    let signed = ((sum + 128) >> 8).max(i16::MIN.into()).min(i16::MAX.into()) as i16;
    signed.min((max ^ 1 << 15) as i16) as u16 ^ 1 << 15
}

/// The weights of linear predictor `id`, 1..=15.
#[inline(always)]
pub(in crate::lossless) fn weights(id: u8) -> [i32; 6] {
    BANK[usize::from(id).saturating_sub(1).min(BANK.len() - 1)].map(i32::from)
}

/// The residual of `sample` in `bits` bits, folded so that small ones of either sign are small numbers.
#[inline(always)]
pub(in crate::lossless) fn fold(sample: u16, prediction: u16, bits: u32) -> u16 {
    let unused = 16 - bits;
    let d = (sample.wrapping_sub(prediction) << unused) as i16 >> unused;
    ((d << 1) ^ (d >> 15)) as u16
}

/// What [`fold`] folded.
#[inline(always)]
pub(in crate::lossless) fn unfold(z: u16, prediction: u16, max: u16) -> u16 {
    prediction.wrapping_add((z >> 1) ^ (z & 1).wrapping_neg()) & max
}

/// The context: how large the residuals around are, two steps an octave.
/// `z` are the residuals of W, N, NW, NE, WW, NN; `guide` is the sum of those of earlier planes at the same place,
/// at most 0xffff, and 0 where no plane is guided by others.
#[inline(always)]
pub(in crate::lossless) fn context(z: [u32; 6], guide: u32) -> u32 {
    let energy = 1 + 4 * z[0] + 3 * z[1] + 2 * (z[2] + z[3] + z[4]) + z[5] + GUIDE_WEIGHT * guide;
    (((energy as i32 as f32).to_bits() >> 22) - 254).min(CONTEXTS as u32 - 1)
}

/// The context of an energy, likewise.
#[inline(always)]
pub(in crate::lossless) fn context_of(energy: u16) -> u32 {
    ((i32::from(energy) as f32).to_bits() >> 22) - 254
}

/// The token of a folded residual: small ones stand for themselves, then two tokens an octave.
#[inline(always)]
pub(in crate::lossless) fn token(z: u32) -> u32 {
    // The exponent and the first mantissa bit of z as a float number the half octaves.
    let wide = ((z as i32 as f32).to_bits() >> 22).wrapping_sub(246);
    if z < 16 { z } else { wide }
}

/// Raw bits that follow token `k`, and the value they are added to.
#[inline(always)]
pub(in crate::lossless) const fn raw_bits(k: u32) -> (u32, u32) {
    if k < 16 {
        (0, k)
    } else if k as usize == ESCAPE {
        (ESCAPE_BITS, 0)
    } else {
        let bits = 3 + (k - 16) / 2;
        (bits, (2 | (k & 1)) << bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_raw_bits_stand_for_every_residual() {
        for z in 0..=0xffffu32 {
            let k = token(z);
            let (bits, base) = raw_bits(k);
            assert!((k as usize) < ESCAPE && z >= base && z - base < 1 << bits, "{z}");
            // INVARIANT of the coder: a table entry of ten bits and these raw bits share one renormalisation.
            assert!(k >= FIRST_WIDE || bits <= 6);
        }
    }

    #[test]
    fn unfold_undoes_fold() {
        for bits in [8u32, 9, 16] {
            let max = ((1u32 << bits) - 1) as u16;
            for (sample, prediction) in [(0, 0), (0, max), (max, 0), (max, max), (3, 200), (max / 2, max)] {
                let z = fold(sample, prediction, bits);
                assert!(z <= max);
                assert_eq!(unfold(z, prediction, max), sample);
            }
        }
    }

    #[test]
    fn contexts_grow_with_energy_and_stay_in_range() {
        assert_eq!(context([0; 6], 0), 0);
        assert_eq!(context([0xffff; 6], 0xffff), CONTEXTS as u32 - 1);
        let mut last = 0;
        for z in 0..4096 {
            let ctx = context([z; 6], 0);
            assert!(ctx >= last);
            last = ctx;
            assert!(context([z; 6], z) >= ctx && context([0; 6], z) <= context([0; 6], z + 1));
        }
    }

    #[test]
    fn every_predictor_keeps_a_constant() {
        for row in BANK {
            assert_eq!(row.iter().map(|&c| i32::from(c)).sum::<i32>(), 256);
        }
    }
}
