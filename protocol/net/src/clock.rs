//! The only clock of the project.

use lightbox_protocol::Time;
use rustix::time::{ClockId, clock_gettime};

/// Now, in microseconds of a clock that never goes back and goes on while the machine sleeps: what was verified before
/// a laptop was closed must be stale when it is opened. It is the same for every process on one Unix machine.
pub fn now() -> Time {
    read(AWAKE_OR_NOT)
}

/// When it was `micros` on CLOCK_MONOTONIC, which hosts date their frames by and which stands still while the machine
/// sleeps.
pub fn monotonic(micros: u64) -> Time {
    let ago = read(ClockId::Monotonic).0.saturating_sub(micros);
    Time(now().0.saturating_sub(ago))
}

fn read(clock: ClockId) -> Time {
    let t = clock_gettime(clock);
    Time(t.tv_sec as u64 * 1_000_000 + t.tv_nsec as u64 / 1_000)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const AWAKE_OR_NOT: ClockId = ClockId::Boottime;
/// Elsewhere it counts sleep.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const AWAKE_OR_NOT: ClockId = ClockId::Monotonic;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monotonic_time_is_as_long_ago_on_this_clock() {
        let (before, micros) = (now(), read(ClockId::Monotonic).0);
        let (then, after) = (monotonic(micros), now());
        // Both clocks are read one after the other, so that it may seem a little later than it was.
        assert!(before.0 <= then.0 + 1 && then.0 <= after.0, "{before:?} {then:?} {after:?}");
        let second = monotonic(micros - 1_000_000).0;
        assert!(then.0.abs_diff(second + 1_000_000) < 500_000);
    }
}
