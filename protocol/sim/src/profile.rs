//! The project's named networks, both directions.

use std::time::Duration;

use lightbox_protocol::Time;

use crate::link::{Bursts, Jitter, Lasts, Link, LinkConfig, Sawtooth, Schedule, Spike};

/// A named network: the two directions of a path and when the client's address changes.
///
/// | name | round trip | jitter | loss | Mb/s down/up | queue | and |
/// |---|---|---|---|---|---|---|
/// | N1 LAN | 1 ms | 0.2 | 0 | 1000/1000 | 5 ms | |
/// | N2 ward Wi-Fi | 6 ms | 5, tail to 80 | bursts, 0.5 % | 60/40 | 50 ms | a roam each 30 s |
/// | N3 county line | 40 ms | 4 | 0.1 % | 20/20 | 100 ms | 1 s outage in 10 min |
/// | N4 thin line | 80 ms | 15 | 1 % | 4/4, 2 taken by others | 300 ms | 3 s outage in 10 min |
/// | N5 ambulance | 35 ms | 15 | bursts, 1 % | 40/12 falling to a quarter each 5 s | 100 ms | a handover each 20 s, 5 s outage in 5 min |
/// | N6 satellite | 50 ms | 12 | 0.2 %, 1 % in spikes | 100/10 | 100 ms | spikes each 15 s, 2 s outage in 2 min |
/// | NX bad county line | 40 ms | 1 | 1 % | 20/5 | 60 ms | |
///
/// Loss and jitter hold for each direction; the base delay is half the round trip each way. The queues of N5 and
/// N6 are our choice. The outage of a period comes in its middle.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    name: &'static str,
    down: LinkConfig,
    up: LinkConfig,
    address_changes: Option<Schedule>,
}

/// Something planned that happens to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Time,
    /// What.
    pub kind: EventKind,
}

/// What a path's [`Event`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Nothing leaves for this long, then what waited goes: a roam or a handover.
    Gap(Duration),
    /// Everything is lost for this long.
    Outage(Duration),
    /// The client has a new address from now on. The links know nothing of it: whoever joins the two ends
    /// changes it.
    AddressChange,
}

impl Profile {
    /// The names that [`Profile::named`] knows.
    pub const NAMES: [&str; 7] = ["N1", "N2", "N3", "N4", "N5", "N6", "NX"];

    /// The network of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "N1" => lan(),
            "N2" => ward_wifi(),
            "N3" => county_line(),
            "N4" => thin_line(),
            "N5" => ambulance(),
            "N6" => satellite(),
            "NX" => bad_county_line(),
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// From server to client.
    pub fn down(&self) -> &LinkConfig {
        &self.down
    }

    /// From client to server.
    pub fn up(&self) -> &LinkConfig {
        &self.up
    }

    /// The two links, down and up, of the network with this seed.
    pub fn links(&self, seed: u64) -> (Link, Link) {
        // The directions have weather of their own.
        (Link::new(self.down.clone(), seed), Link::new(self.up.clone(), seed ^ 0x5570))
    }

    /// The round trip at virtual time 0 without queues and jitter.
    pub fn base_rtt(&self) -> Duration {
        self.down.delay + self.up.delay
    }

    /// What is planned before `until`, in order of time; both directions have the same gaps and outages.
    pub fn events(&self, until: Time) -> Vec<Event> {
        let gaps = self.down.gaps.iter().flat_map(|s| s.before(until));
        let gaps = gaps.map(|w| Event { at: w.opens, kind: EventKind::Gap(w.closes.since(w.opens)) });
        let outages = self.down.outages.iter().flat_map(|s| s.before(until));
        let outages =
            outages.map(|w| Event { at: w.opens, kind: EventKind::Outage(w.closes.since(w.opens)) });
        let changes = self.address_changes.iter().flat_map(|s| s.before(until));
        let changes = changes.map(|w| Event { at: w.opens, kind: EventKind::AddressChange });
        let mut events: Vec<_> = gaps.chain(outages).chain(changes).collect();
        events.sort_by_key(|e| e.at);
        events
    }

    /// The round trip takes `by` longer from `at` on, half of it each way.
    pub fn step_rtt(mut self, at: Time, by: Duration) -> Self {
        self.down.steps.push((at, by / 2));
        self.up.steps.push((at, by - by / 2));
        self
    }

    /// Every gap takes `gap` instead: N2's worst case is 800 ms. Without effect where there is no gap.
    pub fn with_gaps_of(mut self, gap: Duration) -> Self {
        for schedule in self.down.gaps.iter_mut().chain(&mut self.up.gaps) {
            schedule.lasts = Lasts::Always(gap);
        }
        self
    }

    fn new(name: &'static str, down: LinkConfig, up: LinkConfig) -> Self {
        Self { name, down, up, address_changes: None }
    }

    /// Both directions changed alike.
    fn both(mut self, change: impl Fn(&mut LinkConfig)) -> Self {
        change(&mut self.down);
        change(&mut self.up);
        self
    }
}

fn lan() -> Profile {
    let line = || LinkConfig::line(1000 * MBIT, ms(5), us(500));
    Profile::new("N1", line(), line()).both(|l| l.jitter.sigma = us(200))
}

