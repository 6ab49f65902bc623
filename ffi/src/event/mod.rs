//! What both sides tell their application, and how it hears that something waits.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

use std::sync::Arc;
use std::{ffi::CString, fmt};

use crate::error::{Failure, LBX_ERROR_SYSTEM};
use crate::os::Bell;
use crate::vocabulary::lbx_place;
#[cfg(feature = "client")]
use crate::vocabulary::lbx_rect;

#[cfg(feature = "client")]
pub use client::*;
#[cfg(feature = "server")]
pub use server::*;

/// What the pointers of the last event given to C point to.
#[derive(Default)]
pub(crate) struct Kept {
    text: CString,
    #[cfg(feature = "server")]
    address: CString,
    #[cfg(feature = "server")]
    ticket: CString,
    #[cfg(feature = "server")]
    certificate: CString,
    places: Vec<lbx_place>,
    #[cfg(feature = "client")]
    rects: Vec<lbx_rect>,
    #[cfg(feature = "client")]
    tiles: Vec<u32>,
    #[cfg(feature = "client")]
    bytes: Vec<u8>,
}

impl fmt::Debug for Kept {
    /// What a person typed is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// A bell that rings while events wait, and now and then when none does.
#[derive(Debug)]
pub(crate) struct Signal(Bell);

impl Signal {
    pub(crate) fn new() -> Result<Arc<Self>, Failure> {
        let none = |error| Failure::new(LBX_ERROR_SYSTEM, format_args!("no event fd to be had: {error}"));
        Ok(Arc::new(Self(Bell::new().map_err(none)?)))
    }

    pub(crate) fn raise(&self) {
        self.0.raise();
    }

    /// What C waits for.
    pub(crate) fn number(&self) -> i32 {
        self.0.number()
    }

    /// The next event. Lowers the signal only when there is none, and looks again after that: an event that came in
    /// between has raised it before or is found.
    pub(crate) fn next<E>(&self, try_next: impl Fn() -> Option<E>) -> Option<E> {
        if let Some(event) = try_next() {
            return Some(event);
        }
        self.0.lower();
        let event = try_next()?;
        self.raise();
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn is_readable(signal: &Signal) -> bool {
        signal.0.is_raised()
    }

    #[test]
    fn it_is_readable_until_nothing_waits() {
        let signal = Signal::new().unwrap();
        let waiting = Cell::new(2);
        let take = || (waiting.get() > 0).then(|| waiting.set(waiting.get() - 1));
        signal.raise();
        assert!(signal.next(take).is_some() && is_readable(&signal));
        assert!(signal.next(take).is_some() && is_readable(&signal));
        assert!(signal.next(take).is_none() && !is_readable(&signal));
    }

    #[test]
    fn an_event_that_comes_while_it_is_lowered_is_not_lost() {
        let signal = Signal::new().unwrap();
        let looks = Cell::new(0);
        // There is nothing at the first look, and something at the second.
        let take = || {
            looks.set(looks.get() + 1);
            (looks.get() == 2).then_some(())
        };
        assert!(signal.next(take).is_some() && is_readable(&signal));
    }
}
