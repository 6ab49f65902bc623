//! Access units of the host's own encoder on their way to one client.
//!
//! A unit is decoded behind the one before it, so a client gets all of a run or none: what begins in the middle, lost
//! one or waited too long waits for the next key frame, and everything changes hands as if there were no video until
//! then. A unit takes the changes with it that waited when the host submitted it; its tiles are coarse from then on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lightbox_codec::geom::{Rect, TileIndex};
use lightbox_codec::pixel::{ImageRef, PixelFormat};
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::Begin;
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::msg::video::{Unit, VideoCodecs};

use super::parts::Parts;
use super::recall::group;
use super::{Keep, Made, Technique, View};

/// Units that wait for room on the path: as long as a few of them take is a picture still worth showing.
const MAX_QUEUE: usize = 8;
/// So many runs may fail at the client before its decoder is left alone for [`PENANCE`].
const MAX_FAILURES: u32 = 3;
/// After so long a decoder that failed is tried again.
const PENANCE: Duration = Duration::from_secs(60);

/// An access unit, shared by all sessions.
#[derive(Debug)]
pub struct SubmittedUnit {
    /// Counts the units of an output.
    pub number: u64,
    /// When the picture was taken.
    pub at: Time,
    /// What the client decodes.
    pub unit: Unit,
}

/// One client's run of one surface.
#[derive(Debug, Default)]
pub(crate) struct Video {
    /// What was agreed on when the last frame was made.
    terms: Option<Terms>,
    run: Option<Run>,
    queue: VecDeque<Waiting>,
    failures: u32,
    failed: Time,
    wants_key: bool,
}

/// The connection, and what its client decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    connection: u64,
    codecs: VideoCodecs,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    codec: u64,
    rect: Rect,
    /// The number of the unit that continues it.
    next: u64,
}

/// A unit that was not sent yet, and the changes that it takes with it.
#[derive(Debug)]
pub(super) struct Waiting {
    unit: Arc<SubmittedUnit>,
    /// When the oldest of them was made.
    since: Time,
    /// Each with when its own was.
    tiles: Vec<(TileIndex, Time)>,
}

impl View {
    /// The host's own encoder coded the source as it was with all damage so far. What of that lies in the unit's rect
    /// leaves with it, if the client can decode it; if not, the unit is as if it had never been.
    pub fn unit(&mut self, unit: &Arc<SubmittedUnit>) {
        if self.sent.format() != PixelFormat::Bgrx8 || !self.video.accepts(unit) {
            return;
        }
        if unit.unit.key {
            // It shows what those would have shown that wait still.
            let unsent = self.video.end();
            self.take_back(unsent);
        }
        let rect = unit.unit.rect;
        // What the usual path got wrong takes the plain one, and what a contract is for ends exactly at once as well.
        let takes = |tile: &TileIndex| {
            self.pending.contains(*tile)
                && !self.plain.contains(*tile)
                && !self.terms.is_for(*tile)
                && rect.contains(self.grid.rect(*tile))
        };
        let tiles: Vec<_> = self.grid.touching(rect).filter(takes).collect();
        let tiles: Vec<_> = tiles.into_iter().map(|tile| (tile, self.when[tile as usize])).collect();
        tiles.iter().for_each(|(tile, _)| self.pending.remove(*tile));
        self.note_pending();
        let since = tiles.iter().map(|(_, when)| *when).fold(unit.at, Time::min);
        let unsent = self.video.push(Waiting { unit: unit.clone(), since, tiles });
        self.take_back(unsent);
    }

    /// True once after a unit came that the client could decode, but for those before it: it waits for a key frame.
    pub fn take_want_of_key(&mut self) -> bool {
        std::mem::take(&mut self.video.wants_key)
    }

    /// From when on a tile that is shown with an error can be refined: what moves as video must rest first. `None` where no tile is coarse.
    pub fn refines_from(&self) -> Option<Time> {
        self.coarse.refines_from()
    }

