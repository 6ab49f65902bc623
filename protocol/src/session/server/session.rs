mod company;
mod connection;
mod passing;
mod received;

use alloc::collections::VecDeque;

use self::company::Company;
use super::incoming::InputStreams;
use super::{Command, Config, Event};
use crate::Time;
use crate::channel::cursor::ServerCursor;
use crate::channel::display::{Begin, NewFrame, Passes, ServerDisplay};
use crate::channel::input::ServerInput;
use crate::channel::stream::Streams;
use crate::exact::Counts;
use crate::msg::control::{Capabilities, Close, Control, Layout, Resume, SessionId, Surface};
use crate::msg::input::Locks;
use crate::rate::pace::Pacer;
use crate::session::secrets::{Secrets, nonce};
use crate::session::{
    Cause, Effect, Lane, Path, Session, Traffic, frame_priority, refine_priority, stream_effect,
};
use crate::wire::frame::{Assembler, MAX_CONTROL};
use crate::wire::{Encode, ids};

/// The server's half of a session.
#[derive(Debug)]
pub struct ServerSession {
    config: Config,
    phase: Phase,
    effects: VecDeque<Effect<Event>>,
    control: Assembler,
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
    traffic: Traffic,
    secrets: Secrets,
    /// What the client can do.
    client: Capabilities,
    passes: Passes,
    /// Since the last heartbeat.
    nacks: u32,
    behind: Option<Time>,
    last_heartbeat: Option<Time>,
    company: Company,
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
            traffic: Traffic::default(),
            secrets: Secrets::new(),
            client: Capabilities::default(),
            passes: Passes::default(),
            nacks: 0,
            behind: None,
            last_heartbeat: None,
            company: Company::default(),
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
        // What waits for company leaves with it.
        self.accompany(now);
        let Some(bytes) = self.display.frame(frame) else { return false };
        self.pacer.sent(now);
        self.sent_frame(now);
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

    /// What was sent and received so far, by what it was for, over all connections.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// True while a client is connected.
    pub fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// True once nothing more will happen.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
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

    fn send(&mut self, message: Control) {
        if self.phase == Phase::Live {
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
            Cause::Control(bytes) if live => self.control(now, &bytes),
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
            Some(effect) => {
                self.traffic.sent(&effect);
                effect
            }
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
