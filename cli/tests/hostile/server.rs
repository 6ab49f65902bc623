//! Hostile servers against a client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lightbox_client::{Client, Event};
use lightbox_net::address::{Address, Host};
use lightbox_net::endpoint::{Connection, Server, ServerConfig};
use lightbox_net::tls::{self, Identity};
use lightbox_protocol::geom::{Point, Rect, Size};
use lightbox_protocol::msg::control::{
    Capabilities, Close, Control, Hello, Layout, Output, Role, Root, SessionId, Surface, Verdict, Welcome,
};
use lightbox_protocol::msg::display::{FrameHeader, Op};
use lightbox_protocol::pixel::PixelFormat;
use lightbox_protocol::wire::ids::{close, codec, control as kind, stream};
use lightbox_protocol::wire::{Encode, frame::Assembler};

use crate::support::{PATIENCE, connect};
use crate::{Misdeed, block_on, control, misbehave};

const SIZE: Size = Size { w: 150, h: 100 };

fn welcome(version: u64) -> Misdeed {
    control(&Control::Welcome(Welcome {
        version,
        capabilities: Capabilities::default(),
        session: SessionId([5; 16]),
        resume_secret: [6; 32],
        resume_ms: 1_000,
        resumed: false,
        void_to: 0,
        role: Role::Control,
    }))
}

fn surface(id: u32, size: Size) -> Misdeed {
    let format = PixelFormat::Bgrx8;
    control(&Control::Surface(Surface { id, generation: 1, nonce: [3; 16], size, format }))
}

/// A frame of surface 1, behind the two control messages of an honest beginning.
fn frame(seq: u64, base: u64, ops: &[Op]) -> Misdeed {
    let header = FrameHeader { generation: 1, seq, base, capture_us: None };
    let mut bytes = header.to_bytes();
    ops.iter().for_each(|op| bytes.extend(op.to_bytes()));
    Misdeed::Stream(bytes, true)
}

fn fill(rect: Rect, blue: u8) -> Op {
    Op::Fill { rect, pixel: [blue, 0, 0, 0xFF] }
}

fn coded(codec: u64, data: &[u8]) -> Op {
    Op::Coded { rect: Rect::new(0, 0, 64, 64), codec, data: data.to_vec().into() }
}

/// Admits an honest client to a server that then does `misdeeds`; what `see` makes of both ends.
fn against<T>(misdeeds: Vec<Misdeed>, see: impl AsyncFnOnce(&Client, &Connection, &mut Heard) -> T) -> T {
    block_on(async {
        let identity = Arc::new(Identity::self_signed(&["hostile"], &tls::provider()).unwrap());
        let listen = "127.0.0.1:0".parse().unwrap();
        let server = Server::open(ServerConfig::new(listen, tls::provider(), identity.clone())).unwrap();
        let at = server.local_addr().unwrap();
        let (host, fingerprint) = (Host::Ip(at.ip()), Some(identity.fingerprint()));
        let client = connect(Address { host, port: at.port(), ticket: None, fingerprint }.to_string());
        let connection = server.accept().await.unwrap().establish().await.unwrap();
        connection.admit();
        let (mut send, mut recv) = connection.quic().accept_bi().await.unwrap();
        let heard = Heard::default();
        let reader = heard.clone();
        tokio::spawn(async move {
            let mut assembler = Assembler::new(1 << 16);
            let mut kind = true;
            while let Ok(Some(chunk)) = recv.read_chunk(4_096, true).await {
                assembler.push(&chunk.bytes[usize::from(std::mem::take(&mut kind))..]);
                while let Ok(Some((kind, body))) = assembler.next_message() {
                    reader.0.lock().unwrap().extend(Control::read(kind, &body).unwrap());
                }
            }
        });
        let mut heard = heard;
        let _open = misbehave!(connection, send, misdeeds);
        see(&client, &connection, &mut heard).await
    })
}

/// What the client said on its control stream.
#[derive(Clone, Default)]
struct Heard(Arc<std::sync::Mutex<Vec<Control>>>);

