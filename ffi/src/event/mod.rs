//! What both sides tell their application, and how it hears that something waits.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::{ffi::CString, fmt};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

use crate::error::{Failure, LBX_ERROR_SYSTEM};
use crate::vocabulary::lbx_place;
#[cfg(feature = "client")]
use crate::vocabulary::lbx_rect;

#[cfg(feature = "client")]
pub use client::*;
#[cfg(feature = "server")]
pub use server::*;

/// What the pointers of the last event given to C point to.
#[derive(Default)]
pub(crate) struct Kept {
    text: CString,
    #[cfg(feature = "server")]
    address: CString,
    #[cfg(feature = "server")]
    ticket: CString,
    #[cfg(feature = "server")]
    certificate: CString,
    places: Vec<lbx_place>,
    #[cfg(feature = "client")]
    rects: Vec<lbx_rect>,
    #[cfg(feature = "client")]
    tiles: Vec<u32>,
    #[cfg(feature = "client")]
    bytes: Vec<u8>,
}

impl fmt::Debug for Kept {
    /// What a person typed is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// A file descriptor that is readable while events wait, and now and then when none does.
#[derive(Debug)]
pub(crate) struct Signal(OwnedFd);

impl Signal {
    pub(crate) fn new() -> Result<Arc<Self>, Failure> {
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC);
        let no_fd = |error| Failure::new(LBX_ERROR_SYSTEM, format_args!("no event fd to be had: {error}"));
        Ok(Arc::new(Self(fd.map_err(no_fd)?)))
    }

    pub(crate) fn raise(&self) {
        // It fails only where the counter is full, and then it is readable.
        let _ = write(&self.0, &1u64.to_ne_bytes());
    }

    fn lower(&self) {
        // It fails only where nothing was raised.
        let _ = read(&self.0, &mut [0; 8]);
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// The next event. Lowers the signal only when there is none, and looks again after that: an event that came in
    /// between has raised it before or is found.
    pub(crate) fn next<E>(&self, try_next: impl Fn() -> Option<E>) -> Option<E> {
        if let Some(event) = try_next() {
            return Some(event);
        }
        self.lower();
        let event = try_next()?;
        self.raise();
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_readable(signal: &Signal) -> bool {
        let mut fds = [PollFd::new(&signal.0, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec::default())).unwrap() > 0
    }

    #[test]
    fn it_is_readable_until_nothing_waits() {
        let signal = Signal::new().unwrap();
        let waiting = Cell::new(2);
        let take = || (waiting.get() > 0).then(|| waiting.set(waiting.get() - 1));
        signal.raise();
        assert!(signal.next(take).is_some() && is_readable(&signal));
        assert!(signal.next(take).is_some() && is_readable(&signal));
        assert!(signal.next(take).is_none() && !is_readable(&signal));
    }

    #[test]
    fn an_event_that_comes_while_it_is_lowered_is_not_lost() {
        let signal = Signal::new().unwrap();
        let looks = Cell::new(0);
        // There is nothing at the first look, and something at the second.
        let take = || {
            looks.set(looks.get() + 1);
            (looks.get() == 2).then_some(())
        };
        assert!(signal.next(take).is_some() && is_readable(&signal));
    }
}
