//! Luma and chroma to colours and back: SPEC.md, 5.6, of the protocol.

use super::Colour;
use crate::pixel::{ImageMut, ImageRef};

/// A picture of 4:2:0 as decoders leave it: planes with strides, chroma halved both ways and rounded up.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Luma, blue and red difference.
    pub planes: [&'a [u8]; 3],
    /// Bytes from one row to the next of each.
    pub strides: [usize; 3],
}

/// Fractions are of this many bits.
const BITS: u32 = 13;
const ONE: f64 = (1 << BITS) as f64;

/// Paints all of `target`, which is BGRX8, from the top left corner of `picture`. False where a plane is too short.
pub fn to_bgrx(picture: &Planes<'_>, colour: Colour, target: &mut ImageMut<'_>) -> bool {
    let factors = Factors::of(colour);
    let (w, h) = (target.size().w as usize, target.size().h as usize);
    let half = w.div_ceil(2);
    for y in 0..h {
        let row = |plane: usize, y: usize, n: usize| {
            let start = y.checked_mul(picture.strides[plane])?;
            picture.planes[plane].get(start..start.checked_add(n)?)
        };
        let rows = row(0, y, w).zip(row(1, y / 2, half).zip(row(2, y / 2, half)));
        let Some((lumas, (us, vs))) = rows else { return false };
        let (pixels, _) = target.row_mut(y as u32).as_chunks_mut::<4>();
        let us_and_vs = us.chunks(BLOCK / 2).zip(vs.chunks(BLOCK / 2));
        for ((pixels, lumas), (us, vs)) in pixels.chunks_mut(BLOCK).zip(lumas.chunks(BLOCK)).zip(us_and_vs) {
            if let (Ok(pixels), Ok(lumas), Ok(us), Ok(vs)) =
                (pixels.try_into(), lumas.try_into(), us.try_into(), vs.try_into())
            {
                factors.paint(pixels, lumas, us, vs);
                continue;
            }
            let mut block = [[0; 4]; BLOCK];
            factors.paint(&mut block, &padded(lumas), &padded(us), &padded(vs));
            pixels.copy_from_slice(&block[..pixels.len()]);
        }
    }
    true
}

fn padded<const N: usize>(samples: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    all[..samples.len()].copy_from_slice(samples);
    all
}

/// Pixels that are painted at a time, so many that the compiler takes vectors for them.
const BLOCK: usize = 16;

/// The planes of `source`, which is BGRX8, of the limited range and by BT.709: for encoders in software. They have even
/// sides; where the picture's are odd its edge is repeated. `luma` has a sample for each pixel, the others for each four.
pub fn to_planes(source: ImageRef<'_>, luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) {
    let even = |side: u32| side.next_multiple_of(2) as usize;
    let (w, h) = (even(source.size().w), even(source.size().h));
    let row = |y: usize| source.row((y as u32).min(source.size().h - 1)).as_chunks::<4>().0;
    let last = source.size().w as usize - 1;
    let fixed = |f: f64| rounded(f * ONE * 219.0 / 255.0);
    let [from_b, from_g, from_r] = [fixed(KB_709), fixed(1.0 - KB_709 - KR_709), fixed(KR_709)];
    for y in 0..h {
        let pixels = row(y);
        for (x, target) in luma[y * w..][..w].iter_mut().enumerate() {
            let [b, g, r, _] = &pixels[x.min(last)];
            let sum = from_b * i32::from(*b) + from_g * i32::from(*g) + from_r * i32::from(*r);
            *target = (((sum + (1 << (BITS - 1))) >> BITS) + 16) as u8;
        }
    }
    let difference = |k: f64| rounded(ONE / (2.0 * (1.0 - k)) * 224.0 / 219.0 / 4.0);
    let (blues, reds) = (difference(KB_709), difference(KR_709));
    for y in 0..h / 2 {
        let rows = [row(y * 2), row(y * 2 + 1)];
        for x in 0..w / 2 {
            let of = |channel: usize| {
                let pair = |row: &[[u8; 4]]| {
                    i32::from(row[2 * x][channel]) + i32::from(row[(2 * x + 1).min(last)][channel])
                };
                pair(rows[0]) + pair(rows[1])
            };
            let [b, g, r]: [i32; 3] = [of(0), of(1), of(2)];
            let level = (from_b * b + from_g * g + from_r * r) >> BITS;
            let chroma = |sample: i32, factor: i32| {
                let sample = sample * 219 / 255;
                ((((sample - level) * factor + (1 << (BITS - 1))) >> BITS) + 128).clamp(0, 255) as u8
            };
            blue[y * (w / 2) + x] = chroma(b, blues);
            red[y * (w / 2) + x] = chroma(r, reds);
        }
    }
}

/// What samples are multiplied with.
struct Factors {
    luma: i16,
    black: i16,
    blue_u: i16,
    green_u: i16,
    green_v: i16,
    red_v: i16,
}

