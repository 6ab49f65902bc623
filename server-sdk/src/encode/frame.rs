//! What the next frame brings, and in which order it is looked for.

use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::channel::display::Begin;

use super::boxes::How;
use super::parts::Parts;
use super::passes::Plan;
use super::pool::Pool;
use super::{Keep, Made, View};

/// Refinement takes this part of a frame's budget, so that a change never waits long for what it could wait for.
const REFINE_SHARE: usize = 2;
/// A frame has no more units than a core codes in about 4 ms, in pixels: what is left follows in the next, while the
/// client paints this one.
const UNIT_AREA: u64 = 320 * 1024;

impl View {
    /// The next frame, made from what `look` shows of the source's snapshot; `None` if nothing differs and nothing can
    /// be refined. First comes what a contract wants exact soon, then access units, then other changes. `look` is called
    /// several times and holds the snapshot only while it runs, so
    /// that the source is never kept waiting for a coder. `keep` is the session's.
    pub fn frame(
        &mut self,
        mut look: impl FnMut(&mut dyn FnMut(ImageRef<'_>)),
        begin: &Begin,
        pool: &mut Pool,
        keep: &mut Keep,
    ) -> Option<Made> {
        keep.begin(begin.slots);
        let urgent = if self.is_urgent() { self.refinement(begin, pool, keep, true) } else { None };
        let made = urgent
            .or_else(|| self.unit_frame(&mut look, begin, keep))
            .or_else(|| self.changes(look, begin, pool, keep))
            .or_else(|| self.refinement(begin, pool, keep, false));
        self.settle_terms();
        made
    }

    fn changes(
        &mut self,
        mut look: impl FnMut(&mut dyn FnMut(ImageRef<'_>)),
        begin: &Begin,
        pool: &mut Pool,
        keep: &mut Keep,
    ) -> Option<Made> {
        let oldest = self.since?;
        self.taken = None;
        let mut parts = Parts::new(keep, &self.grid, begin);
        let (mut boxes, mut plan, mut shown) = (Vec::new(), Plan::OneShot, None);
        look(&mut |source| {
            let differing = self.differing(source);
            boxes = self.show_again(source, &differing, &mut parts);
            // Under a box that is on its way to a unit nothing else may be painted.
            if boxes.is_empty() {
                shown = self.take_shown(source, &differing, begin, &mut pool.scaled, &mut parts);
            }
            if shown.is_some() {
                return;
            }
            let changed = self.changed(&differing);
            plan = self.plan(&changed, begin);
            boxes.extend(self.copy_what_moved(source, &changed, &mut parts));
        });
        let mut left = begin.budget as f64;
        if let Some((index, around)) = shown {
            left -= self.encode_shown(index, &mut pool.scaled, &mut parts) as f64;
            boxes.extend(around);
        }
        left -= self.encode(boxes, pool, &mut parts) as f64;
        while parts.unit_area() < UNIT_AREA
            && let Some(area) = self.density.batch(plan.how(), left, parts.is_empty())
        {
            let mut boxes = Vec::new();
            look(&mut |source| boxes = self.take_boxes(source, area, plan, &mut parts));
            if boxes.is_empty() {
                break;
            }
            left -= self.encode(boxes, pool, &mut parts) as f64;
        }
        parts.show(&self.grid);
        self.encode_units(begin, pool, &mut parts);
        self.note_pending();
        if self.since.is_none() {
            self.coarse.rest();
        }
        let capture = self.taken.unwrap_or(oldest);
        (!parts.is_empty()).then(|| self.finish(parts, begin, capture, false))
    }

    /// A frame that brings no change, but tiles that are shown with an error nearer to what the client was to see; where
    /// it is `urgent`, those alone that go first.
    fn refinement(&mut self, begin: &Begin, pool: &mut Pool, keep: &mut Keep, urgent: bool) -> Option<Made> {
        self.coarse.settle(begin.at);
        let mut parts = Parts::new(keep, &self.grid, begin);
        let mut left = (begin.budget / if urgent { 1 } else { REFINE_SHARE }) as f64;
        while let Some(area) = self.density.batch(How::Low, left, parts.is_empty()) {
            let boxes = self.take_coarse(area, begin, urgent, &mut parts);
            if boxes.is_empty() {
                break;
            }
            left -= self.encode_rects(boxes, pool, &mut parts) as f64;
        }
        (!parts.is_empty()).then(|| self.finish(parts, begin, begin.at, true))
    }
}
