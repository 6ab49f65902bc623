//! A client's session whose server says anything at any time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use lightbox_client::paint::Canvas;
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::Paint;
use lightbox_protocol::digest::DigestContext;
use lightbox_protocol::exact::DueTile;
use lightbox_protocol::geom::{Point, Rect, Size, TileGrid, TileMask};
use lightbox_protocol::msg::control::{
    Capabilities, Close, Control, Layout, Output, Role, SessionId, Surface, Verdict, Welcome,
};
use lightbox_protocol::msg::display::{CursorShape, FrameHeader, Heartbeat, Op};
use lightbox_protocol::msg::input::{Action, Locks, Place};
use lightbox_protocol::msg::update::{Models, Update};
use lightbox_protocol::rate::Estimate;
use lightbox_protocol::session::client::{ClientSession, Command, Config, Event};
use lightbox_protocol::session::{Cause, Effect, Path, Session};
use lightbox_protocol::wire::{Encode, Writer, ids};

use super::script::Script;
use super::streams;

/// What a session is told, step by step: garbage, well-formed messages out of place, frames, answers of its painter,
/// and the end of its connection.
///
/// It never panics, keeps what it promised to keep, asks for no more painting than it says, and is silent once it has
/// ended.
pub fn client_ops(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut client = Client::new();
    while !script.is_empty() {
        let cause = client.cause(&mut script);
        client.handle(cause);
    }
}

struct Client {
    session: ClientSession,
    canvas: Canvas,
    now: Time,
    surfaces: BTreeMap<u32, Surface>,
    paints: VecDeque<Paint>,
    digests: VecDeque<(DigestContext, Vec<DueTile>)>,
    next_seq: u64,
    has_ended: bool,
}

impl Client {
    fn new() -> Self {
        let capabilities = Capabilities { max_pixels: MAX_PIXELS, streams: 6, ..Capabilities::default() };
        let config = Config { terminal: "t".into(), ticket: vec![1; 8], capabilities };
        Self {
            session: ClientSession::new(config),
            canvas: Canvas::new(),
            now: Time(1_000_000),
            surfaces: BTreeMap::new(),
            paints: VecDeque::new(),
            digests: VecDeque::new(),
            next_seq: 1,
            has_ended: false,
        }
    }

    fn cause(&mut self, script: &mut Script<'_>) -> Cause<Command> {
        let choice = script.u8();
        match choice % 24 {
            _ if choice >= 248 => {
                streams::application(script, self.session.streams());
                Cause::Tick
            }
            _ if choice >= 240 => streams::cause(script),
            0 => Cause::Command(Command::Connect { binding: [script.u8(); 32] }),
            1 => Cause::Control(welcome(script).to_frame()),
            2..=5 => Cause::Control(self.message(script).to_frame()),
            6 => Cause::Control(script.bytes(64)),
            7..=9 => {
                let frame = self.frame(script);
                Cause::Stream { id: 100 + self.next_seq, bytes: frame, fin: true }
            }
            10 => {
                let (id, fin) = (u64::from(script.u8() % 8), script.chance());
                let bytes = if script.chance() { self.frame(script) } else { script.bytes(64) };
                let cut = usize::from(script.u8()).min(bytes.len());
                Cause::Stream { id, bytes: bytes.slice(..cut), fin }
            }
            11 => {
                let beat = Heartbeat {
                    server_us: script.number(),
                    behind_us: script.number(),
                    ask: script.chance(),
                    rtt_us: script.number(),
                };
                Cause::Datagram(beat.to_bytes().into())
            }
            12 => Cause::Datagram(script.bytes(40)),
            13 => Cause::Tick,
            14 => {
                self.now = self.now + Duration::from_micros(script.number().min(1 << 40));
                Cause::Tick
            }
            15 => {
                let code = if script.chance() { ids::close::TIMEOUT } else { script.number() };
                Cause::Lost(Close::new(code, "gone"))
            }
            16 => {
                let estimate = Estimate { window: script.number(), ..Estimate::default() };
                let max_datagram = script.number() as usize;
                Cause::Path(Path { estimate, max_datagram, wire_bytes: script.number(), ..Path::default() })
            }
            17..=19 => Cause::Command(self.painted(script)),
            20 => Cause::Command(self.digested(script)),
            21 => Cause::Command(Command::Input(action(script))),
            22 => Cause::Stream {
                id: 50 + u64::from(script.u8() % 16),
                bytes: cursor(script),
                fin: script.chance(),
            },
            _ => Cause::Command(match script.below(16) {
                0 => Command::Close(Close::new(ids::close::DONE, "enough")),
                1..8 => Command::WantLayout(Layout::default()),
                _ => Command::Unfocus,
            }),
        }
    }

