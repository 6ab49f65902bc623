//! One person's session as the server keeps it: the protocol's session, the views of what its client has, and the
//! mail that other threads leave for the pump.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lightbox_codec::geom::TileIndex;
use lightbox_codec::pixel::ImageRef;
use lightbox_net::clock;
use lightbox_net::driver::Shared;
use lightbox_protocol::Time;
use lightbox_protocol::msg::control::SessionId;
use lightbox_protocol::session::server::{self, Command, Repair, ServerSession, Why};

use crate::encode::{Keep, Pool, SubmittedUnit, View};
use crate::event::{Event, EventSink, of_session};
use crate::output::OutputState;
use crate::stats::SessionStats;

/// A session, shared by its driver, the pump and the outputs.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) link: Arc<Shared<ServerSession>>,
    pub(crate) id: SessionId,
    pub(crate) terminal: String,
    /// Only the pump holds this for long.
    views: Mutex<Views>,
    /// Held for moments only: the host's thread and the network wait for it. Locked after `views` and before `link`.
    mail: Mutex<Vec<Mail>>,
    stats: Mutex<SessionStats>,
    tell: EventSink,
}

/// What the client has, by surface.
#[derive(Debug)]
struct Views {
    of: BTreeMap<u32, View>,
    /// Repairs that the views know of. While the session knows of more, they are in the mail or on their way to it,
    /// and no frame may build on the views.
    repairs: u64,
    /// The number of the contracts that each view knows.
    terms: BTreeMap<u32, u64>,
    keep: Keep,
}

/// Something the pump is to know before it makes the next frame.
#[derive(Debug)]
enum Mail {
    Damage { surface: u32, tiles: Vec<TileIndex>, at: Time, unit: Option<Arc<SubmittedUnit>> },
    Repair(Repair),
    Reset { output: Arc<OutputState>, at: Time },
    Gone(u32),
}

/// What came of a look at a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pumped {
    /// A frame was sent.
    pub(crate) sent: bool,
    /// When there is something to do without anybody ringing: a contract is broken, or video has come to rest.
    pub(crate) wake_at: Option<Time>,
}

impl Seat {
    /// `key` is random, and hashes what the client was shown.
    pub(crate) fn new(
        session: ServerSession,
        terminal: String,
        key: [u8; 32],
        server: &EventSink,
    ) -> Arc<Self> {
        let id = session.id();
        Arc::new(Self {
            link: Shared::new(session),
            id,
            terminal,
            views: Mutex::new(Views {
                of: BTreeMap::new(),
                repairs: 0,
                terms: BTreeMap::new(),
                keep: Keep::new(key),
            }),
            mail: Mutex::default(),
            stats: Mutex::default(),
            tell: of_session(server),
        })
    }

    /// The output has a new surface (its first, or of another size): everything of it must be sent.
    pub(crate) fn show(&self, output: &Arc<OutputState>) {
        let (size, format) = output.shape();
        self.link.command(Command::Surface { id: output.id, size, format });
        self.post(Mail::Reset { output: output.clone(), at: clock::now() });
    }

    pub(crate) fn hide(&self, output: u32) {
        self.link.command(Command::SurfaceGone(output));
        self.post(Mail::Gone(output));
    }

    pub(crate) fn damage(
        &self,
        surface: u32,
        tiles: &[TileIndex],
        at: Time,
        unit: Option<&Arc<SubmittedUnit>>,
    ) {
        let mut mail = lock(&self.mail);
        mail.push(Mail::Damage { surface, tiles: tiles.into(), at, unit: unit.cloned() });
        // Known to the session from now on: were the pump ever stuck, no heartbeat would call this picture current.
        self.link.lock().behind_since(at);
    }

