//! The client's end: what the client SDK does with a session, in virtual time, and faults on the way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use lightbox_client::paint::{Canvas, PaintError};
use lightbox_codec::geom::{Rect, Size, TILE, TileGrid, TileMask};
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_codec::screen::update::Decoder;
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::Paint;
use lightbox_protocol::digest::DigestContext;
use lightbox_protocol::exact::{Counts, DueTile, TileState};
use lightbox_protocol::msg::control::{Capabilities, Surface};
use lightbox_protocol::msg::display::{Op, Step};
use lightbox_protocol::msg::input::Action;
use lightbox_protocol::msg::update::MAX_MODELS;
use lightbox_protocol::session::client::{ClientSession, Command, Config, Event};
use lightbox_protocol::session::{Cause, Effect, Session};
use lightbox_protocol::wire::ids::codec;
use lightbox_sim::rng::Rng;

use super::film;
use super::history::{History, Tile};
use super::line::Line;
use super::{Broken, Faults};

/// A session, its surfaces, and a painter that works through its jobs one by one, some time later.
///
/// Its clock is another than the host's.
pub(super) struct Terminal {
    session: ClientSession,
    canvas: Canvas,
    jobs: VecDeque<(Time, Job)>,
    rng: Rng,
    wait: Option<Time>,
    surfaces: BTreeMap<u32, Surface>,
    /// The frame that each tile shows, or will once the painter is through.
    shown: BTreeMap<Tile, u64>,
    /// Whether the digest sent last was of the right samples.
    proved_right: BTreeMap<Tile, bool>,
    /// Faults in tiles that nobody found yet.
    open: BTreeMap<Tile, u64>,
    /// Tiles of frames that were refused, and tiles with copies of those or of faults, until they are painted again.
    refused: BTreeSet<Tile>,
    /// Surfaces whose run was refused, until the next key frame.
    broken_runs: BTreeSet<u32>,
    wheel: i32,
    pub(super) faults: Faults,
    pub(super) faulty: bool,
    /// Whether anything is spoiled in this run.
    pub(super) may_be_faulty: bool,
    /// Some fault was there on this connection: a model may have learned from it, which only shows later.
    learned_wrong: bool,
    /// A wrong tile was put aside on this connection, and may come back.
    stored_wrong: bool,
    /// Tiles called verified, once each time.
    pub(super) verified: u64,
    /// Tiles whose bytes were compared.
    pub(super) compared: u64,
    /// Tiles with a stated error that were compared.
    pub(super) coarse: u64,
    /// Access units decoded.
    pub(super) units: u64,
    /// Units of the screen codec painted, and those that started from a register.
    pub(super) updates_by_model: (u64, u64),
    pub(super) is_welcome: bool,
}

enum Job {
    Surface(Surface, bool),
    Gone(u32),
    Clear,
    Agreed(u64, u8),
    Paint(Paint),
    Digest(DigestContext, Vec<DueTile>),
}

