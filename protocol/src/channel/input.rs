//! The input channel: every key and button exactly once and in order, the pointer's latest place at once.
//!
//! Each event goes twice: on a reliable stream, and in up to three datagrams, so that a lost packet does not make
//! the next key wait for a retransmission. The server delivers by number and drops what it has seen.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::Time;
use crate::msg::input::{Action, Copies, Event, KeySet, MAX_COPIES, PointerAt};
use crate::wire::Encode;
use crate::wire::{frame, ids};

/// A datagram of input leaves at most this often.
const DATAGRAM_GAP: Duration = Duration::from_millis(4);
/// How often each event and place is sent in datagrams.
const COPIES: u8 = 3;
/// A held key is confirmed this often, so that one that the server holds by mistake is let go.
const CONFIRM_HELD: Duration = Duration::from_secs(1);
/// Events that arrived before one that is missing; more is a flood, and is left to the reliable stream.
const MAX_AHEAD: u64 = 512;

/// The client's half: numbers actions and says what to send when.
#[derive(Debug, Default)]
pub struct ClientInput {
    seq: u64,
    pointer_seq: u64,
    /// Copies still to be sent: the event and how many times.
    events: VecDeque<(Event, u8)>,
    pointer: Option<(PointerAt, u8)>,
    next_datagram: Time,
    held: KeySet,
    confirm_at: Option<Time>,
}

impl ClientInput {
    /// Nothing sent, nothing held.
    pub fn new() -> Self {
        Self::default()
    }

    /// The person did something. Returns what goes on the reliable stream; a pointer place has nothing there.
    pub fn act(&mut self, now: Time, action: Action) -> Option<Bytes> {
        match &action {
            Action::Pointer(at) => {
                self.pointer_seq += 1;
                let place = PointerAt { seq: self.pointer_seq, after: self.seq, at: *at };
                self.pointer = Some((place, COPIES));
                return None;
            }
            Action::Key { code, pressed } | Action::Button { code, pressed, .. } => {
                self.held.set(*code, *pressed);
                self.confirm_at = (!self.held.is_empty()).then_some(now + CONFIRM_HELD);
            }
            Action::Keys(keys) => {
                self.held = *keys;
                self.confirm_at = (!self.held.is_empty()).then_some(now + CONFIRM_HELD);
            }
            _ => (),
        }
        self.seq += 1;
        let event = Event { seq: self.seq, action };
        let bytes = frame::write(ids::input::EVENT, &event);
        self.events.push_back((event, COPIES));
        Some(bytes)
    }

    /// The focus is gone: every key is up from now on.
    pub fn release_all(&mut self, now: Time) -> Option<Bytes> {
        (!self.held.is_empty()).then(|| self.act(now, Action::Keys(KeySet::new()))).flatten()
    }

    /// When [`Self::tick`] has something to do.
    pub fn next_tick(&self) -> Option<Time> {
        let copies = (!self.events.is_empty() || self.pointer.is_some()).then_some(self.next_datagram);
        copies.into_iter().chain(self.confirm_at).min()
    }

    /// What is due at `now`: bytes for the reliable stream, and a datagram of at most `room` bytes.
    pub fn tick(&mut self, now: Time, room: usize) -> (Option<Bytes>, Option<Bytes>) {
        let confirmed = match self.confirm_at {
            Some(at) if at <= now => self.act(now, Action::Keys(self.held)),
            _ => None,
        };
        (confirmed, self.datagram(now, room))
    }

    fn datagram(&mut self, now: Time, room: usize) -> Option<Bytes> {
        if now < self.next_datagram || (self.events.is_empty() && self.pointer.is_none()) {
            return None;
        }
        self.next_datagram = now + DATAGRAM_GAP;
        let mut copies = Copies { events: Vec::new(), pointer: self.pointer.map(|(at, _)| at) };
        let mut left = room.saturating_sub(48);
        for (event, times) in &mut self.events {
            let size = event.to_bytes().len();
            if size > left || copies.events.len() as u64 == MAX_COPIES {
                break;
            }
            left -= size;
            *times -= 1;
            copies.events.push(event.clone());
        }
        // What does not fit any datagram is left to the stream.
        if copies.events.is_empty() && copies.pointer.is_none() {
            self.events.clear();
            return None;
        }
        self.events.retain(|(_, times)| *times > 0);
        self.pointer = self.pointer.and_then(|(at, times)| (times > 1).then_some((at, times - 1)));
        Some(copies.to_bytes().into())
    }
}

/// The server's half: puts events back in order and keeps track of what is held.
#[derive(Debug)]
pub struct ServerInput {
    next: u64,
    ahead: BTreeMap<u64, Action>,
    pointer_seq: u64,
    pointer: Option<PointerAt>,
    held: KeySet,
}

impl ServerInput {
    /// Waits for event 1.
    pub fn new() -> Self {
        Self { next: 1, ahead: BTreeMap::new(), pointer_seq: 0, pointer: None, held: KeySet::new() }
    }

    /// An event arrived, by stream or datagram. Appends to `out` what can be delivered.
    pub fn event(&mut self, event: Event, out: &mut Vec<Action>) {
        if event.seq < self.next || event.seq - self.next > MAX_AHEAD {
            return;
        }
        self.ahead.insert(event.seq, event.action);
        while let Some(action) = self.ahead.remove(&self.next) {
            self.next += 1;
            self.deliver(action, out);
        }
        self.place_pointer(out);
    }

