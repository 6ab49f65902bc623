//! The host's own event loop: everything runs inside [`Loop::dispatch`], and no thread is made.
//!
//! An application that has a loop already watches one descriptor. Behind it stand, in an epoll set, the sockets, a
//! timer for the next deadline and an event for wakers on other threads; all of it is level-triggered, so any `poll`,
//! `select` or `epoll` will do, and a host that looks away for a while misses nothing.

mod executor;
#[cfg_attr(not(target_os = "linux"), path = "set_elsewhere.rs")]
mod set;
mod socket;
mod timers;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use executor::{Executor, Task};
pub(super) use socket::Door;
pub(super) use timers::Timer;

use super::{Kind, Runtime};

/// A loop that the application turns: watch its descriptor (`AsFd`) for reading, and call [`Self::dispatch`] when it is
/// readable. Several servers and clients may run on one, by [`Self::runtime`].
///
/// Dropping it first turns it, for a second at the most, while servers and clients that were dropped before say
/// goodbye; what still runs on it ends there.
#[derive(Debug)]
pub struct Loop {
    executor: Arc<Executor>,
}

/// Why a loop was not turned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// It is called by something that [`Loop::dispatch`] calls.
    #[error("the loop is being turned by this very thread: return from the callback first")]
    Inside,
    /// Two threads turn one loop.
    #[error("the loop is being turned by another thread: one thread at a time may")]
    Elsewhere,
    /// The system refuses.
    #[error("the system does not say what is ready: {0}")]
    System(#[from] io::Error),
}

impl Loop {
    /// A loop with nothing on it.
    ///
    /// # Errors
    /// The system gives no descriptors; it is not Linux ([`io::ErrorKind::Unsupported`]).
    pub fn new() -> io::Result<Self> {
        Ok(Self { executor: Executor::new()? })
    }

    /// What a server or a client is given, so that it runs on this loop.
    pub fn runtime(&self) -> Runtime {
        Runtime { kind: Kind::Manual(self.executor.clone()) }
    }

    /// The number of its descriptor, for hosts that are not in Rust.
    pub fn number(&self) -> i32 {
        self.executor.set().number()
    }

    /// How long the host may wait, at the most, before it calls [`Self::dispatch`] although the descriptor is not
    /// readable; `None` if for ever. The descriptor becomes readable by then all the same, so this is for hosts that
    /// would rather hear of deadlines than of descriptors.
    pub fn timeout(&self) -> Option<Duration> {
        self.executor.timeout()
    }

    /// Does what is due, and returns after a few milliseconds even if more is: true then, and the descriptor stays
    /// readable. One frame or one question to the application is never cut in two, however long it takes.
    ///
    /// # Errors
    /// [`DispatchError`]; nothing was done.
    pub fn dispatch(&self) -> Result<bool, DispatchError> {
        self.executor.dispatch()
    }

    /// Waits until something is due, at most this long; false if nothing is.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&self, limit: Duration) -> io::Result<bool> {
        self.executor.set().wait(limit)
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let end = Instant::now() + FAREWELL;
        while self.executor.has_leaving() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.wait(left).is_err() || self.dispatch().is_err() {
                break;
            }
        }
        self.executor.close();
    }
}

/// How long those who leave have to say so.
const FAREWELL: Duration = Duration::from_secs(1);
