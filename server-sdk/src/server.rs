//! Listening, admitting, and the desktop that all sessions see.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lightbox_codec::geom::{Point, Size, TileIndex};
use lightbox_codec::pixel::PixelFormat;
use lightbox_codec::screen::packed::CELL;
use lightbox_net::address::{Address, Ticket};
use lightbox_net::clock;
use lightbox_net::driver::{ControlStream, drive};
use lightbox_net::endpoint::{Attempt, Connection, Server as Endpoint, ServerConfig};
use lightbox_net::runtime::{Crew, Tasks};
use lightbox_net::stream::ByteStream;
use lightbox_net::tls::{self, Fingerprint, Identity};
use lightbox_protocol::Time;
use lightbox_protocol::channel::stream::{StreamError, StreamId};
use lightbox_protocol::msg::control::{Close, Hello, Layout, MAX_SURFACES, Output as Place, SessionId};
use lightbox_protocol::msg::display::{CursorPosition, CursorShape};
use lightbox_protocol::msg::input::{Locks, Place as CursorPlace};
use lightbox_protocol::msg::stream::{Name, Urgency};
use lightbox_protocol::session::server::{Command, Config as SessionConfig, ServerSession};
use lightbox_protocol::wire::ids::close;
use tokio::sync::Notify;

use crate::admit::{Admission, Authenticate, Grant, Knock, Questions, Refusal, Tickets};
use crate::config::Config;
use crate::encode::SubmittedUnit;
use crate::error::{AddressError, StartError, SubmitError};
use crate::event::{self, Event, EventSink, Events};
use crate::notice::Notices;
use crate::output::{Cursor, Output, OutputState, Placement};
use crate::pump::{Bell, pump};
use crate::session::{Seat, lock};
use crate::stats::SessionStats;
use crate::strangers::Strangers;

/// How long an unknown client may take for its hello.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);

/// A desktop that clients can connect to. Dropping it ends every session.
///
/// It has a thread for the network, one that makes frames, and those that help it code; or none, where the
/// [configuration](Config::runtime) names a loop of the host's. Several servers may live in one process; they share
/// nothing but such a loop.
#[derive(Debug)]
pub struct Server {
    inner: Arc<Inner>,
    /// Dropped before the events are.
    crew: Crew,
    events: Events,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    provider: Arc<tls::CryptoProvider>,
    local: SocketAddr,
    fingerprint: Fingerprint,
    tickets: Arc<Tickets>,
    questions: Questions,
    /// Held while what outputs there are, or their shapes, change or are told to a new session. Locked first.
    desk: Mutex<()>,
    outputs: Mutex<BTreeMap<u32, Arc<OutputState>>>,
    seats: Mutex<BTreeMap<SessionId, Arc<Seat>>>,
    strangers: Strangers,
    cursor: Mutex<(Option<CursorShape>, Option<CursorPosition>)>,
    leds: Mutex<Option<Locks>>,
    counter: AtomicU64,
    next_output: AtomicU32,
    pub(crate) bell: Bell,
    tell: EventSink,
    stop: Notify,
    notices: Notices,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Server {
    /// Listens, with no output yet.
    ///
    /// # Errors
    /// The port is taken, or the identity does not serve.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let provider = tls::provider();
        let identity = match &config.identity {
            Some(identity) => identity.clone(),
            None => Arc::new(Identity::self_signed(&["lightbox"], &provider)?),
        };
        let tickets = Arc::new(Tickets::new(config.keep_tickets));
        let mut listen = ServerConfig::new(config.listen, provider.clone(), identity.clone());
        listen.client_authorities = config.authorities.clone();
        listen.settings.idle_timeout = config.idle_timeout;
        listen.runtime = config.runtime.clone();
        let crew = Crew::new(&config.runtime).map_err(StartError::Thread)?;
        let endpoint = crew.open(|| Endpoint::open(listen))?;
        let local = endpoint.local_addr().map_err(StartError::Thread)?;
        let (tell, events) = event::channel();
        let workers = config.workers.unwrap_or_else(|| {
            let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
            if config.runtime.is_manual() { 0 } else { (cores - 1).min(3) }
        });
        let inner = Arc::new(Inner {
            config,
            provider,
            local,
            fingerprint: identity.fingerprint(),
            tickets,
            questions: Questions::default(),
            desk: Mutex::default(),
            outputs: Mutex::default(),
            seats: Mutex::default(),
            strangers: Strangers::default(),
            cursor: Mutex::default(),
            leds: Mutex::default(),
            counter: AtomicU64::new(0),
            next_output: AtomicU32::new(0),
            bell: Bell::default(),
            tell,
            stop: Notify::new(),
            notices: Notices::default(),
        });
        let (network, painter) = (inner.clone().listen(endpoint), inner.clone());
        let painter = async move { pump(&painter, workers).await };
        // What has started is stopped by the drop, where the rest does not start.
        let mut server = Self { inner, crew, events };
        server.crew.network("lbx-server-net", network).map_err(StartError::Thread)?;
        server.crew.start("lbx-server-pump", painter).map_err(StartError::Thread)?;
        Ok(server)
    }

