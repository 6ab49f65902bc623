use std::collections::VecDeque;
use std::time::Duration;

use lightbox_protocol::Time;
use lightbox_protocol::msg::input::Locks;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{self, ConnectionExt as _, Mapping, MappingNotifyEvent};
use x11rb::rust_connection::RustConnection;

use super::fault::Fault;
use crate::keymap::{KEYS, X_OFFSET};

/// The server's keyboard: which keycode a key has, and keycodes to type any character with.
///
/// A character is typed with a keycode that no key uses, which is given the character's keysym first. Programs
/// look the meaning up some time after they got the key, so a keycode keeps its meaning for a while; nothing else
/// needs undoing until the end.
pub(super) struct Keyboard {
    layout: Layout,
    /// The one used longest ago is first.
    spares: VecDeque<Spare>,
    /// For Caps, Num and Scroll Lock: the keycode, and its bit among the modifiers.
    locks: [Option<(u8, u16)>; 3],
}

struct Spare {
    keycode: u8,
    /// 0 means none.
    keysym: u32,
    used: Time,
}

impl Keyboard {
    pub(super) fn new(conn: &RustConnection) -> Result<Self, Fault> {
        let layout = Layout::ask(conn)?;
        let spares = layout.unused().map(|keycode| Spare { keycode, keysym: 0, used: Time(0) }).collect();
        let locks = ask_locks(conn, &layout)?;
        Ok(Self { layout, spares, locks })
    }

    /// The keycode of the key with this evdev code; `None` where X has no number for it.
    pub(super) fn keycode(&self, evdev: u16) -> Option<u8> {
        self.layout.keycode(evdev)
    }

    /// When there is a keycode for `keysym` whose old meaning nobody looks up any more.
    pub(super) fn free_at(&self, keysym: u32) -> Option<Time> {
        let oldest = self.spares.front()?;
        let taken = oldest.keysym != 0 && !self.spares.iter().any(|s| s.keysym == keysym);
        taken.then(|| oldest.used + SETTLE)
    }

    /// A keycode that types `keysym` from now on; `None` if the server has none to spare.
    pub(super) fn key_for(
        &mut self,
        conn: &RustConnection,
        keysym: u32,
        now: Time,
    ) -> Result<Option<u8>, Fault> {
        let known = self.spares.iter().position(|s| s.keysym == keysym);
        let Some(mut spare) = self.spares.remove(known.unwrap_or(0)) else { return Ok(None) };
        if spare.keysym != keysym {
            // With and without Shift, so that it means the same whatever is held.
            conn.change_keyboard_mapping(1, spare.keycode, 2, &[keysym, keysym])?;
            spare.keysym = keysym;
        }
        spare.used = now;
        let keycode = spare.keycode;
        self.spares.push_back(spare);
        Ok(Some(keycode))
    }

    /// The lock keys whose state is not as in `wanted`.
    pub(super) fn locks_that_differ(
        &self,
        conn: &RustConnection,
        root: xproto::Window,
        wanted: Locks,
    ) -> Result<Vec<u8>, Fault> {
        let on = u16::from(conn.query_pointer(root)?.reply()?.mask);
        let wanted = [wanted.caps, wanted.num, wanted.scroll];
        let differ = self.locks.iter().zip(wanted).filter_map(|(lock, wanted)| {
            let (keycode, bit) = (*lock)?;
            ((on & bit != 0) != wanted).then_some(keycode)
        });
        Ok(differ.collect())
    }

    /// Reads the keyboard again when somebody else changed it.
    pub(super) fn mapping_changed(
        &mut self,
        conn: &RustConnection,
        event: &MappingNotifyEvent,
    ) -> Result<(), Fault> {
        let ours = event.count == 1 && self.spares.iter().any(|s| s.keycode == event.first_keycode);
        if event.request == Mapping::POINTER || ours {
            return Ok(());
        }
        self.layout = Layout::ask(conn)?;
        self.locks = ask_locks(conn, &self.layout)?;
        // What somebody else gave a meaning to is no longer spare.
        self.spares.retain(|s| self.layout.keysyms(s.keycode).iter().all(|k| *k == 0 || *k == s.keysym));
        let new: Vec<_> =
            self.layout.unused().filter(|k| !self.spares.iter().any(|s| s.keycode == *k)).collect();
        self.spares.extend(new.into_iter().map(|keycode| Spare { keycode, keysym: 0, used: Time(0) }));
        for spare in &mut self.spares {
            if self.layout.keysyms(spare.keycode).iter().all(|k| *k == 0) {
                spare.keysym = 0;
            }
        }
        Ok(())
    }

    /// Takes back the meanings that were given.
    pub(super) fn restore(&mut self, conn: &RustConnection) -> Result<(), Fault> {
        for spare in self.spares.iter_mut().filter(|s| s.keysym != 0) {
            conn.change_keyboard_mapping(1, spare.keycode, 1, &[0])?;
            spare.keysym = 0;
        }
        Ok(())
    }
}

