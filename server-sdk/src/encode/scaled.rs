//! Images of which the host has said how they are scaled: their source is sent instead of what they became.
//!
//! What the host says is believed of no pixel. Where the source, scaled, is nearly what the picture shows, it is coded
//! with what is wrong of it; where it is not, the picture is coded as if nothing had been said.

use std::sync::Arc;

use lightbox_codec::geom::{Rect, Size, TileIndex};
use lightbox_codec::pixel::{ImageRef, PixelFormat};
use lightbox_codec::screen::scaled::{Encoder, Scale, Source};
use lightbox_protocol::channel::display::Begin;
use lightbox_protocol::msg::display::{MAX_SCALED_PIXELS, Op};
use lightbox_protocol::wire::ids;

use super::boxes::CodedBox;
use super::parts::Parts;
use super::passes::Plan;
use super::{Technique, View};
use crate::error::ScaledError;

/// An image as a part of a picture shows it.
#[derive(Debug)]
pub struct Shown {
    rect: Rect,
    source: Source,
    /// Of the rect's first pixel.
    scale: Scale,
}

impl Shown {
    /// `image` shown in `rect` of a picture of `size` and `format`, by `scale` from the rect's first pixel on. What the
    /// rect does not show of it is not kept.
    ///
    /// # Errors
    /// The rect is none of the picture's, or no client makes such pixels of the image.
    pub fn new(
        image: ImageRef<'_>,
        scale: &Scale,
        rect: Rect,
        size: Size,
        format: PixelFormat,
    ) -> Result<Self, ScaledError> {
        let is_inside = !rect.is_empty() && size.rect().contains(rect) && rect.area() <= MAX_SCALED_PIXELS;
        if !is_inside {
            return Err(ScaledError::Rect);
        }
        let visible = Source::visible(image, scale, rect.size()).filter(|(source, _)| source.is_for(format));
        let (source, scale) = visible.ok_or(ScaledError::Image)?;
        Ok(Self { rect, source, scale })
    }

    /// True if its source has so many fewer pixels that it has fewer bytes as well.
    fn is_smaller(&self) -> bool {
        self.source.size().area() * 4 <= self.rect.area() * 3
    }
}

/// At least this part of an image must have changed for all of it to be sent.
const CHANGED: u64 = 3;
/// And at most this part of its pixels may be others than its source makes.
const WRONG: u64 = 16;
/// So many rows are skipped after each that is compared with what its source makes.
const LOOK_AT: u32 = 8;

impl View {
    /// The images that the source's picture shows scaled from now on, in place of those before.
    pub fn set_shown(&mut self, images: &Arc<[Shown]>) {
        self.shown = images.clone();
    }

    /// Takes what the first image that is worth it covers out of `pending`, and the source's samples into `sent`. Returns
    /// which it is, and boxes of what else changed in tiles that it covers in part: none is left to another frame with
    /// only a part of it up to date.
    pub(super) fn take_shown(
        &mut self,
        source: ImageRef<'_>,
        differing: &[TileIndex],
        begin: &Begin,
        encoder: &mut Encoder,
        parts: &mut Parts<'_>,
    ) -> Option<(usize, Vec<CodedBox>)> {
        if !begin.passes.scaled || differing.is_empty() || !self.is_of(source) {
            return None;
        }
        let images = self.shown.clone();
        let index =
            images.iter().position(|image| self.is_worth(image, source, differing, begin, encoder))?;
        let rect = images[index].rect;
        let mut in_part = Vec::new();
        for tile in self.grid.touching(rect) {
            let whole = self.grid.rect(tile);
            if !rect.contains(whole) {
                self.past.forget(tile);
                parts.recall.copied(tile);
                in_part.push(tile);
                continue;
            }
            if !self.pending.contains(tile) {
                continue;
            }
            self.pending.remove(tile);
            let is_known = !self.unknown.contains(tile) && !self.coarse.contains(tile);
            self.unknown.remove(tile);
            self.coarse.remove(tile);
            self.note_taken(tile);
            if let Some(next) = source.crop(whole) {
                let now = self.sent.as_ref().crop(whole).filter(|_| is_known);
                parts.recall.change(&mut self.past, tile, now, next, whole.area());
            }
        }
        if let (Some(mut target), Some(part)) = (self.sent.as_mut().crop_mut(rect), source.crop(rect)) {
            target.copy_from(part);
        }
        let mut boxes = Vec::new();
        for tile in in_part {
            if !self.pending.contains(tile) {
                continue;
            }
            // Where the image alone brings it up to date it has no box, and its change leaves with this frame too.
            self.note_taken(tile);
            boxes.extend(self.take_box(source, tile, Plan::OneShot, parts));
        }
        Some((index, boxes))
    }

    /// The image of this index as the client is to show it, in bytes.
    pub(super) fn encode_shown(
        &mut self,
        index: usize,
        encoder: &mut Encoder,
        parts: &mut Parts<'_>,
    ) -> usize {
        let images = self.shown.clone();
        let Shown { rect, source, scale } = &images[index];
        let mut data = Vec::new();
        let target = self.sent.as_ref().crop(*rect);
        // INVARIANT: the rect of one that was taken lies inside, and its source is for these pixels.
        let fit = target.and_then(|target| encoder.encode(scale, source, target, &mut data));
        debug_assert!(fit.is_some());
        let bytes = data.len() + 13;
        parts.count(Technique::Scaled, rect.area(), bytes as u64);
        parts.recall.paid(&mut self.past, &self.grid, *rect, bytes as u64);
        parts.ops.push(Op::Coded { rect: *rect, codec: ids::codec::SCALED, data: data.into() });
        bytes
    }

    fn is_worth(
        &self,
        image: &Shown,
        source: ImageRef<'_>,
        differing: &[TileIndex],
        begin: &Begin,
        encoder: &mut Encoder,
    ) -> bool {
        let rect = image.rect;
        let Some(target) = source.crop(rect).filter(|_| image.is_smaller()) else { return false };
        let parts = differing.iter().filter_map(|tile| self.grid.rect(*tile).intersect(rect));
        let changed: u64 = parts.map(|part| part.area()).sum();
        // Of a part of a tile that is not known to be exact nothing is known, and what took the plain path stays on it.
        let is_free = |tile: TileIndex| {
            let is_exact = !self.unknown.contains(tile) && !self.coarse.contains(tile);
            !self.plain.contains(tile) && (is_exact || rect.contains(self.grid.rect(tile)))
        };
        let bytes = changed as f64 * self.density.exact().unwrap_or(0.0) / 2.0;
        changed * CHANGED >= rect.area()
            && bytes <= begin.budget as f64
            && self.grid.touching(rect).all(is_free)
            && encoder
                .fit(&image.scale, &image.source, target, LOOK_AT)
                .is_some_and(|fit| fit.wrong * WRONG <= fit.pixels)
    }
}