    /// Where it listens, with the port the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.inner.local
    }

    /// The digest of the key that the server shows.
    pub fn fingerprint(&self) -> Fingerprint {
        self.inner.fingerprint
    }

    /// The line that a person pastes into a client to come in: `host` as the client reaches this machine (a name, an
    /// IPv4 address, or an IPv6 address in brackets), the port, a new ticket and the key's fingerprint. Without a
    /// ticket where something else than [`Tickets`] admits.
    ///
    /// # Errors
    /// `host` is none of these.
    pub fn address(&self, host: &str) -> Result<String, AddressError> {
        self.ticket(host, Grant::default(), None)
    }

    /// The same for a person who may do what `grant` says, with a ticket that admits for so long; `None`: until it is
    /// used or revoked.
    ///
    /// # Errors
    /// As [`Self::address`].
    pub fn ticket(&self, host: &str, grant: Grant, life: Option<Duration>) -> Result<String, AddressError> {
        let host = host.parse()?;
        let ticket = match self.inner.config.admission {
            Admission::By(_) | Admission::Ask(_) => None,
            Admission::Tickets => {
                let mut entropy = [0; Ticket::BYTES];
                tls::random(&self.inner.provider, &mut entropy)?;
                let ticket = Ticket::from_entropy(entropy);
                self.inner.tickets.issue_for(&ticket, grant, life);
                Some(ticket)
            }
        };
        let fingerprint = Some(self.inner.fingerprint);
        Ok(Address { host, port: self.inner.local.port(), ticket, fingerprint }.to_string())
    }

    /// No ticket that was given out and not used admits any more.
    pub fn revoke_tickets(&self) {
        self.inner.tickets.revoke_all();
    }

    /// Lets the client of an [`Event::Knock`] in, or says why not. False if it does not wait any more.
    pub fn answer(&self, knock: u64, answer: Result<Grant, Refusal>) -> bool {
        self.inner.questions.answer(knock, answer)
    }

    /// Plugs in a monitor of this size, black until its first frame.
    ///
    /// # Errors
    /// The size is none, or there are too many.
    pub fn add_output(&self, size: Size, format: PixelFormat) -> Result<Output, SubmitError> {
        self.inner.plug(size, format)
    }

    /// Who came and went, and what the person did. Read it steadily: a session whose input nobody reads is closed.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The sessions there are, with what became of what they were sent.
    pub fn sessions(&self) -> Vec<(SessionId, SessionStats)> {
        self.inner.seats().iter().map(|seat| (seat.id, seat.stats())).collect()
    }

    /// True if every session's client has everything that was submitted, and proved it.
    pub fn is_settled(&self) -> bool {
        self.inner.seats().iter().all(|seat| seat.is_settled())
    }

    /// The guest's lock keys, for the keyboards' lamps.
    pub fn set_leds(&self, locks: Locks) {
        *lock(&self.inner.leds) = Some(locks);
        self.inner.tell_all(|| Command::Leds(locks));
    }

    /// Opens a byte stream to a session's client; [`Event::Stream`] says whether it is taken. It ends with the
    /// connection.
    ///
    /// # Errors
    /// There is no such session; [`Config::streams`] or the client's setting has no room for one more, or the client is
    /// not connected.
    pub fn open_stream(
        &self,
        session: SessionId,
        name: Name,
        urgency: Urgency,
    ) -> Result<ByteStream, StreamError> {
        self.seat(session).ok_or(StreamError::Closed)?.link.open_stream(name, urgency)
    }

    /// Takes a byte stream that a client offers.
    ///
    /// # Errors
    /// It is not offered any more.
    pub fn accept_stream(&self, session: SessionId, stream: StreamId) -> Result<ByteStream, StreamError> {
        self.seat(session).ok_or(StreamError::Closed)?.link.accept_stream(stream)
    }

    /// Does not take a byte stream that a client offers; `reason` is for people.
    pub fn refuse_stream(&self, session: SessionId, stream: StreamId, reason: &str) {
        if let Some(seat) = self.seat(session) {
            seat.link.refuse_stream(stream, reason);
        }
    }

    /// Ends a session. False if there is none of that name.
    pub fn disconnect(&self, session: SessionId, reason: &str) -> bool {
        let seat = self.seat(session);
        seat.map(|s| s.link.command(Command::Close(Close::new(close::DONE, reason)))).is_some()
    }
}

