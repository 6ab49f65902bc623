//! The cursor over the windows, and the buttons under the hand.

use lightbox_client::CursorShape;
use lightbox_client::input::Place;
use winit::event::MouseButton;
use winit::event_loop::ActiveEventLoop;
use winit::window::{CustomCursor, Window};

/// The pointer: where it is, and how it looks.
pub(super) struct Pointer {
    pub(super) at: Option<Place>,
    shape: Option<CustomCursor>,
    visible: bool,
}

impl Default for Pointer {
    fn default() -> Self {
        Self { at: None, shape: None, visible: true }
    }
}

impl Pointer {
    pub(super) fn take_shape(&mut self, turn: &ActiveEventLoop, shape: &CursorShape) {
        let rgba: Vec<u8> = shape.bgra.as_chunks::<4>().0.iter().flat_map(straight).collect();
        let side = |n: u32| n.min(256) as u16;
        let (size, hot) = (shape.size, shape.hotspot);
        let source = CustomCursor::from_rgba(rgba, side(size.w), side(size.h), side(hot.x), side(hot.y));
        // A shape that the window system does not take leaves the one before.
        if let Ok(source) = source {
            self.shape = Some(turn.create_custom_cursor(source));
        }
    }

    pub(super) fn set_visible(&mut self, visible: bool) {
        self.visible = visible;
    }

    pub(super) fn show_on(&self, window: &Window) {
        window.set_cursor_visible(self.visible);
        if let Some(shape) = &self.shape {
            window.set_cursor(shape.clone());
        }
    }
}

/// R, G, B, A with colour not multiplied by alpha, as the window system wants it.
fn straight([b, g, r, a]: &[u8; 4]) -> [u8; 4] {
    let of = |c: &u8| match a {
        0 => 0,
        _ => (u32::from(*c) * 255 / u32::from(*a)).min(255) as u8,
    };
    [of(r), of(g), of(b), *a]
}

/// The evdev code of a button.
pub(super) fn button(button: MouseButton) -> Option<u16> {
    Some(match button {
        MouseButton::Left => 0x110,
        MouseButton::Right => 0x111,
        MouseButton::Middle => 0x112,
        MouseButton::Back => 0x113,
        MouseButton::Forward => 0x114,
        MouseButton::Other(_) => return None,
    })
}
