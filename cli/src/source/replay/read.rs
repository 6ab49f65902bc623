//! Reading `.scr.zst`, a recorded sequence of a screen.
//!
//! It is one zstd frame. Inside: one line of JSON (`name`, `width`, `height`, `frames`, `duration_us`,
//! `final_sha256_bgr`), then that many records, all numbers little-endian:
//!
//! ```text
//! u32 t_us, u16 n, n x { u16 x, y, w, h }, then for each rect three planes of w*h bytes
//! ```
//!
//! The planes are G, B-G and R-G modulo 256, each byte less the one to its left (in the first column: the one
//! above; in the corner: itself). The first record covers the whole screen at time 0.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::{ImageMut, PixelFormat};
use sha2::{Digest, Sha256};

use crate::zst::{self, ZstError};

/// The largest packed file that is read.
const MAX_PACKED: u64 = 1 << 30;
/// The longest header line.
const MAX_HEADER: u64 = 4096;
/// The largest screen, in pixels of one side: four 4K monitors.
const MAX_SCREEN_SIDE: u64 = 8192;
/// The largest screen in pixels, so that a frame never needs more than a few hundred MiB.
const MAX_SCREEN_AREA: u64 = 8192 * 4320;

/// Why a file is not a recording that can be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("cannot read the recording: {0}")]
    Io(#[from] io::Error),
    /// The file is too large to be kept in memory.
    #[error("the recording has {got} packed bytes, at most {MAX_PACKED} are read")]
    Size {
        /// Bytes of the file.
        got: u64,
    },
    /// It is not zstd data within the limits.
    #[error(transparent)]
    Zst(#[from] ZstError),
    /// The line of JSON is missing, or a field is missing or out of range.
    #[error("the recording's header has no valid {field}")]
    Header {
        /// Which field.
        field: &'static str,
    },
    /// The data ends early or its zstd blocks are damaged.
    #[error("the recording breaks off in frame {frame}: copy the file again")]
    Broken {
        /// The frame, counted from 0, that could not be read.
        frame: u32,
    },
    /// A frame is earlier than the one before it, or the first one is not at 0.
    #[error("frame {frame} of the recording goes back in time")]
    Time {
        /// The frame, counted from 0.
        frame: u32,
    },
    /// A frame's rects are empty, leave the screen, or cover far more than it; or the first is not all of it.
    #[error("frame {frame} of the recording paints outside of the screen or too much")]
    Rects {
        /// The frame, counted from 0.
        frame: u32,
    },
    /// Something follows the last frame.
    #[error("the recording goes on after its last frame")]
    Trailing,
    /// The last picture is not the one that the header promises.
    #[error("the recording's last picture is not the recorded one: copy the file again")]
    Digest,
    /// There is not enough memory allowed to keep all frames decoded.
    #[error("the recording's decoded frames take more than {limit} bytes: play it without loading it first")]
    Preload {
        /// Bytes allowed.
        limit: u64,
    },
}

/// A recording, packed in memory, its header read.
#[derive(Clone)]
pub struct Recording {
    packed: Arc<[u8]>,
    header: Header,
}

/// What a recording says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// A short name, for tables.
    pub name: String,
    /// Columns and rows of the screen.
    pub size: Size,
    /// How many frames follow.
    pub frames: u32,
    /// SHA-256 of the last picture as packed B, G, R bytes.
    pub final_sha256: Option<[u8; 32]>,
}

impl Recording {
    /// Reads the file at `path`, up to 1 GiB.
    pub fn open(path: &Path) -> Result<Self, ReplayError> {
        let got = std::fs::metadata(path)?.len();
        if got > MAX_PACKED {
            return Err(ReplayError::Size { got });
        }
        Self::from_bytes(std::fs::read(path)?)
    }

    /// Takes the bytes of a file.
    pub fn from_bytes(packed: Vec<u8>) -> Result<Self, ReplayError> {
        let header = Header::read(&mut zst::reader(&packed)?)?;
        Ok(Self { packed: packed.into(), header })
    }

    /// What it says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its frames from the beginning, each decoded when asked for. Memory: the zstd window and one frame.
    pub fn frames(&self) -> Result<Frames, ReplayError> {
        let mut source = zst::reader(Arc::clone(&self.packed))?;
        Header::read(&mut source)?;
        let source = Box::new(source);
        Ok(Frames {
            source,
            size: self.header.size,
            next: 0,
            end: self.header.frames,
            before: Duration::ZERO,
        })
    }

    /// Decodes everything and compares the last picture with the header's digest (if it has one).
    pub fn verify(&self) -> Result<(), ReplayError> {
        let size = self.header.size;
        let mut data = vec![0u8; size.area() as usize * 4];
        let mut image = ImageMut::new(&mut data, size, size.w as usize * 4, PixelFormat::Bgrx8)
            .expect("the header's size was checked when it was read");
        for frame in self.frames()? {
            frame?.paint(&mut image);
        }
        let digest = Sha256::digest(bgr(&data));
        match self.header.final_sha256 {
            Some(expect) if expect[..] != digest[..] => Err(ReplayError::Digest),
            _ => Ok(()),
        }
    }
}

