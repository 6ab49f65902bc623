//! A server's session whose client says anything at any time.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::NewFrame;
use lightbox_protocol::digest::Digest;
use lightbox_protocol::exact::{Left, SlotUse, Write};
use lightbox_protocol::geom::TileIndex;
use lightbox_protocol::msg::control::{
    Capabilities, Close, Control, Hello, Layout, Proof, Resume, Role, Root, SessionId, TileProof,
};
use lightbox_protocol::msg::display::{CursorPosition, Feedback, Op};
use lightbox_protocol::msg::input::{Copies, Event as InputEvent, Locks};
use lightbox_protocol::rate::Estimate;
use lightbox_protocol::session::server::{Command, Config, Event, ServerSession};
use lightbox_protocol::session::{Cause, Effect, Path, Session};
use lightbox_protocol::wire::frame::{Assembler, MAX_CONTROL};
use lightbox_protocol::wire::{Encode, frame, ids};

use super::client::{action, update};
use super::script::Script;
use super::streams;

/// What a session is told, step by step: garbage, well-formed messages out of place, proofs that are right and wrong,
/// commands of its host, and clients that come, go and come again.
///
/// It never panics, sends nothing while nobody is there, gives no input of a client that may only look, calls no tile
/// verified whose digest was wrong, and is silent once it has ended.
pub fn server_ops(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut server = Server::new(&mut script);
    while !script.is_empty() {
        server.step(&mut script);
    }
}

struct Server {
    session: ServerSession,
    role: Role,
    now: Time,
    /// What was sent last of each tile: its generation, its frame, and what that left.
    sent: BTreeMap<(u32, TileIndex), (u32, u64, Left)>,
    /// The last secret that a welcome told.
    secret: Option<[u8; 32]>,
    input_started: bool,
    /// Right digests that were claimed so far, and tiles that became verified.
    claimed: u32,
    verified: u32,
    has_ended: bool,
}