    /// A message that servers send, and some that they do not.
    fn message(&mut self, script: &mut Script<'_>) -> Control {
        match script.below(16) {
            0..5 => {
                let mut nonce = [0; 16];
                nonce[0] = script.u8();
                Control::Surface(Surface {
                    id: script.below(4),
                    generation: script.number() as u32,
                    nonce,
                    size: script.size(),
                    format: script.format(),
                })
            }
            5 => Control::SurfaceGone(script.below(5)),
            6 | 7 => {
                let output = Output { size: script.size(), ..Output::default() };
                Control::Layout(Layout { outputs: vec![output; script.below(3) as usize] })
            }
            8..13 => {
                let list = |script: &mut Script<'_>| (0..script.below(4)).collect();
                let proof = script.number();
                if proof % 4 == 3 {
                    return Control::Singly(proof);
                }
                Control::Verdict(Verdict { proof, mismatched: list(script), superseded: list(script) })
            }
            13 => Control::Leds(Locks { caps: true, num: false, scroll: script.chance() }),
            14 => Control::Nack(script.number()),
            _ => Control::Close(Close::new(script.number(), "why")),
        }
    }

    /// A frame for some surface, right or a little wrong.
    fn frame(&mut self, script: &mut Script<'_>) -> Bytes {
        let id = script.below(4);
        let known = self.surfaces.get(&id);
        let size = known.map_or(Size::new(64, 64), |s| s.size);
        let seq = if script.below(8) == 1 { script.number().max(1) } else { self.next_seq };
        self.next_seq = self.next_seq.max(seq.min(1 << 40) + 1);
        let header = FrameHeader {
            generation: known.map_or(0, |s| s.generation).wrapping_add(u32::from(script.below(16) == 1)),
            seq,
            base: seq.saturating_sub(1 + script.number()),
            capture_us: script.chance().then(|| script.number()),
        };
        let mut out = Writer::new();
        header.encode(&mut out);
        for _ in 0..script.below(5) {
            op(script, size).encode(&mut out);
        }
        out.into_vec().into()
    }

    /// The painter's word on the oldest frame, true or not, or on one that there never was.
    fn painted(&mut self, script: &mut Script<'_>) -> Command {
        let took = Duration::from_micros(script.number());
        let choice = script.below(8);
        let next = if choice == 0 { None } else { self.paints.pop_front() };
        let Some(paint) = next else {
            let tiles = script.chance().then(|| vec![0, 1, script.number() as u32]);
            return Command::Painted { seq: script.number(), surface: script.below(4), tiles, took };
        };
        let header = paint.frame.header;
        let fine = self.canvas.paint(&paint).is_ok() && choice != 1;
        Command::Painted { seq: header.seq, surface: paint.surface, tiles: fine.then_some(paint.tiles), took }
    }

    fn digested(&mut self, script: &mut Script<'_>) -> Command {
        let (context, due) = self.digests.pop_front().unwrap_or_else(|| {
            let context = DigestContext { nonce: [0; 16], surface: script.below(4), generation: 0 };
            (context, vec![DueTile { tile: script.number() as u32, epoch: script.number() }])
        });
        let tiles = self.canvas.digest(&context, &due);
        Command::Digests { surface: context.surface, generation: context.generation, tiles }
    }

    fn handle(&mut self, cause: Cause<Command>) {
        let length = match &cause {
            Cause::Control(bytes)
            | Cause::Datagram(bytes)
            | Cause::Stream { bytes, .. }
            | Cause::Both { bytes, .. } => bytes.len(),
            _ => 0,
        };
        self.session.handle(self.now, cause);
        let mut effects = 0;
        loop {
            effects += 1;
            // The shortest message is two bytes long and can concern every surface.
            assert!(effects <= 1_000 + 16 * length, "{effects} effects of one cause");
            match self.session.poll() {
                Effect::Wait(_) => break,
                effect if self.has_ended => panic!("{effect:?} after the end"),
                Effect::Event(event) => self.event(event),
                Effect::Datagram(bytes) => assert!(bytes.len() <= 65_535),
                Effect::Send(..) | Effect::Close(_) => (),
            }
        }
        let counts = self.session.counts();
        assert!(counts.verified <= counts.exact, "{counts:?}");
        assert!(counts.exact + counts.refining <= counts.total, "{counts:?}");
        let pixels: u64 = self.surfaces.values().map(|s| s.size.area()).sum();
        assert!(pixels <= MAX_PIXELS, "{pixels} pixels of surfaces");
        assert!(self.paints.len() <= MAX_PAINTING, "{} frames to paint", self.paints.len());
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Welcome { resumed, slots, models, .. } => {
                if !resumed {
                    self.surfaces.clear();
                    self.canvas.clear();
                }
                self.canvas.agree(slots, models);
            }
            Event::Surface { surface, kept } => {
                self.surfaces.insert(surface.id, surface);
                self.canvas.surface(&surface, kept).expect("the protocol checked its size");
            }
            Event::SurfaceGone(id) => {
                self.surfaces.remove(&id);
                self.canvas.gone(id);
            }
            Event::Paint(paint) => self.paints.push_back(paint),
            Event::Digest { context, tiles, .. } => self.digests.push_back((context, tiles)),
            Event::Ended(_) => self.has_ended = true,
            _ => (),
        }
    }
}

