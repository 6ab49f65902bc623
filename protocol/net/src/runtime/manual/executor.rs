//! Futures, run one after the other by whoever turns the loop, when something has woken them.

use std::collections::{HashMap, VecDeque};
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};
use std::{fmt, io};

use super::DispatchError;
use super::set::{Found, Set};
use super::socket::{Ready, Watched};
use super::timers::Timers;

/// Everything that a loop has. Its locks are held for moments, and never while a future is polled or dropped; `state`
/// is locked before `timers`.
#[derive(Debug)]
pub(in super::super) struct Executor {
    state: Mutex<State>,
    /// A turn is over.
    turned: Condvar,
    timers: Mutex<Timers>,
    sockets: Mutex<HashMap<u64, Arc<Watched>>>,
    set: Set,
}

#[derive(Debug, Default)]
struct State {
    /// Woken, in this order.
    ready: VecDeque<Arc<Task>>,
    /// All that have not ended.
    tasks: HashMap<u64, Arc<Task>>,
    next_key: u64,
    /// Who turns the loop at this moment.
    turning: Option<ThreadId>,
    /// The alarm was rung since the last turn began.
    rung: bool,
    /// When the set's timer goes off.
    armed: Option<Instant>,
    /// Nobody will turn the loop any more.
    closed: bool,
}

/// A future on its way.
pub(in super::super) struct Task {
    key: u64,
    executor: Arc<Executor>,
    /// Locked while it runs.
    work: Mutex<Option<Work>>,
    has_ended: AtomicBool,
    /// It is among those that are ready.
    is_ready: AtomicBool,
    is_cancelled: AtomicBool,
    /// Its owner is gone, and it is ending by itself.
    is_leaving: AtomicBool,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Executor {
    pub(super) fn new() -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            state: Mutex::default(),
            turned: Condvar::new(),
            timers: Mutex::default(),
            sockets: Mutex::default(),
            set: Set::new()?,
        }))
    }

    pub(super) fn set(&self) -> &Set {
        &self.set
    }

    pub(super) fn timers(&self) -> MutexGuard<'_, Timers> {
        lock(&self.timers)
    }

    /// Starts a future; on a loop that is gone it ends at once.
    pub(in super::super) fn spawn(self: &Arc<Self>, work: Work) -> Arc<Task> {
        let mut state = lock(&self.state);
        let key = state.key();
        let task = Arc::new(Task {
            key,
            executor: self.clone(),
            work: Mutex::new(None),
            has_ended: AtomicBool::new(false),
            is_ready: AtomicBool::new(false),
            is_cancelled: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
        });
        if state.closed {
            drop(state);
            task.end();
            return task;
        }
        *lock(&task.work) = Some(work);
        state.tasks.insert(key, task.clone());
        drop(state);
        task.clone().wake();
        task
    }

    /// Runs what is ready until nothing is or the time for one turn is over; true if something is left.
    pub(super) fn dispatch(&self) -> Result<bool, DispatchError> {
        let turn = self.begin()?;
        self.turn()?;
        drop(turn);
        Ok(!lock(&self.state).ready.is_empty())
    }

    fn turn(&self) -> io::Result<()> {
        let end = Instant::now() + TURN;
        let mut found = Found::default();
        loop {
            self.look(&mut found)?;
            let round = lock(&self.state).ready.len();
            for _ in 0..round {
                let Some(task) = lock(&self.state).ready.pop_front() else { return Ok(()) };
                task.run();
                if Instant::now() >= end {
                    return Ok(());
                }
            }
            if lock(&self.state).ready.is_empty() {
                return Ok(());
            }
        }
    }

    /// The loop is this thread's until the turn ends.
    fn begin(&self) -> Result<Turn<'_>, DispatchError> {
        let mut state = lock(&self.state);
        match state.turning {
            Some(thread) if thread == thread::current().id() => Err(DispatchError::Inside),
            Some(_) => Err(DispatchError::Elsewhere),
            None => {
                state.turning = Some(thread::current().id());
                state.rung = false;
                Ok(Turn { executor: self })
            }
        }
    }

    /// Wakes what sockets and deadlines have become ready for.
    fn look(&self, found: &mut Found) -> io::Result<()> {
        let mut sockets = Vec::new();
        if self.set.look(found, |key, ready| sockets.push((key, ready)))? {
            lock(&self.state).armed = None;
        }
        for (key, ready) in sockets {
            let watched = lock(&self.sockets).get(&key).cloned();
            if let Some(watched) = watched {
                watched.ready(self, key, ready);
            }
        }
        let now = Instant::now();
        while let Some(waker) = { self.timers().pop(now) } {
            waker.wake();
        }
        Ok(())
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        if !lock(&self.state).ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = self.timers().next();
        next.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// There is an earlier deadline: whoever turns the loop sees to the timer at the turn's end, so there must be one.
    pub(super) fn rearm(&self) {
        self.alarm(&mut lock(&self.state));
    }

    /// Sees to it that the loop is turned, again if it is being turned.
    fn alarm(&self, state: &mut State) {
        if state.turning.is_none() && !std::mem::replace(&mut state.rung, true) {
            self.set.ring();
        }
    }

    /// Waits until a turn that another thread is in has ended. What was told to stop before does nothing after it.
    pub(in super::super) fn wait_for_turn(&self) {
        let mut state = lock(&self.state);
        while state.turning.is_some_and(|thread| thread != thread::current().id()) {
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// True while something has not ended whose owner is gone.
    pub(super) fn has_leaving(&self) -> bool {
        lock(&self.state).tasks.values().any(|task| task.is_leaving.load(Ordering::Relaxed))
    }

    /// Ends everything: nobody turns the loop any more.
    pub(super) fn close(&self) {
        let (tasks, ready) = {
            let mut state = lock(&self.state);
            state.closed = true;
            (std::mem::take(&mut state.tasks), std::mem::take(&mut state.ready))
        };
        drop(ready);
        // Futures hold the executor, and each other's ends: what they wake here is not run.
        tasks.into_values().for_each(|task| task.end());
    }

    pub(super) fn watch(&self, socket: &Arc<Watched>) -> io::Result<u64> {
        let key = lock(&self.state).key();
        lock(&self.sockets).insert(key, socket.clone());
        if let Err(error) = self.set.add(socket.io(), key, Ready::default()) {
            lock(&self.sockets).remove(&key);
            return Err(error);
        }
        Ok(key)
    }

    pub(super) fn unwatch(&self, key: u64, socket: &UdpSocket) {
        self.set.remove(socket);
        lock(&self.sockets).remove(&key);
    }
}

impl State {
    fn key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }
}

/// A loop that is being turned.
struct Turn<'a> {
    executor: &'a Executor,
}

