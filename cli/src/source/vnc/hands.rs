//! What a person does, as messages to a VNC server.

use std::collections::BTreeSet;

use lightbox_codec::geom::Size;
use lightbox_protocol::msg::input::{Action, KeySet, Place, TouchPhase};
use lightbox_server::qnum;

use crate::keymap::{self, KEYS};
use crate::source::fraction::{MOST_CLICKS, whole};

/// The person's hands on the server: what they hold down, and where they point.
#[derive(Default)]
pub(super) struct Hands {
    /// Keys and buttons that are down, by evdev code.
    down: BTreeSet<u16>,
    at: (u16, u16),
    buttons: u8,
    caps: bool,
    /// 1/120 notches right and down that no click was made of.
    wheel: (i32, i32),
    /// 1/256 pixels right and down that no motion was made of.
    motion: (i32, i32),
    /// The finger that is the pointer.
    finger: Option<u8>,
    /// The server takes the places of keys (QEMU's extension), so it need not know what stands on them.
    pub(super) knows_scancodes: bool,
}

impl Hands {
    /// The messages that do `action` on a desktop of `size`.
    pub(super) fn take(&mut self, action: &Action, size: Size) -> Vec<u8> {
        let mut out = Vec::new();
        match action {
            Action::Key { code, pressed } => self.key(*code, *pressed, &mut out),
            Action::Button { code, pressed, at } => {
                if let Some(place) = at {
                    self.point(*place, size);
                }
                self.button(*code, *pressed, &mut out);
            }
            Action::Pointer(place) if place.output == 0 => {
                self.point(*place, size);
                self.pointer(&mut out);
            }
            Action::Motion { dx, dy } => {
                let moved = |at: u16, rest: &mut i32, by: i32, side: u32| {
                    let to = i32::from(at) + whole(rest, by, 256, i32::from(i16::MAX));
                    to.clamp(0, side.saturating_sub(1) as i32) as u16
                };
                let (right, down) = &mut self.motion;
                self.at = (moved(self.at.0, right, *dx, size.w), moved(self.at.1, down, *dy, size.h));
                self.pointer(&mut out);
            }
            Action::Wheel { dx, dy } => self.turn(*dx, *dy, &mut out),
            Action::Touch(touch) => {
                if touch.phase == TouchPhase::Down && self.finger.is_none() {
                    self.finger = Some(touch.id);
                }
                if self.finger == Some(touch.id) {
                    self.point(touch.at, size);
                    let pressed = matches!(touch.phase, TouchPhase::Down | TouchPhase::Move);
                    self.finger = pressed.then_some(touch.id);
                    self.button(BTN_LEFT, pressed, &mut out);
                }
            }
            Action::Text(text) => {
                for keysym in text.chars().filter_map(keymap::keysym_of) {
                    out.extend(key_message(true, keysym));
                    out.extend(key_message(false, keysym));
                }
            }
            // The server's own locks are not told to VNC clients: Caps is remembered for what stands on a key.
            Action::Locks(locks) => self.caps = locks.caps,
            Action::Keys(keys) => self.release_others(keys, &mut out),
            _ => (),
        }
        out
    }

    fn key(&mut self, code: u16, pressed: bool, out: &mut Vec<u8>) {
        if !pressed && !self.down.remove(&code) {
            return;
        }
        if pressed {
            self.down.insert(code);
        }
        let keysym = self.keysym(code);
        let place = qnum(code);
        if let Some(place) = place.filter(|_| self.knows_scancodes) {
            out.extend([255, 0, 0, u8::from(pressed)]);
            out.extend(keysym.unwrap_or(0).to_be_bytes());
            out.extend(u32::from(place).to_be_bytes());
        } else if let Some(keysym) = keysym {
            out.extend(key_message(pressed, keysym));
        }
    }

    /// What stands on the key of a US keyboard, with Shift as it is held.
    fn keysym(&self, code: u16) -> Option<u32> {
        let at = KEYS.binary_search_by_key(&code, |key| key.evdev).ok()?;
        let keysym = KEYS[at].keysym;
        let letter = (0x61..=0x7a).contains(&keysym);
        let shift = self.down.contains(&KEY_LEFTSHIFT) || self.down.contains(&KEY_RIGHTSHIFT);
        Some(if shift != (letter && self.caps) { shifted(keysym) } else { keysym })
    }

    fn release_others(&mut self, keys: &KeySet, out: &mut Vec<u8>) {
        for code in self.down.clone() {
            if !keys.contains(code) {
                if mask_of(code).is_some() {
                    self.button(code, false, out);
                } else {
                    self.key(code, false, out);
                }
            }
        }
    }

