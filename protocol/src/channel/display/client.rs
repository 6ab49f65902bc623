use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::Time;
use crate::exact::{Begun, ClientLedger, Counts, Registers};
use crate::geom::TileIndex;
use crate::msg::control::{MAX_SURFACES, Surface};
use crate::msg::display::{Feedback, Frame, FrameHeader, MAX_FRAME, Terms};
use crate::wire::{Reader, WireError};

/// Frames received whole that wait for earlier ones.
const MAX_WAITING: usize = 256;
/// Frames handed out for painting and not painted yet; the next wait here, where they are counted.
const MAX_PAINTING: usize = 32;
/// Bytes of frames received in part or waiting.
const MAX_HELD: usize = 32 << 20;

/// The client's half: puts frames in an order in which they can be painted, and keeps the ledger of each surface.
#[derive(Debug)]
pub struct ClientDisplay {
    max_pixels: u64,
    /// What was agreed on for this connection.
    terms: Terms,
    surfaces: BTreeMap<u32, ClientLedger>,
    /// The highest generation that a surface had.
    generation: u32,
    registers: Registers,
    /// Surfaces of before the connection that goes on, which the server has not announced again yet.
    unannounced: BTreeSet<u32>,
    /// INVARIANT: at most MAX_WAITING frames, and with those in `partial` at most MAX_HELD bytes.
    waiting: BTreeMap<u64, Waiting>,
    partial: BTreeMap<u64, BytesMut>,
    held: usize,
    painting: usize,
    /// Bytes of frames handed out that no feedback speaks of yet.
    unspoken: usize,
    /// Every frame up to here was handed out for painting, or is void.
    issued_to: u64,
    issued: BTreeSet<u64>,
    /// The same for frames that were painted.
    applied_to: u64,
    applied: BTreeSet<u64>,
}

#[derive(Debug)]
struct Waiting {
    header: FrameHeader,
    /// What its number was read with.
    after: u64,
    bytes: Bytes,
}

/// A frame to paint now, after all that were handed out before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Paint {
    /// The surface to paint on.
    pub surface: u32,
    /// What to paint.
    pub frame: Frame,
    /// The tiles that it touches, rising.
    pub tiles: Vec<TileIndex>,
    /// Tiles among them that a later frame painted already: they keep what they show.
    pub newer: Vec<TileIndex>,
}

/// What the waiting frames allow.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Paint this.
    Paint(Paint),
    /// The frame of this number has no surface any more and counts as applied.
    Void(u64),
    /// The frame of this number builds on what is not there: it counts as applied, and the server must be told.
    Unfounded(u64),
}

impl ClientDisplay {
    /// No surface; all together will have at most `max_pixels`.
    pub fn new(max_pixels: u64) -> Self {
        Self {
            max_pixels,
            terms: Terms::default(),
            surfaces: BTreeMap::new(),
            generation: 0,
            registers: Registers::default(),
            unannounced: BTreeSet::new(),
            waiting: BTreeMap::new(),
            partial: BTreeMap::new(),
            held: 0,
            painting: 0,
            unspoken: 0,
            issued_to: 0,
            issued: BTreeSet::new(),
            applied_to: 0,
            applied: BTreeSet::new(),
        }
    }

    /// Takes up a surface. True if its samples go on, to be proved anew; false if it starts blank.
    pub fn surface(&mut self, now: Time, surface: Surface) -> Result<bool, WireError> {
        self.unannounced.remove(&surface.id);
        self.generation = self.generation.max(surface.generation);
        if let Some(ledger) = self.surfaces.get_mut(&surface.id) {
            let old = *ledger.surface();
            if (old.size, old.format) == (surface.size, surface.format)
                && old.generation <= surface.generation
            {
                ledger.renew(now, surface);
                return Ok(true);
            }
        }
        let others = self.surfaces.values().map(|l| l.surface()).filter(|s| s.id != surface.id);
        let (count, pixels) = others.fold((1, surface.size.area()), |(n, px), s| (n + 1, px + s.size.area()));
        if count > MAX_SURFACES {
            return Err(WireError::Limit { what: "surfaces", limit: MAX_SURFACES as u64, got: count as u64 });
        }
        if pixels > self.max_pixels {
            return Err(WireError::Limit { what: "pixels of surfaces", limit: self.max_pixels, got: pixels });
        }
        self.surfaces.insert(surface.id, ClientLedger::new(surface));
        Ok(false)
    }

