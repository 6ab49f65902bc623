//! The truth: what the source showed in each tile when each frame was made, and until when.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use lightbox_codec::digest::{Digest, DigestContext};
use lightbox_codec::geom::{TileGrid, TileIndex};
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat};
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::NewFrame;

/// A tile of a surface.
pub(super) type Tile = (u32, TileIndex);

/// What each frame may have painted, tile by tile.
#[derive(Debug, Default)]
pub(super) struct History {
    frames: BTreeMap<Tile, BTreeMap<u64, Vec<Samples>>>,
}

/// The bytes of a tile, and a name by which a [`Timeline`] finds them again.
#[derive(Clone, Debug)]
struct Samples {
    bytes: Rc<[u8]>,
    name: Digest,
}

impl History {
    /// `frame` was made while the source showed these `pictures`, one after the other: each of its tiles is as it was
    /// in one of them. One that only refines shows what the frame before it was made from.
    pub(super) fn record(&mut self, frame: &NewFrame, pictures: &[Rc<Image>]) {
        for write in &frame.writes {
            let known = self.frames.entry((frame.surface, write.tile)).or_default();
            if frame.refines {
                let last = known.last_key_value().map(|(_, samples)| samples.clone());
                known.insert(frame.seq, last.unwrap_or_default());
                continue;
            }
            let mut samples: Vec<Samples> = Vec::new();
            for picture in pictures {
                let Some(bytes) = tile_bytes(picture.as_ref().as_ref(), write.tile) else { continue };
                if samples.iter().any(|s| s.bytes[..] == bytes[..]) {
                    continue;
                }
                let Some(name) = name(picture, write.tile) else { continue };
                samples.push(Samples { bytes: bytes.into(), name });
            }
            known.insert(frame.seq, samples);
        }
    }

    /// True if `tile` of `image` shows what the source showed when frame `epoch` was made.
    pub(super) fn agrees(&self, tile: Tile, epoch: u64, image: ImageRef<'_>) -> bool {
        let Some(samples) = self.frames.get(&tile).and_then(|t| t.get(&epoch)) else { return false };
        let Some(shown) = tile_bytes(image, tile.1) else { return false };
        samples.iter().any(|s| s.bytes[..] == shown[..])
    }

    /// True if no sample of `tile` of `image` is more than `error` from what the source showed when frame `epoch` was
    /// made.
    pub(super) fn is_within(&self, error: u32, tile: Tile, epoch: u64, image: ImageRef<'_>) -> bool {
        let Some(samples) = self.frames.get(&tile).and_then(|t| t.get(&epoch)) else { return false };
        let Some(shown) = tile_bytes(image, tile.1) else { return false };
        let deep = matches!(image.format(), PixelFormat::Gray16(_));
        let near = |a: u16, b: u16| u32::from(a.abs_diff(b)) <= error;
        samples.iter().any(|s| {
            let bytes = s.bytes.iter().zip(&shown);
            let words = s.bytes.as_chunks::<2>().0.iter().zip(shown.as_chunks::<2>().0);
            if deep {
                words.into_iter().all(|(a, b)| near(u16::from_le_bytes(*a), u16::from_le_bytes(*b)))
            } else {
                bytes.into_iter().all(|(a, b)| near((*a).into(), (*b).into()))
            }
        })
    }

    /// Until when the source, of which `timeline` tells, showed what frame `epoch` painted.
    pub(super) fn current_until(&self, tile: Tile, epoch: u64, timeline: &Timeline, now: Time) -> Time {
        let samples = self.frames.get(&tile).and_then(|t| t.get(&epoch)).into_iter().flatten();
        samples.map(|s| timeline.showed_until(tile.1, s.name, now)).max().unwrap_or(timeline.born)
    }

    /// Frames before `epoch` will not be asked for any more.
    pub(super) fn forget_before(&mut self, tile: Tile, epoch: u64) {
        if let Some(frames) = self.frames.get_mut(&tile) {
            *frames = frames.split_off(&epoch);
        }
    }
}

/// When the source changed each tile of an output.
#[derive(Debug)]
pub(super) struct Timeline {
    born: Time,
    /// By tile: since when it shows what.
    tiles: Vec<VecDeque<(Time, Digest)>>,
}

/// Changes of a tile that are kept.
const MEMORY: usize = 1_000;

impl Timeline {
    /// Of an output that shows `image` from now on.
    pub(super) fn new(image: &Image, now: Time) -> Self {
        let first = |tile| VecDeque::from_iter(name(image, tile).map(|name| (now, name)));
        Self { born: now, tiles: (0..TileGrid::new(image.size()).len()).map(first).collect() }
    }

    /// `tile` may have changed.
    pub(super) fn look(&mut self, image: &Image, tile: TileIndex, now: Time) {
        let (Some(name), Some(past)) = (name(image, tile), self.tiles.get_mut(tile as usize)) else { return };
        if past.back().is_none_or(|(_, last)| *last != name) {
            past.push_back((now, name));
            if past.len() > MEMORY {
                past.pop_front();
            }
        }
    }

    fn showed_until(&self, tile: TileIndex, what: Digest, now: Time) -> Time {
        let Some(past) = self.tiles.get(tile as usize) else { return self.born };
        let mut until = now;
        for (since, name) in past.iter().rev() {
            if *name == what {
                return until;
            }
            until = *since;
        }
        self.born
    }
}

/// The samples of a tile without padding.
pub(super) fn tile_bytes(image: ImageRef<'_>, tile: TileIndex) -> Option<Vec<u8>> {
    let part = image.crop(TileGrid::new(image.size()).rect(tile))?;
    Some(part.rows().fold(Vec::new(), |mut all, row| {
        all.extend_from_slice(row);
        all
    }))
}

/// Names samples for the timeline only; whether they are right is never decided by a digest.
fn name(image: &Image, tile: TileIndex) -> Option<Digest> {
    let part = image.as_ref().crop(TileGrid::new(image.size()).rect(tile))?;
    Some(DigestContext { nonce: [0; 16], surface: 0, generation: 0 }.digest(tile, 0, part))
}
