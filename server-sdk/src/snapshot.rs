//! The private snapshot of an output: what digests and coders look at, never the live framebuffer.

use lightbox_codec::geom::{Rect, TileGrid, TileIndex};
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat};

use crate::error::SubmitError;
use crate::stats::OutputStats;

/// Where a frame may differ from the one before.
#[derive(Clone, Copy, Debug)]
pub enum Damage<'a> {
    /// In these rects; they may overlap, claim too much and stick out.
    Rects(&'a [Rect]),
    /// Anywhere: the server compares it all.
    Unknown,
}

/// What a submitted frame changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Submitted {
    /// Tiles that changed.
    pub tiles: u32,
    /// Tiles among them that no damage had reported.
    pub under_reported: u32,
}

/// An output's picture as last submitted.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) image: Image,
    pub(crate) stats: OutputStats,
    grid: TileGrid,
    sweep_at: TileIndex,
}

impl Snapshot {
    pub(crate) fn new(image: Image) -> Self {
        let grid = TileGrid::new(image.size());
        Self { image, stats: OutputStats::default(), grid, sweep_at: 0 }
    }

    /// Takes over what `frame` shows inside `damage`, and looks at `sweep` tiles outside of it. Appends the tiles
    /// that changed to `changed`.
    pub(crate) fn take(
        &mut self,
        frame: ImageRef<'_>,
        damage: Damage<'_>,
        sweep: u32,
        changed: &mut Vec<TileIndex>,
    ) -> Result<Submitted, SubmitError> {
        let (expected, got) = (self.image.size(), frame.size());
        if expected != got {
            return Err(SubmitError::Size { expected, got });
        }
        if self.image.format() != frame.format() {
            return Err(SubmitError::Format { expected: self.image.format(), got: frame.format() });
        }
        let whole = [expected.rect()];
        let rects = match damage {
            Damage::Rects(rects) => rects,
            Damage::Unknown => &whole,
        };
        self.stats.submitted += 1;
        for rect in rects {
            for tile in self.grid.touching(*rect) {
                let Some(part) = self.grid.rect(tile).intersect(*rect) else { continue };
                self.stats.taken_bytes += bytes_of(frame, part);
                if self.take_rect(frame, part) {
                    self.stats.changed_tiles += 1;
                    changed.push(tile);
                } else {
                    self.stats.false_tiles += u64::from(matches!(damage, Damage::Rects(_)));
                }
            }
        }
        let reported = changed.len();
        if matches!(damage, Damage::Rects(_)) {
            for _ in 0..sweep.min(self.grid.len()) {
                let tile = self.sweep_at % self.grid.len();
                self.sweep_at = tile + 1;
                self.stats.swept_bytes += bytes_of(frame, self.grid.rect(tile));
                if self.take_rect(frame, self.grid.rect(tile)) {
                    changed.push(tile);
                }
            }
        }
        let under_reported = (changed.len() - reported) as u32;
        self.stats.under_reported += u64::from(under_reported);
        changed.sort_unstable();
        changed.dedup();
        Ok(Submitted { tiles: changed.len() as u32, under_reported })
    }

    /// Takes over the samples of `rect`. True if any was another.
    fn take_rect(&mut self, frame: ImageRef<'_>, rect: Rect) -> bool {
        let (Some(source), format) = (frame.crop(rect), frame.format()) else { return false };
        let mut image = self.image.as_mut();
        let Some(mut target) = image.crop_mut(rect) else { return false };
        let mut differs = false;
        for y in 0..rect.h {
            differs |= take_row(target.row_mut(y), source.row(y), format);
        }
        differs
    }
}

fn bytes_of(frame: ImageRef<'_>, rect: Rect) -> u64 {
    rect.area() * frame.format().bytes_per_pixel() as u64
}

/// Copies a row, with the bits that carry nothing set as the digest defines them. True if any sample was another.
fn take_row(target: &mut [u8], source: &[u8], format: PixelFormat) -> bool {
    match format {
        PixelFormat::Bgrx8 | PixelFormat::Bgrx10 => {
            let spare = u32::from_le_bytes(format.black());
            let (target, _) = target.as_chunks_mut::<4>();
            let mut differs = 0;
            for (t, s) in target.iter_mut().zip(source.as_chunks::<4>().0) {
                let sample = u32::from_le_bytes(*s) | spare;
                differs |= u32::from_le_bytes(*t) ^ sample;
                *t = sample.to_le_bytes();
            }
            differs != 0
        }
        PixelFormat::Gray8 => {
            // One load a byte, as above: a guest that writes meanwhile changes what is seen, never what is noticed.
            let mut differs = 0;
            for (t, s) in target.iter_mut().zip(source) {
                let sample = *s;
                differs |= *t ^ sample;
                *t = sample;
            }
            differs != 0
        }
        PixelFormat::Gray16(depth) => {
            let (target, _) = target.as_chunks_mut::<2>();
            let mut differs = 0;
            for (t, s) in target.iter_mut().zip(source.as_chunks::<2>().0) {
                let sample = u16::from_le_bytes(*s) & depth.max();
                differs |= u16::from_le_bytes(*t) ^ sample;
                *t = sample.to_le_bytes();
            }
            differs != 0
        }
    }
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;

    use super::*;

    fn image(size: Size) -> Image {
        Image::new(size, PixelFormat::Bgrx8).unwrap()
    }

    #[test]
    fn false_damage_changes_nothing_and_the_spare_byte_does_not_count() {
        let size = Size::new(200, 100);
        let mut snapshot = Snapshot::new(image(size));
        let mut frame = image(size);
        frame.as_mut().fill(size.rect(), [0, 0, 0, 7]);
        let mut changed = Vec::new();
        let took = snapshot.take(frame.as_ref(), Damage::Unknown, 0, &mut changed).unwrap();
        assert_eq!((took.tiles, &changed[..]), (0, &[][..]));
        frame.as_mut().fill(Rect::new(70, 10, 1, 1), [1, 2, 3, 0]);
        let all = [size.rect(), Rect::new(60, 0, 500, 50)];
        let took = snapshot.take(frame.as_ref(), Damage::Rects(&all), 0, &mut changed).unwrap();
        assert_eq!((took.tiles, &changed[..]), (1, &[1][..]));
        assert_eq!(snapshot.image.as_ref().crop(Rect::new(70, 10, 1, 1)).unwrap().row(0), [1, 2, 3, 0xFF]);
    }

    #[test]
    fn the_sweep_finds_what_no_damage_reported() {
        let size = Size::new(640, 640);
        let mut snapshot = Snapshot::new(image(size));
        let mut frame = image(size);
        frame.as_mut().fill(Rect::new(600, 600, 3, 3), [1, 2, 3, 0]);
        let mut found = 0;
        for _ in 0..13 {
            let none = Damage::Rects(&[]);
            found += snapshot.take(frame.as_ref(), none, 8, &mut Vec::new()).unwrap().under_reported;
        }
        assert_eq!((found, snapshot.stats.under_reported), (1, 1));
    }
}
