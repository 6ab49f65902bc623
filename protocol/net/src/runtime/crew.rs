use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::manual::{Executor, Task};
use super::{Kind, Runtime};

/// The futures of one server or client: each on a thread of its own, or all on the host's loop.
///
/// Whoever drops it has told them to end. Threads are waited for. A loop is not, since perhaps nobody turns it:
/// goodbyes leave with its next turns. Only a turn that another thread is in is waited for, so that after the drop
/// nothing calls an application that does not want to be called.
#[derive(Debug)]
pub struct Crew {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Threads {
        /// Until the network's thread has it.
        tokio: Option<tokio::runtime::Runtime>,
        threads: Vec<JoinHandle<()>>,
    },
    Loop {
        executor: Arc<Executor>,
        tasks: Vec<Arc<Task>>,
    },
}

impl Crew {
    /// Nobody yet.
    ///
    /// # Errors
    /// The system gives no descriptors.
    pub fn new(runtime: &Runtime) -> io::Result<Self> {
        let place = match &runtime.kind {
            Kind::Tokio => {
                let mut tokio = tokio::runtime::Builder::new_current_thread();
                let tokio = tokio.enable_all().max_blocking_threads(QUESTIONS).build()?;
                Place::Threads { tokio: Some(tokio), threads: Vec::new() }
            }
            Kind::Manual(executor) => Place::Loop { executor: executor.clone(), tasks: Vec::new() },
        };
        Ok(Self { place })
    }

    /// Opens an endpoint for [`Self::network`].
    pub fn open<T>(&self, open: impl FnOnce() -> T) -> T {
        let _inside = match &self.place {
            Place::Threads { tokio, .. } => tokio.as_ref().map(tokio::runtime::Runtime::enter),
            Place::Loop { .. } => None,
        };
        open()
    }

    /// Starts the one future that uses sockets. A thread of its own has this name.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn network(&mut self, name: &str, work: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        match &mut self.place {
            Place::Threads { tokio, .. } => {
                let tokio = tokio.take().ok_or_else(|| io::Error::other("the network was started before"))?;
                self.on_thread(name, move || tokio.block_on(work))
            }
            Place::Loop { .. } => self.start(name, work),
        }
    }

    /// Starts a future that opens no socket. A thread of its own has this name.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(&mut self, name: &str, work: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        match &mut self.place {
            Place::Threads { .. } => {
                let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
                self.on_thread(name, move || tokio.block_on(work))
            }
            Place::Loop { executor, tasks } => {
                tasks.push(executor.spawn(Box::pin(work)));
                Ok(())
            }
        }
    }

    fn on_thread(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name(name.into()).spawn(work)?;
        if let Place::Threads { threads, .. } = &mut self.place {
            threads.push(thread);
        }
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        match &mut self.place {
            Place::Threads { threads, .. } => {
                for thread in threads.drain(..) {
                    // A thread that panicked has said so; there is nobody left to tell.
                    let _ = thread.join();
                }
            }
            Place::Loop { executor, tasks } => {
                tasks.iter().for_each(|task| task.leave());
                executor.wait_for_turn();
            }
        }
    }
}

/// Threads for questions to the application that it may take its time for.
const QUESTIONS: usize = 4;
