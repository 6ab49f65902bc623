//! The person's side of the workload: takes frames and bursts, sends input and waits for its echo.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use quinn_proto::{Connection, Dir, Event, StreamEvent, StreamId};

use super::measure::Shown;
use super::workload::{HEADER, Kind, header, parse};

/// What a client's application keeps.
#[derive(Default)]
pub(super) struct Terminal {
    /// Whether it sends input.
    typing: bool,
    next_input: Option<u64>,
    input: u32,
    recent: VecDeque<[u8; HEADER]>,
    echoed: BTreeSet<u32>,
    streams: BTreeMap<StreamId, Incoming>,
    bursts: BTreeMap<u32, usize>,
    pub(super) shown: Vec<Shown>,
    /// Time from key to echo, microseconds.
    pub(super) input_us: Vec<u64>,
    /// Time from a burst's begin to its last byte, microseconds.
    pub(super) burst_us: Vec<u64>,
    pub(super) received: u64,
}

#[derive(Default)]
struct Incoming {
    head: Vec<u8>,
    bytes: usize,
}

impl Terminal {
    pub(super) fn new(typing: bool) -> Self {
        Self { typing, ..Self::default() }
    }

    /// How many inputs were sent.
    pub(super) fn inputs(&self) -> usize {
        self.input as usize
    }

    pub(super) fn next_us(&self) -> u64 {
        self.next_input.unwrap_or(u64::MAX)
    }

    pub(super) fn handle(&mut self, now: u64, event: &Event, connection: &mut Connection) {
        match event {
            Event::Connected if self.typing => self.next_input = Some(now),
            Event::Stream(StreamEvent::Opened { dir: Dir::Uni }) => {
                while let Some(id) = connection.streams().accept(Dir::Uni) {
                    self.streams.insert(id, Incoming::default());
                    self.read(now, id, connection);
                }
            }
            Event::Stream(StreamEvent::Readable { id }) => self.read(now, *id, connection),
            _ => {}
        }
    }

    pub(super) fn act(&mut self, now: u64, connection: &mut Connection) {
        while let Some(datagram) = connection.datagrams().recv() {
            for copy in datagram.chunks_exact(HEADER) {
                if let Some((Kind::Input, number, sent, _)) = parse(copy)
                    && self.echoed.insert(number)
                {
                    self.input_us.push(now - sent);
                }
            }
        }
        if self.next_input.is_some_and(|due| now >= due) {
            self.next_input = self.next_input.map(|due| due + INPUT_EVERY);
            self.input += 1;
            self.recent.push_back(header(Kind::Input, self.input, now, 0));
            if self.recent.len() > COPIES {
                self.recent.pop_front();
            }
            let all: Vec<u8> = self.recent.iter().flatten().copied().collect();
            let _ = connection.datagrams().send(all.into(), true);
        }
    }

    fn read(&mut self, now: u64, id: StreamId, connection: &mut Connection) {
        let Some(incoming) = self.streams.get_mut(&id) else { return };
        let mut whole = false;
        if let Ok(mut chunks) = connection.recv_stream(id).read(true) {
            loop {
                match chunks.next(usize::MAX) {
                    Ok(Some(chunk)) => {
                        let missing = HEADER.saturating_sub(incoming.head.len()).min(chunk.bytes.len());
                        incoming.head.extend_from_slice(&chunk.bytes[..missing]);
                        incoming.bytes += chunk.bytes.len();
                        self.received += chunk.bytes.len() as u64;
                    }
                    Ok(None) => {
                        whole = true;
                        break;
                    }
                    Err(_) => break,
                }
            }
            let _ = chunks.finalize();
        }
        if whole && let Some(Incoming { head, bytes }) = self.streams.remove(&id) {
            self.complete(now, &head, bytes);
        }
    }

    fn complete(&mut self, now: u64, head: &[u8], bytes: usize) {
        match parse(head) {
            Some((Kind::Frame, _, made_us, _)) => self.shown.push(Shown { made_us, arrived_us: now, bytes }),
            Some((Kind::Burst, number, began, total)) => {
                let have = self.bursts.entry(number).or_default();
                *have += bytes - HEADER;
                if *have >= total {
                    self.burst_us.push(now - began);
                }
            }
            Some((Kind::Input, ..)) | None => {}
        }
    }
}

/// 62.5 a second.
const INPUT_EVERY: u64 = 16_000;
/// A datagram holds the newest inputs: two in a row may be lost.
const COPIES: usize = 3;