    /// Forgets the surface of this number. False if there was none.
    pub fn surface_gone(&mut self, id: u32) -> bool {
        self.surfaces.remove(&id).is_some()
    }

    /// Forgets the surfaces that the server did not announce again when the connection went on, and returns them.
    pub fn forget_unannounced(&mut self) -> BTreeSet<u32> {
        let gone = core::mem::take(&mut self.unannounced);
        self.surfaces.retain(|id, _| !gone.contains(id));
        gone
    }

    /// The ledger of the surface of this number.
    pub fn ledger(&self, id: u32) -> Option<&ClientLedger> {
        self.surfaces.get(&id)
    }

    /// The same, to be changed.
    pub fn ledger_mut(&mut self, id: u32) -> Option<&mut ClientLedger> {
        self.surfaces.get_mut(&id)
    }

    /// All ledgers.
    pub fn ledgers_mut(&mut self) -> impl Iterator<Item = &mut ClientLedger> {
        self.surfaces.values_mut()
    }

    /// The surfaces there are.
    pub fn surfaces(&self) -> impl Iterator<Item = &Surface> {
        self.surfaces.values().map(|l| l.surface())
    }

    /// How many tiles of all surfaces are in which state.
    pub fn counts(&self) -> Counts {
        self.surfaces.values().fold(Counts::default(), |sum, l| sum.plus(l.counts()))
    }

    /// The next bytes of the frame stream `id`.
    pub fn receive(&mut self, id: u64, bytes: Bytes, fin: bool) -> Result<(), WireError> {
        self.hold(bytes.len())?;
        // Most frames come in one piece and need no copy.
        let whole = match self.partial.remove(&id) {
            None if fin => bytes,
            before => {
                let mut all = before.unwrap_or_default();
                all.extend_from_slice(&bytes);
                if all.len() > MAX_FRAME {
                    return Err(WireError::Limit {
                        what: "frame length",
                        limit: MAX_FRAME as u64,
                        got: all.len() as u64,
                    });
                }
                if !fin {
                    self.partial.insert(id, all);
                    return Ok(());
                }
                all.freeze()
            }
        };
        // Whatever is under way is above what was handed out, so few bits tell one number from another.
        let after = self.issued_to;
        let header = FrameHeader::read(&mut Reader::new(&whole), after)?;
        let known = self.issued.contains(&header.seq) || self.waiting.contains_key(&header.seq);
        if known {
            return Err(WireError::Value { what: "repeated frame number", got: header.seq });
        }
        if self.waiting.len() == MAX_WAITING {
            let limit = MAX_WAITING as u64;
            return Err(WireError::Limit { what: "frames waiting", limit, got: limit + 1 });
        }
        self.waiting.insert(header.seq, Waiting { header, after, bytes: whole });
        Ok(())
    }

