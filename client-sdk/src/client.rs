use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lightbox_codec::geom::TileIndex;
use lightbox_codec::pixel::ImageRef;
use lightbox_net::clock;
use lightbox_net::driver::Shared;
use lightbox_net::runtime::Crew;
use lightbox_net::stream::ByteStream;
use lightbox_protocol::channel::stream::{StreamError, StreamId};
use lightbox_protocol::exact::{Counts, TileState};
use lightbox_protocol::msg::control::{Close, Layout, MAX_TEXT};
use lightbox_protocol::msg::input::Action;
use lightbox_protocol::msg::stream::{Name, Urgency};
use lightbox_protocol::session::client::{ClientSession, Command, Config as SessionConfig};
use lightbox_protocol::wire::ids::close;
use tokio::sync::{Notify, mpsc};

use crate::config::{Config, StartError};
use crate::easel::{Easel, Held};
use crate::event::{self, Events, Teller};
use crate::network::Network;
use crate::paint::Canvas;
use crate::painter::Painter;
use crate::stats::Stats;

/// A terminal's end of a session. Dropping it ends the session.
///
/// It has a thread for the network and one that paints; or none, where the [configuration](Config::runtime) names a loop
/// of the terminal's. Several clients may live in one process; they share nothing but such a loop. All calls may come
/// from any thread.
#[derive(Debug)]
pub struct Client {
    link: Arc<Shared<ClientSession>>,
    easel: Arc<Easel>,
    stats: Arc<Mutex<Stats>>,
    control: Arc<Control>,
    /// Dropped before the events are.
    crew: Crew,
    events: Events,
}

/// What the application wants of the network.
#[derive(Debug, Default)]
pub(crate) struct Control {
    pub(crate) stop: AtomicBool,
    pub(crate) rebind: AtomicBool,
    pub(crate) wake: Notify,
    pub(crate) stopped: Notify,
}

impl Client {
    /// Starts to connect and returns at once; [`Event::Connected`](crate::Event::Connected) or
    /// [`Event::Ended`](crate::Event::Ended) follows.
    ///
    /// # Errors
    /// The address is none, or the system gives no threads.
    pub fn connect(config: Config) -> Result<Self, StartError> {
        let address = config.parsed()?;
        let ticket = address.ticket.map(|t| t.to_string().into_bytes()).unwrap_or_default();
        let mut terminal = config.terminal.clone();
        while terminal.len() > MAX_TEXT as usize {
            terminal.pop();
        }
        let capabilities = config.capabilities();
        let link = Shared::new(ClientSession::new(SessionConfig { terminal, ticket, capabilities }));
        let (sink, events) = event::channel();
        let tell = Teller::new(sink, link.clone());
        let canvas = Canvas::new().with_decoders(config.decoders.clone());
        let canvas = match config.memory.clone() {
            Some(memory) => canvas.in_memory_of(memory),
            None => canvas,
        };
        let (easel, stats) = (Easel::new(canvas), Arc::<Mutex<Stats>>::default());
        let control = Arc::<Control>::default();
        let (jobs, queue) = mpsc::channel(MAX_JOBS);
        let runtime = config.runtime;
        let painter = Painter {
            runtime: runtime.clone(),
            link: link.clone(),
            easel: easel.clone(),
            stats: stats.clone(),
            tell: tell.clone(),
        };
        let crew = Crew::new(&runtime)?;
        let network = Network {
            runtime,
            address,
            authorities: config.authorities.clone(),
            identity: config.identity.clone(),
            idle_timeout: config.idle_timeout,
            link: link.clone(),
            stats: stats.clone(),
            control: control.clone(),
            tell,
            jobs,
        };
        // What has started is stopped by the drop, where the rest does not start.
        let mut client = Self { link, easel, stats, control, crew, events };
        client.crew.start("lbx-client-paint", painter.run(queue))?;
        client.crew.network("lbx-client-net", network.run())?;
        Ok(client)
    }

