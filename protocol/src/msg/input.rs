//! SPEC.md, "Input": what the person does.

use alloc::string::String;
use alloc::vec::Vec;

use crate::geom::MAX_SIDE;
use crate::wire::ids::datagram;
use crate::wire::{Decode, Encode, Reader, WireError, Writer};

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

/// An action with its number: delivered exactly once and in order, however often it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Counts up by one from 1 within a connection.
    pub seq: u64,
    /// What the person did.
    pub action: Action,
}

/// A datagram of input: copies of the newest events, and where the pointer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// By rising number.
    pub events: Vec<Event>,
    /// The pointer's newest place.
    pub pointer: Option<PointerAt>,
}

/// The pointer's place: latest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointerAt {
    /// Counts up with each place.
    pub seq: u64,
    /// The last event before the pointer came here.
    pub after: u64,
    /// Where.
    pub at: Place,
}

/// The most events of one datagram.
pub const MAX_COPIES: u64 = 64;

impl Encode for Place {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.output.into());
        out.varint(self.x.into());
        out.varint(self.y.into());
    }
}

impl Decode for Place {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let side = u64::from(MAX_SIDE);
        Ok(Place {
            output: input.u32v("output")?,
            x: input.number("x", side)? as u32,
            y: input.number("y", side)? as u32,
        })
    }
}

impl Encode for Locks {
    fn encode(&self, out: &mut Writer) {
        out.u8(u8::from(self.caps) | u8::from(self.num) << 1 | u8::from(self.scroll) << 2);
    }
}

impl Decode for Locks {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        match input.u8()? {
            bits @ 0..8 => Ok(Locks { caps: bits & 1 != 0, num: bits & 2 != 0, scroll: bits & 4 != 0 }),
            got => Err(WireError::Value { what: "locks", got: got.into() }),
        }
    }
}

/// First byte of an action: SPEC.md, "Input".
mod tag {
    pub(super) const KEY: u8 = 1;
    pub(super) const BUTTON: u8 = 2;
    pub(super) const POINTER: u8 = 3;
    pub(super) const MOTION: u8 = 4;
    pub(super) const WHEEL: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const TOUCH: u8 = 7;
    pub(super) const LOCKS: u8 = 8;
    pub(super) const KEYS: u8 = 9;
}

impl Encode for Action {
    fn encode(&self, out: &mut Writer) {
        match self {
            Action::Key { code, pressed } => {
                out.u8(tag::KEY);
                out.u16(*code);
                out.flag(*pressed);
            }
            Action::Button { code, pressed, at } => {
                out.u8(tag::BUTTON);
                out.u16(*code);
                out.flag(*pressed);
                out.flag(at.is_some());
                if let Some(at) = at {
                    at.encode(out);
                }
            }
            Action::Pointer(at) => {
                out.u8(tag::POINTER);
                at.encode(out);
            }
            Action::Motion { dx, dy } | Action::Wheel { dx, dy } => {
                out.u8(if matches!(self, Action::Motion { .. }) { tag::MOTION } else { tag::WHEEL });
                out.i32v(*dx);
                out.i32v(*dy);
            }
            Action::Text(text) => {
                out.u8(tag::TEXT);
                out.blob(text.as_bytes());
            }
            Action::Touch(touch) => {
                out.u8(tag::TOUCH);
                out.u8(touch.id);
                out.u8(touch.phase as u8);
                touch.at.encode(out);
                out.u16(touch.pressure);
            }
            Action::Locks(locks) => {
                out.u8(tag::LOCKS);
                locks.encode(out);
            }
            Action::Keys(keys) => {
                out.u8(tag::KEYS);
                keys.0.iter().for_each(|word| out.u64(*word));
            }
        }
    }
}

impl Decode for Action {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let code = |input: &mut Reader<'_>| match input.u16()? {
            code if code < KeySet::LIMIT => Ok(code),
            got => Err(WireError::Value { what: "key code", got: got.into() }),
        };
        Ok(match input.u8()? {
            tag::KEY => Action::Key { code: code(input)?, pressed: input.flag("key pressed")? },
            tag::BUTTON => Action::Button {
                code: code(input)?,
                pressed: input.flag("button pressed")?,
                at: match input.flag("button has a place")? {
                    false => None,
                    true => Some(Place::decode(input)?),
                },
            },
            tag::POINTER => Action::Pointer(Place::decode(input)?),
            tag::MOTION => Action::Motion { dx: input.i32v("motion")?, dy: input.i32v("motion")? },
            tag::WHEEL => Action::Wheel { dx: input.i32v("wheel")?, dy: input.i32v("wheel")? },
            tag::TEXT => Action::Text(input.text("text length", MAX_TEXT as u64)?),
            tag::TOUCH => Action::Touch(Touch {
                id: input.u8()?,
                phase: match input.u8()? {
                    0 => TouchPhase::Down,
                    1 => TouchPhase::Move,
                    2 => TouchPhase::Up,
                    3 => TouchPhase::Cancel,
                    got => return Err(WireError::Value { what: "touch phase", got: got.into() }),
                },
                at: Place::decode(input)?,
                pressure: input.u16()?,
            }),
            tag::LOCKS => Action::Locks(Locks::decode(input)?),
            tag::KEYS => {
                let mut words = [0; 12];
                for word in &mut words {
                    *word = input.u64()?;
                }
                Action::Keys(KeySet(words))
            }
            got => return Err(WireError::Value { what: "action", got: got.into() }),
        })
    }
}

impl Encode for Event {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.seq);
        self.action.encode(out);
    }
}

impl Decode for Event {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Event { seq: input.varint()?, action: Action::decode(input)? })
    }
}

impl Encode for Copies {
    fn encode(&self, out: &mut Writer) {
        out.varint(datagram::INPUT);
        out.varint(self.events.len() as u64);
        self.events.iter().for_each(|event| event.encode(out));
        out.flag(self.pointer.is_some());
        if let Some(pointer) = &self.pointer {
            out.varint(pointer.seq);
            out.varint(pointer.after);
            pointer.at.encode(out);
        }
    }
}

impl Decode for Copies {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        match input.varint()? {
            datagram::INPUT => (),
            got => return Err(WireError::Value { what: "datagram kind", got }),
        }
        let n = input.count("events of a datagram", MAX_COPIES, 3)?;
        let mut events = Vec::with_capacity(n);
        for _ in 0..n {
            events.push(Event::decode(input)?);
        }
        let pointer = match input.flag("pointer flag")? {
            false => None,
            true => {
                Some(PointerAt { seq: input.varint()?, after: input.varint()?, at: Place::decode(input)? })
            }
        };
        Ok(Copies { events, pointer })
    }
}
