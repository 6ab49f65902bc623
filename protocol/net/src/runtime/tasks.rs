use tokio::task::JoinSet;

use super::{Kind, Runtime};

/// Futures that run beside whoever owns this, until they end or it is dropped.
#[derive(Debug)]
pub struct Tasks {
    set: Set,
}

#[derive(Debug)]
enum Set {
    Tokio(JoinSet<()>),
}

impl Tasks {
    /// None yet.
    pub fn new(runtime: &Runtime) -> Self {
        let set = match runtime.kind {
            Kind::Tokio => Set::Tokio(JoinSet::new()),
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
        }
    }
}
