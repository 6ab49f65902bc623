//! The thread that makes frames, and how others wake it.

use std::sync::{Condvar, Mutex, PoisonError};

use lightbox_net::clock;
use lightbox_protocol::Time;

use crate::session::lock;

/// A bell that is heard even if nobody listens yet.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: Mutex<Rung>,
    heard: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rung {
    #[default]
    Quiet,
    Waiting,
    Stop,
}

impl Bell {
    pub(crate) fn ring(&self) {
        let mut state = lock(&self.state);
        if *state == Rung::Quiet {
            *state = Rung::Waiting;
            self.heard.notify_one();
        }
    }

    pub(crate) fn stop(&self) {
        *lock(&self.state) = Rung::Stop;
        self.heard.notify_all();
    }

    /// Waits for the bell, or until this time. False once it was told to stop.
    pub(crate) fn wait(&self, until: Option<Time>) -> bool {
        let mut state = lock(&self.state);
        while *state == Rung::Quiet {
            let Some(until) = until else {
                state = self.heard.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.since(clock::now());
            if left.is_zero() {
                break;
            }
            state = self.heard.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if *state == Rung::Stop {
            return false;
        }
        *state = Rung::Quiet;
        true
    }
}
