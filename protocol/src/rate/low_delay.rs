//! A congestion controller that aims at a short queue.

use core::time::Duration;

use super::Estimate;
use super::round::{Bandwidth, Collector, Loss, Round};
use crate::Time;

/// What a [`LowDelay`] aims at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Queueing delay that is tolerated. Lower answers input faster, higher uses a jittery path better. 20 ms.
    pub target: Duration,
    /// The window never falls below this many bytes, nor below eight packets. 0.
    ///
    /// A client sets 256 KiB: it sends little, and a transport that withholds acknowledgements while its window
    /// is full must not be able to fill it.
    pub floor: u64,
    /// The first window in bytes. 64 KiB.
    pub initial_window: u64,
    /// Loss up to this share is taken for a bad radio and not for a full queue. 0.10.
    pub loss_limit: f64,
}

/// What a [`LowDelay`] is doing. The states exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Growing by half each round, until the queue or loss shows the end of the path.
    Startup,
    /// Holding the queue at the target.
    Steady,
    /// Sending less than the path takes, so that our own queue is gone and what remains is the path's.
    Drain,
    /// Holding a share beside a flow that keeps the queue full whatever we do.
    Compete,
}

/// Keeps the bottleneck's queue near a target delay and a share beside flows that do not.
///
/// Delay means little without knowing the empty path, and that can change (a roam, a new route) or hide (another
/// flow's queue). So the base round-trip time falls at once with any faster packet, and rises only by
/// experiment: [`State::Drain`] takes our own queue away and looks what is left. What is left is adopted as the
/// new base once; a rest that comes and goes is another flow's queue, and met with [`State::Compete`].
#[derive(Clone, Debug)]
pub struct LowDelay {
    config: Config,
    state: State,
    mtu: u64,
    window: f64,
    srtt: Duration,
    collector: Collector,
    bandwidth: Bandwidth,
    loss: Loss,
    queue_delay: Duration,
    /// The delay that rounds show when the path is not full: jitter, which must not be taken for a queue.
    noise: Duration,
    base: Base,
    /// Rounds in a row with more than the target, and the window and bandwidth before them.
    over: Over,
    drain: Drain,
    compete: Compete,
    /// Since when loss is above the limit.
    lossy_since: Option<Time>,
    last_halved: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Base {
    rtt: Option<Duration>,
    /// When a packet last came as fast, or nearly.
    seen: Time,
    /// The base before the last one that was adopted, and when.
    before: Option<(Duration, Time)>,
    /// When an adopted base last turned out to have been somebody's queue.
    deceived: Option<Time>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Over {
    rounds: u32,
    window: f64,
    bandwidth: f64,
    peak: Duration,
}

/// Numbers of the drain under way.
#[derive(Clone, Copy, Debug)]
struct Drain {
    started: Time,
    /// When no more was in flight than the drain allows.
    quiet: Option<Time>,
    /// The fastest packet sent since then.
    floor: Option<Duration>,
    samples: u32,
    window_before: f64,
    bandwidth_before: f64,
    from_compete: bool,
}

#[derive(Clone, Copy, Debug)]
struct Compete {
    entered: Time,
    /// When it was last made sure that the queue is not ours.
    checked: Time,
    cut: Time,
    highest: Duration,
}

impl LowDelay {
    /// A controller for a new path with packets of `mtu` bytes.
    pub fn new(config: Config, now: Time, mtu: u16) -> Self {
        let mtu = u64::from(mtu.max(1));
        Self {
            config,
            state: State::Startup,
            mtu,
            window: config.initial_window.max(config.floor).max(LEAST_PACKETS * mtu) as f64,
            srtt: UNKNOWN_RTT,
            collector: Collector::new(now),
            bandwidth: Bandwidth::default(),
            loss: Loss::default(),
            queue_delay: Duration::ZERO,
            noise: Duration::ZERO,
            base: Base { rtt: None, seen: now, before: None, deceived: None },
            over: Over::default(),
            drain: Drain::new(now, 0.0, 0.0, false),
            compete: Compete { entered: now, checked: now, cut: now, highest: Duration::ZERO },
            lossy_since: None,
            last_halved: None,
        }
    }

    /// A packet of `bytes` that left at `sent` was acknowledged at `now`. `srtt` is the transport's own estimate.
    pub fn on_ack(&mut self, now: Time, sent: Time, bytes: u64, srtt: Duration) {
        let rtt = now.since(sent);
        self.srtt = srtt;
        self.collector.ack(rtt, bytes);
        match self.base.rtt {
            Some(base) if rtt >= base + NEARLY => {}
            Some(base) if rtt >= base => self.base.seen = now,
            _ => self.lower_base(now, rtt),
        }
        if self.state == State::Drain && self.drain.quiet.is_some_and(|quiet| sent >= quiet) {
            self.drain.samples += 1;
            self.drain.floor = Some(self.drain.floor.map_or(rtt, |floor| floor.min(rtt)));
        }
    }

    /// How long a packet that left at `sent` took there and back, without the time for which its acknowledgement waited
    /// at the peer. Acknowledgements that wait say less with [`Self::on_ack`], and never too little.
    pub fn on_sample(&mut self, now: Time, sent: Time, rtt: Duration) {
        self.collector.sample(rtt);
        if self.base.rtt.is_some_and(|base| rtt < base + NEARLY) {
            self.base.seen = now;
        }
        if self.state == State::Drain && self.drain.quiet.is_some_and(|quiet| sent >= quiet) {
            self.drain.floor = Some(self.drain.floor.map_or(rtt, |floor| floor.min(rtt)));
        }
    }

    /// The acknowledgements that came together at `now` are all told; `in_flight` bytes remain.
    pub fn on_end_acks(&mut self, now: Time, in_flight: u64) {
        if self.state == State::Drain && self.drain.quiet.is_none() && in_flight as f64 <= self.window {
            self.drain.quiet = Some(now);
        }
        if let Some(round) = self.collector.end_batch(now, in_flight, self.window(), self.srtt) {
            self.end_round(now, round);
        }
    }

    /// `bytes` are taken for lost. `persistent`: nothing came through for several round-trip times.
    pub fn on_loss(&mut self, now: Time, bytes: u64, persistent: bool) {
        self.collector.loss(bytes);
        let pause = self.srtt;
        if persistent && self.last_halved.is_none_or(|last| now.since(last) > pause) {
            self.last_halved = Some(now);
            self.set_window(self.window / 2.0);
        }
    }

    /// A router marked a packet instead of dropping it.
    pub fn on_ecn(&mut self) {
        self.collector.ecn();
    }

    /// Packets may now have `mtu` bytes.
    pub fn on_mtu(&mut self, mtu: u16) {
        self.mtu = u64::from(mtu.max(1));
        self.set_window(self.window);
    }

    /// Bytes that may be in flight.
    pub fn window(&self) -> u64 {
        self.window as u64
    }

    /// What is known of the path.
    pub fn estimate(&self) -> Estimate {
        let known = self.base.rtt.is_some();
        Estimate {
            srtt: if known { self.srtt } else { Duration::ZERO },
            min_rtt: self.base.rtt.unwrap_or_default(),
            bandwidth: self.bandwidth.best(),
            window: self.window(),
            queue_delay: self.queue_delay,
            loss: self.loss.share(self.mtu),
        }
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        self.state
    }

    fn lower_base(&mut self, now: Time, rtt: Duration) {
        // A path that became longer does not become shorter again soon. A queue does.
        let adopted = self.base.before.take_if(|(_, at)| now.since(*at) < MEMORY);
        match (adopted, self.base.rtt) {
            (Some((before, _)), Some(base)) if rtt < (before + base) / 2 => {
                self.base.deceived = Some(now);
                self.base.rtt = Some(rtt.min(before));
                self.compete(now, self.window.max(self.drain.window_before));
            }
            (kept, _) => {
                self.base.before = kept;
                self.base.rtt = Some(rtt);
            }
        }
        self.base.seen = now;
    }

    fn end_round(&mut self, now: Time, round: Round) {
        let Some(base) = self.base.rtt else { return };
        let rising = round.rtt.saturating_sub(base) > self.queue_delay;
        self.queue_delay = round.rtt.saturating_sub(base);
        let fell = round.rate < 0.6 * self.bandwidth.best();
        self.bandwidth.push(round.rate);
        self.loss.push(&round, self.mtu);
        if self.state == State::Steady && !round.filled {
            self.learn_noise(self.queue_delay);
        }
        self.trip_breaker(now);
        match self.state {
            State::Startup | State::Steady
                if fell && rising && round.filled && self.queue_delay > self.slack() =>
            {
                self.drop_rate(now, &round);
            }
            State::Startup => self.startup(now, &round),
            State::Steady => self.steady(now, &round),
            State::Drain => self.draining(now),
            State::Compete => self.competing(now, &round),
        }
        self.cap();
    }

    fn startup(&mut self, now: Time, round: &Round) {
        if self.queue_delay > self.slack() || round.ecn || self.too_lossy() {
            self.state = State::Steady;
            self.steady(now, round);
        } else if round.filled {
            self.set_window(self.window * 1.5);
        }
    }

    fn steady(&mut self, now: Time, round: &Round) {
        let target = self.slack().as_secs_f64();
        let queue = self.queue_delay.as_secs_f64();
        if queue <= target {
            self.over = Over::default();
        }
        if queue > target || round.ecn {
            if self.over.rounds == 0 {
                let (window, bandwidth) = (self.window, self.bandwidth.best());
                self.over = Over { rounds: 0, window, bandwidth, peak: Duration::ZERO };
            }
            self.over.rounds += 1;
            self.over.peak = self.over.peak.max(self.queue_delay);
            let excess = if queue > target { (queue - target) / queue } else { 0.3 };
            self.set_window(self.window * (1.0 - 0.5 * excess));
            // A queue of ours answers a smaller window within a round.
            let cut = self.window <= 0.75 * self.over.window;
            let unmoved = self.queue_delay > self.over.peak * 3 / 4;
            if self.over.rounds >= 3 && cut && unmoved || self.over.rounds >= 8 {
                let Over { window, bandwidth, .. } = self.over;
                self.start_drain(now, round.rate, window, bandwidth, false);
            }
        } else if self.too_lossy() {
            let keep = (0.7 * self.bdp(self.bandwidth.best())).min(self.window);
            self.set_window((self.window * 0.7).max(keep));
        } else if round.filled {
            let room = 1.0 - queue / target;
            let proven = self.window < self.bdp(self.bandwidth.best());
            let growth = if proven { 0.25 } else { 0.10 };
            self.set_window(
                self.window + (2 * self.mtu) as f64 * room.max(0.1) + self.window * growth * room,
            );
            if now.since(self.base.seen) > BASE_AGE {
                let bandwidth = self.bandwidth.best();
                self.start_drain(now, bandwidth, self.window, bandwidth, false);
            }
        }
    }

    /// The path's rate fell and the queue is growing: one cut to what the path takes now.
    fn drop_rate(&mut self, now: Time, round: &Round) {
        let (window, bandwidth) = (self.window, self.bandwidth.best());
        self.bandwidth.forget(round.rate);
        self.start_drain(now, round.rate, window, bandwidth, false);
    }

    fn start_drain(
        &mut self,
        now: Time,
        rate: f64,
        window_before: f64,
        bandwidth_before: f64,
        from_compete: bool,
    ) {
        self.state = State::Drain;
        self.drain = Drain::new(now, window_before, bandwidth_before, from_compete);
        self.set_window((0.8 * self.bdp(rate)).min(self.window));
    }

    fn draining(&mut self, now: Time) {
        let Drain { started, quiet, floor, samples, .. } = self.drain;
        let long = quiet.is_some_and(|quiet| now.since(quiet) >= 2 * self.srtt);
        let enough = long && samples >= 4;
        if !enough && now.since(started) < DRAIN_LIMIT.max(4 * self.srtt) {
            return;
        }
        self.end_drain(now, floor);
    }

    fn end_drain(&mut self, now: Time, floor: Option<Duration>) {
        let base = self.base.rtt.unwrap_or(self.srtt);
        let floor = floor.unwrap_or(base);
        let Drain { window_before, bandwidth_before, from_compete, .. } = self.drain;
        let left = floor.saturating_sub(base);
        // A queue that we share also shrinks when we step aside; one that is ours alone goes. From a few packets
        // on a jittery path that is hard to tell, so the first suspicion must be a strong one.
        let ours = if from_compete {
            left <= self.slack() * 3 / 2
        } else {
            left <= self.slack().max(self.over.peak / 2)
        };
        self.over = Over::default();
        if ours {
            self.learn_noise(left);
            if now.since(self.base.seen) > BASE_AGE {
                self.base.rtt = Some(floor);
                self.base.seen = now;
            }
            self.state = State::Steady;
            self.set_window(self.window.max(self.bdp(self.bandwidth.best())));
            return;
        }
        let recently = |at: Option<Time>| at.is_some_and(|at| now.since(at) < MEMORY);
        if from_compete || recently(self.base.deceived) || recently(self.base.before.map(|(_, at)| at)) {
            if let Some((before, _)) = self.base.before.take() {
                self.base.rtt = Some(before.min(base));
            }
            if from_compete && now.since(self.compete.entered) > MEMORY * 2 {
                // Nobody keeps a queue for so long without a gap; what looks like one is the path.
                self.base = Base { rtt: Some(floor), seen: now, before: None, deceived: None };
                self.state = State::Steady;
                self.set_window(self.window.max(self.bdp(bandwidth_before)));
                return;
            }
            let entered = if from_compete { self.compete.entered } else { now };
            self.compete(now, window_before);
            self.compete.entered = entered;
        } else {
            self.base.before = Some((base, now));
            self.base.rtt = Some(floor);
            self.base.seen = now;
            self.queue_delay = Duration::ZERO;
            self.state = State::Steady;
            self.bandwidth.push(bandwidth_before);
            self.set_window(self.window.max(self.bdp(bandwidth_before)));
        }
    }

    fn compete(&mut self, now: Time, window: f64) {
        self.state = State::Compete;
        self.over = Over::default();
        self.compete = Compete { entered: now, checked: now, cut: now, highest: self.queue_delay };
        self.set_window(window);
    }

    /// As a loss-driven flow: a little more each round, a cut when loss comes with a full queue.
    fn competing(&mut self, now: Time, round: &Round) {
        let decayed = self.compete.highest.mul_f64(0.99);
        self.compete.highest = decayed.max(self.queue_delay);
        let full = self.queue_delay > self.compete.highest.mul_f64(0.75);
        if self.queue_delay < self.config.target / 2 {
            self.state = State::Steady;
        } else if now.since(self.compete.checked) > COMPETE_CHECK.max(20 * self.srtt) {
            let bandwidth = self.bandwidth.best();
            self.start_drain(now, round.rate, self.window, bandwidth, true);
        } else if round.ecn || round.lost > 0 && full || self.too_lossy() {
            // One overflow is often told in two rounds.
            if now.since(self.compete.cut) > self.srtt * 3 / 2 {
                self.compete.cut = now;
                self.set_window(self.window * 0.7);
            }
        } else if round.filled {
            self.set_window(self.window + (3 * self.mtu) as f64);
        }
    }

    /// Halves when loss stays above the limit for five seconds, whatever the delay says: a path that drops so
    /// much is being hurt by someone, and it may be us.
    fn trip_breaker(&mut self, now: Time) {
        if !self.too_lossy() {
            self.lossy_since = None;
            return;
        }
        let since = *self.lossy_since.get_or_insert(now);
        if now.since(since) >= BREAKER {
            self.lossy_since = Some(now);
            self.bandwidth.forget(self.bandwidth.best() / 2.0);
            self.set_window(self.window / 2.0);
        }
    }

    /// The delay that is tolerated: the target, and what the path adds by itself.
    fn slack(&self) -> Duration {
        (self.config.target + self.noise).max(Duration::from_millis(1))
    }

    /// No more than twice the target: what is more is rather another flow's queue or a longer path.
    fn learn_noise(&mut self, seen: Duration) {
        self.noise = (self.noise * 7 + seen.min(2 * self.config.target)) / 8;
    }

    fn too_lossy(&self) -> bool {
        self.loss.share(self.mtu) > self.config.loss_limit
    }

    fn bdp(&self, rate: f64) -> f64 {
        rate * self.base.rtt.unwrap_or(self.srtt).as_secs_f64()
    }

    /// Past the start, no more than a little above what is known to be useful: the rounds' fastest packets do not
    /// show a queue that frames fill and gaps between them drain.
    fn cap(&mut self) {
        let bandwidth = self.bandwidth.best();
        let useful = match self.state {
            State::Startup => return,
            State::Steady | State::Drain => {
                1.25 * (self.bdp(bandwidth) + bandwidth * self.slack().as_secs_f64())
            }
            State::Compete => 2.0 * bandwidth * self.srtt.as_secs_f64(),
        };
        self.set_window(self.window.min(useful.max(self.config.initial_window as f64)));
    }

    fn set_window(&mut self, window: f64) {
        let least = self.config.floor.max(LEAST_PACKETS * self.mtu);
        self.window = window.clamp(least as f64, MOST);
    }
}

impl Drain {
    fn new(now: Time, window_before: f64, bandwidth_before: f64, from_compete: bool) -> Self {
        Self {
            started: now,
            quiet: None,
            floor: None,
            samples: 0,
            window_before,
            bandwidth_before,
            from_compete,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { target: Duration::from_millis(20), floor: 0, initial_window: 64 << 10, loss_limit: 0.10 }
    }
}

const LEAST_PACKETS: u64 = 8;
/// No desktop needs a gibibyte in flight; it keeps the arithmetic far from its limits.
const MOST: f64 = (1u64 << 30) as f64;
/// Before the first acknowledgement.
const UNKNOWN_RTT: Duration = Duration::from_millis(100);
/// Samples this close to the base confirm it.
const NEARLY: Duration = Duration::from_millis(2);
/// A base not confirmed for so long is measured again.
const BASE_AGE: Duration = Duration::from_secs(10);
/// How long an adopted base stays under suspicion.
const MEMORY: Duration = Duration::from_secs(30);
const DRAIN_LIMIT: Duration = Duration::from_secs(1);
/// How often a competitor is checked for still being there.
const COMPETE_CHECK: Duration = Duration::from_secs(10);
const BREAKER: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
