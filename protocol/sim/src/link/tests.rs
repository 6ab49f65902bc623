use super::*;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A line of 1000 payload-and-header bytes a millisecond.
fn line() -> LinkConfig {
    LinkConfig::line(8_000_000, ms(10), ms(20))
}

const PACKET: usize = 1000 - HEADERS;

#[test]
fn sending_takes_time_and_the_way_adds_to_it() {
    let mut link = Link::new(line(), 1);
    assert_eq!(link.offer(Time(0), PACKET), Verdict::Arrive(Time(21_000)));
    assert_eq!(link.offer(Time(0), PACKET), Verdict::Arrive(Time(22_000)));
    assert_eq!(link.offer(Time(50_000), PACKET), Verdict::Arrive(Time(71_000)));
}

#[test]
fn a_full_queue_loses_the_last_ones() {
    let mut link = Link::new(line(), 1);
    let fate: Vec<bool> =
        (0..12).map(|_| matches!(link.offer(Time(0), PACKET), Verdict::Arrive(_))).collect();
    assert_eq!(fate, [true, true, true, true, true, true, true, true, true, true, false, false]);
    assert_eq!(link.counts().lost_queue, 2);
    assert!(matches!(link.offer(Time(1_000), PACKET), Verdict::Arrive(_)), "one has left");
}

#[test]
fn gaps_hold_back_and_outages_swallow() {
    let gap = Schedule::once(ms(100), ms(50));
    let mut link = Link::new(LinkConfig { gaps: vec![gap], ..line() }, 1);
    assert_eq!(link.offer(Time(110_000), PACKET), Verdict::Arrive(Time(171_000)));
    let mut link = Link::new(LinkConfig { outages: vec![gap], ..line() }, 1);
    assert_eq!(link.offer(Time(110_000), PACKET), Verdict::Lost(Reason::Outage));
    assert_eq!(link.offer(Time(150_000), PACKET), Verdict::Arrive(Time(171_000)));
}

#[test]
fn loss_is_as_frequent_as_asked() {
    let lost = |config: LinkConfig| {
        let mut link = Link::new(config, 5);
        for i in 0..200_000 {
            link.offer(Time(i * 10_000), PACKET);
        }
        link.counts().lost_chance as f64 / 200_000.0
    };
    let random = lost(LinkConfig { loss: 0.01, ..line() });
    assert!((0.009..0.011).contains(&random), "{random}");
    // The bad state holds enter / (enter + leave) of the time, and half of that is lost: 0.495 %.
    let bursts = lost(LinkConfig {
        bursts: Some(Bursts { enter: 0.0025, leave: 0.25, loss: 0.5 }),
        ..LinkConfig::default()
    });
    assert!((0.0043..0.0057).contains(&bursts), "{bursts}");
}

#[test]
fn the_rate_falls_and_comes_back() {
    let saw = LinkConfig { sawtooth: Some(Sawtooth { period: ms(5000), floor: 0.25 }), ..line() };
    assert_eq!(saw.free_rate(Time(0)), Some(8_000_000));
    assert_eq!(saw.free_rate(Time(2_500_000)), Some(5_000_000));
    assert!(saw.free_rate(Time(4_999_999)).is_some_and(|r| r < 2_001_000));
    assert_eq!(saw.free_rate(Time(5_000_000)), Some(8_000_000));
}

#[test]
fn others_take_their_share_of_line_and_queue() {
    let mut link = Link::new(LinkConfig { shared: 4_000_000, ..line() }, 3);
    let arrivals: Vec<_> = (0..8).map(|_| link.offer(Time(0), PACKET)).collect();
    assert_eq!(arrivals[4], Verdict::Arrive(Time(30_000)), "twice as slow");
    assert_eq!(arrivals[5], Verdict::Lost(Reason::QueueFull), "half as long");
}

#[test]
fn jitter_is_bounded_keeps_the_order_and_has_a_tail() {
    let jitter = Jitter { sigma: ms(5), tail: ms(80) };
    let mut link = Link::new(LinkConfig { jitter, delay: ms(3), ..LinkConfig::default() }, 9);
    let mut arrivals = Vec::new();
    for i in 0..60_000u64 {
        let Verdict::Arrive(at) = link.offer(Time(i * 1_000), 100) else { panic!("nothing loses here") };
        arrivals.push((at, at.since(Time(i * 1_000))));
    }
    assert!(arrivals.is_sorted_by_key(|(at, _)| *at));
    assert!(arrivals.iter().all(|(_, took)| (ms(3)..=ms(83)).contains(took)));
    assert!(arrivals.iter().any(|(_, took)| *took > ms(60)), "a tail");
    let mean = arrivals.iter().map(|(_, took)| took.as_micros() as u64).sum::<u64>() / 60_000;
    assert!((6_000..10_000).contains(&mean), "{mean} us");
}

#[test]
fn a_seed_is_a_trace() {
    let config = LinkConfig {
        loss: 0.05,
        shared: 1_000_000,
        jitter: Jitter { sigma: ms(4), tail: ms(40) },
        bursts: Some(Bursts { enter: 0.01, leave: 0.2, loss: 0.5 }),
        ..line()
    };
    let trace = |seed| {
        let mut link = Link::new(config.clone(), seed);
        (0..2_000u64).map(|i| link.offer(Time(i * 700), 200 + i as usize % 900)).collect::<Vec<_>>()
    };
    assert_eq!(trace(11), trace(11));
    assert_ne!(trace(11), trace(12));
}
