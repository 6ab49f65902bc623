//! Events on their way from a session's driver to an application: bounded, and heard of by whoever waits for other
//! things as well. Both SDKs speak to their application through this.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// The application's end.
pub struct Events<E> {
    from: Mutex<Receiver<E>>,
    waker: Arc<Waker>,
}

/// The driver's end.
pub struct Sink<E> {
    to: SyncSender<E>,
    waker: Arc<Waker>,
}

type Waker = RwLock<Option<Box<dyn Fn() + Send + Sync>>>;

/// Both ends, with room for `room` events that nobody has read yet.
pub fn channel<E>(room: usize) -> (Sink<E>, Events<E>) {
    let (to, from) = sync_channel(room);
    let waker = Arc::<Waker>::default();
    (Sink { to, waker: waker.clone() }, Events { from: Mutex::new(from), waker })
}

impl<E> Events<E> {
    /// The next event, if there is one.
    pub fn try_next(&self) -> Option<E> {
        self.from.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }

    /// The next event, waiting for it at most this long.
    pub fn next_within(&self, wait: Duration) -> Option<E> {
        self.from.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(wait).ok()
    }

    /// Calls `waker` whenever an event has come that waits to be read, for applications that wait for other things
    /// as well. It runs on threads of the SDK, perhaps while they hold locks: it must be brief and call nothing of
    /// the SDK. It replaces an earlier one; events that wait already are not announced.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        *self.waker.write().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(waker));
    }
}

impl<E> Sink<E> {
    /// Tells the application. False where it does not read and there is no room: the event is lost.
    pub fn tell(&self, event: E) -> bool {
        let told = !matches!(self.to.try_send(event), Err(TrySendError::Full(_)));
        if let Some(waker) = &*self.waker.read().unwrap_or_else(PoisonError::into_inner) {
            waker();
        }
        told
    }
}

impl<E> Clone for Sink<E> {
    fn clone(&self) -> Self {
        Self { to: self.to.clone(), waker: self.waker.clone() }
    }
}

impl<E> fmt::Debug for Sink<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_full_channel_says_so_and_wakes_all_the_same() {
        let (sink, events) = channel(2);
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        events.set_waker(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert!(sink.tell(1) && sink.tell(2) && !sink.clone().tell(3));
        assert_eq!(woken.load(Ordering::Relaxed), 3);
        assert_eq!((events.try_next(), events.try_next(), events.try_next()), (Some(1), Some(2), None));
        drop(events);
        assert!(sink.tell(4), "an application that is gone misses nothing");
    }
}
