//! DICOM files from a folder, as a stack of gray images.
//!
//! Uncompressed, RLE and JPEG files are read; colour is shown as its brightness. The stack is ordered by series, then
//! along the patient where positions say how, then by number.

mod lengths;

use std::cmp::Ordering;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dicom_object::{DefaultDicomObject, OpenFileOptions, Tag};
use dicom_pixeldata::{
    DecodedPixelData, PhotometricInterpretation, PixelDecoder, PixelRepresentation, PlanarConfiguration,
};
use lightbox_codec::geom::{MAX_SIDE, Size};
use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::msg::input::Action;

use super::scene::{Gray, Images, StackViewer, Window};
use super::{Change, Source, SourceError};

/// The largest file that is read: a long multi-frame mammography tomosynthesis.
const MAX_FILE: u64 = 1 << 30;
/// The most samples that a stack keeps (in two bytes each).
const MAX_SAMPLES: u64 = 1 << 29;

/// Why there is no stack, or why a file is not part of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DicomError {
    /// The folder or file cannot be read.
    #[error("cannot read it: {0}")]
    Io(#[from] std::io::Error),
    /// None of the folder's files holds an image that can be shown.
    #[error("no DICOM image in {}: give the folder that holds the files themselves", .folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// The file is too long.
    #[error("{got} bytes are more than the {MAX_FILE} that are read")]
    Long {
        /// Bytes of the file.
        got: u64,
    },
    /// It is no DICOM file, or a damaged one.
    #[error("no DICOM file or a damaged one: {0}")]
    File(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It has no pixels, or they are coded in a way that is not read.
    #[error("no readable pixels: {0}")]
    Pixels(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its pixels are of a kind that is not shown.
    #[error("{what} cannot be shown")]
    Kind {
        /// Which kind.
        what: &'static str,
    },
    /// The stack has all the samples that it may have.
    #[error("the stack is full: more than {MAX_SAMPLES} pixels are not kept")]
    Full,
}

/// The images of a folder.
pub struct Stack {
    slices: Vec<Slice>,
    skipped: Vec<String>,
}

impl Stack {
    /// Reads every file in `folder` (not in folders inside). A file that cannot be shown is left out, with one line
    /// about it on standard error.
    pub fn open(folder: &Path) -> Result<Self, DicomError> {
        let stack = Self::read(folder)?;
        for line in &stack.skipped {
            eprintln!("{line}");
        }
        Ok(stack)
    }

    /// The lines about files that were left out.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    fn read(folder: &Path) -> Result<Self, DicomError> {
        let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        let mut files: Vec<PathBuf> = entries.into_iter().map(|e| e.path()).filter(|p| p.is_file()).collect();
        files.sort();
        let mut stack = Self { slices: Vec::new(), skipped: Vec::new() };
        let mut left = MAX_SAMPLES;
        for file in files {
            match read_file(&file, &mut left) {
                Ok(slices) => stack.slices.extend(slices),
                Err(error) => stack.skipped.push(line(&file, &error)),
            }
        }
        if stack.slices.is_empty() {
            return Err(DicomError::Empty { folder: folder.to_owned() });
        }
        stack.slices.sort_by(|a, b| a.place.before(&b.place));
        Ok(stack)
    }

    fn slice(&self, index: u32) -> &Slice {
        &self.slices[(index as usize).min(self.slices.len() - 1)]
    }
}

impl Images for Stack {
    fn count(&self) -> u32 {
        self.slices.len() as u32
    }

    fn image(&mut self, index: u32) -> Gray<'_> {
        let slice = self.slice(index);
        Gray {
            size: slice.size,
            samples: &slice.samples,
            slope: slice.slope,
            intercept: slice.intercept,
            inverted: slice.inverted,
        }
    }

    fn window(&self, index: u32) -> Window {
        self.slice(index).window
    }

    fn presets(&self) -> Vec<Window> {
        let own = self.window(self.count() / 2);
        let preset = |shift: f32, stretch: f32| Window {
            center: own.center + shift * own.width,
            width: (own.width * stretch).max(1.0),
        };
        vec![own, preset(0.0, 0.6), preset(0.15, 1.0), preset(0.0, 1.8)]
    }

    fn captions(&self, index: u32) -> [Vec<String>; 2] {
        self.slice(index).captions.clone()
    }
}

/// A folder's images in a plain viewer: see [`StackViewer`].
pub struct DicomSource(StackViewer);

impl DicomSource {
    /// Opens `folder` as [`Stack::open`] does, on a desktop of 1280x1024.
    pub fn open(folder: &Path) -> Result<Self, DicomError> {
        Ok(Self(StackViewer::new(Box::new(Stack::open(folder)?), Size::new(1280, 1024))))
    }
}

impl Source for DicomSource {
    fn poll(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), SourceError> {
        self.0.poll(wait, changes)
    }

