//! What the person did, told to a hypervisor.
#![allow(unsafe_code)]

use lightbox_server::input::{Action, Place, TouchPhase};

use crate::input::{
    LBX_INPUT_BUTTON, LBX_INPUT_KEY, LBX_INPUT_LOCKS, LBX_INPUT_MOTION, LBX_INPUT_POINTER, LBX_INPUT_TEXT,
    LBX_INPUT_TOUCH, LBX_INPUT_WHEEL, LBX_NO_OUTPUT, LBX_TOUCH_CANCEL, LBX_TOUCH_DOWN, LBX_TOUCH_MOVE,
    LBX_TOUCH_UP, bits_of, lbx_input,
};

/// The number that PC emulators want for an evdev key code ("qnum" in QEMU): the scancode of set 1, with its high bit set
/// where the prefix E0 belongs. 0 if a PC keyboard has no such key.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn lbx_input_qnum(code: u32) -> u32 {
    u16::try_from(code).ok().and_then(lightbox_server::qnum).unwrap_or(0).into()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::LBX_BUTTON_LEFT;

    #[test]
    fn a_button_without_a_place_says_so() {
        let seen = lbx_input::of(&Action::Button { code: 0x110, pressed: true, at: None }, c"");
        assert_eq!((seen.code, seen.pressed, seen.output), (LBX_BUTTON_LEFT, 1, LBX_NO_OUTPUT));
    }
}
