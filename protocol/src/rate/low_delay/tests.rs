//! Senders that always have something to send, over one bottleneck, in virtual time.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::*;

const PACKET: u64 = 1200;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Whose window a sender goes by.
enum Sender {
    Ours(Box<LowDelay>),
    /// One packet more a round, half at a loss: what fills every queue.
    Reno {
        window: f64,
        halved: u64,
    },
}

/// A line: how fast, how long, how much waits before it, what it loses by itself.
struct Line {
    bytes_per_s: u64,
    base_us: u64,
    queue_us: u64,
    loss_percent: u64,
    free_at: u64,
    dice: u64,
    lost: u64,
}

/// What a sender hears of one packet. Ordered by time, then by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    at: u64,
    number: u64,
    who: usize,
    sent: u64,
    lost: bool,
}

struct World {
    now: u64,
    line: Line,
    senders: Vec<(Sender, u64)>,
    answers: BinaryHeap<Reverse<Answer>>,
    count: u64,
    delivered: Vec<u64>,
}

impl World {
    fn new(mbit: u64, base: Duration, queue: Duration, senders: Vec<Sender>) -> Self {
        let line = Line {
            bytes_per_s: mbit * 125_000,
            base_us: base.as_micros() as u64,
            queue_us: queue.as_micros() as u64,
            loss_percent: 0,
            free_at: 0,
            dice: 1,
            lost: 0,
        };
        let delivered = alloc::vec![0; senders.len()];
        let senders = senders.into_iter().map(|sender| (sender, 0)).collect();
        Self { now: 0, line, senders, answers: BinaryHeap::new(), count: 0, delivered }
    }

    fn ours() -> Sender {
        Sender::Ours(Box::new(LowDelay::new(Config::default(), Time(0), PACKET as u16)))
    }

    fn first(&self) -> &LowDelay {
        let Sender::Ours(it) = &self.senders[0].0 else { unreachable!("the first is always ours") };
        it
    }

    /// Lets `for_` pass; `watch` looks after every answer.
    fn run(&mut self, for_: Duration, mut watch: impl FnMut(u64, &World)) {
        let end = self.now + for_.as_micros() as u64;
        self.delivered.fill(0);
        loop {
            self.send();
            let Some(&Reverse(answer)) = self.answers.peek() else { return };
            if answer.at > end {
                self.now = end;
                return;
            }
            self.answers.pop();
            self.now = answer.at;
            self.answer(answer);
            watch(answer.at, self);
        }
    }

    fn send(&mut self) {
        for who in 0..self.senders.len() {
            loop {
                let (sender, in_flight) = &mut self.senders[who];
                let window = match sender {
                    Sender::Ours(it) => it.window(),
                    Sender::Reno { window, .. } => *window as u64,
                };
                if *in_flight + PACKET > window {
                    break;
                }
                *in_flight += PACKET;
                self.count += 1;
                let (at, lost) = self.line.offer(self.now);
                self.answers.push(Reverse(Answer { at, number: self.count, who, sent: self.now, lost }));
            }
        }
    }

    fn answer(&mut self, Answer { who, sent, lost, .. }: Answer) {
        let now = self.now;
        let (sender, in_flight) = &mut self.senders[who];
        *in_flight -= PACKET;
        self.delivered[who] += u64::from(!lost) * PACKET;
        match sender {
            Sender::Ours(it) if lost => it.on_loss(Time(now), PACKET, false),
            Sender::Ours(it) => {
                it.on_ack(Time(now), Time(sent), PACKET, Duration::from_micros(now - sent));
                it.on_end_acks(Time(now), *in_flight);
            }
            Sender::Reno { window, halved } if lost && sent > *halved => {
                (*window, *halved) = ((*window / 2.0).max(2.0 * PACKET as f64), now);
            }
            Sender::Reno { window, .. } => *window += (PACKET * PACKET) as f64 / *window,
        }
    }

    /// The part of what the line carries in `for_` that the first sender got since the last `run`.
    fn share(&self, for_: Duration) -> f64 {
        self.delivered[0] as f64 / (self.line.bytes_per_s as f64 * for_.as_secs_f64())
    }
}

impl Line {
    /// When the sender hears of a packet offered now, and whether it was lost.
    fn offer(&mut self, now: u64) -> (u64, bool) {
        self.dice = self.dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let waits = self.free_at.saturating_sub(now);
        let full = waits > self.queue_us;
        if !full {
            self.free_at = now + waits + PACKET * 1_000_000 / self.bytes_per_s;
        }
        let lost = full || self.dice >> 33 & 127 < self.loss_percent * 128 / 100;
        self.lost += u64::from(lost);
        (self.free_at.max(now) + self.base_us, lost)
    }
}

