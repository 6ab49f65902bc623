//! The server's end: screens that change, and what the server SDK does with them, in virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lightbox_codec::geom::{Size, TileGrid, TileIndex};
use lightbox_codec::pixel::{Image, PixelFormat, SampleDepth};
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::NewFrame;
use lightbox_protocol::exact::Counts;
use lightbox_protocol::msg::control::{Close, Hello, Layout, Output, SessionId};
use lightbox_protocol::msg::input::Action;
use lightbox_protocol::session::server::{Command, Config, Event, Repair, ServerSession, Why};
use lightbox_protocol::session::{Cause, Effect, Session};
use lightbox_server::encode::{Keep, Patience, Pool, SubmittedUnit, View};
use lightbox_sim::rng::Rng;

use super::Broken;
use super::film::Film;
use super::history::{History, Timeline};
use super::line::Line;
use super::scene::Scene;

/// Screens, and one session that shows them.
///
/// It joins the parts as the server SDK does: changes leave mail, a pump reads it and makes one frame after the other,
/// and between the making of a frame and its sending anything may happen.
pub(super) struct Host {
    session: ServerSession,
    screens: BTreeMap<u32, Screen>,
    views: BTreeMap<u32, View>,
    mail: Vec<Mail>,
    pool: Pool,
    keep: Keep,
    rng: Rng,
    next_screen: u32,
    /// The bell was rung: the pump starts then.
    pump_at: Option<Time>,
    /// From then on video that rests is refined.
    refine_at: Option<Time>,
    making: Option<Making>,
    /// The view that was served last.
    served: u32,
    wait: Option<Time>,
    pub(super) history: History,
    pub(super) tally: Tally,
    /// What the world is to look at.
    pub(super) news: VecDeque<News>,
}

/// A monitor of the desktop.
pub(super) struct Screen {
    pub(super) picture: Rc<Image>,
    pub(super) timeline: Timeline,
    scene: Scene,
    film: Film,
}

/// Something for the pump to know before its next frame.
enum Mail {
    Damage { screen: u32, tiles: Vec<TileIndex>, at: Time, unit: Option<Arc<SubmittedUnit>> },
    Repair(Repair),
    Reset(u32),
    Gone(u32),
}

/// A frame that is made and not sent yet.
struct Making {
    frame: NewFrame,
    pictures: Vec<Rc<Image>>,
    done: Time,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) updates: u64,
    pub(super) frames: u64,
    pub(super) resumes: u64,
    pub(super) shapes: u64,
}

/// Something that the host's session said.
pub(super) enum News {
    /// The client's digest of these tiles is another.
    Mismatch { surface: u32, tiles: Vec<TileIndex> },
    /// The person turned the wheel to this number.
    Input(i32),
}

