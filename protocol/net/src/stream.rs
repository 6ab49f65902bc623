//! A byte stream as applications hold it, on either side.

use std::fmt;
use std::sync::Arc;

use lightbox_protocol::channel::stream::{Read, StreamError, StreamId, Streams};
use lightbox_protocol::msg::control::Close;
use lightbox_protocol::msg::stream::{Name, Urgency};
use lightbox_protocol::session::Session;
use lightbox_protocol::wire::ids::close;

use crate::driver::Shared;

/// One end of a byte stream. No call waits: a write takes what there is credit for, a read gives what has come, and
/// events say when to go on. All calls may come from any thread. Dropping it ends the stream in both directions, but one
/// of which both ends were said.
pub struct ByteStream {
    host: Arc<dyn Host>,
    id: StreamId,
}

/// A session that lends its byte streams.
trait Host: Send + Sync {
    fn lend(&self, to: &mut dyn FnMut(&mut Streams));
}

impl<S: Session + Send> Host for Shared<S> {
    fn lend(&self, to: &mut dyn FnMut(&mut Streams)) {
        to(self.lock().streams());
        self.wake();
    }
}

impl<S: Session + Send + 'static> Shared<S> {
    /// Opens a byte stream; an event says whether the peer takes it.
    ///
    /// # Errors
    /// The peer takes no more of them, or none.
    pub fn open_stream(self: &Arc<Self>, name: Name, urgency: Urgency) -> Result<ByteStream, StreamError> {
        let id = self.lock().streams().open(name, urgency)?;
        self.wake();
        Ok(ByteStream { host: self.clone(), id })
    }

    /// Takes a byte stream that the peer opened.
    ///
    /// # Errors
    /// It is not offered, or not any more.
    pub fn accept_stream(self: &Arc<Self>, id: StreamId) -> Result<ByteStream, StreamError> {
        self.lock().streams().accept(id)?;
        self.wake();
        Ok(ByteStream { host: self.clone(), id })
    }

    /// Does not take a byte stream that the peer opened; `reason` is for people.
    pub fn refuse_stream(&self, id: StreamId, reason: &str) {
        self.lock().streams().close(id, Close::new(close::REFUSED, reason));
        self.wake();
    }
}

impl ByteStream {
    /// The number that events name it by.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// Writes as many bytes as there is credit for, and says how many those were. Where they are fewer than given, an
    /// event says when to go on.
    ///
    /// # Errors
    /// The stream is over, or its end was written.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, StreamError> {
        self.lend(|streams, id| streams.write(id, bytes))
    }

    /// Takes bytes that have come. Where there are none, an event says when there are.
    ///
    /// # Errors
    /// The stream is over otherwise than by the peer's end.
    pub fn read(&self, into: &mut [u8]) -> Result<Read, StreamError> {
        self.lend(|streams, id| streams.read(id, into))
    }

    /// Says that no bytes follow; the peer's may go on.
    ///
    /// # Errors
    /// The stream is over, or its end was written.
    pub fn end(&self) -> Result<(), StreamError> {
        self.lend(|streams, id| streams.end(id))
    }

    /// Ends the stream in both directions, and tells the peer why.
    pub fn close(&self, reason: &str) {
        self.lend(|streams, id| streams.close(id, Close::new(close::DONE, reason)));
    }

    fn lend<R>(&self, work: impl FnOnce(&mut Streams, StreamId) -> R) -> R {
        let (mut work, mut made) = (Some(work), None);
        self.host.lend(&mut |streams| made = work.take().map(|work| work(streams, self.id)));
        made.expect("a host lends its streams once")
    }
}

impl Drop for ByteStream {
    fn drop(&mut self) {
        self.lend(|streams, id| streams.close(id, Close::new(close::DONE, "")));
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").field("id", &self.id).finish_non_exhaustive()
    }
}
