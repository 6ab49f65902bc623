//! Byte streams between two sessions: what one end writes the other reads, no faster than it grants, and a stream ends
//! with its connection.

use lightbox_protocol::channel::stream::{
    Carrier, MAX_CREDIT, Read, StreamError, StreamEvent, StreamId, WINDOW,
};
use lightbox_protocol::msg::control::{Close, Role};
use lightbox_protocol::msg::stream::{Name, Open, StreamMessage, Urgency};
use lightbox_protocol::session::{Cause, Effect, Session, client, server};
use lightbox_protocol::wire::ids::close;
use proptest::prelude::*;

use crate::pair::{Pair, effects, new_server};

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn connected() -> Pair {
    let mut pair = Pair::new();
    pair.connect();
    pair
}

fn server_told(pair: &mut Pair) -> Vec<StreamEvent> {
    pair.run();
    let told = std::mem::take(&mut pair.server_events).into_iter();
    told.filter_map(|event| match event {
        server::Event::Stream(event) => Some(event),
        _ => None,
    })
    .collect()
}

fn client_told(pair: &mut Pair) -> Vec<StreamEvent> {
    pair.run();
    let told = std::mem::take(&mut pair.client_events).into_iter();
    told.filter_map(|event| match event {
        client::Event::Stream(event) => Some(event),
        _ => None,
    })
    .collect()
}

/// A stream that the server opened and the client took: both ends' numbers.
fn open(pair: &mut Pair) -> (StreamId, StreamId) {
    let here = pair.server.streams().open(name("usb.0"), Urgency::Urgent).expect("room for a stream");
    let told = client_told(pair);
    let [StreamEvent::Offered { stream: there, name: named, urgency: Urgency::Urgent }] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(named.as_str(), "usb.0");
    pair.client.streams().accept(*there).expect("it is offered");
    assert_eq!(server_told(pair), [StreamEvent::Accepted(here)]);
    (here, *there)
}

/// All that can be read now.
fn read(session: &mut impl Session, id: StreamId) -> (Vec<u8>, Read) {
    let (mut all, mut piece) = (Vec::new(), [0; 1_000]);
    loop {
        match session.streams().read(id, &mut piece).expect("an open stream") {
            Read::Bytes(len) => all.extend_from_slice(&piece[..len]),
            other => return (all, other),
        }
    }
}

#[test]
fn bytes_go_as_far_as_the_reader_grants_and_on_when_it_reads() {
    let mut pair = connected();
    let (here, there) = open(&mut pair);
    let all: Vec<u8> = (0..WINDOW * 3).map(|i| (i / 7) as u8).collect();
    let mut written = pair.server.streams().write(here, &all).unwrap();
    assert_eq!(written, WINDOW as usize, "a window and no more");
    assert_eq!(pair.server.streams().write(here, &all[written..]), Ok(0));
    assert_eq!(client_told(&mut pair), [StreamEvent::Readable(there)]);
    let mut seen = Vec::new();
    while written < all.len() {
        let (bytes, state) = read(&mut pair.client, there);
        assert!(!bytes.is_empty() && state == Read::Nothing);
        seen.extend(bytes);
        assert_eq!(server_told(&mut pair), [StreamEvent::Writable(here)]);
        written += pair.server.streams().write(here, &all[written..]).unwrap();
        assert_eq!(client_told(&mut pair), [StreamEvent::Readable(there)], "told once a time");
    }
    pair.server.streams().end(here).unwrap();
    assert_eq!(pair.server.streams().write(here, b"more"), Err(StreamError::Ended));
    pair.run();
    let (rest, state) = read(&mut pair.client, there);
    seen.extend(rest);
    assert!(seen == all && state == Read::End);

    // The other direction goes on, and what came before its end is read after it.
    assert_eq!(pair.client.streams().write(there, b"thanks"), Ok(6));
    pair.client.streams().end(there).unwrap();
    assert_eq!(server_told(&mut pair), [StreamEvent::Readable(here)]);
    assert_eq!(read(&mut pair.server, here), (b"thanks".to_vec(), Read::End));
    pair.server.streams().close(here, Close::new(close::DONE, ""));
    pair.client.streams().close(there, Close::new(close::DONE, ""));
    assert_eq!((server_told(&mut pair), client_told(&mut pair)), (vec![], vec![]), "ended without a word");
    assert_eq!(pair.server.streams().write(here, b"x"), Err(StreamError::Closed));
}

