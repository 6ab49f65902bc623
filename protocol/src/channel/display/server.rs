use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::Time;
use crate::digest::DigestContext;
use crate::exact::{Counts, Judgement, ModelLedger, ServerLedger, SlotLedger, SlotUse, VideoLedger, Write};
use crate::geom::{Size, TileIndex};
use crate::msg::control::{Proof, Root, Surface};
use crate::msg::display::{Feedback, FrameHeader, Op};
use crate::msg::video::VideoCodecs;
use crate::rate::pace::Room;
use crate::wire::ids::codec;
use crate::wire::{Encode, Writer};

/// A frame of so many bytes says when its picture was taken.
const LARGE: usize = 1_024;
/// And so does one after this time in which none did: it tells the person's side how old its picture is.
const TIMED_EACH: Duration = Duration::from_millis(250);

/// The server's half: numbers frames, orders them, and keeps the ledger of each surface.
#[derive(Debug, Default)]
pub struct ServerDisplay {
    ledgers: BTreeMap<u32, ServerLedger>,
    videos: BTreeMap<u32, VideoLedger>,
    slots: SlotLedger,
    models: ModelLedger,
    /// How many connections there were.
    connection: u64,
    /// The newest frame sent.
    seq: u64,
    in_flight: VecDeque<InFlight>,
    /// When the newest picture was taken of which a frame said that.
    timed: Option<Time>,
    /// When the oldest change was made that was under way on the connection that is gone.
    lost_since: Option<Time>,
    /// The same once the ledgers know what was lost, until all of it was sent again.
    owed_since: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    seq: u64,
    bytes: usize,
    /// When the oldest change in it was made.
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
    /// Now: what a frame that only refines is as of.
    pub at: Time,
    /// About how many bytes the path carries in the time of a frame; more than `budget` on a path so fast that no
    /// frame is as large.
    pub carries: usize,
    /// What the client decodes besides whole rects of the source's samples.
    pub passes: Passes,
    /// Every frame up to this one was acknowledged.
    pub acked_to: u64,
    /// The client's slots and registers.
    pub slots: Agreed,
}

/// The slots and registers that may be used on a connection; all are empty when it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Counts the connections of the session.
    pub connection: u64,
    /// How many cells the client keeps; 0: it has no slots.
    pub cells: u64,
    /// How many models it keeps, in registers that count from 1; 0: it decodes no update. Only surfaces of
    /// [`Bgrx8`](crate::pixel::PixelFormat::Bgrx8) have updates.
    pub models: u8,
}

/// What a client decodes beside rects that are exact and need nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// A first pass.
    pub first: bool,
    /// The high bits, and the low ones after them.
    pub high_low: bool,
    /// Access units of these.
    pub video: VideoCodecs,
    /// Rects predicted from what they show.
    pub inter: bool,
    /// Scaled rects.
    pub scaled: bool,
}

