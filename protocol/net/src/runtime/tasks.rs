use std::sync::Arc;

use tokio::task::JoinSet;

use super::manual::{Executor, Task};
use super::{Kind, Runtime};

/// Futures that run beside whoever owns this, until they end or it is dropped.
#[derive(Debug)]
pub struct Tasks {
    set: Set,
}

#[derive(Debug)]
enum Set {
    Tokio(JoinSet<()>),
    Manual {
        executor: Arc<Executor>,
        tasks: Vec<Arc<Task>>,
        /// At so many of them it is worth looking who has ended.
        look_at: usize,
    },
}

impl Tasks {
    /// None yet.
    pub fn new(runtime: &Runtime) -> Self {
        let set = match &runtime.kind {
            Kind::Tokio => Set::Tokio(JoinSet::new()),
            Kind::Manual(executor) => {
                Set::Manual { executor: executor.clone(), tasks: Vec::new(), look_at: LOOK_AT }
            }
        };
        Self { set }
    }

    /// Starts one.
    pub fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        match &mut self.set {
            Set::Tokio(set) => {
                // Handles of those that have ended must not pile up.
                while set.try_join_next().is_some() {}
                set.spawn(work);
            }
            Set::Manual { executor, tasks, look_at } => {
                if tasks.len() >= *look_at {
                    tasks.retain(|task| !task.has_ended());
                    *look_at = LOOK_AT.max(2 * tasks.len());
                }
                tasks.push(executor.spawn(Box::pin(work)));
            }
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        if let Set::Manual { tasks, .. } = &mut self.set {
            tasks.drain(..).for_each(Task::cancel);
        }
    }
}

const LOOK_AT: usize = 16;
