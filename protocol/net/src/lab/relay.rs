//! A bad network between two programs on one machine, in real time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use lightbox_protocol::Time;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Path;
use crate::clock;
use crate::os::socket::bind;

/// A UDP relay on the loopback interface with a thread of its own, which ends when this is dropped.
///
/// A client that connects to [`Relay::address`] reaches the server, both ways by way of the [`Path`]s. There is one
/// client at a time; a new one takes the place of the old.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    latest_us: AtomicU64,
}

impl Relay {
    /// Starts relaying to `server`, which listens on IPv4. Time zero of the paths is now.
    ///
    /// # Errors
    /// What the system says of the sockets or the thread.
    pub fn start(server: SocketAddr, down: Box<dyn Path>, up: Box<dyn Path>) -> io::Result<Self> {
        let any = (Ipv4Addr::LOCALHOST, 0).into();
        let (front, back) = (bind(any, SOCKET_BUFFER)?, bind(any, SOCKET_BUFFER)?);
        back.connect(server)?;
        let address = front.local_addr()?;
        let shared = Arc::new(Shared::default());
        let begin = clock::now();
        let line = |path, socket| Line { path, socket, begin, waiting: BinaryHeap::new(), count: 0 };
        let (down, up) = (line(down, front), line(up, back));
        let worker = shared.clone();
        let thread = std::thread::Builder::new()
            .name("lightbox-relay".into())
            .spawn(move || run(&worker, down, up))?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Where a client connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How late the relay itself ever handed a packet on, microseconds. Where this is more than a few
    /// milliseconds the machine was too busy, and what was measured is the machine.
    pub fn latest_us(&self) -> u64 {
        self.shared.latest_us.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // An empty packet wakes the thread; without it, it looks up within `LONGEST_NAP`.
        if let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
            let _ = socket.send_to(&[], self.address);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One direction: what is on its way, and the socket it leaves by.
struct Line {
    path: Box<dyn Path>,
    socket: UdpSocket,
    begin: Time,
    waiting: BinaryHeap<Reverse<(u64, u64, Vec<u8>)>>,
    count: u64,
}

impl Line {
    fn now_us(&self) -> u64 {
        clock::now().since(self.begin).as_micros() as u64
    }

    fn take(&mut self, packet: &[u8]) {
        let now = self.now_us();
        if let Some(arrives) = self.path.offer(now, packet.len()) {
            self.count += 1;
            self.waiting.push(Reverse((arrives, self.count, packet.to_vec())));
        }
    }

    /// Sends what is due, and returns how late that was at worst.
    fn give(&mut self, to: Option<SocketAddr>) -> u64 {
        let mut latest = 0;
        while let Some(Reverse((due, ..))) = self.waiting.peek() {
            let now = self.now_us();
            if *due > now {
                break;
            }
            latest = latest.max(now - due);
            let Some(Reverse((_, _, packet))) = self.waiting.pop() else { break };
            // What the system does not take is lost, as on any network.
            let _ = match to {
                Some(to) => self.socket.send_to(&packet, to),
                None => self.socket.send(&packet),
            };
        }
        latest
    }

    fn due(&self) -> Option<u64> {
        self.waiting.peek().map(|Reverse((due, ..))| *due)
    }
}

/// `down` leaves by the socket that clients send to, `up` by the one that is connected to the server.
fn run(shared: &Shared, mut down: Line, mut up: Line) {
    let mut client = None;
    let mut packet = vec![0; 1 << 16];
    while !shared.stop.load(Ordering::Relaxed) {
        for _ in 0..BATCH {
            let Ok((length, from)) = down.socket.recv_from(&mut packet) else { break };
            if length > 0 {
                client = Some(from);
                up.take(&packet[..length]);
            }
        }
        for _ in 0..BATCH {
            let Ok(length) = up.socket.recv(&mut packet) else { break };
            down.take(&packet[..length]);
        }
        let mut latest = up.give(None);
        if let Some(client) = client {
            latest = latest.max(down.give(Some(client)));
        }
        shared.latest_us.fetch_max(latest, Ordering::Relaxed);

        let due = [down.due(), up.due()].into_iter().flatten().min();
        let nap = due.map_or(LONGEST_NAP, |due| due.saturating_sub(down.now_us()).min(LONGEST_NAP));
        let nap = Timespec { tv_sec: 0, tv_nsec: nap as i64 * 1000 };
        let mut sockets = [PollFd::new(&down.socket, PollFlags::IN), PollFd::new(&up.socket, PollFlags::IN)];
        // A signal ends the nap early, which does no harm.
        let _ = poll(&mut sockets, Some(&nap));
    }
}

/// Packets taken from one side before the other has its turn.
const BATCH: usize = 64;
const LONGEST_NAP: u64 = 50_000;
const SOCKET_BUFFER: usize = 4 << 20;
