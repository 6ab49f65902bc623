//! The only clock of the project.

use lightbox_protocol::Time;

/// Now, in microseconds of the machine's monotonic clock: the same for every process on one Unix machine.
pub fn now() -> Time {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Time(t.tv_sec as u64 * 1_000_000 + t.tv_nsec as u64 / 1_000)
}
