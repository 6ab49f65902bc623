//! Two sessions over a network of queues, with an application on each side that paints and digests for real.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{NewFrame, Paint};
use lightbox_protocol::channel::stream::Carrier;
use lightbox_protocol::digest::{Digest, DigestContext};
use lightbox_protocol::exact::{Left, SlotUse, Write};
use lightbox_protocol::geom::{Size, TileGrid, TileIndex};
use lightbox_protocol::msg::control::{Capabilities, Close, Layout, Output, SessionId, TileProof};
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::pixel::{ImageMut, PixelFormat};
use lightbox_protocol::session::client::{self, ClientSession};
use lightbox_protocol::session::server::{self, Door, Repair, ServerSession};
use lightbox_protocol::session::{Cause, Effect, Lane, Session};
use lightbox_protocol::wire::ids;

/// The size of every surface here: 3x2 tiles.
pub(crate) const SIZE: Size = Size::new(192, 128);

/// A server that waits for its client, with surface 1 on output 0.
pub(crate) fn new_server(change: impl FnOnce(&mut server::Config)) -> ServerSession {
    let mut config = server::Config::new(SessionId([5; 16]), [7; 32]);
    config.capabilities.streams = 3;
    change(&mut config);
    let mut session = ServerSession::new(config);
    let surface = server::Command::Surface { id: 1, size: SIZE, format: PixelFormat::Gray8 };
    let output = Output { id: 0, surface: 1, size: SIZE, scale: 120, ..Output::default() };
    for command in [surface, server::Command::Layout(Layout { outputs: vec![output] })] {
        session.handle(Time(0), Cause::Command(command));
    }
    session
}

/// A client that has no connection yet.
pub(crate) fn new_client() -> ClientSession {
    ClientSession::new(client::Config {
        terminal: "ward-3".into(),
        ticket: vec![1; 13],
        capabilities: Capabilities { max_pixels: 1 << 20, streams: 4, ..Capabilities::default() },
    })
}

/// All that a session wants done.
pub(crate) fn effects<S: Session>(session: &mut S) -> Vec<Effect<S::Event>> {
    let next = || match session.poll() {
        Effect::Wait(_) => None,
        effect => Some(effect),
    };
    std::iter::from_fn(next).collect()
}

/// Gray samples of one surface.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture(pub(crate) Vec<u8>);

impl Picture {
    pub(crate) fn new() -> Self {
        Self(vec![0; SIZE.area() as usize])
    }

    fn image(&mut self) -> ImageMut<'_> {
        ImageMut::new(&mut self.0, SIZE, SIZE.w as usize, PixelFormat::Gray8).expect("a whole image")
    }

    /// Paints `ops` everywhere but in the tiles `keep`.
    pub(crate) fn paint(&mut self, ops: &[Op], keep: &[TileIndex]) {
        let mut before = self.clone();
        for op in ops {
            let done = match op {
                Op::Fill { rect, pixel } => self.image().fill(*rect, *pixel),
                Op::Copy { from, to } => self.image().copy_within(*from, *to),
                _ => false,
            };
            assert!(done, "{op:?}");
        }
        for tile in keep {
            let rect = TileGrid::new(SIZE).rect(*tile);
            let mut old = before.image();
            let old = old.crop_mut(rect).expect("inside");
            self.image().crop_mut(rect).expect("inside").copy_from(old.as_ref());
        }
    }

    /// Not the digest of SPEC.md, which links a hash that protocol does not have; it stands for it.
    pub(crate) fn digest(&self, context: &DigestContext, tile: TileIndex, epoch: u64) -> Digest {
        let mut samples = self.clone();
        let rect = TileGrid::new(SIZE).rect(tile);
        let mut hash = blake3::Hasher::new();
        hash.update(format!("{context:?} {tile} {epoch}").as_bytes());
        let mut samples = samples.image();
        let samples = samples.crop_mut(rect).expect("inside");
        for row in samples.as_ref().rows() {
            hash.update(row);
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        Digest(digest)
    }
}

/// A frame of `ops` with what the server's application must say about it; `after` is the picture with it.
pub(crate) fn new_frame(seq: u64, context: &DigestContext, ops: Vec<Op>, after: &Picture) -> NewFrame {
    let grid = TileGrid::new(SIZE);
    let fills = |tile| {
        let covers = |op: &Op| matches!(op, Op::Fill { .. }) && op.target().contains(grid.rect(tile));
        ops.iter().any(covers)
    };
    let sources = ops.iter().filter_map(|op| match op {
        Op::Copy { from, .. } => Some(*from),
        _ => None,
    });
    let reads = sorted(sources.flat_map(|from| grid.touching(from)));
    let writes = sorted(ops.iter().flat_map(|op| grid.touching(op.target())))
        .into_iter()
        .map(|tile| Write { tile, whole: fills(tile), left: Left::Exact(after.digest(context, tile, seq)) })
        .collect();
    let (generation, surface) = (context.generation, context.surface);
    let (capture, slots) = (Time(seq), SlotUse::default());
    NewFrame { seq, generation, surface, capture, refines: false, ops, reads, writes, slots }
}

