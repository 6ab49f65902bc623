//! What a client sends.

use alloc::vec::Vec;

use super::ServerSession;
use crate::Time;
use crate::msg::control::{Close, Control, Role, Verdict};
use crate::msg::display::Feedback;
use crate::msg::input::{Action, Copies};
use crate::session::Purpose;
use crate::session::server::{Event, Repair, Why, malformed};
use crate::wire::{Decode, ids};

/// Frames that a client may fail to paint between two heartbeats: each costs a look at every tile.
const MAX_NACKS: u32 = 256;

impl ServerSession {
    pub(super) fn control(&mut self, now: Time, bytes: &[u8]) -> Result<(), Close> {
        self.control.push(bytes);
        while let Some((kind, body)) = self.control.next_message().map_err(malformed)? {
            self.secrets.confirm();
            self.traffic.add(Purpose::of_control(kind), body.len());
            match Control::read(kind, &body).map_err(malformed)? {
                Some(Control::Proof(proof)) => {
                    if let Some(judgement) = self.display.judge(&proof) {
                        self.answer(now, Control::Verdict(judgement.verdict));
                        if judgement.verified > 0 {
                            self.event(Event::Verified { tiles: judgement.verified });
                        }
                        if !judgement.wrong.is_empty() {
                            let (surface, tiles, why) = (proof.surface, judgement.wrong, Why::Mismatch);
                            self.event(Event::Repair(Repair { surface, tiles, why, ends_run: false }));
                        }
                    }
                }
                Some(Control::Root(root)) => match self.display.judge_root(&root) {
                    Some(Some(tiles)) => {
                        let (proof, mismatched, superseded) = (root.id, Vec::new(), Vec::new());
                        self.answer(now, Control::Verdict(Verdict { proof, mismatched, superseded }));
                        if tiles > 0 {
                            self.event(Event::Verified { tiles });
                        }
                    }
                    Some(None) => self.send(Control::Singly(root.id)),
                    None => (),
                },
                Some(Control::Nack(_)) if self.nacks == MAX_NACKS => {
                    return Err(Close::new(ids::close::LIMIT, "too many frames could not be painted"));
                }
                Some(Control::Nack(seq)) => {
                    self.nacks += 1;
                    for (surface, tiles, ends_run) in self.display.lost(seq) {
                        self.event(Event::Repair(Repair { surface, tiles, why: Why::Unpainted, ends_run }));
                    }
                }
                Some(Control::WantLayout(layout)) => self.event(Event::WantLayout(layout)),
                Some(Control::Close(why)) if why.code == ids::close::DONE => self.end(why),
                Some(Control::Close(why)) => return Err(why),
                Some(other) => {
                    let name = ids::control::name(other.kind());
                    return Err(Close::new(
                        ids::close::UNEXPECTED,
                        format_args!("a client does not send {name}"),
                    ));
                }
                None => (),
            }
        }
        Ok(())
    }

    pub(super) fn stream(&mut self, now: Time, id: u64, bytes: &[u8], fin: bool) -> Result<(), Close> {
        self.traffic.add(Purpose::Input, bytes.len());
        let events = self.streams.receive(id, bytes, fin)?;
        self.input_heard = now;
        let mut actions = Vec::new();
        events.into_iter().for_each(|event| self.input.event(event, &mut actions));
        self.deliver(actions);
        Ok(())
    }

    pub(super) fn datagram(&mut self, now: Time, bytes: &[u8]) -> Result<(), Close> {
        self.traffic.add(Purpose::of_datagram(bytes), bytes.len());
        match bytes.first().copied().map(u64::from) {
            Some(ids::datagram::FEEDBACK) => {
                let feedback = Feedback::from_bytes(bytes).map_err(malformed)?;
                let acked = self.display.feedback(now, &feedback);
                if acked.frames > 0 {
                    self.pacer.acked(now, feedback.decode_us);
                    let age_us = acked.age.as_micros() as u64;
                    self.event(Event::Shown { frames: acked.frames, age_us });
                }
                if self.wants_room {
                    let (frames, bytes) = (self.display.unacked_frames(), self.display.unacked_bytes());
                    if self.pacer.room(now, frames, bytes).is_some() {
                        self.wants_room = false;
                        self.event(Event::Room);
                    }
                }
            }
            Some(ids::datagram::INPUT) => {
                let copies = Copies::from_bytes(bytes).map_err(malformed)?;
                self.input_heard = now;
                let mut actions = Vec::new();
                self.input.copies(copies, &mut actions);
                self.deliver(actions);
            }
            // Kinds of later versions are skipped.
            _ => (),
        }
        Ok(())
    }

    pub(super) fn deliver(&mut self, actions: Vec<Action>) {
        if self.config.role == Role::Control {
            for action in actions {
                if let Some(action) = self.on_an_output(action) {
                    self.event(Event::Input(action));
                }
            }
        }
    }

    /// The action with its place inside the output it names; `None` if there is no such output.
    fn on_an_output(&self, mut action: Action) -> Option<Action> {
        let place = match &mut action {
            Action::Button { at: Some(at), .. } | Action::Pointer(at) => at,
            Action::Touch(touch) => &mut touch.at,
            _ => return Some(action),
        };
        let output = self.layout.outputs.iter().find(|o| o.id == place.output)?;
        place.x = place.x.min(output.size.w.saturating_sub(1));
        place.y = place.y.min(output.size.h.saturating_sub(1));
        Some(action)
    }
}
