//! PGM and PPM files as images.

use std::error::Error;

use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{PixelFormat, SampleDepth};

/// A PGM or PPM file, its samples in the layout of a [`PixelFormat`].
pub(crate) struct Netpbm {
    pub(crate) size: Size,
    pub(crate) format: PixelFormat,
    pub(crate) pixels: Vec<u8>,
    pub(crate) raw_bytes: usize,
}

impl Netpbm {
    pub(crate) fn read(file: &[u8]) -> Result<Self, Box<dyn Error>> {
        let (mut fields, mut at) = (Vec::new(), 0);
        while fields.len() < 4 {
            let rest = file.get(at..).ok_or("file ends in the header")?;
            let len = rest.iter().position(u8::is_ascii_whitespace).ok_or("file ends in the header")?;
            if rest.starts_with(b"#") {
                at += rest.iter().position(|&byte| byte == b'\n').ok_or("file ends in a comment")?;
            } else if len > 0 {
                fields.push(std::str::from_utf8(&rest[..len])?);
            }
            at += if rest.starts_with(b"#") { 1 } else { len + 1 };
        }
        let size = Size::new(fields[1].parse()?, fields[2].parse()?);
        let max: u32 = fields[3].parse()?;
        let (body, area) = (&file[at..], size.area() as usize);
        let (format, pixels, raw_bytes) = match (fields[0], max) {
            ("P5", 0..=255) => (PixelFormat::Gray8, body.get(..area).ok_or("file is short")?.to_vec(), area),
            ("P5", _) => {
                let depth =
                    SampleDepth::new(u32::BITS.wrapping_sub(max.leading_zeros()) as u8).ok_or("depth")?;
                let body = body.get(..2 * area).ok_or("file is short")?;
                (
                    PixelFormat::Gray16(depth),
                    body.chunks_exact(2).flat_map(|s| [s[1], s[0]]).collect(),
                    2 * area,
                )
            }
            ("P6", 255) => {
                let body = body.get(..3 * area).ok_or("file is short")?;
                (
                    PixelFormat::Bgrx8,
                    body.chunks_exact(3).flat_map(|p| [p[2], p[1], p[0], 0xff]).collect(),
                    3 * area,
                )
            }
            ("P6", 1023) => {
                let body = body.get(..6 * area).ok_or("file is short")?;
                let pixel = |p: &[u8]| {
                    let [r, g, b] = [0, 2, 4].map(|at| u32::from(p[at]) << 8 | u32::from(p[at + 1]));
                    (b | g << 10 | r << 20 | 3 << 30).to_le_bytes()
                };
                (PixelFormat::Bgrx10, body.chunks_exact(6).flat_map(pixel).collect(), 4 * area)
            }
            _ => return Err("only P5, and P6 with a maximum of 255 or 1023".into()),
        };
        Ok(Self { size, format, pixels, raw_bytes })
    }

    pub(crate) fn stride(&self) -> usize {
        self.size.w as usize * self.format.bytes_per_pixel()
    }
}