fn sorted(tiles: impl Iterator<Item = TileIndex>) -> Vec<TileIndex> {
    let mut tiles: Vec<_> = tiles.collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}

/// The stream as its other end names it.
fn other_end(carrier: Carrier) -> Carrier {
    Carrier { ours: !carrier.ours, ..carrier }
}

/// Both sessions, their applications, and what is on its way between them.
pub(crate) struct Pair {
    pub(crate) now: Time,
    pub(crate) server: ServerSession,
    pub(crate) client: ClientSession,
    /// What the server's application sent.
    pub(crate) truth: Picture,
    pub(crate) shown: BTreeMap<u32, Picture>,
    pub(crate) server_events: Vec<server::Event>,
    pub(crate) client_events: Vec<client::Event>,
    /// While true, frames stay on their way.
    pub(crate) hold_frames: bool,
    /// While true, what the client sends stays on its way.
    pub(crate) hold_client: bool,
    /// While true, the client cannot paint.
    pub(crate) broken: bool,
    connections: u8,
    to_server: VecDeque<Cause<server::Command>>,
    to_client: VecDeque<Cause<client::Command>>,
    frames: VecDeque<Cause<client::Command>>,
    streams: u64,
}

impl Pair {
    /// Two sessions that are not connected.
    pub(crate) fn new() -> Self {
        Self::with_server(new_server(|_| ()))
    }

    /// The same with a server of one's own.
    pub(crate) fn with_server(server: ServerSession) -> Self {
        Self {
            now: Time(0),
            server,
            client: new_client(),
            truth: Picture::new(),
            shown: BTreeMap::new(),
            server_events: Vec::new(),
            client_events: Vec::new(),
            hold_frames: false,
            hold_client: false,
            broken: false,
            connections: 0,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            frames: VecDeque::new(),
            streams: 0,
        }
    }

    /// Connects, or connects anew, and runs until nothing is on its way.
    pub(crate) fn connect(&mut self) {
        self.connections += 1;
        let binding = [self.connections; 32];
        self.tell_client(client::Command::Connect { binding });
        let hello = self.to_server.pop_front();
        let Some(Cause::Control(hello)) = hello else { panic!("no hello: {hello:?}") };
        let hello = Door::new().read(&hello).expect("a hello").expect("whole");
        if let Some(resume) = &hello.resume {
            assert!(self.server.is_resumed_by(resume, &binding));
        }
        self.server.handle(self.now, Cause::Command(server::Command::Attach { hello, binding }));
        self.run();
    }

    /// The connection is lost with all that was on its way.
    pub(crate) fn lose(&mut self) {
        self.take_effects();
        self.to_server.clear();
        self.to_client.clear();
        self.frames.clear();
        let why = || Close::new(ids::close::TIMEOUT, "the cable is out");
        self.client.handle(self.now, Cause::Lost(why()));
        self.server.handle(self.now, Cause::Lost(why()));
        self.run();
    }

    /// The server's application paints and sends a frame.
    pub(crate) fn paint(&mut self, ops: Vec<Op>) {
        self.truth.paint(&ops, &[]);
        self.send(ops);
    }

    /// The server's application sends tiles as they are.
    pub(crate) fn repair(&mut self, tiles: &[TileIndex]) {
        let grid = TileGrid::new(SIZE);
        let fill = |tile: &TileIndex| {
            let rect = grid.rect(*tile);
            let gray = self.truth.0[(rect.y * SIZE.w + rect.x) as usize];
            Op::Fill { rect, pixel: [gray, 0, 0, 0] }
        };
        self.send(tiles.iter().map(fill).collect());
    }

    fn send(&mut self, ops: Vec<Op>) {
        let begin = self.server.begin(self.now, 1).expect("room for a frame");
        let frame = new_frame(begin.seq, &begin.context, ops, &self.truth);
        assert!(self.server.frame(self.now, &frame));
        self.run();
    }

    /// The client's application wants something.
    pub(crate) fn tell_client(&mut self, command: client::Command) {
        self.client.handle(self.now, Cause::Command(command));
        self.take_effects();
    }

