//! From damage to frames: what a client does not have yet, as copies and coded rects.
//!
//! A [`View`] is one client's picture of one surface, as it is once every frame sent so far is painted. Making a
//! frame compares it with the source's private snapshot, so damage that changed nothing costs no byte, and what
//! moved is found and copied. Nothing in here is a thread: the server's pump calls it, and so can a test.

mod boxes;
mod changes;
mod coder;
mod contract;
mod density;
mod frame;
mod parts;
mod passes;
mod pool;
mod recall;
mod registers;
mod scaled;
mod slots;
mod take;
mod technique;
mod tiles;
mod units;
mod video;

use std::sync::Arc;

use lightbox_codec::geom::{Size, TileGrid, TileIndex};
use lightbox_codec::pixel::{Image, ImageRef};
use lightbox_codec::screen::motion::Finder;
use lightbox_codec::screen::update::Encoder;
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{Agreed, NewFrame};
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::session::server::{Repair, Why};

use contract::Terms;
pub use contract::{Contract, Contracts};
use density::Density;
use passes::Coarse;
pub use passes::Patience;
pub use pool::Pool;
use recall::Past;
use registers::Registers;
pub use scaled::Shown;
use slots::Slots;
pub use technique::{Technique, Used};
use tiles::TileSet;
pub use video::SubmittedUnit;
use video::Video;

/// One client's picture of one surface.
#[derive(Debug)]
pub struct View {
    surface: u32,
    grid: TileGrid,
    /// What the client has once everything sent is painted, `unknown` tiles apart.
    sent: Image,
    /// What it shows before the frame in the making, where units need to know.
    before: Image,
    /// Tiles that may differ from the source.
    pending: TileSet,
    /// What moved in them was found and copied: they are the rest of a large change, which follows in slices.
    is_searched: bool,
    /// Tiles of which it is not known what the client has: they are sent whole. All of them are pending.
    unknown: TileSet,
    /// Tiles that the usual path got wrong.
    plain: TileSet,
    /// Tiles that the client shows with an error. `sent` has their samples as they were then, and they are refined to
    /// those, unless they change before.
    coarse: Coarse,
    /// What the host was promised.
    terms: Terms,
    video: Video,
    /// What the picture shows scaled, as the host says.
    shown: Arc<[Shown]>,
    past: Past,
    /// When the oldest change of each tile in `pending` was made.
    when: Vec<Time>,
    /// The smallest of those.
    since: Option<Time>,
    /// The smallest of those that the frame in the making takes out.
    taken: Option<Time>,
    /// Where the next frame starts to look, so that none is starved by changes before it.
    at: TileIndex,
    finder: Finder,
    density: Density,
    encoder: Encoder,
}

/// What one client keeps for the server to come back to, all surfaces of the session together: tiles in slots, and
/// models in registers.
#[derive(Debug)]
pub struct Keep {
    slots: Slots,
    models: Registers,
}

impl Keep {
    /// Nothing is kept. `key` is random and the session's own: tiles are known by a hash with it.
    pub fn new(key: [u8; 32]) -> Self {
        Self { slots: Slots::new(key), models: Registers::default() }
    }

    /// It is not certain any more what the client has: nothing that it was given until now is built on. To be called at
    /// every repair, at every frame that was made and not sent, and when a surface goes or starts anew.
    pub fn forget(&mut self) {
        self.slots.forget();
        self.models.forget();
    }

    /// A frame begins for a client that agreed on this.
    fn begin(&mut self, agreed: Agreed) {
        self.slots.begin(agreed);
        self.models.begin(&agreed);
    }
}

/// A frame, and how its rects were coded.
#[derive(Debug)]
pub struct Made {
    /// For the session.
    pub frame: NewFrame,
    /// By technique.
    pub used: Vec<(Technique, Used)>,
}

impl View {
    /// The view of a client that has nothing yet of surface `id`, which looks like `image`.
    pub fn new(id: u32, image: &Image, now: Time) -> Self {
        let grid = TileGrid::new(image.size());
        Self {
            surface: id,
            grid,
            sent: image.clone(),
            before: image.clone(),
            pending: TileSet::all(&grid),
            is_searched: false,
            unknown: TileSet::all(&grid),
            plain: TileSet::empty(&grid),
            coarse: Coarse::new(&grid),
            terms: Terms::new(&grid, &Contracts::default()),
            video: Video::default(),
            shown: Arc::default(),
            past: Past::new(&grid),
            when: vec![now; grid.len() as usize],
            since: Some(now),
            taken: None,
            at: 0,
            finder: Finder::new(),
            density: Density::default(),
            encoder: Encoder::default(),
        }
    }

    /// From how much waiting on changes are shown with an error first. Default: [`Patience::default`].
    pub fn set_patience(&mut self, patience: Patience) {
        self.coarse.set_patience(patience);
    }

    /// The surface it is of.
    pub fn surface(&self) -> u32 {
        self.surface
    }

    /// The surface's size.
    pub fn size(&self) -> Size {
        self.grid.size()
    }

    /// When the oldest change was made that was not sent yet.
    pub fn since(&self) -> Option<Time> {
        self.since.into_iter().chain(self.video.since()).min()
    }

    /// True if some tile is shown with an error, and is to be refined.
    pub fn is_coarse(&self) -> bool {
        !self.coarse.is_empty()
    }

    /// These tiles changed at the source at `now`.
    pub fn damage(&mut self, tiles: impl IntoIterator<Item = TileIndex>, now: Time) {
        for tile in tiles {
            let Some(when) = self.when.get_mut(tile as usize) else { continue };
            *when = if self.pending.contains(tile) { now.min(*when) } else { now };
            self.pending.insert(tile);
            self.is_searched = false;
            self.terms.changed(tile, now);
            self.since = Some(self.since.map_or(now, |since| since.min(now)));
        }
    }

    /// The client does not have these tiles as it should.
    pub fn repair(&mut self, repair: &Repair, now: Time) {
        if repair.ends_run {
            if repair.why == Why::Unpainted {
                self.video.fail(now);
            }
            self.end_run();
        }
        self.resend(&repair.tiles, repair.why, now);
    }

    fn resend(&mut self, tiles: &[TileIndex], why: Why, now: Time) {
        for tile in tiles {
            self.unknown.insert(*tile);
            self.coarse.remove(*tile);
            if why == Why::Mismatch {
                self.plain.insert(*tile);
            }
        }
        self.damage(tiles.iter().copied(), now);
    }

    /// The client never gets the frame that was made last: what it paints is not known to be there, and the changes
    /// are as old as they were.
    pub fn dropped(&mut self, frame: &NewFrame) {
        let tiles: Vec<_> = frame.writes.iter().map(|w| w.tile).collect();
        if frame.ops.iter().any(|op| matches!(op, Op::Video(_))) {
            self.end_run();
        }
        self.resend(&tiles, Why::Lost, frame.capture);
    }

    /// Some tiles are not pending any more.
    fn note_pending(&mut self) {
        self.since = self.pending.iter().map(|tile| self.when[tile as usize]).min();
    }

    /// False once the output was reshaped: the source's samples are another surface's, whose own view is to come.
    fn is_of(&self, source: ImageRef<'_>) -> bool {
        (source.size(), source.format()) == (self.sent.size(), self.sent.format())
    }
}

#[cfg(test)]
mod tests;