fn ward_wifi() -> Profile {
    let line = |mbit| LinkConfig::line(mbit * MBIT, ms(50), ms(3));
    let roam =
        Schedule { first: s(30), every: s(30), lasts: Lasts::Nth { usual: ms(50), nth: 5, then: ms(350) } };
    let mut profile = Profile::new("N2", line(60), line(40)).both(|l| {
        l.jitter = Jitter { sigma: ms(5), tail: ms(80) };
        l.bursts = Some(Bursts { enter: 0.0025, leave: 0.25, loss: 0.5 });
        l.gaps = vec![roam];
    });
    // Every tenth roam ends in another network.
    profile.address_changes = Some(every(s(300), s(300), Duration::ZERO));
    profile
}

fn county_line() -> Profile {
    let line = || LinkConfig::line(20 * MBIT, ms(100), ms(20));
    Profile::new("N3", line(), line()).both(|l| {
        l.jitter.sigma = ms(4);
        l.loss = 0.001;
        l.outages = vec![every(s(300), s(600), s(1))];
    })
}

fn thin_line() -> Profile {
    let line = || LinkConfig::line(4 * MBIT, ms(300), ms(40));
    Profile::new("N4", line(), line()).both(|l| {
        l.shared = 2 * MBIT;
        l.jitter.sigma = ms(15);
        l.loss = 0.01;
        l.outages = vec![every(s(300), s(600), s(3))];
    })
}

fn ambulance() -> Profile {
    let line = |mbit| LinkConfig::line(mbit * MBIT, ms(100), us(17_500));
    let handover = Schedule { first: s(20), every: s(20), lasts: Lasts::Between(ms(60), ms(300)) };
    let mut profile = Profile::new("N5", line(40), line(12)).both(|l| {
        l.sawtooth = Some(Sawtooth { period: s(5), floor: 0.25 });
        l.jitter.sigma = ms(15);
        l.bursts = Some(Bursts { enter: 0.004, leave: 0.2, loss: 0.5 });
        l.gaps = vec![handover];
        l.outages = vec![every(s(150), s(300), s(5))];
    });
    profile.address_changes = Some(every(s(120), s(120), Duration::ZERO));
    profile
}

fn satellite() -> Profile {
    let line = |mbit| LinkConfig::line(mbit * MBIT, ms(100), ms(25));
    // The 60 to 100 ms of a spike are the round trip's.
    let spike = |first, lasts| Spike { when: every(first, s(15), lasts), adds: (ms(30), ms(50)), loss: 0.01 };
    Profile::new("N6", line(100), line(10)).both(|l| {
        l.jitter.sigma = ms(12);
        l.loss = 0.002;
        l.spikes = vec![spike(ms(0), ms(140)), spike(ms(14_925), ms(75))];
        l.outages = vec![every(s(60), s(120), s(2))];
    })
}

fn bad_county_line() -> Profile {
    let line = |mbit| LinkConfig::line(mbit * MBIT, ms(60), ms(20));
    Profile::new("NX", line(20), line(5)).both(|l| {
        l.jitter.sigma = ms(1);
        l.loss = 0.01;
    })
}

const MBIT: u64 = 1_000_000;

const fn every(first: Duration, every: Duration, lasts: Duration) -> Schedule {
    Schedule { first, every, lasts: Lasts::Always(lasts) }
}

const fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn us(n: u64) -> Duration {
    Duration::from_micros(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Verdict;

    #[test]
    fn every_name_is_a_network_of_its_round_trip() {
        let rtts = Profile::NAMES.map(|name| {
            let profile = Profile::named(name).expect(name);
            assert_eq!(profile.name(), name);
            profile.base_rtt().as_millis()
        });
        assert_eq!(rtts, [1, 6, 40, 80, 35, 50, 40]);
        assert_eq!(Profile::named("N7"), None);
    }

    #[test]
    fn the_wards_roams_come_as_planned() {
        let events = Profile::named("N2").expect("N2").events(Time(300_000_001));
        let gaps: Vec<_> = events
            .iter()
            .filter_map(|e| match e.kind {
                EventKind::Gap(gap) => Some((e.at.0 / 1_000_000, gap.as_millis())),
                _ => None,
            })
            .collect();
        assert_eq!(gaps[..5], [(30, 50), (60, 50), (90, 50), (120, 50), (150, 350)]);
        assert_eq!(gaps.len(), 10);
        let changes: Vec<_> = events.iter().filter(|e| e.kind == EventKind::AddressChange).collect();
        assert_eq!(changes.iter().map(|e| e.at.0).collect::<Vec<_>>(), [300_000_000]);
        let worst = Profile::named("N2").expect("N2").with_gaps_of(ms(800)).events(Time(31_000_000));
        assert_eq!(worst, [Event { at: Time(30_000_000), kind: EventKind::Gap(ms(800)) }]);
    }

    #[test]
    fn a_step_lengthens_the_round_trip_from_its_time_on() {
        let profile = Profile::named("NX").expect("NX").step_rtt(Time(1_000_000), ms(40));
        let profile = profile.both(|l| (l.loss, l.jitter) = (0.0, Jitter::default()));
        let (mut down, mut up) = profile.links(1);
        let mut round_trip = |at: Time| {
            let Verdict::Arrive(there) = up.offer(at, 100) else { panic!("no loss") };
            let Verdict::Arrive(back) = down.offer(there, 100) else { panic!("no loss") };
            back.since(at).as_millis()
        };
        assert_eq!(round_trip(Time(0)), 40);
        assert_eq!(round_trip(Time(2_000_000)), 80);
    }
}
