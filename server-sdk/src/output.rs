//! A monitor as the guest sees it: its picture and its cursor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use lightbox_codec::geom::{Point, Rect, Size};
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat};
use lightbox_net::clock;
use lightbox_protocol::Time;
use lightbox_protocol::msg::display::MAX_CURSOR;

use crate::encode::{Contract, Contracts, Shown};
use crate::error::SubmitError;
use crate::scaled::{self, ScaledImage};
use crate::server::Inner;
use crate::session::lock;
use crate::snapshot::{Damage, Snapshot, Submitted};
use crate::stats::OutputStats;
use crate::video::{AccessUnit, Coded};

/// One monitor of a [`Server`](crate::Server)'s desktop. Clones are the same monitor; all calls may come from any
/// thread and return without waiting for a client. Dropping the last clone unplugs the monitor.
#[derive(Clone, Debug)]
pub struct Output {
    plug: Arc<Plug>,
}

#[derive(Debug)]
struct Plug {
    state: Arc<OutputState>,
    server: Weak<Inner>,
}

impl Drop for Plug {
    fn drop(&mut self) {
        if let Some(server) = self.server.upgrade() {
            server.unplug(self.state.id);
        }
    }
}

/// Where an output stands on the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Its left edge in desktop pixels.
    pub x: i32,
    /// Its top edge in desktop pixels.
    pub y: i32,
    /// Its width in millimetres; 0 where not known.
    pub width_mm: u32,
    /// The guest's scale in 1/120: 120 is 1:1.
    pub scale: u32,
}

impl Default for Placement {
    fn default() -> Self {
        Self { x: 0, y: 0, width_mm: 0, scale: 120 }
    }
}

/// A cursor's picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Columns and rows, at most 256 each.
    pub size: Size,
    /// The pixel that points; inside.
    pub hotspot: Point,
    /// B, G, R, A with colour already multiplied by alpha, row by row: `size.area() * 4` bytes.
    pub bgra: Vec<u8>,
}

impl Cursor {
    pub(crate) fn check(&self) -> Result<(), SubmitError> {
        let fits = !self.size.is_empty()
            && self.size.w.max(self.size.h) <= MAX_CURSOR
            && self.size.rect().contains_point(self.hotspot)
            && self.bgra.len() as u64 == self.size.area() * 4;
        if fits { Ok(()) } else { Err(SubmitError::Cursor) }
    }
}

/// What outputs, sessions and the pump share of a monitor.
#[derive(Debug)]
pub(crate) struct OutputState {
    pub(crate) id: u32,
    snapshot: Mutex<Snapshot>,
    placement: Mutex<Placement>,
    contracts: Mutex<Contracts>,
    /// How often they were changed; changed with them locked.
    terms: AtomicU64,
    coded: Mutex<Coded>,
    /// What the picture shows scaled, as the host says.
    shown: Mutex<Arc<[Shown]>>,
}

impl OutputState {
    pub(crate) fn new(id: u32, size: Size, format: PixelFormat) -> Result<Self, SubmitError> {
        let image = Image::new(size, format)?;
        Ok(Self {
            id,
            snapshot: Mutex::new(Snapshot::new(image)),
            placement: Mutex::default(),
            contracts: Mutex::default(),
            terms: AtomicU64::new(0),
            coded: Mutex::default(),
            shown: Mutex::default(),
        })
    }

    pub(crate) fn shape(&self) -> (Size, PixelFormat) {
        let snapshot = lock(&self.snapshot);
        (snapshot.image.size(), snapshot.image.format())
    }

    pub(crate) fn place(&self, placement: Placement) {
        *lock(&self.placement) = placement;
    }

    pub(crate) fn placement(&self) -> Placement {
        *lock(&self.placement)
    }

    /// Which contracts there are: another number where they are others. 0: none yet.
    pub(crate) fn terms(&self) -> u64 {
        self.terms.load(Ordering::Acquire)
    }

    /// The contracts, and their number.
    pub(crate) fn contracts(&self) -> (Contracts, u64) {
        let contracts = lock(&self.contracts);
        (contracts.clone(), self.terms())
    }