    /// Time passes, and everything that falls due in it is done.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now = self.now + Duration::from_millis(5);
            self.client.handle(self.now, Cause::Tick);
            self.server.handle(self.now, Cause::Tick);
            self.run();
        }
    }

    /// Takes the tiles that the server's application was told to send again.
    pub(crate) fn take_repairs(&mut self) -> Vec<Repair> {
        let events = std::mem::take(&mut self.server_events);
        events
            .into_iter()
            .filter_map(|event| match event {
                server::Event::Repair(repair) => Some(repair),
                _ => None,
            })
            .collect()
    }

    /// Delivers until nothing is on its way.
    pub(crate) fn run(&mut self) {
        loop {
            self.take_effects();
            let to_client = match self.to_client.pop_front() {
                None if !self.hold_frames => self.frames.pop_front(),
                other => other,
            };
            let to_server = if self.hold_client { None } else { self.to_server.pop_front() };
            if to_client.is_none() && to_server.is_none() {
                return;
            }
            to_client.into_iter().for_each(|cause| self.client.handle(self.now, cause));
            to_server.into_iter().for_each(|cause| self.server.handle(self.now, cause));
        }
    }

    fn take_effects(&mut self) {
        for effect in effects(&mut self.server) {
            match effect {
                Effect::Send(Lane::Once { .. }, bytes) => {
                    self.streams += 1;
                    self.frames.push_back(Cause::Stream { id: self.streams, bytes, fin: true });
                }
                Effect::Send(Lane::Both { carrier, last: fin, .. }, bytes) => {
                    self.to_client.push_back(Cause::Both { carrier: other_end(carrier), bytes, fin });
                }
                Effect::Send(_, bytes) => self.to_client.push_back(Cause::Control(bytes)),
                Effect::Datagram(bytes) => self.to_client.push_back(Cause::Datagram(bytes)),
                Effect::Event(event) => self.server_events.push(event),
                Effect::Close(why) => panic!("the server closes: {why}"),
                Effect::Wait(_) => (),
            }
        }
        // An event may be answered at once, and the answer has effects of its own.
        loop {
            let effects = effects(&mut self.client);
            if effects.is_empty() {
                return;
            }
            effects.into_iter().for_each(|effect| self.client_effect(effect));
        }
    }

    fn client_effect(&mut self, effect: Effect<client::Event>) {
        match effect {
            Effect::Send(Lane::Control, bytes) => self.to_server.push_back(Cause::Control(bytes)),
            Effect::Send(Lane::Both { carrier, last: fin, .. }, bytes) => {
                self.to_server.push_back(Cause::Both { carrier: other_end(carrier), bytes, fin });
            }
            Effect::Send(_, bytes) => {
                let bytes = Bytes::from([&[ids::stream::INPUT as u8], &bytes[..]].concat());
                self.to_server.push_back(Cause::Stream { id: 1, bytes, fin: true });
            }
            Effect::Datagram(bytes) => self.to_server.push_back(Cause::Datagram(bytes)),
            Effect::Event(event) => self.client_event(event),
            Effect::Close(why) => panic!("the client closes: {why}"),
            Effect::Wait(_) => (),
        }
    }

    fn client_event(&mut self, event: client::Event) {
        let answer = match &event {
            client::Event::Surface { surface, kept } => {
                if !kept {
                    self.shown.insert(surface.id, Picture::new());
                }
                None
            }
            client::Event::Paint(Paint { surface, frame, tiles, newer }) => {
                let surface = *surface;
                let painted = (!self.broken).then(|| {
                    self.shown.get_mut(&surface).expect("announced").paint(&frame.ops, newer);
                    tiles.iter().copied().filter(|tile| !newer.contains(tile)).collect()
                });
                let (seq, took) = (frame.header.seq, Duration::from_millis(1));
                Some(client::Command::Painted { seq, surface, tiles: painted, took })
            }
            client::Event::Digest { surface, context, tiles } => {
                let shown = &self.shown[surface];
                let proof = |due: &lightbox_protocol::exact::DueTile| TileProof {
                    tile: due.tile,
                    epoch: due.epoch,
                    digest: shown.digest(context, due.tile, due.epoch),
                };
                let (tiles, generation) = (tiles.iter().map(proof).collect(), context.generation);
                Some(client::Command::Digests { surface: *surface, generation, tiles })
            }
            _ => None,
        };
        self.client_events.push(event);
        if let Some(command) = answer {
            self.client.handle(self.now, Cause::Command(command));
        }
    }
}
