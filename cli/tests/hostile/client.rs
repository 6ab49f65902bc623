//! Hostile clients against a server that serves an honest one.

use lightbox_client::{Client as Honest, Event as Seen};
use lightbox_codec::geom::Rect;
use lightbox_net::address::Address;
use lightbox_net::endpoint::{Client, ClientConfig, Connection};
use lightbox_net::tls;
use lightbox_protocol::Time;
use lightbox_protocol::digest::Digest;
use lightbox_protocol::msg::control::{Capabilities, Close, Control, Hello, Proof, TileProof};
use lightbox_protocol::msg::input::{Action, Event as InputEvent};
use lightbox_protocol::session::client::{ClientSession, Command, Config};
use lightbox_protocol::session::{Cause, Effect, Session};
use lightbox_protocol::wire::frame;
use lightbox_protocol::wire::ids::{close, control as kind, input, stream};
use lightbox_server::Event;

use crate::desk::Desk;
use crate::support::{PATIENCE, connect, until};
use crate::{Misdeed, block_on, closed, control, misbehave};

/// A desktop and the honest client that it serves all the time.
struct Scene {
    desk: Desk,
    honest: Honest,
}

impl Scene {
    fn new() -> Self {
        let mut desk = Desk::new(|config| config);
        let honest = connect(desk.address());
        desk.paint(Rect::new(0, 0, 640, 400), 1);
        desk.proves(&honest);
        Self { desk, honest }
    }

    /// A change reaches the honest client, exact, whatever is done beside it; and nobody else is left.
    fn goes_on(&mut self, n: u32) {
        self.desk.paint(Rect::new(n % 300, n % 100, 200, 150), n + 2);
        until("hostile sessions are gone", || self.desk.server.sessions().len() == 1);
        self.desk.proves(&self.honest);
        while let Some(event) = self.honest.events().try_next() {
            assert!(!matches!(event, Seen::Lost(_) | Seen::Ended(_)), "{event:?}");
        }
    }

    fn ticket(&self) -> Vec<u8> {
        let address: Address = self.desk.address().parse().unwrap();
        address.ticket.unwrap().to_string().into_bytes()
    }
}

fn hello(version: u64, ticket: Vec<u8>) -> Hello {
    let capabilities = Capabilities::default();
    Hello { version, capabilities, terminal: "hostile".into(), ticket, resume: None }
}

fn knock(hello: Hello) -> Vec<u8> {
    [&[stream::CONTROL as u8][..], &Control::Hello(hello).to_frame()].concat()
}

async fn dial(address: &str) -> (Client, Connection) {
    let mut config = ClientConfig::new(tls::provider());
    // Little is taken in, so that a server finds out early that it is not read.
    config.settings.receive_window = 64 << 10;
    let endpoint = Client::open(config).unwrap();
    let connection = endpoint.connect(&address.parse().unwrap()).await.unwrap();
    (endpoint, connection)
}

/// The code with which the server ends a client that sends `bytes` first of all, and `misdeeds` then.
fn before_admission(name: &str, desk: &Desk, bytes: &[u8], misdeeds: Vec<Misdeed>) -> (u64, String) {
    block_on(async {
        let (_endpoint, connection) = dial(&desk.address()).await;
        let (mut send, _recv) = connection.quic().open_bi().await.unwrap();
        let _ = send.write_all(bytes).await;
        let _open = misbehave!(connection, send, misdeeds);
        closed(name, &connection).await
    })
}

#[test]
fn strangers_get_one_clear_refusal() {
    let mut scene = Scene::new();
    let good = knock(hello(1, vec![]));
    let used = scene.ticket();
    assert_eq!(after_admission("the ticket's owner", &scene, used.clone(), vec![], true), None);
    let long = [&[stream::CONTROL as u8, kind::HELLO as u8, 0x50, 0x01][..], &[0; 100]].concat();
    let two = [&good[..], &Control::Nack(1).to_frame()].concat();
    let message = |m: Control| [&[stream::CONTROL as u8][..], &m.to_frame()].concat();
    let noise = |n: u8| Misdeed::Datagram(vec![n; 900]);
    let table: Vec<(&str, Vec<u8>, Vec<Misdeed>, u64)> = vec![
        ("version 0", knock(hello(0, vec![])), vec![], close::VERSION),
        ("no ticket", good.clone(), vec![], close::REFUSED),
        ("a used ticket", knock(hello(1, used)), vec![], close::REFUSED),
        ("a long ticket", knock(hello(1, vec![b'A'; 65])), vec![], close::LIMIT),
        ("a long message", long, vec![], close::LIMIT),
        ("garbage", [&[1][..], &[0xFF; 300]].concat(), vec![], close::LIMIT),
        ("a varint that is longer than it must be", vec![1, 0x40, 0x01, 1, 0], vec![], close::MALFORMED),
        ("a hello of nothing", vec![1, 1, 0], vec![], close::MALFORMED),
        ("another message first", message(Control::Nack(1)), vec![], close::UNEXPECTED),
        ("more behind the hello", two, vec![], close::UNEXPECTED),
        ("another stream first", vec![stream::INPUT as u8, 1, 0], vec![], close::UNEXPECTED),
        ("an end before the hello", good[..9].to_vec(), vec![Misdeed::End], close::UNEXPECTED),
        ("half a hello, then silence", good[..9].to_vec(), (0..200).map(noise).collect(), close::TIMEOUT),
    ];
    for (n, (name, bytes, misdeeds, expect)) in table.into_iter().enumerate() {
        let (code, words) = before_admission(name, &scene.desk, &bytes, misdeeds);
        assert_eq!(code, expect, "{name}: {words}");
        scene.goes_on(n as u32);
    }
}

