//! A hostile server against a client.

use lightbox_protocol::geom::{Point, Rect, Size};
use lightbox_protocol::msg::control::{
    Close, Control, Proof, Role, SessionId, Surface, Verdict as Answer, Welcome,
};
use lightbox_protocol::msg::display::{FrameHeader, Heartbeat, Op};
use lightbox_protocol::pixel::PixelFormat;
use lightbox_protocol::session::client::{ClientSession, Command, Event};
use lightbox_protocol::session::{Cause, Effect, Session};
use lightbox_protocol::wire::Encode;
use lightbox_protocol::wire::ids::{close, control as kind};

use super::Verdict::{self, Closes, GoesOn};
use super::{NOW, control, datagram, part, raw, stream, suffer};
use crate::pair::{SIZE, effects, new_client};

type Misdeed = Cause<Command>;

/// A client that said hello.
fn knocking() -> ClientSession {
    let mut client = new_client();
    client.handle(NOW, Cause::Command(Command::Connect { binding: [1; 32] }));
    effects(&mut client);
    client
}

/// A client with surface 1; the server has sent two control messages.
fn live() -> ClientSession {
    let mut client = knocking();
    let honest = [message(welcome(1)), message(Control::Surface(surface(1, SIZE)))];
    assert_eq!(suffer(&mut client, honest).0, None);
    client
}

fn welcome(version: u64) -> Control {
    Control::Welcome(Welcome {
        version,
        capabilities: Default::default(),
        session: SessionId([5; 16]),
        resume_secret: [6; 32],
        resume_ms: 1_000,
        resumed: false,
        void_to: 0,
        role: Role::Control,
    })
}

fn surface(id: u32, size: Size) -> Surface {
    Surface { id, generation: 1, nonce: [3; 16], size, format: PixelFormat::Gray8 }
}

fn message(message: Control) -> Misdeed {
    Cause::Control(message.to_frame())
}

/// The bytes of a frame for surface 1.
fn frame(seq: u64, base: u64, ops: &[Op]) -> Vec<u8> {
    let header = FrameHeader { generation: 1, seq, base, capture_us: None };
    let mut bytes = header.to_bytes();
    ops.iter().for_each(|op| bytes.extend(op.to_bytes()));
    bytes
}

fn fill(rect: Rect) -> Op {
    Op::Fill { rect, pixel: [1, 0, 0, 0] }
}

fn check(client: impl Fn() -> ClientSession, table: Vec<(&str, Vec<Misdeed>, Verdict)>) {
    for (name, misdeeds, expect) in table {
        let mut client = client();
        let (code, ..) = suffer(&mut client, misdeeds);
        match expect {
            Closes(expected) => assert_eq!(code, Some(expected), "{name}"),
            GoesOn => {
                assert_eq!(code, None, "{name}");
                assert!(paints(&mut client), "{name}: an honest frame is not painted any more");
            }
        }
    }
}

/// Whether an honest frame of a high number still gets through.
fn paints(client: &mut ClientSession) -> bool {
    let (code, _, seen) = suffer(client, [stream(7_000, &frame(200, 0, &[fill(SIZE.rect())]))]);
    code.is_none() && seen.iter().any(is_paint)
}

fn is_paint(effect: &Effect<Event>) -> bool {
    matches!(effect, Effect::Event(Event::Paint(_)))
}

#[test]
fn before_the_welcome() {
    let early = |n: usize, bytes: usize| (0..n).map(move |i| part(i as u64, &vec![0x20; bytes])).collect();
    let body = Control::Surface(surface(1, SIZE)).to_bytes();
    let Control::Welcome(mut greedy) = welcome(1) else { unreachable!("a welcome") };
    greedy.capabilities.slots += 1;
    let greedy = Control::Welcome(greedy);
    let table: Vec<(&str, Vec<Misdeed>, Verdict)> = vec![
        ("surface", vec![control(kind::SURFACE, &body)], Closes(close::UNEXPECTED)),
        ("verdict", vec![control(kind::VERDICT, &[1, 0, 0])], Closes(close::UNEXPECTED)),
        ("hello", vec![raw(&[1, 5, 1, 0, 0, 0, 0])], Closes(close::UNEXPECTED)),
        ("later version", vec![message(welcome(2))], Closes(close::VERSION)),
        ("no version", vec![message(welcome(0))], Closes(close::VERSION)),
        ("more slots than announced", vec![message(greedy)], Closes(close::LIMIT)),
        ("bytes", early(70, 64 << 10), Closes(close::LIMIT)),
        ("pieces", early(8_200, 1), Closes(close::LIMIT)),
        ("length", vec![raw(&[0x21, 0x80, 1, 0, 1])], Closes(close::LIMIT)),
        ("long varint", vec![raw(&[0x40, 0x21])], Closes(close::MALFORMED)),
        ("refusal", vec![message(Control::Close(Close::new(close::REFUSED, "")))], Closes(close::REFUSED)),
    ];
    check(knocking, table);
}

