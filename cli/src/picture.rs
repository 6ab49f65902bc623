//! Still pictures in files: PNG out; PGM, PPM and PNG in.

use std::fs::File;
use std::io::{self, BufWriter, Cursor, Read};
use std::path::Path;

use lightbox_codec::geom::{MAX_SIDE, Size};
use lightbox_codec::pixel::{ImageError, ImageRef, PixelFormat, SampleDepth};

use crate::zst::{self, ZstError};

/// The largest file, packed or not, that is read.
const MAX_FILE: u64 = 1 << 30;
/// The most pixels of a picture: a 4-up wall of large mammograms.
const MAX_PIXELS: u64 = 1 << 27;

/// Why a picture file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file, packed or unpacked, is too long.
    #[error("the picture takes more than {MAX_FILE} bytes")]
    TooLong,
    /// It is not zstd data within the limits.
    #[error(transparent)]
    Zst(#[from] ZstError),
    /// It does not begin like one of the formats.
    #[error("neither PGM (P5), PPM (P6) nor PNG: convert it first")]
    Unknown,
    /// A number in its header is missing or out of range.
    #[error("the picture's header has no valid {field}")]
    Header {
        /// Which number.
        field: &'static str,
    },
    /// The file ends before its pixels do, or goes on behind them.
    #[error("the picture needs {needed} bytes of samples, the file has {got}")]
    Length {
        /// Bytes the header promises.
        needed: usize,
        /// Bytes there are.
        got: usize,
    },
    /// A sample is larger than the header's maximum.
    #[error("a sample of {got} is above the picture's maximum of {max}")]
    Sample {
        /// The sample.
        got: u16,
        /// The header's maximum.
        max: u16,
    },
    /// A kind of PNG whose pixels no format here can hold.
    #[error("PNG with {what} is not read: convert it to 8-bit RGB or gray")]
    Unsupported {
        /// What it has.
        what: &'static str,
    },
    /// The PNG data is damaged.
    #[error("damaged PNG: {0}")]
    Png(#[from] png::DecodingError),
    /// The PNG cannot be written.
    #[error("cannot write the PNG: {0}")]
    Encode(#[from] png::EncodingError),
    /// The sides make no image.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// A picture from a file, in the layout that the codec takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// Columns and rows.
    pub size: Size,
    /// Gray at the file's own depth, or BGRX for colour.
    pub format: PixelFormat,
    /// Rows without padding.
    pub data: Vec<u8>,
}

impl Still {
    /// Its pixels.
    pub fn image(&self) -> ImageRef<'_> {
        let stride = self.size.w as usize * self.format.bytes_per_pixel();
        ImageRef::new(&self.data, self.size, stride, self.format)
            .expect("read_still gives as many bytes as size and format need")
    }

    /// Significant bits of a pixel: 24 for colour, the depth for gray.
    pub fn bits(&self) -> u32 {
        match self.format {
            PixelFormat::Bgrx8 => 24,
            PixelFormat::Bgrx10 => 30,
            gray => gray.depth().into(),
        }
    }
}

/// Reads a binary PGM or PPM or a PNG, also inside a zstd file (by content, whatever the name is).
///
/// PGM with a maximum above 255 becomes [`PixelFormat::Gray16`] at the depth that its maximum needs. PNG may be
/// gray of 1 to 16 bits, 8-bit colour or palette; an alpha channel must be opaque.
pub fn read_still(path: &Path) -> Result<Still, PictureError> {
    let bytes = read_all(File::open(path)?)?;
    if bytes.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        let unpacked = read_all(zst::reader(&bytes)?)?;
        return parse(&unpacked);
    }
    parse(&bytes)
}

