use std::time::Duration;

use lightbox_protocol::Time;

use super::Schedule;

/// What one direction of a path does to packets. The default does nothing: every packet arrives at once.
///
/// All parts are independent of each other; times of schedules count from virtual time 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkConfig {
    /// Bits a second that the bottleneck carries; 0 means that sending takes no time.
    pub rate: u64,
    /// Bits a second of `rate` that others take all the time, with the same part of the queue.
    pub shared: u64,
    /// Bytes that may wait for the bottleneck; a packet that finds it full is lost. 0 means that any number may.
    pub queue: usize,
    /// How the rate goes down and comes back.
    pub sawtooth: Option<Sawtooth>,
    /// While one of these is open nothing leaves the queue, and packets go on to wait in it.
    pub gaps: Vec<Schedule>,
    /// While one of these is open every packet is lost.
    pub outages: Vec<Schedule>,
    /// Time on the way, without queue and jitter.
    pub delay: Duration,
    /// From `.0` on the way takes `.1` longer; steps add up.
    pub steps: Vec<(Time, Duration)>,
    /// Irregular additions to the delay. Packets never overtake each other.
    pub jitter: Jitter,
    /// Planned times of more delay and other loss.
    pub spikes: Vec<Spike>,
    /// The part of packets that is lost, each by itself.
    pub loss: f64,
    /// Losses that come in bursts.
    pub bursts: Option<Bursts>,
}

impl LinkConfig {
    /// A line of `rate` bits a second with a queue that takes `queue` to drain, and `delay` on the way.
    pub fn line(rate: u64, queue: Duration, delay: Duration) -> Self {
        let queue = (u128::from(rate) * queue.as_micros() / 8_000_000) as usize;
        Self { rate, queue, delay, ..Self::default() }
    }

    /// Bits a second at `t` that are not taken by others; `None` where the rate has no limit.
    pub fn free_rate(&self, t: Time) -> Option<u64> {
        let share = match self.sawtooth {
            Some(Sawtooth { period, floor }) => {
                let period = (period.as_micros() as u64).max(1);
                1.0 - (1.0 - floor) * ((t.0 % period) as f64 / period as f64)
            }
            None => 1.0,
        };
        (self.rate > 0).then(|| ((self.rate as f64 * share) as u64).saturating_sub(self.shared).max(1))
    }

    /// Bytes of the queue that others leave free; `None` where it has no limit.
    pub(super) fn own_queue(&self) -> Option<usize> {
        let own = self.rate.saturating_sub(self.shared).max(1);
        (self.queue > 0)
            .then(|| (self.queue as u128 * u128::from(own) / u128::from(self.rate.max(1))) as usize)
    }

    /// Time on the way for what leaves at `t`, without jitter and spikes.
    pub(super) fn delay_at(&self, t: Time) -> Duration {
        self.delay + self.steps.iter().filter(|(from, _)| *from <= t).map(|(_, by)| *by).sum::<Duration>()
    }
}

/// A rate that falls evenly from the whole to a part of it, and jumps back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sawtooth {
    /// From one jump to the next.
    pub period: Duration,
    /// The lowest part of the rate: 0.25 is a quarter.
    pub floor: f64,
}

/// Irregular delay: a new half-normal value each 10 ms, sometimes a far larger one.
///
/// It is a function of seed and time, not of the traffic, so a busy line and an idle one have the same weather.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Jitter {
    /// The standard deviation; the mean of the added delay is about 0.8 of it, the most is four times it.
    pub sigma: Duration,
    /// If not zero: one value in fifty is drawn from a heavy tail (Pareto, exponent 1, from `sigma`) up to this.
    pub tail: Duration,
}

/// Planned times of more delay and other loss: a satellite's handover.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// When.
    pub when: Schedule,
    /// The least and the most of the added delay; one value a window.
    pub adds: (Duration, Duration),
    /// The part of packets that is lost in it, instead of [`LinkConfig::loss`].
    pub loss: f64,
}

/// Losses in bursts (Gilbert-Elliott): a good state without loss and a bad one, changed packet by packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// Probability, per packet, of turning bad.
    pub enter: f64,
    /// Probability, per packet, of turning good again.
    pub leave: f64,
    /// The part of packets that is lost in the bad state.
    pub loss: f64,
}