#[test]
fn control_messages() {
    let proof = Control::Proof(Proof { id: 1, surface: 1, generation: 1, tiles: Vec::new() });
    let answer =
        |proof, place| Control::Verdict(Answer { proof, mismatched: vec![place], superseded: vec![] });
    let many = (2..=17).map(|id| message(Control::Surface(surface(id, Size::new(1, 1))))).collect();
    let huge = Size::new(16_384, 16_384);
    let table: Vec<(&str, Vec<Misdeed>, Verdict)> = vec![
        ("second welcome", vec![message(welcome(1))], Closes(close::UNEXPECTED)),
        ("proof", vec![message(proof)], Closes(close::UNEXPECTED)),
        ("nack", vec![message(Control::Nack(1))], Closes(close::UNEXPECTED)),
        ("singly on no root", vec![message(Control::Singly(1)), message(Control::Singly(77))], GoesOn),
        ("unknown type", vec![control(0x3e, &[1, 2, 3])], GoesOn),
        (
            "0x0 surface",
            vec![control(kind::SURFACE, &[&[2, 1][..], &[0; 16], &[0, 0, 2, 8]].concat())],
            Closes(close::MALFORMED),
        ),
        ("10^9 pixels", vec![message(Control::Surface(surface(2, huge)))], Closes(close::LIMIT)),
        ("17 surfaces", many, Closes(close::LIMIT)),
        ("surface gone that never was", vec![message(Control::SurfaceGone(9))], GoesOn),
        ("verdict on no proof", vec![message(answer(1, 0)), message(answer(77, 1_999))], GoesOn),
        ("verdict that is cut", vec![control(kind::VERDICT, &[1, 1])], Closes(close::MALFORMED)),
        ("trailing byte", vec![control(kind::SURFACE_GONE, &[1, 1])], Closes(close::MALFORMED)),
        ("17 outputs", vec![control(kind::LAYOUT, &[17])], Closes(close::LIMIT)),
    ];
    check(live, table);
}

#[test]
fn a_surface_resized_without_end_takes_the_room_of_one() {
    let resized = (2..300).map(|generation| {
        let size = Size::new(1_000, 1_000 - generation % 2);
        message(Control::Surface(Surface { generation, size, ..surface(1, SIZE) }))
    });
    let mut client = live();
    assert_eq!(suffer(&mut client, resized).0, None);
    assert_eq!(client.counts().total, 16 * 16);
}

#[test]
fn frames() {
    let one = |ops: &[Op]| vec![stream(1, &frame(1, 0, ops))];
    let all = SIZE.rect();
    let overlapping = Op::Copy { from: Rect::new(0, 0, 100, 100), to: Point::new(1, 1) };
    let outside = Op::Copy { from: Rect::new(0, 0, 100, 100), to: Point::new(100, 0) };
    let large = Op::Coded { rect: Rect::new(0, 0, 190, 1), codec: 9, data: Default::default() };
    let header = |bytes: &[u8]| vec![stream(1, bytes)];
    let store = |tiles| Op::Store { tiles, first: 0 };
    let table: Vec<(&str, Vec<Misdeed>, Verdict)> = vec![
        ("rect that sticks out", one(&[fill(Rect::new(100, 0, 100, 1))]), Closes(close::LIMIT)),
        ("copy that sticks out", one(&[outside]), Closes(close::LIMIT)),
        ("overlapping copy", one(&[overlapping]), GoesOn),
        ("unknown codec", one(&[large]), Closes(close::MALFORMED)),
        ("stored from outside", one(&[store(Rect::new(192, 0, 64, 64))]), Closes(close::LIMIT)),
        (
            "stored five times",
            one(&[store(all), store(all), store(all), store(all), store(all)]),
            Closes(close::LIMIT),
        ),
        ("a slot that never was", one(&[Op::Show { tiles: all, first: u64::MAX >> 2 }]), GoesOn),
        (
            "painted five times",
            one(&[fill(all), fill(all), fill(all), fill(all), fill(all)]),
            Closes(close::LIMIT),
        ),
        ("65,537 operations", one(&vec![fill(Rect::new(0, 0, 1, 1)); 65_537]), Closes(close::LIMIT)),
        (
            "unknown operation",
            vec![stream(1, &[&frame(1, 0, &[])[..], &[9]].concat())],
            Closes(close::MALFORMED),
        ),
        ("a generation that never comes", header(&[0x20, 9, 1]), GoesOn),
        ("old generation", header(&[0x20, 0, 1]), GoesOn),
        ("waits for itself", header(&[0x23, 1, 5, 0]), Closes(close::MALFORMED)),
        ("base below 0", header(&[0x23, 1, 5, 6]), Closes(close::LIMIT)),
        ("cut header", header(&[0x20, 1]), Closes(close::MALFORMED)),
        (
            "repeated number",
            vec![stream(1, &frame(2, 0, &[])), stream(2, &frame(2, 0, &[]))],
            Closes(close::MALFORMED),
        ),
        (
            "repeated while waiting",
            vec![stream(1, &frame(3, 2, &[])), stream(2, &frame(3, 2, &[]))],
            Closes(close::MALFORMED),
        ),
        ("a base that never comes", vec![stream(1, &frame(2, 1, &[]))], GoesOn),
        ("unknown stream kind", vec![part(1, &[0x3f])], Closes(close::UNEXPECTED)),
        ("reserved stream kind", vec![part(1, &[0x10])], Closes(close::UNEXPECTED)),
        ("a stream of nothing", vec![part(1, &[]), stream(1, &[])], GoesOn),
    ];
    check(live, table);
}