/// More strangers than the server takes, none of whom says a word: who has something to say comes in at once.
#[test]
fn a_crowd_of_silent_strangers_keeps_nobody_from_working() {
    let mut scene = Scene::new();
    let address = scene.desk.address();
    block_on(async {
        let mut crowd = Vec::new();
        for n in 0..300 {
            let endpoint = Client::open(ClientConfig::new(tls::provider())).unwrap();
            // The one that has been silent for longest has to go.
            let connection = endpoint.connect(&address.parse().unwrap()).await.ok();
            crowd.push((endpoint, connection));
            if n % 100 == 0 {
                scene.goes_on(n);
            }
        }
        scene.goes_on(301);
        // While they are all there still.
        let newcomer = connect(scene.desk.address());
        scene.desk.proves(&newcomer);
        for connection in crowd.iter().filter_map(|(_, connection)| connection.as_ref()) {
            // With a code, or without one where it was not listened for in time.
            tokio::time::timeout(PATIENCE, connection.quic().closed()).await.expect("they are sent away");
        }
    });
    let second = connect(scene.desk.address());
    scene.desk.proves(&second);
}

/// The code with which the server ends an admitted client that does `misdeeds`; `None` if it goes on.
fn after_admission(
    name: &str,
    scene: &Scene,
    ticket: Vec<u8>,
    misdeeds: Vec<Misdeed>,
    goes_on: bool,
) -> Option<(u64, String)> {
    block_on(async {
        let (_endpoint, connection) = dial(&scene.desk.address()).await;
        let (mut send, mut recv) = connection.quic().open_bi().await.unwrap();
        send.write_all(&knock(hello(1, ticket))).await.unwrap();
        let first = recv.read_chunk(1, true).await.unwrap().unwrap();
        assert_eq!(u64::from(first.bytes[0]), kind::WELCOME);
        let _open = misbehave!(connection, send, misdeeds);
        if !goes_on {
            return Some(closed(name, &connection).await);
        }
        // What the server does with the last misdeed is done before it reads this word.
        let _ = send.write_all(&Control::Close(Close::new(close::DONE, "enough")).to_frame()).await;
        Some(closed(name, &connection).await).filter(|(code, _)| *code != close::DONE)
    })
}

/// Digests of what surface 0 never showed.
fn proof(epoch: u64, tiles: u32) -> Misdeed {
    let tile = |tile| TileProof { tile, epoch, digest: Digest([7; 16]) };
    control(&Control::Proof(Proof {
        id: 1,
        surface: 0,
        generation: 1,
        tiles: (0..tiles).map(tile).collect(),
    }))
}

#[test]
fn who_was_admitted_and_breaks_the_rules_goes_alone() {
    let mut scene = Scene::new();
    let many = |n: usize, misdeed: Misdeed| vec![misdeed; n];
    let one = |misdeed| vec![misdeed];
    let message = Misdeed::message;
    let table: Vec<(&str, Vec<Misdeed>, Option<u64>)> = vec![
        ("half a proof", one(message(kind::PROOF, &[1])), Some(close::MALFORMED)),
        ("2,001 tiles", one(message(kind::PROOF, &[1, 1, 1, 0, 0x47, 0xD1])), Some(close::LIMIT)),
        ("a long message", one(Misdeed::Control(vec![2, 0x80, 1, 0, 1])), Some(close::LIMIT)),
        ("a second hello", one(control(&Control::Hello(hello(1, vec![])))), Some(close::UNEXPECTED)),
        ("a server's message", one(control(&Control::SurfaceGone(0))), Some(close::UNEXPECTED)),
        ("the end of the control stream", one(Misdeed::End), Some(close::UNEXPECTED)),
        ("a frame", one(Misdeed::Stream(vec![stream::FRAME as u8, 0], true)), Some(close::UNEXPECTED)),
        ("a reserved stream", one(Misdeed::Stream(vec![0x10], false)), Some(close::UNEXPECTED)),
        ("an unknown stream", one(Misdeed::Stream(vec![0x3F; 9_000], true)), Some(close::UNEXPECTED)),
        ("a second control stream", one(Misdeed::Both(vec![1, 1, 0])), Some(close::UNEXPECTED)),
        ("a stream that is reset", one(Misdeed::Reset(vec![2])), Some(close::UNEXPECTED)),
        ("streams without end", many(40, Misdeed::Stream(vec![2], false)), Some(close::LIMIT)),
        ("an action of 3 KiB", one(Misdeed::Stream(vec![2, 1, 0x4C, 0], false)), Some(close::LIMIT)),
        ("half an acknowledgement", one(Misdeed::Datagram(vec![2, 1])), Some(close::MALFORMED)),
        ("answers are not read", many(700, proof(1 << 40, 2_000)), Some(close::LIMIT)),
        ("unknown datagrams", many(500, Misdeed::Datagram(vec![0x3F; 900])), None),
        ("unknown messages", many(500, message(0x1F, &[9; 3_000])), None),
        ("wrong digests", many(300, proof(1, 70)), None),
        ("frames that never were", many(200, control(&Control::Nack(1 << 40))), None),
        ("nothing can be painted", many(300, control(&Control::Nack(1))), Some(close::LIMIT)),
    ];
    for (n, (name, misdeeds, expect)) in table.into_iter().enumerate() {
        let got = after_admission(name, &scene, scene.ticket(), misdeeds, expect.is_none());
        assert_eq!(got.as_ref().map(|(code, _)| *code), expect, "{name}: {got:?}");
        scene.goes_on(n as u32);
    }
}

