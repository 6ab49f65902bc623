use alloc::vec::Vec;

use super::Rect;

/// A set of pixels, kept as disjoint rects.
///
/// Adding costs time linear in the number of rects; a region that grew past [`Region::SOFT_LIMIT`] rects falls
/// back to its bounding box, so damage lists stay bounded whatever an application draws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    // INVARIANT: no rect is empty and no two share a pixel.
    rects: Vec<Rect>,
}

impl Region {
    /// Above this many rects an `add` collapses the region to its bounding box.
    pub const SOFT_LIMIT: usize = 256;

    /// The empty region.
    pub const fn new() -> Self {
        Self { rects: Vec::new() }
    }

    /// Its rects, disjoint, in no particular order.
    pub fn rects(&self) -> &[Rect] {
        &self.rects
    }

    /// True if it covers no pixel.
    pub fn is_empty(&self) -> bool {
        self.rects.is_empty()
    }

    /// How many pixels it covers.
    pub fn area(&self) -> u64 {
        self.rects.iter().map(|r| r.area()).sum()
    }

    /// The smallest rect around it; empty if it is.
    pub fn bounds(&self) -> Rect {
        self.rects.iter().fold(Rect::default(), |all, r| all.union(*r))
    }

    /// Adds every pixel of `rect`.
    pub fn add(&mut self, rect: Rect) {
        if rect.is_empty() || self.rects.iter().any(|r| r.contains(rect)) {
            return;
        }
        self.subtract(rect);
        self.rects.push(rect);
        if self.rects.len() > Self::SOFT_LIMIT {
            let all = self.bounds();
            self.rects.clear();
            self.rects.push(all);
        }
    }

    /// Adds every pixel of `other`.
    pub fn merge(&mut self, other: &Region) {
        for rect in &other.rects {
            self.add(*rect);
        }
    }

    /// Removes every pixel of `cut`.
    pub fn subtract(&mut self, cut: Rect) {
        let mut at = 0;
        while at < self.rects.len() {
            let r = self.rects[at];
            let Some(hole) = r.intersect(cut) else {
                at += 1;
                continue;
            };
            self.rects.swap_remove(at);
            // The up to four parts around the hole do not meet `cut`, so pushing them behind is harmless.
            let parts = [
                Rect::span(r.x, r.y, r.right(), hole.y),
                Rect::span(r.x, hole.bottom(), r.right(), r.bottom()),
                Rect::span(r.x, hole.y, hole.x, hole.bottom()),
                Rect::span(hole.right(), hole.y, r.right(), hole.bottom()),
            ];
            self.rects.extend(parts.into_iter().filter(|p| !p.is_empty()));
        }
    }

    /// Keeps only what lies inside `clip`.
    pub fn clip(&mut self, clip: Rect) {
        self.rects = self.rects.iter().filter_map(|r| r.intersect(clip)).collect();
    }

    /// True if some pixel of `rect` belongs to it.
    pub fn touches(&self, rect: Rect) -> bool {
        self.rects.iter().any(|r| r.intersect(rect).is_some())
    }

    /// Empties it and hands out what it held.
    pub fn take(&mut self) -> Region {
        core::mem::take(self)
    }
}

impl FromIterator<Rect> for Region {
    fn from_iter<I: IntoIterator<Item = Rect>>(rects: I) -> Self {
        let mut region = Region::new();
        for rect in rects {
            region.add(rect);
        }
        region
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geom::Point;

    fn small_rect() -> impl Strategy<Value = Rect> {
        (0u32..20, 0u32..20, 0u32..12, 0u32..12).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    proptest! {
        #[test]
        fn acts_like_a_set_of_pixels(steps in prop::collection::vec((any::<bool>(), small_rect()), 0..24)) {
            let mut region = Region::new();
            let mut pixels = [[false; 40]; 40];
            for (add, rect) in steps {
                if add { region.add(rect) } else { region.subtract(rect) }
                for y in rect.y..rect.bottom() {
                    for x in rect.x..rect.right() {
                        pixels[y as usize][x as usize] = add;
                    }
                }
            }
            let mut count = 0;
            for y in 0..40u32 {
                for x in 0..40u32 {
                    let holders = region.rects().iter().filter(|r| r.contains_point(Point::new(x, y))).count();
                    prop_assert_eq!(holders, usize::from(pixels[y as usize][x as usize]));
                    count += holders as u64;
                }
            }
            prop_assert_eq!(region.area(), count);
        }
    }

    #[test]
    fn collapses_to_its_bounds_when_it_grows_without_end() {
        let region: Region = (0..1000).map(|i| Rect::new(i * 3 % 997, i * 7 % 991, 1, 1)).collect();
        assert!(region.rects().len() <= Region::SOFT_LIMIT);
        assert!(region.bounds().contains(Rect::new(0, 0, 1, 1)));
    }
}
