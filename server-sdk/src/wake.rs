//! How the application hears that events wait.

use std::sync::{PoisonError, RwLock};

/// What the application wants to be called when an event has come.
#[derive(Default)]
pub(crate) struct Wake(RwLock<Option<Waker>>);

pub(crate) type Waker = Box<dyn Fn() + Send + Sync>;

impl Wake {
    pub(crate) fn set(&self, waker: Waker) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    pub(crate) fn call(&self) {
        if let Some(waker) = &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            waker();
        }
    }
}

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wake")
    }
}
