//! When a frame may be made, and how large: the gate before encoding.
//!
//! What is encoded before the path has room for it is a queue, and a queue is lag. So a frame is made only while
//! little is unacknowledged, and is cut to what the path carries in one frame time.

use core::time::Duration;

use super::Estimate;
use crate::Time;

/// A frame is made to leave within this.
const FRAME_TIME: Duration = Duration::from_millis(33);
/// The first frames' size, while nothing is known of the path.
const START_BUDGET: usize = 64 * 1024;
/// No budget is smaller: a screen must get through a modem too.
const MIN_BUDGET: usize = 12 * 1024;
/// No budget is larger: the first rects of a repaint are painted while the next are coded.
const MAX_BUDGET: usize = 1 << 20;
/// Bytes under way at the most, a quarter added; the client holds twice as many.
const MAX_GATE: u64 = 12 << 20;
/// Frames under way at the most; the client holds twice as many.
const MAX_UNACKED: usize = 128;
/// A path of a shorter round trip is a local network's; it is not taken for thin.
const SHORT: Duration = Duration::from_millis(5);
/// Without an acknowledgement for this long, and for three round trips, the client is taken to be gone for now.
const SILENCE: Duration = Duration::from_millis(300);
/// A client that needs longer than this to paint what was sent is given less.
const SLOW_CLIENT: Duration = Duration::from_millis(60);

/// Where the pace stands. The states exclude each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing is known of the path yet.
    #[default]
    Start,
    /// The path carries what is sent.
    Cruise,
    /// The path's queue grows: smaller frames.
    Press,
    /// Too much is unacknowledged: no frame until some of it is.
    Drain,
    /// No acknowledgement for long: nothing but the newest damage is kept.
    Starved,
    /// The client paints slower than the path carries.
    ClientBound,
}

/// What there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// About how many bytes the next frame may have.
    pub budget: usize,
    /// About how many bytes the path carries, and the client paints, in the time of a frame; no bound where the path is
    /// short or not known.
    pub carries: usize,
}

/// The pace of one session's frames.
#[derive(Clone, Debug)]
pub struct Pacer {
    estimate: Estimate,
    state: State,
    since: Time,
    /// When the oldest frame without an answer was sent.
    asked: Option<Time>,
    decode: Duration,
}

impl Pacer {
    /// For a path of which nothing is known.
    pub fn new() -> Self {
        Self {
            estimate: Estimate::default(),
            state: State::Start,
            since: Time(0),
            asked: None,
            decode: Duration::ZERO,
        }
    }

    /// The transport's newest view.
    pub fn path(&mut self, now: Time, estimate: &Estimate) {
        self.estimate = *estimate;
        if estimate.queue_delay > Duration::from_millis(20) {
            self.enter(now, State::Press);
        } else if matches!(self.state, State::Start | State::Press) && estimate.srtt > Duration::ZERO {
            self.enter(now, State::Cruise);
        }
    }

    /// A frame was sent.
    pub fn sent(&mut self, now: Time) {
        self.asked.get_or_insert(now);
    }

    /// Frames were acknowledged; painting the newest took `decode_us`.
    pub fn acked(&mut self, now: Time, decode_us: u64) {
        self.asked = None;
        let sample = Duration::from_micros(decode_us.min(10_000_000));
        self.decode = (self.decode * 3 + sample) / 4;
        let next = if self.decode > SLOW_CLIENT { State::ClientBound } else { State::Cruise };
        if matches!(self.state, State::Drain | State::Starved | State::ClientBound | State::Start)
            || next == State::ClientBound
        {
            self.enter(now, next);
        }
    }

