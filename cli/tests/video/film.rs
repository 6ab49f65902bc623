//! A film in a corner of the desktop, and the least that can be called a video codec.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lightbox_cli::Failure;
use lightbox_cli::encoder::Encode;
use lightbox_client::{AccessUnit, Codec, DecodeError, Decoder};
use lightbox_codec::geom::{Rect, TileIndex};
use lightbox_codec::pixel::{Image, ImageMut, ImageRef};

use crate::desk::Desk;

/// A film of 128x128 at 64,64.
pub(crate) struct Film {
    encoder: Box<dyn Encode>,
    pictures: u32,
    /// Key frames so far.
    pub(crate) keys: u32,
}

const AT: Rect = Rect::new(64, 64, 128, 128);

impl Film {
    pub(crate) fn new(desk: &Desk, encoder: Box<dyn Encode>) -> Self {
        assert!(desk.picture.size().rect().contains(AT));
        Self { encoder, pictures: 0, keys: 0 }
    }

    pub(crate) fn codec(&self) -> Codec {
        self.encoder.codec()
    }

    /// True before the first picture.
    pub(crate) fn is_new(&self) -> bool {
        self.keys == 0
    }

    /// One of its tiles, on a desktop of 640 columns.
    pub(crate) fn tile(&self) -> TileIndex {
        11
    }

    /// Paints the next picture: noise that moves, which no copy and no palette brings cheaply.
    pub(crate) fn turn(&mut self, picture: &mut Image) -> [Rect; 1] {
        self.pictures += 1;
        let mut image = picture.as_mut();
        let mut part = image.crop_mut(AT).unwrap();
        for y in 0..AT.h {
            for (x, pixel) in part.row_mut(y).as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let wave = (x as u32 + self.pictures * 3) ^ (y + self.pictures);
                *pixel = [wave as u8, (x as u32 + y) as u8, self.pictures as u8, 0xFF];
            }
        }
        [AT]
    }

    pub(crate) fn encode(&mut self, picture: &Image, wants_key: bool) -> (Vec<u8>, bool) {
        let (unit, key) = self.encoder.encode(picture.as_ref(), wants_key).unwrap();
        self.keys += u32::from(key);
        (unit, key)
    }
}

/// One colour for each block of 16x16, and the number of the unit before: as lossy as video is, and as particular
/// about its order.
#[derive(Default)]
pub(crate) struct Blocks {
    units: u64,
}

const SIDE: usize = 16;

impl Encode for Blocks {
    fn codec(&self) -> Codec {
        Codec::Hevc
    }

    fn encode(&mut self, picture: ImageRef<'_>, wants_key: bool) -> Result<(Vec<u8>, bool), Failure> {
        let mut unit = self.units.to_le_bytes().to_vec();
        self.units += 1;
        for row in picture.rows().step_by(SIDE) {
            row.as_chunks::<4>().0.iter().step_by(SIDE).for_each(|pixel| unit.extend(pixel));
        }
        Ok((unit, wants_key))
    }
}

/// Shows them.
#[derive(Default)]
pub(crate) struct Viewer {
    next: Option<u64>,
    /// 0: the next unit fails; more: none does.
    fails: Option<Arc<AtomicU32>>,
}

impl Viewer {
    /// One that fails when it is told.
    pub(crate) fn failing(fails: Arc<AtomicU32>) -> Self {
        Self { next: None, fails: Some(fails) }
    }
}

impl Decoder for Viewer {
    fn decode(&mut self, unit: &AccessUnit<'_>, picture: &mut ImageMut<'_>) -> Result<(), DecodeError> {
        let (number, blocks) =
            unit.data.split_first_chunk::<8>().ok_or(DecodeError::Malformed("too short"))?;
        let number = u64::from_le_bytes(*number);
        if !unit.key && self.next != Some(number) {
            return Err(DecodeError::Malformed("a unit is missing"));
        }
        if self.fails.as_ref().is_some_and(|fails| fails.swap(1, Ordering::Relaxed) == 0) {
            return Err(DecodeError::Refused("as it was told".into()));
        }
        self.next = Some(number + 1);
        let columns = picture.size().w.div_ceil(SIDE as u32) as usize;
        let blocks = blocks.as_chunks::<4>().0;
        for y in 0..picture.size().h {
            let row =
                blocks.chunks(columns).nth(y as usize / SIDE).ok_or(DecodeError::Malformed("too short"))?;
            let pixels = picture.row_mut(y).as_chunks_mut::<4>().0;
            for (pixels, block) in pixels.chunks_mut(SIDE).zip(row) {
                pixels.fill(*block);
            }
        }
        Ok(())
    }
}