    /// A datagram's copies arrived.
    pub fn copies(&mut self, copies: Copies, out: &mut Vec<Action>) {
        if let Some(at) = copies.pointer.filter(|p| p.seq > self.pointer_seq) {
            self.pointer_seq = at.seq;
            self.pointer = Some(at);
        }
        for event in copies.events {
            self.event(event, out);
        }
        self.place_pointer(out);
    }

    /// True while some key or button is down.
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Lets go of everything the client held.
    pub fn let_go(&mut self, out: &mut Vec<Action>) {
        let held = core::mem::take(&mut self.held);
        out.extend(held.iter().map(release));
    }

    /// The client is gone: lets go of everything it held, and waits for event 1 of the next connection.
    pub fn disconnect(&mut self, out: &mut Vec<Action>) {
        self.let_go(out);
        *self = Self::new();
    }

    /// A place waits until the events before it were delivered, and is void once a later one was.
    fn place_pointer(&mut self, out: &mut Vec<Action>) {
        let Some(pointer) = self.pointer else { return };
        if pointer.after < self.next {
            self.pointer = None;
            if pointer.after + 1 == self.next {
                out.push(Action::Pointer(pointer.at));
            }
        }
    }

    fn deliver(&mut self, action: Action, out: &mut Vec<Action>) {
        match &action {
            Action::Key { code, pressed } | Action::Button { code, pressed, .. } => {
                self.held.set(*code, *pressed)
            }
            Action::Keys(keys) => {
                // Backends get plain releases; none has to know what a vector is.
                for code in self.held.iter().filter(|code| !keys.contains(*code)) {
                    out.push(release(code));
                }
                let known = self.held;
                self.held = KeySet::new();
                known.iter().filter(|code| keys.contains(*code)).for_each(|code| self.held.set(code, true));
                return;
            }
            _ => (),
        }
        out.push(action);
    }
}

impl Default for ServerInput {
    fn default() -> Self {
        Self::new()
    }
}

/// The first and last of evdev's pointer buttons (`BTN_MOUSE` to `BTN_TASK`).
const BUTTONS: core::ops::RangeInclusive<u16> = 0x110..=0x117;

fn release(code: u16) -> Action {
    if BUTTONS.contains(&code) {
        Action::Button { code, pressed: false, at: None }
    } else {
        Action::Key { code, pressed: false }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::msg::input::Place;
    use crate::wire::Decode;

    fn key(code: u16, pressed: bool) -> Action {
        Action::Key { code, pressed }
    }

    proptest! {
        /// Whatever is lost, repeated and reordered among the datagrams, and however late the stream is: each key
        /// once, in order.
        #[test]
        fn every_key_once_and_in_order(fate in prop::collection::vec((any::<bool>(), 0usize..6), 60)) {
            let (mut client, mut server) = (ClientInput::new(), ServerInput::new());
            let (mut stream, mut flying, mut got) = (VecDeque::new(), Vec::new(), Vec::new());
            let mut now = Time(0);
            for (i, (lost, slot)) in fate.iter().enumerate() {
                now = now + DATAGRAM_GAP;
                stream.push_back(client.act(now, key(30 + i as u16 % 20, i % 2 == 0)).unwrap());
                if let (_, Some(datagram)) = client.tick(now, 1200) && !lost {
                    flying.insert((*slot).min(flying.len()), datagram);
                }
                if i % 5 == 4 {
                    for datagram in flying.drain(..) {
                        server.copies(Copies::from_bytes(&datagram).unwrap(), &mut got);
                    }
                }
                if i % 7 == 6 {
                    read(&mut stream, &mut server, &mut got);
                }
            }
            read(&mut stream, &mut server, &mut got);
            let sent: Vec<_> = (0..60).map(|i| key(30 + i as u16 % 20, i % 2 == 0)).collect();
            prop_assert_eq!(got, sent);
        }
    }

    fn read(stream: &mut VecDeque<Bytes>, server: &mut ServerInput, got: &mut Vec<Action>) {
        let mut assembler = frame::Assembler::new(frame::MAX_INPUT);
        stream.drain(..).for_each(|bytes| assembler.push(&bytes));
        while let Some((_, body)) = assembler.next_message().unwrap() {
            server.event(Event::from_bytes(&body).unwrap(), got);
        }
    }

    #[test]
    fn a_place_never_overtakes_a_click_and_an_old_place_never_follows_one() {
        let mut server = ServerInput::new();
        let mut got = Vec::new();
        let at = |x| Place { output: 0, x, y: 0 };
        let place =
            |seq, after, x| Copies { events: vec![], pointer: Some(PointerAt { seq, after, at: at(x) }) };
        server.copies(place(2, 1, 20), &mut got);
        assert_eq!(got, []);
        let click = Action::Button { code: 0x110, pressed: true, at: Some(at(10)) };
        server.event(Event { seq: 1, action: click.clone() }, &mut got);
        assert_eq!(got, [click, Action::Pointer(at(20))]);
        got.clear();
        server.copies(place(1, 0, 5), &mut got);
        assert_eq!(got, []);
    }

    #[test]
    fn keys_are_let_go_when_the_client_is_gone_or_says_so() {
        let mut server = ServerInput::new();
        let mut got = Vec::new();
        for (seq, action) in [(1, key(42, true)), (2, key(30, true))] {
            server.event(Event { seq, action }, &mut got);
        }
        got.clear();
        let mut only_shift = KeySet::new();
        only_shift.set(42, true);
        server.event(Event { seq: 3, action: Action::Keys(only_shift) }, &mut got);
        assert_eq!(got, [key(30, false)]);
        got.clear();
        server.disconnect(&mut got);
        assert_eq!(got, [key(42, false)]);
    }
}
