use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lightbox_net::runtime::Runtime;
use lightbox_net::tls::{Authorities, Identity};

use crate::admit::{Admission, Authenticate};

/// How a [`Server`](crate::Server) is.
#[derive(Clone)]
pub struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) authorities: Option<Arc<Authorities>>,
    pub(crate) admission: Admission,
    pub(crate) keep_tickets: bool,
    pub(crate) life: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_sessions: usize,
    pub(crate) workers: Option<usize>,
    pub(crate) sweep: u32,
    pub(crate) slot_memory: u64,
    pub(crate) streams: u32,
    pub(crate) runtime: Runtime,
}

impl Config {
    /// Listens at `listen` (port 0 lets the system choose; `[::]` takes IPv4 as well) with an identity made on the
    /// spot, and admits by the tickets that [`Server::address`](crate::Server::address) gives.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            identity: None,
            authorities: None,
            admission: Admission::Tickets,
            keep_tickets: false,
            life: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(30),
            max_sessions: 16,
            workers: None,
            sweep: 8,
            slot_memory: 64 << 20,
            streams: 0,
            runtime: Runtime::tokio(),
        }
    }

    /// The key and certificate the server shows. Default: made at the start, so addresses change with it.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(Arc::new(identity));
        self
    }

    /// Asks clients for certificates of these authorities; [`Certificates`](crate::Certificates) then admits by
    /// them. Default: asks for none.
    pub fn authorities(mut self, roots: Authorities) -> Self {
        self.authorities = Some(Arc::new(roots));
        self
    }

    /// Who decides who comes in. Default: [`Tickets`](crate::Tickets).
    pub fn authenticate(mut self, by: Arc<dyn Authenticate>) -> Self {
        self.admission = Admission::By(by);
        self
    }

    /// The application decides in its own time: [`Event::Knock`](crate::Event::Knock) tells of a client at the door, and
    /// [`Server::answer`](crate::Server::answer) lets it in or not. One that gets no answer for so long is refused.
    /// Default: [`Tickets`](crate::Tickets).
    pub fn ask(mut self, patience: Duration) -> Self {
        self.admission = Admission::Ask(patience);
        self
    }

    /// A ticket of the default [`Tickets`](crate::Tickets) admits again and again: for tests and trusted networks.
    /// Default: once.
    pub fn keep_tickets(mut self, keep: bool) -> Self {
        self.keep_tickets = keep;
        self
    }

    /// How long a session whose connection was lost waits for its client. It costs one picture of each output.
    /// Default: 120 s.
    pub fn life(mut self, life: Duration) -> Self {
        self.life = life;
        self
    }

    /// A connection of which nothing was heard for so long is lost, and its session waits for its client. The
    /// shorter of both sides' counts. Default: 30 s.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sessions at one time; further clients are told that the server is busy. Each costs one picture of each
    /// output and about 2 MiB. Default: 16.
    pub fn max_sessions(mut self, most: usize) -> Self {
        self.max_sessions = most.max(1);
        self
    }

    /// Threads that code beside the one that leads them. Default: one for each further core, at most 3; none on a loop
    /// of the host's.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Tiles outside the damage that each submit compares with the snapshot, in turn, to find damage that the host
    /// did not report. 8 cost about 10 us a submit. Default: 8; 0 trusts the host.
    pub fn sweep(mut self, tiles: u32) -> Self {
        self.sweep = tiles;
        self
    }

    /// The most memory, in bytes, that a client is asked to use for tiles that may be shown again; fewer where the
    /// client offers fewer. Here each costs about 200 bytes. Default: 64 MiB; 0: none.
    pub fn slot_memory(mut self, bytes: u64) -> Self {
        self.slot_memory = bytes;
        self
    }

    /// The byte streams that each side of a session may have open at one time, at most 24: what devices, files and
    /// agents speak through. The application is asked before one that a client opens is taken; clients that may only
    /// look open none. Each holds up to 256 KiB that its application has not read. Default: 0, none.
    pub fn streams(mut self, most: u32) -> Self {
        self.streams = most;
        self
    }

    /// Runs on a loop that the host turns ([`Loop::runtime`](crate::Loop::runtime)): no thread is made, and the host
    /// waits while a frame is made and while [`Authenticate`] decides. Outputs may be used on any thread, and wake the
    /// loop. A server that is dropped says goodbye in the loop's next turns, or while the loop is dropped. Default:
    /// threads of its own.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = runtime;
        self
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("listen", &self.listen).finish_non_exhaustive()
    }
}
