//! The person's hands: what input did to the room, on top of the script.

use lightbox_codec::geom::{Point, Size};
use lightbox_protocol::msg::input::{Action, Place};

use super::keys::{self, CAPS_LOCK, SHIFTS, Stroke};
use super::layout::Layout;

/// Everything that input changed so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hands {
    /// What was typed, the last [`MAX_TEXT`] bytes of it.
    pub(crate) text: String,
    /// Slices scrolled.
    pub(crate) slices: i32,
    /// Pixels that the earlier report was scrolled by.
    pub(crate) scroll: i32,
    /// Values that the window's center and width were moved by.
    pub(crate) window: (f32, f32),
    /// Pixels that the floating window was dragged by.
    pub(crate) floating: (i32, i32),
    /// The row of the work list that was clicked.
    pub(crate) row: Option<u32>,
    /// Where the pointer was put.
    pub(crate) pointer: Option<Point>,
    /// How many actions changed it.
    pub(crate) actions: u64,
    shift: bool,
    caps: bool,
    drag: Option<Drag>,
    /// Wheel turns too small for a step yet, in 1/120 notch.
    wheel: i32,
    /// Relative motion too small for a pixel yet, in 1/256.
    motion: (i32, i32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Drag {
    Window,
    Floating,
}

/// What input must know of the room.
pub(crate) struct Room<'a> {
    pub(crate) layout: &'a Layout,
    /// Where the pointer is now, whoever put it there.
    pub(crate) pointer: Point,
    /// The floating window's title bar.
    pub(crate) title: lightbox_codec::geom::Rect,
    /// Which row of the work list is at a height.
    pub(crate) row_at: &'a dyn Fn(u32) -> Option<u32>,
    /// Values that one pixel of dragging moves the window by.
    pub(crate) speed: f32,
}

impl Hands {
    /// Lets one action do its work.
    pub(crate) fn act(&mut self, action: &Action, room: &Room<'_>) {
        self.actions += 1;
        match action {
            Action::Key { code, pressed } => self.key(*code, *pressed),
            Action::Text(text) => text.chars().for_each(|c| self.write(c)),
            Action::Locks(locks) => self.caps = locks.caps,
            Action::Keys(down) => self.shift = SHIFTS.iter().any(|code| down.contains(*code)),
            Action::Pointer(place) => self.go(clamp(*place, room.layout.screen), room),
            Action::Motion { dx, dy } => {
                let take = |rest: &mut i32, more: i32| {
                    *rest = rest.saturating_add(more);
                    let whole = *rest / 256;
                    *rest %= 256;
                    whole
                };
                let (dx, dy) = (take(&mut self.motion.0, *dx), take(&mut self.motion.1, *dy));
                let Size { w, h } = room.layout.screen;
                let add = |at: u32, by: i32, end: u32| at.saturating_add_signed(by).min(end - 1);
                self.go(Point::new(add(room.pointer.x, dx, w), add(room.pointer.y, dy, h)), room);
            }
            Action::Button { code: BTN_LEFT, pressed, at } => {
                if let Some(place) = at {
                    self.go(clamp(*place, room.layout.screen), room);
                }
                self.press(*pressed, room);
            }
            Action::Wheel { dy, .. } => self.turn(*dy, room),
            _ => {}
        }
    }

    fn key(&mut self, code: u16, pressed: bool) {
        if SHIFTS.contains(&code) {
            self.shift = pressed;
        } else if code == CAPS_LOCK {
            self.caps ^= pressed;
        } else if pressed {
            match keys::stroke(code, self.shift, self.caps) {
                Stroke::Char(c) => self.write(c),
                Stroke::Backspace => drop(self.text.pop()),
                Stroke::Nothing => {}
            }
        }
    }

    fn write(&mut self, c: char) {
        if c == '\n' || !c.is_control() {
            self.text.push(c);
        }
        while self.text.len() > MAX_TEXT {
            self.text.remove(0);
        }
    }

    fn go(&mut self, to: Point, room: &Room<'_>) {
        let from = self.pointer.unwrap_or(room.pointer);
        let (dx, dy) = (to.x as i32 - from.x as i32, to.y as i32 - from.y as i32);
        match self.drag {
            Some(Drag::Window) => {
                // To the right widens, upwards brightens: as on every workstation.
                self.window.0 = (self.window.0 + dy as f32 * room.speed).clamp(-1e5, 1e5);
                self.window.1 = (self.window.1 + dx as f32 * room.speed).clamp(-1e5, 1e5);
            }
            Some(Drag::Floating) => {
                let add = |a: i32, b: i32| a.saturating_add(b).clamp(-20_000, 20_000);
                self.floating = (add(self.floating.0, dx), add(self.floating.1, dy));
            }
            None => {}
        }
        self.pointer = Some(to);
    }

    fn press(&mut self, pressed: bool, room: &Room<'_>) {
        let at = self.pointer.unwrap_or(room.pointer);
        self.drag = None;
        if !pressed {
            return;
        }
        if room.title.contains_point(at) {
            self.drag = Some(Drag::Floating);
        } else if room.layout.stack.contains_point(at) {
            self.drag = Some(Drag::Window);
        } else if room.layout.list.contains_point(at) {
            self.row = (room.row_at)(at.y).or(self.row);
        }
    }

    fn turn(&mut self, dy: i32, room: &Room<'_>) {
        let at = self.pointer.unwrap_or(room.pointer);
        self.wheel = self.wheel.saturating_add(dy);
        let notches = self.wheel / NOTCH;
        self.wheel %= NOTCH;
        if room.layout.stack.contains_point(at) {
            self.slices = self.slices.saturating_add(notches).clamp(-100_000, 100_000);
        } else if room.layout.prior.contains_point(at) {
            self.scroll = self.scroll.saturating_add(notches.saturating_mul(54)).clamp(-100_000, 100_000);
        }
    }
}

fn clamp(place: Place, screen: Size) -> Point {
    Point::new(place.x.min(screen.w - 1), place.y.min(screen.h - 1))
}

/// As much text as the field keeps: more than fits into it.
const MAX_TEXT: usize = 2000;
/// The wheel's unit.
const NOTCH: i32 = 120;
const BTN_LEFT: u16 = 0x110;
