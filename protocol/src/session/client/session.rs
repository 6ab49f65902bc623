use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Command, Config, Event};
use crate::Time;
use crate::channel::display::{ClientDisplay, Next};
use crate::channel::input::ClientInput;
use crate::channel::stream::Streams;
use crate::digest::DigestContext;
use crate::exact::{Counts, Lease, Stated, TileState};
use crate::geom::TileIndex;
use crate::msg::control::{Close, Control, Hello, Resume, SessionId, VERSION, Welcome};
use crate::msg::display::{CursorPosition, CursorShape, Heartbeat, MAX_CURSOR_BYTES, Terms, is_frame};
use crate::msg::update::agreed_models;
use crate::msg::video::VideoCodecs;
use crate::session::secrets::resume_proof;
use crate::session::server::malformed;
use crate::session::{Cause, Effect, Lane, Path, Session, stream_effect};
use crate::wire::frame::{Assembler, MAX_CONTROL};
use crate::wire::ids;
use crate::wire::{Decode, Encode};

/// Acknowledgements leave at most this often.
const FEEDBACK_GAP: Duration = Duration::from_millis(8);
/// What is small needs no acknowledgement of its own: it waits for the proof, which leaves in the same packet.
/// The transport's own acknowledgements wait a little longer, and leave with it too.
const FEEDBACK_PATIENCE: Duration = Duration::from_millis(90);
/// Frames of fewer bytes together are small.
const SMALL_FRAMES: usize = 4 << 10;
/// What a datagram may carry while the transport has not said.
const SMALL_DATAGRAM: usize = 1_100;
/// Bytes that may overtake the welcome.
const MAX_EARLY: usize = 4 << 20;
/// Pieces they may come in.
const MAX_EARLY_PIECES: usize = 8_192;

/// The client's half of a session.
#[derive(Debug)]
pub struct ClientSession {
    config: Config,
    phase: Phase,
    effects: VecDeque<Effect<Event>>,
    control: Assembler,
    display: ClientDisplay,
    input: ClientInput,
    lease: Lease,
    path: Path,
    /// Wire bytes of the connections before this one.
    wire_bytes: u64,
    resume: Option<(SessionId, [u8; 32])>,
    proofs: u64,
    /// The cursor shape and the position shown last, by their numbers.
    cursor: (u64, u64),
    cursor_streams: Vec<(u64, Vec<u8>)>,
    frame_streams: Vec<u64>,
    byte_streams: Streams,
    /// What overtook the welcome, and its bytes.
    early: (Vec<Cause<Command>>, usize),
    feedback_due: Option<Time>,
    last_feedback: Time,
    decode: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// Hello was said.
    Knocking,
    Live,
    Ended,
}

impl ClientSession {
    /// A client that has no connection yet.
    pub fn new(config: Config) -> Self {
        Self {
            phase: Phase::Idle,
            effects: VecDeque::new(),
            control: Assembler::new(MAX_CONTROL),
            display: ClientDisplay::new(config.capabilities.max_pixels),
            input: ClientInput::new(),
            lease: Lease::new(),
            path: Path::default(),
            wire_bytes: 0,
            resume: None,
            proofs: 0,
            cursor: (0, 0),
            cursor_streams: Vec::new(),
            frame_streams: Vec::new(),
            byte_streams: Streams::default(),
            early: (Vec::new(), 0),
            feedback_due: None,
            last_feedback: Time(0),
            decode: Duration::ZERO,
            config,
        }
    }

    /// True if there is a session that another connection could resume.
    pub fn can_resume(&self) -> bool {
        self.resume.is_some() && self.phase != Phase::Ended
    }

    /// The state of a tile as the person may be told: `Verified` only while the lease lives.
    pub fn tile_state(&self, now: Time, surface: u32, tile: TileIndex) -> TileState {
        match self.display.ledger(surface).map(|l| l.state(tile)) {
            Some(TileState::Verified) if !self.lease.lives(now) => TileState::Stale,
            Some(state) => state,
            None => TileState::Dirty,
        }
    }

