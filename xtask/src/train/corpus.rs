//! The images to train on: every PGM and PPM file (P5, P6, up to 16 bits) below a folder, in the order of their paths.

use std::fs;
use std::path::{Path, PathBuf};

use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{ImageRef, PixelFormat, SampleDepth};

use crate::error::{Error, Result};

/// Images of one series resemble each other: of a series of this many or more, so many are left out between two.
const SERIES: usize = 8;
const SERIES_STEP: usize = 4;

/// Which images there are.
pub(super) struct Corpus {
    pub(super) images: Vec<Entry>,
}

/// An image that has not been read yet.
pub(super) struct Entry {
    path: PathBuf,
    /// The folder of the image below the corpus, by which reports are grouped.
    pub(super) class: String,
    /// The name of the file without what follows the last dot.
    pub(super) name: String,
    /// Not to be trained on.
    pub(super) kept_out: bool,
}

impl Corpus {
    /// Lists the images below `folder`; those named in `keep_out` are only for reports.
    pub(super) fn open(folder: &Path, keep_out: &[String]) -> Result<Self> {
        let mut paths = Vec::new();
        find(folder, &mut paths)?;
        paths.sort();
        let mut images = Vec::new();
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let class = path.parent().and_then(|folder| folder.file_name()).unwrap_or_default();
            let kept_out = keep_out.contains(&name);
            images.push(Entry { class: class.to_string_lossy().into_owned(), name, kept_out, path });
        }
        for name in keep_out.iter().filter(|name| !images.iter().any(|image| image.name == **name)) {
            eprintln!("no image is called {name}");
        }
        Ok(Self { images: thin(images) })
    }

    /// The images to train on.
    pub(super) fn training(&self) -> impl Iterator<Item = &Entry> {
        self.images.iter().filter(|image| !image.kept_out)
    }
}

impl Entry {
    pub(super) fn read(&self) -> Result<Netpbm> {
        let file = |source| Error::File { path: self.path.clone(), source };
        let bytes = fs::read(&self.path).map_err(file)?;
        Netpbm::parse(&bytes).ok_or_else(|| {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, "not a PGM or PPM image");
            file(source)
        })
    }
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let file = |source| Error::File { path: folder.into(), source };
    for entry in fs::read_dir(folder).map_err(file)? {
        let path = entry.map_err(file)?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if path.extension().is_some_and(|end| end == "pgm" || end == "ppm") {
            paths.push(path);
        }
    }
    Ok(())
}

/// Of names that differ in their last digits only, if there are many, every fourth stays.
fn thin(images: Vec<Entry>) -> Vec<Entry> {
    let series = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let mut left = Vec::new();
    for image in &images {
        let same = images.iter().filter(|other| series(&other.name) == series(&image.name));
        let number: usize = image.name[series(&image.name).len()..].parse().unwrap_or(0);
        left.push(image.kept_out || same.count() < SERIES || number.is_multiple_of(SERIES_STEP));
    }
    images.into_iter().zip(left).filter(|(_, stays)| *stays).map(|(image, _)| image).collect()
}

/// An image in memory.
pub(super) struct Netpbm {
    size: Size,
    format: PixelFormat,
    pixels: Vec<u8>,
}

impl Netpbm {
    pub(super) fn image(&self) -> ImageRef<'_> {
        let stride = self.size.w as usize * self.format.bytes_per_pixel();
        ImageRef::new(&self.pixels, self.size, stride, self.format).expect("the parser counted the pixels")
    }

    /// Bytes that a raw file has: two for a deep sample, three for a colour.
    pub(super) fn raw_len(&self) -> usize {
        let bytes = if self.format == PixelFormat::Bgrx8 { 3 } else { self.format.bytes_per_pixel() };
        self.size.w as usize * self.size.h as usize * bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (mut fields, mut at) = (Vec::new(), 0);
        while fields.len() < 4 {
            let len = bytes[at..].iter().position(u8::is_ascii_whitespace)?;
            fields.push(std::str::from_utf8(&bytes[at..at + len]).ok()?);
            at += len + 1;
        }
        let [kind, w, h, max] = fields[..] else { return None };
        let (w, h, max): (u32, u32, u32) = (w.parse().ok()?, h.parse().ok()?, max.parse().ok()?);
        let depth = max.max(1).ilog2() as u8 + 1;
        let samples = bytes.get(at..)?;
        let (format, pixels): (_, Vec<u8>) = match (kind, depth) {
            ("P5", ..=8) => (PixelFormat::Gray8, samples.to_vec()),
            ("P5", _) => {
                let swapped = samples.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect();
                (PixelFormat::Gray16(SampleDepth::new(depth)?), swapped)
            }
            ("P6", ..=8) => {
                let bgrx = |rgb: &[u8]| [rgb[2], rgb[1], rgb[0], 0xff];
                (PixelFormat::Bgrx8, samples.chunks_exact(3).flat_map(bgrx).collect())
            }
            _ => return None,
        };
        let needed = (w as usize).checked_mul(h as usize)?.checked_mul(format.bytes_per_pixel())?;
        let size = Size::new(w, h);
        let parsed = Self { size, format, pixels };
        let fits = needed > 0
            && parsed.pixels.len() >= needed
            && ImageRef::new(&parsed.pixels, size, needed / h as usize, format).is_ok();
        fits.then_some(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_and_broken_ones_are_not() {
        let gray = Netpbm::parse(b"P5 2 1 4095\n\x01\x02\x03\x04").unwrap();
        assert_eq!((gray.raw_len(), &gray.pixels[..]), (4, &[2, 1, 4, 3][..]));
        let colour = Netpbm::parse(b"P6\n1 1\n255\n\x01\x02\x03").unwrap();
        assert_eq!((colour.raw_len(), &colour.pixels[..]), (3, &[3, 2, 1, 0xff][..]));
        assert!(Netpbm::parse(b"P5 2 2 255\n\x01\x02\x03").is_none());
        assert!(Netpbm::parse(b"P6 0 1 255\n").is_none());
        assert!(Netpbm::parse(b"GIF89a").is_none());
    }

    #[test]
    fn long_series_are_thinned() {
        let entry = |name: String| Entry {
            path: PathBuf::new(),
            class: String::new(),
            kept_out: name == "head_03",
            name,
        };
        let names = (0..9).map(|i| format!("head_{i:02}")).chain(["one_1".into(), "one_2".into()]);
        let left: Vec<String> =
            thin(names.map(entry).collect()).into_iter().map(|image| image.name).collect();
        assert_eq!(left, ["head_00", "head_03", "head_04", "head_08", "one_1", "one_2"]);
    }
}