    fn image(&self) -> ImageRef<'_> {
        self.0.image()
    }

    fn input(&mut self, action: &Action) -> Result<(), SourceError> {
        self.0.input(action)
    }
}

/// One image, as it is kept.
struct Slice {
    place: Place,
    size: Size,
    samples: Vec<u16>,
    slope: f32,
    intercept: f32,
    inverted: bool,
    window: Window,
    captions: [Vec<String>; 2],
}

/// What the stack is ordered by.
#[derive(Clone)]
struct Place {
    series: String,
    /// How far along the normal of the image planes, in millimetres.
    along: Option<f64>,
    number: i64,
    frame: u32,
}

impl Place {
    fn of(object: &DefaultDicomObject, frame: u32) -> Self {
        let numbers = |tag| object.element_opt(tag).ok().flatten()?.to_multi_float64().ok();
        let along = match (numbers(ORIENTATION).as_deref(), numbers(POSITION).as_deref()) {
            (Some(&[a, b, c, d, e, f]), Some(&[x, y, z])) => {
                let along = x * (b * f - c * e) + y * (c * d - a * f) + z * (a * e - b * d);
                along.is_finite().then_some(along)
            }
            _ => None,
        };
        let number = object.element_opt(NUMBER).ok().flatten().and_then(|e| e.to_int().ok());
        Self { series: text(object, SERIES), along, number: number.unwrap_or(i64::MAX), frame }
    }

    fn before(&self, other: &Self) -> Ordering {
        // Those without a position come behind those with one, so that the order is total.
        let along = match (self.along, other.along) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        let number = (self.number, self.frame).cmp(&(other.number, other.frame));
        self.series.cmp(&other.series).then(along).then(number)
    }
}

/// Reads all frames of one file, taking its samples from the `left` ones.
fn read_file(path: &Path, left: &mut u64) -> Result<Vec<Slice>, DicomError> {
    let got = std::fs::metadata(path)?.len();
    if got > MAX_FILE {
        return Err(DicomError::Long { got });
    }
    parse(std::fs::read(path)?, left)
}

fn parse(bytes: Vec<u8>, left: &mut u64) -> Result<Vec<Slice>, DicomError> {
    if !lengths::fit(&bytes) {
        return Err(DicomError::File("its elements do not fit into it".into()));
    }
    let object =
        OpenFileOptions::new().from_reader(Cursor::new(bytes)).map_err(|e| DicomError::File(e.into()))?;
    check_size(&object, left)?;
    let pixels = object.decode_pixel_data().map_err(|e| DicomError::Pixels(e.into()))?;
    (0..pixels.number_of_frames()).map(|frame| read_frame(&object, &pixels, frame)).collect()
}

/// Looks at what the file claims before anything is allocated for it.
fn check_size(object: &DefaultDicomObject, left: &mut u64) -> Result<(), DicomError> {
    let number = |tag, otherwise: u32| match object.element_opt(tag) {
        Ok(Some(element)) => element.to_int::<u32>().unwrap_or(0),
        _ => otherwise,
    };
    let (rows, columns, frames) = (number(ROWS, 0), number(COLUMNS, 0), number(FRAMES, 1));
    if rows == 0 || columns == 0 || frames == 0 || rows > MAX_SIDE || columns > MAX_SIDE {
        return Err(DicomError::Kind { what: "an image without a size from 1x1 to 16384x16384" });
    }
    let samples = u64::from(rows) * u64::from(columns) * u64::from(frames);
    *left = left.checked_sub(samples).ok_or(DicomError::Full)?;
    Ok(())
}

