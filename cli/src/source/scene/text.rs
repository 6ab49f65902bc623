//! Antialiased text: glyphs are rasterised once, then blended from whole pixels on, as most desktops do at 96 dpi.

use std::collections::HashMap;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};

use super::canvas::Canvas;
use super::theme::Color;

/// A typeface of the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Face {
    Sans,
    Bold,
    Mono,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) face: Face,
    /// Pixels of an em.
    pub(crate) px: u8,
    pub(crate) color: Color,
}

impl Style {
    /// The same in another colour.
    pub(crate) const fn in_color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    /// The same in another face.
    pub(crate) const fn in_face(self, face: Face) -> Self {
        Self { face, ..self }
    }
}

/// The faces, and every glyph that was drawn so far.
pub(crate) struct Fonts {
    faces: [FontRef<'static>; 3],
    glyphs: HashMap<(Face, u8, char), Glyph>,
    advances: HashMap<(Face, u8, char), f32>,
}

/// A glyph's coverage, row by row, and where its corner lies from the pen.
struct Glyph {
    left: i32,
    top: i32,
    width: usize,
    coverage: Vec<u8>,
}

impl Fonts {
    pub(crate) fn new() -> Self {
        let face = |bytes| FontRef::try_from_slice(bytes).expect("the dejavu crate holds valid fonts");
        let sans = dejavu::sans::regular();
        let faces = [face(sans), face(dejavu::sans::bold()), face(dejavu::sans_mono::regular())];
        Self { faces, glyphs: HashMap::new(), advances: HashMap::new() }
    }

    /// How many pixels `text` is wide.
    pub(crate) fn width(&mut self, text: &str, style: Style) -> f32 {
        text.chars().map(|c| self.advance(c, style)).sum()
    }

    /// Draws `text` from (`x`, `baseline`) and says where it ends.
    pub(crate) fn draw(
        &mut self,
        canvas: &mut Canvas,
        x: i32,
        baseline: i32,
        text: &str,
        style: Style,
    ) -> i32 {
        let mut pen = x as f32;
        for c in text.chars() {
            self.draw_glyph(canvas, pen, baseline, c, style);
            pen += self.advance(c, style);
        }
        pen.ceil() as i32
    }

    /// Draws `text` so that it ends at `right`.
    pub(crate) fn draw_right(
        &mut self,
        canvas: &mut Canvas,
        right: i32,
        baseline: i32,
        text: &str,
        style: Style,
    ) {
        let x = right - self.width(text, style).ceil() as i32;
        self.draw(canvas, x, baseline, text, style);
    }

    /// Draws as much of `text` as fits before `right`, with an ellipsis where something is missing.
    pub(crate) fn draw_within(
        &mut self,
        canvas: &mut Canvas,
        (x, right): (i32, i32),
        baseline: i32,
        text: &str,
        style: Style,
    ) {
        let room = (right - x) as f32;
        if self.width(text, style) <= room {
            self.draw(canvas, x, baseline, text, style);
            return;
        }
        let mut used = self.advance('…', style);
        let mut short = String::new();
        for c in text.chars() {
            used += self.advance(c, style);
            if used > room {
                break;
            }
            short.push(c);
        }
        short.push('…');
        self.draw(canvas, x, baseline, &short, style);
    }

    /// Breaks `text` at spaces and line feeds into lines no wider than `room` pixels (longer words stick out).
    pub(crate) fn wrap(&mut self, text: &str, room: f32, style: Style) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let (mut line, mut used) = (String::new(), 0.0);
            for word in paragraph.split_inclusive(' ') {
                let width = self.width(word, style);
                if used + self.width(word.trim_end(), style) > room && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push_str(word);
                used += width;
            }
            lines.push(line);
        }
        lines
    }

    fn draw_glyph(&mut self, canvas: &mut Canvas, pen: f32, baseline: i32, c: char, style: Style) {
        let font = &self.faces[style.face as usize];
        let key = (style.face, style.px, c);
        let glyph = self.glyphs.entry(key).or_insert_with(|| Glyph::rasterise(font, style.px, c));
        let (left, top) = (pen.round() as i32 + glyph.left, baseline + glyph.top);
        for (y, row) in glyph.coverage.chunks_exact(glyph.width).enumerate() {
            canvas.blend_row(left, top + y as i32, row, style.color);
        }
    }

    fn advance(&mut self, c: char, style: Style) -> f32 {
        let font = &self.faces[style.face as usize];
        *self.advances.entry((style.face, style.px, c)).or_insert_with(|| {
            let scaled = font.as_scaled(scale(font, style.px));
            scaled.h_advance(scaled.glyph_id(c))
        })
    }
}

impl Glyph {
    fn rasterise(font: &FontRef<'static>, px: u8, c: char) -> Self {
        let placed = font.glyph_id(c).with_scale(scale(font, px));
        let Some(outline) = font.outline_glyph(placed) else {
            return Self { left: 0, top: 0, width: 1, coverage: Vec::new() };
        };
        let bounds = outline.px_bounds();
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        let mut coverage = vec![0; width * height];
        outline.draw(|x, y, c| {
            if let Some(byte) = coverage.get_mut(y as usize * width + x as usize) {
                // Light text on dark looks thin when coverage is taken as light; this lifts the middle.
                *byte = (c.clamp(0.0, 1.0).powf(0.8) * 255.0 + 0.5) as u8;
            }
        });
        Self { left: bounds.min.x as i32, top: bounds.min.y as i32, width: width.max(1), coverage }
    }
}

/// The scale at which an em is `px` pixels.
fn scale(font: &FontRef<'static>, px: u8) -> PxScale {
    let em = font.units_per_em().unwrap_or(font.height_unscaled());
    PxScale::from(f32::from(px) * font.height_unscaled() / em)
}