#[test]
fn each_side_opens_as_many_as_were_agreed_on_and_room_comes_back() {
    let mut pair = connected();
    for turn in 0..5 {
        let opened: Vec<_> = (0..3)
            .map(|_| pair.client.streams().open(name("files"), Urgency::Bulk).expect("room for three"))
            .collect();
        let fourth = pair.client.streams().open(name("files"), Urgency::Bulk);
        assert_eq!(fourth, Err(StreamError::TooMany { limit: 3 }));
        let offered = server_told(&mut pair);
        assert_eq!(offered.len(), 3, "turn {turn}");
        for event in offered {
            let StreamEvent::Offered { stream, .. } = event else { panic!("{event:?}") };
            pair.server.streams().close(stream, Close::new(close::REFUSED, "no shares here"));
        }
        let refused = client_told(&mut pair);
        let why = Close::new(close::REFUSED, "no shares here");
        for stream in opened {
            assert!(refused.contains(&StreamEvent::Closed { stream, why: why.clone() }), "{refused:?}");
        }
    }
}

#[test]
fn streams_end_with_their_connection_before_it_is_said_to_be_gone() {
    let mut pair = connected();
    let (here, there) = open(&mut pair);
    pair.server_events.clear();
    pair.lose();
    let closed = |event: &StreamEvent| matches!(event, StreamEvent::Closed { stream, .. } if *stream == here);
    let told: Vec<_> = pair.server_events.iter().collect();
    let at = told.iter().position(|e| matches!(e, server::Event::Stream(event) if closed(event)));
    let gone = told.iter().position(|e| matches!(e, server::Event::Detached(_)));
    assert!(at.is_some() && at < gone, "{told:?}");
    assert!(matches!(&client_told(&mut pair)[..], [StreamEvent::Closed { stream, .. }] if *stream == there));
    let nobody = pair.server.streams().open(name("usb.0"), Urgency::Normal);
    assert_eq!(nobody, Err(StreamError::TooMany { limit: 0 }));
    pair.connect();
    pair.server_events.clear();
    assert_ne!(open(&mut pair), (here, there), "numbers are not used again");
}

#[test]
fn who_may_only_look_opens_nothing_and_may_be_opened_to() {
    let mut pair = Pair::with_server(new_server(|config| config.role = Role::View));
    pair.connect();
    let mine = pair.client.streams().open(name("usb.0"), Urgency::Normal).unwrap();
    assert_eq!(server_told(&mut pair), []);
    let told = client_told(&mut pair);
    let refused = |why: &Close| why.code == close::REFUSED;
    assert!(
        matches!(&told[..], [StreamEvent::Closed { stream, why }] if *stream == mine && refused(why)),
        "{told:?}"
    );
    open(&mut pair);
}

/// The code with which a server closes, after these bytes of the client's stream 0.
fn closes(pieces: &[(&[u8], bool)]) -> Option<u64> {
    let mut pair = connected();
    let carrier = Carrier { ours: false, number: 0 };
    for (bytes, fin) in pieces {
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        pair.server.handle(pair.now, Cause::Both { carrier, bytes, fin: *fin });
        let accept = effects(&mut pair.server).into_iter().find_map(|effect| match effect {
            Effect::Close(why) => Some(Err(why.code)),
            Effect::Event(server::Event::Stream(StreamEvent::Offered { stream, .. })) => Some(Ok(stream)),
            _ => None,
        });
        match accept {
            Some(Err(code)) => return Some(code),
            Some(Ok(stream)) => pair.server.streams().accept(stream).unwrap(),
            None => (),
        }
    }
    None
}

