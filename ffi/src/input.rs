//! What the person does: received by servers in events, given by clients.
#![allow(unsafe_code)]

use std::ffi::c_char;

use lightbox_client::input::{Action, KeySet, Locks, MAX_TEXT, Place, Touch, TouchPhase};

use crate::client::lbx_client;
use crate::error::{Failure, lbx_result};
use crate::guard;
use crate::handle;

/// A key: `code` is Linux evdev's (KEY_A is 30), a place on the keyboard and not a letter; `pressed`.
pub const LBX_INPUT_KEY: u32 = 1;
/// A pointer button: `code` (LBX_BUTTON_*), `pressed`, and where: `output`, `x`, `y`, inside that monitor. `LBX_NO_OUTPUT`
/// while the pointer is relative, and when the button is let go for a person who is gone: then where the pointer is.
pub const LBX_INPUT_BUTTON: u32 = 2;
/// The pointer is at a place: `output`, `x`, `y`.
pub const LBX_INPUT_POINTER: u32 = 3;
/// The pointer moved by `dx`, `dy` in 1/256 pixel.
pub const LBX_INPUT_MOTION: u32 = 4;
/// The wheel turned by `dx`, `dy` in 1/120 notch; down and right are positive.
pub const LBX_INPUT_WHEEL: u32 = 5;
/// Text of an input method: `text`, `text_len`.
pub const LBX_INPUT_TEXT: u32 = 6;
/// A finger or pen: `touch`, `phase`, `output`, `x`, `y`, `pressure`.
pub const LBX_INPUT_TOUCH: u32 = 7;
/// The terminal's lock keys: `locks`.
pub const LBX_INPUT_LOCKS: u32 = 8;

/// BTN_LEFT of evdev.
pub const LBX_BUTTON_LEFT: u32 = 0x110;
/// BTN_RIGHT.
pub const LBX_BUTTON_RIGHT: u32 = 0x111;
/// BTN_MIDDLE.
pub const LBX_BUTTON_MIDDLE: u32 = 0x112;
/// No output: of a button while the pointer is relative.
pub const LBX_NO_OUTPUT: u32 = 0xFFFF_FFFF;

/// A touch begins.
pub const LBX_TOUCH_DOWN: u32 = 0;
/// It goes on elsewhere.
pub const LBX_TOUCH_MOVE: u32 = 1;
/// It ends.
pub const LBX_TOUCH_UP: u32 = 2;
/// It is void.
pub const LBX_TOUCH_CANCEL: u32 = 3;

/// Caps Lock.
pub const LBX_LOCK_CAPS: u32 = 1;
/// Num Lock.
pub const LBX_LOCK_NUM: u32 = 2;
/// Scroll Lock.
pub const LBX_LOCK_SCROLL: u32 = 4;

/// The longest text of one lbx_client_text(), in bytes.
pub const LBX_TEXT_MAX: usize = 1024;

/// One thing that the person did. What does not belong to its kind is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_input {
    /// UTF-8, with a NUL behind it; valid as long as the event it stands in.
    pub text: *const c_char,
    /// Bytes of `text` without the NUL.
    pub text_len: usize,
    /// LBX_INPUT_*.
    pub kind: u32,
    /// Linux evdev key or button code.
    pub code: u32,
    /// 1 down, 0 up.
    pub pressed: u32,
    /// The monitor, by lbx_output_id().
    pub output: u32,
    /// Column of the monitor.
    pub x: u32,
    /// Row of the monitor.
    pub y: u32,
    /// To the right.
    pub dx: i32,
    /// Downwards.
    pub dy: i32,
    /// Which finger.
    pub touch: u32,
    /// LBX_TOUCH_*.
    pub phase: u32,
    /// 0 (not known) to 65535.
    pub pressure: u32,
    /// LBX_LOCK_* bits.
    pub locks: u32,
}

/// One step of a touch, for lbx_client_touch().
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_touch {
    /// Which finger, 0 to 255; free for reuse after LBX_TOUCH_UP or LBX_TOUCH_CANCEL.
    pub touch: u32,
    /// LBX_TOUCH_*.
    pub phase: u32,
    /// The monitor.
    pub output: u32,
    /// Column of the monitor.
    pub x: u32,
    /// Row of the monitor.
    pub y: u32,
    /// 0 (not known) to 65535.
    pub pressure: u32,
}

/// The number that PC emulators want for an evdev key code ("qnum" in QEMU): the scancode of set 1, with its high bit set
/// where the prefix E0 belongs. 0 if a PC keyboard has no such key.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn lbx_input_qnum(code: u32) -> u32 {
    u16::try_from(code).ok().and_then(lightbox_server::qnum).unwrap_or(0).into()
}

