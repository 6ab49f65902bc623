//! What a person does, as calls to QEMU's keyboard and mouse.

use std::collections::BTreeSet;

use lightbox_codec::geom::Size;
use lightbox_protocol::msg::input::{Action, KeySet, Locks, Place, Touch, TouchPhase};
use lightbox_server::qnum;

use crate::source::fraction::{MOST_CLICKS, whole};

/// A call to QEMU that asks for no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A key by its number ("qnum").
    Key { number: u8, pressed: bool },
    /// One of QEMU's buttons.
    Button { button: u32, pressed: bool },
    /// The pointer is at this pixel.
    Point { x: u32, y: u32 },
    /// The pointer moved so far.
    Move { dx: i32, dy: i32 },
    /// The person's window has this size.
    Size(Size),
}

/// The person's hands on the guest: what they hold down, and where they point. Text has no keys here: QEMU knows
/// places on the keyboard, and the guest alone knows what stands on them.
#[derive(Default)]
pub(super) struct Hands {
    /// Keys and buttons that are down, by evdev code.
    down: BTreeSet<u16>,
    /// The guest's pointer takes places, as a tablet does, instead of distances.
    pub(super) absolute: bool,
    /// The guest's lock keys.
    pub(super) leds: Locks,
    at: Option<(u32, u32)>,
    /// 1/120 notches right and down that no click was made of.
    wheel: (i32, i32),
    /// 1/256 pixels right and down that no motion was made of.
    motion: (i32, i32),
    /// The finger that is the pointer.
    finger: Option<u8>,
}

impl Hands {
    /// The calls that do `action` on a screen of `size`.
    pub(super) fn take(&mut self, action: &Action, size: Size) -> Vec<Call> {
        let mut out = Vec::new();
        match action {
            Action::Key { code, pressed } => self.press(*code, *pressed, &mut out),
            Action::Button { code, pressed, at } => {
                if let Some(place) = at {
                    self.point(*place, size, &mut out);
                }
                self.press(*code, *pressed, &mut out);
            }
            Action::Pointer(place) => self.point(*place, size, &mut out),
            Action::Motion { dx, dy } => self.push(*dx, *dy, size, &mut out),
            Action::Wheel { dx, dy } => self.turn(*dx, *dy, &mut out),
            Action::Touch(touch) => self.touch(touch, size, &mut out),
            Action::Locks(locks) => self.lock(*locks, &mut out),
            Action::Keys(keys) => self.release_others(keys, &mut out),
            _ => (),
        }
        out
    }

    /// The calls that release all that is down.
    pub(super) fn let_go(&mut self) -> Vec<Call> {
        let mut out = Vec::new();
        self.release_others(&KeySet::new(), &mut out);
        (self.at, self.finger) = (None, None);
        out
    }

    fn press(&mut self, code: u16, pressed: bool, out: &mut Vec<Call>) {
        let call = match (button_of(code), qnum(code)) {
            (Some(button), _) => Call::Button { button, pressed },
            (None, Some(number)) => Call::Key { number, pressed },
            (None, None) => return,
        };
        // The guest repeats a key that is held, so a repeated press says nothing new.
        let news = if pressed { self.down.insert(code) } else { self.down.remove(&code) };
        if news {
            out.push(call);
        }
    }

    fn release_others(&mut self, keys: &KeySet, out: &mut Vec<Call>) {
        for code in self.down.clone() {
            if !keys.contains(code) {
                self.press(code, false, out);
            }
        }
    }

    fn point(&mut self, place: Place, size: Size, out: &mut Vec<Call>) {
        if place.output != 0 {
            return;
        }
        self.motion = (0, 0);
        self.go((place.x.min(size.w.saturating_sub(1)), place.y.min(size.h.saturating_sub(1))), out);
    }

