//! Events on their way from a session's driver to an application: bounded, and heard of by whoever waits for other
//! things as well. Both SDKs speak to their application through this.
//!
//! Memory is bounded by *shares*: each [`Sink`] has one, so a noisy source fills its own and no other's. What finds
//! no room is merged with what waits, where its type can say how ([`Merge`]); else the teller hears that it is lost.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// What an event says of its size, and of how several become fewer.
pub trait Merge: Sized {
    /// How much of its sink's room it takes: 1 for a small event, more for one that holds much memory.
    fn weight(&self) -> usize {
        1
    }

    /// Adds the event to `late`, events that found no room, and takes out what it supersedes; `late` must stay
    /// bounded. False if the event cannot be merged and is lost.
    fn merge(self, late: &mut Vec<Self>) -> bool {
        let _ = late;
        false
    }
}

/// The application's end.
pub struct Events<E> {
    shared: Arc<Shared<E>>,
}

/// A driver's end, with room of its own.
pub struct Sink<E> {
    shared: Arc<Shared<E>>,
    share: Arc<Share>,
}

struct Shared<E> {
    queue: Mutex<Queue<E>>,
    filled: Condvar,
    waker: RwLock<Option<Box<dyn Fn() + Send + Sync>>>,
}

struct Queue<E> {
    ready: VecDeque<Waiting<E>>,
    /// What found no room, merged. It is younger than everything in `ready`.
    late: Vec<E>,
    /// The application is gone: it misses nothing.
    closed: bool,
}

struct Waiting<E> {
    event: E,
    weight: usize,
    share: Arc<Share>,
}

/// The room of a sink.
struct Share {
    room: usize,
    /// Changed only with the queue locked.
    used: AtomicUsize,
}

/// Both ends, with room for events of a total weight of `room` that nobody has read yet.
pub fn channel<E: Merge>(room: usize) -> (Sink<E>, Events<E>) {
    let queue = Mutex::new(Queue { ready: VecDeque::new(), late: Vec::new(), closed: false });
    let shared = Arc::new(Shared { queue, filled: Condvar::new(), waker: RwLock::default() });
    (Sink { shared: shared.clone(), share: Share::new(room) }, Events { shared })
}

impl Share {
    fn new(room: usize) -> Arc<Self> {
        Arc::new(Self { room, used: AtomicUsize::new(0) })
    }
}

impl<E> Queue<E> {
    fn pop(&mut self) -> Option<E> {
        if let Some(Waiting { event, weight, share }) = self.ready.pop_front() {
            share.used.fetch_sub(weight, Ordering::Relaxed);
            return Some(event);
        }
        (!self.late.is_empty()).then(|| self.late.remove(0))
    }
}

impl<E> Shared<E> {
    fn queue(&self) -> MutexGuard<'_, Queue<E>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self) {
        self.filled.notify_one();
        if let Some(waker) = &*self.waker.read().unwrap_or_else(PoisonError::into_inner) {
            waker();
        }
    }
}

impl<E> Events<E> {
    /// The next event, if there is one.
    pub fn try_next(&self) -> Option<E> {
        self.shared.queue().pop()
    }

    /// The next event, waiting for it at most this long.
    pub fn next_within(&self, wait: Duration) -> Option<E> {
        // A wait beyond what the clock can tell is one without end, a day at a time.
        let end = Instant::now().checked_add(wait);
        let mut queue = self.shared.queue();
        loop {
            if let Some(event) = queue.pop() {
                return Some(event);
            }
            let left =
                end.map_or(Duration::from_secs(86_400), |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return None;
            }
            queue = self.shared.filled.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Calls `waker` whenever an event has come that waits to be read, for applications that wait for other things
    /// as well. It runs on threads of the SDK, perhaps while they hold locks: it must be brief and call nothing of
    /// the SDK. It replaces an earlier one; events that wait already are not announced.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        *self.shared.waker.write().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(waker));
    }
}

impl<E> Drop for Events<E> {
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        (queue.ready, queue.late, queue.closed) = (VecDeque::new(), Vec::new(), true);
    }
}

