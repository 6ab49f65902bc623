use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::incoming::InputStreams;
use super::{Command, Config, Event, Repair, Why, malformed};
use crate::Time;
use crate::channel::cursor::ServerCursor;
use crate::channel::display::{Begin, NewFrame, Passes, ServerDisplay};
use crate::channel::input::ServerInput;
use crate::channel::stream::Streams;
use crate::exact::Counts;
use crate::msg::control::{
    Capabilities, Close, Control, Hello, Layout, Resume, Role, SessionId, Surface, VERSION, Welcome,
    format_id,
};
use crate::msg::display::{Feedback, Heartbeat};
use crate::msg::input::{Action, Copies, Locks};
use crate::rate::pace::Pacer;
use crate::session::secrets::{Secrets, nonce};
use crate::session::{
    Cause, Effect, Lane, Path, Session, cursor_priority, frame_priority, refine_priority, stream_effect,
};
use crate::wire::frame::{Assembler, MAX_CONTROL};
use crate::wire::{Decode, Encode, ids};

/// A heartbeat leaves this often while nothing is missing.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A heartbeat leaves this often while acknowledgements are missing.
const HEARTBEAT_ASKING: Duration = Duration::from_millis(250);
/// Frames that a client may fail to paint between two heartbeats: each costs a look at every tile.
const MAX_NACKS: u32 = 256;
/// A client that holds keys confirms them each second. After this long without a word of it they are let go.
const DEAD_MAN: Duration = Duration::from_secs(3);

/// The server's half of a session.
#[derive(Debug)]
pub struct ServerSession {
    config: Config,
    phase: Phase,
    effects: VecDeque<Effect<Event>>,
    control: Assembler,
    control_sent: u64,
    streams: InputStreams,
    byte_streams: Streams,
    display: ServerDisplay,
    layout: Layout,
    generation: u32,
    cursor: ServerCursor,
    leds: Option<Locks>,
    input: ServerInput,
    /// When the client last gave input.
    input_heard: Time,
    pacer: Pacer,
    path: Path,
    secrets: Secrets,
    /// What the client can do.
    client: Capabilities,
    passes: Passes,
    /// Since the last heartbeat.
    nacks: u32,
    behind: Option<Time>,
    last_heartbeat: Option<Time>,
    /// The gate was found shut; tell when it opens.
    wants_room: bool,
    /// How many [`Event::Repair`] there were.
    repairs: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No client yet, or none any more: until then.
    Waiting(Option<Time>),
    Live,
    Ended,
}