impl Server {
    fn seat(&self, session: SessionId) -> Option<Arc<Seat>> {
        lock(&self.inner.seats).get(&session).cloned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.inner.tell_all(|| Command::Close(Close::new(close::SHUTDOWN, "the server goes away")));
        self.inner.bell.stop();
        self.inner.stop.notify_one();
    }
}

impl Inner {
    async fn listen(self: Arc<Self>, endpoint: Endpoint) {
        let mut guests = Tasks::new(&self.config.runtime);
        loop {
            tokio::select! {
                attempt = endpoint.accept() => match attempt {
                    Some(attempt) => guests.spawn(self.clone().greet(attempt)),
                    None => return,
                },
                () = self.stop.notified() => break,
            }
        }
        // The closes that sessions were told of get a moment to leave before the endpoint does.
        let empty = async {
            while !lock(&self.seats).is_empty() {
                self.config.runtime.sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = self.config.runtime.timeout(Duration::from_millis(200), empty).await;
        let _ = self.config.runtime.timeout(Duration::from_secs(1), endpoint.close()).await;
    }

    async fn greet(self: Arc<Self>, attempt: Attempt) {
        let from = attempt.remote_address();
        let connection = match attempt.establish().await {
            Ok(connection) => connection,
            Err(error) => return tracing::debug!(%from, %error, "no handshake"),
        };
        let knock = {
            let _stranger = self.strangers.greet(&connection);
            ControlStream::accept(&connection, HELLO_PATIENCE).await
        };
        let (control, hello) = match knock {
            Ok(knock) => knock,
            Err(why) => return tracing::debug!(%from, %why, "no hello"),
        };
        match self.clone().admit(&connection, &hello).await {
            Ok(seat) => self.serve(connection, control, hello, seat).await,
            Err(why) => {
                tracing::info!(%from, %why, "refused");
                control.refuse(&connection, &why).await;
            }
        }
    }

    /// The session that the client goes on with, or a new one.
    async fn admit(self: Arc<Self>, connection: &Connection, hello: &Hello) -> Result<Arc<Seat>, Close> {
        if let Some(resume) = &hello.resume {
            let seat = lock(&self.seats).get(&resume.session).cloned();
            if let Some(seat) = seat.filter(|s| s.link.lock().is_resumed_by(resume, connection.binding())) {
                return Ok(seat);
            }
        }
        let knock = Knock {
            ticket: hello.ticket.clone(),
            certificate: connection.peer().cloned(),
            terminal: hello.terminal.clone(),
            address: connection.remote_address(),
        };
        let grant = self.decide(knock).await.map_err(|refusal| Close::new(close::REFUSED, refusal))?;
        let mut id = SessionId::default();
        let (mut entropy, mut key) = ([0; 32], [0; 32]);
        let random = |into: &mut [u8]| {
            tls::random(&self.provider, into).map_err(|_| Close::new(close::BUSY, "no randomness to be had"))
        };
        random(&mut id.0)?;
        random(&mut entropy)?;
        random(&mut key)?;
        let mut config = SessionConfig::new(id, entropy);
        config.role = grant.role;
        config.life = self.config.life;
        config.capabilities.slots = self.config.slot_memory / CELL;
        config.capabilities.streams = self.config.streams.into();
        let seat = Seat::new(ServerSession::new(config), hello.terminal.clone(), key, &self.tell);
        let mut seats = lock(&self.seats);
        seats.retain(|_, seat| !seat.link.lock().is_ended());
        if seats.len() >= self.config.max_sessions {
            return Err(Close::new(close::BUSY, "this desktop has as many sessions as it takes"));
        }
        seats.insert(id, seat.clone());
        Ok(seat)
    }

    async fn decide(&self, knock: Knock) -> Result<Grant, Refusal> {
        match &self.config.admission {
            // Nothing in there blocks.
            Admission::Tickets => self.tickets.admit(&knock),
            // Who has dropped the server is not asked any more.
            Admission::By(_) if self.bell.is_stopped() => Err(Refusal("the server goes away".into())),
            Admission::By(by) => {
                let by = by.clone();
                let answer = self.config.runtime.ask(move || by.admit(&knock)).await;
                answer.unwrap_or_else(|| Err(Refusal("the server could not decide; try again".into())))
            }
            Admission::Ask(patience) => {
                self.questions.ask(knock, *patience, &self.config.runtime, &self.tell).await
            }
        }
    }

    async fn serve(
        self: Arc<Self>,
        connection: Connection,
        control: ControlStream,
        hello: Hello,
        seat: Arc<Seat>,
    ) {
        connection.admit();
        let is_new = hello.resume.is_none() || seat.link.lock().counts().total == 0;
        if is_new {
            let _desk = lock(&self.desk);
            let outputs: Vec<_> = lock(&self.outputs).values().cloned().collect();
            outputs.iter().for_each(|output| seat.show(output));
            seat.link.command(Command::Layout(self.layout()));
            let (shape, at) = lock(&self.cursor).clone();
            shape.into_iter().for_each(|shape| seat.link.command(Command::CursorShape(shape)));
            at.into_iter().for_each(|at| seat.link.command(Command::CursorAt(at)));
            lock(&self.leds).iter().for_each(|locks| seat.link.command(Command::Leds(*locks)));
        }
        let attach = Command::Attach { hello, binding: *connection.binding() };
        let (here, tell) = (seat.clone(), self.clone());
        drive(&connection, control, &seat.link, attach, move |event| {
            if here.event(event) {
                tell.bell.ring();
            }
        })
        .await;
        // Whoever waited for this session does not any more.
        self.bell.ring();
        self.wait_for_return(seat).await;
    }

    /// A session without a connection lives until its time is up or its client is back.
    async fn wait_for_return(self: Arc<Self>, seat: Arc<Seat>) {
        while !seat.link.lock().is_live() {
            let until = seat.link.idle(|event| {
                // The pump has nothing to do for a session without a client.
                let _ = seat.event(event);
            });
            // A session whose first client could not be served has no secret that another could come back with.
            if seat.link.lock().is_ended() || until.is_none() {
                lock(&self.seats).remove(&seat.id);
                return;
            }
            let wait = until.map_or(Duration::from_secs(1), |at| at.since(clock::now()));
            self.config.runtime.sleep(wait.clamp(Duration::from_millis(10), Duration::from_secs(1))).await;
        }
    }

    fn plug(self: &Arc<Self>, size: Size, format: PixelFormat) -> Result<Output, SubmitError> {
        let id = self.next_output.fetch_add(1, Ordering::Relaxed);
        let state = Arc::new(OutputState::new(id, size, format)?);
        let _desk = lock(&self.desk);
        {
            let mut outputs = lock(&self.outputs);
            if outputs.len() >= MAX_SURFACES {
                return Err(SubmitError::TooMany { limit: MAX_SURFACES });
            }
            let right = outputs.values().map(|o| o.placement().x.saturating_add(o.shape().0.w as i32)).max();
            state.place(Placement { x: right.unwrap_or(0), ..Placement::default() });
            outputs.insert(id, state.clone());
        }
        self.seats().iter().for_each(|seat| seat.show(&state));
        self.tell_layout();
        Ok(Output::new(state, Arc::downgrade(self)))
    }

    pub(crate) fn unplug(&self, id: u32) {
        let _desk = lock(&self.desk);
        lock(&self.outputs).remove(&id);
        self.seats().iter().for_each(|seat| seat.hide(id));
        self.tell_layout();
    }

    /// The output takes another shape by `change`, and every session is told of it.
    pub(crate) fn reshape(&self, output: &Arc<OutputState>, change: impl FnOnce()) {
        let _desk = lock(&self.desk);
        change();
        if lock(&self.outputs).contains_key(&output.id) {
            self.seats().iter().for_each(|seat| seat.show(output));
            self.tell_layout();
        }
    }

    pub(crate) fn relayout(&self) {
        let _desk = lock(&self.desk);
        self.tell_layout();
    }

    /// To be called with `desk` locked, so that the last layout told is the last there is.
    fn tell_layout(&self) {
        let layout = self.layout();
        self.tell_all(|| Command::Layout(layout.clone()));
        self.bell.ring();
    }

    /// An output changed; `unit` is the host's own encoding of that, if it has one.
    pub(crate) fn damaged(
        &self,
        output: u32,
        tiles: &[TileIndex],
        at: Time,
        unit: Option<&Arc<SubmittedUnit>>,
    ) {
        self.seats().iter().for_each(|seat| seat.damage(output, tiles, at, unit));
        self.bell.ring();
    }

    pub(crate) fn notify(&self, output: u32, cookie: u64) -> Result<(), SubmitError> {
        self.notices.add(output, cookie, clock::now())?;
        self.bell.ring();
        Ok(())
    }

    /// The contracts of an output are others now.
    pub(crate) fn contracted(&self) {
        // A frame that was made by those before is sent with the session locked, after a look at what holds: once
        // around, and none can be on its way to a client any more.
        self.seats().iter().for_each(|seat| drop(seat.link.lock()));
        self.bell.ring();
    }

    pub(crate) fn under_reported(&self, output: u32, tiles: u32) {
        // Counted by the output as well, so an application that does not listen loses nothing.
        let _ = self.tell.tell(Event::UnderReported { output, tiles });
    }

    pub(crate) fn set_cursor(&self, cursor: Cursor) {
        let seq = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        let Cursor { size, hotspot, bgra } = cursor;
        let shape = CursorShape { seq, size, hotspot, bgra: bgra.into() };
        lock(&self.cursor).0 = Some(shape.clone());
        self.tell_all(|| Command::CursorShape(shape.clone()));
    }

    pub(crate) fn move_cursor(&self, output: u32, at: Point, visible: bool) {
        let seq = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        let at = CursorPosition { seq, at: CursorPlace { output, x: at.x, y: at.y }, visible };
        lock(&self.cursor).1 = Some(at);
        self.tell_all(|| Command::CursorAt(at));
    }

    pub(crate) fn outputs(&self) -> BTreeMap<u32, Arc<OutputState>> {
        lock(&self.outputs).clone()
    }

    /// When the next notice to the host is due at the latest, if one is.
    pub(crate) fn give_notices(&self, seats: &[Arc<Seat>]) -> Option<Time> {
        self.notices.give(clock::now(), seats, &self.tell)
    }

    fn layout(&self) -> Layout {
        let outputs = lock(&self.outputs);
        let place = |o: &Arc<OutputState>| {
            let Placement { x, y, width_mm, scale } = o.placement();
            Place { id: o.id, surface: o.id, x, y, size: o.shape().0, width_mm, scale }
        };
        Layout { outputs: outputs.values().map(place).collect() }
    }

    pub(crate) fn tell_all(&self, command: impl Fn() -> Command) {
        self.seats().iter().for_each(|seat| seat.link.command(command()));
    }

    pub(crate) fn seats(&self) -> Vec<Arc<Seat>> {
        lock(&self.seats).values().cloned().collect()
    }
}