#[test]
fn cursors_and_datagrams() {
    let beat = |server_us, behind_us, rtt_us| {
        datagram(&Heartbeat { server_us, behind_us, ask: true, rtt_us }.to_bytes())
    };
    let most = (1 << 62) - 1;
    let shapes = (0..9).map(|id| part(id, &[4])).collect();
    let long = (0..5).map(|_| part(1, &vec![4; 64 << 10])).collect();
    let table: Vec<(&str, Vec<Misdeed>, Verdict)> = vec![
        ("nine cursors at a time", shapes, Closes(close::LIMIT)),
        ("a cursor without end", long, Closes(close::LIMIT)),
        ("hotspot outside", vec![stream(1, &[4, 1, 1, 1, 1, 0, 0, 0, 0, 0])], Closes(close::MALFORMED)),
        ("cursor of 257 columns", vec![stream(1, &[4, 1, 0x41, 1, 1, 0, 0])], Closes(close::LIMIT)),
        ("empty datagram", vec![datagram(&[])], GoesOn),
        ("unknown datagram", vec![datagram(&[0x3f, 1, 2])], GoesOn),
        ("feedback from a server", vec![datagram(&[2, 1])], GoesOn),
        ("cut heartbeat", vec![datagram(&[3, 1])], Closes(close::MALFORMED)),
        ("cut cursor place", vec![datagram(&[4, 1])], Closes(close::MALFORMED)),
        ("times without end", vec![beat(most, 0, most), beat(0, most, 0), beat(0, 0, most)], GoesOn),
    ];
    check(live, table);
}

/// SPEC.md 14.2, by counting what is taken before the close.
#[test]
fn floods_end_at_the_limits() {
    // There are numbers for no more than may wait: the next is that of frame 1, whose base is not before it.
    let waiting = (0..400).map(|i| stream(i, &frame(i + 3, 1, &[])));
    assert_eq!(flood(waiting), (Some(close::LIMIT), 254));

    let megabyte = vec![0x20; 1 << 20];
    let incomplete = (0..100).map(|i| part(i / 4, &megabyte));
    assert_eq!(flood(incomplete), (Some(close::LIMIT), 32));

    let one_frame = (0..100).map(|_| part(1, &megabyte));
    assert_eq!(flood(one_frame), (Some(close::LIMIT), 8));

    // Numbers with gaps must be remembered until the gaps are filled.
    let gaps = (0..5_000).map(|i| stream(i, &frame(i * 2 + 2, 0, &[])));
    let (code, taken) = flood_painting(gaps);
    assert_eq!(code, Some(close::LIMIT));
    assert!(taken <= 256, "{taken}");

    // A client that paints slowly is not given all it could be.
    let (_, _, seen) = suffer(&mut live(), (0..200).map(|i| stream(i, &frame(i + 1, i, &[]))));
    assert!(seen.iter().filter(|effect| is_paint(effect)).count() <= 64);
}

fn flood(misdeeds: impl Iterator<Item = Misdeed>) -> (Option<u64>, usize) {
    let (code, taken, _) = suffer(&mut live(), misdeeds);
    (code, taken)
}

/// The same with an application that paints what it is given at once.
fn flood_painting(misdeeds: impl Iterator<Item = Misdeed>) -> (Option<u64>, usize) {
    let mut client = live();
    for (taken, misdeed) in misdeeds.enumerate() {
        let (code, _, seen) = suffer(&mut client, [misdeed]);
        if code.is_some() {
            return (code, taken);
        }
        for effect in seen {
            let Effect::Event(Event::Paint(paint)) = effect else { continue };
            let seq = paint.frame.header.seq;
            let painted = Command::Painted { seq, surface: 1, tiles: Some(vec![]), took: Default::default() };
            suffer(&mut client, [Cause::Command(painted)]);
        }
    }
    (None, usize::MAX)
}
