use std::collections::{BTreeMap, VecDeque};

use lightbox_codec::geom::Size;
use lightbox_protocol::Time;
use lightbox_protocol::msg::input::{Action, KeySet, Locks, Place, Touch, TouchPhase};
use x11rb::protocol::xproto::{self, MappingNotifyEvent};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::fault::Fault;
use super::keyboard::Keyboard;
use crate::keymap;
use crate::source::fraction::{MOST_CLICKS, whole};

/// The person's hands on the X server: what they hold down, and what they have still to do.
pub(super) struct Hands {
    root: xproto::Window,
    keyboard: Keyboard,
    /// Keys and buttons that are down: the evdev code, and what was pressed on the X server for it.
    down: BTreeMap<u16, Pressed>,
    /// 1/120 notches right and down that no click was made of.
    wheel: (i32, i32),
    /// 1/256 pixels right and down that no motion was made of.
    motion: (i32, i32),
    /// The finger that is the pointer.
    finger: Option<u8>,
    /// What waits behind text that programs need time for, and until when.
    backlog: VecDeque<Step>,
    not_before: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pressed {
    Key(u8),
    Button(u8),
}

enum Step {
    Act(Action, Size),
    Type(u32),
}

impl Hands {
    pub(super) fn new(conn: &RustConnection, root: xproto::Window) -> Result<Self, Fault> {
        Ok(Self {
            root,
            keyboard: Keyboard::new(conn)?,
            down: BTreeMap::new(),
            wheel: (0, 0),
            motion: (0, 0),
            finger: None,
            backlog: VecDeque::new(),
            not_before: Time(0),
        })
    }

    /// Does `action` on a screen of `size`, at once or when what came before it is done.
    pub(super) fn take(
        &mut self,
        conn: &RustConnection,
        action: &Action,
        size: Size,
        now: Time,
    ) -> Result<(), Fault> {
        match action {
            Action::Text(text) => {
                self.backlog.extend(text.chars().filter_map(keymap::keysym_of).map(Step::Type));
            }
            _ if self.backlog.is_empty() => return self.act(conn, action, size),
            _ => self.backlog.push_back(Step::Act(action.clone(), size)),
        }
        self.go_on(conn, now)
    }