/// Writes an image, BGRX or 8-bit gray, as a PNG file; ten bits of colour become the upper bits of sixteen.
pub fn write_png(path: &Path, image: ImageRef<'_>) -> Result<(), PictureError> {
    let Size { w, h } = image.size();
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), w, h);
    encoder.set_depth(png::BitDepth::Eight);
    let mut data = Vec::new();
    match image.format() {
        PixelFormat::Bgrx8 => {
            encoder.set_color(png::ColorType::Rgb);
            let pixels = image.rows().flat_map(|row| row.as_chunks::<4>().0);
            data.extend(pixels.flat_map(|[b, g, r, _]| [*r, *g, *b]));
        }
        PixelFormat::Gray8 => {
            encoder.set_color(png::ColorType::Grayscale);
            image.rows().for_each(|row| data.extend_from_slice(row));
        }
        PixelFormat::Bgrx10 => {
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_depth(png::BitDepth::Sixteen);
            let pixels =
                image.rows().flat_map(|row| row.as_chunks::<4>().0).map(|px| u32::from_le_bytes(*px));
            let sixteen = |ten: u32| ((ten << 6 | ten >> 4) as u16).to_be_bytes();
            data.extend(pixels.flat_map(|px| [20, 10, 0].map(|bit| sixteen(px >> bit & 0x3ff))).flatten());
        }
        PixelFormat::Gray16(_) => return Err(PictureError::Unsupported { what: "deep gray" }),
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    Ok(writer.finish()?)
}

fn read_all(source: impl Read) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    source.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE { Err(PictureError::TooLong) } else { Ok(bytes) }
}

fn parse(bytes: &[u8]) -> Result<Still, PictureError> {
    match bytes {
        [b'P', b'5', rest @ ..] => parse_pnm(rest, 1),
        [b'P', b'6', rest @ ..] => parse_pnm(rest, 3),
        [0x89, b'P', b'N', b'G', ..] => parse_png(bytes),
        _ => Err(PictureError::Unknown),
    }
}

/// Reads what follows `P5` (one sample a pixel) or `P6` (three).
fn parse_pnm(mut rest: &[u8], samples: usize) -> Result<Still, PictureError> {
    let w = pnm_number(&mut rest, "width", MAX_SIDE)?;
    let h = pnm_number(&mut rest, "height", MAX_SIDE)?;
    let max = pnm_number(&mut rest, "maximum", u16::MAX.into())? as u16;
    // One white space ends the header; the sample after it may look like another.
    let (_, rest) = rest.split_first().ok_or(PictureError::Header { field: "end" })?;
    let size = Size::new(w, h);
    check_area(size)?;
    let width = if max > 255 { 2 } else { 1 };
    let needed = size.area() as usize * samples * width;
    if rest.len() != needed {
        return Err(PictureError::Length { needed, got: rest.len() });
    }
    let too_big = |got: u16| PictureError::Sample { got, max };
    match (samples, width) {
        (1, 2) => {
            let samples = rest.as_chunks::<2>().0.iter().map(|s| u16::from_be_bytes(*s));
            if let Some(got) = samples.clone().find(|s| *s > max) {
                return Err(too_big(got));
            }
            let depth = SampleDepth::new(16 - max.leading_zeros() as u8)
                .expect("a maximum above 255 has 9 to 16 bits");
            Ok(Still {
                size,
                format: PixelFormat::Gray16(depth),
                data: samples.flat_map(u16::to_le_bytes).collect(),
            })
        }
        (1, _) => match rest.iter().find(|s| u16::from(**s) > max) {
            Some(got) => Err(too_big((*got).into())),
            None => Ok(Still { size, format: PixelFormat::Gray8, data: rest.to_vec() }),
        },
        (_, 1) if max == 255 => Ok(colour(size, rest)),
        _ => Err(PictureError::Header { field: "maximum (colour needs 255)" }),
    }
}

/// Reads a number after white space and comments.
fn pnm_number(rest: &mut &[u8], field: &'static str, max: u32) -> Result<u32, PictureError> {
    while let Some((first, behind)) = rest.split_first() {
        match first {
            b'#' => *rest = behind.iter().position(|b| *b == b'\n').map_or(&[], |end| &behind[end..]),
            b if b.is_ascii_whitespace() => *rest = behind,
            _ => break,
        }
    }
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, behind) = rest.split_at(digits);
    *rest = behind;
    let number = std::str::from_utf8(number).ok().and_then(|n| n.parse().ok());
    number.filter(|n| (1..=max).contains(n)).ok_or(PictureError::Header { field })
}