    /// True if the host may be asked for a key frame: it was not just now.
    pub(crate) fn may_ask_for_key(&self, now: Time) -> bool {
        lock(&self.coded).may_ask(now)
    }

    /// What the picture shows scaled, as the host says.
    pub(crate) fn shown(&self) -> Arc<[Shown]> {
        lock(&self.shown).clone()
    }

    /// Shows the snapshot, held while `see` runs.
    pub(crate) fn with_image<R>(&self, see: impl FnOnce(&Image) -> R) -> R {
        see(&lock(&self.snapshot).image)
    }
}

impl Output {
    pub(crate) fn new(state: Arc<OutputState>, server: Weak<Inner>) -> Self {
        Self { plug: Arc::new(Plug { state, server }) }
    }

    /// Its number, which input events name.
    pub fn id(&self) -> u32 {
        self.plug.state.id
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.plug.state.shape().0
    }

    /// The picture is now `frame`, and differs from the one before only inside `damage`. Costs one comparison and
    /// copy of what is damaged; `frame` is free when it returns.
    ///
    /// # Errors
    /// The frame is not of the output's size and format; nothing was taken.
    pub fn submit(&self, frame: ImageRef<'_>, damage: Damage<'_>) -> Result<Submitted, SubmitError> {
        self.submit_at(frame, damage, clock::now())
    }

    /// The same for a picture that was taken at `at`, on the clock of [`clock::now`](crate::clock::now).
    pub fn submit_at(
        &self,
        frame: ImageRef<'_>,
        damage: Damage<'_>,
        at: Time,
    ) -> Result<Submitted, SubmitError> {
        self.take(frame, damage, at, None)
    }

    /// The same, and `unit` is the picture as the host's own encoder has it. It goes to every client that decodes its
    /// codec and has had all units since a key frame; what it shows is lossy, and becomes exact from `frame` as soon as
    /// it rests. All others get `frame` as if there were no unit, and so do tiles that lie in the unit's rect with only a
    /// part: let it be whole tiles of 64x64, or the whole output.
    ///
    /// Units are submitted by one thread, in the order in which they are decoded, each with the picture that it is of.
    /// [`Event::WantKeyFrame`](crate::Event::WantKeyFrame) asks for a key frame. Costs a copy of the unit.
    ///
    /// # Errors
    /// As [`Self::submit`], or the unit is none that the output can have; nothing was taken.
    pub fn submit_coded(
        &self,
        frame: ImageRef<'_>,
        damage: Damage<'_>,
        unit: &AccessUnit<'_>,
    ) -> Result<Submitted, SubmitError> {
        self.take(frame, damage, clock::now(), Some(unit))
    }

    /// The same for a picture that was taken at `at`, as for [`Self::submit_at`].
    ///
    /// # Errors
    /// As [`Self::submit_coded`].
    pub fn submit_coded_at(
        &self,
        frame: ImageRef<'_>,
        damage: Damage<'_>,
        unit: &AccessUnit<'_>,
        at: Time,
    ) -> Result<Submitted, SubmitError> {
        self.take(frame, damage, at, Some(unit))
    }

    fn take(
        &self,
        frame: ImageRef<'_>,
        damage: Damage<'_>,
        at: Time,
        unit: Option<&AccessUnit<'_>>,
    ) -> Result<Submitted, SubmitError> {
        let Some(server) = self.plug.server.upgrade() else { return Ok(Submitted::default()) };
        // Held to the end: units leave in the order of their numbers.
        let mut coded = lock(&self.plug.state.coded);
        let (size, format) = self.plug.state.shape();
        unit.map_or(Ok(()), |unit| coded.check(unit, size, format))?;
        let mut changed = Vec::new();
        let took = lock(&self.plug.state.snapshot).take(frame, damage, server.config.sweep, &mut changed)?;
        let unit = unit.map(|unit| Arc::new(coded.number(unit, at)));
        if !changed.is_empty() || unit.is_some() {
            server.damaged(self.id(), &changed, at, unit.as_ref());
        }
        drop(coded);
        if took.under_reported > 0 {
            server.under_reported(self.id(), took.under_reported);
        }
        Ok(took)
    }

