//! Writing `.scr.zst`, the format that [`replay`](super::replay) reads and describes.

use std::time::Duration;

use lightbox_codec::geom::{Rect, Region, Size};
use lightbox_codec::pixel::{ImageRef, PixelFormat};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use sha2::{Digest, Sha256};

use super::replay::bgr;

/// Why a frame cannot be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The format counts microseconds in 32 bits, rising.
    #[error("a frame at {at:?} is before the last one or past 71 minutes: begin another recording")]
    Time {
        /// When the frame was, after the recording's begin.
        at: Duration,
    },
    /// The picture is no BGRX image of the recording's size.
    #[error("only BGRX pictures of {w}x{h} pixels fit into this recording")]
    Image {
        /// Columns of the recording.
        w: u32,
        /// Rows of the recording.
        h: u32,
    },
}

/// Collects frames and packs them. Memory: three bytes for each damaged pixel, until it is finished.
pub struct Recorder {
    name: String,
    description: String,
    size: Size,
    /// The records, not packed yet.
    body: Vec<u8>,
    frames: u32,
    rects: usize,
    damaged: u64,
    last_at: Duration,
    /// BGRX, rows without padding.
    last_picture: Vec<u8>,
}

impl Recorder {
    /// An empty recording of a screen of `size`; `name` and `description` go into its header.
    pub fn new(name: &str, description: &str, size: Size) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            size,
            body: Vec::new(),
            frames: 0,
            rects: 0,
            damaged: 0,
            last_at: Duration::ZERO,
            last_picture: Vec::new(),
        }
    }

    /// Adds what `image` shows in `damage`, `at` after the begin.
    ///
    /// The first frame becomes the whole picture at 0. Damage outside the picture is left out, and a later frame
    /// without damage adds nothing.
    pub fn push(&mut self, at: Duration, image: ImageRef<'_>, damage: &[Rect]) -> Result<(), RecordError> {
        let Size { w, h } = self.size;
        if image.size() != self.size || image.format() != PixelFormat::Bgrx8 {
            return Err(RecordError::Image { w, h });
        }
        let first = self.frames == 0;
        let at = if first { Duration::ZERO } else { at };
        let micros = u32::try_from(at.as_micros()).ok().filter(|_| at >= self.last_at);
        let micros = micros.ok_or(RecordError::Time { at })?;
        let whole = [self.size.rect()];
        let region: Region = if first { &whole[..] } else { damage }
            .iter()
            .filter_map(|r| r.intersect(self.size.rect()))
            .collect();
        if region.is_empty() {
            return Ok(());
        }
        self.body.extend(micros.to_le_bytes());
        // A region has at most a few hundred rects, and no side of an image needs more than 16 bits.
        self.body.extend((region.rects().len() as u16).to_le_bytes());
        for r in region.rects() {
            self.body.extend([r.x, r.y, r.w, r.h].into_iter().flat_map(|n| (n as u16).to_le_bytes()));
        }
        for r in region.rects() {
            if let Some(part) = image.crop(*r) {
                write_planes(&mut self.body, part);
            }
        }
        self.frames += 1;
        self.rects += region.rects().len();
        self.damaged += if first { 0 } else { region.area() };
        self.last_at = at;
        self.last_picture.clear();
        image.rows().for_each(|row| self.last_picture.extend_from_slice(row));
        Ok(())
    }

    /// Packs it into the bytes of a `.scr.zst` file; `None` if it has no frame.
    ///
    /// The packing is quick and leaves much to gain: for a file to keep, give [`Recorder::plain`] to `zstd -19`.
    pub fn finish(self) -> Option<Vec<u8>> {
        self.plain().map(|plain| compress_to_vec(&plain[..], CompressionLevel::Fastest))
    }

    /// What the zstd frame of a `.scr.zst` file holds; `None` if there is no frame.
    pub fn plain(self) -> Option<Vec<u8>> {
        if self.frames == 0 {
            return None;
        }
        let digest: String =
            Sha256::digest(bgr(&self.last_picture)).iter().map(|b| format!("{b:02x}")).collect();
        let header = serde_json::json!({
            "name": self.name,
            "width": self.size.w,
            "height": self.size.h,
            "frames": self.frames,
            "duration_us": self.last_at.as_micros() as u64,
            "pixel": "BGRX8888",
            "rects": self.rects,
            "damaged_pixels_after_first": self.damaged,
            "final_sha256_bgr": digest,
            "description": self.description,
        });
        let mut plain = header.to_string().into_bytes();
        plain.push(b'\n');
        plain.extend(self.body);
        Some(plain)
    }
}

/// Appends the three difference planes of a BGRX image.
fn write_planes(body: &mut Vec<u8>, image: ImageRef<'_>) {
    let planes: [fn(&[u8; 4]) -> u8; 3] =
        [|[_, g, _, _]| *g, |[b, g, _, _]| b.wrapping_sub(*g), |[_, g, r, _]| r.wrapping_sub(*g)];
    for plane in planes {
        let mut above = 0;
        for row in image.rows() {
            let mut left = above;
            let samples = row.as_chunks::<4>().0.iter().map(plane);
            above = row.as_chunks::<4>().0.first().map_or(0, plane);
            body.extend(samples.map(|sample| {
                let difference = sample.wrapping_sub(left);
                left = sample;
                difference
            }));
        }
    }
}
