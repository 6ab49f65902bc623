//! The private snapshot of an output: what digests and coders look at, never the live framebuffer.

use lightbox_codec::geom::{Rect, TILE, TileGrid, TileIndex};
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
        for rect in rects.iter().filter_map(|rect| rect.intersect(expected.rect())) {
            self.stats.taken_bytes += bytes_of(frame, rect);
            let (tiles, before) = (self.grid.touching(rect).count(), changed.len());
            self.take_rect(frame, rect, changed);
            let differing = changed.len() - before;
            self.stats.changed_tiles += differing as u64;
            if matches!(damage, Damage::Rects(_)) {
                self.stats.false_tiles += (tiles - differing) as u64;
            }
        }
        let reported = changed.len();
        if matches!(damage, Damage::Rects(_)) {
            for _ in 0..sweep.min(self.grid.len()) {
                let tile = self.sweep_at % self.grid.len();
                self.sweep_at = tile + 1;
                self.stats.swept_bytes += bytes_of(frame, self.grid.rect(tile));
                self.take_rect(frame, self.grid.rect(tile), changed);
            }
        }
        let under_reported = (changed.len() - reported) as u32;
        self.stats.under_reported += u64::from(under_reported);
        changed.sort_unstable();
        changed.dedup();
        Ok(Submitted { tiles: changed.len() as u32, under_reported })
    }

    /// Takes over the samples of `rect`, which lies inside, and appends the tiles in which any was another.
    ///
    /// Memory is read a row of the picture at a time, not a row of a tile: that is three times as fast.
    fn take_rect(&mut self, frame: ImageRef<'_>, rect: Rect, changed: &mut Vec<TileIndex>) {
        let (bytes, format) = (frame.format().bytes_per_pixel(), frame.format());
        let (mut image, mut differs) = (self.image.as_mut(), Vec::new());
        let mut band = rect;
        while band.y < rect.bottom() {
            band.h = (TILE - band.y % TILE).min(rect.bottom() - band.y);
            let (Some(source), Some(mut target)) = (frame.crop(band), image.crop_mut(band)) else { return };
            differs.clear();
            differs.resize(self.grid.touching(band).count(), false);
            // Of the first tile it may be the right part alone.
            let first = ((TILE - band.x % TILE).min(band.w)) as usize * bytes;
            for y in 0..band.h {
                let (source, target) = (source.row(y).split_at(first), target.row_mut(y).split_at_mut(first));
                differs[0] |= take_row(target.0, source.0, format);
                let tile = TILE as usize * bytes;
                let rest = target.1.chunks_mut(tile).zip(source.1.chunks(tile));
                for (differs, (target, source)) in differs[1..].iter_mut().zip(rest) {
                    *differs |= take_row(target, source, format);
                }
            }
            changed.extend(self.grid.touching(band).zip(&differs).filter(|(_, d)| **d).map(|(tile, _)| tile));
            band.y += band.h;
        }
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
