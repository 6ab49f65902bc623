use core::time::Duration;

use crate::Time;
use crate::msg::display::Heartbeat;

/// How long "verified" stands without word from the server, at round-trip times up to a quarter of it.
pub const LEASE: Duration = Duration::from_millis(2_500);

/// How much faster than the server's the client's clock may run, in parts per million.
const DRIFT_PPM: u64 = 200;

/// How long what the client shows is known to be current.
///
/// A heartbeat speaks of the server's time when it was *sent*. Were its arrival what counts, a network that froze
/// and then delivered would make an old picture look fresh. So the client learns the smallest difference between
/// its clock and the server's (the quickest heartbeat ever, forgotten only as fast as clocks drift) and dates each
/// heartbeat by it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lease {
    /// The smallest difference (client time minus server time) and when it was last set; may be negative.
    offset: Option<(i64, Time)>,
    rtt: Duration,
    until: Time,
}

impl Lease {
    /// A lease that has never been given.
    pub const fn new() -> Self {
        Self { offset: None, rtt: Duration::ZERO, until: Time(0) }
    }

    /// Takes a heartbeat that arrived `now`.
    pub fn heartbeat(&mut self, now: Time, beat: &Heartbeat) {
        let sample = (now.0 as i64).saturating_sub(beat.server_us.min(i64::MAX as u64) as i64);
        let offset = match self.offset {
            None => sample,
            Some((old, since)) => {
                let drift = (now.since(since).as_micros() as u64).saturating_mul(DRIFT_PPM) / 1_000_000;
                sample.min(old.saturating_add(drift as i64))
            }
        };
        self.offset = Some((offset, now));
        self.rtt = Duration::from_micros(beat.rtt_us.min(60_000_000));
        let shown = beat.server_us.saturating_sub(beat.behind_us).min(i64::MAX as u64) as i64;
        let until = shown.saturating_add(offset).max(0) as u64;
        self.until = self.until.max(Time(until) + LEASE.max(self.rtt * 4));
    }

    /// True while "verified" may be shown.
    pub fn lives(&self, now: Time) -> bool {
        now < self.until
    }

    /// When it runs out.
    pub fn until(&self) -> Time {
        self.until
    }

    /// The age at `now` of something that happened at `server_us` on the server's clock; `None` before the first
    /// heartbeat. The error is at most half the round-trip time.
    pub fn age(&self, now: Time, server_us: u64) -> Option<Duration> {
        let (offset, _) = self.offset?;
        let one_way = (self.rtt / 2).as_micros() as i64;
        let here = (server_us.min(i64::MAX as u64) as i64).saturating_add(offset).saturating_sub(one_way);
        Some(Duration::from_micros((now.0 as i64).saturating_sub(here).max(0) as u64))
    }

    /// The connection is another: its clock offset must be learned anew, what was leased stands.
    pub fn reconnect(&mut self) {
        self.offset = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(server_us: u64) -> Heartbeat {
        Heartbeat { server_us, behind_us: 0, ask: false, rtt_us: 10_000 }
    }

    #[test]
    fn a_heartbeat_that_was_held_back_does_not_look_fresh() {
        let mut lease = Lease::new();
        assert!(!lease.lives(Time(0)));
        lease.heartbeat(Time(5_000_000), &beat(1_000_000));
        assert!(lease.lives(Time(7_400_000)) && !lease.lives(Time(7_500_000)));
        // Sent one second later, delivered two minutes late.
        lease.heartbeat(Time(126_000_000), &beat(2_000_000));
        assert!(!lease.lives(Time(126_000_000)));
        lease.heartbeat(Time(126_000_001), &beat(122_000_001));
        assert!(lease.lives(Time(126_000_001)));
    }

    #[test]
    fn a_server_that_is_behind_does_not_renew() {
        let mut lease = Lease::new();
        lease.heartbeat(Time(5_000_000), &Heartbeat { behind_us: 3_000_000, ..beat(5_000_000) });
        assert!(!lease.lives(Time(5_000_000)));
    }

    #[test]
    fn follows_a_clock_that_runs_slow() {
        let mut lease = Lease::new();
        for second in 1..100_000u64 {
            let now = Time(second * 1_000_100);
            lease.heartbeat(now, &beat(second * 1_000_000));
            assert!(lease.lives(now));
        }
    }
}