    /// How far the samples of a tile may be from the source's, as its frame stated; `None` where the tile is dirty.
    pub fn tile_error(&self, surface: u32, tile: TileIndex) -> Option<u32> {
        self.display.ledger(surface)?.error(tile)
    }

    /// How many tiles of all surfaces are in which state, the lease apart.
    pub fn counts(&self) -> Counts {
        self.display.counts()
    }

    /// The lease on "verified".
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The transport's view of the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes on the wire so far, both ways, over all connections, IP and UDP headers included.
    pub fn wire_bytes(&self) -> u64 {
        self.wire_bytes + self.path.wire_bytes
    }

    /// Every frame up to this one was painted.
    pub fn applied_to(&self) -> u64 {
        self.display.applied_to()
    }

    fn connect(&mut self, binding: &[u8; 32]) {
        let resume = self.resume.map(|(session, secret)| Resume {
            session,
            proof: *resume_proof(&secret, binding).as_bytes(),
            applied_to: self.display.resumable_to(),
        });
        self.control = Assembler::new(MAX_CONTROL);
        self.phase = Phase::Knocking;
        let hello = Hello {
            version: VERSION,
            capabilities: self.config.capabilities.clone(),
            terminal: self.config.terminal.clone(),
            ticket: self.config.ticket.clone(),
            resume,
        };
        self.send(Control::Hello(hello));
    }

    fn welcome(&mut self, now: Time, welcome: Welcome) -> Result<(), Close> {
        if self.phase != Phase::Knocking {
            return Err(unexpected(ids::control::WELCOME));
        }
        if welcome.version != VERSION {
            return Err(Close::new(
                ids::close::VERSION,
                format_args!("the server chose version {}, this client speaks {VERSION}", welcome.version),
            ));
        }
        let (slots, limit) = (welcome.capabilities.slots, self.config.capabilities.slots);
        if slots > limit {
            let why = format_args!("the server uses {slots} cells of slots, this client keeps {limit}");
            return Err(Close::new(ids::close::LIMIT, why));
        }
        let (streams, limit) = (welcome.capabilities.streams, self.config.capabilities.streams);
        if streams > limit {
            let why = format_args!("the server has {streams} byte streams, this client takes {limit}");
            return Err(Close::new(ids::close::LIMIT, why));
        }
        let (models, limit) = (welcome.capabilities.models, self.config.capabilities.models);
        if models > limit {
            let why = format_args!("the server uses {models} models, this client keeps {limit}");
            return Err(Close::new(ids::close::LIMIT, why));
        }
        let models = agreed_models(models, limit);
        self.phase = Phase::Live;
        self.resume = Some((welcome.session, welcome.resume_secret));
        self.lease.reconnect();
        self.input = ClientInput::new();
        self.cursor = (0, 0);
        self.proofs = 0;
        if welcome.resumed {
            self.display.resume(welcome.void_to);
        } else {
            self.display.restart(welcome.void_to);
        }
        self.byte_streams.connect(streams, false);
        // What is ours and was not agreed on is as unknown as what is nobody's.
        let [ours, theirs] =
            [&self.config.capabilities, &welcome.capabilities].map(|can| VideoCodecs::of(&can.codecs));
        self.display.agree(Terms { slots, video: ours.and(theirs), models });
        let (session, resumed, role) = (welcome.session, welcome.resumed, welcome.role);
        self.event(Event::Welcome { session, resumed, role, slots, models });
        let (early, _) = core::mem::take(&mut self.early);
        early.into_iter().try_for_each(|cause| self.receive(now, cause))
    }

    /// Streams and datagrams may overtake the welcome, which says what their numbers mean.
    fn keep_early(&mut self, cause: Cause<Command>) -> Result<(), Close> {
        let (causes, bytes) = &mut self.early;
        *bytes += match &cause {
            Cause::Stream { bytes, .. } | Cause::Both { bytes, .. } | Cause::Datagram(bytes) => bytes.len(),
            _ => 0,
        };
        if *bytes > MAX_EARLY || causes.len() == MAX_EARLY_PIECES {
            return Err(Close::new(ids::close::LIMIT, "too much was sent before the welcome"));
        }
        causes.push(cause);
        Ok(())
    }

