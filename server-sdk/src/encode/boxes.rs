//! From tiles to coded rects: what changed in a tile, and which of those boxes are coded together.

use lightbox_codec::geom::{Rect, TILE};
use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::msg::display::MAX_CODED_PIXELS;

/// A box to be coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodedBox {
    pub(crate) rect: Rect,
    pub(crate) how: How,
    /// The client shows there exactly what is known.
    pub(crate) is_known: bool,
}

/// How a box is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum How {
    /// Exactly.
    Exact,
    /// Exactly, by the path that shares nothing with the usual one.
    Plain,
    /// A first pass of whole tiles, where that is much smaller than the samples.
    First,
    /// The high bits of whole tiles, where those are smaller than the samples.
    High,
    /// The low bits of whole tiles whose high bits are there.
    Low,
}

/// True if the two differ in some pixel of `rect`.
pub(crate) fn differs(old: ImageRef<'_>, new: ImageRef<'_>, rect: Rect) -> bool {
    let bytes = old.format().bytes_per_pixel();
    let span = rect.x as usize * bytes..rect.right() as usize * bytes;
    (rect.y..rect.bottom()).any(|y| old.row(y)[span.clone()] != new.row(y)[span.clone()])
}

/// The smallest box around the pixels of `rect` in which the two differ.
pub(crate) fn difference(old: ImageRef<'_>, new: ImageRef<'_>, rect: Rect) -> Option<Rect> {
    let bytes = old.format().bytes_per_pixel();
    let span = rect.x as usize * bytes..rect.right() as usize * bytes;
    let differs = |y: &u32| old.row(*y)[span.clone()] != new.row(*y)[span.clone()];
    let top = (rect.y..rect.bottom()).find(differs)?;
    let bottom = (top..rect.bottom()).rev().find(differs)?;
    let (mut left, mut right) = (rect.right(), rect.x);
    for y in top..=bottom {
        let (old, new) = (&old.row(y)[span.clone()], &new.row(y)[span.clone()]);
        // Only what could widen the box is looked at.
        let known = ((left - rect.x) as usize * bytes).min(old.len());
        if old[..known] != new[..known]
            && let Some(first) = old.iter().zip(new).position(|(old, new)| old != new)
        {
            left = rect.x + (first / bytes) as u32;
        }
        let known = (right - rect.x) as usize * bytes;
        if old[known..] != new[known..]
            && let Some(last) = old.iter().zip(new).rposition(|(old, new)| old != new)
        {
            right = rect.x + (last / bytes) as u32 + 1;
        }
    }
    Some(Rect::span(left, top, right, bottom + 1))
}

/// Joins boxes of neighbouring tiles where that wastes little: one entropy state serves up to 64 tiles.
pub(crate) fn merge(mut boxes: Vec<CodedBox>) -> Vec<CodedBox> {
    boxes.sort_unstable_by_key(|b| (b.rect.y / TILE, b.rect.x));
    let rows = join(boxes, |a, b| {
        a.rect.y / TILE == b.rect.y / TILE && (a.rect.right() - 1) / TILE + 1 == b.rect.x / TILE
    });
    let mut columns = rows;
    columns.sort_unstable_by_key(|b| (b.rect.x, b.rect.w, b.rect.y));
    join(columns, |a, b| (a.rect.x, a.rect.w) == (b.rect.x, b.rect.w) && a.rect.bottom() == b.rect.y)
}

fn join(boxes: Vec<CodedBox>, neighbours: impl Fn(&CodedBox, &CodedBox) -> bool) -> Vec<CodedBox> {
    let mut joined: Vec<CodedBox> = Vec::with_capacity(boxes.len());
    for next in boxes {
        if let Some(last) = joined.last_mut() {
            let both = last.rect.union(next.rect);
            let sum = last.rect.area() + next.rect.area();
            // A rect of its own costs about as much as a few hundred unchanged pixels.
            let wastes_little = both.area() <= sum + sum / 4 + 256;
            // Low bits are for the rect of the high ones.
            let alike = (last.how, last.is_known) == (next.how, next.is_known) && last.how != How::Low;
            let fits = both.area() <= MAX_CODED_PIXELS && alike;
            if fits && wastes_little && neighbours(last, &next) {
                last.rect = both;
                continue;
            }
        }
        joined.push(next);
    }
    joined
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;
    use lightbox_codec::pixel::{Image, PixelFormat};

    use super::*;

    #[test]
    fn the_box_is_tight() {
        let size = Size::new(100, 80);
        for changed in [Rect::new(7, 9, 1, 1), Rect::new(64, 64, 36, 16), Rect::new(70, 3, 5, 60)] {
            for format in [PixelFormat::Bgrx8, PixelFormat::Gray8] {
                let old = Image::new(size, format).unwrap();
                let mut new = old.clone();
                new.as_mut().fill(changed, [9, 0, 0, 0xFF]);
                assert_eq!(difference(old.as_ref(), new.as_ref(), size.rect()), Some(changed));
            }
        }
        let same = Image::new(size, PixelFormat::Bgrx8).unwrap();
        assert_eq!(difference(same.as_ref(), same.as_ref(), size.rect()), None);
    }

    #[test]
    fn an_image_becomes_few_rects_and_far_words_stay_apart() {
        let tiles = (0..12u32).flat_map(|y| (0..12).map(move |x| Rect::new(x * 64, y * 64, 64, 64)));
        let merged = merge(tiles.map(|rect| CodedBox { rect, how: How::Exact, is_known: true }).collect());
        assert_eq!(merged.iter().map(|b| b.rect.area()).sum::<u64>(), 768 * 768);
        assert!(merged.len() <= 4, "{merged:?}");
        let words = [Rect::new(10, 10, 20, 8), Rect::new(600, 10, 20, 8), Rect::new(64, 40, 4, 4)];
        let merged = merge(words.map(|rect| CodedBox { rect, how: How::Exact, is_known: true }).into());
        assert_eq!(merged.len(), 3);
    }
}