/// A key went down (`pressed` is 1) or up. `code` is Linux evdev's.
/// Errors, here and below: `LBX_ERROR_ARGUMENT`. Input of a client that is not connected is dropped.
/// Threads, here and below: any; what one thread does arrives in order. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_key(client: *mut lbx_client, code: u32, pressed: u32) -> lbx_result {
    // SAFETY: promise 1.
    unsafe { act(client, || Ok(Action::Key { code: key_code(code)?, pressed: pressed != 0 })) }
}

/// A pointer button (LBX_BUTTON_*) went down or up at this place; `output` is `LBX_NO_OUTPUT` while the pointer is
/// relative. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_button(
    client: *mut lbx_client,
    code: u32,
    pressed: u32,
    output: u32,
    x: u32,
    y: u32,
) -> lbx_result {
    let button = || {
        let at = (output != LBX_NO_OUTPUT).then(|| place(output, x, y)).transpose()?;
        Ok(Action::Button { code: key_code(code)?, pressed: pressed != 0, at })
    };
    // SAFETY: promise 1.
    unsafe { act(client, button) }
}

/// The pointer is at this pixel of the monitor. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_pointer(
    client: *mut lbx_client,
    output: u32,
    x: u32,
    y: u32,
) -> lbx_result {
    // SAFETY: promise 1.
    unsafe { act(client, || place(output, x, y).map(Action::Pointer)) }
}

/// The pointer moved by a distance, in 1/256 pixel, while it is relative. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_motion(client: *mut lbx_client, dx: i32, dy: i32) -> lbx_result {
    // SAFETY: promise 1.
    unsafe { act(client, || Ok(Action::Motion { dx, dy })) }
}

/// The wheel turned, in 1/120 notch; right and down are positive. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_wheel(client: *mut lbx_client, dx: i32, dy: i32) -> lbx_result {
    // SAFETY: promise 1.
    unsafe { act(client, || Ok(Action::Wheel { dx, dy })) }
}

/// An input method has text: UTF-8, ending with a NUL, at most `LBX_TEXT_MAX` bytes. It is copied. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_text(client: *mut lbx_client, text: *const c_char) -> lbx_result {
    let action = || {
        // SAFETY: promise 2.
        let text = unsafe { handle::some_text(text, "text") }?;
        match text.len() <= LBX_TEXT_MAX {
            true => Ok(Action::Text(text.into())),
            false => Err(Failure::argument(format_args!("text is longer than {LBX_TEXT_MAX} bytes"))),
        }
    };
    // SAFETY: promise 1.
    unsafe { act(client, action) }
}

/// A finger or pen did something. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_touch(client: *mut lbx_client, touch: *const lbx_touch) -> lbx_result {
    let action = || {
        // SAFETY: promise 2.
        let [touch] = *unsafe { handle::array(touch, 1, "touch") }? else {
            return Err(Failure::argument("no touch is given"));
        };
        touch.action()
    };
    // SAFETY: promise 1.
    unsafe { act(client, action) }
}

/// The terminal's lock keys: LBX_LOCK_* bits. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_locks(client: *mut lbx_client, locks: u32) -> lbx_result {
    // SAFETY: promise 1.
    unsafe { act(client, || Ok(Action::Locks(locks_of(locks)))) }
}

/// The window lost the focus: the server lets go of every key and button that is held. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_unfocus(client: *mut lbx_client) -> lbx_result {
    guard::call(|| {
        // SAFETY: promise 1.
        unsafe { handle::part(client) }?.client.unfocus();
        Ok(())
    })
}

/// # Safety
/// Promise 1.
unsafe fn act(client: *mut lbx_client, action: impl FnOnce() -> Result<Action, Failure>) -> lbx_result {
    guard::call(|| {
        // SAFETY: the caller's promise.
        let client = unsafe { handle::part(client) }?;
        client.client.input(action()?);
        Ok(())
    })
}

impl lbx_touch {
    fn action(&self) -> Result<Action, Failure> {
        let bad = |what: &str| Failure::argument(format_args!("the touch's {what} is out of range"));
        Ok(Action::Touch(Touch {
            id: self.touch.try_into().map_err(|_| bad("number"))?,
            phase: match self.phase {
                LBX_TOUCH_DOWN => TouchPhase::Down,
                LBX_TOUCH_MOVE => TouchPhase::Move,
                LBX_TOUCH_UP => TouchPhase::Up,
                LBX_TOUCH_CANCEL => TouchPhase::Cancel,
                _ => return Err(bad("phase")),
            },
            at: place(self.output, self.x, self.y)?,
            pressure: self.pressure.try_into().map_err(|_| bad("pressure"))?,
        }))
    }
}