impl Drop for Turn<'_> {
    /// From here on the set becomes readable when there is something to do, and it is if there is even now.
    fn drop(&mut self) {
        let Self { executor } = self;
        // One lock for all of it: a deadline or a waker that comes meanwhile waits, and then finds no turn.
        let mut state = lock(&executor.state);
        let next = executor.timers().next();
        // A timer that goes off too early costs one look; setting it costs as much, and deadlines move all the time.
        if let Some(next) = next.filter(|next| state.armed.is_none_or(|armed| *next < armed)) {
            match executor.set.arm(next.saturating_duration_since(Instant::now())) {
                Ok(()) => state.armed = Some(next),
                Err(error) => tracing::error!(%error, "no timer for the next deadline"),
            }
        }
        state.turning = None;
        if !state.ready.is_empty() {
            executor.alarm(&mut state);
        }
        executor.turned.notify_all();
    }
}

impl Task {
    fn run(self: Arc<Self>) {
        // Whoever wakes it from here on wants it to be run again.
        self.is_ready.store(false, Ordering::Release);
        let waker = Waker::from(self.clone());
        let is_pending = {
            let mut slot = lock(&self.work);
            let Some(work) = slot.as_mut() else { return };
            // What panics is over; the panic hook has told of it.
            !self.is_cancelled.load(Ordering::Acquire)
                && catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(&waker))))
                    .is_ok_and(|polled| polled == Poll::Pending)
        };
        if !is_pending {
            lock(&self.executor.state).tasks.remove(&self.key);
            self.end();
        }
    }

    /// Drops what is left of it.
    fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        let work = lock(&self.work).take();
        // A panic here has nobody else to go to, and is told of by the panic hook.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(work)));
    }

    pub(in super::super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Ends it at the next turn, wherever it is.
    pub(in super::super) fn cancel(self: Arc<Self>) {
        self.is_cancelled.store(true, Ordering::Release);
        self.wake();
    }

    /// Its owner is gone, and has told it to end.
    pub(in super::super) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if self.is_ready.swap(true, Ordering::AcqRel) {
            return;
        }
        let executor = self.executor.clone();
        let mut state = lock(&executor.state);
        if !state.closed {
            state.ready.push_back(self);
            executor.alarm(&mut state);
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A lock that outlives whatever happened to a thread that held it: the values are whole between calls.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long one turn lasts, give or take what it is in the middle of: a host that draws 60 pictures a second has time for
/// its own.
const TURN: Duration = Duration::from_millis(2);
