//! From layers to the picture: takes over what really changed, and says where that was.

use lightbox_codec::geom::{Point, Rect};

use super::canvas::Canvas;

/// Makes `front` show `base` with a window `over` it, inside `touched`, and appends tight rects around the pixels
/// that changed to `damage`.
pub(crate) fn compose(
    front: &mut Canvas,
    base: &Canvas,
    over: Option<(&Canvas, Point)>,
    touched: Rect,
    damage: &mut Vec<Rect>,
) {
    let Some(touched) = touched.intersect(front.size().rect()) else { return };
    let over = over.and_then(|(window, at)| {
        window.size().rect().at(at).intersect(touched).map(|covered| (window, at, covered))
    });
    let mut line = Vec::new();
    let mut band: Option<Rect> = None;
    for y in touched.y..touched.bottom() {
        line.clear();
        line.extend_from_slice(base.row_from(touched.x, y, touched.w));
        if let Some((window, at, c)) = over
            && (c.y..c.bottom()).contains(&y)
        {
            let above = window.row_from(c.x - at.x, y - at.y, c.w);
            line[(c.x - touched.x) as usize..][..c.w as usize].copy_from_slice(above);
        }
        let shown = front.row(touched.x, y, touched.w);
        let Some(first) = shown.iter().zip(&line).position(|(a, b)| a != b) else { continue };
        let last = shown.iter().zip(&line).rposition(|(a, b)| a != b).unwrap_or(first);
        shown[first..=last].copy_from_slice(&line[first..=last]);
        let changed = Rect::span(touched.x + first as u32, y, touched.x + last as u32 + 1, y + 1);
        band = Some(match band {
            Some(band) if y - band.bottom() < GAP => band.union(changed),
            other => {
                damage.extend(other);
                changed
            }
        });
    }
    damage.extend(band);
}

/// This many unchanged rows part two rects: less would cut lines of text, more would claim what stands still.
const GAP: u32 = 12;
