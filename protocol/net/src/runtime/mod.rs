//! Where the futures of connections run and their time passes: what this crate and the SDKs take from an executor.
//!
//! Nothing else names tokio's tasks or timers. Its locks and channels need no runtime and are used as they are.

mod crew;
mod lookup;
mod manual;
mod tasks;

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

pub use crew::Crew;
pub use manual::{DispatchError, Loop};
pub use tasks::Tasks;

/// An executor with its timers and sockets. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    kind: Kind,
}

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    Tokio,
    Manual(Arc<manual::Executor>),
}

impl Runtime {
    /// The tokio runtime, with I/O and time, that the caller is inside of whenever it uses this. A [`Crew`] makes one,
    /// on a thread of its own. [`Loop::runtime`] is the other kind.
    pub fn tokio() -> Self {
        Self::default()
    }

    /// Waits this long.
    pub async fn sleep(&self, wait: Duration) {
        match &self.kind {
            Kind::Tokio => tokio::time::sleep(wait).await,
            Kind::Manual(executor) => manual::Timer::new(executor, Instant::now() + wait).await,
        }
    }

    /// What `work` gives, unless it takes longer than `limit`: then it is dropped, and there is `None`.
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match &self.kind {
            Kind::Tokio => tokio::time::timeout(limit, work).await.ok(),
            Kind::Manual(_) => tokio::select! {
                biased;
                done = work => Some(done),
                () = self.sleep(limit) => None,
            },
        }
    }

    /// The addresses of a name, which may take many seconds: on a thread that lives for it alone, since systems offer
    /// nothing that could be waited for.
    ///
    /// # Errors
    /// What the system says; it has no thread.
    pub async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        lookup::look_up(host, port).await
    }

    /// Lets others on the host's loop have their turn before what comes next; on a thread of its own nobody waits.
    pub async fn give_way(&self) {
        if let Kind::Manual(_) = self.kind {
            let mut gave = false;
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut gave, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    /// True on the host's loop: there is no thread for anything.
    pub fn is_manual(&self) -> bool {
        matches!(self.kind, Kind::Manual(_))
    }

    /// Calls a function of the application, which may block; `None` if it panicked. On the host's loop it is called
    /// right here, and the loop waits.
    pub async fn ask<T: Send + 'static>(&self, question: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        match &self.kind {
            Kind::Tokio => tokio::task::spawn_blocking(question).await.ok(),
            Kind::Manual(_) => catch_unwind(AssertUnwindSafe(question)).ok(),
        }
    }

    pub(crate) fn quinn(&self) -> Arc<dyn quinn::Runtime> {
        match &self.kind {
            Kind::Tokio => Arc::new(quinn::TokioRuntime),
            Kind::Manual(executor) => Arc::new(manual::Door(executor.clone())),
        }
    }
}
