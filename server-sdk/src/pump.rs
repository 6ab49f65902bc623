//! The thread that makes frames, and how others wake it.

use std::sync::{Condvar, Mutex};

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

    /// Waits for the bell. False once it was told to stop.
    pub(crate) fn wait(&self) -> bool {
        let mut state = lock(&self.state);
        while *state == Rung::Quiet {
            state = self.heard.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if *state == Rung::Waiting {
            *state = Rung::Quiet;
            return true;
        }
        false
    }
}
