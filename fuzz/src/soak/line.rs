//! One connection: messages of sessions over two links, cut into pieces as a transport would.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use lightbox_protocol::Time;
use lightbox_protocol::rate::Estimate;
use lightbox_protocol::session::server::Door;
use lightbox_protocol::session::{Cause, Lane, Path};
use lightbox_protocol::wire::ids;
use lightbox_sim::link::{Link, LinkConfig};
use lightbox_sim::net::{Carrier, PACKET, Wire};
use lightbox_sim::profile::Profile;
use lightbox_sim::rng::Rng;

/// A connection between the client and the server.
pub(super) struct Line {
    pub(super) down: Way,
    pub(super) up: Way,
    /// What both ends know of it and nobody else: the TLS exporter value.
    pub(super) binding: [u8; 32],
    /// Reads the client's first message, until it is there.
    pub(super) door: Option<Door>,
    srtt: Duration,
    window: u64,
}

/// One direction of it.
pub(super) struct Way {
    wire: Wire,
    streams: u64,
    has_input: bool,
    /// What arrived and is handed over piece by piece, by time and then by arrival.
    pieces: BTreeMap<(Time, u64), Piece>,
    arrivals: u64,
}

/// Bytes that a session gets in one go.
#[derive(Debug)]
pub(super) enum Piece {
    Control(Bytes),
    Stream { id: u64, bytes: Bytes, fin: bool },
    Datagram(Bytes),
}

impl<C> From<Piece> for Cause<C> {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Control(bytes) => Cause::Control(bytes),
            Piece::Stream { id, bytes, fin } => Cause::Stream { id, bytes, fin },
            Piece::Datagram(bytes) => Cause::Datagram(bytes),
        }
    }
}

impl Line {
    /// A connection over a network of one kind or another, from `now` on.
    pub(super) fn new(now: Time, rng: &mut Rng) -> Self {
        let (down, up) = links(rng);
        let srtt = down.delay + up.delay + Duration::from_millis(1);
        let rate = if down.rate == 0 { 1_000_000_000 } else { down.rate };
        let window = ((rate as f64 / 8.0 * srtt.as_secs_f64()) as u64).clamp(10_000, 4 << 20);
        let mut binding = [0; 32];
        binding[..8].copy_from_slice(&rng.next_u64().to_le_bytes());
        let mut way = |config| Way {
            wire: wire(config, now, rng),
            streams: 0,
            has_input: false,
            pieces: BTreeMap::new(),
            arrivals: 0,
        };
        Self { down: way(down), up: way(up), binding, door: Some(Door::new()), srtt, window }
    }

    /// What a congestion controller might say of it just now.
    pub(super) fn path(&self, rng: &mut Rng) -> Path {
        let queue_delay = if rng.chance(0.1) { self.srtt } else { Duration::ZERO };
        let estimate = Estimate {
            srtt: self.srtt + queue_delay,
            min_rtt: self.srtt,
            bandwidth: self.window as f64 / self.srtt.as_secs_f64(),
            window: self.window / (1 + rng.below(3)),
            queue_delay,
            loss: 0.0,
        };
        Path { estimate, max_datagram: PACKET, ..Path::default() }
    }

    pub(super) fn ways(&mut self) -> [&mut Way; 2] {
        [&mut self.down, &mut self.up]
    }
}

impl Way {
    pub(super) fn send(&mut self, now: Time, lane: Lane, bytes: Bytes) {
        let carrier = match lane {
            Lane::Control => Carrier::Ordered(CONTROL),
            Lane::Input => {
                if !std::mem::replace(&mut self.has_input, true) {
                    let kind = Bytes::from_static(&[ids::stream::INPUT as u8]);
                    self.wire.send(now, Carrier::Ordered(INPUT), kind);
                }
                Carrier::Ordered(INPUT)
            }
            Lane::Once { .. } => {
                self.streams += 1;
                Carrier::Stream(self.streams)
            }
            Lane::Both { .. } => unreachable!("no end of the soak opens a byte stream"),
        };
        self.wire.send(now, carrier, bytes);
    }

    pub(super) fn send_datagram(&mut self, now: Time, bytes: Bytes) {
        // What does not fit is lost, as with any transport.
        if bytes.len() <= PACKET {
            self.wire.send(now, Carrier::Datagram, bytes);
        }
    }

    /// When there is something to do.
    pub(super) fn next(&self) -> Option<Time> {
        let piece = self.pieces.keys().next().map(|(at, _)| *at);
        piece.into_iter().chain(self.wire.next_arrival()).min()
    }

    /// The next piece that is to be handed over by `now`.
    pub(super) fn take(&mut self, now: Time, rng: &mut Rng) -> Option<Piece> {
        while let Some((carrier, bytes)) = self.wire.receive(now) {
            self.cut(now, carrier, bytes, rng);
        }
        let first = self.pieces.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub(super) fn hold(&mut self) {
        self.wire.hold();
    }

    pub(super) fn release(&mut self) {
        self.wire.release();
    }

    pub(super) fn partition(&mut self, until: Time) {
        self.wire.partition(until);
    }

    fn cut(&mut self, now: Time, carrier: Carrier, mut bytes: Bytes, rng: &mut Rng) {
        let mut at = now;
        let slow = rng.chance(0.2);
        loop {
            let whole = bytes.len() < 2 || rng.chance(0.7);
            let head = if whole { bytes.len() } else { 1 + rng.below(bytes.len() as u64 - 1) as usize };
            let piece = match carrier {
                Carrier::Ordered(INPUT) => Piece::Stream { id: 0, bytes: bytes.split_to(head), fin: false },
                Carrier::Ordered(_) => Piece::Control(bytes.split_to(head)),
                Carrier::Stream(id) => {
                    let part = bytes.split_to(head);
                    // One-way streams overtake each other; within one the order holds.
                    if slow {
                        at = at + Duration::from_micros(rng.below(20_000));
                    }
                    Piece::Stream { id, bytes: part, fin: bytes.is_empty() }
                }
                Carrier::Datagram => Piece::Datagram(bytes.split_to(bytes.len())),
            };
            self.arrivals += 1;
            self.pieces.insert((at, self.arrivals), piece);
            if bytes.is_empty() {
                return;
            }
        }
    }
}

fn wire(config: LinkConfig, now: Time, rng: &mut Rng) -> Wire {
    let mut wire = Wire::new(Link::new(config, rng.next_u64()), rng.next_u64());
    // A wire begins at virtual time 0: this brings it to the present.
    let _ = wire.receive(now);
    wire
}

/// The two directions of some network: clear, one of the project's, or one that loses a tenth.
fn links(rng: &mut Rng) -> (LinkConfig, LinkConfig) {
    let ms = Duration::from_millis;
    match rng.below(10) {
        0 => (LinkConfig::default(), LinkConfig::default()),
        1 | 2 => {
            let lossy = LinkConfig { loss: 0.1, ..LinkConfig::line(30_000_000, ms(200), ms(15)) };
            (lossy.clone(), lossy)
        }
        pick => {
            let name = Profile::NAMES[pick as usize % Profile::NAMES.len()];
            match Profile::named(name) {
                Some(profile) => (profile.down().clone(), profile.up().clone()),
                None => (LinkConfig::default(), LinkConfig::default()),
            }
        }
    }
}

/// The wire's lanes.
const CONTROL: u32 = 0;
const INPUT: u32 = 1;
