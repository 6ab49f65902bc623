//! Tiles on their way into the frame in the making: their samples are the client's from then on.

use lightbox_codec::geom::TileIndex;
use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::channel::display::Begin;

use super::View;
use super::boxes::{CodedBox, How, difference};
use super::parts::Parts;
use super::passes::Plan;

impl View {
    /// Takes boxes of about `area` pixels out of `pending`, and the source's samples into `sent`.
    pub(super) fn take_boxes(
        &mut self,
        source: ImageRef<'_>,
        area: u64,
        plan: Plan,
        parts: &mut Parts<'_>,
    ) -> Vec<CodedBox> {
        let mut boxes = Vec::new();
        if !self.is_of(source) {
            return boxes;
        }
        let mut taken = 0;
        while taken < area
            && let Some(tile) = self.next_pending()
        {
            self.at = tile + 1;
            if let Some(next) = self.take_box(source, tile, plan, parts) {
                taken += next.rect.area();
                boxes.push(next);
            }
        }
        boxes
    }

    /// The same for one tile; `None` if nothing in it is to be coded.
    pub(super) fn take_box(
        &mut self,
        source: ImageRef<'_>,
        tile: TileIndex,
        plan: Plan,
        parts: &mut Parts<'_>,
    ) -> Option<CodedBox> {
        self.pending.remove(tile);
        let whole = self.grid.rect(tile);
        let is_unknown = self.unknown.contains(tile);
        let part = if is_unknown { whole } else { difference(self.sent.as_ref(), source, whole)? };
        self.unknown.remove(tile);
        self.note_taken(tile);
        let is_plain = self.plain.contains(tile);
        self.plain.remove(tile);
        let is_coarse = self.coarse.contains(tile);
        // What the client does not show exactly is not put aside, and by the path that went wrong nothing comes back.
        let is_known = !is_unknown && !is_coarse;
        if is_known && parts.tells_from_shown() {
            self.keep(whole);
        }
        let now = self.sent.as_ref().crop(whole).filter(|_| is_known);
        let next = source.crop(whole).filter(|_| !is_plain);
        let changed = if is_coarse { whole } else { part }.area();
        let past = &mut self.past;
        let comes_back = next.is_some_and(|next| parts.recall.change(past, tile, now, next, changed));
        if let (Some(mut target), Some(part)) = (self.sent.as_mut().crop_mut(part), source.crop(part)) {
            target.copy_from(part);
        }
        if comes_back {
            self.coarse.remove(tile);
            return None;
        }
        // A tile that is exact but for a small part is not worth a pass.
        let is_small = part.area() * 2 < whole.area() && !is_coarse;
        let how = match plan {
            _ if is_plain => How::Plain,
            _ if is_small || self.terms.is_never_lossy(tile) => How::Exact,
            plan => plan.how(),
        };
        let must_be_whole = matches!(how, How::First | How::High) || is_coarse;
        Some(CodedBox { rect: if must_be_whole { whole } else { part }, how, is_known })
    }

    /// Takes boxes of about `area` pixels of tiles that are shown with an error.
    pub(super) fn take_coarse(
        &mut self,
        area: u64,
        begin: &Begin,
        urgent: bool,
        parts: &mut Parts<'_>,
    ) -> Vec<CodedBox> {
        let mut boxes: Vec<CodedBox> = Vec::new();
        let mut taken = 0;
        while taken < area
            && let Some(tile) = self.next_coarse(urgent)
        {
            let (rect, how) = self.coarse.refinement(tile, begin.passes, &self.grid);
            self.at = tile + 1;
            for tile in self.grid.touching(rect) {
                self.coarse.remove(tile);
                parts.recall.refined(&self.past, tile);
            }
            taken += rect.area();
            boxes.push(CodedBox { rect, how, is_known: false });
        }
        boxes
    }

    /// The change of this tile leaves with the frame in the making.
    pub(super) fn note_taken(&mut self, tile: TileIndex) {
        let when = self.when[tile as usize];
        self.taken = Some(self.taken.map_or(when, |taken| taken.min(when)));
    }
}
