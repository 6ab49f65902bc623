//! The image panes: a stack with its window, and a cine.

use std::f32::consts::TAU;

use lightbox_codec::geom::{Point, Rect, Size};

use super::Painter;
use super::layout::Layout;
use super::stack::{Images, Light, Window, fit};
use super::theme::*;
use crate::source::phantom::{Cine, FRAMES, Sector};

/// What the stack pane shows; it is painted again only if this changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slice {
    pub(crate) index: u32,
    pub(crate) window: Window,
}

/// Paints one image of a stack with its captions over it.
pub(crate) fn paint_stack(
    painter: &mut Painter,
    light: &mut Light,
    pane: Rect,
    images: &mut dyn Images,
    slice: Slice,
) {
    let count = images.count();
    painter.pane(pane, "Stack", &format!("{} / {count}", slice.index + 1));
    let inside = Layout::inside(pane);
    let gray = images.image(slice.index);
    let target = fit(gray.size, inside);
    for beside in [
        Rect::span(inside.x, inside.y, inside.right(), target.y),
        Rect::span(inside.x, target.bottom(), inside.right(), inside.bottom()),
        Rect::span(inside.x, target.y, target.x, target.bottom()),
        Rect::span(target.right(), target.y, inside.right(), target.bottom()),
    ] {
        painter.canvas.fill(beside, BLACK);
    }
    light.paint(&mut painter.canvas, target, gray, slice.window);

    let captions = images.captions(slice.index);
    let (canvas, fonts) = painter.parts();
    canvas.clip_to(inside);
    let (left, right) = (inside.x as i32 + 10, inside.right() as i32 - 24);
    let (top, bottom) = (inside.y as i32 + 20, inside.bottom() as i32 - 12);
    let narrow = inside.w < 480;
    for (i, line) in captions[0].iter().enumerate().take(if narrow { 1 } else { 4 }) {
        fonts.draw(canvas, left, top + i as i32 * 17, line, OVER);
    }
    for (i, line) in captions[1].iter().enumerate().take(if narrow { 0 } else { 4 }) {
        fonts.draw_right(canvas, right, top + i as i32 * 17, line, OVER);
    }
    let window = format!("C {:.0}  W {:.0}", slice.window.center, slice.window.width);
    fonts.draw(canvas, left, bottom, &window, OVER);
    fonts.draw_right(canvas, right, bottom, &format!("Im {} / {count}", slice.index + 1), OVER);
    let width = images.axial_width();
    if width.is_some() {
        let middle = (inside.y + inside.h / 2) as i32;
        fonts.draw(canvas, left, middle, "R", OVER);
        fonts.draw_right(canvas, right, middle, "L", OVER);
    }
    // Where in the stack this is.
    let track = Rect::new(inside.right() - 12, inside.y + 8, 4, inside.h.saturating_sub(16));
    canvas.fill(track, HEADER);
    let at = (track.h - 14) * slice.index / count.saturating_sub(1).max(1);
    canvas.fill(Rect::new(track.x - 3, track.y + at, 10, 14), ACCENT);
    if let Some(width) = width
        && !narrow
    {
        paint_ruler(painter, inside, target.w as f32 * 10.0 / width);
    }
    painter.canvas.unclip();
}

/// Ten centimetres of `step` pixels along the left edge.
fn paint_ruler(painter: &mut Painter, inside: Rect, step: f32) {
    let canvas = &mut painter.canvas;
    let (x, y) = (inside.x + 10, inside.y + inside.h * 3 / 5);
    let at = |i: u32| (i as f32 * step).round() as u32;
    canvas.fill(Rect::new(x, y, 1, at(10) + 1), OVERLAY);
    for i in 0..=10 {
        canvas.fill(Rect::new(x, y + at(i), if i % 5 == 0 { 10 } else { 5 }, 1), OVERLAY);
    }
}

/// What the cine pane shows; it is painted again only if this changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Beat {
    pub(crate) frame: u32,
    pub(crate) playing: bool,
}

/// The cine pane's images and their geometry.
pub(crate) struct Echo {
    cine: Cine,
    sector: Sector,
    place: Rect,
}

