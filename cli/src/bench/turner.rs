use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lightbox_server::{Loop, Runtime};

/// A host whose main loop has nothing else to do: a loop, and a thread that turns it. Dropped after what runs on it.
pub(super) struct Turner {
    runtime: Runtime,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Turner {
    /// The thread has this name.
    pub(super) fn start(name: &str) -> io::Result<Self> {
        let turned = Loop::new()?;
        let (runtime, stop) = (turned.runtime(), Arc::<AtomicBool>::default());
        let stopped = stop.clone();
        let turn = move || {
            while !stopped.load(Ordering::Relaxed) {
                let turn = || turned.wait(LOOK).is_ok_and(|due| !due || turned.dispatch().is_ok());
                if !turn() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(turn)?;
        Ok(Self { runtime, stop, thread: Some(thread) })
    }

    pub(super) fn runtime(&self) -> Runtime {
        self.runtime.clone()
    }
}

impl Drop for Turner {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that panicked has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// How often it looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);
