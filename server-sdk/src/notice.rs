//! Words to the host that what it submitted has been taken: how it learns when the next picture is worth painting.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lightbox_protocol::Time;

use crate::error::SubmitError;
use crate::event::{Event, EventSink};
use crate::session::{Seat, lock};

/// The notices that a server owes its host, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    open: Mutex<VecDeque<Notice>>,
}

#[derive(Clone, Copy, Debug)]
struct Notice {
    output: u32,
    cookie: u64,
    at: Time,
}

impl Notices {
    pub(crate) fn add(&self, output: u32, cookie: u64, at: Time) -> Result<(), SubmitError> {
        let mut open = lock(&self.open);
        if open.iter().filter(|notice| notice.output == output).count() >= MOST {
            return Err(SubmitError::Notices { limit: MOST });
        }
        open.push_back(Notice { output, cookie, at });
        Ok(())
    }

    /// Gives those that are due. When the next is due at the latest, if one is open.
    pub(crate) fn give(&self, now: Time, seats: &[Arc<Seat>], tell: &EventSink) -> Option<Time> {
        let mut open = lock(&self.open);
        open.retain(|notice| {
            let Notice { output, cookie, at } = *notice;
            // A session that is gone has nothing to show it on; one that is stuck keeps nobody for long.
            let waits = |seat: &&Arc<Seat>| seat.link.lock().is_live() && !seat.has_taken(output, at);
            let behind = seats.iter().filter(waits).count();
            let is_due = behind == 0 || now >= at + PATIENCE;
            if is_due {
                // A newer one takes the place of one that finds no room.
                let _ = tell.tell(Event::FrameDone { output, cookie, behind });
            }
            !is_due
        });
        open.front().map(|oldest| oldest.at + PATIENCE)
    }
}

/// A host waits no longer than that for a session that takes nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Notices of one output that may be open.
const MOST: usize = 64;
