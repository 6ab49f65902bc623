//! One direction of a path: when a packet arrives, or why it does not.

mod config;
mod schedule;

use std::collections::VecDeque;
use std::time::Duration;

use lightbox_protocol::Time;

use crate::rng::Rng;
pub use config::{Bursts, Jitter, LinkConfig, Sawtooth, Spike};
pub use schedule::{Lasts, Schedule, Window};

/// Bytes of IPv4 and UDP headers that each packet takes besides its payload.
pub const HEADERS: usize = 28;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives at this time.
    Arrive(Time),
    /// It never arrives.
    Lost(Reason),
}

/// Why a packet is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The path is down.
    Outage,
    /// The queue in front of the bottleneck is full.
    QueueFull,
    /// Chance, independent of other packets.
    Random,
    /// The path is in the bad state of [`Bursts`].
    Burst,
}

/// What a link did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets offered.
    pub offered: u64,
    /// Packets lost in outages.
    pub lost_outage: u64,
    /// Packets that found the queue full.
    pub lost_queue: u64,
    /// Packets lost by chance, alone or in bursts.
    pub lost_chance: u64,
    /// Payload bytes of packets that arrive.
    pub arrived_bytes: u64,
}

/// One direction of a path.
///
/// A packet passes these in order: outage, the queue and its gaps, the time that sending takes, loss, delay. A
/// packet lost by chance has used the line. Packets arrive in the order in which they were offered.
#[derive(Clone, Debug)]
pub struct Link {
    config: LinkConfig,
    seed: u64,
    rng: Rng,
    /// What waits or is being sent: when it has left (ns), and its bytes. INVARIANT: `waiting_bytes` is their sum.
    waiting: VecDeque<(u64, usize)>,
    waiting_bytes: usize,
    /// When the bottleneck has sent everything so far, in ns.
    free_at: u64,
    bad: bool,
    latest_offer: Time,
    latest_arrival: Time,
    counts: Counts,
}

impl Link {
    /// A link at virtual time 0 with an empty queue. The same `config` and `seed` answer the same offers alike.
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            seed,
            rng: Rng::new(seed),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            free_at: 0,
            bad: false,
            latest_offer: Time(0),
            latest_arrival: Time(0),
            counts: Counts::default(),
        }
    }

    /// What it was made with.
    pub fn config(&self) -> &LinkConfig {
        &self.config
    }

    /// What it did so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Sends a UDP packet with `len` bytes of payload at `now`. Time goes forward: a `now` before the last one
    /// counts as the last one.
    pub fn offer(&mut self, now: Time, len: usize) -> Verdict {
        self.latest_offer = self.latest_offer.max(now);
        let verdict = self.pass(self.latest_offer, len);
        self.counts.offered += 1;
        match verdict {
            Verdict::Arrive(_) => self.counts.arrived_bytes += len as u64,
            Verdict::Lost(Reason::Outage) => self.counts.lost_outage += 1,
            Verdict::Lost(Reason::QueueFull) => self.counts.lost_queue += 1,
            Verdict::Lost(Reason::Random | Reason::Burst) => self.counts.lost_chance += 1,
        }
        verdict
    }

    fn pass(&mut self, now: Time, len: usize) -> Verdict {
        if is_open(&self.config.outages, now) {
            return Verdict::Lost(Reason::Outage);
        }
        let Some(leaves) = self.queue(now.0 * NS, len + HEADERS) else {
            return Verdict::Lost(Reason::QueueFull);
        };
        let leaves = Time(leaves.div_ceil(NS));
        if is_open(&self.config.outages, leaves) {
            return Verdict::Lost(Reason::Outage);
        }
        if let Some(reason) = self.lose(leaves) {
            return Verdict::Lost(reason);
        }
        let arrival = leaves + self.config.delay_at(leaves) + self.jitter(leaves) + self.spike(leaves).0;
        self.latest_arrival = self.latest_arrival.max(arrival);
        Verdict::Arrive(self.latest_arrival)
    }

    /// Puts `bytes` behind what waits at `now` (ns); when they have left, or `None` where they do not fit.
    fn queue(&mut self, now: u64, bytes: usize) -> Option<u64> {
        while let Some((_, gone)) = self.waiting.front().filter(|(left, _)| *left <= now) {
            self.waiting_bytes -= gone;
            self.waiting.pop_front();
        }
        let room = self.config.own_queue();
        // However short the queue is, a free bottleneck takes a packet.
        if room.is_some_and(|room| self.waiting_bytes > 0 && self.waiting_bytes + bytes > room) {
            return None;
        }
        let mut starts = now.max(self.free_at);
        while let Some(closes) = self.config.gaps.iter().find_map(|g| g.open_at(Time(starts / NS))) {
            starts = closes.closes.0 * NS;
        }
        let rate = self.config.free_rate(Time(starts / NS));
        self.free_at =
            starts + rate.map_or(0, |rate| (bytes as u64 * 8).saturating_mul(1_000_000_000) / rate);
        if room.is_some() {
            self.waiting.push_back((self.free_at, bytes));
            self.waiting_bytes += bytes;
        }
        Some(self.free_at)
    }

    fn lose(&mut self, at: Time) -> Option<Reason> {
        if let Some(bursts) = self.config.bursts {
            self.bad = self.rng.chance(if self.bad { 1.0 - bursts.leave } else { bursts.enter });
            if self.bad && self.rng.chance(bursts.loss) {
                return Some(Reason::Burst);
            }
        }
        let loss = self.spike(at).1;
        (loss > 0.0 && self.rng.chance(loss)).then_some(Reason::Random)
    }

    fn jitter(&self, at: Time) -> Duration {
        let Jitter { sigma, tail } = self.config.jitter;
        if sigma.is_zero() {
            return Duration::ZERO;
        }
        let mut rng = Rng::new(self.seed ^ Rng::new(at.0 / JITTER_HOLDS).next_u64());
        if !tail.is_zero() && rng.below(50) == 0 {
            return (sigma.div_f64(1.0 - rng.unit())).min(tail);
        }
        sigma.mul_f64(rng.half_normal())
    }

    /// The delay that spikes add at `at`, and the loss that holds then.
    fn spike(&self, at: Time) -> (Duration, f64) {
        let open = self.config.spikes.iter().find_map(|s| Some((s, s.when.open_at(at)?)));
        let Some((spike, window)) = open else { return (Duration::ZERO, self.config.loss) };
        (schedule::between(spike.adds.0, spike.adds.1, window.number), spike.loss)
    }
}

fn is_open(schedules: &[Schedule], at: Time) -> bool {
    schedules.iter().any(|s| s.open_at(at).is_some())
}

/// Nanoseconds of a microsecond: a fast line sends a packet in a fraction of one.
const NS: u64 = 1_000;

/// Microseconds for which a value of the jitter stands.
const JITTER_HOLDS: u64 = 10_000;

#[cfg(test)]
mod tests;
