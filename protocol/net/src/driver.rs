//! The loop between a connection and a session: bytes in, bytes out, and the only place that reads the clock.
//!
//! A session is a value behind a lock ([`Shared`]); whoever has something for it calls [`Shared::command`], and
//! [`drive`] carries out what it wants, over one connection after another: the latest one has the session. Nothing in
//! here decides anything.

mod both;
mod once;
mod queue;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use lightbox_protocol::Time;
use lightbox_protocol::msg::control::{Close, Control, Hello};
use lightbox_protocol::session::server::Door;
use lightbox_protocol::session::{Cause, Effect, Lane, Path, Session};
use lightbox_protocol::wire::ids;
use quinn::{ConnectionError, ReadError, RecvStream, SendStream, VarInt};
use tokio::sync::Notify;

use self::both::Both;
use self::queue::Queue;
use crate::clock;
use crate::endpoint::Connection;
use crate::runtime::Tasks;

/// A session that an application and its connection's driver share.
#[derive(Debug)]
pub struct Shared<S> {
    session: Mutex<S>,
    /// Counts the connections that the session had. It changes only while `session` is locked.
    turn: AtomicU64,
    wake: Notify,
}

impl<S: Session> Shared<S> {
    /// A session to be shared.
    pub fn new(session: S) -> Arc<Self> {
        Arc::new(Self { session: Mutex::new(session), turn: AtomicU64::new(0), wake: Notify::new() })
    }

    /// Looks at the session. Hold it briefly: the network waits.
    pub fn lock(&self) -> MutexGuard<'_, S> {
        // A session is a value that is whole between calls, whatever happened to a thread that held it.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the session what the application wants, and its driver that there may be something to do.
    pub fn command(&self, command: S::Command) {
        self.tell(Cause::Command(command));
        self.wake.notify_one();
    }

    /// Wakes the driver: the session was changed by hand.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Hands out the events of a session that has no connection, so that its time-outs are heard of. Returns when to
    /// call again.
    pub fn idle(&self, mut events: impl FnMut(S::Event)) -> Option<Time> {
        self.tell(Cause::Tick);
        loop {
            let effect = self.lock().poll();
            match effect {
                Effect::Event(event) => events(event),
                Effect::Wait(until) => return until,
                // Without a connection there is nowhere to send to.
                Effect::Send(..) | Effect::Datagram(_) | Effect::Close(_) => (),
            }
        }
    }

    fn tell(&self, cause: Cause<S::Command>) {
        let mut session = self.lock();
        // Read under the lock, so that no other thread tells of an earlier time after this.
        session.handle(clock::now(), cause);
    }
}

/// One connection's hold on a session, until another connection takes it over.
#[derive(Debug)]
struct Line<S> {
    connection: Connection,
    shared: Arc<Shared<S>>,
    turn: u64,
    both: Both,
    /// Why this side closed the connection.
    closed: OnceLock<Close>,
}

impl<S: Session> Line<S> {
    /// Takes the session over and gives it `first`, before anything of this connection and after all of others.
    fn take(connection: Connection, shared: Arc<Shared<S>>, first: S::Command) -> Self {
        let turn = {
            let mut session = shared.lock();
            let turn = shared.turn.fetch_add(1, Ordering::Relaxed) + 1;
            session.handle(clock::now(), Cause::Command(first));
            turn
        };
        // The driver that had it finds out.
        shared.wake.notify_waiters();
        Self { connection, shared, turn, both: Both::default(), closed: OnceLock::new() }
    }

    /// The session, if this connection still has it.
    fn session(&self) -> Option<MutexGuard<'_, S>> {
        let session = self.shared.lock();
        (self.shared.turn.load(Ordering::Relaxed) == self.turn).then_some(session)
    }

    fn tell(&self, cause: Cause<S::Command>) {
        if let Some(mut session) = self.session() {
            session.handle(clock::now(), cause);
        }
    }

    /// The same from a task beside the driver's.
    fn handle(&self, cause: Cause<S::Command>) {
        self.tell(cause);
        self.shared.wake.notify_one();
    }

    fn poll(&self) -> Option<Effect<S::Event>> {
        self.session().map(|mut session| session.poll())
    }

    fn close(&self, why: Close) {
        close(&self.connection, &why);
        // The first reason is the one that the peer is told.
        let _ = self.closed.set(why);
    }

    /// Closes the connection of a peer that took back a stream.
    fn reset(&self) {
        self.close(Close::new(ids::close::UNEXPECTED, "a stream was reset"));
    }

    /// Why the connection ended, in the session's terms.
    fn lost(&self, error: &ConnectionError) -> Close {
        match (error, self.closed.get()) {
            (ConnectionError::LocallyClosed, Some(why)) => why.clone(),
            _ => lost(error),
        }
    }
}

/// The control stream of a connection, opened.
#[derive(Debug)]
pub struct ControlStream {
    send: SendStream,
    recv: RecvStream,
}

