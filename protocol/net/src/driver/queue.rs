//! Bytes on their way into one ordered stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use quinn::SendStream;
use tokio::sync::mpsc;

/// The way into a stream. Dropping it ends the stream when everything has left.
#[derive(Debug)]
pub(super) struct Queue {
    to: mpsc::UnboundedSender<Piece>,
    /// INVARIANT: the bytes in the channel, never over [`MAX_QUEUED`].
    queued: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Piece {
    priority: i32,
    bytes: Bytes,
}

/// The other end of a [`Queue`].
pub(super) struct Rest {
    pieces: mpsc::UnboundedReceiver<Piece>,
    queued: Arc<AtomicUsize>,
}

impl Queue {
    pub(super) fn new() -> (Self, Rest) {
        let (to, pieces) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        (Self { to, queued: queued.clone() }, Rest { pieces, queued })
    }

    /// Takes bytes of a stream of this priority. False where the peer lets too many pile up.
    pub(super) fn push(&self, priority: i32, bytes: Bytes) -> bool {
        let len = bytes.len();
        let before = self.queued.fetch_add(len, Ordering::Relaxed);
        before + len <= MAX_QUEUED && {
            // The writer is gone only when the connection is.
            let _ = self.to.send(Piece { priority, bytes });
            true
        }
    }
}

impl Rest {
    /// Writes everything, and then the stream's end.
    pub(super) async fn write(mut self, mut stream: SendStream) {
        let mut current = None;
        while let Some(Piece { priority, bytes }) = self.pieces.recv().await {
            if current.replace(priority) != Some(priority) {
                let _ = stream.set_priority(priority);
            }
            let len = bytes.len();
            if stream.write_chunk(bytes).await.is_err() {
                return;
            }
            self.queued.fetch_sub(len, Ordering::Relaxed);
        }
        let _ = stream.finish();
    }
}

/// Bytes waiting for an ordered stream; a peer that makes us hold more does not read.
const MAX_QUEUED: usize = 1 << 20;
