//! What each valid vector means. Invalid ones need no row: where they are read and the error is all there is to say.

use bytes::Bytes;
use lightbox_protocol::digest::Digest;
use lightbox_protocol::geom::{Point, Rect, Size, TileGrid, TileMask};
use lightbox_protocol::msg::control::{
    Capabilities, Close, Control, Hello, Layout, Output, Proof, Resume, Role, Root, SessionId, Surface,
    TileProof, Verdict, Welcome,
};
use lightbox_protocol::msg::display::{
    CursorPosition, CursorShape, Feedback, Frame, FrameHeader, Heartbeat, Op,
};
use lightbox_protocol::msg::input::{
    Action, Copies, Event, KeySet, Locks, Place, PointerAt, Touch, TouchPhase,
};
use lightbox_protocol::msg::stream::{Open, StreamMessage, Urgency};
use lightbox_protocol::msg::update::{Models, Update};
use lightbox_protocol::msg::video::{Colour, Unit};
use lightbox_protocol::pixel::{PixelFormat, SampleDepth};
use lightbox_protocol::wire::ids::{close, codec, format};

use super::value::Value;

/// Vectors that a version 1 peer reads but never writes.
pub(crate) const READ_ONLY: [&str; 4] =
    ["hello-later-version", "unknown-control", "unknown-input", "stream-unknown"];

/// Every valid vector by name.
pub(crate) fn all() -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    all.extend(admission().map(|(name, it)| (name, Value::Control(it))));
    all.extend(control().map(|(name, it)| (name, Value::Control(it))));
    all.extend(frames().map(|(name, it)| (name, Value::Frame(it))));
    all.extend(display());
    all.extend(events().map(|(name, seq, action)| (name, Value::Event(Event { seq, action }))));
    all.extend(copies());
    all.extend(streams().map(|(name, it)| (name, Value::Stream(it))));
    all.extend(["unknown-control", "unknown-input", "stream-unknown"].map(|name| (name, Value::Skipped)));
    all
}

/// The secret and the TLS exporter value behind `hello-resume`.
pub(crate) const RESUME: ([u8; 32], [u8; 32]) = ([0x11; 32], [0x22; 32]);