    /// Bytes of an admitted connection.
    fn receive(&mut self, now: Time, cause: Cause<Command>) -> Result<(), Close> {
        match cause {
            Cause::Stream { id, bytes, fin } => self.stream(id, bytes, fin),
            Cause::Both { carrier, bytes, fin } => self.byte_streams.receive(carrier, &bytes, fin),
            Cause::Datagram(bytes) => self.datagram(now, &bytes),
            _ => Ok(()),
        }
    }

    fn control(&mut self, now: Time, bytes: &[u8]) -> Result<(), Close> {
        self.control.push(bytes);
        while let Some((kind, body)) = self.control.next_message().map_err(malformed)? {
            let message = Control::read(kind, &body).map_err(malformed)?;
            match message {
                Some(Control::Close(why)) => return Err(why),
                Some(Control::Welcome(welcome)) => self.welcome(now, welcome)?,
                Some(other) if self.phase != Phase::Live => return Err(unexpected(other.kind())),
                Some(Control::Surface(surface)) => {
                    let kept = self.display.surface(now, surface).map_err(malformed)?;
                    self.event(Event::Surface { surface, kept });
                }
                Some(Control::SurfaceGone(id)) if self.display.surface_gone(id) => {
                    self.event(Event::SurfaceGone(id));
                }
                Some(Control::SurfaceGone(_)) => (),
                Some(Control::Layout(layout)) => {
                    for id in self.display.forget_unannounced() {
                        self.event(Event::SurfaceGone(id));
                    }
                    self.event(Event::Layout(layout));
                }
                Some(Control::Verdict(verdict)) => {
                    let verified: Vec<_> = self
                        .display
                        .ledgers_mut()
                        .map(|l| (l.surface().id, l.judged(&verdict)))
                        .filter(|(_, tiles)| !tiles.is_empty())
                        .collect();
                    for (surface, tiles) in verified {
                        self.event(Event::Verified { surface, tiles });
                    }
                }
                Some(Control::Singly(root)) => {
                    self.display.ledgers_mut().for_each(|ledger| ledger.singly(now, root));
                }
                Some(Control::Leds(locks)) => self.event(Event::Leds(locks)),
                Some(other) => return Err(unexpected(other.kind())),
                None => (),
            }
            // What the message made possible comes before what the next one changes.
            self.issue()?;
        }
        Ok(())
    }

    fn stream(&mut self, id: u64, bytes: bytes::Bytes, fin: bool) -> Result<(), Close> {
        if let Some(place) = self.cursor_streams.iter().position(|(known, _)| *known == id) {
            return self.cursor_stream(place, &bytes, fin);
        }
        if !self.frame_streams.contains(&id) {
            match bytes.first().copied().map(u64::from) {
                None => return Ok(()),
                Some(kind) if is_frame(kind) => {
                    if !fin {
                        self.frame_streams.push(id);
                    }
                }
                Some(ids::stream::CURSOR) => {
                    if self.cursor_streams.len() == 8 {
                        return Err(Close::new(ids::close::LIMIT, "too many cursor shapes at a time"));
                    }
                    self.cursor_streams.push((id, Vec::new()));
                    return self.cursor_stream(self.cursor_streams.len() - 1, &bytes, fin);
                }
                Some(kind) => {
                    let name = ids::stream::name(kind);
                    return Err(Close::new(
                        ids::close::UNEXPECTED,
                        format_args!("stream kind {kind} ({name}) was not agreed on"),
                    ));
                }
            }
        } else if fin {
            self.frame_streams.retain(|known| *known != id);
        }
        self.display.receive(id, bytes, fin).map_err(malformed)?;
        self.issue()
    }

