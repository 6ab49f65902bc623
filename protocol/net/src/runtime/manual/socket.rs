//! UDP sockets of a loop, with the segmentation offloads that quinn-udp knows.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};

use super::Executor;
use super::executor::lock;
use super::timers::Timer;

/// A socket as quinn uses it.
#[derive(Debug)]
pub(super) struct Socket {
    state: UdpSocketState,
    watched: Arc<Watched>,
    executor: Arc<Executor>,
    key: u64,
}

/// What a socket is ready for, or watched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) read: bool,
    pub(super) write: bool,
}

/// What the loop knows of a socket.
#[derive(Debug)]
pub(super) struct Watched {
    io: UdpSocket,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    reader: Option<Waker>,
    writers: Vec<Waker>,
    /// The last try to send found no room, and none was reported since.
    full: bool,
    /// What the loop's set looks for.
    interest: Ready,
}

impl Socket {
    pub(super) fn new(executor: &Arc<Executor>, io: UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&io).into())?;
        let watched = Arc::new(Watched { io, waiting: Mutex::default() });
        let key = executor.watch(&watched)?;
        Ok(Self { state, watched, executor: executor.clone(), key })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.executor.unwatch(self.key, &self.watched.io);
    }
}

impl Watched {
    pub(super) fn io(&self) -> &UdpSocket {
        &self.io
    }

    /// Wakes whoever waits for what the socket is ready for. What nobody waits for is not looked for any more, or the
    /// descriptor would stay readable and the host's loop spin.
    pub(super) fn ready(&self, executor: &Executor, key: u64, ready: Ready) {
        let mut waiting = lock(&self.waiting);
        let mut interest = waiting.interest;
        let mut wake = Vec::new();
        if ready.read {
            interest.read &= waiting.reader.is_some();
            wake.extend(waiting.reader.take());
        }
        if ready.write {
            waiting.full = false;
            interest.write &= !waiting.writers.is_empty();
            wake.append(&mut waiting.writers);
        }
        self.look_for(executor, key, &mut waiting, interest);
        drop(waiting);
        wake.into_iter().for_each(Waker::wake);
    }

    fn look_for(&self, executor: &Executor, key: u64, waiting: &mut Waiting, interest: Ready) {
        if interest != waiting.interest {
            waiting.interest = interest;
            if let Err(error) = executor.set().change(&self.io, key, interest) {
                tracing::error!(%error, "a socket is not watched any more");
            }
        }
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Room(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let sent = self.state.send((&self.watched.io).into(), transmit);
        if sent.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            lock(&self.watched.waiting).full = true;
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        match self.state.recv((&self.watched.io).into(), bufs, meta) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // What arrives from here on is found by the loop's next look.
                let mut waiting = lock(&self.watched.waiting);
                waiting.reader = Some(cx.waker().clone());
                let interest = Ready { read: true, ..waiting.interest };
                self.watched.look_for(&self.executor, self.key, &mut waiting, interest);
                Poll::Pending
            }
            received => Poll::Ready(received),
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.watched.io.local_addr()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }
}

/// Waits until there is room for datagrams.
#[derive(Debug)]
struct Room(Arc<Socket>);

impl UdpPoller for Room {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Socket { watched, executor, key, .. } = &*self.0;
        let mut waiting = lock(&watched.waiting);
        if !waiting.full {
            return Poll::Ready(Ok(()));
        }
        if !waiting.writers.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.writers.push(cx.waker().clone());
        }
        let interest = Ready { write: true, ..waiting.interest };
        watched.look_for(executor, *key, &mut waiting, interest);
        Poll::Pending
    }
}

/// quinn's door to the loop.
#[derive(Debug)]
pub(in super::super) struct Door(pub(in super::super) Arc<Executor>);

impl quinn::Runtime for Door {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn quinn::AsyncTimer>> {
        Box::pin(Timer::new(&self.0, at))
    }

    fn spawn(&self, work: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.0.spawn(work);
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        socket.set_nonblocking(true)?;
        Ok(Arc::new(Socket::new(&self.0, socket)?))
    }
}