impl Server {
    fn new(script: &mut Script<'_>) -> Self {
        let mut config = Config::new(ID, [9; 32]);
        config.capabilities.streams = script.number() % 9;
        config.role = if script.chance() { Role::View } else { Role::Control };
        config.life = Duration::from_millis(script.number());
        Self {
            role: config.role,
            session: ServerSession::new(config),
            now: Time(1_000_000),
            sent: BTreeMap::new(),
            secret: None,
            input_started: false,
            claimed: 0,
            verified: 0,
            has_ended: false,
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        let choice = script.u8();
        let cause = match choice % 20 {
            _ if choice >= 248 => {
                streams::application(script, self.session.streams());
                return self.drain(0);
            }
            _ if choice >= 240 => streams::cause(script),
            0 | 1 => Cause::Command(self.attach(script)),
            2..=4 => return self.frame(script),
            5..=7 => {
                let (proof, right) = self.proof(script);
                self.claimed += right;
                let Proof { id, surface, generation, tiles } = proof;
                Cause::Control(if choice < 120 {
                    Control::Proof(Proof { id, surface, generation, tiles }).to_frame()
                } else {
                    // With one wrong digest in it, or a digest of what was not sent as exact, all of it is wrong.
                    let root = Root::over(tiles.iter().map(|t| t.digest));
                    let tiles = tiles.iter().map(|t| t.tile).collect();
                    Control::Root(Root { id, surface, generation, root, tiles }).to_frame()
                })
            }
            8 => Cause::Control(match script.below(8) {
                0..4 => Control::Nack(script.number()).to_frame(),
                4 | 5 => Control::WantLayout(Layout::default()).to_frame(),
                6 => Control::Close(Close::new(script.number(), "bye")).to_frame(),
                _ => script.bytes(64),
            }),
            9 => Cause::Stream { id: 3, bytes: self.input(script), fin: false },
            10 => Cause::Stream { id: script.number(), bytes: script.bytes(40), fin: script.chance() },
            11 => {
                let feedback = Feedback {
                    applied_to: script.number(),
                    beyond: script.number(),
                    decode_us: script.number(),
                    waiting: script.number(),
                };
                Cause::Datagram(feedback.to_bytes().into())
            }
            12 => {
                let event = |seq, script: &mut Script<'_>| InputEvent { seq, action: action(script) };
                let events =
                    (0..script.below(4)).map(|i| event(u64::from(i) + script.number(), script)).collect();
                Cause::Datagram(Copies { events, pointer: None }.to_bytes().into())
            }
            13 => Cause::Datagram(script.bytes(40)),
            14 => Cause::Tick,
            15 => {
                self.now = self.now + Duration::from_micros(script.number().min(1 << 40));
                Cause::Tick
            }
            16 => Cause::Lost(Close::new(script.number(), "gone")),
            17 => {
                let estimate = Estimate {
                    window: script.number(),
                    srtt: Duration::from_micros(script.number()),
                    queue_delay: Duration::from_millis(u64::from(script.u8())),
                    ..Estimate::default()
                };
                Cause::Path(Path { estimate, max_datagram: 1_200, ..Path::default() })
            }
            _ => Cause::Command(self.command(script)),
        };
        self.handle(cause);
    }

    fn command(&mut self, script: &mut Script<'_>) -> Command {
        match script.below(16) {
            0..5 => Command::Surface { id: script.below(4), size: script.size(), format: script.format() },
            5 => Command::SurfaceGone(script.below(5)),
            6 => Command::Layout(Layout::default()),
            7..10 => Command::Behind(script.chance().then(|| Time(script.number()))),
            10 => Command::CursorAt(CursorPosition { seq: script.number(), ..CursorPosition::default() }),
            11..14 => Command::Leds(Locks { caps: script.chance(), ..Locks::default() }),
            14 => Command::Leds(Locks::default()),
            _ => Command::Close(Close::new(ids::close::SHUTDOWN, "enough")),
        }
    }

    /// A client that is new, one that proves it was here, and one that only says so.
    fn attach(&mut self, script: &mut Script<'_>) -> Command {
        let binding = [script.u8(); 32];
        let choice = script.below(4);
        let proof = match (self.secret, choice) {
            (Some(secret), 0..2) => Some(*blake3::keyed_hash(&secret, &binding).as_bytes()),
            (_, 2) => Some([script.u8(); 32]),
            _ => None,
        };
        let applied_to = script.number();
        let mut capabilities = Capabilities { streams: 6, ..Capabilities::default() };
        if script.below(16) == 1 {
            capabilities.max_pixels = script.number();
        }
        let hello = Hello {
            version: 1,
            capabilities,
            terminal: "t".into(),
            ticket: Vec::new(),
            resume: proof.map(|proof| Resume { session: ID, proof, applied_to }),
        };
        if let (Some(resume), Some(_), 0..2) = (&hello.resume, self.secret, choice) {
            let welcome = self.session.is_resumed_by(resume, &binding);
            assert!(welcome || self.has_ended, "the secret told last opens the session");
        }
        self.input_started = false;
        Command::Attach { hello, binding }
    }

    /// A proof of up to eight tiles, and how many of its digests are those that were sent.
    fn proof(&self, script: &mut Script<'_>) -> (Proof, u32) {
        let surface = script.below(4);
        let mut generation = script.number() as u32;
        let mut tiles = Vec::new();
        let mut right = 0;
        for tile in 0..script.below(9) {
            let Some((made_for, epoch, left)) = self.sent.get(&(surface, tile)).copied() else { continue };
            generation = made_for;
            let is_right = script.below(4) != 1;
            // What was sent with an error is never right, whatever digest the client thinks of.
            right += u32::from(is_right && matches!(left, Left::Exact(_)));
            let digest = if is_right { digest(epoch, tile) } else { Digest([script.u8(); 16]) };
            tiles.push(TileProof { tile, epoch, digest });
        }
        (Proof { id: script.number(), surface, generation, tiles }, right)
    }

    fn input(&mut self, script: &mut Script<'_>) -> Bytes {
        let event = InputEvent { seq: script.number(), action: action(script) };
        let message = frame::write(ids::input::EVENT, &event);
        if std::mem::replace(&mut self.input_started, true) {
            return message;
        }
        [&[ids::stream::INPUT as u8][..], &message].concat().into()
    }

    /// A frame as the host makes it, or one that comes too late.
    fn frame(&mut self, script: &mut Script<'_>) {
        let surface = script.below(4);
        let Some(begin) = self.session.begin(self.now, surface) else { return self.drain(0) };
        let rect = script.rect(begin.size);
        let Some(rect) = rect.intersect(begin.size.rect()) else { return };
        let grid = lightbox_protocol::geom::TileGrid::new(begin.size);
        let late = script.below(16) == 1;
        let seq = if late { script.number() } else { begin.seq };
        let tiles: Vec<_> = grid.touching(rect).collect();
        let kind = seq % 4;
        let write = |tile: &TileIndex| {
            let whole = rect.contains(grid.rect(*tile));
            let left = match (whole, kind) {
                (true, 0) => Left::First,
                (true, 1) => Left::High,
                _ => Left::Exact(digest(seq, *tile)),
            };
            Write { tile: *tile, whole, left }
        };
        let op = match rect.x % 8 {
            3 => update(script, begin.size),
            5 => Op::Coded { rect, codec: ids::codec::INTER, data: Bytes::new() },
            _ => Op::Fill { rect, pixel: [1, 2, 3, 0xFF] },
        };
        let mut reads = if script.chance() { tiles.clone() } else { Vec::new() };
        reads.extend(op.builds_on(grid));
        let made = NewFrame {
            seq,
            generation: begin.context.generation,
            surface,
            capture: self.now,
            refines: script.chance(),
            ops: vec![op],
            reads,
            writes: tiles.iter().map(write).collect(),
            slots: SlotUse::default(),
        };
        if self.session.frame(self.now, &made) {
            assert!(self.session.is_live() && seq == begin.seq, "frame {seq} went");
            for write in &made.writes {
                self.sent.insert((surface, write.tile), (made.generation, seq, write.left));
            }
        }
        self.drain(0);
    }

    fn handle(&mut self, cause: Cause<Command>) {
        let length = match &cause {
            Cause::Control(bytes)
            | Cause::Datagram(bytes)
            | Cause::Stream { bytes, .. }
            | Cause::Both { bytes, .. } => bytes.len(),
            _ => 0,
        };
        // A client that is refused or sent away is told so; nobody else hears anything while nobody is there.
        let may_send = self.session.is_live() || matches!(cause, Cause::Command(Command::Attach { .. }));
        self.session.handle(self.now, cause);
        assert!(may_send || !self.session.is_live());
        self.drain(length);
    }

    fn drain(&mut self, length: usize) {
        let mut effects = 0;
        loop {
            effects += 1;
            assert!(effects <= 2_000 + 4 * length, "{effects} effects of one cause");
            match self.session.poll() {
                Effect::Wait(_) => break,
                // Whoever comes too late is sent away.
                Effect::Close(_) if self.has_ended => (),
                effect if self.has_ended => panic!("{effect:?} after the end"),
                Effect::Event(event) => self.event(event),
                Effect::Send(_, bytes) => self.read_welcome(&bytes),
                Effect::Datagram(bytes) => {
                    assert!(self.session.is_live(), "a datagram to nobody: {bytes:?}");
                }
                Effect::Close(_) => (),
            }
        }
        let counts = self.session.counts();
        assert!(counts.verified <= counts.exact, "{counts:?}");
        assert!(counts.exact + counts.refining <= counts.total, "{counts:?}");
        assert_eq!(self.session.is_ended(), self.has_ended);
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Input(action) => {
                assert_eq!(self.role, Role::Control, "{action:?} of one who may only look")
            }
            Event::Verified { tiles } => {
                self.verified += tiles;
                assert!(self.verified <= self.claimed, "verified without a right digest");
            }
            Event::Ended(_) => self.has_ended = true,
            _ => (),
        }
    }

    fn read_welcome(&mut self, bytes: &[u8]) {
        let mut assembler = Assembler::new(MAX_CONTROL);
        assembler.push(bytes);
        if let Ok(Some((ids::control::WELCOME, body))) = assembler.next_message()
            && let Ok(Some(Control::Welcome(welcome))) = Control::read(ids::control::WELCOME, &body)
        {
            self.secret = Some(welcome.resume_secret);
        }
    }
}

/// A digest that no one guesses.
fn digest(seq: u64, tile: TileIndex) -> Digest {
    let mut digest = [0; 16];
    let input = [&seq.to_le_bytes()[..], &tile.to_le_bytes()].concat();
    digest.copy_from_slice(&blake3::hash(&input).as_bytes()[..16]);
    Digest(digest)
}

const ID: SessionId = SessionId([5; 16]);