fn welcome(script: &mut Script<'_>) -> Control {
    Control::Welcome(Welcome {
        version: 1 + u64::from(script.below(16) == 1),
        capabilities: Capabilities { streams: script.number() % 9, ..Capabilities::default() },
        session: SessionId([script.u8(); 16]),
        resume_secret: [script.u8(); 32],
        resume_ms: script.number(),
        resumed: script.chance(),
        void_to: script.number(),
        role: Role::Control,
    })
}

fn op(script: &mut Script<'_>, size: Size) -> Op {
    let rect = script.rect(size);
    match script.below(3) {
        0 if rect.x % 64 == 3 => Op::Store { tiles: tiles(rect, size), first: script.number() },
        0 if rect.x % 64 == 5 => Op::Show { tiles: tiles(rect, size), first: script.number() },
        0 if rect.x % 64 >= 56 => update(script, size),
        0 => Op::Fill { rect, pixel: script.array() },
        1 => {
            let to = Point::new(script.below(size.w - rect.w.min(size.w - 1)), script.below(size.h));
            Op::Copy { from: rect, to }
        }
        _ => {
            let data = script.bytes(64);
            use ids::codec::{FIRST, HIGH, INTER, LOSSLESS, LOW, SCALED};
            let codecs = [LOSSLESS, FIRST, HIGH, LOW, SCALED, INTER];
            let codec = codecs[usize::from(data.first().copied().unwrap_or(0)) % codecs.len()];
            Op::Coded { rect, codec, data }
        }
    }
}

/// A unit over some tiles, most of the time between registers that there are. What its data can do is the business of
/// another oracle; here some bytes are a unit, as others are none.
pub(super) fn update(script: &mut Script<'_>, size: Size) -> Op {
    let grid = TileGrid::new(size);
    let bits = script.u8();
    let tiles = (0..grid.len()).filter(|tile| *tile == 0 || bits >> (tile % 8) & 1 == 1);
    let tiles = TileMask::of(grid, tiles);
    let choice = script.u8();
    let register = |bits: u8| if bits == 7 { 9 } else { bits % 5 };
    let models = Models { from: register(choice & 7), into: register(choice >> 3 & 7) };
    let alone = choice >> 6 != 0;
    Op::Update(Box::new(Update::new(grid, tiles, alone, models, script.bytes(24))))
}

/// The tile under the corner of `rect`.
fn tiles(rect: Rect, size: Size) -> Rect {
    let grid = TileGrid::new(size);
    let tile = grid.touching(Rect { w: 1, h: 1, ..rect }).next().unwrap_or(0);
    grid.rect(tile)
}

fn cursor(script: &mut Script<'_>) -> Bytes {
    let size = Size::new(1 + script.below(4), 1 + script.below(4));
    let bgra = vec![script.u8(); size.area() as usize * 4].into();
    let shape = CursorShape { seq: script.number(), size, hotspot: Point::new(0, 0), bgra };
    let bytes = Bytes::from(shape.to_bytes());
    let cut = bytes.len() - usize::from(script.u8() & 3).min(bytes.len());
    bytes.slice(..cut)
}

pub(super) fn action(script: &mut Script<'_>) -> Action {
    match script.below(6) {
        0 => Action::Key { code: u16::from(script.u8()) * 3, pressed: script.chance() },
        1 => Action::Button { code: 0x110 + u16::from(script.u8() & 7), pressed: script.chance(), at: None },
        2 => Action::Pointer(Place { output: 0, x: script.u8().into(), y: script.u8().into() }),
        3 => Action::Text("x".repeat(script.number().min(1_024) as usize)),
        4 => Action::Keys(Default::default()),
        _ => Action::Wheel { dx: script.number() as i32, dy: 1 },
    }
}

const MAX_PIXELS: u64 = 1 << 15;
/// What the client display hands out before it gets an answer.
const MAX_PAINTING: usize = 32;
