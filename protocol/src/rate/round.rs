//! What one round trip's worth of acknowledgements says.

use core::time::Duration;

use crate::Time;

/// Collects acknowledgements and losses until a round is over.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    since: Time,
    acked: u64,
    lost: u64,
    rtt: Option<Duration>,
    ecn: bool,
    filled: bool,
    /// Acknowledged since the last end of a batch.
    batch: u64,
}

/// One finished round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// The fastest sample: acknowledgements that waited at the receiver do not show in it.
    pub(super) rtt: Duration,
    /// Delivered, bytes per second.
    pub(super) rate: f64,
    pub(super) acked: u64,
    pub(super) lost: u64,
    /// A router marked packets.
    pub(super) ecn: bool,
    /// The window was what held the sender back.
    pub(super) filled: bool,
}

impl Collector {
    pub(super) fn new(now: Time) -> Self {
        Self { since: now, acked: 0, lost: 0, rtt: None, ecn: false, filled: false, batch: 0 }
    }

    pub(super) fn ack(&mut self, rtt: Duration, bytes: u64) {
        self.acked += bytes;
        self.batch += bytes;
        self.sample(rtt);
    }

    pub(super) fn sample(&mut self, rtt: Duration) {
        self.rtt = Some(self.rtt.map_or(rtt, |least| least.min(rtt)));
    }

    pub(super) fn loss(&mut self, bytes: u64) {
        self.lost += bytes;
    }

    pub(super) fn ecn(&mut self) {
        self.ecn = true;
    }

    /// A batch of acknowledgements is over. Returns a round if it was its last.
    ///
    /// Whether the window held the sender back is judged by the bytes that were really in flight: a transport's
    /// own "application limited" flag is false in the middle of any paced burst.
    pub(super) fn end_batch(
        &mut self,
        now: Time,
        in_flight: u64,
        window: u64,
        srtt: Duration,
    ) -> Option<Round> {
        self.filled |= (in_flight + self.batch) * 10 >= window * 7;
        self.batch = 0;
        let lasted = now.since(self.since);
        let rtt = self.rtt?;
        if lasted < srtt.max(SHORTEST) {
            return None;
        }
        let Self { acked, lost, ecn, filled, .. } = *self;
        let rate = acked as f64 / lasted.as_secs_f64();
        *self = Self::new(now);
        Some(Round { rtt, rate, acked, lost, ecn, filled })
    }
}

/// The best delivery rate of the last few rounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Bandwidth {
    rates: [f64; 8],
    at: usize,
}

impl Bandwidth {
    pub(super) fn push(&mut self, rate: f64) {
        self.at = (self.at + 1) % self.rates.len();
        self.rates[self.at] = rate;
    }

    pub(super) fn forget(&mut self, rate: f64) {
        self.rates = [rate; 8];
    }

    /// Bytes per second.
    pub(super) fn best(&self) -> f64 {
        self.rates.iter().fold(0.0, |best, &rate| best.max(rate))
    }
}

/// Loss over the last hundred packets or so: one round of a slow path has too few to tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loss {
    acked: f64,
    lost: f64,
}

impl Loss {
    pub(super) fn push(&mut self, round: &Round, mtu: u64) {
        self.acked += round.acked as f64;
        self.lost += round.lost as f64;
        let total = self.acked + self.lost;
        let most = (100 * mtu) as f64;
        if total > most {
            self.acked *= most / total;
            self.lost *= most / total;
        }
    }

    /// 0 to 1; 0 while fewer than twenty packets are known.
    pub(super) fn share(&self, mtu: u64) -> f64 {
        let total = self.acked + self.lost;
        if total < (20 * mtu) as f64 { 0.0 } else { self.lost / total }
    }
}

/// Path round trips of less are not told apart from the timers of the machines.
const SHORTEST: Duration = Duration::from_millis(10);
