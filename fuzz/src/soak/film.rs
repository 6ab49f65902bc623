//! A host's own encoder whose pictures have nothing to do with the source, and the decoder that shows them: what video
//! shows is never right, so a tile that is called verified because of it is found out.

use std::sync::Arc;

use lightbox_client::{AccessUnit, Codec, DecodeError, Decoder, Decoders};
use lightbox_codec::geom::{Rect, Size, TILE};
use lightbox_codec::pixel::ImageMut;
use lightbox_protocol::Time;
use lightbox_protocol::msg::video::{Colour, Unit};
use lightbox_protocol::wire::ids;
use lightbox_server::encode::SubmittedUnit;
use lightbox_sim::rng::Rng;

/// The encoder of one screen.
#[derive(Debug, Default)]
pub(super) struct Film {
    /// Where it runs, while it does.
    rect: Option<Rect>,
    number: u64,
    pub(super) wants_key: bool,
}

impl Film {
    /// What the encoder makes of the picture as it is; it starts and stops as it likes.
    pub(super) fn unit(&mut self, size: Size, now: Time, rng: &mut Rng) -> Option<Arc<SubmittedUnit>> {
        let mut key = self.wants_key && rng.chance(0.5);
        if rng.chance(0.03) {
            self.rect = rng.chance(0.6).then(|| rect(size, rng));
            key = true;
        }
        let rect = self.rect?;
        self.number += 1;
        if key {
            self.wants_key = false;
        }
        let data = [self.number.to_le_bytes(), rng.next_u64().to_le_bytes()].concat();
        let colour = Colour::default();
        let unit = Unit { rect, codec: ids::codec::HEVC, key, colour, data: data.into() };
        Some(Arc::new(SubmittedUnit { number: self.number, at: now, unit }))
    }
}

/// The whole screen, tiles of it, or anything.
fn rect(size: Size, rng: &mut Rng) -> Rect {
    let mut some = |side: u32| {
        let (a, b) = (rng.below(side.into()) as u32, rng.below(side.into()) as u32);
        (a.min(b), a.max(b) + 1)
    };
    let ((left, right), (top, bottom)) = (some(size.w), some(size.h));
    match (left + top) % 3 {
        0 => size.rect(),
        1 => Rect::span(
            left / TILE * TILE,
            top / TILE * TILE,
            right.next_multiple_of(TILE).min(size.w),
            bottom.next_multiple_of(TILE).min(size.h),
        ),
        _ => Rect::span(left, top, right, bottom),
    }
}

/// What the terminal decodes films with.
pub(super) fn decoders() -> Decoders {
    Decoders::none().with(&[Codec::Hevc], Arc::new(|_| Some(Box::new(Projector::default()))))
}

/// Paints noise, and insists on the order of units.
#[derive(Debug, Default)]
struct Projector {
    last: Option<u64>,
}

impl Decoder for Projector {
    fn decode(&mut self, unit: &AccessUnit<'_>, picture: &mut ImageMut<'_>) -> Result<(), DecodeError> {
        let (words, _) = unit.data.as_chunks::<8>();
        let [number, seed] = [0, 1].map(|i| words.get(i).copied().map_or(0, u64::from_le_bytes));
        if !unit.key && self.last.is_none_or(|last| last + 1 != number) {
            return Err(DecodeError::Malformed("a unit is missing"));
        }
        self.last = Some(number);
        let mut noise = Rng::new(seed);
        for y in 0..picture.size().h {
            let word = noise.next_u64().to_le_bytes();
            picture.row_mut(y).chunks_mut(8).for_each(|pixels| pixels.copy_from_slice(&word[..pixels.len()]));
        }
        Ok(())
    }
}
