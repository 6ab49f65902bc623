//! A hostile client against a server.

use lightbox_protocol::digest::Digest;
use lightbox_protocol::geom::TileIndex;
use lightbox_protocol::msg::control::{
    Capabilities, Close, Control, Hello, Layout, Proof, Resume, Role, Root, SessionId, TileProof,
};
use lightbox_protocol::msg::display::{Feedback, Op};
use lightbox_protocol::msg::input::{Action, Copies, Event as InputEvent, Place, PointerAt};
use lightbox_protocol::session::server::{Command, Door, Event, ServerSession};
use lightbox_protocol::session::{Cause, Effect, Lane, Session};
use lightbox_protocol::wire::Encode;
use lightbox_protocol::wire::frame;
use lightbox_protocol::wire::ids::{close, control as kind, input};

use super::Verdict::{self, Closes, GoesOn};
use super::{NOW, control, datagram, part, raw, stream, suffer};
use crate::pair::{Picture, SIZE, effects, new_frame, new_server};

type Misdeed = Cause<Command>;

fn hello() -> Hello {
    Hello {
        version: 1,
        capabilities: Capabilities::default(),
        terminal: String::new(),
        ticket: Vec::new(),
        resume: None,
    }
}

fn attach(server: &mut ServerSession, hello: Hello) -> Option<u64> {
    suffer(server, [Cause::Command(Command::Attach { hello, binding: [1; 32] })]).0
}

/// A server with a client, which it sent frame 1.
fn live() -> ServerSession {
    let mut server = new_server(|_| ());
    assert_eq!(attach(&mut server, hello()), None);
    let begin = server.begin(NOW, 1).expect("room for a frame");
    let mut picture = Picture::new();
    let ops = vec![Op::Fill { rect: SIZE.rect(), pixel: [9, 0, 0, 0] }];
    picture.paint(&ops, &[]);
    assert!(server.frame(NOW, &new_frame(begin.seq, &begin.context, ops, &picture)));
    effects(&mut server);
    server
}

fn message(message: Control) -> Misdeed {
    Cause::Control(message.to_frame())
}

/// A proof of wrong digests.
fn proof(id: u64, surface: u32, generation: u32, tiles: &[(TileIndex, u64)]) -> Misdeed {
    let claim = |&(tile, epoch): &(TileIndex, u64)| TileProof { tile, epoch, digest: Digest([0xee; 16]) };
    message(Control::Proof(Proof { id, surface, generation, tiles: tiles.iter().map(claim).collect() }))
}

/// A wrong root.
fn root(surface: u32, generation: u32, tiles: &[TileIndex]) -> Misdeed {
    let root = Digest([0xee; 16]);
    message(Control::Root(Root { id: 1, surface, generation, root, tiles: tiles.into() }))
}

/// The body of a root over one run of tiles too many.
fn long_run() -> Vec<u8> {
    [&[1, 1, 1, 1, 0, 0x47, 0xd1][..], &[0; 16]].concat()
}

fn event(seq: u64, action: Action) -> Vec<u8> {
    frame::write(input::EVENT, &InputEvent { seq, action }).to_vec()
}

fn key(code: u16) -> Action {
    Action::Key { code, pressed: true }
}

/// The input stream with these events.
fn events(all: impl IntoIterator<Item = (u64, Action)>) -> Misdeed {
    let bodies = all.into_iter().flat_map(|(seq, action)| event(seq, action));
    part(1, &[2].into_iter().chain(bodies).collect::<Vec<_>>())
}

/// The actions among `seen`.
fn actions(seen: Vec<Effect<Event>>) -> Vec<Action> {
    let action = |effect| match effect {
        Effect::Event(Event::Input(action)) => Some(action),
        _ => None,
    };
    seen.into_iter().filter_map(action).collect()
}