    /// The next frame that can be painted.
    pub fn next_step(&mut self) -> Result<Option<Next>, WireError> {
        if self.painting >= MAX_PAINTING {
            return Ok(None);
        }
        let ready = self.waiting.values().map(|w| w.header);
        let Some(header) =
            ready.into_iter().find(|h| h.base <= self.issued_to && h.generation <= self.generation)
        else {
            return Ok(None);
        };
        let Some(Waiting { bytes, after, .. }) = self.waiting.remove(&header.seq) else { return Ok(None) };
        self.held -= bytes.len();
        self.unspoken += bytes.len();
        advance(&mut self.issued_to, &mut self.issued, header.seq);
        let mut ledgers = self.surfaces.values_mut();
        let Some(ledger) = ledgers.find(|l| l.surface().generation == header.generation) else {
            self.registers.void(header.seq);
            advance(&mut self.applied_to, &mut self.applied, header.seq);
            return Ok(Some(Next::Void(header.seq)));
        };
        let Surface { id, size, format, .. } = *ledger.surface();
        let frame = Frame::read(&bytes, after, size, self.terms.on(format))?;
        let Begun { tiles, newer, is_unfounded } = ledger.begin(header.seq, &frame.ops);
        let has_models = self.registers.begin(header.seq, &frame.ops);
        if is_unfounded || !has_models {
            ledger.failed(header.seq);
            self.registers.fail(&frame.ops);
            advance(&mut self.applied_to, &mut self.applied, header.seq);
            return Ok(Some(Next::Unfounded(header.seq)));
        }
        self.painting += 1;
        Ok(Some(Next::Paint(Paint { surface: id, frame, tiles, newer })))
    }

    /// Frame `seq` was painted, or will never be.
    pub fn applied(&mut self, seq: u64) {
        self.painting = self.painting.saturating_sub(1);
        // A painter may still report frames of a session before this one.
        if seq <= self.issued_to || self.issued.contains(&seq) {
            advance(&mut self.applied_to, &mut self.applied, seq);
        }
    }

    /// Bytes of the frames that the next feedback is the first to speak of.
    pub fn unspoken(&self) -> usize {
        self.unspoken
    }

    /// What to tell the server.
    pub fn feedback(&mut self, decode_us: u64) -> Feedback {
        self.unspoken = 0;
        let first = self.applied_to + 2;
        let beyond = self.applied.iter().filter_map(|seq| seq.checked_sub(first)).filter(|i| *i < 64);
        Feedback {
            applied_to: self.applied_to,
            beyond: beyond.fold(0, |bits, i| bits | 1 << i),
            decode_us,
            waiting: self.waiting.len() as u64,
        }
    }

    /// Every frame up to this one was painted.
    pub fn applied_to(&self) -> u64 {
        self.applied_to
    }

    /// What another connection may build on: every frame up to this one was painted, and none of it is known to be
    /// wrong. A server may not have heard of a frame that failed.
    pub fn resumable_to(&self) -> u64 {
        let inexact = self.surfaces.values().filter_map(|l| l.first_inexact()).min();
        inexact.map_or(self.applied_to, |seq| self.applied_to.min(seq - 1))
    }

    /// This was agreed on for the connection that begins.
    pub fn agree(&mut self, terms: Terms) {
        self.terms = terms;
        self.registers = Registers::default();
    }

    /// The connection is gone: nothing that was under way on it will arrive.
    pub fn disconnect(&mut self) {
        self.waiting.clear();
        self.partial.clear();
        self.held = 0;
    }

    /// A connection goes on; frames up to `void_to` will not come any more.
    pub fn resume(&mut self, void_to: u64) {
        self.unannounced = self.surfaces.keys().copied().collect();
        for (to, beyond) in
            [(&mut self.issued_to, &mut self.issued), (&mut self.applied_to, &mut self.applied)]
        {
            *to = void_to;
            beyond.clear();
        }
    }

    /// The session starts anew: no surface, no frame.
    pub fn restart(&mut self, void_to: u64) {
        // The painter may still be at work on frames of before.
        *self = Self { painting: self.painting, ..Self::new(self.max_pixels) };
        self.resume(void_to);
    }

    fn hold(&mut self, bytes: usize) -> Result<(), WireError> {
        self.held += bytes;
        if self.held > MAX_HELD {
            let (limit, got) = (MAX_HELD as u64, self.held as u64);
            return Err(WireError::Limit { what: "bytes of unfinished frames", limit, got });
        }
        Ok(())
    }
}

/// Adds `seq` to the set of all numbers up to `to` and those in `beyond`.
fn advance(to: &mut u64, beyond: &mut BTreeSet<u64>, seq: u64) {
    if seq > *to {
        beyond.insert(seq);
    }
    while beyond.remove(&(*to + 1)) {
        *to += 1;
    }
}