impl Passes {
    /// Of a client that decodes `codecs`.
    pub fn of(codecs: &[u64]) -> Self {
        let has = |id| codecs.contains(&id);
        let high_low = has(codec::HIGH) && has(codec::LOW);
        Self {
            first: has(codec::FIRST),
            high_low,
            video: VideoCodecs::of(codecs),
            inter: has(codec::INTER),
            scaled: has(codec::SCALED),
        }
    }
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
    /// True if it brings no change, but what was shown with an error nearer to the source: it may wait.
    pub refines: bool,
    /// What to paint.
    pub ops: Vec<Op>,
    /// The tiles that it copies from, adds low bits to, or [builds on](Op::builds_on).
    pub reads: Vec<TileIndex>,
    /// The tiles that it paints.
    pub writes: Vec<Write>,
    /// What it does with slots.
    pub slots: SlotUse,
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
        self.videos.remove(&surface.id);
    }

    /// Forgets the surface of this number.
    pub fn surface_gone(&mut self, id: u32) {
        self.ledgers.remove(&id);
        self.videos.remove(&id);
        self.forget_what_was_sent_again();
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
    pub(crate) fn begin(&self, at: Time, surface: u32, room: Room, passes: Passes) -> Option<Begin> {
        let ledger = self.ledgers.get(&surface)?;
        let (seq, context, size) = (self.seq + 1, ledger.context(), ledger.surface().size);
        let Room { budget, carries } = room;
        let acked_to = self.in_flight.front().map_or(self.seq, |first| first.seq - 1);
        let (cells, models) = (self.slots.cells(), self.models.registers());
        let slots = Agreed { connection: self.connection, cells, models };
        Some(Begin { seq, context, budget, size, at, carries, passes, acked_to, slots })
    }

    /// The frame's bytes, whole, and it counts as sent. `None` where the surface or its generation are no more, or
    /// the frame is not the next: then it must be made anew.
    pub fn frame(&mut self, frame: &NewFrame) -> Option<Bytes> {
        let ledger = self.ledgers.get_mut(&frame.surface)?;
        if frame.seq != self.seq + 1 || frame.generation != ledger.surface().generation {
            return None;
        }
        self.seq = frame.seq;
        let unit = frame.ops.iter().find_map(|op| if let Op::Video(unit) = op { Some(unit) } else { None });
        let video = self.videos.entry(frame.surface).or_default();
        let bases = [
            ledger.base(&frame.reads, &frame.writes),
            self.slots.base(&frame.slots),
            self.models.base(&frame.ops),
            unit.map_or(0, |_| video.base()),
        ];
        // What was acknowledged is there; a lower base would only be longer to say.
        let acked_to = self.in_flight.front().map_or(frame.seq - 1, |first| first.seq - 1);
        let base = bases.into_iter().fold(acked_to, u64::max);
        ledger.sent(frame.seq, &frame.reads, &frame.writes);
        self.slots.sent(frame.seq, &frame.slots);
        self.models.sent(frame.seq, &frame.ops);
        if let Some(unit) = unit {
            video.sent(frame.seq, unit.key);
        }
        let mut steps = Writer::new();
        frame.ops.iter().for_each(|op| op.encode(&mut steps));
        let steps = steps.into_vec();
        let is_timed = steps.len() >= LARGE || self.timed.is_none_or(|at| frame.capture >= at + TIMED_EACH);
        if is_timed {
            self.timed = Some(frame.capture);
        }
        let capture_us = is_timed.then_some(frame.capture.micros());
        let header = FrameHeader { generation: frame.generation, seq: frame.seq, base, capture_us };
        let mut out = Writer::new();
        header.encode(&mut out);
        out.bytes(&steps);
        let bytes = Bytes::from(out.into_vec());
        // It may carry what was lost, which is older than whoever made the frame knows.
        let capture = self.owed_since.map_or(frame.capture, |since| since.min(frame.capture));
        self.forget_what_was_sent_again();
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

    /// When the oldest change was made that was sent once and that the client is not known to show.
    pub fn unacked_since(&self) -> Option<Time> {
        self.in_flight.iter().map(|f| f.capture).chain(self.lost_since).chain(self.owed_since).min()
    }

    /// The newest frame sent.
    pub fn sent_to(&self) -> u64 {
        self.seq
    }

    /// Compares a client's root: what [`ServerLedger::judge_root`] gives; `None` for a surface that is no more.
    pub fn judge_root(&mut self, root: &Root) -> Option<Option<u32>> {
        self.ledgers.get_mut(&root.surface).map(|l| l.judge_root(root))
    }

    /// Compares a client's digests; `None` for a surface that is no more.
    pub fn judge(&mut self, proof: &Proof) -> Option<Judgement> {
        self.ledgers.get_mut(&proof.surface).map(|l| l.judge(proof))
    }

    /// The client could not paint frame `seq`: which tiles of which surfaces must be sent again, and whether the
    /// surface's run of access units is at its end. One surface is named even where neither is, as what the frame did
    /// with slots and registers is not done either.
    pub fn lost(&mut self, seq: u64) -> Vec<(u32, Vec<TileIndex>, bool)> {
        let videos = &self.videos;
        let ends_run = |id: &u32| videos.get(id).is_some_and(|video| video.ends_at(seq));
        let all = self.ledgers.iter_mut().map(|(id, l)| (*id, l.lost(seq), ends_run(id)));
        let (mut again, rest): (Vec<_>, Vec<_>) =
            all.partition(|(_, tiles, ends_run)| !tiles.is_empty() || *ends_run);
        if again.is_empty() && seq <= self.seq {
            again.extend(rest.into_iter().next());
        }
        again
    }

    /// A connection begins whose client keeps this many cells of slots, and this many models.
    pub fn agree(&mut self, cells: u64, models: u8) {
        self.connection += 1;
        self.slots = SlotLedger::new(cells);
        self.models = ModelLedger::new(models);
    }

    /// The connection is gone, and what was under way on it; so is the frame that is being made for it, whose number
    /// is never used.
    pub fn disconnect(&mut self) {
        self.lost_since = self.unacked_since();
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
        let again = again.collect();
        self.owed_since = self.lost_since.take();
        self.forget_what_was_sent_again();
        again
    }

    fn forget_what_was_sent_again(&mut self) {
        if self.counts().all_shown() {
            self.owed_since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::digest::Digest;
    use crate::exact::Left;
    use crate::pixel::PixelFormat;

    fn frame(display: &mut ServerDisplay, capture: u64) {
        let write = Write { tile: 0, whole: true, left: Left::Exact(Digest([1; 16])) };
        let frame = NewFrame {
            seq: display.sent_to() + 1,
            generation: 1,
            surface: 1,
            capture: Time(capture),
            refines: false,
            ops: Vec::new(),
            reads: Vec::new(),
            writes: vec![write],
            slots: SlotUse::default(),
        };
        assert!(display.frame(&frame).is_some());
    }

    fn acknowledge(display: &mut ServerDisplay) {
        let applied_to = display.sent_to();
        display.feedback(Time(0), &Feedback { applied_to, ..Feedback::default() });
    }

    #[test]
    fn a_change_that_was_lost_stays_as_old_as_it_is() {
        let mut display = ServerDisplay::default();
        let size = Size::new(64, 64);
        display.surface(Surface { id: 1, generation: 1, nonce: [0; 16], size, format: PixelFormat::Gray8 });
        frame(&mut display, 10);
        acknowledge(&mut display);
        assert_eq!(display.unacked_since(), None);
        frame(&mut display, 20);
        // Over two connections the client gets nothing, and each time the host knows the tile as newly damaged.
        for capture in [30, 40] {
            display.disconnect();
            assert_eq!(display.resume(1, |same| *same), [(1, vec![0])]);
            assert_eq!(display.unacked_since(), Some(Time(20)));
            frame(&mut display, capture);
            assert_eq!(display.unacked_since(), Some(Time(20)));
        }
        acknowledge(&mut display);
        assert_eq!(display.unacked_since(), None);
        // What the client has after all is not owed.
        frame(&mut display, 50);
        display.disconnect();
        let sent_to = display.sent_to();
        assert_eq!(display.resume(sent_to, |same| *same), [(1, vec![])]);
        assert_eq!(display.unacked_since(), None);
    }
}