impl Host {
    /// A desktop of one screen, without a client.
    pub(super) fn new(now: Time, mut rng: Rng) -> Self {
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&rng.next_u64().to_le_bytes());
        let mut config = Config::new(SessionId([7; 16]), entropy);
        // Few enough to be displaced all the time.
        config.capabilities.slots = 200;
        let mut host = Self {
            session: ServerSession::new(config),
            screens: BTreeMap::new(),
            views: BTreeMap::new(),
            mail: Vec::new(),
            pool: Pool::new(0),
            keep: Keep::new(entropy),
            rng,
            next_screen: 0,
            pump_at: None,
            refine_at: None,
            making: None,
            served: 0,
            wait: None,
            history: History::default(),
            tally: Tally::default(),
            news: VecDeque::new(),
        };
        host.plug(now);
        host
    }

    pub(super) fn screens(&self) -> &BTreeMap<u32, Screen> {
        &self.screens
    }

    pub(super) fn counts(&self) -> Counts {
        self.session.counts()
    }

    /// When it has something to do.
    pub(super) fn next(&self) -> Option<Time> {
        let making = self.making.as_ref().map(|m| m.done);
        let pump = [self.pump_at, self.refine_at].into_iter().flatten().filter(|_| making.is_none());
        making.into_iter().chain(pump).chain(self.wait).min()
    }

    /// Does what is due.
    pub(super) fn step(&mut self, now: Time, line: &mut Option<Line>) -> Result<(), Broken> {
        if self.making.as_ref().is_some_and(|m| m.done <= now) {
            self.send_made(now);
        }
        let is_due = |at: Option<Time>| at.is_some_and(|at| at <= now);
        if self.making.is_none() && (is_due(self.pump_at) || is_due(self.refine_at)) {
            (self.pump_at, self.refine_at) = (None, None);
            self.pump(now);
        }
        if self.wait.is_some_and(|at| at <= now) {
            self.session.handle(now, Cause::Tick);
        }
        self.drain(now, line)
    }

    pub(super) fn handle(
        &mut self,
        now: Time,
        cause: Cause<Command>,
        line: &mut Option<Line>,
    ) -> Result<(), Broken> {
        self.session.handle(now, cause);
        self.drain(now, line)
    }

    /// A client said hello over `line`.
    pub(super) fn attach(&mut self, now: Time, hello: Hello, line: &mut Option<Line>) -> Result<(), Broken> {
        let binding = line.as_ref().map(|l| l.binding).unwrap_or_default();
        match &hello.resume {
            Some(resume) if !self.session.is_resumed_by(resume, &binding) => return Err(Broken::LockedOut),
            Some(_) => (),
            None => {
                let ids: Vec<_> = self.screens.keys().copied().collect();
                ids.into_iter().for_each(|id| self.show(now, id));
                let layout = self.layout();
                self.session.handle(now, Cause::Command(Command::Layout(layout)));
            }
        }
        self.session.handle(now, Cause::Command(Command::Attach { hello, binding }));
        self.drain(now, line)
    }

    /// Some screen changes.
    pub(super) fn update(&mut self, now: Time) {
        let pick = self.rng.below(self.screens.len().max(1) as u64) as usize;
        let Some(id) = self.screens.keys().nth(pick).copied() else { return };
        if let Some(screen) = self.screens.get_mut(&id) {
            self.mail.extend(screen.update(now, id, &mut self.rng));
            self.tally.updates += 1;
            self.ring(now);
        }
    }

    /// A screen is plugged in, pulled out, or gets another shape.
    pub(super) fn reshape(&mut self, now: Time, line: &mut Option<Line>) -> Result<(), Broken> {
        self.tally.shapes += 1;
        let pick = self.rng.below(self.screens.len().max(1) as u64) as usize;
        let id = self.screens.keys().nth(pick).copied();
        match (self.rng.below(4), id) {
            (0, _) if self.screens.len() < 3 => self.plug(now),
            (1, Some(id)) if self.screens.len() > 1 => {
                self.screens.remove(&id);
                self.session.handle(now, Cause::Command(Command::SurfaceGone(id)));
                self.mail.push(Mail::Gone(id));
            }
            (_, Some(id)) => {
                self.screens.insert(id, Screen::new(now, &mut self.rng));
                self.show(now, id);
            }
            _ => self.plug(now),
        }
        let layout = self.layout();
        self.handle(now, Cause::Command(Command::Layout(layout)), line)
    }

    /// True if there is nothing left to send.
    pub(super) fn is_idle(&self) -> bool {
        self.mail.is_empty()
            && self.making.is_none()
            && self.views.values().all(|v| v.since().is_none() && !v.is_coarse())
    }

    fn plug(&mut self, now: Time) {
        let id = self.next_screen;
        self.next_screen += 1;
        self.screens.insert(id, Screen::new(now, &mut self.rng));
        self.show(now, id);
    }

    fn show(&mut self, now: Time, id: u32) {
        let Some(screen) = self.screens.get(&id) else { return };
        let (size, format) = (screen.picture.size(), screen.picture.format());
        self.session.handle(now, Cause::Command(Command::Surface { id, size, format }));
        self.mail.push(Mail::Reset(id));
        self.ring(now);
    }

    fn layout(&self) -> Layout {
        let place = |(id, screen): (&u32, &Screen)| Output {
            id: *id,
            surface: *id,
            size: screen.picture.size(),
            scale: 120,
            ..Output::default()
        };
        Layout { outputs: self.screens.iter().map(place).collect() }
    }

    fn ring(&mut self, now: Time) {
        let wake = now + Duration::from_micros(self.rng.below(2_000));
        self.pump_at.get_or_insert(wake);
    }

    /// Makes at most one frame; the next one is made once it is sent.
    fn pump(&mut self, now: Time) {
        if !self.session.is_live() {
            return;
        }
        self.read_mail(now);
        for (id, view) in &mut self.views {
            if view.take_want_of_key()
                && let Some(screen) = self.screens.get_mut(id)
            {
                screen.film.wants_key = true;
            }
        }
        // Those behind the one served last come first.
        let (before, behind): (Vec<u32>, Vec<u32>) = self.views.keys().partition(|id| **id <= self.served);
        for id in behind.into_iter().chain(before) {
            if self.make(now, id) {
                self.served = id;
                return;
            }
        }
        let rests = self.views.values().filter_map(View::refines_from);
        self.refine_at = rests.filter(|from| *from > now).min();
        let behind = self.views.values().filter_map(View::since).min();
        self.session.handle(now, Cause::Command(Command::Behind(behind)));
    }

    fn make(&mut self, now: Time, id: u32) -> bool {
        let refines = |view: &View| view.refines_from().is_some_and(|from| from <= now);
        let has_work = |view: &&mut View| view.since().is_some() || refines(view);
        let Some(view) = self.views.get_mut(&id).filter(has_work) else { return false };
        let Some(screen) = self.screens.get_mut(&id) else { return false };
        let Some(begin) = self.session.begin(now, id) else { return false };
        if begin.size != view.size() {
            return false;
        }
        let mut pictures: Vec<Rc<Image>> = Vec::new();
        let (rng, mail) = (&mut self.rng, &mut self.mail);
        let (mut changed, mut reshaped) = (false, false);
        let look = |show: &mut dyn FnMut(lightbox_codec::pixel::ImageRef<'_>)| {
            // The host's thread goes on while a frame is made of what it left.
            if rng.chance(0.05) {
                mail.extend(screen.update(now, id, rng));
                self.tally.updates += 1;
                changed = true;
            } else if rng.chance(0.002) {
                *screen = Screen::new(now, rng);
                reshaped = true;
            }
            if pictures.last().is_none_or(|last| !Rc::ptr_eq(last, &screen.picture)) {
                pictures.push(screen.picture.clone());
            }
            show(screen.picture.as_ref().as_ref());
        };
        let made = view.frame(look, &begin, &mut self.pool, &mut self.keep);
        if changed {
            // Also where no frame comes of it, after which nobody else would look.
            self.ring(now);
        }
        if reshaped {
            self.show(now, id);
        }
        let Some(made) = made else { return false };
        let done = now + Duration::from_micros(self.rng.below(5_000));
        self.making = Some(Making { frame: made.frame, pictures, done });
        true
    }

    fn send_made(&mut self, now: Time) {
        let Some(Making { frame, pictures, .. }) = self.making.take() else { return };
        if self.session.frame(now, &frame) {
            self.history.record(&frame, &pictures);
            self.tally.frames += 1;
        } else if let Some(view) = self.views.get_mut(&frame.surface) {
            self.keep.forget();
            view.dropped(&frame);
        }
        let behind = self.views.values().filter_map(View::since).min();
        self.session.handle(now, Cause::Command(Command::Behind(behind)));
        self.pump_at = Some(now);
    }

    fn read_mail(&mut self, now: Time) {
        for mail in std::mem::take(&mut self.mail) {
            if !matches!(mail, Mail::Damage { .. }) {
                self.keep.forget();
            }
            match mail {
                Mail::Damage { screen, tiles, at, unit } => {
                    if let Some(view) = self.views.get_mut(&screen) {
                        view.damage(tiles, at);
                        unit.iter().for_each(|unit| view.unit(unit));
                    }
                }
                Mail::Repair(repair) => {
                    if let Some(view) = self.views.get_mut(&repair.surface) {
                        view.repair(&repair, now);
                    }
                }
                Mail::Reset(id) => {
                    if let Some(screen) = self.screens.get(&id) {
                        let mut view = View::new(id, &screen.picture, now);
                        // So short of it that even small screens are shown with an error first, and not always.
                        let high = [0.0, 0.02, 0.2, 2.0][self.rng.below(4) as usize];
                        let first = high * [1.0, 4.0][self.rng.below(2) as usize];
                        view.set_patience(Patience { high, first });
                        self.views.insert(id, view);
                    }
                }
                Mail::Gone(id) => drop(self.views.remove(&id)),
            }
        }
    }

    fn drain(&mut self, now: Time, line: &mut Option<Line>) -> Result<(), Broken> {
        // Until the hello arrived the host knows nothing of the line: what it sends goes into a dead one.
        let mut down = line.as_mut().filter(|line| line.door.is_none()).map(|line| &mut line.down);
        loop {
            match self.session.poll() {
                Effect::Send(lane, bytes) => {
                    if let Some(down) = &mut down {
                        down.send(now, lane, bytes);
                    }
                }
                Effect::Datagram(bytes) => {
                    if let Some(down) = &mut down {
                        down.send_datagram(now, bytes);
                    }
                }
                Effect::Event(event) => self.event(now, event)?,
                Effect::Close(why) => return Err(Broken::Ended(why)),
                Effect::Wait(until) => {
                    self.wait = until;
                    return Ok(());
                }
            }
        }
    }

    fn event(&mut self, now: Time, event: Event) -> Result<(), Broken> {
        match event {
            Event::Repair(repair) => {
                if repair.why == Why::Mismatch {
                    let (surface, tiles) = (repair.surface, repair.tiles.clone());
                    self.news.push_back(News::Mismatch { surface, tiles });
                }
                self.mail.push(Mail::Repair(repair));
                self.ring(now);
            }
            Event::Room | Event::Shown { .. } | Event::Verified { .. } => self.ring(now),
            Event::Attached { resumed } => {
                self.tally.resumes += u64::from(resumed);
                self.ring(now);
            }
            Event::Input(Action::Wheel { dx, .. }) => self.news.push_back(News::Input(dx)),
            Event::Ended(why) => return Err(Broken::Ended(why)),
            Event::Detached(_) | Event::Input(_) | Event::WantLayout(_) | Event::Stream(_) => (),
        }
        Ok(())
    }
}

