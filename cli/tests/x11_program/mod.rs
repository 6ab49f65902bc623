//! A program on an X display, as the sources' tests need one: it draws, and says what it is given.

use lightbox_codec::geom::Rect;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, InputFocus, Rectangle, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// A program with one window, white, that has the keyboard's focus.
pub(crate) struct Program {
    pub(crate) conn: RustConnection,
    pub(crate) window: u32,
}

/// What it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Key(u8, bool),
    Button(u8, bool, i16, i16),
}

impl Program {
    /// Its window is at `at`.
    pub(crate) fn start(display: &str, at: Rect) -> Self {
        let (conn, screen) = x11rb::connect(Some(display)).expect("the display is there");
        let screen = &conn.setup().roots[screen];
        let (root, white) = (screen.root, screen.white_pixel);
        let window = conn.generate_id().expect("an id");
        let events = EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE
            | EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::EXPOSURE;
        let look = CreateWindowAux::new().background_pixel(white).override_redirect(1).event_mask(events);
        let (x, y, w, h) = (at.x as i16, at.y as i16, at.w as u16, at.h as u16);
        conn.create_window(0, window, root, x, y, w, h, 0, WindowClass::INPUT_OUTPUT, 0, &look)
            .expect("alive")
            .check()
            .expect("a window");
        conn.map_window(window).expect("alive");
        conn.flush().expect("alive");
        while !matches!(conn.wait_for_event().expect("alive"), Event::Expose(_)) {}
        conn.set_input_focus(InputFocus::NONE, window, x11rb::CURRENT_TIME)
            .expect("alive")
            .check()
            .expect("the focus");
        Self { conn, window }
    }

    /// Paints `rects` of its window.
    pub(crate) fn fill(&self, colour: u32, rects: &[Rect]) {
        let gc = self.conn.generate_id().expect("an id");
        self.conn.create_gc(gc, self.window, &CreateGCAux::new().foreground(colour)).expect("alive");
        let rects: Vec<_> = rects
            .iter()
            .map(|r| Rectangle { x: r.x as i16, y: r.y as i16, width: r.w as u16, height: r.h as u16 })
            .collect();
        self.conn.poly_fill_rectangle(self.window, gc, &rects).expect("alive");
        self.conn.free_gc(gc).expect("alive");
        self.conn.flush().expect("alive");
    }

    /// Waits for the next key or button.
    pub(crate) fn next(&self) -> Got {
        loop {
            match self.conn.wait_for_event().expect("alive") {
                Event::KeyPress(e) => return Got::Key(e.detail, true),
                Event::KeyRelease(e) => return Got::Key(e.detail, false),
                Event::ButtonPress(e) => return Got::Button(e.detail, true, e.root_x, e.root_y),
                Event::ButtonRelease(e) => return Got::Button(e.detail, false, e.root_x, e.root_y),
                _ => {}
            }
        }
    }
}
