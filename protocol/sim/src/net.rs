//! Messages over a link, for joining two sessions in tests.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use lightbox_protocol::Time;

use crate::link::{Link, Verdict};
use crate::rng::Rng;

/// Message bytes that one packet carries.
pub const PACKET: usize = 1200;

/// What a message travels on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Carrier {
    /// A reliable lane: its messages arrive in the order in which they were sent, and wait for each other.
    Ordered(u32),
    /// A reliable stream of its own for this one message: it may overtake others and be overtaken.
    Stream(u64),
    /// One packet, at most [`PACKET`] bytes, that may be lost.
    Datagram,
}

/// An idealised transport in one direction: it knows the link's rate and paces itself to it, so its own queue
/// and not the link's holds what is too much; it finds a loss after one round trip, and sends again.
///
/// Datagrams go at once; ordered lanes go before streams; within those the first sent goes first. Time goes
/// forward: no call takes a `now` before an earlier call's. The same seed, link and calls give the same messages
/// at the same times, however often `receive` is called between.
#[derive(Clone, Debug)]
pub struct Wire {
    link: Link,
    rng: Rng,
    clock: Time,
    /// When the pace allows the next packet.
    pace: Time,
    cut_until: Time,
    held: bool,
    next_number: u64,
    /// Reliable messages that are not complete, by number.
    messages: BTreeMap<u64, Message>,
    /// Packets that wait for the pace, lanes' and streams'.
    queues: [VecDeque<Packet>; 2],
    /// Packets found lost, by the time at which they join the front of their queue.
    lost: BinaryHeap<Reverse<(Time, Packet)>>,
    lanes: BTreeMap<u32, Lane>,
    /// Complete messages by arrival, then by number.
    ready: BTreeMap<(Time, u64), (Carrier, Bytes)>,
}

