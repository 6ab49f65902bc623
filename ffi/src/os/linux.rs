//! Linux: an eventfd.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

/// A file descriptor that is readable from [`Bell::raise`] to [`Bell::lower`].
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?))
    }

    pub(crate) fn raise(&self) {
        // It fails only where the counter is full, and then it is readable.
        let _ = write(&self.0, &1u64.to_ne_bytes());
    }

    pub(crate) fn lower(&self) {
        // It fails only where nothing was raised.
        let _ = read(&self.0, &mut [0; 8]);
    }

    /// What C waits for.
    pub(crate) fn number(&self) -> i32 {
        self.0.as_raw_fd()
    }

    #[cfg(test)]
    pub(crate) fn is_raised(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&Timespec::default()))
            .is_ok_and(|count| count > 0)
    }
}
