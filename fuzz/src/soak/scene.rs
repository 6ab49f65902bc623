//! What a desktop does to its picture, as far as a codec and a ledger can tell.

use lightbox_codec::geom::{Point, Rect, Size};
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_sim::rng::Rng;

/// What the next updates need to know of those before.
#[derive(Debug, Default)]
pub(super) struct Scene {
    caret: Rect,
    caret_on: bool,
    window: Rect,
    /// An area as it was, to be put back.
    kept: Option<(Rect, Image)>,
}

impl Scene {
    /// Changes `image` a little or a lot. Returns the damage: all that changed, and sometimes more.
    pub(super) fn update(&mut self, image: &mut Image, rng: &mut Rng) -> Vec<Rect> {
        let size = image.size();
        match rng.below(100) {
            0..12 => self.blink(image, rng),
            12..34 => {
                let line = Rect { h: 10 + rng.below(20) as u32, ..some_rect(size, rng, 200) };
                one(text(image, clip(line, size), rng))
            }
            34..46 => {
                let rect = some_rect(size, rng, 60);
                one(fill(image, rect, rng))
            }
            46..58 => one(tiny(image, rng)),
            58..68 => one(scroll(image, rng)),
            68..78 => self.move_window(image, rng),
            78..84 => {
                let rect = some_rect(size, rng, 90);
                one(noise(image, rect, rng))
            }
            84..89 => {
                let rect = some_rect(size, rng, 160);
                one(smooth(image, rect, rng))
            }
            89..93 => self.keep_or_put_back(image, rng),
            93..97 => vec![some_rect(size, rng, 300), Rect::new(size.w - 1, 0, 500, 500)],
            97..99 => {
                let rects = (0..4).map(|_| tiny(image, rng)).collect();
                text(image, some_rect(size, rng, 400), rng);
                [rects, one(size.rect())].concat()
            }
            _ => one(match rng.below(3) {
                0 => text(image, size.rect(), rng),
                1 => smooth(image, size.rect(), rng),
                _ => fill(image, size.rect(), rng),
            }),
        }
    }

    fn blink(&mut self, image: &mut Image, rng: &mut Rng) -> Vec<Rect> {
        if !image.size().rect().contains(self.caret) || self.caret.is_empty() || rng.chance(0.1) {
            let at = some_rect(image.size(), rng, 2);
            self.caret = clip(Rect { w: 2, h: 14, ..at }, image.size());
        }
        self.caret_on = !self.caret_on;
        let colour = if self.caret_on { 0 } else { u32::MAX };
        let pixel = pixel(image.format(), colour);
        image.as_mut().fill(self.caret, pixel);
        one(self.caret)
    }

    fn move_window(&mut self, image: &mut Image, rng: &mut Rng) -> Vec<Rect> {
        let size = image.size();
        let all = size.rect();
        if self.window.is_empty() || !all.contains(self.window) || rng.chance(0.05) {
            self.window = some_rect(size, rng, 220);
            return one(text(image, self.window, rng));
        }
        let step = |from: u32, length: u32, side: u32, rng: &mut Rng| {
            (from + rng.below(40) as u32).saturating_sub(20).min(side - length)
        };
        let old = self.window;
        let to = Point::new(step(old.x, old.w, size.w, rng), step(old.y, old.h, size.h, rng));
        image.as_mut().copy_within(old, to);
        self.window = old.at(to);
        let colour = pixel(image.format(), 0x30_4050);
        let mut bared = lightbox_codec::geom::Region::from_iter([old]);
        bared.subtract(self.window);
        for rect in bared.rects() {
            image.as_mut().fill(*rect, colour);
        }
        vec![old, self.window]
    }

    /// The same pixels come back after others: a menu that opens and closes.
    fn keep_or_put_back(&mut self, image: &mut Image, rng: &mut Rng) -> Vec<Rect> {
        if let Some((rect, kept)) = self.kept.take()
            && kept.format() == image.format()
            && let Some(mut part) = image.as_mut().crop_mut(rect)
        {
            part.copy_from(kept.as_ref());
            return one(rect);
        }
        let rect = some_rect(image.size(), rng, 150);
        let Ok(mut copy) = Image::new(rect.size(), image.format()) else { return Vec::new() };
        if let Some(part) = image.as_ref().crop(rect) {
            copy.as_mut().copy_from(part);
        }
        self.kept = Some((rect, copy));
        one(fill(image, rect, rng))
    }
}