    /// A frame with the next access unit that waits; `None` where none does.
    pub(super) fn unit_frame(
        &mut self,
        look: &mut impl FnMut(&mut dyn FnMut(ImageRef<'_>)),
        begin: &Begin,
        keep: &mut Keep,
    ) -> Option<Made> {
        let unsent = self.video.begin(begin);
        self.take_back(unsent);
        let Waiting { unit, since, tiles } = self.video.queue.pop_front()?;
        let (plain, tiles): (Vec<_>, Vec<_>) =
            tiles.into_iter().partition(|(tile, _)| self.plain.contains(*tile));
        plain.into_iter().for_each(|(tile, when)| self.damage([tile], when));
        let mut is_there = false;
        look(&mut |source| {
            is_there = self.is_of(source);
            for (tile, _) in tiles.iter().filter(|_| is_there) {
                let rect = self.grid.rect(*tile);
                // What the tile is refined to, if it does not change before.
                if let (Some(mut to), Some(from)) = (self.sent.as_mut().crop_mut(rect), source.crop(rect)) {
                    to.copy_from(from);
                }
            }
        });
        if !is_there {
            return None;
        }
        let mut parts = Parts::new(keep, &self.grid, begin);
        let bytes = unit.unit.data.len() as u64;
        parts.ops.push(Op::Video(unit.unit.clone()));
        for &(tile, _) in &tiles {
            self.unknown.remove(tile);
            self.coarse.note_video(tile, begin.at);
            self.past.forget(tile);
        }
        for (tiles, _) in group(&self.grid, &tiles, |_, _| true) {
            parts.ops.push(Op::Picture { tiles });
        }
        let pixels = tiles.iter().map(|(tile, _)| self.grid.rect(*tile).area()).sum();
        parts.count(Technique::Video, pixels, bytes);
        Some(self.finish(parts, begin, since, false))
    }

    /// The client cannot go on with its run.
    pub(super) fn end_run(&mut self) {
        let unsent = self.video.end();
        self.take_back(unsent);
    }

    /// These units are not sent after all: their changes wait again.
    pub(super) fn take_back(&mut self, unsent: Vec<Waiting>) {
        for (tile, when) in unsent.into_iter().flat_map(|waiting| waiting.tiles) {
            self.damage([tile], when);
        }
    }
}

impl Video {
    /// True if the run goes on with this unit, or it begins one.
    fn accepts(&mut self, unit: &SubmittedUnit) -> bool {
        // Before the first frame nothing is known of the client; then a unit that it does not decode is taken back.
        if self.terms.is_some_and(|terms| !terms.codecs.contains(unit.unit.codec)) {
            return false;
        }
        let continues = self.run.is_some_and(|run| {
            (run.codec, run.rect, run.next) == (unit.unit.codec, unit.unit.rect, unit.number)
        });
        let is_trusted = self.failures < MAX_FAILURES || unit.at >= self.failed + PENANCE;
        let begins = unit.unit.key && is_trusted;
        self.wants_key |= !continues && !begins && is_trusted;
        continues || begins
    }

    /// Puts a unit that was accepted behind those that wait. Returns those that are not sent, as too many wait.
    fn push(&mut self, waiting: Waiting) -> Vec<Waiting> {
        let Unit { codec, rect, .. } = waiting.unit.unit;
        self.run = Some(Run { codec, rect, next: waiting.unit.number + 1 });
        self.queue.push_back(waiting);
        if self.queue.len() > MAX_QUEUE { self.end() } else { Vec::new() }
    }

    /// A frame is about to be made. Returns what is not sent because the connection is another, or its client decodes
    /// no such thing.
    fn begin(&mut self, begin: &Begin) -> Vec<Waiting> {
        let terms = Terms { connection: begin.slots.connection, codecs: begin.passes.video };
        let before = self.terms.replace(terms);
        let is_other = before.is_some_and(|before| before.connection != terms.connection);
        if is_other {
            self.failures = 0;
        }
        if is_other || self.run.is_some_and(|run| !terms.codecs.contains(run.codec)) {
            return self.end();
        }
        Vec::new()
    }

    fn end(&mut self) -> Vec<Waiting> {
        self.run = None;
        self.queue.drain(..).collect()
    }

    /// The client could not decode its run.
    pub(super) fn fail(&mut self, now: Time) {
        if now >= self.failed + PENANCE {
            self.failures = 0;
        }
        self.failures += 1;
        self.failed = now;
    }

    /// When the oldest change was made that a waiting unit takes with it.
    pub(super) fn since(&self) -> Option<Time> {
        self.queue.iter().map(|waiting| waiting.since).min()
    }
}

#[cfg(test)]
mod tests;
