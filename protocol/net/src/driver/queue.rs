//! Bytes on their way into one ordered stream.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use quinn::SendStream;
use tokio::sync::mpsc;

use super::once::at_once;

/// The way into a stream. Dropping it ends the stream when everything has left.
#[derive(Debug)]
pub(super) struct Queue {
    to: mpsc::UnboundedSender<Piece>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Piece {
    priority: i32,
    bytes: Bytes,
}

/// The other end of a [`Queue`].
pub(super) struct Rest {
    pieces: mpsc::UnboundedReceiver<Piece>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The stream, while nothing waits for it.
    idle: Mutex<Option<Open>>,
    /// INVARIANT: the bytes in the channel, never over [`MAX_QUEUED`].
    queued: AtomicUsize,
}

#[derive(Debug)]
struct Open {
    stream: SendStream,
    priority: Option<i32>,
}

impl Open {
    fn set_priority(&mut self, priority: i32) {
        if self.priority.replace(priority) != Some(priority) {
            let _ = self.stream.set_priority(priority);
        }
    }
}

impl Queue {
    pub(super) fn new() -> (Self, Rest) {
        let (to, pieces) = mpsc::unbounded_channel();
        let shared = Arc::<Shared>::default();
        (Self { to, shared: shared.clone() }, Rest { pieces, shared })
    }

    /// Takes bytes of a stream of this priority. False where the peer lets too many pile up.
    ///
    /// What the stream has room for is in it on return, so that all that is sent in one go leaves in one packet.
    pub(super) fn push(&self, priority: i32, mut bytes: Bytes) -> bool {
        if self.shared.queued.load(Ordering::Relaxed) == 0
            && let Some(open) = &mut *self.shared.idle()
        {
            open.set_priority(priority);
            // A stream whose peer wants no more is one whose connection ends.
            let _ = at_once(open.stream.write_chunks(std::slice::from_mut(&mut bytes)));
            if bytes.is_empty() {
                return true;
            }
        }
        let len = bytes.len();
        let before = self.shared.queued.fetch_add(len, Ordering::Relaxed);
        before + len <= MAX_QUEUED && {
            // The writer is gone only when the connection is.
            let _ = self.to.send(Piece { priority, bytes });
            true
        }
    }
}

impl Rest {
    /// Writes what the stream had no room for at once, and at the end the stream's end.
    pub(super) async fn write(mut self, stream: SendStream) {
        *self.shared.idle() = Some(Open { stream, priority: None });
        while let Some(Piece { priority, bytes }) = self.pieces.recv().await {
            let Some(mut open) = self.shared.idle().take() else { return };
            open.set_priority(priority);
            let len = bytes.len();
            if open.stream.write_chunk(bytes).await.is_err() {
                return;
            }
            *self.shared.idle() = Some(open);
            self.shared.queued.fetch_sub(len, Ordering::Relaxed);
        }
        if let Some(mut open) = self.shared.idle().take() {
            let _ = open.stream.finish();
        }
    }
}

impl Shared {
    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        // It is whole whatever happened to a task that held it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes waiting for an ordered stream; a peer that makes us hold more does not read.
const MAX_QUEUED: usize = 1 << 20;