fn admission() -> [(&'static str, Control); 4] {
    let (codecs, max_pixels) = (vec![codec::LOSSLESS], 67_108_864);
    let formats = vec![format::BGRX8, format::GRAY8, format::GRAY16];
    let capabilities = Capabilities { codecs, formats, max_pixels, models: 0, ..Capabilities::default() };
    let hello = Hello {
        version: 1,
        capabilities: capabilities.clone(),
        terminal: "ward-3".into(),
        ticket: [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xc0].into(),
        resume: None,
    };
    let session = SessionId(rising(0x00));
    let proof = *blake3::keyed_hash(&RESUME.0, &RESUME.1).as_bytes();
    [
        (
            "hello-ticket",
            Control::Hello(Hello {
                capabilities: Capabilities { streams: 8, models: 4, ..capabilities.clone() },
                ..hello.clone()
            }),
        ),
        (
            "hello-resume",
            Control::Hello(Hello {
                ticket: Vec::new(),
                resume: Some(Resume { session, proof, applied_to: 666 }),
                ..hello
            }),
        ),
        (
            "hello-later-version",
            Control::Hello(Hello {
                version: 2,
                capabilities: Capabilities {
                    codecs: vec![codec::LOSSLESS],
                    formats: Vec::new(),
                    max_pixels: 0,
                    slots: 0,
                    streams: 0,
                    models: 0,
                },
                terminal: String::new(),
                ticket: Vec::new(),
                resume: None,
            }),
        ),
        (
            "welcome-first",
            Control::Welcome(Welcome {
                version: 1,
                capabilities,
                session,
                resume_secret: RESUME.0,
                resume_ms: 120_000,
                resumed: false,
                void_to: 0,
                role: Role::Control,
            }),
        ),
    ]
}

fn control() -> [(&'static str, Control); 13] {
    let landscape = Surface {
        id: 1,
        generation: 1,
        nonce: rising(0xf0),
        size: Size::new(1920, 1080),
        format: PixelFormat::Bgrx8,
    };
    let portrait = Surface {
        id: 2,
        generation: 2,
        size: Size::new(2048, 2560),
        format: PixelFormat::Gray16(SampleDepth::new(12).expect("12 bits")),
        ..landscape
    };
    let left = Output { id: 0, surface: 2, x: -2048, y: 0, size: portrait.size, width_mm: 338, scale: 120 };
    let right = Output { id: 1, surface: 1, x: 0, y: 531, size: landscape.size, width_mm: 520, scale: 120 };
    let wanted = Output { size: Size::new(3840, 2160), width_mm: 600, scale: 240, ..Output::default() };
    let tiles = vec![
        TileProof { tile: 3, epoch: 9, digest: Digest(rising(0x30)) },
        TileProof { tile: 70, epoch: 12, digest: Digest(rising(0x70)) },
    ];
    [
        ("surface-bgrx", Control::Surface(landscape)),
        ("surface-gray12", Control::Surface(portrait)),
        ("surface-gone", Control::SurfaceGone(2)),
        ("layout-two", Control::Layout(Layout { outputs: vec![left, right] })),
        ("want-layout", Control::WantLayout(Layout { outputs: vec![wanted] })),
        ("proof-two-tiles", Control::Proof(Proof { id: 5, surface: 1, generation: 1, tiles })),
        (
            "root-four-tiles",
            Control::Root(Root {
                id: 4,
                surface: 1,
                generation: 1,
                root: Digest(rising(0x30)),
                tiles: vec![3, 4, 5, 70],
            }),
        ),
        ("singly", Control::Singly(4)),
        (
            "verdict-all-verified",
            Control::Verdict(Verdict { proof: 5, mismatched: vec![], superseded: vec![] }),
        ),
        (
            "verdict-mixed",
            Control::Verdict(Verdict { proof: 6, mismatched: vec![0, 2], superseded: vec![7] }),
        ),
        ("nack", Control::Nack(300)),
        ("leds", Control::Leds(Locks { num: true, ..Locks::default() })),
        ("close-done", Control::Close(Close { code: close::DONE, reason: "sign out".into() })),
    ]
}

fn frames() -> [(&'static str, Frame); 10] {
    let first = FrameHeader { generation: 1, seq: 1, base: 0, capture_us: Some(1_000_000) };
    let scrolled = FrameHeader { seq: 44, base: 42, capture_us: None, ..first };
    let fill = Op::Fill { rect: Rect::new(64, 0, 64, 64), pixel: [0xff, 0, 0, 0xff] };
    let copy = Op::Copy { from: Rect::new(100, 116, 800, 584), to: Point::new(100, 100) };
    let coded = Op::Coded {
        rect: Rect::new(100, 684, 800, 16),
        codec: codec::LOSSLESS,
        data: Bytes::from_static(&[0xde, 0xad, 0xbe, 0xef]),
    };
    let scaled = Op::Coded {
        rect: Rect::new(204, 175, 900, 900),
        codec: codec::SCALED,
        data: Bytes::from_static(&[0xde, 0xad]),
    };
    let tiles = Rect::new(128, 64, 256, 192);
    let slots = vec![Op::Store { tiles, first: 800 }, Op::Show { tiles, first: 700 }];
    let pass = |codec, data| Op::Coded { rect: Rect::new(1856, 1024, 64, 56), codec, data };
    let high = pass(codec::HIGH, Bytes::from_static(&[0x02, 0xde, 0xad]));
    let low = pass(codec::LOW, Bytes::from_static(&[0xbe, 0xef]));
    let unit = Unit {
        rect: Rect::new(0, 0, 960, 576),
        codec: codec::H264,
        key: true,
        colour: Colour::default(),
        data: Bytes::from_static(&[0, 0, 0, 1, 0x67]),
    };
    let picture = Op::Picture { tiles: Rect::new(128, 64, 128, 64) };
    let four = TileMask::all(Rect::new(2, 1, 2, 2));
    let mut three = TileMask::empty(four.area());
    [(2, 1), (3, 1), (2, 2)].into_iter().for_each(|(col, row)| three.insert(col, row));
    let update = |tiles, alone, models, data: &'static [u8]| {
        let grid = TileGrid::new(Size::new(1920, 1080));
        vec![Op::Update(Box::new(Update::new(grid, tiles, alone, models, Bytes::from_static(data))))]
    };
    let first_unit = update(four, true, Models { from: 0, into: 1 }, &[0xde, 0xad]);
    let typed = update(three, false, Models { from: 1, into: 2 }, &[0xbe, 0xef]);
    [
        ("frame-update", Frame { header: FrameHeader { seq: 45, base: 44, ..scrolled }, ops: typed }),
        ("frame-update-alone", Frame { header: FrameHeader { base: 0, ..scrolled }, ops: first_unit }),
        ("frame-high", Frame { header: FrameHeader { seq: 45, base: 0, ..scrolled }, ops: vec![high] }),
        ("frame-low", Frame { header: FrameHeader { seq: 48, base: 45, ..scrolled }, ops: vec![low] }),
        ("frame-scaled", Frame { header: scrolled, ops: vec![scaled] }),
        ("frame-slots", Frame { header: FrameHeader { seq: 45, base: 44, ..scrolled }, ops: slots }),
        ("frame-video", Frame { header: scrolled, ops: vec![Op::Video(unit), picture] }),
        ("frame-fill", Frame { header: first, ops: vec![fill] }),
        ("frame-scroll", Frame { header: scrolled, ops: vec![copy, coded] }),
        ("frame-empty", Frame { header: FrameHeader { seq: 2, base: 1, ..scrolled }, ops: vec![] }),
    ]
}

fn display() -> [(&'static str, Value); 4] {
    [
        (
            "feedback",
            Value::Feedback(Feedback {
                applied_to: 666,
                beyond: 1 << 63 | 0b11,
                decode_us: 3_616,
                waiting: 1,
            }),
        ),
        (
            "heartbeat",
            Value::Heartbeat(Heartbeat {
                server_us: 12_345_678,
                behind_us: 20_000,
                ask: true,
                rtt_us: 40_000,
            }),
        ),
        (
            "cursor-at",
            Value::CursorAt(CursorPosition {
                seq: 7,
                at: Place { output: 0, x: 1919, y: 1079 },
                visible: true,
            }),
        ),
        (
            "cursor-shape",
            Value::CursorShape(CursorShape {
                seq: 2,
                size: Size::new(2, 1),
                hotspot: Point::new(1, 0),
                bgra: Bytes::from_static(&[0, 0, 0, 0xff, 0x80, 0x80, 0x80, 0x80]),
            }),
        ),
    ]
}

fn events() -> [(&'static str, u64, Action); 10] {
    let mut keys = KeySet::new();
    keys.set(42, true);
    keys.set(0x110, true);
    let at = |output, x, y| Place { output, x, y };
    let finger = Touch { id: 1, phase: TouchPhase::Move, at: at(0, 100, 200), pressure: 32_768 };
    let button = |pressed, at| Action::Button { code: 0x110, pressed, at };
    [
        ("event-key", 1, Action::Key { code: 30, pressed: true }),
        ("event-button", 2, button(true, Some(at(0, 640, 360)))),
        ("event-button-relative", 3, button(false, None)),
        ("event-pointer", 3, Action::Pointer(at(1, 10, 20))),
        ("event-motion", 4, Action::Motion { dx: -256, dy: 128 }),
        ("event-wheel", 5, Action::Wheel { dx: 0, dy: 120 }),
        ("event-text", 6, Action::Text("\u{80ba}".into())),
        ("event-touch", 7, Action::Touch(finger)),
        ("event-locks", 8, Action::Locks(Locks { caps: true, ..Locks::default() })),
        ("event-keys", 9, Action::Keys(keys)),
    ]
}

fn copies() -> [(&'static str, Value); 2] {
    let key = |seq, pressed| Event { seq, action: Action::Key { code: 30, pressed } };
    let pointer = PointerAt { seq: 41, after: 11, at: Place { output: 0, x: 641, y: 361 } };
    [
        (
            "input-copies",
            Value::Copies(Copies { events: vec![key(10, true), key(11, false)], pointer: Some(pointer) }),
        ),
        ("input-nothing", Value::Copies(Copies::default())),
    ]
}

/// 16 bytes that count up from `first`.
fn rising(first: u8) -> [u8; 16] {
    core::array::from_fn(|i| first + i as u8)
}

fn streams() -> [(&'static str, StreamMessage); 6] {
    let name = "usb.0".parse().expect("a name");
    let open = Open { name, urgency: Urgency::Urgent, credit: 256 << 10 };
    [
        ("stream-open", StreamMessage::Open(open)),
        ("stream-accept", StreamMessage::Accept(256 << 10)),
        ("stream-data", StreamMessage::Data(Bytes::from_static(b"abc"))),
        ("stream-credit", StreamMessage::Credit(64 << 10)),
        ("stream-end", StreamMessage::End),
        ("stream-close", StreamMessage::Close(Close::new(close::REFUSED, "no devices allowed!"))),
    ]
}