#[test]
fn strangers_at_the_door() {
    let door = |bytes: &[u8]| Door::new().read(bytes).map_err(|why| why.code);
    let framed = |hello: &Hello| Control::Hello(hello.clone()).to_frame().to_vec();
    let good = framed(&hello());
    for (name, bytes, code) in [
        ("garbage", vec![0xff; 100], close::LIMIT),
        ("long varint", vec![0x40, 1], close::MALFORMED),
        ("no version", framed(&Hello { version: 0, ..hello() }), close::VERSION),
        ("proof first", vec![2, 5, 1, 1, 1, 0, 0], close::UNEXPECTED),
        ("unknown type first", vec![0x30, 0], close::UNEXPECTED),
        ("more than 4 KiB", vec![1, 0x50, 1], close::LIMIT),
        ("a message behind it", [&good[..], &[3]].concat(), close::UNEXPECTED),
        ("cut inside its length", vec![1, 3, 1, 0, 0], close::MALFORMED),
        ("trailing byte", vec![1, 6, 1, 0, 0, 0, 0, 0], close::MALFORMED),
    ] {
        assert_eq!(door(&bytes), Err(code), "{name}");
    }
    assert_eq!(door(&framed(&Hello { version: 9, ..hello() })).map(|hello| hello.is_some()), Ok(true));
    // In pieces of one byte it is the same, and a part is not yet wrong.
    let mut door = Door::new();
    for byte in &good[..good.len() - 1] {
        assert_eq!(door.read(&[*byte]), Ok(None));
    }
    assert!(door.read(&good[good.len() - 1..]).is_ok_and(|hello| hello.is_some()));
}

#[test]
fn a_client_that_cannot_be_served_leaves_the_session_to_others() {
    let with = |change: fn(&mut Capabilities)| {
        let mut hello = hello();
        change(&mut hello.capabilities);
        hello
    };
    for poor in [with(|it| it.max_pixels = 100), with(|it| it.codecs.clear()), with(|it| it.codecs = vec![7])]
    {
        let mut server = new_server(|_| ());
        assert_eq!(attach(&mut server, poor), Some(close::LIMIT));
        assert_eq!(attach(&mut server, hello()), None);
        assert!(server.is_live());
    }
}

#[test]
fn a_resume_takes_the_secret_and_the_connection() {
    let mut server = new_server(|_| ());
    let (_, _, seen) =
        suffer(&mut server, [Cause::Command(Command::Attach { hello: hello(), binding: [1; 32] })]);
    let welcome = seen.iter().find_map(|effect| match effect {
        Effect::Send(_, bytes) => match Control::read(kind::WELCOME, &bytes[3..]) {
            Ok(Some(Control::Welcome(welcome))) => Some(welcome),
            _ => None,
        },
        _ => None,
    });
    let secret = welcome.expect("a welcome").resume_secret;
    let resume = |session, secret: [u8; 32], binding: [u8; 32]| Resume {
        session: SessionId(session),
        proof: *blake3::keyed_hash(&secret, &binding).as_bytes(),
        applied_to: u64::MAX >> 2,
    };
    assert!(server.is_resumed_by(&resume([5; 16], secret, [2; 32]), &[2; 32]));
    for (name, wrong) in [
        ("another session", resume([6; 16], secret, [2; 32])),
        ("another secret", resume([5; 16], [0; 32], [2; 32])),
        ("a proof of another connection", resume([5; 16], secret, [1; 32])),
    ] {
        assert!(!server.is_resumed_by(&wrong, &[2; 32]), "{name}");
        // Even where the caller lets it in, it does not go on.
        let mut server = new_server(|_| ());
        let hello = Hello { resume: Some(wrong), ..hello() };
        let (_, _, seen) = suffer(&mut server, [Cause::Command(Command::Attach { hello, binding: [2; 32] })]);
        assert!(seen.contains(&Effect::Event(Event::Attached { resumed: false })), "{name}");
    }
}

