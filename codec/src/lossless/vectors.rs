//! The named streams of `vectors/`: what they hold is told by formulas here and in `vectors/README.md`.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::geom::{Rect, Size};
use crate::pixel::{ImageMut, ImageRef, PixelFormat, SampleDepth};

struct Vector {
    name: &'static str,
    stream: &'static [u8],
    method: Method,
    size: Size,
    format: PixelFormat,
    /// The rects of a batch, or the whole.
    rects: &'static [Rect],
    /// What is shown before, of a rect that is told from it.
    shown: Option<fn(u32, u32) -> u32>,
    /// The pixel at (x, y): a sample, or `0xRRGGBB`, or red, green and blue of ten bits.
    pixel: fn(u32, u32) -> u32,
}

/// Names a file, and takes its bytes.
macro_rules! stream {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../vectors/", $name, ".bin")))
    };
}

fn vectors() -> Vec<Vector> {
    let deep = PixelFormat::Gray16(SampleDepth::new(12).expect("12 is in 9..=16"));
    let vector = |(name, stream): (_, &'static [u8]), method, (w, h), format, pixel| Vector {
        name,
        stream,
        method,
        size: Size::new(w, h),
        format,
        rects: &[],
        shown: None,
        pixel,
    };
    let half = |x: u32, y: u32| {
        if x < 64 && y < 64 {
            (x + y + x * y % 5) * 0x01_0101
        } else {
            0xf0_f0f0 - 0x80 * ((x / 3 + y / 5) % 4 / 3)
        }
    };
    vec![
        vector(stream!("raw-gray8"), Method::Raw, (2, 2), PixelFormat::Gray8, |x, y| 1 + x + 2 * y),
        vector(stream!("raw-bgrx"), Method::Raw, (2, 1), PixelFormat::Bgrx8, |x, _| {
            0x01_0203 + x * 0x40_0000
        }),
        vector(stream!("flat-bgrx"), Method::Flat, (3, 2), PixelFormat::Bgrx8, |_, _| 0x30_2010),
        vector(stream!("flat-gray12"), Method::Flat, (300, 200), deep, |_, _| 0xabc),
        vector(stream!("text-bgrx"), Method::Text, (10, 16), PixelFormat::Bgrx8, |x, y| {
            if (3..5).contains(&x) || (7..9).contains(&y) { 0 } else { 0xff_ffff }
        }),
        vector(stream!("gray-gray12"), Method::Gray, (70, 40), deep, |x, y| {
            (9 * x + 17 * y + x * y % 7 + 900 * (x / 35)) & 0xfff
        }),
        vector(stream!("palette-gray12"), Method::Palette, (128, 128), deep, |x, y| {
            11 * (x + 2 * y + x * y % 5) / 2 % 4096
        }),
        vector(stream!("list-bgrx"), Method::Colour, (64, 64), PixelFormat::Bgrx8, |x, y| {
            let v = (x + y + x * y % 3) / 4 % 32;
            v * 0x08_0400 + v * v / 8
        }),
        vector(stream!("colour-bgrx"), Method::Colour, (64, 32), PixelFormat::Bgrx8, |x, y| {
            ((2 * x + y * y % 5) << 16 | (x + 2 * y) << 8 | (90 + x * y % 3)) & 0xff_ffff
        }),
        vector(stream!("mixed-bgrx"), Method::Mixed, (128, 96), PixelFormat::Bgrx8, half),
        vector(stream!("flat-bgrx10"), Method::Flat, (5, 4), PixelFormat::Bgrx10, |_, _| {
            1 << 20 | 2 << 10 | 3
        }),
        vector(stream!("gray-bgrx10"), Method::Gray, (64, 32), PixelFormat::Bgrx10, |x, y| {
            (3 * x + 2 * y + x * y % 5) * (1 << 20 | 1 << 10 | 1)
        }),
        vector(stream!("mixed-bgrx10"), Method::Mixed, (128, 96), PixelFormat::Bgrx10, |x, y| {
            if x < 32 && y < 32 {
                (9 * x + y) << 20 | (5 * x + 3 * y + x * y % 3) << 10 | (400 + 2 * y)
            } else {
                let v = 0xf0 - 0x80 * ((x / 3 + y / 5) % 4 / 3);
                (v << 2 | v >> 6) * (1 << 20 | 1 << 10 | 1)
            }
        }),
        Vector {
            shown: Some(half),
            ..vector(stream!("inter-level-bgrx"), Method::Inter, (128, 96), PixelFormat::Bgrx8, |x, y| {
                if x < 64 && y < 64 {
                    (2 * (x + y + x * y % 5) / 3 + 20) * 0x01_0101
                } else if (70..72).contains(&x) && (4..20).contains(&y) {
                    0
                } else {
                    0xf0_f0f0 - 0x80 * ((x / 3 + y / 5) % 4 / 3)
                }
            })
        },
        Vector {
            shown: Some(|x, y| {
                let (i, j) = (x / 3, y / 2);
                40 + (7 * i * i + 13 * j * j + 5 * i * j) % 31
            }),
            ..vector(stream!("inter-echo-gray8"), Method::Inter, (96, 70), PixelFormat::Gray8, |x, y| {
                let (i, j) = (x / 3, y / 2);
                40 + (11 * i * i + 3 * j * j + 19 * i * j) % 29
            })
        },
        Vector {
            shown: Some(|x, y| (9 * x + 17 * y + 1000 * (x * y % 3)) & 0xfff),
            ..vector(stream!("inter-drift-gray12"), Method::Inter, (96, 40), deep, |x, y| {
                if x < 32 {
                    (9 * x + 17 * y + 1000 * (x * y % 3)) & 0xfff
                } else {
                    (9 * x + 17 * y + 1000 * (x * y % 3) + 30 + y + x * y % 4) & 0xfff
                }
            })
        },
        Vector {
            rects: &THREE,
            ..vector(stream!("batch-bgrx"), Method::Gray, (128, 96), PixelFormat::Bgrx8, half)
        },
    ]
}

