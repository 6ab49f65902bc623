//! What is not urgent leaves with a frame, if one comes soon: a packet of its own is wrapped in more than it holds.

use alloc::vec::Vec;
use core::time::Duration;

use super::ServerSession;
use crate::Time;
use crate::msg::control::Control;

/// So soon after a frame the next is waited for. A surface at rest is proved later than this after its last.
const MOTION: Duration = Duration::from_millis(40);
/// How long a verdict waits for it.
const PATIENCE: Duration = Duration::from_millis(35);
/// A heartbeat leaves with a frame where the last one is older than this.
const RECENT: Duration = Duration::from_millis(500);
/// On a path that loses packets, something small leaves so long after a frame that nothing followed: by it the client
/// sees that the frame is missing, and says so, long before it would be missed here.
const PROBE: Duration = Duration::from_millis(25);

/// What waits for a frame to leave with.
#[derive(Debug, Default)]
pub(super) struct Company {
    verdicts: Vec<Control>,
    /// When they leave alone.
    verdicts_due: Option<Time>,
    last_frame: Option<Time>,
    probe_due: Option<Time>,
}

impl ServerSession {
    /// Answers a proof.
    pub(super) fn answer(&mut self, now: Time, verdict: Control) {
        if self.company.last_frame.is_none_or(|at| now >= at + MOTION) {
            return self.send(verdict);
        }
        self.company.verdicts.push(verdict);
        self.company.verdicts_due.get_or_insert(now + PATIENCE);
    }

    /// A frame is about to leave.
    pub(super) fn accompany(&mut self, now: Time) {
        self.release_verdicts();
        if self.last_heartbeat.is_none_or(|at| now >= at + RECENT) {
            self.heartbeat(now);
        }
    }

    /// A frame left.
    pub(super) fn sent_frame(&mut self, now: Time) {
        self.company.last_frame = Some(now);
        self.company.probe_due = (self.path.estimate.loss > 0.0).then_some(now + PROBE);
    }

    /// Sends what has waited long enough.
    pub(super) fn leave_alone(&mut self, now: Time) {
        if self.company.verdicts_due.is_some_and(|at| at <= now) {
            self.release_verdicts();
        }
        if self.company.probe_due.is_some_and(|at| at <= now) {
            self.company.probe_due = None;
            if self.display.unacked_frames() > 0 {
                self.heartbeat(now);
            }
        }
    }

    /// When something will have waited long enough.
    pub(super) fn next_alone(&self) -> Option<Time> {
        [self.company.verdicts_due, self.company.probe_due].into_iter().flatten().min()
    }

    fn release_verdicts(&mut self) {
        self.company.verdicts_due = None;
        for verdict in core::mem::take(&mut self.company.verdicts) {
            self.send(verdict);
        }
    }
}