impl Header {
    fn read(source: &mut impl Read) -> Result<Self, ReplayError> {
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            source.read_exact(&mut byte).map_err(|_| ReplayError::Header { field: "line of JSON" })?;
            if byte[0] == b'\n' {
                break;
            }
            if line.len() as u64 == MAX_HEADER {
                return Err(ReplayError::Header { field: "line of JSON" });
            }
            line.push(byte[0]);
        }
        let json: serde_json::Value =
            serde_json::from_slice(&line).map_err(|_| ReplayError::Header { field: "line of JSON" })?;
        let number = |field: &'static str, max: u64| {
            let n = json.get(field).and_then(serde_json::Value::as_u64);
            n.filter(|n| (1..=max).contains(n)).map(|n| n as u32).ok_or(ReplayError::Header { field })
        };
        let size = Size::new(number("width", MAX_SCREEN_SIDE)?, number("height", MAX_SCREEN_SIDE)?);
        if size.area() > MAX_SCREEN_AREA {
            return Err(ReplayError::Header { field: "width and height" });
        }
        let text = |field| json.get(field).and_then(serde_json::Value::as_str);
        let final_sha256 = match text("final_sha256_bgr") {
            Some(hex) => Some(parse_hex(hex).ok_or(ReplayError::Header { field: "final_sha256_bgr" })?),
            None => None,
        };
        let name = text("name").unwrap_or_default().to_owned();
        Ok(Self { name, size, frames: number("frames", u32::MAX.into())?, final_sha256 })
    }
}

/// A recording's frames in turn. After an error there are no more.
pub struct Frames {
    source: Box<dyn Read + Send>,
    size: Size,
    next: u32,
    end: u32,
    before: Duration,
}

impl Iterator for Frames {
    type Item = Result<Frame, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.end {
            return None;
        }
        let mut frame = Frame::read(&mut self.source, self.next, self.size, self.before);
        self.next += 1;
        if self.next == self.end && frame.is_ok() && !matches!(self.source.read(&mut [0]), Ok(0)) {
            frame = Err(ReplayError::Trailing);
        }
        match &frame {
            Ok(frame) => self.before = frame.at,
            Err(_) => self.end = self.next,
        }
        Some(frame)
    }
}

/// One recorded change of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When, after the recording's begin.
    pub at: Duration,
    /// What was painted: each inside the screen, none empty, together at most twice its pixels.
    pub rects: Vec<Rect>,
    /// The rects' pixels, BGRX with X = 0xFF, row by row, one rect after another.
    pub pixels: Vec<u8>,
}

impl Frame {
    /// Paints it over `image`, BGRX of the recording's size. Rects that stick out of another image are left out.
    pub fn paint(&self, image: &mut ImageMut<'_>) {
        let mut rest = &self.pixels[..];
        for rect in &self.rects {
            let (pixels, behind) = rest.split_at(rect.area() as usize * 4);
            rest = behind;
            if let Some(mut part) = image.crop_mut(*rect) {
                for (y, row) in pixels.chunks_exact(rect.w as usize * 4).enumerate() {
                    part.row_mut(y as u32).copy_from_slice(row);
                }
            }
        }
    }

    fn read(
        source: &mut impl Read,
        number: u32,
        screen: Size,
        before: Duration,
    ) -> Result<Self, ReplayError> {
        let broken = |_| ReplayError::Broken { frame: number };
        let mut head = [0; 4 /* t_us */ + 2 /* rects */];
        source.read_exact(&mut head).map_err(broken)?;
        let at = Duration::from_micros(u32::from_le_bytes([head[0], head[1], head[2], head[3]]).into());
        if at < before || (number == 0 && !at.is_zero()) {
            return Err(ReplayError::Time { frame: number });
        }
        let mut table = vec![0; usize::from(u16::from_le_bytes([head[4], head[5]])) * 8 /* x, y, w, h */];
        source.read_exact(&mut table).map_err(broken)?;
        let rects: Vec<Rect> = table.as_chunks::<8>().0.iter().map(parse_rect).collect();
        let inside = rects.iter().all(|r| !r.is_empty() && screen.rect().contains(*r));
        let area: u64 = rects.iter().map(|r| r.area()).sum();
        if !inside || area > 2 * screen.area() || (number == 0 && rects != [screen.rect()]) {
            return Err(ReplayError::Rects { frame: number });
        }
        let mut pixels = Vec::with_capacity(area as usize * 4);
        let mut planes = Vec::new();
        for rect in &rects {
            planes.clear();
            source.take(rect.area() * 3).read_to_end(&mut planes).map_err(broken)?;
            if planes.len() as u64 != rect.area() * 3 {
                return Err(ReplayError::Broken { frame: number });
            }
            let plane = rect.area() as usize;
            planes.chunks_exact_mut(plane).for_each(|plane| undo_left(plane, rect.w as usize));
            let (green, rest) = planes.split_at(plane);
            let (blue, red) = rest.split_at(plane);
            pixels.extend(green.iter().zip(blue).zip(red).flat_map(|((&g, b), r)| {
                [b.wrapping_add(g), g, r.wrapping_add(g), 0xFF /* carries nothing */]
            }));
        }
        Ok(Self { at, rects, pixels })
    }
}

/// The B, G and R bytes of BGRX data.
pub(crate) fn bgr(bgrx: &[u8]) -> Vec<u8> {
    bgrx.as_chunks::<4>().0.iter().flat_map(|[b, g, r, _]| [*b, *g, *r]).collect()
}

/// Sums up a plane that was stored as differences.
fn undo_left(plane: &mut [u8], width: usize) {
    let mut above = 0;
    for row in plane.chunks_exact_mut(width) {
        let mut sum = above;
        for byte in row.iter_mut() {
            sum = byte.wrapping_add(sum);
            *byte = sum;
        }
        above = row[0];
    }
}

fn parse_rect(bytes: &[u8; 8]) -> Rect {
    let [x, y, w, h] = [0, 2, 4, 6].map(|i| u32::from(u16::from_le_bytes([bytes[i], bytes[i + 1]])));
    Rect::new(x, y, w, h)
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[h, l]| (h * 16 + l) as u8).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}