const THREE: [Rect; 3] = [Rect::new(0, 0, 64, 64), Rect::new(64, 0, 64, 64), Rect::new(0, 64, 128, 32)];

impl Vector {
    fn pixels(&self) -> Vec<u8> {
        self.paint(self.pixel)
    }

    fn paint(&self, pixel: fn(u32, u32) -> u32) -> Vec<u8> {
        let places = (0..self.size.h).flat_map(|y| (0..self.size.w).map(move |x| (x, y)));
        let bytes = self.format.bytes_per_pixel();
        let opaque = u32::from_le_bytes(self.format.black());
        places.flat_map(|(x, y)| (pixel(x, y) | opaque).to_le_bytes().into_iter().take(bytes)).collect()
    }

    fn rects(&self) -> Vec<Rect> {
        if self.rects.is_empty() { vec![self.size.rect()] } else { self.rects.to_vec() }
    }

    fn stride(&self) -> usize {
        self.size.w as usize * self.format.bytes_per_pixel()
    }
}

/// Decoding them is what every implementation must do. That this encoder writes them is a guard against changes
/// that nobody meant: `LIGHTBOX_WRITE_VECTORS=1` writes what it writes now.
#[test]
fn streams_hold_what_they_are_named_for() {
    for vector in vectors() {
        let (pixels, name) = (vector.pixels(), vector.name);
        let image = ImageRef::new(&pixels, vector.size, vector.stride(), vector.format).unwrap();
        let shown = vector.shown.map(|shown| vector.paint(shown));
        let mut coded = Vec::new();
        let method = if let Some(shown) = &shown {
            let shown = ImageRef::new(shown, vector.size, vector.stride(), vector.format).unwrap();
            Encoder::new().encode_inter(image, shown, &mut coded)
        } else if name == "raw-bgrx" {
            Encoder::new().encode_plain(image, &mut coded);
            Method::Raw
        } else {
            let images: Vec<_> = vector.rects().iter().map(|rect| image.crop(*rect).unwrap()).collect();
            Encoder::new().encode_batch(&images, &mut coded)[0]
        };
        assert_eq!(method, vector.method, "{name}");
        if std::env::var_os("LIGHTBOX_WRITE_VECTORS").is_some() {
            let path = alloc::format!("{}/vectors/{name}.bin", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, &coded).unwrap();
            continue;
        }
        assert_eq!(coded, vector.stream, "{name}");

        let is_inter = shown.is_some();
        let mut target = shown.unwrap_or_else(|| vec![0; pixels.len()]);
        let mut into = ImageMut::new(&mut target, vector.size, vector.stride(), vector.format).unwrap();
        if is_inter {
            Decoder::new().decode_inter(vector.stream, &mut into).unwrap();
        } else {
            Decoder::new().decode_batch(vector.stream, &mut into, &vector.rects()).unwrap();
        }
        assert_eq!(target, pixels, "{name}");
    }
}
