//! QUIC connections in one thread on a virtual clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn_proto::{Connection, ConnectionHandle, DatagramEvent, Endpoint, EndpointConfig, Event, congestion};

use super::{Controller, Path};
use crate::congestion::{Estimates, LowDelayFactory};
use crate::endpoint::{Patient, Role, Settings, transport};
use crate::tls::{self, Identity, IdentityError, TlsError, Trust};

/// Connections over one pair of paths, and the clock they live by.
pub struct Network {
    /// Time zero. quinn's state machines want `Instant`s, and there is no other way to make one.
    origin: Instant,
    now_us: u64,
    down: Direction,
    up: Direction,
    flows: Vec<Flow>,
    buffer: Vec<u8>,
}

/// One connection: both its ends.
struct Flow {
    server: End,
    client: End,
}

/// One end of one connection.
pub struct End {
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    estimates: Estimates,
    address: SocketAddr,
}

/// Packets on their way.
struct Direction {
    path: Box<dyn Path>,
    packets: BinaryHeap<Reverse<Packet>>,
    sent: u64,
    waits: Vec<(u64, u64)>,
}

/// Ordered by arrival, then by departure.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Packet {
    arrives: u64,
    number: u64,
    flow: usize,
    bytes: Bytes,
}

impl Network {
    /// A network without connections, at time 0.
    pub fn new(down: Box<dyn Path>, up: Box<dyn Path>) -> Self {
        let direction = |path| Direction { path, packets: BinaryHeap::new(), sent: 0, waits: Vec::new() };
        Self {
            origin: Instant::now(),
            now_us: 0,
            down: direction(down),
            up: direction(up),
            flows: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Dials a new connection, whose server sends with `controller`; the client always uses ours. Returns the
    /// connection's number. The handshake takes its time like everything else.
    ///
    /// # Errors
    /// [`IdentityError`], never by the network's doing.
    pub fn connect(
        &mut self,
        seed: u64,
        controller: Controller,
        settings: &Settings,
    ) -> Result<usize, IdentityError> {
        let number = self.flows.len();
        let provider = tls::provider();
        let identity = Identity::for_lab(&provider)?;
        let seed = |side: u8| {
            let mut it = [side; 32];
            it[..8].copy_from_slice(&seed.wrapping_add(number as u64).to_le_bytes());
            Some(it)
        };
        let port = |base: u16| base + number as u16;

        let tls = tls::server(provider.clone(), &identity, None)?;
        let crypto = QuicServerConfig::try_from(tls).map_err(|_| TlsError::Provider("AES-128-GCM"))?;
        let mut config = quinn_proto::ServerConfig::with_crypto(Arc::new(Patient(Arc::new(crypto))));
        let estimates = Estimates::default();
        config.transport_config(Arc::new(match controller {
            Controller::Cubic => {
                transport(settings, Role::Server, Arc::new(congestion::CubicConfig::default()))
            }
            Controller::LowDelay => {
                transport(settings, Role::Server, ours(settings, Role::Server, &estimates))
            }
        }));
        let shared = Arc::new(EndpointConfig::default());
        let endpoint = Endpoint::new(shared.clone(), Some(Arc::new(config)), true, seed(1));
        let server = End::new(endpoint, estimates, (Ipv4Addr::new(192, 0, 2, 1), port(4000)).into());

        let tls = tls::client(provider, &Trust::Pinned(identity.fingerprint()), None)?;
        let crypto = QuicClientConfig::try_from(tls).map_err(|_| TlsError::Provider("AES-128-GCM"))?;
        let mut config = quinn_proto::ClientConfig::new(Arc::new(Patient(Arc::new(crypto))));
        let estimates = Estimates::default();
        let controllers = ours(settings, Role::Client, &estimates);
        config.transport_config(Arc::new(transport(settings, Role::Client, controllers)));
        let endpoint = Endpoint::new(shared, None, true, seed(2));
        let address = (Ipv4Addr::new(192, 0, 2, 2), port(5000)).into();
        let mut client = End::new(endpoint, estimates, address);
        client.connection = client.endpoint.connect(self.instant(), config, server.address, "lab").ok();

        self.flows.push(Flow { server, client });
        Ok(number)
    }

    /// Microseconds since the network's beginning.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// The server's end of a connection.
    pub fn server(&mut self, flow: usize) -> &mut End {
        &mut self.flows[flow].server
    }

    /// The client's end of a connection.
    pub fn client(&mut self, flow: usize) -> &mut End {
        &mut self.flows[flow].client
    }

    /// For each packet that a server sent and that arrived: when it left and how long it took, microseconds.
    pub fn down_delays(&self) -> &[(u64, u64)] {
        &self.down.waits
    }

    /// Sends what the connections have to send now. To be called after every use of an [`End`].
    pub fn flush(&mut self) {
        let now = self.instant();
        for (number, flow) in self.flows.iter_mut().enumerate() {
            for (end, direction) in [(&mut flow.server, &mut self.down), (&mut flow.client, &mut self.up)] {
                end.flush(now, &mut self.buffer, |bytes| direction.send(self.now_us, number, bytes));
            }
        }
    }

    /// When the next packet arrives or the next timer is due.
    pub fn next_us(&mut self) -> Option<u64> {
        let origin = self.origin;
        let timers = self.flows.iter_mut().flat_map(|flow| [&mut flow.server, &mut flow.client]);
        let timers = timers.filter_map(|end| {
            let due = end.connection.as_mut()?.1.poll_timeout()?;
            // Rounded up: a timer that is called before its time does nothing, for ever.
            Some(due.saturating_duration_since(origin).as_nanos().div_ceil(1000) as u64)
        });
        let packets = [&self.down, &self.up].into_iter().filter_map(Direction::next);
        timers.chain(packets).min().map(|at| at.max(self.now_us))
    }

    /// Lets it be `to_us`, not before now: delivers what arrives until then and calls the timers that are due.
    /// To be called with the time of [`Network::next_us`] or an earlier one.
    pub fn advance(&mut self, to_us: u64) {
        self.now_us = self.now_us.max(to_us);
        let now = self.instant();
        while let Some(packet) = self.down.arrived(self.now_us) {
            let Flow { server, client } = &mut self.flows[packet.flow];
            client.receive(now, server.address, packet.bytes, &mut self.buffer);
        }
        while let Some(packet) = self.up.arrived(self.now_us) {
            let Flow { server, client } = &mut self.flows[packet.flow];
            server.receive(now, client.address, packet.bytes, &mut self.buffer);
        }
        for flow in &mut self.flows {
            for end in [&mut flow.server, &mut flow.client] {
                end.tick(now);
            }
        }
    }

    fn instant(&self) -> Instant {
        self.origin + Duration::from_micros(self.now_us)
    }
}

impl End {
    fn new(endpoint: Endpoint, estimates: Estimates, address: SocketAddr) -> Self {
        Self { endpoint, connection: None, estimates, address }
    }

    /// The connection; a server has none before the client's first packet.
    pub fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut().map(|(_, connection)| connection)
    }

    /// What our controller knows; all zero where another one is at work.
    pub fn estimate(&self) -> lightbox_protocol::rate::Estimate {
        self.estimates.latest()
    }

    /// The next thing that happened to the connection.
    pub fn poll(&mut self) -> Option<Event> {
        self.connection.as_mut()?.1.poll()
    }

    fn receive(&mut self, now: Instant, from: SocketAddr, bytes: Bytes, buffer: &mut Vec<u8>) {
        buffer.clear();
        match self.endpoint.handle(now, from, None, None, BytesMut::from(bytes), buffer) {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some((_, connection)) = self.connection.as_mut().filter(|it| it.0 == handle) {
                    connection.handle_event(event);
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) if self.connection.is_none() => {
                self.connection = self.endpoint.accept(incoming, now, buffer, None).ok();
            }
            // A lab has no strangers to answer.
            Some(DatagramEvent::NewConnection(incoming)) => self.endpoint.ignore(incoming),
            Some(DatagramEvent::Response(_)) | None => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some((_, connection)) = &mut self.connection
            && connection.poll_timeout().is_some_and(|due| due <= now)
        {
            connection.handle_timeout(now);
        }
    }

    fn flush(&mut self, now: Instant, buffer: &mut Vec<u8>, mut send: impl FnMut(Bytes)) {
        let Some((handle, connection)) = &mut self.connection else { return };
        loop {
            while let Some(event) = connection.poll_endpoint_events() {
                if let Some(event) = self.endpoint.handle_event(*handle, event) {
                    connection.handle_event(event);
                }
            }
            buffer.clear();
            let Some(transmit) = connection.poll_transmit(now, 1, buffer) else { break };
            send(Bytes::copy_from_slice(&buffer[..transmit.size]));
        }
    }
}

impl Direction {
    fn send(&mut self, now_us: u64, flow: usize, bytes: Bytes) {
        self.sent += 1;
        if let Some(arrives) = self.path.offer(now_us, bytes.len()) {
            let arrives = arrives.max(now_us);
            self.waits.push((now_us, arrives - now_us));
            self.packets.push(Reverse(Packet { arrives, number: self.sent, flow, bytes }));
        }
    }

    fn next(&self) -> Option<u64> {
        self.packets.peek().map(|Reverse(packet)| packet.arrives)
    }

    fn arrived(&mut self, by_us: u64) -> Option<Packet> {
        if self.next()? > by_us {
            return None;
        }
        self.packets.pop().map(|Reverse(packet)| packet)
    }
}

fn ours(settings: &Settings, role: Role, estimates: &Estimates) -> Arc<LowDelayFactory> {
    Arc::new(LowDelayFactory { config: settings.rate_of(role), estimates: estimates.clone() })
}
