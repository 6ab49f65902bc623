//! What a session does because time passes.

use alloc::vec::Vec;
use core::time::Duration;

use super::{Phase, ServerSession};
use crate::Time;
use crate::msg::control::Close;
use crate::msg::display::Heartbeat;
use crate::session::{Effect, Lane, cursor_priority};
use crate::wire::{Encode, ids};

/// A heartbeat leaves this often while nothing is missing.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A heartbeat leaves this often while acknowledgements are missing.
const HEARTBEAT_ASKING: Duration = Duration::from_millis(250);
/// A client that holds keys confirms them each second. After this long without a word of it they are let go.
const DEAD_MAN: Duration = Duration::from_secs(3);

impl ServerSession {
    pub(super) fn tick(&mut self, now: Time) {
        if self.phase == Phase::Live && self.input.is_holding() && now >= self.input_heard + DEAD_MAN {
            let mut released = Vec::new();
            self.input.let_go(&mut released);
            self.deliver(released);
        }
        if self.phase == Phase::Live
            && let Some((seq, bytes)) = self.cursor.take_shape(now, &self.path.estimate)
        {
            let lane = Lane::Once { priority: cursor_priority(seq) };
            self.effects.push_back(Effect::Send(lane, bytes));
        }
        match self.phase {
            Phase::Waiting(Some(until)) if until <= now => {
                self.end(Close::new(ids::close::TIMEOUT, "the client did not come back in time"));
            }
            Phase::Live => {
                if self.next_heartbeat() <= now {
                    self.heartbeat(now);
                }
                self.leave_alone(now);
            }
            _ => (),
        }
    }

    pub(super) fn heartbeat(&mut self, now: Time) {
        // A heartbeat gets through where a large frame does not. So what is under way is not shown yet.
        let unacked = self.display.unacked_since();
        let oldest = self.behind.into_iter().chain(unacked).min();
        let behind = oldest.map_or(Duration::ZERO, |since| now.since(since));
        let beat = Heartbeat {
            server_us: now.micros(),
            behind_us: behind.as_micros() as u64,
            ask: unacked.is_some_and(|since| now >= since + HEARTBEAT_ASKING),
            rtt_us: self.path.estimate.srtt.as_micros() as u64,
        };
        self.effects.push_back(Effect::Datagram(beat.to_bytes().into()));
        self.effects.extend(self.cursor.place().map(Effect::Datagram));
        self.nacks = 0;
        self.last_heartbeat = Some(now);
    }

    /// The first at once; then each second, and sooner where acknowledgements do not come.
    fn next_heartbeat(&self) -> Time {
        let Some(last) = self.last_heartbeat else { return Time(0) };
        let asks = self.display.unacked_since().map(|since| since.max(last) + HEARTBEAT_ASKING);
        asks.map_or(last + HEARTBEAT, |at| at.min(last + HEARTBEAT))
    }

    pub(super) fn next_tick(&self) -> Option<Time> {
        match self.phase {
            Phase::Waiting(until) => until,
            Phase::Live => {
                let dead_man = self.input.is_holding().then_some(self.input_heard + DEAD_MAN);
                [Some(self.next_heartbeat()), dead_man, self.cursor.next_tick(), self.next_alone()]
                    .into_iter()
                    .flatten()
                    .min()
            }
            Phase::Ended => None,
        }
    }
}
