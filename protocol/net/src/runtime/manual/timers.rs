//! Deadlines in their order, and what waits for one.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::Executor;

/// Who is to be woken when. Two deadlines of the same time have numbers of their own.
#[derive(Debug, Default)]
pub(super) struct Timers {
    waiting: BTreeMap<Key, Waker>,
    counter: u64,
}

type Key = (Instant, u64);

impl Timers {
    fn add(&mut self, at: Instant, waker: Waker) -> Key {
        self.counter += 1;
        self.waiting.insert((at, self.counter), waker);
        (at, self.counter)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out one whose time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Waker> {
        let first = self.waiting.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

/// A deadline that can be waited for, and moved.
#[derive(Debug)]
pub(in super::super) struct Timer {
    executor: Arc<Executor>,
    at: Instant,
    /// Where it stands among those that wait, if it was not popped since.
    key: Option<Key>,
}

impl Timer {
    pub(in super::super) fn new(executor: &Arc<Executor>, at: Instant) -> Self {
        Self { executor: executor.clone(), at, key: None }
    }

    fn forget(&mut self) {
        if let Some(key) = self.key.take() {
            self.executor.timers().waiting.remove(&key);
        }
    }

    fn is_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            self.forget();
            return Poll::Ready(());
        }
        let mut timers = self.executor.timers();
        if let Some(waker) = self.key.and_then(|key| timers.waiting.get_mut(&key)) {
            waker.clone_from(cx.waker());
            return Poll::Pending;
        }
        let earliest = timers.next().is_none_or(|next| self.at < next);
        self.key = Some(timers.add(self.at, cx.waker().clone()));
        drop(timers);
        if earliest {
            self.executor.rearm();
        }
        Poll::Pending
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().is_due(cx)
    }
}

impl quinn::AsyncTimer for Timer {
    fn reset(self: Pin<&mut Self>, at: Instant) {
        let this = self.get_mut();
        if this.at != at {
            this.forget();
            this.at = at;
        }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().is_due(cx)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.forget();
    }
}