/// What each keycode means to the server.
struct Layout {
    first: u8,
    per_code: usize,
    keysyms: Vec<u32>,
    evdev: bool,
}

impl Layout {
    fn ask(conn: &RustConnection) -> Result<Self, Fault> {
        let (first, last) = (conn.setup().min_keycode, conn.setup().max_keycode);
        let count = last.saturating_sub(first).saturating_add(1);
        let reply = conn.get_keyboard_mapping(first, count)?.reply()?;
        Ok(Self::new(first, reply.keysyms_per_keycode.into(), reply.keysyms))
    }

    fn new(first: u8, per_code: usize, keysyms: Vec<u32>) -> Self {
        let mut layout = Self { first, per_code: per_code.max(1), keysyms, evdev: true };
        // The two numberings that servers use differ in the arrows.
        let arrows = KEYS.iter().filter(|k| matches!(k.evdev, 103 | 105 | 106 | 108));
        layout.evdev = arrows.clone().any(|k| {
            let keycode = k.evdev as u8 + X_OFFSET;
            layout.keysyms(keycode).first() == Some(&k.keysym)
        }) || !arrows.clone().any(|k| layout.with_keysym(k.keysym).is_some());
        layout
    }

    fn keycode(&self, evdev: u16) -> Option<u8> {
        let numbered = u8::try_from(evdev).ok().filter(|c| *c > 0).and_then(|c| c.checked_add(X_OFFSET));
        if self.evdev {
            return numbered;
        }
        // The main block is numbered alike everywhere; other keys are found by what they mean.
        match KEYS.iter().find(|k| k.evdev == evdev) {
            Some(key) if evdev > LAST_OF_MAIN_BLOCK => self.with_keysym(key.keysym),
            _ => numbered,
        }
    }

    fn keysyms(&self, keycode: u8) -> &[u32] {
        let at = usize::from(keycode.wrapping_sub(self.first)) * self.per_code;
        self.keysyms.get(at..at + self.per_code).unwrap_or(&[])
    }

    fn with_keysym(&self, keysym: u32) -> Option<u8> {
        let at = self.keysyms.chunks(self.per_code).position(|syms| syms.contains(&keysym))?;
        self.first.checked_add(u8::try_from(at).ok()?)
    }

    /// The keycodes that mean nothing, those that programs least expect first.
    fn unused(&self) -> impl Iterator<Item = u8> + use<'_> {
        (self.first..=u8::MAX).rev().filter(|k| {
            let syms = self.keysyms(*k);
            !syms.is_empty() && syms.iter().all(|s| *s == 0)
        })
    }
}

fn ask_locks(conn: &RustConnection, layout: &Layout) -> Result<[Option<(u8, u16)>; 3], Fault> {
    let modifiers = conn.get_modifier_mapping()?.reply()?;
    let per_modifier = usize::from(modifiers.keycodes_per_modifier()).max(1);
    Ok(LOCK_KEYS.map(|keysym| {
        let keycode = layout.with_keysym(keysym)?;
        let bit = modifiers.keycodes.chunks(per_modifier).position(|codes| codes.contains(&keycode))?;
        Some((keycode, 1 << bit))
    }))
}

/// The keysyms of Caps, Num and Scroll Lock.
const LOCK_KEYS: [u32; 3] = [0xffe5, 0xff7f, 0xff14];

/// `KEY_KPDOT`: up to here evdev numbers follow those of the oldest PC keyboards.
const LAST_OF_MAIN_BLOCK: u16 = 83;

/// How long a keycode keeps a meaning at least: slow programs look it up after they got the key.
const SETTLE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that knows these keysyms at these keycodes.
    fn layout(known: &[(u8, u32)]) -> Layout {
        let mut keysyms = vec![0; 248 * 2];
        for (keycode, keysym) in known {
            keysyms[usize::from(*keycode - 8) * 2] = *keysym;
        }
        Layout::new(8, 2, keysyms)
    }

    #[test]
    fn usual_servers_add_eight() {
        let usual = layout(&[(38, 0x61), (111, 0xff52)]);
        assert_eq!(usual.keycode(30), Some(38));
        assert_eq!(usual.keycode(103), Some(111));
        assert_eq!((usual.keycode(0), usual.keycode(248), usual.keycode(0x110)), (None, None, None));
    }

    #[test]
    fn on_old_numbering_keys_are_found_by_their_meaning() {
        let old = layout(&[(38, 0x61), (98, 0xff52), (100, 0xff51), (111, 0xff61)]);
        assert_eq!(old.keycode(30), Some(38));
        assert_eq!(old.keycode(103), Some(98));
        assert_eq!(old.keycode(109), None, "it has no Page Down");
    }

    #[test]
    fn spare_keycodes_are_those_without_meaning() {
        let layout = layout(&[(255, 0x61)]);
        assert_eq!(layout.unused().next(), Some(254));
        assert_eq!(layout.unused().count(), 247);
        assert_eq!(layout.with_keysym(0x61), Some(255));
    }
}