impl Factors {
    /// Each sample of `us` and `vs` is for two pixels. Products of 16 bits are what every CPU has vectors for.
    fn paint(
        &self,
        pixels: &mut [[u8; 4]; BLOCK],
        lumas: &[u8; BLOCK],
        us: &[u8; BLOCK / 2],
        vs: &[u8; BLOCK / 2],
    ) {
        let times = |factor: i16, sample: i16| i32::from(factor) * i32::from(sample);
        let mut differences = [[0; 3]; BLOCK / 2];
        for ((difference, u), v) in differences.iter_mut().zip(us).zip(vs) {
            let (u, v) = (i16::from(*u) - 128, i16::from(*v) - 128);
            let green = times(self.green_u, u) + times(self.green_v, v);
            *difference = [times(self.blue_u, u), green, times(self.red_v, v)];
        }
        let levels = lumas.map(|luma| times(self.luma, i16::from(luma) - self.black) + (1 << (BITS - 1)));
        for (i, (pixel, level)) in pixels.iter_mut().zip(levels).enumerate() {
            let [blue, green, red] = differences[i / 2].map(|d| ((level + d) >> BITS).clamp(0, 255) as u8);
            *pixel = [blue, green, red, 0xFF];
        }
    }

    fn of(colour: Colour) -> Self {
        let (kr, kb) = if colour.bt601 { (KR_601, KB_601) } else { (KR_709, KB_709) };
        let (luma, chroma, black) =
            if colour.full_range { (1.0, 1.0, 0) } else { (255.0 / 219.0, 255.0 / 224.0, 16) };
        let (blue, red, kg) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr), 1.0 - kr - kb);
        let fixed = |f: f64| rounded(f * ONE) as i16;
        Self {
            luma: fixed(luma),
            black,
            blue_u: fixed(blue * chroma),
            green_u: fixed(-blue * kb / kg * chroma),
            green_v: fixed(-red * kr / kg * chroma),
            red_v: fixed(red * chroma),
        }
    }
}

/// To the nearest number, which only the standard library has a method for.
fn rounded(f: f64) -> i32 {
    (if f < 0.0 { f - 0.5 } else { f + 0.5 }) as i32
}

const KR_709: f64 = 0.2126;
const KB_709: f64 = 0.0722;
const KR_601: f64 = 0.299;
const KB_601: f64 = 0.114;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::Size;
    use crate::pixel::{Image, PixelFormat};

    #[test]
    fn black_white_and_colours_are_what_the_standards_say() {
        let shown = |yuv: [u8; 3], colour| {
            let mut image = Image::new(Size::new(1, 1), PixelFormat::Bgrx8).unwrap();
            let [y, u, v] = yuv.map(|sample| [sample]);
            assert!(to_bgrx(&Planes { planes: [&y, &u, &v], strides: [1; 3] }, colour, &mut image.as_mut()));
            let pixel = image.bytes();
            [pixel[0], pixel[1], pixel[2]]
        };
        let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1);
        let limited = Colour::default();
        let full_601 = Colour { full_range: true, bt601: true };
        assert_eq!(shown([16, 128, 128], limited), [0, 0, 0]);
        assert_eq!(shown([235, 128, 128], limited), [255, 255, 255]);
        // BT.709: red is 63, 102, 240; green 173, 42, 26; blue 32, 240, 118.
        for (yuv, bgr) in [([63, 102, 240], RED), ([173, 42, 26], GREEN), ([32, 240, 118], BLUE)] {
            assert!(near(shown(yuv, limited), bgr), "{yuv:?}: {:?}", shown(yuv, limited));
        }
        // JPEG's red is 76, 85, 255.
        assert!(near(shown([76, 85, 255], full_601), RED));
    }

    const RED: [u8; 3] = [0, 0, 255];
    const GREEN: [u8; 3] = [0, 255, 0];
    const BLUE: [u8; 3] = [255, 0, 0];

    #[test]
    fn a_picture_goes_there_and_back_almost_the_same_and_short_planes_are_refused() {
        let size = Size::new(64, 48);
        let mut image = Image::new(size, PixelFormat::Bgrx8).unwrap();
        for y in 0..size.h {
            for (x, pixel) in image.as_mut().row_mut(y).as_chunks_mut::<4>().0.iter_mut().enumerate() {
                *pixel = [x as u8 * 3, y as u8 * 4, 90 + x as u8, 0xFF];
            }
        }
        let n = size.area() as usize;
        let (mut luma, mut blue, mut red) = (vec![0; n], vec![0; n / 4], vec![0; n / 4]);
        to_planes(image.as_ref(), &mut luma, &mut blue, &mut red);
        let planes = Planes { planes: [&luma, &blue, &red], strides: [64, 32, 32] };
        let mut back = Image::new(size, PixelFormat::Bgrx8).unwrap();
        assert!(to_bgrx(&planes, Colour::default(), &mut back.as_mut()));
        let far = image.bytes().iter().zip(back.bytes()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(far.unwrap() <= 6, "{far:?}");
        let short = Planes { planes: [&luma, &blue[1..], &red], ..planes };
        assert!(!to_bgrx(&short, Colour::default(), &mut back.as_mut()));
    }
}