/// Whoever resumes takes the session over: what was for the connection before does not leave on the new one.
#[test]
fn a_takeover_begins_with_its_welcome() {
    let mut server = live();
    let begin = server.begin(NOW, 1).expect("room for a frame");
    assert!(server.frame(NOW, &new_frame(begin.seq, &begin.context, vec![], &Picture::new())));
    let takeover = Command::Attach { hello: hello(), binding: [2; 32] };
    server.handle(NOW, Cause::Command(takeover));
    let sent = effects(&mut server).into_iter().filter(|effect| !matches!(effect, Effect::Event(_)));
    let sent: Vec<_> = sent.collect();
    let is_welcome = |bytes: &[u8]| u64::from(bytes[0]) == kind::WELCOME;
    assert!(matches!(&sent[0], Effect::Send(Lane::Control, bytes) if is_welcome(bytes)), "{:?}", sent[0]);
    assert!(!sent.iter().any(|effect| matches!(effect, Effect::Send(Lane::Once { .. }, _))));
}

#[test]
fn messages() {
    let answered = |misdeeds| (misdeeds, GoesOn);
    let body = Control::Hello(hello()).to_bytes();
    let forever = |n: u64| (1..n).map(|i| proof(i, 1, 1, &[(0, 1)])).collect::<Vec<_>>();
    let table: Vec<(&str, (Vec<Misdeed>, Verdict))> = vec![
        ("second hello", (vec![control(kind::HELLO, &body)], Closes(close::UNEXPECTED))),
        ("verdict", (vec![control(kind::VERDICT, &[1, 0, 0])], Closes(close::UNEXPECTED))),
        ("surface gone", (vec![control(kind::SURFACE_GONE, &[1])], Closes(close::UNEXPECTED))),
        ("leds", (vec![control(kind::LEDS, &[0])], Closes(close::UNEXPECTED))),
        ("length", (vec![raw(&[2, 0x80, 1, 0, 1])], Closes(close::LIMIT))),
        ("2,001 tiles", (vec![control(kind::PROOF, &[1, 1, 1, 0, 0x47, 0xd1])], Closes(close::LIMIT))),
        ("17 outputs", (vec![control(kind::WANT_LAYOUT, &[17])], Closes(close::LIMIT))),
        ("unknown type", answered(vec![control(0x1f, &[9; 100])])),
        ("a layout of nothing", answered(vec![message(Control::WantLayout(Layout::default()))])),
        ("wrong digests without end", answered(forever(500))),
        ("proof of no surface", answered(vec![proof(1, 99, 1, &[(0, 1)])])),
        ("proof of another generation", answered(vec![proof(1, 1, 99, &[(0, 1)])])),
        ("proof of tiles that are not", answered(vec![proof(1, 1, 1, &[(6, 1), (u32::MAX, 1)])])),
        ("proof of frames to come", answered(vec![proof(1, 1, 1, &[(0, 2)])])),
        ("wrong root", answered(vec![root(1, 1, &[0, 1, 3])])),
        ("root of no surface", answered(vec![root(99, 1, &[0])])),
        ("root of another generation", answered(vec![root(1, 99, &[0])])),
        ("root of tiles that are not", answered(vec![root(1, 1, &[0, u32::MAX])])),
        ("2,001 tiles in one run", (vec![control(kind::ROOT, &long_run())], Closes(close::LIMIT))),
        ("proof of nothing", answered(vec![proof(1, 1, 1, &[])])),
        (
            "nack of frames that are not",
            answered(vec![message(Control::Nack(0)), message(Control::Nack(1 << 40))]),
        ),
        (
            "feedback on frames to come",
            answered(vec![datagram(
                &Feedback {
                    applied_to: (1 << 62) - 1,
                    beyond: u64::MAX,
                    decode_us: (1 << 62) - 1,
                    waiting: 9,
                }
                .to_bytes(),
            )]),
        ),
        ("cut feedback", (vec![datagram(&[2, 1])], Closes(close::MALFORMED))),
        ("empty datagram", answered(vec![datagram(&[])])),
        ("unknown datagram", answered(vec![datagram(&[0x3f])])),
        ("a frame from a client", (vec![part(1, &[3])], Closes(close::UNEXPECTED))),
        ("reserved stream kind", (vec![part(1, &[0x10])], Closes(close::UNEXPECTED))),
        ("17 streams", ((0..17).map(|id| part(id, &[2])).collect(), Closes(close::LIMIT))),
        ("input message of 3 KiB", (vec![part(1, &[2, 1, 0x4c, 0])], Closes(close::LIMIT))),
        ("unknown action", (vec![part(1, &[2, 1, 2, 1, 99])], Closes(close::MALFORMED))),
        ("key 768", (vec![part(1, &[2, 1, 5, 1, 1, 0, 3, 1])], Closes(close::MALFORMED))),
        ("65 copies", (vec![datagram(&[1, 0x40, 0x41])], Closes(close::LIMIT))),
    ];
    for (name, (misdeeds, expect)) in table {
        let mut server = live();
        let (code, ..) = suffer(&mut server, misdeeds);
        let got = code.map_or(GoesOn, Closes);
        assert_eq!(got, expect, "{name}");
        assert_eq!(server.is_live(), expect == GoesOn, "{name}");
        assert_eq!(server.counts().verified, 0, "{name}: something is verified");
    }
}

