use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::Time;
use crate::digest::DigestContext;
use crate::exact::{Counts, Judgement, ServerLedger, Write};
use crate::geom::{Size, TileIndex};
use crate::msg::control::{Proof, Surface};
use crate::msg::display::{Feedback, FrameHeader, Op};
use crate::wire::{Encode, Writer};

/// The server's half: numbers frames, orders them, and keeps the ledger of each surface.
#[derive(Debug, Default)]
pub struct ServerDisplay {
    ledgers: BTreeMap<u32, ServerLedger>,
    /// The newest frame sent.
    seq: u64,
    in_flight: VecDeque<InFlight>,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    seq: u64,
    bytes: usize,
    capture: Time,
}

/// What is needed to make the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// The number it will have, which is the epoch of the tiles it writes.
    pub seq: u64,
    /// What digests of its tiles are salted with.
    pub context: DigestContext,
    /// About how many bytes it may have.
    pub budget: usize,
    /// The surface's size, as its ledger has it.
    pub size: Size,
}

/// A frame that was made.
#[derive(Clone, Debug)]
pub struct NewFrame {
    /// What it was made with: [`Begin::seq`].
    pub seq: u64,
    /// The surface's generation it was made for.
    pub generation: u32,
    /// Which surface.
    pub surface: u32,
    /// When the picture was taken.
    pub capture: Time,
    /// What to paint.
    pub ops: Vec<Op>,
    /// The tiles that it copies from.
    pub reads: Vec<TileIndex>,
    /// The tiles that it paints.
    pub writes: Vec<Write>,
}

/// Frames acknowledged by one feedback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acked {
    pub(crate) frames: usize,
    /// From capture to acknowledgement, of the newest.
    pub(crate) age: Duration,
}

impl ServerDisplay {
    /// Takes up `surface`; a new generation of the same size and format goes on with what was sent.
    pub fn surface(&mut self, surface: Surface) {
        self.ledgers.insert(surface.id, ServerLedger::new(surface));
    }

    /// Forgets the surface of this number.
    pub fn surface_gone(&mut self, id: u32) {
        self.ledgers.remove(&id);
    }

    /// The surfaces' ledgers.
    pub fn ledgers(&self) -> impl Iterator<Item = &ServerLedger> {
        self.ledgers.values()
    }

    /// How many tiles of all surfaces are in which state.
    pub fn counts(&self) -> Counts {
        self.ledgers().fold(Counts::default(), |sum, l| sum.plus(l.counts()))
    }

    /// What the next frame for `surface` is made with; `None` for an unknown one.
    pub fn begin(&self, surface: u32, budget: usize) -> Option<Begin> {
        let ledger = self.ledgers.get(&surface)?;
        let size = ledger.surface().size;
        Some(Begin { seq: self.seq + 1, context: ledger.context(), budget, size })
    }

    /// The frame's bytes, whole, and it counts as sent. `None` where the surface or its generation are no more, or
    /// the frame is not the next: then it must be made anew.
    pub fn frame(&mut self, control_seq: u64, frame: &NewFrame) -> Option<Bytes> {
        let ledger = self.ledgers.get_mut(&frame.surface)?;
        if frame.seq != self.seq + 1 || frame.generation != ledger.surface().generation {
            return None;
        }
        self.seq = frame.seq;
        let header = FrameHeader {
            surface: frame.surface,
            generation: frame.generation,
            seq: frame.seq,
            base: ledger.base(&frame.reads, &frame.writes),
            control_seq,
            capture_us: frame.capture.micros(),
        };
        ledger.sent(frame.seq, &frame.reads, &frame.writes);
        let mut out = Writer::new();
        header.encode(&mut out);
        frame.ops.iter().for_each(|op| op.encode(&mut out));
        let bytes = Bytes::from(out.into_vec());
        let capture = frame.capture;
        self.in_flight.push_back(InFlight { seq: frame.seq, bytes: bytes.len(), capture });
        Some(bytes)
    }

    /// The client says which frames it applied.
    pub(crate) fn feedback(&mut self, now: Time, feedback: &Feedback) -> Acked {
        let mut acked = Acked::default();
        self.in_flight.retain(|f| {
            let beyond = f.seq.checked_sub(feedback.applied_to + 2).filter(|i| *i < 64);
            let is_applied =
                f.seq <= feedback.applied_to || beyond.is_some_and(|i| feedback.beyond >> i & 1 == 1);
            if is_applied {
                acked.frames += 1;
                acked.age = now.since(f.capture);
            }
            !is_applied
        });
        acked
    }

    /// Bytes of frames sent and not acknowledged.
    pub fn unacked_bytes(&self) -> usize {
        self.in_flight.iter().map(|f| f.bytes).sum()
    }

    /// Frames sent and not acknowledged.
    pub fn unacked_frames(&self) -> usize {
        self.in_flight.len()
    }

    /// When the oldest picture was taken that the client is not known to show.
    pub fn unacked_since(&self) -> Option<Time> {
        self.in_flight.iter().map(|f| f.capture).min()
    }

    /// The newest frame sent.
    pub fn sent_to(&self) -> u64 {
        self.seq
    }

    /// Compares a client's digests; `None` for a surface that is no more.
    pub fn judge(&mut self, proof: &Proof) -> Option<Judgement> {
        self.ledgers.get_mut(&proof.surface).map(|l| l.judge(proof))
    }

    /// The client could not paint frame `seq`: which tiles of which surfaces must be sent again.
    pub fn lost(&mut self, seq: u64) -> Vec<(u32, Vec<TileIndex>)> {
        let again = self.ledgers.iter_mut().map(|(id, l)| (*id, l.lost(seq)));
        again.filter(|(_, tiles)| !tiles.is_empty()).collect()
    }

    /// The connection is gone, and what was under way on it; so is the frame that is being made for it, whose number
    /// is never used.
    pub fn disconnect(&mut self) {
        self.in_flight.clear();
        self.seq += 1;
    }

    /// A connection goes on where the client applied every frame up to `applied_to`; `renew` gives each surface its
    /// generation there. Returns the tiles that must be sent again, whole.
    pub fn resume(
        &mut self,
        applied_to: u64,
        mut renew: impl FnMut(&Surface) -> Surface,
    ) -> Vec<(u32, Vec<TileIndex>)> {
        let again = self.ledgers.iter_mut().map(|(id, l)| {
            let next = renew(l.surface());
            (*id, l.resume(next, applied_to))
        });
        again.collect()
    }
}
