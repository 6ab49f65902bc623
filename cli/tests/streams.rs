//! Byte streams of both SDKs over real QUIC: what an agent, a device or a file speaks through, beside a picture.

#[path = "support/desk.rs"]
mod desk;
mod support;

use std::time::{Duration, Instant};

use desk::Desk;
use lightbox_client::{ByteStream, Client, Config, Event as Seen, Read, StreamEvent, Urgency};
use lightbox_codec::geom::Rect;
use lightbox_server::{Event, SessionId};
use support::{PATIENCE, connect, until};

/// A client with room for streams, and its session.
fn connected(desk: &mut Desk) -> (Client, SessionId) {
    let client = Client::connect(Config::new(desk.address()).streams(4)).unwrap();
    let Event::Joined { session, .. } = desk.hear(|event| matches!(event, Event::Joined { .. })) else {
        unreachable!()
    };
    until("the client is welcome", || {
        matches!(client.events().next_within(Duration::from_millis(20)), Some(Seen::Connected { .. }))
    });
    (client, session)
}

/// The stream event of the client that is looked for; all others are dropped.
fn seen<R>(client: &Client, what: impl Fn(StreamEvent) -> Option<R>) -> R {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(Seen::Stream(event)) = client.events().next_within(Duration::from_millis(20))
            && let Some(found) = what(event)
        {
            return found;
        }
        assert!(Instant::now() < end, "the client was not told");
    }
}

/// A stream that the server opens and the client takes.
fn open(desk: &mut Desk, client: &Client, session: SessionId, name: &str) -> (ByteStream, ByteStream) {
    let here = desk.server.open_stream(session, name.parse().unwrap(), Urgency::Bulk).unwrap();
    let offered = seen(client, |event| match event {
        StreamEvent::Offered { stream, name: named, .. } if named.as_str() == name => Some(stream),
        _ => None,
    });
    let there = client.accept_stream(offered).unwrap();
    let accepted = StreamEvent::Accepted(here.id());
    desk.hear(|event| matches!(event, Event::Stream { event, .. } if *event == accepted));
    (here, there)
}

/// Moves what can be moved: writes of `all` from `sent`, and appends to `got` what has come.
fn pump(from: &ByteStream, to: &ByteStream, all: &[u8], sent: &mut usize, got: &mut Vec<u8>) {
    *sent += from.write(&all[*sent..]).unwrap();
    let mut piece = vec![0; 64 << 10];
    while let Read::Bytes(len) = to.read(&mut piece).unwrap() {
        got.extend_from_slice(&piece[..len]);
    }
}

#[test]
fn megabytes_cross_both_ways_beside_a_picture() {
    let mut desk = Desk::new(|config| config.streams(4));
    let (client, session) = connected(&mut desk);
    let (here, there) = open(&mut desk, &client, session, "files");
    let all: Vec<u8> = (0..3_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (mut sent, mut got) = ((0, 0), (Vec::new(), Vec::new()));
    let mut n = 0;
    until("all bytes are there", || {
        n += 1;
        desk.paint(Rect::new(n % 500, n % 300, 60, 40), n);
        pump(&here, &there, &all, &mut sent.0, &mut got.0);
        pump(&there, &here, &all, &mut sent.1, &mut got.1);
        got.0.len() == all.len() && got.1.len() == all.len()
    });
    assert!(got.0 == all && got.1 == all);
    here.end().unwrap();
    until("the end is read", || there.read(&mut [0]) == Ok(Read::End));
    desk.proves(&client);
}

#[test]
fn a_stream_that_nobody_reads_holds_up_nothing_else() {
    let mut desk = Desk::new(|config| config.streams(4));
    let (client, session) = connected(&mut desk);
    let (here, _there) = open(&mut desk, &client, session, "files");
    let all = vec![7; 1 << 20];
    let taken = here.write(&all).unwrap();
    assert!(taken < all.len() && here.write(&all) == Ok(0), "{taken} bytes were taken");
    let (other, its_end) = open(&mut desk, &client, session, "agent");
    let (mut sent, mut got) = (0, Vec::new());
    until("the other stream goes on", || {
        pump(&other, &its_end, &all, &mut sent, &mut got);
        got.len() == all.len()
    });
    desk.paint(Rect::new(0, 0, 640, 400), 5);
    desk.proves(&client);
}

#[test]
fn streams_are_refused_closed_and_not_there_unless_asked_for() {
    let mut desk = Desk::new(|config| config.streams(4));
    let (client, session) = connected(&mut desk);
    let mine = client.open_stream("usb.0".parse().unwrap(), Urgency::Urgent).unwrap();
    let offered =
        desk.hear(|event| matches!(event, Event::Stream { event: StreamEvent::Offered { .. }, .. }));
    let Event::Stream { event: StreamEvent::Offered { stream, .. }, .. } = offered else { unreachable!() };
    desk.server.refuse_stream(session, stream, "no devices on this ward");
    let why = seen(&client, |event| match event {
        StreamEvent::Closed { stream, why } if stream == mine.id() => Some(why),
        _ => None,
    });
    assert_eq!(why.reason, "no devices on this ward");

    // What is dropped is closed at the other end.
    let (here, there) = open(&mut desk, &client, session, "agent");
    let id = there.id();
    drop(here);
    seen(&client, |event| matches!(event, StreamEvent::Closed { stream, .. } if stream == id).then_some(()));
    assert!(there.write(b"x").is_err());

    let mut deaf = Desk::new(|config| config);
    let client = connect(deaf.address());
    let joined = deaf.hear(|event| matches!(event, Event::Joined { .. }));
    let Event::Joined { session, .. } = joined else { unreachable!() };
    assert!(client.open_stream("usb.0".parse().unwrap(), Urgency::Normal).is_err());
    assert!(deaf.server.open_stream(session, "usb.0".parse().unwrap(), Urgency::Normal).is_err());
}