fn parse_png(bytes: &[u8]) -> Result<Still, PictureError> {
    let limits = png::Limits { bytes: MAX_FILE as usize };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let size = Size::new(reader.info().width, reader.info().height);
    check_area(size)?;
    let (color, depth) = reader.output_color_type();
    let mut data = vec![0; reader.output_buffer_size().ok_or(PictureError::TooLong)?];
    let used = reader.next_frame(&mut data)?.buffer_size();
    data.truncate(used);
    if depth == png::BitDepth::Sixteen {
        if color != png::ColorType::Grayscale {
            return Err(PictureError::Unsupported { what: "16-bit colour or alpha" });
        }
        data.as_chunks_mut::<2>().0.iter_mut().for_each(|sample| sample.reverse());
        let depth = SampleDepth::new(16).expect("16 is a depth");
        return Ok(Still { size, format: PixelFormat::Gray16(depth), data });
    }
    let translucent = |step: usize| data.iter().skip(step - 1).step_by(step).any(|alpha| *alpha != 255);
    match color {
        png::ColorType::Grayscale => Ok(Still { size, format: PixelFormat::Gray8, data }),
        png::ColorType::GrayscaleAlpha if !translucent(2) => {
            let data = data.as_chunks::<2>().0.iter().map(|[gray, _]| *gray).collect();
            Ok(Still { size, format: PixelFormat::Gray8, data })
        }
        png::ColorType::Rgb => Ok(colour(size, &data)),
        png::ColorType::Rgba if !translucent(4) => {
            let data = data.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*b, *g, *r, 0xFF]).collect();
            Ok(Still { size, format: PixelFormat::Bgrx8, data })
        }
        _ => Err(PictureError::Unsupported { what: "transparent pixels" }),
    }
}

fn colour(size: Size, rgb: &[u8]) -> Still {
    let data = rgb.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*b, *g, *r, 0xFF]).collect();
    Still { size, format: PixelFormat::Bgrx8, data }
}

fn check_area(size: Size) -> Result<(), PictureError> {
    let Size { w, h } = size;
    if size.is_empty() || w > MAX_SIDE || h > MAX_SIDE || size.area() > MAX_PIXELS {
        return Err(PictureError::Image(ImageError::Size { w, h }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_three_formats() {
        let gray = parse(b"P5 # made by hand\n2 1\n255\n\n\x07").unwrap();
        assert_eq!((gray.format, gray.bits(), &gray.data[..]), (PixelFormat::Gray8, 8, &b"\n\x07"[..]));
        let deep = parse(b"P5\n1 2\n4095\n\x0F\xFF\x00\x01").unwrap();
        assert_eq!((deep.bits(), &deep.data[..]), (12, &[0xFF, 0x0F, 1, 0][..]));
        let rgb = parse(b"P6 1 1 255 \x01\x02\x03").unwrap();
        assert_eq!((rgb.bits(), &rgb.data[..]), (24, &[3, 2, 1, 0xFF][..]));
    }

    #[test]
    fn a_png_comes_back() {
        let path = std::env::temp_dir().join(format!("lightbox-picture-{}.png", std::process::id()));
        let still = Still {
            size: Size::new(3, 2),
            format: PixelFormat::Bgrx8,
            data: (0..6).flat_map(|i| [i, i * 3, 200 - i, 0xFF]).collect(),
        };
        write_png(&path, still.image()).unwrap();
        let back = read_still(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(back.unwrap(), still);
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(matches!(parse(b"GIF89a"), Err(PictureError::Unknown)));
        assert!(matches!(parse(b"P5 0 1 255 "), Err(PictureError::Header { field: "width" })));
        assert!(matches!(parse(b"P5 16385 1 255 "), Err(PictureError::Header { field: "width" })));
        assert!(matches!(parse(b"P5 16384 16384 255 "), Err(PictureError::Image(_))));
        assert!(matches!(parse(b"P5 2 1 255 x"), Err(PictureError::Length { needed: 2, got: 1 })));
        assert!(matches!(parse(b"P5 1 1 300 \x01\x2D"), Err(PictureError::Sample { got: 301, max: 300 })));
        assert!(matches!(parse(b"\x89PNG\r\n\x1a\n"), Err(PictureError::Png(_))));
    }

    proptest! {
        #[test]
        fn never_panics(kind in 0..3usize, bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let start: &[u8] = [&b"P5 2 2 4095 "[..], b"P6 3 1 255\n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02"][kind];
            let _ = parse(&[start, &bytes].concat());
        }
    }
}
