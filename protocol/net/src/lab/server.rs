//! The desktop's side of the workload: frames, bursts of refinement, and an echo for input.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use quinn_proto::{Connection, Dir, Event, StreamEvent, StreamId, WriteError};

use super::workload::{Config, HEADER, Kind, header};

/// What a server's application keeps.
pub(super) struct Desktop {
    config: Config,
    connected: bool,
    next_frame: u64,
    next_burst: u64,
    next_adapt: u64,
    scale: f64,
    frame: u32,
    burst: u32,
    pub(super) made: usize,
    pub(super) skipped: usize,
    /// Streams that are not wholly acknowledged, with their length.
    frames: BTreeMap<StreamId, usize>,
    batches: BTreeMap<StreamId, usize>,
    batch: i32,
    /// Bursts not yet given to QUIC: number, begin, bytes left.
    waiting: VecDeque<(u32, u64, usize)>,
    /// What QUIC did not take at once.
    unwritten: VecDeque<(StreamId, Bytes)>,
}

impl Desktop {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            connected: false,
            next_frame: u64::MAX,
            next_burst: u64::MAX,
            next_adapt: 0,
            scale: 1.0,
            frame: 0,
            burst: 0,
            made: 0,
            skipped: 0,
            frames: BTreeMap::new(),
            batches: BTreeMap::new(),
            batch: 0,
            waiting: VecDeque::new(),
            unwritten: VecDeque::new(),
        }
    }

    pub(super) fn handle(&mut self, now: u64, event: &Event) {
        match event {
            Event::Connected => {
                self.connected = true;
                self.next_frame = now;
                self.next_burst = now + BURST_EVERY / 2;
            }
            Event::Stream(StreamEvent::Finished { id }) => {
                self.frames.remove(id);
                self.batches.remove(id);
            }
            _ => {}
        }
    }

    pub(super) fn next_us(&self) -> u64 {
        self.next_frame.min(self.next_burst)
    }

    pub(super) fn act(&mut self, now: u64, connection: &mut Connection) {
        if !self.connected {
            return;
        }
        while let Some(input) = connection.datagrams().recv() {
            // A datagram that finds no room is one whose copies come with the next.
            let _ = connection.datagrams().send(input, true);
        }
        if now >= self.next_frame {
            self.next_frame += FRAME_EVERY;
            self.make_frame(now, connection);
        }
        if now >= self.next_burst {
            self.next_burst += BURST_EVERY;
            if self.config.burst_bytes > 0 {
                self.burst += 1;
                self.waiting.push_back((self.burst, now, self.config.burst_bytes));
            }
        }
        self.refine(connection);
        self.write(connection);
    }

    fn make_frame(&mut self, now: u64, connection: &mut Connection) {
        self.adapt(now, connection);
        if self.frames.values().sum::<usize>() > self.config.gate_bytes {
            self.skipped += 1;
            return;
        }
        self.made += 1;
        self.frame += 1;
        let length = (self.config.frame_bytes as f64 * self.scale) as usize;
        let priority = 500_000 - self.frame as i32;
        let head = header(Kind::Frame, self.frame, now, length);
        if let Some(id) = self.open(connection, priority, head, length) {
            self.frames.insert(id, length);
        }
    }

    /// Frames are cut to 85 % of what the window lets through: at once when it shrinks, slowly back.
    fn adapt(&mut self, now: u64, connection: &Connection) {
        if !self.config.adapt || now < self.next_adapt {
            return;
        }
        self.next_adapt = now + 100_000;
        let path = connection.stats().path;
        let rate = path.cwnd as f64 / path.rtt.as_secs_f64().max(0.005);
        let per_frame = 0.85 * rate * FRAME_EVERY as f64 / 1e6;
        let want = (per_frame / self.config.frame_bytes as f64).clamp(0.05, 1.0);
        self.scale = want.min(self.scale + 0.1);
    }

    /// Gives QUIC of the bursts no more than about one bandwidth-delay product at a time, so that a frame that
    /// comes meanwhile finds only that before it.
    fn refine(&mut self, connection: &mut Connection) {
        let path = connection.stats().path;
        let share = path.min_rtt.as_secs_f64() / path.rtt.as_secs_f64().max(1e-6);
        let most = ((path.cwnd as f64 * share.min(1.0)) as usize).max(64 << 10);
        while let Some(&(burst, began, left)) = self.waiting.front()
            && self.batches.values().sum::<usize>() + BATCH <= most
        {
            let length = left.min(BATCH);
            self.batch += 1;
            let head = header(Kind::Burst, burst, began, self.config.burst_bytes);
            let Some(id) = self.open(connection, -self.batch, head, length) else { return };
            self.batches.insert(id, length);
            if left > length {
                self.waiting[0].2 = left - length;
            } else {
                self.waiting.pop_front();
            }
        }
    }

    fn open(
        &mut self,
        connection: &mut Connection,
        priority: i32,
        head: [u8; HEADER],
        length: usize,
    ) -> Option<StreamId> {
        let id = connection.streams().open(Dir::Uni)?;
        connection.send_stream(id).set_priority(priority).ok()?;
        let mut bytes = Vec::from(head);
        bytes.resize(HEADER + length, 0x5a);
        self.unwritten.push_back((id, bytes.into()));
        Some(id)
    }

    fn write(&mut self, connection: &mut Connection) {
        self.unwritten.retain_mut(|(id, bytes)| {
            let mut stream = connection.send_stream(*id);
            loop {
                match stream.write(bytes) {
                    Ok(taken) => {
                        let _ = bytes.split_to(taken);
                        if bytes.is_empty() {
                            let _ = stream.finish();
                            return false;
                        }
                    }
                    Err(WriteError::Blocked) => return true,
                    Err(_) => return false,
                }
            }
        });
    }
}

/// Someone else's download: as much as the connection takes, for ever.
#[derive(Default)]
pub(super) struct Bulk {
    stream: Option<StreamId>,
}

impl Bulk {
    pub(super) fn act(&mut self, connection: &mut Connection) {
        self.stream = self.stream.or_else(|| connection.streams().open(Dir::Uni));
        if let Some(id) = self.stream {
            while connection.send_stream(id).write(&[0xa5; 16 << 10]).is_ok() {}
        }
    }
}

const FRAME_EVERY: u64 = 33_333;
const BURST_EVERY: u64 = 5_000_000;
/// Bytes of refinement on one stream.
const BATCH: usize = 32 << 10;