impl ControlStream {
    /// Opens it, as a client does first of all.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn open(connection: &Connection) -> Result<Self, Close> {
        let (mut send, recv) = connection.quic().open_bi().await.map_err(|e| lost(&e))?;
        let kind = [ids::stream::CONTROL as u8];
        send.write_all(&kind).await.map_err(|_| gone())?;
        Ok(Self { send, recv })
    }

    /// Waits for it and for the hello on it, as a server does; nothing but the hello limits is spent on the client.
    ///
    /// # Errors
    /// The client is silent for `patience`, or sends something else; it has been told.
    pub async fn accept(connection: &Connection, patience: Duration) -> Result<(Self, Hello), Close> {
        let hello = connection.runtime().timeout(patience, Self::read_hello(connection));
        let silent = || Close::new(ids::close::TIMEOUT, "no hello came in time");
        let outcome = hello.await.unwrap_or_else(|| Err(silent()));
        if let Err(why) = &outcome {
            close(connection, why);
        }
        outcome
    }

    async fn read_hello(connection: &Connection) -> Result<(Self, Hello), Close> {
        let (send, mut recv) = connection.quic().accept_bi().await.map_err(|e| lost(&e))?;
        let mut kind = [0];
        recv.read_exact(&mut kind).await.map_err(|_| gone())?;
        if u64::from(kind[0]) != ids::stream::CONTROL {
            return Err(Close::new(ids::close::UNEXPECTED, "the first stream must be the control stream"));
        }
        let mut door = Door::new();
        loop {
            let Some(chunk) = recv.read_chunk(4096, true).await.map_err(|_| gone())? else {
                return Err(Close::new(ids::close::UNEXPECTED, "the control stream ended before its hello"));
            };
            if let Some(hello) = door.read(&chunk.bytes)? {
                return Ok((Self { send, recv }, hello));
            }
        }
    }

    /// Refuses the client and closes the connection.
    pub async fn refuse(mut self, connection: &Connection, why: &Close) {
        let message = Control::Close(why.clone()).to_frame();
        // The reason travels in the connection's close as well; the message is for peers that look here first.
        // A stranger that grants no window is not waited for.
        let patience = Duration::from_millis(100);
        let _ = connection.runtime().timeout(patience, self.send.write_all(&message)).await;
        close(connection, why);
    }
}

/// Gives the session to this connection, with the command that begins it; carries out what it wants until the
/// connection ends, and returns why it did; the session has been told. A driver that had the session before closes its
/// connection (REPLACED) and tells the session nothing more.
///
/// `events` is called on the driver's task: it must not block.
pub async fn drive<S>(
    connection: &Connection,
    control: ControlStream,
    shared: &Arc<Shared<S>>,
    first: S::Command,
    mut events: impl FnMut(S::Event),
) -> Close
where
    S: Session + Send + 'static,
    S::Command: Send,
    S::Event: Send,
{
    let ControlStream { send, recv } = control;
    let line = Arc::new(Line::take(connection.clone(), shared.clone(), first));
    let runtime = connection.runtime();
    let mut tasks = Tasks::new(runtime);
    tasks.spawn(read_control(recv, line.clone()));
    tasks.spawn(accept_streams(line.clone()));
    tasks.spawn(both::accept(line.clone()));
    tasks.spawn(read_datagrams(line.clone()));
    let (control, rest) = Queue::new();
    tasks.spawn(rest.write(send));
    let mut out = Out { line: line.clone(), control, input: None };
    let mut next_path = Time(0);
    let why = loop {
        let now = clock::now();
        if now >= next_path {
            next_path = now + PATH_GAP;
            line.tell(Cause::Path(path(connection)));
        }
        let until = loop {
            match line.poll() {
                Some(Effect::Event(event)) => events(event),
                Some(Effect::Send(lane, bytes)) => out.send(&mut tasks, lane, bytes),
                // A datagram that does not fit is one that got lost.
                Some(Effect::Datagram(bytes)) => drop(connection.quic().send_datagram(bytes)),
                Some(Effect::Close(why)) => line.close(why),
                Some(Effect::Wait(until)) => break until,
                None => return replaced(&line),
            }
        };
        let wait = until.map_or(IDLE, |at| at.since(clock::now()).min(IDLE));
        tokio::select! {
            biased;
            error = connection.quic().closed() => break line.lost(&error),
            () = shared.wake.notified() => (),
            () = runtime.sleep(wait) => line.tell(Cause::Tick),
        }
    };
    line.tell(Cause::Lost(why.clone()));
    loop {
        match line.poll() {
            Some(Effect::Event(event)) => events(event),
            Some(Effect::Wait(_)) => return why,
            Some(Effect::Send(..) | Effect::Datagram(_) | Effect::Close(_)) => (),
            None => return replaced(&line),
        }
    }
}

/// Another connection has the session now.
fn replaced<S: Session>(line: &Line<S>) -> Close {
    // The call that woke this driver may have been meant for that connection's.
    line.shared.wake.notify_one();
    let why = Close::new(ids::close::REPLACED, "another connection resumed this session");
    line.close(why.clone());
    why
}

/// The ways out of a connection.
struct Out<S> {
    line: Arc<Line<S>>,
    control: Queue,
    input: Option<Queue>,
}

