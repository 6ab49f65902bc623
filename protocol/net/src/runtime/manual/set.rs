//! The descriptors of a loop, and the only place that asks the system about them.

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll, eventfd, poll};
use rustix::io::{Errno, read, write};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::Loop;
use super::socket::Ready;

/// An epoll set of sockets, with a timer and an alarm in it.
#[derive(Debug)]
pub(super) struct Set {
    epoll: OwnedFd,
    timer: OwnedFd,
    alarm: OwnedFd,
}

impl AsFd for Set {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl AsFd for Loop {
    /// The descriptor to watch for reading. Do not read it; it is closed with the loop.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.executor.set().as_fd()
    }
}

/// Room for what is ready, to be used again.
pub(super) type Found = Vec<epoll::Event>;

impl Set {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        let alarm = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        for (fd, key) in [(&timer, TIMER), (&alarm, ALARM)] {
            epoll::add(&epoll, fd, epoll::EventData::new_u64(key), epoll::EventFlags::IN)?;
        }
        Ok(Self { epoll, timer, alarm })
    }

    /// Watches a socket under a key below [`TIMER`].
    pub(super) fn add(&self, socket: &UdpSocket, key: u64, what: Ready) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(key), flags(what))?)
    }

    pub(super) fn change(&self, socket: &UdpSocket, key: u64, what: Ready) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, socket, epoll::EventData::new_u64(key), flags(what))?)
    }

    pub(super) fn remove(&self, socket: &UdpSocket) {
        // It fails only where it is not there.
        let _ = epoll::delete(&self.epoll, socket);
    }

    /// Makes the set readable after this long, and not for its timer before.
    pub(super) fn arm(&self, after: Duration) -> io::Result<()> {
        // A timer of zero is none.
        let it_value = timespec(after.max(Duration::from_nanos(1)));
        let once = Itimerspec { it_interval: timespec(Duration::ZERO), it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    /// Makes the set readable now.
    pub(super) fn ring(&self) {
        // It fails only where the counter is full, and then it is readable.
        let _ = write(&self.alarm, &1u64.to_ne_bytes());
    }

    /// The descriptor behind which everything stands.
    pub(super) fn number(&self) -> i32 {
        self.epoll.as_raw_fd()
    }

    /// Waits until the set is readable, at most this long; false if it is not.
    pub(super) fn wait(&self, limit: Duration) -> io::Result<bool> {
        match poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], Some(&timespec(limit))) {
            Ok(count) => Ok(count > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Says of the sockets that are ready what they are ready for; timer and alarm are quiet after it. True if the
    /// timer went off.
    pub(super) fn look(&self, found: &mut Found, mut ready: impl FnMut(u64, Ready)) -> io::Result<bool> {
        found.clear();
        found.reserve(MOST_AT_ONCE);
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(found), Some(&Timespec::default())) {
            Ok(_) | Err(Errno::INTR) => (),
            Err(error) => return Err(error.into()),
        }
        let mut went_off = false;
        for event in found.iter() {
            let fd = match event.data.u64() {
                TIMER => {
                    went_off = true;
                    &self.timer
                }
                ALARM => &self.alarm,
                key => {
                    let flags = event.flags;
                    // An error is heard of by whoever tries.
                    let broken = flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP);
                    let read = broken || flags.contains(epoll::EventFlags::IN);
                    let write = broken || flags.contains(epoll::EventFlags::OUT);
                    ready(key, Ready { read, write });
                    continue;
                }
            };
            // It fails only where it has become quiet by itself.
            let _ = read(fd, &mut [0; 8]);
        }
        Ok(went_off)
    }
}

fn flags(what: Ready) -> epoll::EventFlags {
    let mut flags = epoll::EventFlags::empty();
    flags.set(epoll::EventFlags::IN, what.read);
    flags.set(epoll::EventFlags::OUT, what.write);
    flags
}

fn timespec(time: Duration) -> Timespec {
    // Nobody waits for longer than numbers go.
    Timespec::try_from(time).unwrap_or(Timespec { tv_sec: i32::MAX.into(), tv_nsec: 0 })
}

/// Sockets have keys below.
const TIMER: u64 = u64::MAX - 1;
const ALARM: u64 = u64::MAX;
/// Further ones are found by the next look.
const MOST_AT_ONCE: usize = 32;