#[test]
fn fills_the_line_and_not_its_queue() {
    for (mbit, base) in [(2, 80), (20, 40), (100, 5), (20, 300)] {
        let mut world = World::new(mbit, ms(base), ms(500), alloc::vec![World::ours()]);
        world.run(ms(8000), |_, _| {});
        let mut worst = Duration::ZERO;
        world.run(ms(10_000), |_, world| worst = worst.max(world.first().estimate().queue_delay));
        assert!(world.share(ms(10_000)) > 0.85, "{mbit} Mbit/s, {base} ms: {}", world.share(ms(10_000)));
        // One step of growth is a tenth of what is on a long way.
        assert!(worst < ms(60.max(base / 3)), "{mbit} Mbit/s, {base} ms: {worst:?}");
        assert_eq!(world.first().estimate().min_rtt.as_millis() as u64 / 10, base / 10);
    }
}

#[test]
fn takes_a_bad_radio_for_what_it_is() {
    let mut world = World::new(20, ms(40), ms(60), alloc::vec![World::ours()]);
    world.line.loss_percent = 5;
    world.run(ms(10_000), |_, _| {});
    assert!(world.share(ms(10_000)) > 0.8, "{}", world.share(ms(10_000)));
    assert!((0.01..0.10).contains(&world.first().estimate().loss));
}

#[test]
fn halves_when_loss_stays_high() {
    let mut world = World::new(20, ms(40), ms(60), alloc::vec![World::ours()]);
    world.run(ms(5000), |_, _| {});
    let before = world.first().window();
    world.line.loss_percent = 30;
    world.run(ms(12_000), |_, _| {});
    assert!(world.first().window() < before / 2, "{before} -> {}", world.first().window());
}

#[test]
fn learns_a_longer_path_within_two_seconds() {
    for base in [5, 40, 100] {
        let mut world = World::new(20, ms(base), ms(300), alloc::vec![World::ours()]);
        world.run(ms(10_000), |_, _| {});
        world.line.base_us += 40_000;
        let mut states = alloc::vec![world.first().state()];
        world.run(ms(2000), |_, world| {
            if states.last() != Some(&world.first().state()) {
                states.push(world.first().state());
            }
        });
        assert!(states.starts_with(&[State::Steady, State::Drain, State::Steady]), "{base} ms: {states:?}");
        let known = world.first().estimate().min_rtt;
        assert!((ms(base + 35)..ms(base + 60)).contains(&known), "{base} ms: {known:?}");
        world.run(ms(2000), |_, _| {});
        assert!(world.share(ms(2000)) > 0.8, "{base} ms: {}", world.share(ms(2000)));
    }
}

#[test]
fn follows_a_falling_rate_at_once() {
    let mut world = World::new(20, ms(40), ms(1000), alloc::vec![World::ours()]);
    world.run(ms(8000), |_, _| {});
    world.line.bytes_per_s /= 4;
    // What was under way is four times too much now and has to leave first.
    world.run(ms(1000), |_, _| {});
    let mut worst = Duration::ZERO;
    world.run(ms(3000), |_, world| worst = worst.max(world.first().estimate().queue_delay));
    assert!(worst < ms(60), "{worst:?}");
    assert!(world.share(ms(3000)) > 0.8, "{}", world.share(ms(3000)));
}

#[test]
fn keeps_a_third_beside_a_flow_that_fills_the_queue_and_comes_back_from_it() {
    let reno = Sender::Reno { window: 20_000.0, halved: 0 };
    let mut world = World::new(4, ms(80), ms(300), alloc::vec![World::ours(), reno]);
    world.run(ms(15_000), |_, _| {});
    world.run(ms(60_000), |_, _| {});
    let share = world.share(ms(60_000));
    assert!((0.35..0.75).contains(&share), "{share}");

    // The other one goes: the queue has to go as well.
    world.senders.truncate(1);
    world.answers.retain(|Reverse(answer)| answer.who == 0);
    world.run(ms(30_000), |_, _| {});
    let mut worst = Duration::ZERO;
    world.run(ms(5000), |_, world| worst = worst.max(world.first().estimate().queue_delay));
    assert!(worst < ms(100), "{worst:?} in {:?}", world.first().state());
}

#[test]
fn a_window_that_nobody_fills_does_not_grow() {
    let mut it = LowDelay::new(Config::default(), Time(0), PACKET as u16);
    let first = it.window();
    for i in 1..1000 {
        it.on_ack(Time(i * 20_000), Time(i * 20_000 - 10_000), PACKET, ms(10));
        it.on_end_acks(Time(i * 20_000), 0);
    }
    assert_eq!(it.window(), first);
}

#[test]
fn never_falls_below_its_floor() {
    let config = Config { floor: 256 << 10, ..Config::default() };
    let mut it = LowDelay::new(config, Time(0), PACKET as u16);
    for i in 1..100 {
        it.on_ack(Time(i * 1_000_000), Time(i * 1_000_000 - i * 9_000), PACKET, ms(10));
        it.on_ecn();
        it.on_loss(Time(i * 1_000_000), 100 * PACKET, true);
        it.on_end_acks(Time(i * 1_000_000), 0);
        assert!(it.window() >= 256 << 10);
    }
    it.on_mtu(1452);
    assert!(it.window() >= 256 << 10);
}