#[test]
fn who_breaks_the_rules_of_a_stream_is_sent_away() {
    let first = |credit| {
        let open = Open { name: name("usb.0"), urgency: Urgency::Normal, credit };
        [&[5][..], &StreamMessage::Open(open).to_frame()].concat()
    };
    let open = &first(1_000)[..];
    let data = |len: usize| StreamMessage::Data(vec![7; len].into()).to_frame();
    let credit = |more| StreamMessage::Credit(more).to_frame();
    let (end, close_it) = (StreamMessage::End.to_frame(), StreamMessage::Close(Close::new(0, "")).to_frame());
    let most = data(16 << 10);
    let mut window = vec![(open, false)];
    window.extend(std::iter::repeat_n((&most[..], false), WINDOW as usize / most.len() + 2));
    for (what, pieces, code) in [
        ("nothing wrong", vec![(open, false), (&data(100), false), (&end, false)], None),
        ("closed by its opener", vec![(open, false), (&close_it, true)], None),
        ("closed, and on it goes", vec![(open, false), (&close_it, false), (&data(9), true)], None),
        ("another kind", vec![(&[2][..], false)], Some(close::UNEXPECTED)),
        ("data first", vec![(&[&[5][..], &data(1)].concat()[..], false)], Some(close::UNEXPECTED)),
        ("opened twice", vec![(open, false), (&open[1..], false)], Some(close::UNEXPECTED)),
        ("over its credit", window, Some(close::LIMIT)),
        (
            "data after the end",
            vec![(open, false), (&end, false), (&data(1), false)],
            Some(close::UNEXPECTED),
        ),
        ("cut off", vec![(open, true)], Some(close::UNEXPECTED)),
        ("half ended", vec![(open, false), (&end, true)], Some(close::UNEXPECTED)),
        ("empty data", vec![(open, false), (&[3, 0], false)], Some(close::MALFORMED)),
        ("too long", vec![(open, false), (&[3, 0x80, 0, 0x40, 1], false)], Some(close::LIMIT)),
        ("too generous", vec![(open, false), (&credit(MAX_CREDIT), false)], Some(close::LIMIT)),
        ("too generous at once", vec![(&first(MAX_CREDIT + 1), false)], Some(close::LIMIT)),
    ] {
        assert_eq!(closes(&pieces), code, "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever both applications do, in whatever pieces: what is read is the front of what was written, and two honest
    /// ends never close the connection.
    #[test]
    fn what_is_read_was_written(steps in prop::collection::vec((0..6u8, 1..80_000usize), 1..120)) {
        let mut pair = connected();
        let (here, there) = open(&mut pair);
        let (mut down, mut up) = ((0u64, 0u64), (0u64, 0u64));
        let bytes = |from: u64, len: usize| -> Vec<u8> { (from..).take(len).map(|i| ((i * 31) >> 3) as u8).collect() };
        for (step, len) in steps {
            let mut piece = vec![0; len];
            match step {
                0 => down.0 += pair.server.streams().write(here, &bytes(down.0, len)).unwrap() as u64,
                1 => up.0 += pair.client.streams().write(there, &bytes(up.0, len)).unwrap() as u64,
                2 => if let Read::Bytes(len) = pair.client.streams().read(there, &mut piece).unwrap() {
                    prop_assert_eq!(&piece[..len], &bytes(down.1, len));
                    down.1 += len as u64;
                },
                3 => if let Read::Bytes(len) = pair.server.streams().read(here, &mut piece).unwrap() {
                    prop_assert_eq!(&piece[..len], &bytes(up.1, len));
                    up.1 += len as u64;
                },
                _ => pair.run(),
            }
            prop_assert!(down.0 - down.1 <= u64::from(WINDOW) && up.0 - up.1 <= u64::from(WINDOW));
        }
        pair.run();
        prop_assert_eq!(read(&mut pair.client, there).0, bytes(down.1, (down.0 - down.1) as usize));
        prop_assert_eq!(read(&mut pair.server, here).0, bytes(up.1, (up.0 - up.1) as usize));
    }
}