/// The desktop's application reads nothing: the room is bounded, and who fills it loses the session.
#[test]
fn input_that_nobody_reads_ends_its_session() {
    let mut scene = Scene::new();
    let mut bytes = vec![stream::INPUT as u8];
    for seq in 1..40_000 {
        let action = Action::Key { code: 30, pressed: seq % 2 == 1 };
        bytes.extend(frame::write(input::EVENT, &InputEvent { seq, action }));
    }
    let (code, words) =
        after_admission("input", &scene, scene.ticket(), vec![Misdeed::Stream(bytes, false)], false).unwrap();
    assert_eq!(code, close::LIMIT, "{words}");
    scene.goes_on(1);
    while scene.desk.server.events().try_next().is_some() {}
    scene.honest.input(Action::Key { code: 2, pressed: true });
    scene.desk.hear(|event| matches!(event, Event::Input { action: Action::Key { code: 2, .. }, .. }));
}

/// A client that comes back before its old connection is found dead has its session at once, and alone.
#[test]
fn whoever_resumes_replaces_the_connection_before() {
    let scene = Scene::new();
    let (address, ticket) = (scene.desk.address(), scene.ticket());
    let config = Config { terminal: "twice".into(), ticket, capabilities: Capabilities::default() };
    let mut session = ClientSession::new(config);
    block_on(async {
        let mut connections = Vec::new();
        for again in [false, true] {
            let (endpoint, connection) = dial(&address).await;
            session.handle(Time(1), Cause::Command(Command::Connect { binding: *connection.binding() }));
            let (mut send, mut recv) = connection.quic().open_bi().await.unwrap();
            send.write_all(&[stream::CONTROL as u8]).await.unwrap();
            let mut welcomed = None;
            while welcomed.is_none() {
                loop {
                    match session.poll() {
                        Effect::Send(_, bytes) => send.write_all(&bytes).await.unwrap(),
                        Effect::Event(lightbox_protocol::session::client::Event::Welcome {
                            resumed, ..
                        }) => {
                            welcomed = Some(resumed);
                        }
                        Effect::Wait(_) => break,
                        _ => (),
                    }
                }
                if welcomed.is_none() {
                    let chunk = recv.read_chunk(4_096, true).await.unwrap().expect("a welcome");
                    session.handle(Time(1), Cause::Control(chunk.bytes));
                }
            }
            assert_eq!(welcomed, Some(again));
            let lost = Close::new(close::TIMEOUT, "only the client knows");
            session.handle(Time(1), Cause::Lost(lost));
            connections.push((endpoint, connection, send, recv));
        }
        let (_, old, ..) = &connections[0];
        assert_eq!(closed("the old connection", old).await.0, close::REPLACED);
        let (_, new, ..) = &connections[1];
        assert!(new.quic().close_reason().is_none(), "the old connection's end is not the session's");
        assert_eq!(scene.desk.server.sessions().len(), 2);
    });
}

/// Sessions that never begin take no place.
#[test]
fn a_terminal_that_cannot_show_the_desktop_is_told_and_forgotten() {
    let scene = Scene::new();
    let mut blind = hello(1, scene.ticket());
    blind.capabilities.max_pixels = 1;
    let (code, words) = before_admission("blind", &scene.desk, &knock(blind), vec![]);
    assert!(code == close::LIMIT && words.contains("pixels"), "{code} {words}");
    until("no session is left of it", || scene.desk.server.sessions().len() == 1);
}
