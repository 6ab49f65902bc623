//! Which pixels a unit is no good for.

use crate::pixel::{ImageRef, PixelFormat};
use crate::ranking::expected;

/// Smaller images are not worth another coder.
const SMALL: u64 = 256;

/// True if `image`, in BGRX8, is a photograph or noise: a unit would spell out most of its pixels, at many times the
/// cost of the still codec, which predicts them. A judgement by every second row, about 2 ns for a pixel of those.
pub fn is_photo(image: ImageRef<'_>) -> bool {
    let (w, area) = (image.size().w as usize, image.size().area());
    if image.format() != PixelFormat::Bgrx8 || area < SMALL || w < 2 {
        return false;
    }
    let (mut seen, mut rough, mut gray, mut error) = (0u32, 0u32, 0u32, 0u64);
    // How often a colour was met, by a hash of it.
    let mut met = [0u32; 64];
    for y in (1..image.size().h).step_by(2) {
        let (n, row) = (image.row(y - 1).as_chunks::<4>().0, image.row(y).as_chunks::<4>().0);
        for x in 1..w {
            let colour = |pixel: [u8; 4]| u32::from_le_bytes(pixel) & 0xff_ffff;
            let (own, west, north) = (colour(row[x]), colour(row[x - 1]), colour(n[x]));
            seen += 1;
            met[(own.wrapping_mul(0x9e37_79b1) >> 26) as usize] += 1;
            if own != west && own != north {
                let guess = expected(west, north, colour(n[x - 1])).to_le_bytes();
                let [b, g, r, _] = own.to_le_bytes();
                rough += 1;
                gray += u32::from(b == g && g == r);
                error += u64::from(g.abs_diff(guess[1]));
            }
        }
    }
    let (seen, most) = (seen.max(1), met.into_iter().max().unwrap_or(0));
    let share = |part: u32, percent: u32| u64::from(part) * 100 > u64::from(seen) * u64::from(percent);
    let mean = error / u64::from(rough.max(1));
    if !share(rough, 10) {
        return false;
    }
    if gray == rough {
        return mean < 16 && !share(most, 70) || mean < 40 && share(rough, 40) && !share(most, 48);
    }
    share(rough, 45) && !share(most, 30) && mean < 24 || share(rough, 75) && !share(most, 12)
}
