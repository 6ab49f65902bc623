//! The keyboard where nobody manages windows: a terminal that runs nothing but this program.

use winit::window::Window;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, InputFocus};
use x11rb::rust_connection::RustConnection;

/// Gives the keyboard to the window under the pointer, if no window manager does.
pub(super) struct Focus {
    conn: RustConnection,
    root: u32,
    /// The root window's property that every window manager sets.
    manager: u32,
}

impl Focus {
    /// `None` where there is no X server.
    pub(super) fn open() -> Option<Self> {
        let (conn, screen) = x11rb::connect(None).ok()?;
        let root = conn.setup().roots.get(screen)?.root;
        let manager = conn.intern_atom(false, b"_NET_SUPPORTING_WM_CHECK").ok()?.reply().ok()?.atom;
        Some(Self { conn, root, manager })
    }

    /// The pointer came over `window`. What fails here leaves the keyboard where it is.
    pub(super) fn entered(&self, window: &Window) {
        let Ok(id) = u32::try_from(u64::from(window.id())) else { return };
        // A manager may have come since the window before.
        if !self.is_managed()
            && let Ok(sent) = self.conn.set_input_focus(InputFocus::POINTER_ROOT, id, x11rb::CURRENT_TIME)
        {
            sent.ignore_error();
            let _ = self.conn.flush();
        }
    }

    fn is_managed(&self) -> bool {
        let asked = self.conn.get_property(false, self.root, self.manager, AtomEnum::WINDOW, 0, 1);
        asked.ok().and_then(|asked| asked.reply().ok()).is_none_or(|reply| reply.value_len > 0)
    }
}