impl<S> Out<S>
where
    S: Session + Send + 'static,
    S::Command: Send,
    S::Event: Send,
{
    fn send(&mut self, tasks: &mut Tasks, lane: Lane, bytes: Bytes) {
        let quic = self.line.connection.quic().clone();
        let fits = match lane {
            Lane::Control => self.control.push(lane.priority(), bytes),
            Lane::Input => {
                let input = self.input.get_or_insert_with(|| {
                    let (input, rest) = Queue::new();
                    tasks.spawn(async move {
                        if let Ok(stream) = quic.open_uni().await {
                            rest.write(stream).await;
                        }
                    });
                    input.push(lane.priority(), Bytes::from_static(&[ids::stream::INPUT as u8]));
                    input
                });
                input.push(lane.priority(), bytes)
            }
            Lane::Once { priority } => {
                once::send(&quic, tasks, priority, bytes);
                true
            }
            Lane::Both { carrier, priority, last } => {
                Both::send(&self.line, tasks, carrier, priority, bytes, last)
            }
        };
        if !fits {
            self.line.close(Close::new(ids::close::LIMIT, "the peer does not read what it is sent"));
        }
    }
}

async fn read_control<S: Session>(mut stream: RecvStream, line: Arc<Line<S>>) {
    while let Some(chunk) = match stream.read_chunk(CHUNK, true).await {
        Ok(chunk) => chunk,
        Err(ReadError::Reset(_)) => None,
        Err(_) => return,
    } {
        line.handle(Cause::Control(chunk.bytes));
    }
    line.close(Close::new(ids::close::UNEXPECTED, "the control stream ended before the connection"));
}

async fn accept_streams<S>(line: Arc<Line<S>>)
where
    S: Session + Send + 'static,
    S::Command: Send,
    S::Event: Send,
{
    let mut readers = Tasks::new(line.connection.runtime());
    while let Ok(stream) = line.connection.quic().accept_uni().await {
        readers.spawn(read_stream(stream, line.clone()));
    }
}

async fn read_stream<S: Session>(mut stream: RecvStream, line: Arc<Line<S>>) {
    let id = VarInt::from(stream.id()).into_inner();
    let mut next = stream.read_chunk(CHUNK, true).await;
    loop {
        match next {
            Ok(Some(chunk)) => {
                // Where the end is here already it goes along, and a small frame is handed over in one piece.
                let after = tokio::select! {
                    biased;
                    after = stream.read_chunk(CHUNK, true) => Some(after),
                    () = std::future::ready(()) => None,
                };
                let fin = matches!(after, Some(Ok(None)));
                line.handle(Cause::Stream { id, bytes: chunk.bytes, fin });
                if fin {
                    return;
                }
                next = match after {
                    Some(after) => after,
                    None => stream.read_chunk(CHUNK, true).await,
                };
            }
            Ok(None) => return line.handle(Cause::Stream { id, bytes: Bytes::new(), fin: true }),
            Err(ReadError::Reset(_)) => {
                return line.reset();
            }
            Err(_) => return,
        }
    }
}

async fn read_datagrams<S: Session>(line: Arc<Line<S>>) {
    while let Ok(bytes) = line.connection.quic().read_datagram().await {
        line.handle(Cause::Datagram(bytes));
    }
}

fn path(connection: &Connection) -> Path {
    let mut estimate = connection.estimate();
    if estimate.srtt.is_zero() {
        estimate.srtt = connection.quic().rtt();
    }
    let stats = connection.quic().stats();
    Path {
        estimate,
        max_datagram: connection.quic().max_datagram_size().unwrap_or(0),
        wire_bytes: stats.udp_tx.bytes
            + stats.udp_rx.bytes
            + IP_UDP * (stats.udp_tx.datagrams + stats.udp_rx.datagrams),
        packets: (stats.udp_tx.datagrams, stats.udp_rx.datagrams),
    }
}

/// Closes the connection with the code and the words of `why`.
pub fn close(connection: &Connection, why: &Close) {
    let code = VarInt::from_u64(why.code).unwrap_or(VarInt::from_u32(0));
    connection.quic().close(code, why.reason.as_bytes());
}

fn gone() -> Close {
    Close::new(ids::close::TIMEOUT, "the connection is gone")
}

/// Why the connection ended, in the session's terms: only the peer's own word is final.
fn lost(error: &ConnectionError) -> Close {
    match error {
        ConnectionError::ApplicationClosed(by) => {
            Close::new(by.error_code.into_inner(), String::from_utf8_lossy(&by.reason))
        }
        ConnectionError::LocallyClosed => Close::new(ids::close::DONE, "closed here"),
        other => Close::new(ids::close::TIMEOUT, other),
    }
}

/// Bytes of the IPv4 and UDP headers of a datagram.
const IP_UDP: u64 = 28;
/// The transport's estimate is looked at this often at the most.
const PATH_GAP: Duration = Duration::from_millis(5);
/// Without anything to do the loop turns this often.
const IDLE: Duration = Duration::from_secs(10);
/// The most bytes of a stream handed to the session at once.
const CHUNK: usize = 256 << 10;