    fn cursor_stream(&mut self, place: usize, bytes: &[u8], fin: bool) -> Result<(), Close> {
        let (_, held) = &mut self.cursor_streams[place];
        held.extend_from_slice(bytes);
        if held.len() > MAX_CURSOR_BYTES {
            return Err(Close::new(ids::close::LIMIT, "cursor shape is too long"));
        }
        if fin {
            let (_, whole) = self.cursor_streams.swap_remove(place);
            let shape = CursorShape::from_bytes(&whole).map_err(malformed)?;
            if shape.seq > self.cursor.0 {
                self.cursor.0 = shape.seq;
                self.event(Event::CursorShape(shape));
            }
        }
        Ok(())
    }

    /// Hands out every frame whose turn has come.
    fn issue(&mut self) -> Result<(), Close> {
        if self.phase != Phase::Live {
            return Ok(());
        }
        while let Some(next) = self.display.next_step().map_err(malformed)? {
            match next {
                Next::Paint(paint) => self.event(Event::Paint(paint)),
                // Nobody will report it painted, and the server waits for word of it.
                Next::Void(_) => self.feedback_due = Some(self.last_feedback + FEEDBACK_GAP),
                Next::Unfounded(seq) => {
                    self.send_live(Control::Nack(seq));
                    self.feedback_due = Some(self.last_feedback + FEEDBACK_GAP);
                }
            }
        }
        Ok(())
    }

    fn datagram(&mut self, now: Time, bytes: &[u8]) -> Result<(), Close> {
        match bytes.first().copied().map(u64::from) {
            Some(ids::datagram::HEARTBEAT) => {
                let beat = Heartbeat::from_bytes(bytes).map_err(malformed)?;
                self.lease.heartbeat(now, &beat);
                if beat.ask {
                    self.feedback_due = Some(now);
                }
            }
            Some(ids::datagram::CURSOR) => {
                let at = CursorPosition::from_bytes(bytes).map_err(malformed)?;
                if at.seq > self.cursor.1 {
                    self.cursor.1 = at.seq;
                    self.event(Event::CursorAt(at));
                }
            }
            // Kinds of later versions are skipped.
            _ => (),
        }
        Ok(())
    }

    fn command(&mut self, now: Time, command: Command) {
        match command {
            Command::Connect { binding } => self.connect(&binding),
            Command::Painted { seq, surface, tiles, took } => {
                self.display.applied(seq);
                self.decode = took;
                match (tiles, self.display.ledger_mut(surface)) {
                    (Some(tiles), Some(ledger)) => ledger.painted(now, seq, tiles.into_iter()),
                    (None, Some(ledger)) => {
                        ledger.failed(seq);
                        self.send_live(Control::Nack(seq));
                    }
                    _ => (),
                }
                let is_small = self.display.unspoken() < SMALL_FRAMES;
                let gap = if is_small { FEEDBACK_PATIENCE } else { FEEDBACK_GAP };
                let due = if is_small { now + gap } else { now.max(self.last_feedback + gap) };
                self.feedback_due = Some(self.feedback_due.map_or(due, |at| at.min(due)));
            }
            Command::Digests { surface, generation, tiles } => {
                let Some(ledger) = self.display.ledger_mut(surface) else { return };
                if ledger.surface().generation != generation || self.phase != Phase::Live {
                    return;
                }
                self.proofs += 1;
                let stated = match ledger.state_digests(self.proofs, tiles) {
                    Stated::Root(root) => Control::Root(root),
                    Stated::Singly(proof) => Control::Proof(proof),
                };
                self.send(stated);
                self.feedback_due = self.feedback_due.map(|at| at.min(now));
            }
            Command::Input(action) if self.phase == Phase::Live => {
                if let Some(bytes) = self.input.act(now, action) {
                    self.effects.push_back(Effect::Send(Lane::Input, bytes));
                }
            }
            Command::Input(_) => (),
            Command::Unfocus => {
                if let Some(bytes) = self.input.release_all(now).filter(|_| self.phase == Phase::Live) {
                    self.effects.push_back(Effect::Send(Lane::Input, bytes));
                }
            }
            Command::WantLayout(layout) => self.send_live(Control::WantLayout(layout)),
            Command::Close(why) => self.end(why),
        }
    }