    /// Takes an event of the session on the driver's task. True if the pump has something to do.
    pub(crate) fn event(&self, event: server::Event) -> bool {
        let (session, tell) = (self.id, &self.tell);
        let told = match event {
            server::Event::Room => return true,
            server::Event::Repair(repair) => {
                let told = repair.why != Why::Mismatch || {
                    let tiles = repair.tiles.len();
                    lock(&self.stats).mismatches += tiles as u64;
                    tell.tell(Event::Mismatch { session, tiles })
                };
                self.post(Mail::Repair(repair));
                if told {
                    return true;
                }
                false
            }
            server::Event::Shown { frames, age_us } => {
                let mut stats = lock(&self.stats);
                stats.shown += frames as u64;
                stats.age_us = age_us;
                true
            }
            server::Event::Verified { .. } => true, // Only counted, by the ledger.
            server::Event::Attached { resumed: true } => tell.tell(Event::Resumed(session)),
            server::Event::Attached { resumed: false } => {
                tell.tell(Event::Joined { session, terminal: self.terminal.clone() })
            }
            server::Event::Detached(why) => tell.tell(Event::Detached { session, why }),
            server::Event::Ended(why) => {
                tell.tell_last(Event::Left { session, why });
                true
            }
            server::Event::Stream(event) => tell.tell(Event::Stream { session, event }),
            server::Event::Input(action) => tell.tell(Event::Input { session, action }),
            server::Event::WantLayout(layout) => tell.tell(Event::WantLayout { session, layout }),
        };
        if !told && !self.link.lock().is_ended() {
            let why = "input arrives faster than the desktop takes it";
            let why = lightbox_protocol::msg::control::Close::new(crate::close::LIMIT, why);
            self.link.command(Command::Close(why));
        }
        false
    }