fn read_frame(
    object: &DefaultDicomObject,
    pixels: &DecodedPixelData<'_>,
    frame: u32,
) -> Result<Slice, DicomError> {
    let size = Size::new(pixels.columns(), pixels.rows());
    let failed = |e: dicom_pixeldata::Error| DicomError::Pixels(e.into());
    let raw = pixels.frame_data(frame).map_err(failed)?;
    let signed = pixels.pixel_representation() == PixelRepresentation::Signed;
    let stored = u32::from(pixels.bits_stored());
    let samples = match (pixels.samples_per_pixel(), pixels.bits_allocated()) {
        (_, _) if *pixels.photometric_interpretation() == PhotometricInterpretation::PaletteColor => {
            return Err(DicomError::Kind { what: "palette colour" });
        }
        (1, 8) if (1..=8).contains(&stored) => {
            raw.iter().map(|s| unsign((*s).into(), stored, signed)).collect()
        }
        (1, 16) if (1..=16).contains(&stored) => {
            let low = u32::from(pixels.high_bit()).saturating_sub(stored - 1).min(15);
            let samples = raw.as_chunks::<2>().0.iter().map(|s| u16::from_le_bytes(*s));
            samples.map(|s| unsign(s >> low, stored, signed)).collect()
        }
        (3, 8) if !signed => brightness(pixels, raw, size.area() as usize),
        _ => return Err(DicomError::Kind { what: "an image of other than 8 or 16 bits" }),
    };
    if samples.len() as u64 != size.area() {
        return Err(DicomError::Kind { what: "an image with too few pixels" });
    }
    let of_frame = |len: usize| (frame as usize).min(len.saturating_sub(1));
    let rescale = pixels.rescale().map_err(failed)?;
    let (slope, intercept) =
        rescale.get(of_frame(rescale.len())).map_or((1.0, 0.0), |r| (r.slope as f32, r.intercept as f32));
    let bias = if signed { (1u32 << (stored - 1)) as f32 } else { 0.0 };
    let intercept = intercept - bias * slope;
    let window = pixels.window().map_err(failed)?.and_then(|all| all.get(of_frame(all.len())).copied());
    let window = match window {
        Some(w) => Window { center: w.center as f32, width: (w.width as f32).max(1.0) },
        None => full_window(&samples, slope, intercept),
    };
    Ok(Slice {
        place: Place::of(object, frame),
        size,
        samples,
        slope,
        intercept,
        inverted: *pixels.photometric_interpretation() == PhotometricInterpretation::Monochrome1,
        window,
        captions: captions(object),
    })
}

/// A sample of `bits` bits as a number from 0: two's complement moves up by half of the range.
fn unsign(sample: u16, bits: u32, signed: bool) -> u16 {
    let sample = sample & (u16::MAX >> (16 - bits));
    if signed { sample ^ 1 << (bits - 1) } else { sample }
}

/// The brightness of colour pixels, whichever way their samples lie.
fn brightness(pixels: &DecodedPixelData<'_>, raw: &[u8], area: usize) -> Vec<u16> {
    let weights = match pixels.photometric_interpretation() {
        PhotometricInterpretation::Rgb => [77, 150, 29],
        _ => [256, 0, 0],
    };
    let mix = |a: u8, b: u8, c: u8| {
        let sum = [a, b, c].iter().zip(weights).map(|(s, w)| u32::from(*s) * w).sum::<u32>();
        (sum / 256) as u16
    };
    if pixels.planar_configuration() == PlanarConfiguration::Standard {
        return raw.as_chunks::<3>().0.iter().map(|[a, b, c]| mix(*a, *b, *c)).collect();
    }
    let (first, rest) = raw.split_at(area.min(raw.len()));
    let (second, third) = rest.split_at(area.min(rest.len()));
    first.iter().zip(second).zip(third).map(|((a, b), c)| mix(*a, *b, *c)).collect()
}

/// The window from the lowest to the highest value, for images that do not say how they want to be seen.
fn full_window(samples: &[u16], slope: f32, intercept: f32) -> Window {
    let value = |sample: Option<&u16>| f32::from(sample.copied().unwrap_or_default()) * slope + intercept;
    let (low, high) = (value(samples.iter().min()), value(samples.iter().max()));
    Window { center: (low + high) / 2.0, width: (high - low).abs().max(1.0) }
}

fn captions(object: &DefaultDicomObject) -> [Vec<String>; 2] {
    let lines = |tags: &[Tag]| {
        let lines = tags.iter().map(|tag| text(object, *tag)).filter(|line| !line.is_empty());
        lines.map(|line| line.replace('^', " ").chars().take(48).collect()).collect()
    };
    [lines(&[PATIENT_NAME, PATIENT_ID, SERIES_DESCRIPTION]), lines(&[INSTITUTION, STUDY_DATE, MODALITY])]
}

fn text(object: &DefaultDicomObject, tag: Tag) -> String {
    let element = object.element_opt(tag).ok().flatten();
    element.and_then(|e| e.to_str().ok()).map(|s| s.trim().to_owned()).unwrap_or_default()
}

/// One line about a file that was left out, whatever its error says.
fn line(path: &Path, error: &DicomError) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    format!("{name}: {error}").split_whitespace().collect::<Vec<_>>().join(" ")
}

const STUDY_DATE: Tag = Tag(0x0008, 0x0020);
const MODALITY: Tag = Tag(0x0008, 0x0060);
const INSTITUTION: Tag = Tag(0x0008, 0x0080);
const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103E);
const PATIENT_NAME: Tag = Tag(0x0010, 0x0010);
const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
const SERIES: Tag = Tag(0x0020, 0x000E);
const NUMBER: Tag = Tag(0x0020, 0x0013);
const POSITION: Tag = Tag(0x0020, 0x0032);
const ORIENTATION: Tag = Tag(0x0020, 0x0037);
const FRAMES: Tag = Tag(0x0028, 0x0008);
const ROWS: Tag = Tag(0x0028, 0x0010);
const COLUMNS: Tag = Tag(0x0028, 0x0011);

#[cfg(test)]
mod tests;
