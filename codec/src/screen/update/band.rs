//! A run of changed blocks, lifted out of the surface with all that its pixels are guessed from.

use alloc::vec::Vec;

use super::MARGIN;
use crate::geom::{Rect, TILE, TileMask};
use crate::pixel::ImageMut;

/// Rows above that are looked at.
const ABOVE: usize = 2;
/// Room right of a run: the question for eight pixels looks eight ahead.
const AHEAD: usize = 8;

/// Pixels as 24 bits of colour, with margins. The memory is kept from run to run.
#[derive(Default)]
pub(super) struct Band {
    /// What is there now: the surface's above and beside the run, and in it what was coded so far.
    now: Vec<u32>,
    /// What was shown there before the unit.
    before: Vec<u32>,
    stride: usize,
    /// The run.
    rect: Rect,
}

/// One row of a run, and what its pixels are guessed from. Column 0 of the run is at [`MARGIN`] in each.
pub(super) struct Lines<'a> {
    pub(super) nn: &'a [u32],
    pub(super) n: &'a [u32],
    pub(super) line: &'a mut [u32],
    pub(super) n_before: &'a [u32],
    pub(super) before: &'a [u32],
}

impl Band {
    /// Lifts `rect` out of `shown`. Where the unit is alone, what lies outside of its `tiles` is black.
    pub(super) fn lift(&mut self, shown: &ImageMut<'_>, rect: Rect, alone: Option<&TileMask>) {
        self.rect = rect;
        self.stride = MARGIN + rect.w as usize + AHEAD;
        self.now.clear();
        self.now.resize(self.stride * (ABOVE + rect.h as usize), 0);
        let left = (rect.x as usize).min(MARGIN);
        let from = rect.x - left as u32;
        let to = (rect.right() + MARGIN as u32).min(shown.size().w);
        for (i, line) in self.now.chunks_exact_mut(self.stride).enumerate() {
            let Some(y) = (rect.y + i as u32).checked_sub(ABOVE as u32) else { continue };
            let row = shown.as_ref().row(y);
            let mut x = from;
            while x < to {
                let end = to.min((x / TILE + 1) * TILE);
                if alone.is_none_or(|tiles| tiles.contains(x / TILE, y / TILE)) {
                    let target = &mut line[MARGIN - left + (x - from) as usize..][..(end - x) as usize];
                    lift(target, &row[x as usize * 4..end as usize * 4]);
                }
                x = end;
            }
        }
        self.before.clear();
        self.before.extend_from_slice(&self.now);
    }

    /// What was shown before the unit in the row above the run is this, from column `x` of the surface on.
    pub(super) fn set_before(&mut self, x: u32, pixels: &[u32]) {
        let start = (x as usize + MARGIN).wrapping_sub(self.rect.x as usize);
        let row = &mut self.before[self.stride * (ABOVE - 1)..][..self.stride];
        for (i, pixel) in pixels.iter().enumerate() {
            let at = start.wrapping_add(i);
            if at < MARGIN + self.rect.w as usize + MARGIN {
                row[at] = *pixel;
            }
        }
    }

    /// What was shown in the last row of the run.
    pub(super) fn last_before(&self) -> &[u32] {
        let row = self.stride * (ABOVE + self.rect.h as usize - 1);
        &self.before[row + MARGIN..][..self.rect.w as usize]
    }

    /// Replaces the run's pixels by those of `source`.
    pub(super) fn take(&mut self, source: crate::pixel::ImageRef<'_>) {
        let Rect { x, y, w, h } = self.rect;
        for i in 0..h {
            let row = &source.row(y + i)[x as usize * 4..][..w as usize * 4];
            lift(&mut self.now[(ABOVE + i as usize) * self.stride + MARGIN..][..w as usize], row);
        }
    }

    /// Row `i` of the run.
    pub(super) fn lines(&mut self, i: usize) -> Lines<'_> {
        let (above, rest) = self.now.split_at_mut((ABOVE + i) * self.stride);
        let (nn, n) = above[i * self.stride..].split_at(self.stride);
        let (n_before, before) = self.before[(i + ABOVE - 1) * self.stride..].split_at(self.stride);
        Lines { nn, n, line: &mut rest[..self.stride], n_before, before: &before[..self.stride] }
    }

    /// Puts the run's pixels onto the surface.
    pub(super) fn lay(&self, shown: &mut ImageMut<'_>) {
        let Rect { x, y, w, h } = self.rect;
        for i in 0..h {
            let line = &self.now[(ABOVE + i as usize) * self.stride + MARGIN..][..w as usize];
            let row = &mut shown.row_mut(y + i)[x as usize * 4..][..w as usize * 4];
            for (pixel, colour) in row.as_chunks_mut::<4>().0.iter_mut().zip(line) {
                *pixel = (colour | 0xff00_0000).to_le_bytes();
            }
        }
    }
}

fn lift(target: &mut [u32], pixels: &[u8]) {
    for (colour, pixel) in target.iter_mut().zip(pixels.as_chunks::<4>().0) {
        *colour = u32::from_le_bytes(*pixel) & 0xff_ffff;
    }
}