impl Heard {
    fn any(&self, what: impl Fn(&Control) -> bool) -> bool {
        self.0.lock().unwrap().iter().any(what)
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "gave up waiting: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Why the client ends its session with a server that does `misdeeds`.
fn ended(name: &str, misdeeds: Vec<Misdeed>) -> Close {
    against(misdeeds, async |client: &Client, _: &Connection, _: &mut Heard| {
        let mut why = None;
        until(name, || {
            while let (None, Some(event)) = (&why, client.events().try_next()) {
                if let Event::Ended(close) = event {
                    why = Some(close);
                }
            }
            why.is_some()
        })
        .await;
        why.expect("it was waited for")
    })
}

/// Whether the client still shows what it is sent after these `misdeeds`, and what it said besides.
fn goes_on(name: &str, mut misdeeds: Vec<Misdeed>, says: impl Fn(&Control) -> bool) {
    misdeeds.push(frame(200, 0, &[fill(SIZE.rect(), 0xEE)]));
    against(misdeeds, async |client: &Client, _: &Connection, heard: &mut Heard| {
        until(name, || {
            let shows =
                client.with_surface(1, |image| image.rows().flatten().step_by(4).all(|blue| *blue == 0xEE));
            shows == Some(true) && heard.any(&says)
        })
        .await;
        assert_eq!(client.counts().verified, 0, "{name}: nobody proved anything");
    });
}

/// Misdeeds behind an honest beginning.
fn live(misdeeds: impl IntoIterator<Item = Misdeed>) -> Vec<Misdeed> {
    [welcome(1), surface(1, SIZE)].into_iter().chain(misdeeds).collect()
}

#[test]
fn a_server_that_breaks_the_rules_is_left() {
    let hello = Hello {
        version: 1,
        capabilities: Capabilities::default(),
        terminal: String::new(),
        ticket: vec![],
        resume: None,
    };
    let output = |id| Output { id, surface: 1, x: 0, y: 0, size: SIZE, width_mm: 0, scale: 0 };
    let outputs = Layout { outputs: (0..17).map(output).collect() };
    let wide = [&[2, 1][..], &[0; 16], &[0, 0, 1]].concat();
    let cursor = |id: u64| Misdeed::Stream(vec![stream::CURSOR as u8, id as u8], false);
    let shape = [&[4, 1][..], &[0x67, 0x10, 0x67, 0x10], &[0, 0]].concat();
    let half = || Misdeed::Stream(vec![stream::FRAME as u8; 3 << 20], false);
    let all = fill(SIZE.rect(), 1);
    let one = |ops: &[Op]| live([frame(1, 0, ops)]);
    let table: Vec<(&str, Vec<Misdeed>, u64)> = vec![
        ("a later version", vec![welcome(2)], close::VERSION),
        ("no welcome", vec![surface(1, SIZE)], close::UNEXPECTED),
        ("garbage", vec![Misdeed::Control(vec![0xFF; 100])], close::LIMIT),
        ("a refusal", vec![control(&Control::Close(Close::new(close::BUSY, "full")))], close::BUSY),
        ("the end of the control stream", live([Misdeed::End]), close::UNEXPECTED),
        ("a second welcome", live([welcome(1)]), close::UNEXPECTED),
        ("a hello", live([control(&Control::Hello(hello))]), close::UNEXPECTED),
        ("a nack", live([control(&Control::Nack(1))]), close::UNEXPECTED),
        ("a surface of nothing", live([Misdeed::message(kind::SURFACE, &wide)]), close::MALFORMED),
        ("a billion pixels", live([surface(2, Size::new(16_384, 16_384))]), close::LIMIT),
        ("17 surfaces", live((2..=17).map(|id| surface(id, Size::new(1, 1)))), close::LIMIT),
        ("17 outputs", live([control(&Control::Layout(outputs))]), close::LIMIT),
        ("a rect outside", one(&[fill(Rect::new(100, 0, 51, 1), 1)]), close::LIMIT),
        (
            "a copy from outside",
            one(&[Op::Copy { from: Rect::new(0, 0, 9, 101), to: Point::new(0, 0) }]),
            close::LIMIT,
        ),
        ("an unknown codec", one(&[coded(77, &[1])]), close::MALFORMED),
        (
            "more painting than there is",
            one(&[all.clone(), all.clone(), all.clone(), all.clone(), all.clone()]),
            close::LIMIT,
        ),
        ("waits for itself", live([Misdeed::Stream(vec![0x23, 1, 5, 0], true)]), close::MALFORMED),
        ("a base below nothing", live([Misdeed::Stream(vec![0x23, 1, 5, 6], true)]), close::LIMIT),
        ("the same number twice", live([frame(2, 1, &[]), frame(2, 1, &[])]), close::MALFORMED),
        ("a number far ahead", live([frame(5_000, 0, &[])]), close::LIMIT),
        ("frames that wait for ever", live((0..300).map(|n| frame(n + 3, 1, &[]))), close::LIMIT),
        ("halves of frames", live((0..12).map(|_| half())), close::LIMIT),
        (
            "one frame without end",
            live([Misdeed::Stream(vec![stream::FRAME as u8; 9 << 20], false)]),
            close::LIMIT,
        ),
        ("a huge cursor", live([Misdeed::Stream(shape, true)]), close::LIMIT),
        ("nine cursors at a time", live((0..9).map(cursor)), close::LIMIT),
        ("an unknown stream", live([Misdeed::Stream(vec![0x3F], false)]), close::UNEXPECTED),
        ("a second stream both ways", live([Misdeed::Both(vec![0x13])]), close::UNEXPECTED),
        ("a frame that is reset", live([Misdeed::Reset(vec![0x20, 1])]), close::UNEXPECTED),
        ("half a heartbeat", live([Misdeed::Datagram(vec![3, 1])]), close::MALFORMED),
    ];
    for (name, misdeeds, expect) in table {
        let why = ended(name, misdeeds);
        assert_eq!(why.code, expect, "{name}: {}", why.reason);
    }
}

#[test]
fn what_means_nothing_is_dropped() {
    let nack = |said: &Control| *said == Control::Nack(1);
    goes_on("coded garbage", live([frame(1, 0, &[coded(codec::LOSSLESS, &[0xA5; 300])])]), nack);
    goes_on("coded nothing", live([frame(1, 0, &[coded(codec::LOSSLESS, &[])])]), nack);
    let any = |_: &Control| true;
    let verdict = Verdict { proof: 7, mismatched: vec![0, 1_999], superseded: vec![] };
    let gone = Misdeed::Stream(vec![0x20, 0, 1], true);
    goes_on("a verdict on no proof", live([control(&Control::Verdict(verdict))]), any);
    goes_on("a frame of no surface", live([gone]), any);
    goes_on("datagrams of no kind", live((0..300).map(|_| Misdeed::Datagram(vec![0x3F; 900]))), any);
    goes_on("unknown messages", live((0..300).map(|_| Misdeed::message(0x3E, &[1; 3_000]))), any);
    goes_on("a proof is only the client's", live([]), |said| {
        matches!(said, Control::Root(Root { surface: 1, .. }))
    });
}

/// Each is made by the painter, which must not fall behind without end.
#[test]
fn surfaces_without_end_are_bounded() {
    let replaced = (0..20_000).map(|n| surface(2, Size::new(1_000, 1_000 - n % 2)));
    let why = ended("surfaces without end", live(replaced));
    assert_eq!(why.code, close::LIMIT, "{}", why.reason);
}
