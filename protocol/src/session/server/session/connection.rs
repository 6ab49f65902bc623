//! Clients come and go; the session stays.

use alloc::vec::Vec;

use super::company::Company;
use super::{Phase, ServerSession};
use crate::Time;
use crate::channel::display::Passes;
use crate::msg::control::{Capabilities, Close, Control, Hello, Role, Surface, VERSION, Welcome, format_id};
use crate::msg::update::agreed_models;
use crate::rate::pace::Pacer;
use crate::session::secrets::nonce;
use crate::session::server::{Event, Repair, Why};
use crate::session::{Effect, Lane, stream_effect};
use crate::wire::frame::{Assembler, MAX_CONTROL};
use crate::wire::ids;

impl ServerSession {
    pub(super) fn attach(&mut self, now: Time, hello: &Hello, binding: &[u8; 32]) {
        self.client = hello.capabilities.clone();
        if let Some(why) = self.unfit() {
            return self.refuse(why);
        }
        if self.phase == Phase::Live {
            // Whoever holds the secret has the session: the older connection is the dead one.
            self.detach(now, Close::new(ids::close::REPLACED, "another connection resumed this session"));
        }
        // The secret that the client proved stays good until it is known to have the next.
        let proved = hello.resume.and_then(|r| self.secrets.proved(&r, binding));
        let resumed = proved.is_some();
        self.secrets.confirmed = proved;
        let secret = self.secrets.draw(&self.config.entropy);
        self.control = Assembler::new(MAX_CONTROL);
        self.phase = Phase::Live;
        self.pacer = Pacer::new();
        self.last_heartbeat = None;
        let version = hello.version.min(VERSION);
        let codecs = self.codecs();
        self.passes = Passes::of(&codecs);
        let slots = self.client.slots.min(self.config.capabilities.slots);
        let models = agreed_models(self.client.models, self.config.capabilities.models);
        self.display.agree(slots, models);
        let streams = self.client.streams.min(self.config.capabilities.streams);
        self.byte_streams.connect(streams, self.config.role != Role::Control);
        self.send(Control::Welcome(Welcome {
            version,
            capabilities: Capabilities {
                codecs,
                slots,
                streams,
                models: models.into(),
                ..self.config.capabilities.clone()
            },
            session: self.config.id,
            resume_secret: secret,
            resume_ms: self.config.life.as_millis() as u64,
            resumed,
            void_to: self.display.sent_to(),
            role: self.config.role,
        }));
        let applied_to = hello.resume.filter(|_| resumed).map_or(0, |r| r.applied_to);
        let (generation, entropy) = (&mut self.generation, self.config.entropy);
        let again = self.display.resume(applied_to, |old| {
            // Where the client goes on, so do the digests of what both have: nothing need be digested again here.
            if resumed {
                return *old;
            }
            *generation += 1;
            Surface { generation: *generation, nonce: nonce(&entropy, *generation), ..*old }
        });
        let surfaces: Vec<_> = self.display.ledgers().map(|l| *l.surface()).collect();
        surfaces.into_iter().for_each(|s| self.send(Control::Surface(s)));
        self.send(Control::Layout(self.layout.clone()));
        self.event(Event::Attached { resumed });
        for (surface, tiles) in again {
            if !tiles.is_empty() {
                self.event(Event::Repair(Repair { surface, tiles, why: Why::Lost, ends_run: true }));
            }
        }
        self.cursor.attach();
        self.effects.extend(self.cursor.place().map(Effect::Datagram));
        if let Some(locks) = self.leds {
            self.send(Control::Leds(locks));
        }
        self.event(Event::Room);
    }

    /// The coders that this server uses and the client knows.
    fn codecs(&self) -> Vec<u64> {
        let ours = self.config.capabilities.codecs.iter().copied();
        ours.filter(|id| self.client.codecs.contains(id)).collect()
    }

    /// Why the client cannot keep or decode what this desktop has; `None` if it can.
    pub(super) fn unfit(&self) -> Option<Close> {
        let limit = |why: core::fmt::Arguments<'_>| Some(Close::new(ids::close::LIMIT, why));
        let can = &self.client;
        let surfaces = || self.display.ledgers().map(|l| l.surface());
        let pixels: u64 = surfaces().map(|s| s.size.area()).sum();
        if pixels > can.max_pixels {
            return limit(format_args!(
                "the desktop has {pixels} pixels, the terminal keeps {}",
                can.max_pixels
            ));
        }
        if let Some(surface) = surfaces().find(|s| !can.formats.contains(&format_id(s.format))) {
            return limit(format_args!("the terminal cannot keep surfaces of {:?}", surface.format));
        }
        if !can.codecs.contains(&ids::codec::LOSSLESS) {
            return limit(format_args!("the terminal must decode codec {}", ids::codec::LOSSLESS));
        }
        None
    }

    /// This client cannot be served; the session waits for another.
    fn refuse(&mut self, why: Close) {
        self.effects.push_back(Effect::Send(Lane::Control, Control::Close(why.clone()).to_frame()));
        self.effects.push_back(Effect::Close(why));
    }

    pub(super) fn detach(&mut self, now: Time, why: Close) {
        self.phase = Phase::Waiting(Some(now + self.config.life));
        self.display.disconnect();
        self.company = Company::default();
        self.streams.clear();
        // What was for the lost connection must not leave on the next.
        self.effects.retain(|effect| matches!(effect, Effect::Event(_)));
        let mut released = Vec::new();
        self.input.disconnect(&mut released);
        self.deliver(released);
        self.lose_streams(&why);
        self.event(Event::Detached(why));
    }

    pub(super) fn end(&mut self, why: Close) {
        if self.phase == Phase::Live {
            self.send(Control::Close(why.clone()));
            self.effects.push_back(Effect::Close(why.clone()));
            let mut released = Vec::new();
            self.input.disconnect(&mut released);
            self.deliver(released);
        }
        if self.phase != Phase::Ended {
            self.phase = Phase::Ended;
            self.lose_streams(&why);
            self.event(Event::Ended(why));
        }
    }

    /// Byte streams end with their connection, and the application hears of it first.
    fn lose_streams(&mut self, why: &Close) {
        self.byte_streams.disconnect(why);
        while let Some(want) = self.byte_streams.next_want() {
            self.effects.push_back(stream_effect(want, Event::Stream));
        }
    }
}
