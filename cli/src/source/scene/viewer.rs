//! One stack of images on an otherwise empty desktop.

use std::time::Duration;

use lightbox_codec::geom::{Point, Rect, Size};
use lightbox_codec::pixel::ImageRef;
use lightbox_net::clock;
use lightbox_protocol::msg::input::Action;

use super::canvas::Canvas;
use super::cursor::Pointer;
use super::hands::{Hands, Room};
use super::layout::Layout;
use super::stack::{Images, Light, Window};
use super::text::Fonts;
use super::viewers::{self, Slice};
use super::{Painter, damage, theme};
use crate::source::{Change, Source, SourceError};

/// A plain viewer: the wheel and the arrow keys scroll, dragging with the left button moves the window (to the right
/// widens it, upwards brightens).
///
/// Nothing moves by itself; its `poll` waits for as long as it may.
pub struct StackViewer {
    layout: Layout,
    painter: Painter,
    front: Canvas,
    images: Box<dyn Images>,
    light: Light,
    hands: Hands,
    shown: Option<(Slice, Point)>,
    pending: bool,
}

impl StackViewer {
    /// Opens `images` on a desktop of `size`, at the first image in its own window.
    ///
    /// # Panics
    /// If a side of `size` is 0 or longer than an image may be.
    pub fn new(images: Box<dyn Images>, size: Size) -> Self {
        Self {
            layout: Layout::of_stack(size),
            painter: Painter { canvas: Canvas::new(size, theme::BLACK), fonts: Fonts::new() },
            front: Canvas::new(size, theme::BLACK),
            images,
            light: Light::default(),
            hands: Hands::default(),
            shown: None,
            pending: true,
        }
    }

    /// The image that hands chose, and its window as they moved it.
    fn slice(&self) -> Slice {
        let last = self.images.count().saturating_sub(1);
        let index = self.hands.slices.clamp(0, last.try_into().unwrap_or(i32::MAX)) as u32;
        let own = self.images.window(index);
        let width = (own.width + self.hands.window.1).max(1.0);
        Slice { index, window: Window { center: own.center + self.hands.window.0, width } }
    }

    fn pointer(&self) -> Point {
        let Size { w, h } = self.layout.screen;
        self.hands.pointer.unwrap_or(Point::new(w / 2, h / 2))
    }
}

impl Source for StackViewer {
    fn poll(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), SourceError> {
        if !std::mem::take(&mut self.pending) {
            std::thread::sleep(wait);
            return Ok(());
        }
        let (slice, pointer) = (self.slice(), self.pointer());
        let last = self.shown.replace((slice, pointer));
        let whole = self.layout.screen.rect();
        let mut rects = Vec::new();
        if last.map(|(slice, _)| slice) != Some(slice) {
            viewers::paint_stack(&mut self.painter, &mut self.light, whole, &mut *self.images, slice);
            damage::compose(&mut self.front, &self.painter.canvas, None, whole, &mut rects);
        }
        if last.is_none() {
            rects = vec![whole];
            changes.push(Change::Cursor(Pointer::Cross.shape()));
        }
        if !rects.is_empty() {
            changes.push(Change::Damage { rects, at: clock::now() });
        }
        if last.map(|(_, pointer)| pointer) != Some(pointer) {
            changes.push(Change::CursorAt { at: pointer, visible: true });
        }
        Ok(())
    }

    fn image(&self) -> ImageRef<'_> {
        self.front.image()
    }

    fn input(&mut self, action: &Action) -> Result<(), SourceError> {
        let room = Room {
            layout: &self.layout,
            pointer: self.pointer(),
            title: Rect::default(),
            row_at: &|_| None,
            speed: (self.images.window(self.slice().index).width / 300.0).max(0.01),
        };
        self.hands.act(action, &room);
        if let Action::Key { code, pressed: true } = action {
            let by = KEYS.iter().find(|(key, _)| key == code).map_or(0, |(_, by)| *by);
            self.hands.slices = self.hands.slices.saturating_add(by);
        }
        // Going on at an end would have to be taken back before the other way shows.
        let last = i32::try_from(self.images.count()).unwrap_or(i32::MAX) - 1;
        self.hands.slices = self.hands.slices.clamp(0, last.max(0));
        self.pending = true;
        Ok(())
    }
}

/// Up, Page Up, Down and Page Down, and how far they go.
const KEYS: [(u16, i32); 4] = [(103, -1), (104, -10), (108, 1), (109, 10)];