    fn end(&mut self, why: Close) {
        if matches!(self.phase, Phase::Live | Phase::Knocking) {
            self.send(Control::Close(why.clone()));
            self.effects.push_back(Effect::Close(why.clone()));
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

    fn tick(&mut self, now: Time) {
        if self.phase != Phase::Live {
            return;
        }
        if self.feedback_due.is_some_and(|at| at <= now) {
            self.feedback_due = None;
            self.last_feedback = now;
            let feedback = self.display.feedback(self.decode.as_micros() as u64);
            self.effects.push_back(Effect::Datagram(feedback.to_bytes().into()));
        }
        let room = match self.path.max_datagram {
            0 => SMALL_DATAGRAM,
            known => known,
        };
        let (stream, datagram) = self.input.tick(now, room);
        self.effects.extend(stream.map(|bytes| Effect::Send(Lane::Input, bytes)));
        self.effects.extend(datagram.map(Effect::Datagram));
        let effects = &mut self.effects;
        for ledger in self.display.ledgers_mut() {
            let tiles = ledger.take_due(now);
            if !tiles.is_empty() {
                let s = ledger.surface();
                let context = DigestContext { nonce: s.nonce, surface: s.id, generation: s.generation };
                effects.push_back(Effect::Event(Event::Digest { surface: s.id, context, tiles }));
            }
        }
    }

    fn next_tick(&mut self) -> Option<Time> {
        if self.phase != Phase::Live {
            return None;
        }
        let due = self.display.ledgers_mut().filter_map(|l| l.next_due()).min();
        [self.feedback_due, self.input.next_tick(), due].into_iter().flatten().min()
    }

    fn send(&mut self, message: Control) {
        self.effects.push_back(Effect::Send(Lane::Control, message.to_frame()));
    }

    fn send_live(&mut self, message: Control) {
        if self.phase == Phase::Live {
            self.send(message);
        }
    }

    fn event(&mut self, event: Event) {
        self.effects.push_back(Effect::Event(event));
    }

    fn lost(&mut self, why: Close) {
        self.display.disconnect();
        self.cursor_streams.clear();
        self.frame_streams.clear();
        self.feedback_due = None;
        self.early = (Vec::new(), 0);
        self.wire_bytes += core::mem::take(&mut self.path).wire_bytes;
        self.lose_streams(&why);
        // Every other code is the server's word that it is over.
        if self.resume.is_none() || why.code != ids::close::TIMEOUT {
            self.phase = Phase::Ended;
            self.event(Event::Ended(why));
        } else {
            self.phase = Phase::Idle;
            self.event(Event::Lost(why));
        }
    }
}

impl Session for ClientSession {
    type Command = Command;
    type Event = Event;

    fn handle(&mut self, now: Time, cause: Cause<Command>) {
        if self.phase == Phase::Ended {
            return;
        }
        let connected = matches!(self.phase, Phase::Live | Phase::Knocking);
        let outcome = match cause {
            Cause::Control(bytes) if connected => self.control(now, &bytes),
            bytes @ (Cause::Stream { .. } | Cause::Both { .. } | Cause::Datagram(_)) => match self.phase {
                Phase::Live => self.receive(now, bytes),
                Phase::Knocking => self.keep_early(bytes),
                Phase::Idle | Phase::Ended => Ok(()),
            },
            Cause::Path(path) => {
                self.path = path;
                Ok(())
            }
            Cause::Lost(why) if connected => {
                self.lost(why);
                Ok(())
            }
            Cause::Command(command) => {
                self.command(now, command);
                // A painted frame makes room for the next.
                self.issue()
            }
            _ => Ok(()),
        };
        if let Err(why) = outcome {
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

fn unexpected(kind: u64) -> Close {
    let name = ids::control::name(kind);
    Close::new(ids::close::UNEXPECTED, format_args!("message {name} does not belong here"))
}
