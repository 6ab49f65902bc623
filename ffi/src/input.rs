//! What the person does: received by servers in events, given by clients.

use std::ffi::c_char;

use lightbox_protocol::msg::input::{Locks, MAX_TEXT};

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
}
