//! What the person does, given to a client.
#![allow(unsafe_code)]

use std::ffi::c_char;

use lightbox_client::input::{Action, KeySet, Place, Touch, TouchPhase};

use crate::client::lbx_client;
use crate::error::{Failure, lbx_result};
use crate::guard;
use crate::handle;
use crate::input::{
    LBX_NO_OUTPUT, LBX_TEXT_MAX, LBX_TOUCH_CANCEL, LBX_TOUCH_DOWN, LBX_TOUCH_MOVE, LBX_TOUCH_UP, lbx_touch,
    locks_of,
};

/// A key went down (`pressed` is 1) or up. `code` is Linux evdev's.
/// Errors, here and below: `LBX_ERROR_ARGUMENT`. Input of a client that is not connected is dropped.
/// Threads, here and below: any; what one thread does arrives in order. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_key(client: *mut lbx_client, code: u32, pressed: u32) -> lbx_result {
    act(client, || Ok(Action::Key { code: key_code(code)?, pressed: pressed != 0 }))
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
    act(client, button)
}

/// The pointer is at this pixel of the monitor. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_pointer(
    client: *mut lbx_client,
    output: u32,
    x: u32,
    y: u32,
) -> lbx_result {
    act(client, || place(output, x, y).map(Action::Pointer))
}

/// The pointer moved by a distance, in 1/256 pixel, while it is relative. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_motion(client: *mut lbx_client, dx: i32, dy: i32) -> lbx_result {
    act(client, || Ok(Action::Motion { dx, dy }))
}

/// The wheel turned, in 1/120 notch; right and down are positive. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_wheel(client: *mut lbx_client, dx: i32, dy: i32) -> lbx_result {
    act(client, || Ok(Action::Wheel { dx, dy }))
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
    act(client, action)
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
    act(client, action)
}

/// The terminal's lock keys: LBX_LOCK_* bits. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_locks(client: *mut lbx_client, locks: u32) -> lbx_result {
    act(client, || Ok(Action::Locks(locks_of(locks))))
}

/// The window lost the focus: the server lets go of every key and button that is held. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_unfocus(client: *mut lbx_client) -> lbx_result {
    guard::call(|| {
        handle::part(client)?.client.unfocus();
        Ok(())
    })
}

fn act(client: *mut lbx_client, action: impl FnOnce() -> Result<Action, Failure>) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
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

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;
    use crate::input::{LBX_INPUT_TOUCH, lbx_input};

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
}
