//! Criterion benches of Lightbox, and the generated pictures they measure. With the feature `peers`, also the still
//! codec beside other coders on the same pictures in the same run.
//!
//! The pictures are made, not shipped: noise and structure are like those of the real thing, but density is only
//! ever quoted from real images (`lightbox bench still FILE...`).

#[cfg(feature = "peers")]
pub mod measure;
#[cfg(feature = "peers")]
pub mod peers;
#[cfg(feature = "peers")]
pub mod plot;
#[cfg(feature = "peers")]
pub mod stills;
#[cfg(feature = "peers")]
pub mod table;

use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{ImageError, ImageRef, PixelFormat, SampleDepth};

/// A generated picture without padding between its rows.
pub struct Picture {
    name: &'static str,
    size: Size,
    format: PixelFormat,
    pixels: Vec<u8>,
}

impl Picture {
    /// A CT slice: soft structures and noise of about `noise` gray values, 12 bits in 16.
    pub fn slice(size: Size, noise: u32) -> Self {
        let depth = SampleDepth::new(12).map_or(PixelFormat::Gray8, PixelFormat::Gray16);
        let mut random = Random(7);
        Self::paint("slice", size, depth, |x, y| (body(x, y, size) + random.bell(noise)).to_le_bytes())
    }

    /// The same slice in a viewer's window, 8 bits.
    pub fn viewport(size: Size, noise: u32) -> Self {
        let mut random = Random(7);
        Self::paint("viewport", size, PixelFormat::Gray8, |x, y| {
            ((body(x, y, size) + random.bell(noise)) / 16).to_le_bytes()
        })
    }

    /// A desktop: lines of letters with softened edges on white, a bar, and the slice in a window.
    pub fn desktop(size: Size) -> Self {
        let mut random = Random(9);
        Self::paint("desktop", size, PixelFormat::Bgrx8, |x, y| {
            let in_window = x > size.w / 2 && x < size.w * 7 / 8 && y > size.h / 4 && y < size.h * 3 / 4;
            let noise = random.bell(40);
            let colour = if in_window {
                (body(x, y, size) + noise) / 16 * 0x01_0101
            } else if y < 28 {
                0x2f_4f7f
            } else {
                letter(x, y)
            };
            (colour | 0xff00_0000).to_le_bytes()
        })
    }

    /// A stained slice of tissue under a camera: soft violet shapes on pink, noise in every colour.
    pub fn stain(size: Size) -> Self {
        let mut random = Random(11);
        Self::paint("stain", size, PixelFormat::Bgrx8, |x, y| {
            let tissue = body(x, y, size) / 16 + random.bell(6);
            let [blue, green, red] = [230, 215, 235].map(|paper: u32| paper + random.bell(10));
            let stained = [blue - tissue / 2, green - tissue, red - tissue * 2 / 3];
            let [blue, green, red] = stained.map(|sample| sample.min(255));
            (blue | green << 8 | red << 16 | 0xff00_0000).to_le_bytes()
        })
    }

    /// One letter as typed: 10x16.
    pub fn letter() -> Self {
        Self::paint("letter", Size::new(10, 16), PixelFormat::Bgrx8, |x, y| {
            (letter(x + 8, y + 48) | 0xff00_0000).to_le_bytes()
        })
    }

    fn paint(
        name: &'static str,
        size: Size,
        format: PixelFormat,
        mut pixel: impl FnMut(u32, u32) -> [u8; 4],
    ) -> Self {
        let places = (0..size.h).flat_map(|y| (0..size.w).map(move |x| (x, y)));
        let pixels =
            places.flat_map(|(x, y)| pixel(x, y).into_iter().take(format.bytes_per_pixel())).collect();
        Self { name, size, format, pixels }
    }

    /// What benches call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Bytes from row to row.
    pub fn stride(&self) -> usize {
        self.size.w as usize * self.format.bytes_per_pixel()
    }

    /// The layout of a pixel.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// A view of it; fails only for a size without pixels.
    pub fn image(&self) -> Result<ImageRef<'_>, ImageError> {
        ImageRef::new(&self.pixels, self.size, self.stride(), self.format)
    }
}

/// Soft ellipses of tissue in air, below 4096.
fn body(x: u32, y: u32, size: Size) -> u32 {
    let inside = |cx: u32, cy: u32, rx: u32, ry: u32| {
        let square = |a: u32, b: u32, r: u32| (a.abs_diff(b) as u64 * 1024 / u64::from(r.max(1))).pow(2);
        let far = square(x, size.w * cx / 100, size.w * rx / 100);
        let far = far + square(y, size.h * cy / 100, size.h * ry / 100);
        (1u64 << 21).saturating_sub(far.min(1 << 21)) as u32 >> 12
    };
    200 + 3 * inside(50, 50, 42, 36).min(240) + inside(38, 45, 12, 16) + inside(66, 58, 8, 10) + x / 16
}

/// Strokes on a grid of 9x18, every letter one of 32, softened at the right edge.
fn letter(x: u32, y: u32) -> u32 {
    let (column, row) = (x / 9, y / 18);
    let code = (column * 7 + row * 13).wrapping_mul(0x9e37_79b1) >> 27;
    let (x, y) = (x % 9, y % 18);
    let stroke = code > 3 && y > 3 && y < 14 && (x == 1 + code % 3 || y == 5 + code % 7) && x < 8;
    let edge = code > 3 && y > 3 && y < 14 && x == 2 + code % 3;
    if stroke {
        0x20_2020
    } else if edge {
        0x9a_9a9a
    } else {
        0xff_ffff
    }
}

/// xorshift: the same picture in every run.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// Bell-shaped noise in 0..width.
    fn bell(&mut self, width: u32) -> u32 {
        (0..4).map(|_| self.next() % width.max(1)).sum::<u32>() / 4
    }
}
