//! What makes frames: one future, woken by a bell.

use std::sync::atomic::{AtomicBool, Ordering};

use lightbox_net::clock;
use lightbox_net::runtime::Runtime;
use lightbox_protocol::Time;
use lightbox_protocol::msg::control::Close;
use lightbox_protocol::session::server::Command;
use lightbox_protocol::wire::ids::close;
use tokio::sync::Notify;

use crate::encode::Pool;
use crate::server::Inner;

/// A bell that is heard even if nobody listens yet.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Notify,
    stopped: AtomicBool,
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.rung.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.ring();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Waits for the bell, or until this time. False once it was told to stop.
    async fn heard(&self, runtime: &Runtime, until: Option<Time>) -> bool {
        let rung = self.rung.notified();
        match until {
            None => rung.await,
            Some(until) => drop(runtime.timeout(until.since(clock::now()), rung).await),
        }
        !self.is_stopped()
    }
}

/// Makes frames until the bell is stopped.
pub(crate) async fn pump(server: &Inner, workers: usize) {
    let _guard = Guard(server);
    let mut pool = Pool::new(workers);
    let runtime = &server.config.runtime;
    let mut until = None;
    while server.bell.heard(runtime, until).await {
        let outputs = server.outputs();
        let (seats, mut busy, mut wake_at) = (server.seats(), false, None);
        for seat in &seats {
            let pumped = seat.pump(&outputs, &mut pool);
            busy |= pumped.sent;
            wake_at = earlier(wake_at, pumped.wake_at);
            runtime.give_way().await;
        }
        until = earlier(wake_at, server.give_notices(&seats));
        // Once around at a time, so that whoever came meanwhile has a turn too.
        if busy {
            server.bell.ring();
        }
    }
}

fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    one.into_iter().chain(other).min()
}

/// Without the pump nobody gets a picture any more: if it fails, sessions end instead of standing still.
struct Guard<'a>(&'a Inner);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .tell_all(|| Command::Close(Close::new(close::SHUTDOWN, "the server failed; connect again")));
        }
    }
}