/// SPEC.md 14.2: what is held ahead of a missing event is bounded, and the stream brings the rest.
#[test]
fn input_floods() {
    let mut server = live();
    let (code, _, seen) = suffer(&mut server, [events((2..5_000).map(|seq| (seq, key(30))))]);
    assert_eq!((code, actions(seen).len()), (None, 0));
    let (_, _, seen) = suffer(&mut server, [part(1, &event(1, key(30)))]);
    // Event 1 and those held behind it; later ones were dropped, and are lost with the client's order.
    assert!(actions(seen).len() <= 513);

    let far = Copies {
        events: vec![InputEvent { seq: (1 << 62) - 1, action: key(30) }],
        pointer: Some(PointerAt { seq: (1 << 62) - 1, after: (1 << 62) - 1, at: Place::default() }),
    };
    let (code, _, seen) = suffer(&mut live(), [datagram(&far.to_bytes())]);
    assert_eq!((code, actions(seen)), (None, vec![]));
}

#[test]
fn replayed_events_count_once() {
    let copies = Copies { events: vec![InputEvent { seq: 1, action: key(30) }], pointer: None };
    let misdeeds = [datagram(&copies.to_bytes()), datagram(&copies.to_bytes()), events([(1, key(30))])];
    let (_, _, seen) = suffer(&mut live(), misdeeds);
    assert_eq!(actions(seen), [key(30)]);
}

#[test]
fn who_may_only_look_moves_nothing() {
    let mut server = new_server(|config| config.role = Role::View);
    assert_eq!(attach(&mut server, hello()), None);
    let copies = Copies {
        events: vec![InputEvent { seq: 2, action: key(31) }],
        pointer: Some(PointerAt { seq: 1, after: 2, at: Place::default() }),
    };
    let lost = Close::new(close::TIMEOUT, "");
    let misdeeds = [events([(1, key(42))]), datagram(&copies.to_bytes()), Cause::Lost(lost)];
    let (code, _, seen) = suffer(&mut server, misdeeds);
    assert_eq!((code, actions(seen)), (None, vec![]));
}

#[test]
fn whole_streams_may_follow_each_other() {
    let mut server = live();
    let all = (0..100).map(|i| stream(i, &[&[2][..], &event(i + 1, key(30))].concat()));
    let (code, _, seen) = suffer(&mut server, all);
    assert_eq!((code, actions(seen).len()), (None, 100));
}