impl lbx_input {
    /// An action as C sees it, and the text that it points to, which the caller keeps.
    pub(crate) fn of(action: &Action, text: &std::ffi::CStr) -> Self {
        let mut input = Self::default();
        match action {
            Action::Key { code, pressed } => {
                input.kind = LBX_INPUT_KEY;
                (input.code, input.pressed) = ((*code).into(), (*pressed).into());
            }
            Action::Button { code, pressed, at } => {
                input.kind = LBX_INPUT_BUTTON;
                (input.code, input.pressed) = ((*code).into(), (*pressed).into());
                input.output = LBX_NO_OUTPUT;
                at.iter().for_each(|at| input.at(*at));
            }
            Action::Pointer(at) => {
                input.kind = LBX_INPUT_POINTER;
                input.at(*at);
            }
            Action::Motion { dx, dy } => {
                input.kind = LBX_INPUT_MOTION;
                (input.dx, input.dy) = (*dx, *dy);
            }
            Action::Wheel { dx, dy } => {
                input.kind = LBX_INPUT_WHEEL;
                (input.dx, input.dy) = (*dx, *dy);
            }
            Action::Text(_) => {
                input.kind = LBX_INPUT_TEXT;
                (input.text, input.text_len) = (text.as_ptr(), text.count_bytes());
            }
            Action::Touch(touch) => {
                input.kind = LBX_INPUT_TOUCH;
                input.touch = touch.id.into();
                input.phase = match touch.phase {
                    TouchPhase::Down => LBX_TOUCH_DOWN,
                    TouchPhase::Move => LBX_TOUCH_MOVE,
                    TouchPhase::Up => LBX_TOUCH_UP,
                    TouchPhase::Cancel => LBX_TOUCH_CANCEL,
                };
                input.at(touch.at);
                input.pressure = touch.pressure.into();
            }
            Action::Locks(locks) => {
                input.kind = LBX_INPUT_LOCKS;
                input.locks = bits_of(*locks);
            }
            // The session has made plain releases of key sets; actions of later versions have no number yet.
            _ => {}
        }
        input
    }

    fn at(&mut self, place: Place) {
        (self.output, self.x, self.y) = (place.output, place.x, place.y);
    }
}

impl Default for lbx_input {
    fn default() -> Self {
        Self {
            text: std::ptr::null(),
            text_len: 0,
            kind: 0,
            code: 0,
            pressed: 0,
            output: 0,
            x: 0,
            y: 0,
            dx: 0,
            dy: 0,
            touch: 0,
            phase: 0,
            pressure: 0,
            locks: 0,
        }
    }
}

pub(crate) fn locks_of(bits: u32) -> Locks {
    let has = |bit| bits & bit != 0;
    Locks { caps: has(LBX_LOCK_CAPS), num: has(LBX_LOCK_NUM), scroll: has(LBX_LOCK_SCROLL) }
}

pub(crate) fn bits_of(locks: Locks) -> u32 {
    let bit = |on, bit| if on { bit } else { 0 };
    bit(locks.caps, LBX_LOCK_CAPS) | bit(locks.num, LBX_LOCK_NUM) | bit(locks.scroll, LBX_LOCK_SCROLL)
}

fn key_code(code: u32) -> Result<u16, Failure> {
    let known = u16::try_from(code).ok().filter(|code| *code < KeySet::LIMIT);
    known.ok_or_else(|| Failure::argument(format_args!("{code} is no evdev code")))
}

fn place(output: u32, x: u32, y: u32) -> Result<Place, Failure> {
    // The wire takes no place that no monitor has.
    let most = lightbox_client::geom::MAX_SIDE;
    match x <= most && y <= most {
        true => Ok(Place { output, x, y }),
        false => Err(Failure::argument(format_args!("no monitor has a pixel at {x}, {y}"))),
    }
}

const _: () = assert!(LBX_TEXT_MAX == MAX_TEXT);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_bits_both_ways() {
        for bits in 0..8 {
            assert_eq!(bits_of(locks_of(bits)), bits);
        }
    }

    #[test]
    fn a_touch_arrives_as_it_was_given() {
        let given = lbx_touch { touch: 3, phase: LBX_TOUCH_MOVE, output: 1, x: 5, y: 6, pressure: 700 };
        let seen = lbx_input::of(&given.action().unwrap(), c"");
        assert_eq!((seen.kind, seen.touch, seen.phase), (LBX_INPUT_TOUCH, 3, LBX_TOUCH_MOVE));
        assert_eq!((seen.output, seen.x, seen.y, seen.pressure), (1, 5, 6, 700));
        assert!(lbx_touch { phase: 4, ..given }.action().is_err());
        assert!(lbx_touch { touch: 256, ..given }.action().is_err());
        assert!(lbx_touch { pressure: 65_536, ..given }.action().is_err());
        assert!(lbx_touch { x: 16_385, ..given }.action().is_err());
    }

    #[test]
    fn a_button_without_a_place_says_so() {
        let seen = lbx_input::of(&Action::Button { code: 0x110, pressed: true, at: None }, c"");
        assert_eq!((seen.code, seen.pressed, seen.output), (LBX_BUTTON_LEFT, 1, LBX_NO_OUTPUT));
    }
}