impl ServerSession {
    /// A session that waits for its first client.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            phase: Phase::Waiting(None),
            effects: VecDeque::new(),
            control: Assembler::new(MAX_CONTROL),
            control_sent: 0,
            streams: InputStreams::default(),
            byte_streams: Streams::default(),
            display: ServerDisplay::default(),
            layout: Layout::default(),
            generation: 0,
            cursor: ServerCursor::new(),
            leds: None,
            input: ServerInput::new(),
            input_heard: Time(0),
            pacer: Pacer::new(),
            path: Path::default(),
            secrets: Secrets::new(),
            client: Capabilities::default(),
            passes: Passes::default(),
            nacks: 0,
            behind: None,
            last_heartbeat: None,
            wants_room: false,
            repairs: 0,
        }
    }

    /// Its name.
    pub fn id(&self) -> SessionId {
        self.config.id
    }

    /// True if `resume`, over a connection with this exporter value, comes from the session's client.
    ///
    /// The secret that a lost Welcome offered does not lock the client out: the one before stays good until the
    /// first message shows that the new one arrived.
    pub fn is_resumed_by(&self, resume: &Resume, binding: &[u8; 32]) -> bool {
        self.phase != Phase::Ended
            && resume.session == self.config.id
            && self.secrets.proved(resume, binding).is_some()
    }

    /// What the next frame for `surface` is made with; `None` while none may be made. [`Event::Room`] follows when
    /// it may.
    pub fn begin(&mut self, now: Time, surface: u32) -> Option<Begin> {
        if self.phase != Phase::Live {
            return None;
        }
        let unacked = (self.display.unacked_frames(), self.display.unacked_bytes());
        match self.pacer.room(now, unacked.0, unacked.1) {
            Some(room) => self.display.begin(now, surface, room, self.passes),
            None => {
                self.wants_room = true;
                None
            }
        }
    }

    /// How many [`Event::Repair`] there were so far. Whoever makes frames has heard of them all first: a frame made
    /// without builds on samples that the client may not have.
    pub fn repairs(&self) -> u64 {
        self.repairs
    }

    /// Sends a frame made with what [`Self::begin`] gave. False where it cannot go any more (the client or the
    /// surface is gone, or another frame came between): then the client does not have what it paints.
    pub fn frame(&mut self, now: Time, frame: &NewFrame) -> bool {
        if self.phase != Phase::Live {
            return false;
        }
        let Some(bytes) = self.display.frame(self.control_sent, frame) else { return false };
        self.pacer.sent(now);
        let priority = if frame.refines { refine_priority(frame.seq) } else { frame_priority(frame.seq) };
        let lane = Lane::Once { priority };
        self.effects.push_back(Effect::Send(lane, bytes));
        true
    }

    /// A change was made at `at` that no frame carries yet: [`Command::Behind`], where nothing else is known.
    pub fn behind_since(&mut self, at: Time) {
        self.behind = Some(self.behind.map_or(at, |since| since.min(at)));
    }

    /// How many tiles of all surfaces are in which state.
    pub fn counts(&self) -> Counts {
        self.display.counts()
    }

    /// The pace at which frames are made.
    pub fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// The transport's view of the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True while a client is connected.
    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// True once nothing more will happen.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    fn attach(&mut self, now: Time, hello: &Hello, binding: &[u8; 32]) {
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
        self.control_sent = 0;
        self.phase = Phase::Live;
        self.pacer = Pacer::new();
        self.last_heartbeat = None;
        let version = hello.version.min(VERSION);
        let codecs = self.codecs();
        self.passes = Passes::of(&codecs);
        let slots = self.client.slots.min(self.config.capabilities.slots);
        self.display.agree(slots);
        let streams = self.client.streams.min(self.config.capabilities.streams);
        self.byte_streams.connect(streams, self.config.role != Role::Control);
        self.send(Control::Welcome(Welcome {
            version,
            capabilities: Capabilities { codecs, slots, streams, ..self.config.capabilities.clone() },
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
    fn unfit(&self) -> Option<Close> {
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

    fn detach(&mut self, now: Time, why: Close) {
        self.phase = Phase::Waiting(Some(now + self.config.life));
        self.display.disconnect();
        self.streams.clear();
        // What was for the lost connection must not leave on the next.
        self.effects.retain(|effect| matches!(effect, Effect::Event(_)));
        let mut released = Vec::new();
        self.input.disconnect(&mut released);
        self.deliver(released);
        self.lose_streams(&why);
        self.event(Event::Detached(why));
    }

    fn end(&mut self, why: Close) {
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

    fn command(&mut self, now: Time, command: Command) {
        match command {
            Command::Attach { hello, binding } => self.attach(now, &hello, &binding),
            Command::Surface { id, size, format } => {
                self.generation += 1;
                let nonce = nonce(&self.config.entropy, self.generation);
                let surface = Surface { id, generation: self.generation, nonce, size, format };
                // The old one first, so that a client never takes the new samples for a continuation.
                if self.display.ledgers().any(|l| l.surface().id == id) {
                    self.send(Control::SurfaceGone(id));
                }
                self.display.surface(surface);
                self.send(Control::Surface(surface));
                if let Some(why) = self.unfit().filter(|_| self.phase == Phase::Live) {
                    self.end(why);
                }
            }
            Command::SurfaceGone(id) => {
                self.display.surface_gone(id);
                self.send(Control::SurfaceGone(id));
            }
            Command::Layout(layout) => {
                self.send(Control::Layout(layout.clone()));
                self.layout = layout;
            }
            Command::Behind(since) => self.behind = since,
            Command::CursorShape(shape) => self.cursor.set_shape(shape),
            Command::CursorAt(at) => {
                if self.cursor.set_at(at) && self.phase == Phase::Live {
                    self.effects.push_back(Effect::Datagram(at.to_bytes().into()));
                }
            }
            Command::Leds(locks) => {
                self.leds = Some(locks);
                self.send(Control::Leds(locks));
            }
            Command::Close(why) => self.end(why),
        }
    }

    fn control(&mut self, bytes: &[u8]) -> Result<(), Close> {
        self.control.push(bytes);
        while let Some((kind, body)) = self.control.next_message().map_err(malformed)? {
            self.secrets.confirm();
            match Control::read(kind, &body).map_err(malformed)? {
                Some(Control::Proof(proof)) => {
                    if let Some(judgement) = self.display.judge(&proof) {
                        self.send(Control::Verdict(judgement.verdict));
                        if judgement.verified > 0 {
                            self.event(Event::Verified { tiles: judgement.verified });
                        }
                        if !judgement.wrong.is_empty() {
                            let (surface, tiles, why) = (proof.surface, judgement.wrong, Why::Mismatch);
                            self.event(Event::Repair(Repair { surface, tiles, why, ends_run: false }));
                        }
                    }
                }
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

    fn stream(&mut self, now: Time, id: u64, bytes: &[u8], fin: bool) -> Result<(), Close> {
        let events = self.streams.receive(id, bytes, fin)?;
        self.input_heard = now;
        let mut actions = Vec::new();
        events.into_iter().for_each(|event| self.input.event(event, &mut actions));
        self.deliver(actions);
        Ok(())
    }

    fn datagram(&mut self, now: Time, bytes: &[u8]) -> Result<(), Close> {
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

    fn deliver(&mut self, actions: Vec<Action>) {
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

    fn tick(&mut self, now: Time) {
        if self.phase == Phase::Live && self.input.is_holding() && now >= self.input_heard + DEAD_MAN {
            let mut released = Vec::new();
            self.input.let_go(&mut released);
            self.deliver(released);
        }
        if self.phase == Phase::Live
            && let Some((seq, bytes)) = self.cursor.take_shape(now, &self.path.estimate)
        {
            let lane = Lane::Once { priority: cursor_priority(seq) };
            self.effects.push_back(Effect::Send(lane, bytes));
        }
        match self.phase {
            Phase::Waiting(Some(until)) if until <= now => {
                self.end(Close::new(ids::close::TIMEOUT, "the client did not come back in time"));
            }
            Phase::Live if self.next_heartbeat() <= now => {
                let missing = self.display.unacked_frames() > 0;
                // A heartbeat gets through where a large frame does not. So what is under way is not shown yet.
                let oldest = self.behind.into_iter().chain(self.display.unacked_since()).min();
                let behind = oldest.map_or(Duration::ZERO, |since| now.since(since));
                let beat = Heartbeat {
                    server_us: now.micros(),
                    behind_us: behind.as_micros() as u64,
                    ask: missing,
                    rtt_us: self.path.estimate.srtt.as_micros() as u64,
                };
                self.effects.push_back(Effect::Datagram(beat.to_bytes().into()));
                self.effects.extend(self.cursor.place().map(Effect::Datagram));
                self.nacks = 0;
                self.last_heartbeat = Some(now);
            }
            _ => (),
        }
    }

    /// The first at once; then each second, and sooner where acknowledgements do not come.
    fn next_heartbeat(&self) -> Time {
        let Some(last) = self.last_heartbeat else { return Time(0) };
        let asks = self.display.unacked_since().map(|since| since.max(last) + HEARTBEAT_ASKING);
        asks.map_or(last + HEARTBEAT, |at| at.min(last + HEARTBEAT))
    }

    fn next_tick(&self) -> Option<Time> {
        match self.phase {
            Phase::Waiting(until) => until,
            Phase::Live => {
                let dead_man = self.input.is_holding().then_some(self.input_heard + DEAD_MAN);
                [Some(self.next_heartbeat()), dead_man, self.cursor.next_tick()].into_iter().flatten().min()
            }
            Phase::Ended => None,
        }
    }

    fn send(&mut self, message: Control) {
        if self.phase == Phase::Live {
            self.control_sent += 1;
            self.effects.push_back(Effect::Send(Lane::Control, message.to_frame()));
        }
    }

    fn event(&mut self, event: Event) {
        self.repairs += u64::from(matches!(event, Event::Repair(_)));
        self.effects.push_back(Effect::Event(event));
    }
}

impl Session for ServerSession {
    type Command = Command;
    type Event = Event;

    fn handle(&mut self, now: Time, cause: Cause<Command>) {
        if self.phase == Phase::Ended {
            // A client may come back just as its session ends; it must not wait for a welcome.
            if matches!(cause, Cause::Command(Command::Attach { .. })) {
                let why = Close::new(ids::close::DONE, "the session is over");
                self.effects.push_back(Effect::Close(why));
            }
            return;
        }
        let live = self.phase == Phase::Live;
        let outcome = match cause {
            Cause::Control(bytes) if live => self.control(&bytes),
            Cause::Stream { id, bytes, fin } if live => self.stream(now, id, &bytes, fin),
            Cause::Both { carrier, bytes, fin } if live => self.byte_streams.receive(carrier, &bytes, fin),
            Cause::Datagram(bytes) if live => self.datagram(now, &bytes),
            Cause::Path(path) => {
                self.path = path;
                self.pacer.path(now, &path.estimate);
                Ok(())
            }
            // Only the client's own word ends a session with its connection.
            Cause::Lost(why) if live && why.code != ids::close::TIMEOUT => Err(why),
            Cause::Lost(why) if live => {
                self.detach(now, why);
                Ok(())
            }
            Cause::Command(command) => {
                self.command(now, command);
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(why) = outcome {
            // A client that breaks the rules loses its session; others never notice.
            self.end(why);
        }
        self.tick(now);
    }

    fn poll(&mut self) -> Effect<Event> {
        match self.effects.pop_front() {
            Some(effect) => effect,
            None => match self.byte_streams.next_want() {
                Some(want) => stream_effect(want, Event::Stream),
                None => Effect::Wait(self.next_tick()),
            },
        }
    }

    fn streams(&mut self) -> &mut Streams {
        &mut self.byte_streams
    }
}