    /// What happened.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Shows the samples of a surface, held still while `see` runs: be brief, painting waits. `None` where there is
    /// no such surface.
    pub fn with_surface<R>(&self, surface: u32, see: impl FnOnce(ImageRef<'_>) -> R) -> Option<R> {
        self.easel.look(surface, see)
    }

    /// The same, held still until the value is dropped: for callers that cannot give a closure. `None` where there is
    /// no such surface. Several may be held at one time; painting waits for all of them.
    pub fn hold(&self, surface: u32) -> Option<Held> {
        self.easel.hold(surface)
    }

    /// The person did something.
    pub fn input(&self, action: Action) {
        self.link.command(Command::Input(action));
    }

    /// The window lost the focus: the server lets go of every key that was held.
    pub fn unfocus(&self) {
        self.link.command(Command::Unfocus);
    }

    /// The layout that the terminal would like; the guest decides.
    pub fn want_layout(&self, layout: Layout) {
        self.link.command(Command::WantLayout(layout));
    }

    /// Opens a byte stream to the server's application; [`Event::Stream`](crate::Event::Stream) says whether it is
    /// taken. It ends with the connection.
    ///
    /// # Errors
    /// [`Config::streams`] or the server's setting has no room for one more, or there is no connection.
    pub fn open_stream(&self, name: Name, urgency: Urgency) -> Result<ByteStream, StreamError> {
        self.link.open_stream(name, urgency)
    }

    /// Takes a byte stream that the server offers.
    ///
    /// # Errors
    /// It is not offered any more.
    pub fn accept_stream(&self, stream: StreamId) -> Result<ByteStream, StreamError> {
        self.link.accept_stream(stream)
    }

    /// Does not take a byte stream that the server offers; `reason` is for people.
    pub fn refuse_stream(&self, stream: StreamId, reason: &str) {
        self.link.refuse_stream(stream, reason);
    }

    /// The state of a tile, as the person may be told it.
    pub fn tile_state(&self, surface: u32, tile: TileIndex) -> TileState {
        self.link.lock().tile_state(clock::now(), surface, tile)
    }

    /// How far a sample of this tile may be from the source's, in sample values: 0 where the tile is exact. `None` where
    /// nothing is known, as its state is dirty. The bound is the server's word; what is proved is the verified tile.
    pub fn tile_error(&self, surface: u32, tile: TileIndex) -> Option<u32> {
        self.link.lock().tile_error(surface, tile)
    }

    /// Tiles by state; `verified` counts none while the lease has run out.
    pub fn counts(&self) -> Counts {
        let session = self.link.lock();
        let counts = session.counts();
        if session.lease().lives(clock::now()) { counts } else { Counts { verified: 0, ..counts } }
    }

    /// What was received.
    pub fn stats(&self) -> Stats {
        let mut stats = lock(&self.stats).clone();
        let session = self.link.lock();
        stats.tiles = session.counts();
        stats.lease_lives = session.lease().lives(clock::now());
        stats.wire_bytes = session.wire_bytes();
        stats.rtt_us = session.path().estimate.srtt.as_micros() as u64;
        stats
    }

    /// The machine has another network: goes on from a new socket without losing the connection.
    pub fn rebind(&self) {
        self.control.rebind.store(true, Ordering::Relaxed);
        self.control.wake.notify_one();
    }

    /// Ends the session.
    pub fn close(&self) {
        self.link.command(Command::Close(Close::new(close::DONE, "the person left")));
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
        self.control.stop.store(true, Ordering::Relaxed);
        self.easel.close();
        self.control.stopped.notify_one();
    }
}

/// A lock that outlives whatever happened to a thread that held it: the values are whole between calls.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Jobs that wait for the painter. The protocol hands out 32 frames at a time; the rest is for surfaces that come and
/// go, and for digests.
const MAX_JOBS: usize = 1_024;
/// Between two tries to get a lost connection back.
pub(crate) const RETRY: Duration = Duration::from_millis(500);