impl Terminal {
    pub(super) fn new(rng: Rng, may_be_faulty: bool) -> Self {
        let mut capabilities = Capabilities::default();
        capabilities.codecs.push(codec::HEVC);
        let config = Config { terminal: "soak".into(), ticket: Vec::new(), capabilities };
        Self {
            session: ClientSession::new(config),
            canvas: Canvas::new().with_decoders(film::decoders()),
            jobs: VecDeque::new(),
            rng,
            wait: None,
            surfaces: BTreeMap::new(),
            shown: BTreeMap::new(),
            proved_right: BTreeMap::new(),
            open: BTreeMap::new(),
            refused: BTreeSet::new(),
            broken_runs: BTreeSet::new(),
            wheel: 0,
            faults: Faults::default(),
            faulty: may_be_faulty,
            may_be_faulty,
            learned_wrong: false,
            stored_wrong: false,
            verified: 0,
            compared: 0,
            coarse: 0,
            units: 0,
            updates_by_model: (0, 0),
            is_welcome: false,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.session.counts()
    }

    pub(super) fn surfaces(&self) -> &BTreeMap<u32, Surface> {
        &self.surfaces
    }

    pub(super) fn canvas(&self) -> &Canvas {
        &self.canvas
    }

    /// When it has something to do.
    pub(super) fn next(&self) -> Option<Time> {
        let job = self.jobs.front().map(|(at, _)| *at);
        job.into_iter().chain(self.wait).min()
    }

    pub(super) fn step(
        &mut self,
        now: Time,
        line: &mut Option<Line>,
        history: &mut History,
    ) -> Result<(), Broken> {
        if self.jobs.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, job)) = self.jobs.pop_front()
            && let Some(done) = self.work(job, history)?
        {
            self.handle(now, Cause::Command(done), line, history)?;
            self.check_errors(now, history)?;
        }
        if self.wait.is_some_and(|at| at <= now) {
            self.handle(now, Cause::Tick, line, history)?;
        }
        Ok(())
    }

    pub(super) fn handle(
        &mut self,
        now: Time,
        cause: Cause<Command>,
        line: &mut Option<Line>,
        history: &mut History,
    ) -> Result<(), Broken> {
        self.session.handle(here(now), cause);
        loop {
            match self.session.poll() {
                Effect::Send(lane, bytes) => {
                    if let Some(line) = line {
                        line.up.send(now, lane, bytes);
                    }
                }
                Effect::Datagram(bytes) => {
                    if let Some(line) = line {
                        line.up.send_datagram(now, bytes);
                    }
                }
                Effect::Event(event) => self.event(now, event, history)?,
                Effect::Close(why) => return Err(Broken::Ended(why)),
                Effect::Wait(until) => {
                    self.wait = until.map(there);
                    return Ok(());
                }
            }
        }
    }

    /// The person turns the wheel by one.
    pub(super) fn turn(
        &mut self,
        now: Time,
        line: &mut Option<Line>,
        history: &mut History,
    ) -> Result<(), Broken> {
        self.wheel += 1;
        let action = Action::Wheel { dx: self.wheel, dy: 0 };
        self.handle(now, Cause::Command(Command::Input(action)), line, history)
    }

    /// Every tile that the session calls verified, and the frame it shows. Compares the bytes of each on the way.
    pub(super) fn verified_tiles(
        &mut self,
        now: Time,
        history: &History,
    ) -> Result<Vec<(Tile, u64)>, Broken> {
        let mut verified = Vec::new();
        for surface in self.surfaces.values() {
            for tile in 0..TileGrid::new(surface.size).len() {
                if self.session.tile_state(here(now), surface.id, tile) == TileState::Verified {
                    verified.push((surface.id, tile));
                }
            }
        }
        verified.into_iter().map(|tile| self.compare(tile, history).map(|epoch| (tile, epoch))).collect()
    }

    /// Compares every tile that is shown with an error, but for those that were spoiled.
    fn check_errors(&mut self, now: Time, history: &History) -> Result<(), Broken> {
        let tiles = self.shown.iter().filter(|(tile, _)| !self.open.contains_key(tile));
        for ((surface, tile), epoch) in tiles {
            let state = self.session.tile_state(here(now), *surface, *tile);
            if !matches!(state, TileState::Painted | TileState::Refining) {
                continue;
            }
            self.coarse += 1;
            let error = self.session.tile_error(*surface, *tile).unwrap_or(0);
            let image = self.canvas.get(*surface);
            if !image.is_some_and(|image| history.is_within(error, (*surface, *tile), *epoch, image)) {
                let (surface, tile, epoch) = (*surface, *tile, *epoch);
                return Err(Broken::FalseError { surface, tile, epoch, error });
            }
        }
        Ok(())
    }

    /// The server called these tiles wrong: they must be.
    pub(super) fn called_wrong(&mut self, surface: u32, tiles: &[u32]) -> Result<(), Broken> {
        for tile in tiles {
            let tile = (surface, *tile);
            if self.proved_right.get(&tile).copied().unwrap_or(false) {
                return Err(Broken::FalseMismatch { surface, tile: tile.1 });
            }
            if !self.may_be_faulty {
                return Err(Broken::Unspoiled { surface, tile: tile.1 });
            }
            self.faults.mismatches += 1;
            self.faults.found += self.open.remove(&tile).unwrap_or(0);
            // Wrong it stays until it comes again.
            self.refused.insert(tile);
        }
        Ok(())
    }

    /// All tiles show the source's samples: what was not found was painted over.
    pub(super) fn all_is_right(&mut self) {
        self.faults.overwritten += self.open.values().sum::<u64>();
        self.open.clear();
        self.refused.clear();
    }

    fn event(&mut self, now: Time, event: Event, history: &mut History) -> Result<(), Broken> {
        match event {
            Event::Welcome { resumed, slots, models, .. } => {
                self.is_welcome = true;
                if !resumed {
                    self.surfaces.clear();
                    self.shown.clear();
                    self.job(now, Job::Clear);
                }
                self.job(now, Job::Agreed(slots, models));
            }
            Event::Surface { surface, kept } => {
                if !kept {
                    self.forget(surface.id);
                }
                self.surfaces.insert(surface.id, surface);
                self.job(now, Job::Surface(surface, kept));
            }
            Event::SurfaceGone(id) => {
                self.forget(id);
                self.surfaces.remove(&id);
                self.job(now, Job::Gone(id));
            }
            Event::Paint(paint) => {
                let header = paint.frame.header;
                for tile in paint.tiles.iter().filter(|tile| !paint.newer.contains(tile)) {
                    let tile = (paint.surface, *tile);
                    self.shown.insert(tile, header.seq);
                    history.forget_before(tile, header.seq);
                }
                self.job(now, Job::Paint(paint));
            }
            Event::Digest { context, tiles, .. } => self.job(now, Job::Digest(context, tiles)),
            Event::Verified { surface, tiles } => {
                for tile in tiles {
                    self.compare((surface, tile), history)?;
                    self.refused.remove(&(surface, tile));
                    self.verified += 1;
                }
            }
            Event::Ended(why) => return Err(Broken::Ended(why)),
            Event::Lost(_)
            | Event::Layout(_)
            | Event::CursorShape(_)
            | Event::CursorAt(_)
            | Event::Leds(_)
            | Event::Stream(_) => (),
        }
        Ok(())
    }

    fn job(&mut self, now: Time, job: Job) {
        let start = self.jobs.back().map_or(now, |(at, _)| now.max(*at));
        let slow = if self.rng.chance(0.01) { 80_000 } else { 1_500 };
        self.jobs.push_back((start + Duration::from_micros(self.rng.below(slow)), job));
    }

    fn work(&mut self, job: Job, history: &History) -> Result<Option<Command>, Broken> {
        match job {
            Job::Surface(surface, kept) => {
                self.canvas.surface(&surface, kept).map_err(|_| Broken::Unpaintable)?;
            }
            Job::Gone(id) => self.canvas.gone(id),
            Job::Clear => self.canvas.clear(),
            Job::Agreed(slots, models) => {
                self.learned_wrong = !self.open.is_empty() || !self.refused.is_empty();
                self.stored_wrong = false;
                self.canvas.agree(slots, models);
            }
            Job::Paint(paint) => return self.paint(paint).map(Some),
            Job::Digest(context, tiles) => {
                for due in &tiles {
                    let tile = (context.surface, due.tile);
                    let image = self.canvas.get(context.surface);
                    let right = image.is_some_and(|image| history.agrees(tile, due.epoch, image));
                    self.proved_right.insert(tile, right);
                }
                let tiles = self.canvas.digest(&context, &tiles);
                let (surface, generation) = (context.surface, context.generation);
                return Ok(Some(Command::Digests { surface, generation, tiles }));
            }
        }
        Ok(None)
    }

    /// Paints, as well as it can.
    fn paint(&mut self, mut paint: Paint) -> Result<Command, Broken> {
        let (seq, surface) = (paint.frame.header.seq, paint.surface);
        let took = Duration::from_micros(self.rng.below(3_000));
        if self.faulty && self.rng.chance(0.01) {
            self.faults.refused += 1;
            self.learned_wrong = true;
            if key_of(&paint).is_some() {
                self.broken_runs.insert(surface);
            }
            // It fails half way.
            let at = self.rng.below(paint.frame.ops.len() as u64 + 1) as usize;
            paint.frame.ops.insert(at, Op::Show { tiles: Rect::new(0, 0, 1, 1), first: NO_SLOT });
            let _ = self.canvas.paint(&paint);
            self.refused.extend(paint.tiles.iter().map(|tile| (surface, *tile)));
            return Ok(Command::Painted { seq, surface, tiles: None, took });
        }
        if !self.canvas_paint(&paint)? {
            return Ok(Command::Painted { seq, surface, tiles: None, took });
        }
        if self.faulty && self.rng.chance(0.03) {
            self.spoil(&paint);
        }
        if self.faulty && self.rng.chance(0.05) {
            self.spoil_model();
        }
        Ok(Command::Painted { seq, surface, tiles: Some(paint.tiles), took })
    }

    /// False where low bits found that the high ones were spoiled or refused, or a slot or a register does not hold what
    /// it should, since a frame before failed or was void.
    fn canvas_paint(&mut self, paint: &Paint) -> Result<bool, Broken> {
        let surface = paint.surface;
        let known = self.canvas.get(surface).is_some();
        let (wrong, builds_on_wrong) = self.wrong_after(paint);
        match self.canvas.paint(paint) {
            Ok(_) => {
                for tile in paint.tiles.iter().filter(|tile| !paint.newer.contains(tile)) {
                    let at = (surface, *tile);
                    let _ =
                        if wrong.contains(tile) { self.refused.insert(at) } else { self.refused.remove(&at) };
                }
                self.units += u64::from(key_of(paint).is_some());
                for op in &paint.frame.ops {
                    if let Op::Update(unit) = op {
                        self.updates_by_model.0 += 1;
                        self.updates_by_model.1 += u64::from(unit.models.from > 0);
                    }
                }
                if key_of(paint) == Some(true) {
                    self.broken_runs.remove(&surface);
                }
                Ok(true)
            }
            // Its surface went while it was waiting.
            Err(_) if !known => Ok(true),
            Err(PaintError::Slot(_)) => {
                self.faults.empty_slots += 1;
                self.refused.extend(paint.tiles.iter().map(|tile| (surface, *tile)));
                Ok(false)
            }
            Err(PaintError::Register(_)) => {
                self.faults.empty_registers += 1;
                self.refused.extend(paint.tiles.iter().map(|tile| (surface, *tile)));
                Ok(false)
            }
            Err(PaintError::Run | PaintError::Video(_)) if self.broken_runs.contains(&surface) => {
                self.refused.extend(paint.tiles.iter().map(|tile| (surface, *tile)));
                Ok(false)
            }
            Err(_) if builds_on_wrong => {
                self.refused.extend(paint.tiles.iter().map(|tile| (surface, *tile)));
                Ok(false)
            }
            Err(_) => Err(Broken::Unpaintable),
        }
    }

    /// Which tiles may be wrong after a frame: those that were and are not painted whole, and what is predicted from them
    /// or from a model that may have learned from them, or comes back from a slot. And whether anything is, so that the
    /// frame may fail.
    fn wrong_after(&mut self, paint: &Paint) -> (BTreeSet<u32>, bool) {
        let surface = paint.surface;
        let Some(image) = self.canvas.get(surface) else { return (BTreeSet::new(), false) };
        let grid = TileGrid::new(image.size());
        let known = self.open.keys().chain(&self.refused).filter(|tile| tile.0 == surface);
        let mut wrong: BTreeSet<u32> = known.map(|tile| tile.1).collect();
        let mut builds_on_wrong = false;
        for op in &paint.frame.ops {
            let is_wrong = |tile: u32| wrong.contains(&tile);
            if let Op::Store { tiles, .. } = op {
                self.stored_wrong |= grid.touching(*tiles).any(is_wrong);
            }
            let is_predicted = match op {
                Op::Copy { from, .. } => grid.touching(*from).any(is_wrong),
                Op::Update(_) if self.learned_wrong => true,
                Op::Show { .. } if self.stored_wrong => true,
                _ if op.step() == Step::Low => op.tiles(grid).any(is_wrong),
                _ => op.builds_on(grid).into_iter().any(is_wrong),
            };
            if is_predicted {
                builds_on_wrong |= op.step() != Step::Copy;
                wrong.extend(op.tiles(grid));
            } else if matches!(op.step(), Step::Paint(_)) {
                let target = op.target();
                for tile in op.tiles(grid).filter(|tile| target.contains(grid.rect(*tile))) {
                    wrong.remove(&tile);
                }
            }
        }
        (wrong, builds_on_wrong)
    }

    /// A decoder that is wrong: changes a byte of a tile that was painted just now.
    fn spoil(&mut self, paint: &Paint) {
        let surface = paint.surface;
        let painted: Vec<_> = paint.tiles.iter().filter(|tile| !paint.newer.contains(tile)).collect();
        let (Some(mut image), false) = (self.canvas.get_mut(surface), painted.is_empty()) else { return };
        let tile = *painted[self.rng.below(painted.len() as u64) as usize];
        let rect = TileGrid::new(image.size()).rect(tile);
        let Some(mut part) = image.crop_mut(rect) else { return };
        let row = part.row_mut(self.rng.below(rect.h.into()) as u32);
        let at = self.rng.below(row.len() as u64) as usize;
        row[at] ^= 1 << self.rng.below(8);
        self.faults.injected += 1;
        self.learned_wrong = true;
        *self.open.entry((surface, tile)).or_default() += 1;
    }

    /// A model that has learned what no server taught it: some register has read a unit of noise.
    fn spoil_model(&mut self) {
        let first = self.rng.below(MAX_MODELS.into()) as u8;
        let mut registers = (0..MAX_MODELS).map(|i| 1 + (first + i) % MAX_MODELS);
        let Some(register) = registers.find(|i| self.canvas.model_mut(*i).is_some()) else { return };
        let Some(model) = self.canvas.model_mut(register) else { return };
        let Ok(mut aside) = Image::new(Size::new(TILE, TILE), PixelFormat::Bgrx8) else { return };
        let noise: Vec<u8> = (0..64).map(|_| self.rng.next_u64() as u8).collect();
        let tile = TileMask::all(Rect::new(0, 0, 1, 1));
        let _ = Decoder::default().decode(model, &tile, &mut aside.as_mut(), true, &noise);
        self.faults.models += 1;
        self.learned_wrong = true;
    }

    /// The heart of it: a tile is called verified, so its bytes must be those of the source. Returns its frame.
    fn compare(&mut self, tile: Tile, history: &History) -> Result<u64, Broken> {
        self.compared += 1;
        let epoch = self.shown.get(&tile).copied().unwrap_or(0);
        let image = self.canvas.get(tile.0);
        if image.is_some_and(|image| history.agrees(tile, epoch, image)) {
            Ok(epoch)
        } else {
            Err(Broken::FalseVerified { surface: tile.0, tile: tile.1, epoch })
        }
    }

    fn forget(&mut self, surface: u32) {
        self.shown.retain(|tile, _| tile.0 != surface);
        self.proved_right.retain(|tile, _| tile.0 != surface);
        let (gone, kept) =
            std::mem::take(&mut self.open).into_iter().partition(|(tile, _)| tile.0 == surface);
        self.open = kept;
        let gone: BTreeMap<Tile, u64> = gone;
        self.faults.overwritten += gone.values().sum::<u64>();
    }
}

/// Whether the access unit of a frame, if it has one, is a key frame.
fn key_of(paint: &Paint) -> Option<bool> {
    paint.frame.ops.iter().find_map(|op| if let Op::Video(unit) = op { Some(unit.key) } else { None })
}

/// Filled by no server of this project in the life of a machine.
const NO_SLOT: u64 = 1 << 60;

/// The clocks of two machines have nothing to do with each other.
const APART: Duration = Duration::from_secs(86_400 * 365);

fn here(there: Time) -> Time {
    there + APART
}

fn there(here: Time) -> Time {
    here - APART
}
