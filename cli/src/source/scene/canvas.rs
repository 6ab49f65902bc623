//! The memory that the scene is painted into: fills, lines, blended rows, all inside a clip.

use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::{ImageRef, PixelFormat};

use super::theme::Color;

/// A BGRX picture with X = 0xFF everywhere, and the part of it that painting reaches.
pub(crate) struct Canvas {
    size: Size,
    pixels: Vec<u8>,
    clip: Rect,
}

impl Canvas {
    /// A canvas full of `color`.
    ///
    /// # Panics
    /// If a side is 0 or longer than an image may be.
    pub(crate) fn new(size: Size, color: Color) -> Self {
        let pixels = color.repeat(size.area() as usize);
        assert!(ImageRef::new(&pixels, size, size.w as usize * 4, PixelFormat::Bgrx8).is_ok());
        Self { size, pixels, clip: size.rect() }
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    pub(crate) fn image(&self) -> ImageRef<'_> {
        ImageRef::new(&self.pixels, self.size, self.size.w as usize * 4, PixelFormat::Bgrx8)
            .expect("the size was checked when the canvas was made")
    }

    /// Confines all painting to `rect`, until the next call.
    pub(crate) fn clip_to(&mut self, rect: Rect) {
        self.clip = self.size.rect().intersect(rect).unwrap_or_default();
    }

    /// Ends the confinement.
    pub(crate) fn unclip(&mut self) {
        self.clip = self.size.rect();
    }

    /// Fills a rect; what lies outside of the clip is left out.
    pub(crate) fn fill(&mut self, rect: Rect, color: Color) {
        self.fill_at(rect.x as i32, rect.y as i32, rect.w as i32, rect.h as i32, color);
    }

    /// Fills `w` x `h` pixels from (`x`, `y`), which may lie outside.
    pub(crate) fn fill_at(&mut self, x: i32, y: i32, w: i32, h: i32, color: Color) {
        let from = |v: i32| v.max(0) as u32;
        let all = Rect::span(from(x), from(y), from(x + w), from(y + h));
        let Some(part) = all.intersect(self.clip) else { return };
        for y in part.y..part.bottom() {
            self.row(part.x, y, part.w).fill(color);
        }
    }

    /// A line around the inside of `rect`.
    pub(crate) fn frame(&mut self, rect: Rect, color: Color) {
        let Rect { x, y, w, h } = rect;
        self.fill(Rect::new(x, y, w, 1), color);
        self.fill(Rect::new(x, rect.bottom().saturating_sub(1), w, 1), color);
        self.fill(Rect::new(x, y, 1, h), color);
        self.fill(Rect::new(rect.right().saturating_sub(1), y, 1, h), color);
    }

    /// A filled circle with soft edges.
    pub(crate) fn dot(&mut self, cx: f32, cy: f32, radius: f32, color: Color) {
        let reach = radius as i32 + 2;
        for y in -reach..=reach {
            let row: Vec<u8> = (-reach..=reach)
                .map(|x| {
                    let (x, y) = (x as f32 + 0.5 - cx.fract(), y as f32 + 0.5 - cy.fract());
                    ((radius + 0.5 - x.hypot(y)).clamp(0.0, 1.0) * 255.0) as u8
                })
                .collect();
            self.blend_row(cx as i32 - reach, cy as i32 + y, &row, color);
        }
    }

    /// Blends `color` over a row of pixels from (`x`, `y`), each by its own share of 255.
    pub(crate) fn blend_row(&mut self, x: i32, y: i32, coverage: &[u8], color: Color) {
        let clip = self.clip;
        if y < clip.y as i32 || y >= clip.bottom() as i32 {
            return;
        }
        let start = x.max(clip.x as i32);
        let end = (x + coverage.len() as i32).min(clip.right() as i32);
        if start >= end {
            return;
        }
        let coverage = &coverage[(start - x) as usize..(end - x) as usize];
        for (pixel, &share) in
            self.row(start as u32, y as u32, coverage.len() as u32).iter_mut().zip(coverage)
        {
            for (below, above) in pixel.iter_mut().zip(color).take(3) {
                let mixed =
                    u32::from(*below) * (255 - u32::from(share)) + u32::from(above) * u32::from(share);
                *below = ((mixed + 127) / 255) as u8;
            }
        }
    }

    /// `w` pixels from (`x`, `y`), which must lie inside.
    pub(crate) fn row(&mut self, x: u32, y: u32, w: u32) -> &mut [Color] {
        let start = (y * self.size.w + x) as usize;
        &mut self.pixels.as_chunks_mut::<4>().0[start..start + w as usize]
    }

    /// The pixels of a row from column `x` on.
    pub(crate) fn row_from(&self, x: u32, y: u32, w: u32) -> &[Color] {
        let start = (y * self.size.w + x) as usize;
        &self.pixels.as_chunks::<4>().0[start..start + w as usize]
    }
}
