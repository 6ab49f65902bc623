//! SPEC.md, "Input": what the person does.

use alloc::string::String;

/// One user action.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// A key went down or up. `code` is a Linux evdev code (`KEY_A` is 30): a place on the keyboard, not a letter.
    Key {
        /// Linux evdev key code.
        code: u16,
        /// Down (true) or up.
        pressed: bool,
    },
    /// A pointer button went down or up, at the exact place of the press.
    Button {
        /// Linux evdev button code (`BTN_LEFT` is 0x110).
        code: u16,
        /// Down (true) or up.
        pressed: bool,
        /// Where; `None` in relative mode.
        at: Option<Place>,
    },
    /// The pointer is at a place.
    Pointer(Place),
    /// The pointer moved by a distance, in 1/256 pixel: relative mode.
    Motion {
        /// To the right.
        dx: i32,
        /// Downwards.
        dy: i32,
    },
    /// The wheel turned, in 1/120 notch: high resolution.
    Wheel {
        /// To the right.
        dx: i32,
        /// Downwards (content moves up).
        dy: i32,
    },
    /// Text from an input method, as Unicode. At most [`MAX_TEXT`] bytes.
    Text(String),
    /// A finger or pen.
    Touch(Touch),
    /// The lock keys' state at the terminal.
    Locks(Locks),
    /// Which keys are down, authoritative: the server releases every other one.
    Keys(KeySet),
}

/// The longest [`Action::Text`] in bytes.
pub const MAX_TEXT: usize = 1024;

/// A place on an output, in its pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The output's number.
    pub output: u32,
    /// Columns from its left edge.
    pub x: u32,
    /// Rows from its top edge.
    pub y: u32,
}

/// One step of a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Which finger: free for reuse after its `Up` or `Cancel`.
    pub id: u8,
    /// What it did.
    pub phase: TouchPhase,
    /// Where.
    pub at: Place,
    /// 0 (not known or none) to 65535.
    pub pressure: u16,
}

/// What a finger did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchPhase {
    /// It touched the surface.
    Down,
    /// It moved.
    Move,
    /// It left.
    Up,
    /// The touch is void.
    Cancel,
}

/// The lock keys' state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// Caps Lock is on.
    pub caps: bool,
    /// Num Lock is on.
    pub num: bool,
    /// Scroll Lock is on.
    pub scroll: bool,
}

/// A set of evdev key codes below [`KeySet::LIMIT`]: keys and buttons.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeySet([u64; 12]);

impl KeySet {
    /// Codes from here on (`KEY_MAX` is 0x2ff) are not keys.
    pub const LIMIT: u16 = 768;

    /// No key.
    pub const fn new() -> Self {
        Self([0; 12])
    }

    /// Adds or removes `code`; codes past the limit are ignored.
    pub fn set(&mut self, code: u16, down: bool) {
        if code < Self::LIMIT {
            let bit = 1u64 << (code % 64);
            let word = &mut self.0[usize::from(code / 64)];
            if down { *word |= bit } else { *word &= !bit }
        }
    }

    /// True if `code` is in it.
    pub fn contains(&self, code: u16) -> bool {
        code < Self::LIMIT && self.0[usize::from(code / 64)] >> (code % 64) & 1 == 1
    }

    /// True if no key is.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|w| *w == 0)
    }

    /// Its codes in rising order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + use<> {
        let words = self.0;
        (0..Self::LIMIT).filter(move |code| words[usize::from(code / 64)] >> (code % 64) & 1 == 1)
    }
}

impl Default for KeySet {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
