//! Which way of coding an area looks cheapest, judged by some of its samples.

use super::levels::Levels;
use crate::lossless::plane::Plane;
use crate::lossless::sample::{Sites, error_size};
use crate::lossless::wave::model::med;

/// How an area is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A gray photograph as if nothing were known.
    Fresh,
    /// A coloured photograph as if nothing were known.
    Colour,
    /// A gray photograph by its difference to what is shown.
    Drift,
    /// By a new level for each shown one.
    Level,
    /// By neighbours that show the same.
    Echo,
}

impl Way {
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [Way; 5] = [Way::Fresh, Way::Colour, Way::Drift, Way::Level, Way::Echo];

    pub(super) fn number(self) -> usize {
        Self::ALL.iter().position(|way| *way == self).unwrap_or_default()
    }

    /// The cheapest for `plane` in the place of `shown`; `levels` are there for samples of eight bits.
    pub(super) fn choose(plane: &Plane, shown: &Plane, levels: Option<&Levels>) -> Self {
        let (mut fresh, mut drift, mut level, mut echo) = (0, 0, 0, 0);
        for (x, y) in Sites::new(plane.w(), plane.h()) {
            let at = |plane: &Plane, dx: usize, dy: usize| i32::from(plane.row(y - dy)[x - dx]);
            let [own, w, n, nw] = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| at(plane, dx, dy));
            let old = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| at(shown, dx, dy));
            let around = med(w, n, nw);
            fresh += error_size(own - around);
            drift += error_size(own - old[0] - med(w - old[1], n - old[2], nw - old[3]));
            if let Some(levels) = levels {
                level += error_size(own - i32::from(levels.lead(old[0] as u16)));
            }
            let followed = [w, n, nw].into_iter().zip(&old[1..]).find(|(_, shown)| **shown == old[0]);
            echo += error_size(own - followed.map_or((old[0] + around) / 2, |(tap, _)| tap));
        }
        let mut ways = [(Way::Fresh, fresh), (Way::Drift, drift), (Way::Echo, echo), (Way::Level, level)];
        if levels.is_none() {
            ways[3].1 = u32::MAX;
        }
        ways.into_iter().min_by_key(|(_, cost)| *cost).map_or(Way::Fresh, |(way, _)| way)
    }
}