    fn button(&mut self, code: u16, pressed: bool, out: &mut Vec<u8>) {
        let Some(mask) = mask_of(code) else { return };
        if pressed {
            self.buttons |= mask;
            self.down.insert(code);
        } else {
            self.buttons &= !mask;
            self.down.remove(&code);
        }
        self.pointer(out);
    }

    fn point(&mut self, place: Place, size: Size) {
        let clamp = |v: u32, side: u32| v.min(side.saturating_sub(1)) as u16;
        self.at = (clamp(place.x, size.w), clamp(place.y, size.h));
    }

    fn turn(&mut self, dx: i32, dy: i32, out: &mut Vec<u8>) {
        let (x, y) =
            (whole(&mut self.wheel.0, dx, 120, MOST_CLICKS), whole(&mut self.wheel.1, dy, 120, MOST_CLICKS));
        for (clicks, back, forth) in [(y, 8, 16), (x, 32, 64)] {
            let mask = if clicks < 0 { back } else { forth };
            for _ in 0..clicks.unsigned_abs() {
                self.buttons |= mask;
                self.pointer(out);
                self.buttons &= !mask;
                self.pointer(out);
            }
        }
    }

    fn pointer(&self, out: &mut Vec<u8>) {
        out.extend([5, self.buttons]);
        out.extend(self.at.0.to_be_bytes());
        out.extend(self.at.1.to_be_bytes());
    }
}

fn key_message(pressed: bool, keysym: u32) -> [u8; 8] {
    let [a, b, c, d] = keysym.to_be_bytes();
    [4, u8::from(pressed), 0, 0, a, b, c, d]
}

fn mask_of(button: u16) -> Option<u8> {
    match button {
        BTN_LEFT => Some(1),
        0x112 => Some(2),
        0x111 => Some(4),
        _ => None,
    }
}

/// The keysym with Shift on a US keyboard.
fn shifted(keysym: u32) -> u32 {
    let plain = "`1234567890-=[]\\;',./";
    let with_shift = "~!@#$%^&*()_+{}|:\"<>?";
    match char::from_u32(keysym) {
        Some(letter @ 'a'..='z') => letter.to_ascii_uppercase().into(),
        Some(sign) => plain.find(sign).map_or(keysym, |at| u32::from(with_shift.as_bytes()[at])),
        None => keysym,
    }
}

const BTN_LEFT: u16 = 0x110;
const KEY_LEFTSHIFT: u16 = 42;
const KEY_RIGHTSHIFT: u16 = 54;

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(100, 50);

    fn key(code: u16, pressed: bool) -> Action {
        Action::Key { code, pressed }
    }

    #[test]
    fn keys_are_what_stands_on_them_or_where_they_are() {
        let mut hands = Hands::default();
        assert_eq!(hands.take(&key(30, true), SIZE), [4, 1, 0, 0, 0, 0, 0, b'a']);
        assert_eq!(hands.take(&key(30, false), SIZE), [4, 0, 0, 0, 0, 0, 0, b'a']);
        assert!(hands.take(&key(30, false), SIZE).is_empty(), "it is up already");
        hands.take(&key(42, true), SIZE);
        assert_eq!(hands.take(&key(3, true), SIZE), [4, 1, 0, 0, 0, 0, 0, b'@']);
        hands.knows_scancodes = true;
        let up = [255, 0, 0, 1, 0, 0, 0xff, 0x52, 0, 0, 0, 0xc8];
        assert_eq!(hands.take(&key(103, true), SIZE), up);
        let released = hands.take(&Action::Keys(KeySet::new()), SIZE);
        assert_eq!(released.len(), 3 * 12, "shift, 2 and up");
    }

    #[test]
    fn the_pointer_stays_on_the_desktop_and_the_wheel_is_four_buttons() {
        let mut hands = Hands::default();
        let far = Action::Pointer(Place { output: 0, x: 500, y: 7 });
        assert_eq!(hands.take(&far, SIZE), [5, 0, 0, 99, 0, 7]);
        let press = Action::Button { code: 0x111, pressed: true, at: None };
        assert_eq!(hands.take(&press, SIZE), [5, 4, 0, 99, 0, 7]);
        assert!(hands.take(&Action::Wheel { dx: 0, dy: 60 }, SIZE).is_empty());
        let click = hands.take(&Action::Wheel { dx: 0, dy: 60 }, SIZE);
        assert_eq!(click, [5, 20, 0, 99, 0, 7, 5, 4, 0, 99, 0, 7]);
        // Half a pixel waits for its other half.
        let slow = Action::Motion { dx: -128, dy: 0 };
        assert_eq!(hands.take(&slow, SIZE), [5, 4, 0, 99, 0, 7]);
        assert_eq!(hands.take(&slow, SIZE), [5, 4, 0, 98, 0, 7]);
    }
}