impl Wire {
    /// A transport over `link` at virtual time 0. `seed` is for its own timing; the link has its own seed.
    pub fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            rng: Rng::new(seed),
            clock: Time(0),
            pace: Time(0),
            cut_until: Time(0),
            held: false,
            next_number: 0,
            messages: BTreeMap::new(),
            queues: Default::default(),
            lost: BinaryHeap::new(),
            lanes: BTreeMap::new(),
            ready: BTreeMap::new(),
        }
    }

    /// Sends a message. Panics if a datagram is longer than [`PACKET`].
    pub fn send(&mut self, now: Time, carrier: Carrier, bytes: Bytes) {
        self.run_until(now);
        let number = self.next_number;
        self.next_number += 1;
        let queue = match carrier {
            Carrier::Datagram => return self.send_datagram(number, bytes),
            Carrier::Ordered(lane) => {
                self.lanes.entry(lane).or_default().waiting.push_back(number);
                0
            }
            Carrier::Stream(_) => 1,
        };
        let packets = bytes.len().div_ceil(PACKET).max(1);
        for i in 0..packets {
            let len = PACKET.min(bytes.len() - i * PACKET);
            self.queues[queue].push_back(Packet { message: number, len, tries: 0 });
        }
        self.messages.insert(number, Message { carrier, bytes, missing: packets, arrived: Time(0) });
        self.run_until(now);
    }

    /// When to call [`Wire::receive`] next: the next arrival, or before it an instant at which the wire has to
    /// act (send on, send again), so `receive` may then give nothing. `None` where nothing is under way or the
    /// wire is held.
    pub fn next_arrival(&self) -> Option<Time> {
        if self.held {
            return None;
        }
        let ready = self.ready.keys().next().map(|(at, _)| *at);
        ready.into_iter().chain(self.next_act()).min()
    }

    /// The next message that has arrived by `now`; call again until there is none.
    pub fn receive(&mut self, now: Time) -> Option<(Carrier, Bytes)> {
        self.run_until(now);
        if self.held {
            return None;
        }
        let first = self.ready.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// Keeps back what arrives until [`Wire::release`]: the receiver is frozen.
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// Hands out what was held, in order, and goes on.
    pub fn release(&mut self) {
        self.held = false;
    }

    /// Loses every packet that is sent before `until`. What is reliable is sent again.
    pub fn partition(&mut self, until: Time) {
        self.cut_until = until;
    }

    /// The link under it, for its counts and configuration.
    pub fn link(&self) -> &Link {
        &self.link
    }

    fn send_datagram(&mut self, number: u64, bytes: Bytes) {
        assert!(bytes.len() <= PACKET, "a datagram carries at most {PACKET} bytes, not {}", bytes.len());
        if let Some(arrival) = self.offer(self.clock, bytes.len()) {
            self.ready.insert((arrival, number), (Carrier::Datagram, bytes));
        }
    }

    /// Does everything that falls due up to `now`, in order of time.
    fn run_until(&mut self, now: Time) {
        while let Some(at) = self.next_act().filter(|at| *at <= now) {
            self.clock = self.clock.max(at);
            while self.lost.peek().is_some_and(|Reverse((due, _))| *due <= self.clock) {
                let Some(Reverse((_, packet))) = self.lost.pop() else { break };
                let lane = matches!(self.messages[&packet.message].carrier, Carrier::Ordered(_));
                self.queues[usize::from(!lane)].push_front(packet);
            }
            if self.pace <= self.clock
                && let Some(packet) = self.queues.iter_mut().find_map(VecDeque::pop_front)
            {
                self.send_packet(packet);
            }
        }
        self.clock = self.clock.max(now);
    }

    /// When there is something to do: a packet that the pace allows, or one to send again.
    fn next_act(&self) -> Option<Time> {
        let queued = self.queues.iter().any(|q| !q.is_empty());
        let paced = queued.then(|| self.pace.max(self.clock));
        paced.into_iter().chain(self.lost.peek().map(|Reverse((due, _))| *due)).min()
    }

    fn send_packet(&mut self, mut packet: Packet) {
        let now = self.clock;
        if let Some(rate) = self.link.config().free_rate(now) {
            let bits = (packet.len + crate::link::HEADERS) as u64 * 8;
            self.pace = now + Duration::from_nanos(bits.saturating_mul(1_000_000_000) / rate);
        }
        match self.offer(now, packet.len) {
            Some(arrival) => self.arrive(packet.message, arrival),
            None => {
                // An acknowledgement that is missed takes a round trip, and longer each time.
                let wait =
                    self.round_trip().mul_f64(1.0 + self.rng.unit() / 4.0) * (1 << packet.tries.min(10));
                packet.tries += 1;
                self.lost.push(Reverse((now + wait.min(LONGEST_WAIT).max(self.round_trip()), packet)));
            }
        }
    }

    fn arrive(&mut self, number: u64, arrival: Time) {
        let message = self.messages.get_mut(&number).expect("a packet under way has an incomplete message");
        message.missing -= 1;
        message.arrived = message.arrived.max(arrival);
        if message.missing > 0 {
            return;
        }
        match message.carrier {
            Carrier::Ordered(lane) => self.advance_lane(lane),
            _ => self.deliver(number, arrival),
        }
    }

    /// Delivers the complete messages at the head of a lane.
    fn advance_lane(&mut self, lane: u32) {
        let Some(lane) = self.lanes.get_mut(&lane) else { return };
        let mut deliver = Vec::new();
        while let Some(number) = lane.waiting.front().copied().filter(|n| self.messages[n].missing == 0) {
            lane.waiting.pop_front();
            lane.delivered = lane.delivered.max(self.messages[&number].arrived);
            deliver.push((number, lane.delivered));
        }
        for (number, at) in deliver {
            self.deliver(number, at);
        }
    }

    fn deliver(&mut self, number: u64, at: Time) {
        let message = self.messages.remove(&number).expect("a message is delivered once");
        self.ready.insert((at, number), (message.carrier, message.bytes));
    }

    fn offer(&mut self, now: Time, len: usize) -> Option<Time> {
        if now < self.cut_until {
            return None;
        }
        match self.link.offer(now, len) {
            Verdict::Arrive(at) => Some(at),
            Verdict::Lost(_) => None,
        }
    }

    /// The wire knows one direction only and takes the other one to be alike.
    fn round_trip(&self) -> Duration {
        (self.link.config().delay * 2).max(Duration::from_millis(1))
    }
}

#[derive(Clone, Debug)]
struct Message {
    carrier: Carrier,
    bytes: Bytes,
    /// Packets that have not arrived.
    missing: usize,
    /// When the last one of the others did.
    arrived: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Packet {
    message: u64,
    len: usize,
    tries: u32,
}

#[derive(Clone, Debug, Default)]
struct Lane {
    /// Messages in the order of sending that are not delivered.
    waiting: VecDeque<u64>,
    /// When the last one was.
    delivered: Time,
}

/// However long an outage is, the wire tries again this often.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
