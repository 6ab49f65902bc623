use super::*;
use crate::link::{Bursts, LinkConfig, Schedule};
use crate::profile::Profile;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn wire(config: LinkConfig) -> Wire {
    Wire::new(Link::new(config, 1), 1)
}

/// 20 ms of way and nothing else.
fn clear() -> LinkConfig {
    LinkConfig { delay: ms(20), ..LinkConfig::default() }
}

/// Everything that arrives before `until`, with its time.
fn drain(wire: &mut Wire, until: Time) -> Vec<(Time, Carrier, Bytes)> {
    let mut got = Vec::new();
    while let Some(at) = wire.next_arrival().filter(|at| *at <= until) {
        while let Some((carrier, bytes)) = wire.receive(at) {
            got.push((at, carrier, bytes));
        }
    }
    got
}

fn names(got: &[(Time, Carrier, Bytes)]) -> Vec<&[u8]> {
    got.iter().map(|(_, _, bytes)| &bytes[..]).collect()
}

#[test]
fn a_lane_keeps_its_order_and_streams_go_past() {
    // Down for 5 ms: the first packets are lost and sent again after a round trip.
    let mut wire = wire(LinkConfig { outages: vec![Schedule::once(ms(0), ms(5))], ..clear() });
    wire.send(Time(0), Carrier::Ordered(1), Bytes::from_static(b"one"));
    wire.send(Time(10_000), Carrier::Ordered(1), Bytes::from_static(b"two"));
    wire.send(Time(10_000), Carrier::Ordered(2), Bytes::from_static(b"other lane"));
    wire.send(Time(10_000), Carrier::Stream(9), Bytes::from_static(b"stream"));
    let got = drain(&mut wire, Time(1_000_000));
    assert_eq!(names(&got), [&b"other lane"[..], b"stream", b"one", b"two"]);
    assert_eq!(got[0].0, Time(30_000));
    assert!(got[2].0 >= Time(60_000), "a loss costs at least the round trip of 40 ms: {}", got[2].0);
    assert_eq!(got[2].0, got[3].0, "what waited for the head comes with it");
}

#[test]
fn datagrams_may_be_lost_and_reliable_messages_never() {
    let bursts = Some(Bursts { enter: 0.05, leave: 0.2, loss: 0.8 });
    let mut wire = wire(LinkConfig { bursts, rate: 20_000_000, queue: 50_000, ..clear() });
    for i in 0..500u64 {
        let at = Time(i * 10_000);
        wire.send(at, Carrier::Datagram, Bytes::from(vec![0; 100]));
        wire.send(at, Carrier::Ordered(0), Bytes::copy_from_slice(&i.to_le_bytes()));
        wire.send(at, Carrier::Stream(i), Bytes::from(vec![0; 1 + (i as usize * 37) % 5000]));
    }
    let got = drain(&mut wire, Time(60_000_000));
    let count = |which: fn(&Carrier) -> bool| got.iter().filter(|(_, c, _)| which(c)).count();
    let datagrams = count(|c| *c == Carrier::Datagram);
    assert!((300..490).contains(&datagrams), "{datagrams}");
    assert_eq!(count(|c| matches!(c, Carrier::Stream(_))), 500);
    let lane: Vec<_> = got.iter().filter(|g| g.1 == Carrier::Ordered(0)).map(|g| g.2.clone()).collect();
    assert_eq!(lane, (0..500u64).map(|i| Bytes::copy_from_slice(&i.to_le_bytes())).collect::<Vec<_>>());
    assert_eq!(wire.next_arrival(), None);
}

#[test]
fn the_pace_keeps_a_large_message_out_of_the_links_queue() {
    let mut wire = wire(LinkConfig { rate: 8_000_000, queue: 10_000, ..clear() });
    wire.send(Time(0), Carrier::Stream(0), Bytes::from(vec![7; 1_000_000]));
    wire.send(Time(100_000), Carrier::Ordered(0), Bytes::from_static(b"now"));
    let got = drain(&mut wire, Time(10_000_000));
    assert_eq!(wire.link().counts().lost_queue, 0);
    assert_eq!(&got[0].2[..], b"now");
    assert!(got[0].0 < Time(124_000), "it goes before the stream: {}", got[0].0);
    assert!((Time(1_040_000)..Time(1_050_000)).contains(&got[1].0), "{}", got[1].0);
    assert_eq!(got[1].2.len(), 1_000_000);
}

#[test]
fn a_frozen_receiver_gets_all_of_it_afterwards() {
    let mut wire = wire(clear());
    wire.hold();
    wire.send(Time(0), Carrier::Ordered(0), Bytes::from_static(b"a"));
    wire.send(Time(1), Carrier::Datagram, Bytes::from_static(b"b"));
    assert_eq!((wire.next_arrival(), wire.receive(Time(90_000))), (None, None));
    wire.release();
    assert!(wire.next_arrival().is_some_and(|at| at <= Time(90_000)));
    assert_eq!(wire.receive(Time(90_000)).map(|m| m.1), Some(Bytes::from_static(b"a")));
    assert_eq!(wire.receive(Time(90_000)).map(|m| m.1), Some(Bytes::from_static(b"b")));
}

#[test]
fn a_partition_ends_and_what_is_reliable_comes_through() {
    let mut wire = wire(clear());
    wire.partition(Time(5_000_000));
    wire.send(Time(0), Carrier::Datagram, Bytes::from_static(b"gone"));
    wire.send(Time(0), Carrier::Stream(0), Bytes::from_static(b"kept"));
    let got = drain(&mut wire, Time(60_000_000));
    assert_eq!(names(&got), [b"kept"]);
    assert!((Time(5_020_000)..Time(6_300_000)).contains(&got[0].0), "{}", got[0].0);
}

#[test]
fn a_seed_is_a_trace_however_often_one_looks() {
    let trace = |seed: u64, look_often: bool| {
        let (down, _) = Profile::named("N5").expect("N5").links(seed);
        let mut wire = Wire::new(down, seed);
        let mut got = Vec::new();
        for i in 0..1_000u64 {
            let now = Time(i * 33_000);
            if look_often {
                got.extend(drain(&mut wire, now).into_iter().map(|(at, c, b)| (at, c, b.len())));
            }
            wire.send(now, Carrier::Stream(i), Bytes::from(vec![0; 20_000]));
            wire.send(now, Carrier::Datagram, Bytes::from_static(&[0; 60]));
        }
        got.extend(drain(&mut wire, Time(200_000_000)).into_iter().map(|(at, c, b)| (at, c, b.len())));
        got
    };
    let often = trace(3, true);
    assert_eq!(often, trace(3, true));
    assert_ne!(often, trace(4, true));
    let strip = |t: &[(Time, Carrier, usize)]| t.iter().map(|m| (m.1, m.2)).collect::<Vec<_>>();
    assert_eq!(strip(&often), strip(&trace(3, false)));
}
