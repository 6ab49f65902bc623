//! What frames the work: the bars at the top and the bottom, and the window that floats over everything.

use lightbox_codec::geom::{Rect, Size};

use super::Painter;
use super::canvas::Canvas;
use super::text::{Face, Fonts};
use super::theme::*;

/// Paints the bar at the top; `clock` is the second of the day.
pub(crate) fn paint_top(painter: &mut Painter, bar: Rect, clock: u32) {
    let (canvas, fonts) = painter.parts();
    canvas.clip_to(bar);
    canvas.fill(bar, BAR);
    canvas.fill(Rect::new(bar.x, bar.bottom() - 1, bar.w, 1), LINE);
    canvas.fill(Rect::new(12, 10, 18, 18), ACCENT);
    canvas.fill(Rect::new(15, 13, 12, 12), BAR);
    canvas.dot(21.0, 19.0, 3.0, TEXT);
    let name = BODY.in_face(Face::Bold);
    let mut x = fonts.draw(canvas, 40, 24, "Reading Room 3", name) + 28;
    for (i, tab) in ["Worklist", "Viewer", "Report", "Teaching", "Admin"].iter().enumerate() {
        let end = fonts.draw(canvas, x, 24, tab, BODY.in_color(if i == 1 { TEXT } else { DIM }));
        if i == 1 {
            canvas.fill_at(x - 4, bar.bottom() as i32 - 3, end - x + 8, 2, ACCENT);
        }
        x = end + 26;
    }
    let right = bar.right() as i32 - 14;
    let time = format!("{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60);
    fonts.draw_right(canvas, right, 24, &time, MONO.in_color(TEXT));
    fonts.draw_right(canvas, right - 78, 24, "Tue 24 Nov 2026", NOTE);
    if bar.w > 1000 {
        fonts.draw_right(canvas, right - 204, 24, "Dr. R. Example  ·  Radiology", NOTE);
    }
    canvas.unclip();
}

/// Paints the line at the bottom.
pub(crate) fn paint_status(painter: &mut Painter, bar: Rect, round: u32) {
    let (canvas, fonts) = painter.parts();
    canvas.clip_to(bar);
    canvas.fill(bar, BAR);
    canvas.fill(Rect { h: 1, ..bar }, LINE);
    let baseline = bar.y as i32 + 16;
    canvas.dot(16.0, bar.y as f32 + 12.0, 4.0, GREEN);
    let x = fonts.draw(canvas, 28, baseline, "Archive connected", NOTE) + 24;
    let x = fonts.draw(canvas, x, baseline, &format!("{} reports today", 17 + round), NOTE) + 24;
    fonts.draw(canvas, x, baseline, "Invented data. Not for diagnosis.", NOTE.in_color(FAINT));
    let right = bar.right() as i32 - 14;
    fonts.draw_right(canvas, right, baseline, "Display calibrated 12-Nov-2026, 400 cd/m²", NOTE);
    canvas.unclip();
}

/// The floating window's size and the height of its title bar.
pub(crate) const FLOATING: Size = Size::new(392, 232);
pub(crate) const FLOATING_TITLE: u32 = 28;

/// Makes the floating window's picture.
pub(crate) fn floating(fonts: &mut Fonts) -> Canvas {
    let mut canvas = Canvas::new(FLOATING, rgb(0x141A21));
    let all = FLOATING.rect();
    canvas.fill(Rect { h: FLOATING_TITLE, ..all }, rgb(0x253140));
    fonts.draw(&mut canvas, 12, 18, "Measurements", TITLE);
    for (i, color) in [FAINT, FAINT, RED].into_iter().enumerate() {
        canvas.dot(all.w as f32 - 58.0 + 20.0 * i as f32, 14.0, 5.0, color);
    }
    let columns = [14, 46, 190, 268, 330];
    let head = ["#", "Target", "Today", "Prior", "Δ"];
    for (x, text) in columns.into_iter().zip(head) {
        fonts.draw(&mut canvas, x, 50, text, NOTE);
    }
    canvas.fill(Rect::new(10, 58, all.w - 20, 1), LINE);
    for (i, (target, today, prior, change)) in TARGETS.iter().enumerate() {
        let y = 78 + 24 * i as i32;
        if i % 2 == 1 {
            canvas.fill_at(10, y - 16, all.w as i32 - 20, 24, rgb(0x19212A));
        }
        fonts.draw(&mut canvas, columns[0], y, &format!("{}", i + 1), MONO);
        fonts.draw(&mut canvas, columns[1], y, target, BODY);
        fonts.draw(&mut canvas, columns[2], y, today, MONO.in_color(TEXT));
        fonts.draw(&mut canvas, columns[3], y, prior, MONO);
        let color = if change.starts_with('+') { AMBER } else { GREEN };
        fonts.draw(&mut canvas, columns[4], y, change, MONO.in_color(color));
    }
    canvas.fill(Rect::new(10, 188, all.w - 20, 1), LINE);
    fonts.draw(&mut canvas, 14, 214, "Sum of diameters  52.1 mm", BODY);
    fonts.draw_right(&mut canvas, all.w as i32 - 16, 214, "Stable disease", BODY.in_color(GREEN));
    canvas.frame(all, rgb(0x3A4757));
    canvas
}

const TARGETS: [(&str, &str, &str, &str); 5] = [
    ("Liver segment VII", "14.2 mm", "13.1 mm", "+8 %"),
    ("Node, station 7", "8.0 mm", "8.3 mm", "-4 %"),
    ("Renal cyst left", "11.4 mm", "11.0 mm", "+4 %"),
    ("Nodule, right S6", "3.9 mm", "4.1 mm", "-5 %"),
    ("Aorta, ascending", "34 mm", "34 mm", "±0 %"),
];