impl<E: Merge> Sink<E> {
    /// Another sink to the same application, with room of its own.
    #[must_use]
    pub fn with_room(&self, room: usize) -> Self {
        Self { shared: self.shared.clone(), share: Share::new(room) }
    }

    /// Tells the application. False where it does not read, there is no room, and the event cannot be merged with
    /// those that wait: it is lost.
    pub fn tell(&self, event: E) -> bool {
        let mut queue = self.shared.queue();
        if queue.closed {
            return true;
        }
        let weight = event.weight();
        let used = self.share.used.load(Ordering::Relaxed);
        let told = if queue.late.is_empty() && used.saturating_add(weight) <= self.share.room {
            self.push(&mut queue, event, weight);
            true
        } else {
            event.merge(&mut queue.late)
        };
        drop(queue);
        self.shared.announce();
        told
    }

    /// Tells the application whatever the room: for the last event of a source.
    pub fn tell_last(&self, event: E) {
        let mut queue = self.shared.queue();
        if queue.closed {
            return;
        }
        if queue.late.is_empty() {
            let weight = event.weight();
            self.push(&mut queue, event, weight);
        } else {
            queue.late.push(event);
        }
        drop(queue);
        self.shared.announce();
    }

    fn push(&self, queue: &mut Queue<E>, event: E, weight: usize) {
        self.share.used.fetch_add(weight, Ordering::Relaxed);
        queue.ready.push_back(Waiting { event, weight, share: self.share.clone() });
    }
}

impl<E> Clone for Sink<E> {
    /// The same sink: both share its room.
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), share: self.share.clone() }
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
    use super::*;

    /// Even numbers merge into the newest of them.
    impl Merge for u32 {
        fn weight(&self) -> usize {
            if *self >= 100 { 3 } else { 1 }
        }

        fn merge(self, late: &mut Vec<Self>) -> bool {
            late.retain(|other| !other.is_multiple_of(2));
            if self.is_multiple_of(2) {
                late.push(self);
            }
            self.is_multiple_of(2)
        }
    }

    #[test]
    fn a_full_channel_says_so_and_wakes_all_the_same() {
        let (sink, events) = channel(2);
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        events.set_waker(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert!(sink.tell(1) && sink.tell(3) && !sink.clone().tell(5));
        assert_eq!(woken.load(Ordering::Relaxed), 3);
        assert_eq!((events.try_next(), events.try_next(), events.try_next()), (Some(1), Some(3), None));
        assert!(sink.tell(7), "what was read makes room");
        drop(events);
        assert!(sink.tell(9) && sink.tell(9) && sink.tell(9), "an application that is gone misses nothing");
    }

    #[test]
    fn what_merges_is_not_lost_and_comes_after_what_was_before_it() {
        let (sink, events) = channel(2);
        assert!(sink.tell(1) && sink.tell(2) && sink.tell(4) && sink.tell(6));
        assert_eq!(events.try_next(), Some(1));
        assert!(sink.tell(8), "there is room, but 6 waits before it");
        assert_eq!((events.try_next(), events.try_next(), events.try_next()), (Some(2), Some(8), None));
        assert!(sink.tell(3) && sink.tell(5));
        assert_eq!((events.try_next(), events.try_next()), (Some(3), Some(5)));
    }

    #[test]
    fn sinks_do_not_take_each_others_room() {
        let (one, events) = channel(1);
        let other = one.with_room(1);
        assert!(one.tell(1) && !one.tell(1) && other.tell(3) && !other.tell(3));
        other.tell_last(9);
        let all: Vec<_> = std::iter::from_fn(|| events.try_next()).collect();
        assert_eq!(all, [1, 3, 9]);
        assert!(!one.tell(101), "heavier than the room there is");
    }

    #[test]
    fn a_reader_that_waits_is_woken() {
        let (sink, events) = channel(1);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| events.next_within(Duration::MAX));
            assert!(sink.tell(1));
            assert_eq!(reader.join().ok().flatten(), Some(1));
        });
        assert_eq!(events.next_within(Duration::ZERO), None);
    }
}