fn fill(image: &mut Image, rect: Rect, rng: &mut Rng) -> Rect {
    let colour = pixel(image.format(), rng.next_u64() as u32);
    image.as_mut().fill(rect, colour);
    rect
}

fn noise(image: &mut Image, rect: Rect, rng: &mut Rng) -> Rect {
    paint(image, rect, |_, _| rng.next_u64() as u32);
    rect
}

/// A radiograph: a slope with a little noise on it.
fn smooth(image: &mut Image, rect: Rect, rng: &mut Rng) -> Rect {
    let (base, dx, dy) = (rng.below(4096) as u32, rng.below(9) as u32, rng.below(9) as u32);
    paint(image, rect, |x, y| {
        let level = (base + x * dx + y * dy + rng.below(8) as u32) & 0xFFF;
        ((level >> 4) * 0x01_0101) | ((level & 15) << 24)
    });
    rect
}

/// Letters of eight by eight pixels, two colours.
fn text(image: &mut Image, rect: Rect, rng: &mut Rng) -> Rect {
    let (paper, ink) = if rng.chance(0.7) { (u32::MAX, 0) } else { (0x20_2020, 0xC0_F0_D0) };
    let (shift, letters) = (rng.below(8) as u32, rng.next_u64());
    paint(image, rect, |x, y| {
        let (column, line) = ((x + shift) / 8, (y + shift) / 8);
        let letter = (letters >> ((column * 7 + line * 13) % 58) & 31) + 1;
        let strokes = letter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (px, py) = ((x + shift) % 8, (y + shift) % 8);
        if py > 1 && strokes >> (py * 8 + px) & 1 == 1 { ink } else { paper }
    });
    rect
}

fn tiny(image: &mut Image, rng: &mut Rng) -> Rect {
    let rect = some_rect(image.size(), rng, 3);
    fill(image, rect, rng)
}

/// A document moves up or down by a line; the line that comes into sight is new.
fn scroll(image: &mut Image, rng: &mut Rng) -> Rect {
    let view = some_rect(image.size(), rng, 400);
    let by = (1 + rng.below(24) as u32).min(view.h);
    let still = Rect { h: view.h - by, ..view };
    if rng.chance(0.5) {
        image.as_mut().copy_within(Rect { y: view.y + by, ..still }, view.origin());
        text(image, Rect { y: view.bottom() - by, h: by, ..view }, rng);
    } else {
        image.as_mut().copy_within(still, Point::new(view.x, view.y + by));
        text(image, Rect { h: by, ..view }, rng);
    }
    view
}

/// Paints each pixel with the colour that `shade` gives for its place in `rect`.
fn paint(image: &mut Image, rect: Rect, mut shade: impl FnMut(u32, u32) -> u32) {
    let format = image.format();
    let bytes = format.bytes_per_pixel();
    let mut all = image.as_mut();
    let Some(mut part) = all.crop_mut(rect) else { return };
    for y in 0..rect.h {
        for (x, target) in part.row_mut(y).chunks_exact_mut(bytes).enumerate() {
            target.copy_from_slice(&pixel(format, shade(x as u32, y))[..bytes]);
        }
    }
}

/// `colour` (0xRRGGBB, and eight low bits for deep gray on top) as a pixel of this format, spare bits as the digest
/// defines them.
fn pixel(format: PixelFormat, colour: u32) -> [u8; 4] {
    let [b, g, r, low] = colour.to_le_bytes();
    match format {
        PixelFormat::Bgrx8 => [b, g, r, 0xFF],
        PixelFormat::Bgrx10 => [b, g, r, low | 0xC0],
        PixelFormat::Gray8 => [b, 0, 0, 0],
        PixelFormat::Gray16(depth) => {
            let level = (u16::from(b) << 4 | u16::from(low & 15)) & depth.max();
            let [low, high] = level.to_le_bytes();
            [low, high, 0, 0]
        }
    }
}

/// A rect inside `size`, with sides of at most `side`.
fn some_rect(size: Size, rng: &mut Rng, side: u64) -> Rect {
    let w = 1 + rng.below(side.min(size.w.into())) as u32;
    let h = 1 + rng.below(side.min(size.h.into())) as u32;
    Rect::new(rng.below(u64::from(size.w - w) + 1) as u32, rng.below(u64::from(size.h - h) + 1) as u32, w, h)
}

fn clip(rect: Rect, size: Size) -> Rect {
    rect.intersect(size.rect()).unwrap_or(Rect::new(0, 0, 1, 1))
}

fn one(rect: Rect) -> Vec<Rect> {
    vec![rect]
}