impl Screen {
    /// A black screen of some size and format.
    fn new(now: Time, rng: &mut Rng) -> Self {
        let deep = SampleDepth::new(12).map(PixelFormat::Gray16);
        let formats = [PixelFormat::Bgrx8, PixelFormat::Gray8, deep.unwrap_or(PixelFormat::Gray8)];
        let format = formats[rng.below(3) as usize];
        let sizes = [(320, 200), (257, 129), (640, 400), (400, 300), (96, 500), (63, 65)];
        let (w, h) = sizes[rng.below(sizes.len() as u64) as usize];
        // Every size in the list is one that an image can have.
        let picture = Image::new(Size::new(w, h), format).expect("a size of an image");
        let timeline = Timeline::new(&picture, now);
        Self { picture: Rc::new(picture), timeline, scene: Scene::default(), film: Film::default() }
    }

    fn update(&mut self, now: Time, id: u32, rng: &mut Rng) -> Option<Mail> {
        let image = Rc::make_mut(&mut self.picture);
        let damage = self.scene.update(image, rng);
        let grid = TileGrid::new(image.size());
        let mut tiles: Vec<_> = damage.iter().flat_map(|rect| grid.touching(*rect)).collect();
        tiles.sort_unstable();
        tiles.dedup();
        tiles.iter().for_each(|tile| self.timeline.look(image, *tile, now));
        let (size, format) = (image.size(), image.format());
        let unit = (format == PixelFormat::Bgrx8).then(|| self.film.unit(size, now, rng)).flatten();
        let is_something = !tiles.is_empty() || unit.is_some();
        is_something.then_some(Mail::Damage { screen: id, tiles, at: now, unit })
    }
}

/// Ends that are no fault of either side.
pub(super) fn timed_out() -> Close {
    Close::new(lightbox_protocol::wire::ids::close::TIMEOUT, "the connection is gone")
}