    /// Does what waits and may be done by `now`.
    pub(super) fn go_on(&mut self, conn: &RustConnection, now: Time) -> Result<(), Fault> {
        while let Some(step) = self.backlog.pop_front() {
            match step {
                Step::Act(action, size) => self.act(conn, &action, size)?,
                Step::Type(keysym) => {
                    let patient = self.backlog.len() < LONGEST_BACKLOG;
                    if let Some(later) = self.keyboard.free_at(keysym).filter(|t| patient && *t > now) {
                        self.backlog.push_front(Step::Type(keysym));
                        self.not_before = later;
                        return Ok(());
                    }
                    if let Some(keycode) = self.keyboard.key_for(conn, keysym, now)? {
                        self.tap(conn, keycode)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// When to call `go_on` again; `None` if nothing waits.
    pub(super) fn next(&self) -> Option<Time> {
        (!self.backlog.is_empty()).then_some(self.not_before)
    }

    /// Follows a change of the keyboard's meaning.
    pub(super) fn mapping_changed(
        &mut self,
        conn: &RustConnection,
        event: &MappingNotifyEvent,
    ) -> Result<(), Fault> {
        self.keyboard.mapping_changed(conn, event)
    }

    /// Releases everything and forgets what waits.
    pub(super) fn let_go(&mut self, conn: &RustConnection) -> Result<(), Fault> {
        self.backlog.clear();
        self.release_others(conn, &KeySet::new())?;
        self.keyboard.restore(conn)
    }

    fn act(&mut self, conn: &RustConnection, action: &Action, size: Size) -> Result<(), Fault> {
        match action {
            Action::Key { code, pressed } => {
                let Some(keycode) = self.keyboard.keycode(*code) else { return Ok(()) };
                self.press(conn, *code, Pressed::Key(keycode), *pressed)
            }
            Action::Button { code, pressed, at } => {
                if let Some(place) = at {
                    self.point(conn, *place, size)?;
                }
                let Some(button) = button_of(*code) else { return Ok(()) };
                self.press(conn, *code, Pressed::Button(button), *pressed)
            }
            Action::Pointer(place) => self.point(conn, *place, size),
            Action::Motion { dx, dy } => self.push(conn, *dx, *dy),
            Action::Wheel { dx, dy } => self.turn(conn, *dx, *dy),
            Action::Touch(touch) => self.touch(conn, touch, size),
            Action::Locks(locks) => self.lock(conn, *locks),
            Action::Keys(keys) => self.release_others(conn, keys),
            // Text never waits here, and what a newer protocol adds has no meaning for X.
            _ => Ok(()),
        }
    }

    fn press(&mut self, conn: &RustConnection, code: u16, what: Pressed, pressed: bool) -> Result<(), Fault> {
        // The server repeats a key that is held, so a repeated press says nothing new. A key is released where
        // it was pressed, whatever it means by now.
        match (pressed, self.down.get(&code).copied()) {
            (true, None) => {
                self.down.insert(code, what);
                self.fake(conn, what, true)
            }
            (false, Some(was)) => {
                self.down.remove(&code);
                self.fake(conn, was, false)
            }
            _ => Ok(()),
        }
    }

    fn release_others(&mut self, conn: &RustConnection, keys: &KeySet) -> Result<(), Fault> {
        let gone: Vec<_> = self.down.keys().copied().filter(|code| !keys.contains(*code)).collect();
        for code in gone {
            if let Some(what) = self.down.remove(&code) {
                self.fake(conn, what, false)?;
            }
        }
        Ok(())
    }

    fn point(&mut self, conn: &RustConnection, place: Place, size: Size) -> Result<(), Fault> {
        // The root window is one output, whatever monitors show it.
        if place.output != 0 {
            return Ok(());
        }
        self.motion = (0, 0);
        let clamp = |v: u32, side: u32| v.min(side.saturating_sub(1)) as i16;
        self.fake_motion(conn, ABSOLUTE, clamp(place.x, size.w), clamp(place.y, size.h))
    }

    fn push(&mut self, conn: &RustConnection, dx: i32, dy: i32) -> Result<(), Fault> {
        let x = whole(&mut self.motion.0, dx, 256, i32::from(i16::MAX));
        let y = whole(&mut self.motion.1, dy, 256, i32::from(i16::MAX));
        if (x, y) == (0, 0) {
            return Ok(());
        }
        self.fake_motion(conn, RELATIVE, x as i16, y as i16)
    }

    fn turn(&mut self, conn: &RustConnection, dx: i32, dy: i32) -> Result<(), Fault> {
        let (x, y) =
            (whole(&mut self.wheel.0, dx, 120, MOST_CLICKS), whole(&mut self.wheel.1, dy, 120, MOST_CLICKS));
        for (clicks, back, forth) in [(y, 4, 5), (x, 6, 7)] {
            let button = Pressed::Button(if clicks < 0 { back } else { forth });
            for _ in 0..clicks.unsigned_abs() {
                self.fake(conn, button, true)?;
                self.fake(conn, button, false)?;
            }
        }
        Ok(())
    }

    /// The first finger is the pointer with its left button.
    fn touch(&mut self, conn: &RustConnection, touch: &Touch, size: Size) -> Result<(), Fault> {
        let left = Pressed::Button(1);
        match touch.phase {
            TouchPhase::Down if self.finger.is_none() => {
                self.finger = Some(touch.id);
                self.point(conn, touch.at, size)?;
                self.press(conn, BTN_TOUCH, left, true)
            }
            TouchPhase::Move if self.finger == Some(touch.id) => self.point(conn, touch.at, size),
            TouchPhase::Up | TouchPhase::Cancel if self.finger == Some(touch.id) => {
                self.finger = None;
                if touch.phase == TouchPhase::Up {
                    self.point(conn, touch.at, size)?;
                }
                self.press(conn, BTN_TOUCH, left, false)
            }
            _ => Ok(()),
        }
    }

    fn lock(&mut self, conn: &RustConnection, locks: Locks) -> Result<(), Fault> {
        for keycode in self.keyboard.locks_that_differ(conn, self.root, locks)? {
            if !self.down.values().any(|what| *what == Pressed::Key(keycode)) {
                self.tap(conn, keycode)?;
            }
        }
        Ok(())
    }

    fn tap(&self, conn: &RustConnection, keycode: u8) -> Result<(), Fault> {
        self.fake(conn, Pressed::Key(keycode), true)?;
        self.fake(conn, Pressed::Key(keycode), false)
    }

    fn fake(&self, conn: &RustConnection, what: Pressed, pressed: bool) -> Result<(), Fault> {
        let (event, detail) = match (what, pressed) {
            (Pressed::Key(code), true) => (xproto::KEY_PRESS_EVENT, code),
            (Pressed::Key(code), false) => (xproto::KEY_RELEASE_EVENT, code),
            (Pressed::Button(button), true) => (xproto::BUTTON_PRESS_EVENT, button),
            (Pressed::Button(button), false) => (xproto::BUTTON_RELEASE_EVENT, button),
        };
        conn.xtest_fake_input(event, detail, x11rb::CURRENT_TIME, x11rb::NONE, 0, 0, 0)?;
        Ok(())
    }

    fn fake_motion(&self, conn: &RustConnection, kind: u8, x: i16, y: i16) -> Result<(), Fault> {
        let root = if kind == ABSOLUTE { self.root } else { x11rb::NONE };
        conn.xtest_fake_input(xproto::MOTION_NOTIFY_EVENT, kind, x11rb::CURRENT_TIME, root, x, y, 0)?;
        Ok(())
    }
}

/// The X button of an evdev button.
fn button_of(code: u16) -> Option<u8> {
    Some(match code {
        0x110 => 1,
        0x111 => 3,
        0x112 => 2,
        // Side and back, extra and forward: programs know 8 and 9 as back and forward.
        0x113 | 0x116 => 8,
        0x114 | 0x115 => 9,
        _ => return None,
    })
}

const BTN_TOUCH: u16 = 0x14a;
const ABSOLUTE: u8 = 0;
const RELATIVE: u8 = 1;

/// Steps that may wait before text is typed faster than programs may follow.
const LONGEST_BACKLOG: usize = 4096;
