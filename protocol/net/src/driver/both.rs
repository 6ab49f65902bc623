//! The streams that go both ways beside the control stream: they carry a session's byte streams.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use lightbox_protocol::channel::stream::Carrier;
use lightbox_protocol::session::{Cause, Session};
use quinn::{ReadError, RecvStream, SendStream};

use super::queue::{Queue, Rest};
use super::{CHUNK, Line};
use crate::runtime::Tasks;

/// The ways into the streams of a connection.
#[derive(Debug, Default)]
pub(super) struct Both {
    of: Mutex<BTreeMap<Carrier, Queue>>,
}

impl Both {
    /// Sends bytes, opening the stream first if it is ours. False where the peer lets more pile up than it granted.
    pub(super) fn send<S>(
        line: &Arc<Line<S>>,
        tasks: &mut Tasks,
        carrier: Carrier,
        priority: i32,
        bytes: Bytes,
        last: bool,
    ) -> bool
    where
        S: Session + Send + 'static,
        S::Command: Send,
        S::Event: Send,
    {
        let mut of = line.both.of.lock().unwrap_or_else(PoisonError::into_inner);
        if carrier.ours && !of.contains_key(&carrier) {
            let (queue, rest) = Queue::new();
            of.insert(carrier, queue);
            tasks.spawn(open(line.clone(), carrier, rest));
        }
        // Of a stream of the peer's that is gone nobody waits for anything.
        let Some(queue) = of.get(&carrier) else { return true };
        let fits = bytes.is_empty() || queue.push(priority, bytes);
        if last {
            of.remove(&carrier);
        }
        fits
    }

    fn insert(&self, carrier: Carrier) -> Rest {
        let (queue, rest) = Queue::new();
        self.of.lock().unwrap_or_else(PoisonError::into_inner).insert(carrier, queue);
        rest
    }
}

/// Takes the streams that the peer opens, for as long as the connection lasts.
pub(super) async fn accept<S>(line: Arc<Line<S>>)
where
    S: Session + Send + 'static,
    S::Command: Send,
    S::Event: Send,
{
    let mut streams = Tasks::new(line.connection.runtime());
    let mut number = 0;
    while let Ok((send, recv)) = line.connection.quic().accept_bi().await {
        let carrier = Carrier { ours: false, number };
        number += 1;
        let rest = line.both.insert(carrier);
        streams.spawn(carry(line.clone(), carrier, send, recv, rest));
    }
}

async fn open<S: Session>(line: Arc<Line<S>>, carrier: Carrier, rest: Rest) {
    // Where none can be opened the connection is gone.
    if let Ok((send, recv)) = line.connection.quic().open_bi().await {
        carry(line, carrier, send, recv, rest).await;
    }
}

async fn carry<S: Session>(
    line: Arc<Line<S>>,
    carrier: Carrier,
    send: SendStream,
    recv: RecvStream,
    rest: Rest,
) {
    tokio::join!(rest.write(send), read(line, carrier, recv));
}

async fn read<S: Session>(line: Arc<Line<S>>, carrier: Carrier, mut stream: RecvStream) {
    loop {
        let (bytes, fin) = match stream.read_chunk(CHUNK, true).await {
            Ok(Some(chunk)) => (chunk.bytes, false),
            Ok(None) => (Bytes::new(), true),
            Err(ReadError::Reset(_)) => return line.reset(),
            Err(_) => return,
        };
        line.handle(Cause::Both { carrier, bytes, fin });
        if fin {
            return;
        }
    }
}