    /// A mouse is moved by as much as the place differs from the one before; where its pointer is, the guest knows.
    fn go(&mut self, to: (u32, u32), out: &mut Vec<Call>) {
        let from = self.at.replace(to);
        if self.absolute {
            out.push(Call::Point { x: to.0, y: to.1 });
        } else if let Some(from) = from.filter(|from| *from != to) {
            let by = |to: u32, from: u32| i64::from(to) as i32 - i64::from(from) as i32;
            out.push(Call::Move { dx: by(to.0, from.0), dy: by(to.1, from.1) });
        }
    }

    fn push(&mut self, dx: i32, dy: i32, size: Size, out: &mut Vec<Call>) {
        let dx = whole(&mut self.motion.0, dx, 256, FARTHEST);
        let dy = whole(&mut self.motion.1, dy, 256, FARTHEST);
        if (dx, dy) == (0, 0) {
            return;
        }
        if self.absolute {
            let (x, y) = self.at.unwrap_or_default();
            let moved =
                |at: u32, by: i32, side: u32| at.saturating_add_signed(by).min(side.saturating_sub(1));
            self.go((moved(x, dx, size.w), moved(y, dy, size.h)), out);
        } else {
            out.push(Call::Move { dx, dy });
        }
    }

    fn turn(&mut self, dx: i32, dy: i32, out: &mut Vec<Call>) {
        let x = whole(&mut self.wheel.0, dx, 120, MOST_CLICKS);
        let y = whole(&mut self.wheel.1, dy, 120, MOST_CLICKS);
        for (clicks, back, forth) in [(y, WHEEL_UP, WHEEL_DOWN), (x, WHEEL_LEFT, WHEEL_RIGHT)] {
            let button = if clicks < 0 { back } else { forth };
            for _ in 0..clicks.unsigned_abs() {
                out.extend([true, false].map(|pressed| Call::Button { button, pressed }));
            }
        }
    }

    /// The first finger is the pointer with its left button.
    fn touch(&mut self, touch: &Touch, size: Size, out: &mut Vec<Call>) {
        if touch.phase == TouchPhase::Down && self.finger.is_none() {
            self.finger = Some(touch.id);
        }
        if self.finger != Some(touch.id) {
            return;
        }
        let pressed = matches!(touch.phase, TouchPhase::Down | TouchPhase::Move);
        self.finger = pressed.then_some(touch.id);
        self.point(touch.at, size, out);
        self.press(BTN_LEFT, pressed, out);
    }

    /// A lock key is pressed where the guest's lock is another than the terminal's; one that is held is about to
    /// change it by itself.
    fn lock(&mut self, locks: Locks, out: &mut Vec<Call>) {
        let pairs = [
            (KEY_CAPSLOCK, locks.caps, &mut self.leds.caps),
            (KEY_NUMLOCK, locks.num, &mut self.leds.num),
            (KEY_SCROLLLOCK, locks.scroll, &mut self.leds.scroll),
        ];
        for (code, wanted, is) in pairs {
            if *is != wanted && !self.down.contains(&code) {
                *is = wanted;
                let number = qnum(code).unwrap_or_default();
                out.extend([true, false].map(|pressed| Call::Key { number, pressed }));
            }
        }
    }
}

/// QEMU's button of an evdev button.
fn button_of(code: u16) -> Option<u32> {
    Some(match code {
        BTN_LEFT => 0,
        0x112 => 1,
        0x111 => 2,
        // Side and back, extra and forward: guests know the two as back and forward.
        0x113 | 0x116 => 5,
        0x114 | 0x115 => 6,
        _ => return None,
    })
}

const BTN_LEFT: u16 = 0x110;
const KEY_CAPSLOCK: u16 = 58;
const KEY_NUMLOCK: u16 = 69;
const KEY_SCROLLLOCK: u16 = 70;

const WHEEL_UP: u32 = 3;
const WHEEL_DOWN: u32 = 4;
const WHEEL_LEFT: u32 = 7;
const WHEEL_RIGHT: u32 = 8;

