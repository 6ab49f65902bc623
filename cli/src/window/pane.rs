//! One window: an output's surface, pixel for pixel.

use std::num::NonZeroU32;
use std::rc::Rc;

use lightbox_client::{Client, Output};
use lightbox_codec::geom::{Rect, Region, Size};
use lightbox_codec::pixel::{ImageRef, PixelFormat};
use winit::dpi::PhysicalSize;
use winit::event_loop::ActiveEventLoop;
use winit::window::Window;

use crate::Failure;

pub(super) struct Pane {
    window: Rc<Window>,
    pixels: softbuffer::Surface<Rc<Window>, Rc<Window>>,
    output: Output,
    damage: Region,
    /// The size that the person gave the window last, if the output has not followed.
    asked: Option<Size>,
}

impl Pane {
    pub(super) fn open(turn: &ActiveEventLoop, output: &Output) -> Result<Self, Failure> {
        let size = PhysicalSize::new(output.size.w, output.size.h);
        let attributes = Window::default_attributes().with_title("Lightbox").with_inner_size(size);
        let window = Rc::new(turn.create_window(attributes)?);
        let context = softbuffer::Context::new(window.clone()).map_err(|e| e.to_string())?;
        let pixels = softbuffer::Surface::new(&context, window.clone()).map_err(|e| e.to_string())?;
        let mut pane = Self { window, pixels, output: *output, damage: Region::new(), asked: None };
        pane.damage_all();
        Ok(pane)
    }

    pub(super) fn window(&self) -> &Window {
        &self.window
    }

    pub(super) fn surface(&self) -> u32 {
        self.output.surface
    }

    pub(super) fn output(&self) -> &Output {
        &self.output
    }

    /// The output's size, which is its picture's.
    pub(super) fn size(&self) -> Size {
        self.output.size
    }

    /// True if the window shows less than the whole picture.
    pub(super) fn is_cut(&self) -> bool {
        let size = self.window.inner_size();
        size.width < self.output.size.w || size.height < self.output.size.h
    }

    /// The output changed; so does the window, if its size did.
    pub(super) fn follow(&mut self, output: &Output) {
        if output.size != self.output.size {
            // What the window becomes by this is not the person's wish.
            self.asked = Some(output.size);
            let _ = self.window.request_inner_size(PhysicalSize::new(output.size.w, output.size.h));
        }
        self.output = *output;
        self.damage_all();
    }

    /// The window has this size now. The size to ask the server for, if the person wants another.
    pub(super) fn resized(&mut self, w: u32, h: u32) -> Option<Size> {
        let size = Size::new(w, h);
        let is_new = size != self.output.size && self.asked != Some(size) && !size.is_empty();
        is_new.then(|| {
            self.asked = Some(size);
            size
        })
    }

    pub(super) fn damage_all(&mut self) {
        self.damage.add(Rect::new(0, 0, lightbox_codec::geom::MAX_SIDE, lightbox_codec::geom::MAX_SIDE));
    }

    pub(super) fn damage(&mut self, rects: &[Rect]) {
        rects.iter().for_each(|rect| self.damage.add(*rect));
    }

    /// Shows what is damaged, now.
    pub(super) fn present(&mut self, client: &Client) -> Result<(), Failure> {
        let size = self.window.inner_size();
        let (Some(w), Some(h)) = (NonZeroU32::new(size.width), NonZeroU32::new(size.height)) else {
            return Ok(());
        };
        if self.damage.is_empty() {
            return Ok(());
        }
        self.pixels.resize(w, h).map_err(|e| e.to_string())?;
        let mut buffer = self.pixels.buffer_mut().map_err(|e| e.to_string())?;
        if buffer.age() != 1 {
            // What the buffer shows is not the picture before this one.
            self.damage.add(Rect::new(0, 0, size.width, size.height));
        }
        self.damage.clip(Rect::new(0, 0, size.width, size.height));
        let damage = self.damage.take();
        client.with_surface(self.output.surface, |image| {
            for rect in damage.rects() {
                draw(&mut buffer, size.width, image, *rect);
            }
        });
        let rects: Vec<_> = damage.rects().iter().filter_map(softbuffer_rect).collect();
        buffer.present_with_damage(&rects).map_err(|e| e.to_string())?;
        Ok(())
    }
}

/// Draws `rect` of the window, which is `width` pixels wide: the picture's pixels, and black beside it.
fn draw(window: &mut [u32], width: u32, image: ImageRef<'_>, rect: Rect) {
    let inside = rect.intersect(image.size().rect()).unwrap_or_default();
    for y in rect.y..rect.bottom() {
        let start = (y * width + rect.x) as usize;
        let Some(line) = window.get_mut(start..start + rect.w as usize) else { continue };
        let shown = if y < inside.bottom() { inside.w as usize } else { 0 };
        let (pixels, beside) = line.split_at_mut(shown);
        beside.fill(0);
        if shown == 0 {
            continue;
        }
        let row = image.row(y);
        let from = rect.x as usize;
        match image.format() {
            PixelFormat::Bgrx8 => {
                let source = &row.as_chunks::<4>().0[from..];
                pixels.iter_mut().zip(source).for_each(|(p, s)| *p = u32::from_le_bytes(*s) & 0xFF_FFFF);
            }
            PixelFormat::Bgrx10 => {
                // The high eight of ten bits, as for deep gray below.
                let source = &row.as_chunks::<4>().0[from..];
                let narrow = |s: &[u8; 4]| {
                    let deep = u32::from_le_bytes(*s);
                    deep >> 2 & 0xFF | deep >> 4 & 0xFF00 | deep >> 6 & 0xFF_0000
                };
                pixels.iter_mut().zip(source).for_each(|(p, s)| *p = narrow(s));
            }
            PixelFormat::Gray8 => {
                pixels.iter_mut().zip(&row[from..]).for_each(|(p, s)| *p = u32::from(*s) * 0x01_01_01);
            }
            PixelFormat::Gray16(depth) => {
                // The window has 8 bits: the high ones are shown. Exactness is of the surface, not of this view.
                let source = &row.as_chunks::<2>().0[from..];
                let shift = depth.bits() - 8;
                let gray = |s: &[u8; 2]| u32::from(u16::from_le_bytes(*s) >> shift) * 0x01_01_01;
                pixels.iter_mut().zip(source).for_each(|(p, s)| *p = gray(s));
            }
        }
    }
}

fn softbuffer_rect(rect: &Rect) -> Option<softbuffer::Rect> {
    let (width, height) = (NonZeroU32::new(rect.w)?, NonZeroU32::new(rect.h)?);
    Some(softbuffer::Rect { x: rect.x, y: rect.y, width, height })
}

#[cfg(test)]
mod tests {
    use lightbox_codec::pixel::Image;

    use super::*;

    #[test]
    fn pixels_land_where_they_belong_and_the_rest_is_black() {
        let mut image = Image::new(Size::new(3, 2), PixelFormat::Bgrx8).unwrap();
        image.as_mut().fill(Rect::new(1, 1, 1, 1), [1, 2, 3, 0xFF]);
        let mut window = vec![9; 5 * 3];
        draw(&mut window, 5, image.as_ref(), Rect::new(1, 0, 4, 3));
        assert_eq!(window, [9, 0, 0, 0, 0, 9, 0x03_02_01, 0, 0, 0, 9, 0, 0, 0, 0]);
    }
}