impl Echo {
    pub(crate) fn new(seed: u64, pane: Rect) -> Self {
        let inside = Layout::inside(pane);
        let room = Size::new(inside.w.saturating_sub(40), inside.h.saturating_sub(TRACE + 16));
        let size = Size::new(room.w.min(room.h * 13 / 10).max(16), room.h.max(16));
        let corner = Point::new(inside.x + inside.w.saturating_sub(size.w) / 2, inside.y + 6);
        Self { cine: Cine::new(seed), sector: Sector::new(size), place: size.rect().at(corner) }
    }

    pub(crate) fn paint(&mut self, painter: &mut Painter, pane: Rect, beat: Beat) {
        painter.pane(pane, "Echo TTE", if beat.playing { "Cine" } else { "Freeze" });
        let inside = Layout::inside(pane);
        let Painter { canvas, fonts } = painter;
        canvas.fill(inside, BLACK);
        let place = self.place;
        self.cine.frame(beat.frame, &self.sector, |x, y, levels| {
            let row = canvas.row(place.x + x, place.y + y, levels.len() as u32);
            for (pixel, level) in row.iter_mut().zip(levels) {
                *pixel = [*level, *level, *level, 0xFF];
            }
        });
        canvas.clip_to(inside);
        let (left, right) = (inside.x as i32 + 10, inside.right() as i32 - 10);
        let top = inside.y as i32 + 18;
        for (i, line) in ["P4-2 A4C", "FR 30 Hz", "16 cm", "MI 1.1"].iter().enumerate() {
            fonts.draw(canvas, left, top + i as i32 * 16, line, OVER);
        }
        let number = format!("{:02} / {FRAMES}", beat.frame % FRAMES + 1);
        fonts.draw_right(canvas, right, top, &number, OVER);
        let bar = Rect::new(inside.right() - 16, inside.y + 30, 6, (inside.h / 4).min(128));
        for y in 0..bar.h {
            let level = (255 - y * 255 / bar.h) as u8;
            canvas.fill(Rect::new(bar.x, bar.y + y, bar.w, 1), [level, level, level, 0xFF]);
        }
        for i in 0..=8 {
            let y = place.y + place.h * i / 8;
            canvas.fill(
                Rect::new(place.right().min(inside.right() - 24), y, if i % 2 == 0 { 7 } else { 4 }, 1),
                FAINT,
            );
        }
        paint_trace(painter, inside, beat.frame);
        painter.canvas.unclip();
    }
}

/// The heart's electric trace below the sector: three beats wide, a mark where the frame is.
fn paint_trace(painter: &mut Painter, inside: Rect, frame: u32) {
    let canvas = &mut painter.canvas;
    let base = inside.bottom() as f32 - 18.0;
    let (from, width) = (inside.x + 10, inside.w - 20);
    let mut last = base as i32;
    for x in 0..width {
        let phase = (x as f32 * 3.0 / width as f32).fract();
        let y = (base - 26.0 * wave(phase)) as i32;
        canvas.fill_at((from + x) as i32, y.min(last), 1, (y - last).abs().max(1), ECG);
        last = y;
    }
    let at = (frame % (3 * FRAMES)) as f32 / (3 * FRAMES) as f32;
    let mark = from as f32 + at * width as f32;
    canvas.fill_at(mark as i32, inside.bottom() as i32 - TRACE as i32, 1, TRACE as i32 - 6, FAINT);
    canvas.dot(mark, base - 26.0 * wave((at * 3.0).fract()), 3.0, TEXT);
}

/// P wave, QRS complex, T wave.
fn wave(phase: f32) -> f32 {
    let bump = |at: f32, width: f32| (-((phase - at) / width).powi(2)).exp();
    let tremor = 0.012 * (phase * TAU * 9.0).sin();
    1.15 * bump(0.06, 0.012) - 0.22 * bump(0.035, 0.01) - 0.3 * bump(0.088, 0.012)
        + 0.26 * bump(0.36, 0.05)
        + 0.14 * bump(0.91, 0.03)
        + tremor
}

/// The height that the trace takes.
const TRACE: u32 = 54;
