//! Streams that carry one message.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use quinn::Connection;

use crate::runtime::Tasks;

/// Sends `bytes` on a stream of their own and ends it.
///
/// What there is room for is in the stream on return, its end included: a small message and all else that is sent in
/// one go leave in one packet. Only the rest is left to a task.
pub(super) fn send(quic: &Connection, tasks: &mut Tasks, priority: i32, mut bytes: Bytes) {
    let stream = match at_once(quic.open_uni()) {
        Some(Ok(mut stream)) => {
            let _ = stream.set_priority(priority);
            match at_once(stream.write_chunks(std::slice::from_mut(&mut bytes))) {
                Some(Ok(_)) if bytes.is_empty() => return drop(stream.finish()),
                Some(Err(_)) => return,
                _ => Some(stream),
            }
        }
        Some(Err(_)) => return,
        None => None,
    };
    let quic = quic.clone();
    tasks.spawn(async move {
        let mut stream = match stream {
            Some(stream) => stream,
            None => {
                let Ok(stream) = quic.open_uni().await else { return };
                let _ = stream.set_priority(priority);
                stream
            }
        };
        if stream.write_chunk(bytes).await.is_ok() {
            let _ = stream.finish();
        }
    });
}

/// What `work` gives without waiting; `None` if it would wait, and then it did nothing.
pub(super) fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}