    /// Makes and sends at most one frame of each surface.
    pub(crate) fn pump(&self, outputs: &BTreeMap<u32, Arc<OutputState>>, pool: &mut Pool) -> Pumped {
        let mut views = lock(&self.views);
        self.read_mail(&mut views);
        self.read_contracts(&mut views, outputs);
        let now = clock::now();
        for (id, view) in &mut views.of {
            let may_ask = |output: &Arc<OutputState>| output.may_ask_for_key(now);
            if view.take_want_of_key() && outputs.get(id).is_some_and(may_ask) {
                // Where there is no room for it, the next unit asks again.
                let _ = self.tell.tell(Event::WantKeyFrame { output: *id });
            }
        }
        let mut sent = false;
        let Views { of, repairs, terms, keep } = &mut *views;
        // Changes of any surface go before what refines another.
        let goes_first = |view: &View| view.since().is_some() || view.is_urgent();
        let refines = |view: &View| view.refines_from().is_some_and(|from| from <= now);
        let changes = of.values().any(goes_first);
        let has_work = |view: &View| if changes { goes_first(view) } else { refines(view) };
        for (id, view) in of.iter_mut().filter(|(_, view)| has_work(view)) {
            let Some(output) = outputs.get(id) else { continue };
            let begin = {
                let mut session = self.link.lock();
                if session.repairs() == *repairs { session.begin(clock::now(), *id) } else { None }
            };
            let Some(begin) = begin else { continue };
            // The surface was resized and the mail that says so is under way.
            if begin.size != view.size() {
                continue;
            }
            view.set_shown(&output.shown());
            let start = Instant::now();
            let look = |show: &mut dyn FnMut(ImageRef<'_>)| output.with_image(|image| show(image.as_ref()));
            let made = view.frame(look, &begin, pool, keep);
            let took = start.elapsed();
            let Some(made) = made else { continue };
            let went = {
                let mut session = self.link.lock();
                let holds = output.terms() == terms.get(id).copied().unwrap_or(0);
                holds && session.repairs() == *repairs && session.frame(clock::now(), &made.frame)
            };
            if went {
                self.link.wake();
                let mut stats = lock(&self.stats);
                stats.frames += 1;
                stats.frame_bytes += made.used.iter().map(|(_, used)| used.bytes).sum::<u64>();
                stats.encode_us += took.as_micros() as u64;
                stats.count(&made.used);
                sent = true;
            } else {
                keep.forget();
                view.dropped(&made.frame);
            }
        }
        let mail = lock(&self.mail);
        let unread = mail.iter().filter_map(|piece| match piece {
            Mail::Damage { at, .. } => Some(*at),
            _ => None,
        });
        let behind = of.values().filter_map(View::since).chain(unread).min();
        self.link.command(Command::Behind(behind));
        // What can be refined already waits for room on the path, and whoever finds some rings.
        let rests = of.values().filter_map(View::refines_from).filter(|from| *from > now);
        let wake_at = of.values().filter_map(View::late_at).chain(rests).min();
        Pumped { sent, wake_at }
    }

    /// Lets views know what their outputs' contracts are, and the host what they were broken by.
    fn read_contracts(&self, views: &mut Views, outputs: &BTreeMap<u32, Arc<OutputState>>) {
        let (now, is_live) = (clock::now(), self.link.lock().is_live());
        for (id, view) in &mut views.of {
            let Some(output) = outputs.get(id).filter(|output| output.terms() > 0) else { continue };
            let known = views.terms.entry(*id).or_default();
            if *known != output.terms() {
                let (contracts, number) = output.contracts();
                view.set_contracts(&contracts, now);
                *known = number;
            }
            if !is_live {
                view.forgive();
            }
            let (tiles, output) = (view.late(now), *id);
            if tiles > 0 {
                lock(&self.stats).late_tiles += u64::from(tiles);
                // Counted as well, so an application that does not listen loses nothing.
                let _ = self.tell.tell(Event::Late { session: self.id, output, tiles });
            }
        }
    }

    /// True if all that changed on this output until `at` has been taken into frames. For the pump's thread, which has
    /// the views for long.
    pub(crate) fn has_taken(&self, output: u32, at: Time) -> bool {
        let views = lock(&self.views);
        let waits = |mail: &Mail| match mail {
            Mail::Damage { surface, at: changed, .. } => *surface == output && *changed <= at,
            Mail::Reset { output: of, at: changed } => of.id == output && *changed <= at,
            Mail::Repair(_) | Mail::Gone(_) => false,
        };
        let view = views.of.get(&output).and_then(View::since);
        view.is_none_or(|since| since > at) && !lock(&self.mail).iter().any(waits)
    }

    pub(crate) fn stats(&self) -> SessionStats {
        let mut stats = lock(&self.stats).clone();
        let session = self.link.lock();
        stats.tiles = session.counts();
        stats.pace = session.pacer().state();
        stats.wire_bytes = session.path().wire_bytes;
        stats.packets = session.path().packets;
        stats.traffic = *session.traffic();
        stats.rtt_us = session.path().estimate.srtt.as_micros() as u64;
        stats
    }

    /// True if the client has everything, proved.
    pub(crate) fn is_settled(&self) -> bool {
        let waiting =
            !lock(&self.mail).is_empty() || lock(&self.views).of.values().any(|v| v.since().is_some());
        !waiting && self.link.lock().counts().all_verified()
    }

    fn read_mail(&self, views: &mut Views) {
        let mail = std::mem::take(&mut *lock(&self.mail));
        let now = clock::now();
        for piece in mail {
            if !matches!(piece, Mail::Damage { .. }) {
                views.keep.forget();
            }
            match piece {
                Mail::Damage { surface, tiles, at, unit } => {
                    if let Some(view) = views.of.get_mut(&surface) {
                        view.damage(tiles, at);
                        unit.iter().for_each(|unit| view.unit(unit));
                    }
                }
                Mail::Repair(repair) => {
                    views.repairs += 1;
                    if let Some(view) = views.of.get_mut(&repair.surface) {
                        view.repair(&repair, now);
                    }
                }
                Mail::Reset { output, at } => {
                    let view = output.with_image(|image| View::new(output.id, image, at));
                    views.of.insert(output.id, view);
                    views.terms.remove(&output.id);
                }
                Mail::Gone(surface) => {
                    views.of.remove(&surface);
                    views.terms.remove(&surface);
                }
            }
        }
    }

    fn post(&self, mail: Mail) {
        lock(&self.mail).push(mail);
    }
}

/// A lock that outlives whatever happened to a thread that held it: the values are whole between calls.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
