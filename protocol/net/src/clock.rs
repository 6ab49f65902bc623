//! The only clock of the project.

use std::time::Duration;

use lightbox_protocol::Time;

use crate::os;

/// Now, in microseconds of a clock that never goes back and goes on while the machine sleeps: what was verified before
/// a laptop was closed must be stale when it is opened. It is the same for every process on one Unix machine; elsewhere each has its own.
pub fn now() -> Time {
    Time(micros(os::since_boot()))
}

/// When it was `micros` on CLOCK_MONOTONIC, which hosts date their frames by and which stands still while the machine
/// sleeps.
pub fn monotonic(micros: u64) -> Time {
    let ago = self::micros(os::monotonic()).saturating_sub(micros);
    Time(now().0.saturating_sub(ago))
}

fn micros(time: Duration) -> u64 {
    // Half a million years fit.
    time.as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monotonic_time_is_as_long_ago_on_this_clock() {
        let (before, micros) = (now(), super::micros(os::monotonic()));
        let (then, after) = (monotonic(micros), now());
        // Both clocks are read one after the other, so that it may seem a little later than it was.
        assert!(before.0 <= then.0 + 1 && then.0 <= after.0, "{before:?} {then:?} {after:?}");
        let second = monotonic(micros - 1_000_000).0;
        assert!(then.0.abs_diff(second + 1_000_000) < 500_000);
    }
}