    /// What there is room for with `frames` and `bytes` unacknowledged; `None` while no frame may be made.
    pub fn room(&mut self, now: Time, frames: usize, bytes: usize) -> Option<Room> {
        let silent = self.asked.is_some_and(|at| now.since(at) > SILENCE.max(self.estimate.srtt * 3));
        if silent && frames > 0 {
            self.enter(now, State::Starved);
            return None;
        }
        let carries = self.frame_carries();
        let budget = carries.clamp(MIN_BUDGET, MAX_BUDGET);
        // The window of a path that was idle says little of one so short: it opens within a few milliseconds.
        let carries = if self.estimate.min_rtt < SHORT { usize::MAX } else { carries };
        // A quarter over the window: the transport never idles for want of a frame, and queues little more.
        let gate = budget.max(self.estimate.window.min(MAX_GATE) as usize / 4 * 5);
        if frames >= MAX_UNACKED || bytes > gate {
            self.enter(now, State::Drain);
            return None;
        }
        if self.state == State::Drain {
            self.enter(now, State::Cruise);
        }
        Some(Room { budget, carries })
    }

    /// Where it stands, and since when.
    pub fn state(&self) -> (State, Time) {
        (self.state, self.since)
    }

    fn frame_carries(&self) -> usize {
        if self.estimate.srtt.is_zero() || self.estimate.window == 0 {
            return START_BUDGET;
        }
        let rate = self.estimate.window as f64 / self.estimate.srtt.as_secs_f64().max(1e-4);
        let share = match self.state {
            State::Press => 0.6,
            _ => 0.85,
        };
        let mut budget = rate * share * FRAME_TIME.as_secs_f64();
        if self.decode > SLOW_CLIENT {
            budget *= SLOW_CLIENT.as_secs_f64() / self.decode.as_secs_f64();
        }
        budget as usize
    }

    fn enter(&mut self, now: Time, state: State) {
        if self.state != state {
            (self.state, self.since) = (state, now);
        }
    }
}

impl Default for Pacer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(window: u64, rtt_ms: u64, queue_ms: u64) -> Estimate {
        Estimate {
            srtt: Duration::from_millis(rtt_ms),
            min_rtt: Duration::from_millis(rtt_ms),
            window,
            queue_delay: Duration::from_millis(queue_ms),
            ..Estimate::default()
        }
    }

    #[test]
    fn the_gate_shuts_on_a_full_path_and_opens_again() {
        let mut pacer = Pacer::new();
        assert_eq!(pacer.room(Time(0), 0, 0), Some(Room { budget: START_BUDGET, carries: usize::MAX }));
        pacer.path(Time(1), &estimate(100_000, 40, 0));
        let budget = pacer.room(Time(2), 0, 0).unwrap().budget;
        assert!((60_000..80_000).contains(&budget), "{budget}");
        pacer.sent(Time(2));
        assert_eq!(pacer.room(Time(3), 3, 130_000), None);
        assert_eq!(pacer.state().0, State::Drain);
        pacer.acked(Time(4), 1_000);
        assert!(pacer.room(Time(5), 1, 30_000).is_some());
    }

    #[test]
    fn silence_starves_and_an_answer_recovers() {
        let mut pacer = Pacer::new();
        pacer.path(Time(0), &estimate(100_000, 40, 0));
        pacer.sent(Time(0));
        assert!(pacer.room(Time(300_000), 1, 10_000).is_some());
        assert_eq!(pacer.room(Time(301_000), 1, 10_000), None);
        assert_eq!(pacer.state().0, State::Starved);
        pacer.acked(Time(400_000), 1_000);
        assert!(pacer.room(Time(400_001), 0, 0).is_some());
    }

    #[test]
    fn a_growing_queue_and_a_slow_client_make_frames_smaller() {
        let mut pacer = Pacer::new();
        pacer.path(Time(0), &estimate(100_000, 40, 0));
        let free = pacer.room(Time(0), 0, 0).unwrap().budget;
        pacer.path(Time(1), &estimate(100_000, 40, 30));
        let pressed = pacer.room(Time(1), 0, 0).unwrap().budget;
        pacer.path(Time(2), &estimate(100_000, 40, 0));
        for i in 0..20 {
            pacer.acked(Time(3 + i), 240_000);
        }
        let slow = pacer.room(Time(30), 0, 0).unwrap().budget;
        assert!(slow < pressed && pressed < free, "{slow} {pressed} {free}");
    }
}
