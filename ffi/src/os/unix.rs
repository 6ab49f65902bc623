//! Unix without eventfd: a pipe that holds a byte.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_setfd, read, write};
use rustix::pipe::pipe;

/// A file descriptor that is readable from [`Bell::raise`] to [`Bell::lower`].
#[derive(Debug)]
pub(crate) struct Bell {
    out: OwnedFd,
    into: OwnedFd,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (out, into) = pipe()?;
        for end in [&out, &into] {
            fcntl_setfl(end, fcntl_getfl(end)? | OFlags::NONBLOCK)?;
            fcntl_setfd(end, FdFlags::CLOEXEC)?;
        }
        Ok(Self { out, into })
    }

    pub(crate) fn raise(&self) {
        // It fails only where the pipe is full, and then it is readable.
        let _ = write(&self.into, &[1]);
    }

    pub(crate) fn lower(&self) {
        // It fails where nothing is left.
        while read(&self.out, &mut [0; 64]).is_ok_and(|len| len == 64) {}
    }

    /// What C waits for.
    pub(crate) fn number(&self) -> i32 {
        self.out.as_raw_fd()
    }

    #[cfg(test)]
    pub(crate) fn is_raised(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        poll(&mut [PollFd::new(&self.out, PollFlags::IN)], Some(&Timespec::default()))
            .is_ok_and(|count| count > 0)
    }
}