    /// The frames from the next one on show these images scaled, in place of those named before; none ends it. To be
    /// called before the frame that shows them first, each time another image is shown, is shown elsewhere or scaled
    /// otherwise: for hosts that know what a viewer in the guest does. Where a client can paint them, they are sent instead
    /// of what they became: about half of it for a CT slice that fills a window.
    ///
    /// It is a hint: every client shows the frame, whatever is said here, and where too many pixels are not what an image
    /// makes, the frame is coded as if nothing had been said. Costs a copy of what is shown of each image.
    ///
    /// # Errors
    /// More than 16, or one that is none of this output: nothing changes.
    pub fn show_scaled(&self, images: &[ScaledImage<'_>]) -> Result<(), SubmitError> {
        let (size, format) = self.plug.state.shape();
        let shown = scaled::shown(images, size, format)?;
        *lock(&self.plug.state.shown) = shown;
        Ok(())
    }

    /// Compares the whole picture with `frame`: for hosts that call it when idle to find damage they did not report.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub fn sweep(&self, frame: ImageRef<'_>) -> Result<Submitted, SubmitError> {
        self.submit(frame, Damage::Unknown)
    }

    /// The picture has another size or format from now on, and is black until the next frame.
    ///
    /// # Errors
    /// The size is none.
    pub fn resize(&self, size: Size, format: PixelFormat) -> Result<(), SubmitError> {
        let image = Image::new(size, format)?;
        let Some(server) = self.plug.server.upgrade() else { return Ok(()) };
        server.reshape(&self.plug.state, || {
            lock(&self.plug.state.coded).end();
            let mut snapshot = lock(&self.plug.state.snapshot);
            let stats = snapshot.stats;
            *snapshot = Snapshot::new(image);
            snapshot.stats = stats;
        });
        Ok(())
    }

    /// Where it stands on the desktop. New outputs stand to the right of those before them.
    pub fn place(&self, placement: Placement) {
        self.plug.state.place(placement);
        if let Some(server) = self.plug.server.upgrade() {
            server.relayout();
        }
    }

    /// The cursor's picture, on every output of the desktop.
    ///
    /// # Errors
    /// It is too large or not what it says.
    pub fn set_cursor(&self, cursor: Cursor) -> Result<(), SubmitError> {
        cursor.check()?;
        if let Some(server) = self.plug.server.upgrade() {
            server.set_cursor(cursor);
        }
        Ok(())
    }

    /// The cursor's hotspot is at `at` on this output, or the cursor is hidden.
    pub fn move_cursor(&self, at: Point, visible: bool) {
        if let Some(server) = self.plug.server.upgrade() {
            server.move_cursor(self.id(), at, visible);
        }
    }

    /// A promise for these parts of the picture, in place of those that it was made for before; for no rects it ends. It
    /// holds for every frame that is sent after this returns, also when the output takes another size. What clients show
    /// there with an error at that moment is sent again, exactly, if it must never be so.
    pub fn contract(&self, contract: Contract, rects: &[Rect]) {
        let state = &self.plug.state;
        {
            let mut contracts = lock(&state.contracts);
            contracts.set(contract, rects);
            state.terms.fetch_add(1, Ordering::Release);
        }
        if let Some(server) = self.plug.server.upgrade() {
            server.contracted();
        }
    }

    /// [`Event::FrameDone`](crate::Event::FrameDone) with this cookie follows when all that was submitted before has been
    /// taken into frames for every connected session, at once if there is none: the moment at which painting the next
    /// picture is worth it. Sessions that wait for their client do not count, and one that takes nothing, as its path is
    /// stuck, keeps the word back for a second at most.
    ///
    /// # Errors
    /// 64 are open.
    pub fn notify(&self, cookie: u64) -> Result<(), SubmitError> {
        self.plug.server.upgrade().map_or(Ok(()), |server| server.notify(self.id(), cookie))
    }

    /// What became of what it was given.
    pub fn stats(&self) -> OutputStats {
        lock(&self.plug.state.snapshot).stats
    }
}