/// Pixels that one motion moves a pointer at most.
const FARTHEST: i32 = 32_767;

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(100, 50);

    fn key(code: u16, pressed: bool) -> Action {
        Action::Key { code, pressed }
    }

    fn at(x: u32, y: u32) -> Place {
        Place { output: 0, x, y }
    }

    #[test]
    fn what_is_down_is_released_once_and_nothing_else() {
        let mut hands = Hands::default();
        assert_eq!(hands.take(&key(103, true), SIZE), [Call::Key { number: 0xc8, pressed: true }]);
        assert!(hands.take(&key(103, true), SIZE).is_empty(), "the guest repeats by itself");
        assert!(hands.take(&key(30, false), SIZE).is_empty(), "it is not down");
        let press = Action::Button { code: 0x111, pressed: true, at: None };
        assert_eq!(hands.take(&press, SIZE), [Call::Button { button: 2, pressed: true }]);
        let up = [Call::Key { number: 0xc8, pressed: false }, Call::Button { button: 2, pressed: false }];
        assert_eq!(hands.let_go(), up);
        assert!(hands.let_go().is_empty());
    }

    #[test]
    fn a_tablet_takes_places_and_a_mouse_takes_distances() {
        let mut hands = Hands { absolute: true, ..Hands::default() };
        assert_eq!(hands.take(&Action::Pointer(at(500, 7)), SIZE), [Call::Point { x: 99, y: 7 }]);
        let far = Action::Motion { dx: -3 * 256, dy: 100 * 256 };
        assert_eq!(hands.take(&far, SIZE), [Call::Point { x: 96, y: 49 }]);

        hands.absolute = false;
        assert_eq!(hands.take(&Action::Pointer(at(90, 40)), SIZE), [Call::Move { dx: -6, dy: -9 }]);
        assert!(hands.take(&Action::Pointer(at(90, 40)), SIZE).is_empty());
        let half = Action::Motion { dx: 128, dy: 0 };
        assert!(hands.take(&half, SIZE).is_empty());
        assert_eq!(hands.take(&half, SIZE), [Call::Move { dx: 1, dy: 0 }]);
        hands.let_go();
        assert!(hands.take(&Action::Pointer(at(1, 1)), SIZE).is_empty(), "nobody knows where it was");
    }

    #[test]
    fn the_wheel_is_buttons_and_a_finger_is_the_pointer() {
        let mut hands = Hands { absolute: true, ..Hands::default() };
        let click = |button| [true, false].map(|pressed| Call::Button { button, pressed });
        assert!(hands.take(&Action::Wheel { dx: 0, dy: -60 }, SIZE).is_empty());
        assert_eq!(hands.take(&Action::Wheel { dx: 120, dy: -60 }, SIZE), [click(3), click(8)].concat());
        let touch = |id, phase| Action::Touch(Touch { id, phase, at: at(3, 4), pressure: 0 });
        let down = [Call::Point { x: 3, y: 4 }, Call::Button { button: 0, pressed: true }];
        assert_eq!(hands.take(&touch(7, TouchPhase::Down), SIZE), down);
        assert!(hands.take(&touch(8, TouchPhase::Down), SIZE).is_empty(), "a second finger");
        let up = [Call::Point { x: 3, y: 4 }, Call::Button { button: 0, pressed: false }];
        assert_eq!(hands.take(&touch(7, TouchPhase::Up), SIZE), up);
    }

    #[test]
    fn locks_follow_the_terminal() {
        let mut hands = Hands::default();
        let caps = Action::Locks(Locks { caps: true, ..Locks::default() });
        let tap = [true, false].map(|pressed| Call::Key { number: 58, pressed });
        assert_eq!(hands.take(&caps, SIZE), tap);
        assert!(hands.take(&caps, SIZE).is_empty());
        hands.take(&key(58, true), SIZE);
        assert!(hands.take(&Action::Locks(Locks::default()), SIZE).is_empty(), "the held key does it");
    }
}
