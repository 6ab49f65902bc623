//! A session's byte streams.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{BufMut, Bytes, BytesMut};

use super::duplex::{Duplex, Phase};
use super::{Carrier, MAX_CREDIT, MAX_STREAMS, Read, StreamError, StreamEvent, StreamId, WINDOW};
use crate::msg::control::Close;
use crate::msg::stream::{MAX_STREAM_MESSAGE, Name, Open, StreamMessage, Urgency};
use crate::session::server::malformed;
use crate::wire::frame::Assembler;
use crate::wire::ids::{self, close};

/// All byte streams of a session's connection.
#[derive(Debug, Default)]
pub struct Streams {
    /// The streams that each side may have open; 0 while there is no connection.
    limit: usize,
    /// Of the peer's streams none is taken: its role has no right to any.
    is_deaf: bool,
    next_id: u64,
    next_number: u64,
    of: BTreeMap<Carrier, Duplex>,
    by_id: BTreeMap<StreamId, Carrier>,
    /// The peer's streams of which no whole first message is here yet.
    strangers: BTreeMap<Carrier, Stranger>,
    /// Streams that are over here, and whose end the peer has not sent yet.
    over: BTreeSet<Carrier>,
    wants: VecDeque<Want>,
}

/// What the session is to do.
#[derive(Debug)]
pub(crate) enum Want {
    /// Bytes for a stream; `last` says that none follow.
    Send { carrier: Carrier, priority: i32, bytes: Bytes, last: bool },
    /// Tell the application.
    Tell(StreamEvent),
}

#[derive(Debug)]
struct Stranger {
    has_kind: bool,
    incoming: Assembler,
}

impl Streams {
    /// A connection is there, and each side may have so many streams open on it. `is_deaf` refuses all of the peer's.
    pub(crate) fn connect(&mut self, limit: u64, is_deaf: bool) {
        self.limit = usize::try_from(limit).unwrap_or(MAX_STREAMS).min(MAX_STREAMS);
        self.is_deaf = is_deaf;
        self.next_number = 0;
    }

    /// The connection is gone, and all streams with it.
    pub(crate) fn disconnect(&mut self, why: &Close) {
        self.limit = 0;
        self.of.clear();
        self.strangers.clear();
        self.over.clear();
        self.wants.retain(|want| matches!(want, Want::Tell(_)));
        for (stream, _) in core::mem::take(&mut self.by_id) {
            self.tell(StreamEvent::Closed { stream, why: why.clone() });
        }
    }

    pub(crate) fn next_want(&mut self) -> Option<Want> {
        self.wants.pop_front()
    }

    /// Opens a stream; [`StreamEvent::Accepted`] or [`StreamEvent::Closed`] follows.
    ///
    /// # Errors
    /// The peer takes no more streams, or none.
    pub fn open(&mut self, name: Name, urgency: Urgency) -> Result<StreamId, StreamError> {
        if self.unfinished(true) >= self.limit {
            return Err(StreamError::TooMany { limit: self.limit });
        }
        let carrier = Carrier { ours: true, number: self.next_number };
        self.next_number += 1;
        let id = self.insert(carrier, urgency, Phase::Opening, 0);
        let open = StreamMessage::Open(Open { name, urgency, credit: WINDOW }).to_frame();
        let mut bytes = BytesMut::with_capacity(1 + open.len());
        bytes.put_u8(ids::stream::BYTES as u8);
        bytes.put(open);
        let priority = urgency.priority(carrier.number);
        self.wants.push_back(Want::Send { carrier, priority, bytes: bytes.freeze(), last: false });
        Ok(id)
    }

    /// Takes a stream that was offered.
    ///
    /// # Errors
    /// It is not offered any more.
    pub fn accept(&mut self, id: StreamId) -> Result<(), StreamError> {
        let (carrier, duplex) = self.stream(id)?;
        if duplex.phase != Phase::Offered {
            return Err(StreamError::Closed);
        }
        let message = duplex.accept();
        self.send(carrier, message, false);
        Ok(())
    }

    /// Writes as many bytes as there is credit for, and says how many those were. Where they are fewer than given,
    /// [`StreamEvent::Writable`] follows.
    ///
    /// # Errors
    /// The stream is over, or its end was written.
    pub fn write(&mut self, id: StreamId, bytes: &[u8]) -> Result<usize, StreamError> {
        let (carrier, duplex) = self.stream(id)?;
        if duplex.phase == Phase::Offered {
            return Err(StreamError::Closed);
        }
        if duplex.is_ended() {
            return Err(StreamError::Ended);
        }
        let (urgency, mut messages) = (duplex.urgency, VecDeque::new());
        let taken = duplex.write(bytes, |message| messages.push_back(message.to_frame()));
        let priority = urgency.priority(carrier.number);
        let send = |bytes| Want::Send { carrier, priority, bytes, last: false };
        self.wants.extend(messages.into_iter().map(send));
        Ok(taken)
    }

    /// Takes bytes that came.
    ///
    /// # Errors
    /// The stream is over otherwise than by the peer's end.
    pub fn read(&mut self, id: StreamId, into: &mut [u8]) -> Result<Read, StreamError> {
        let (carrier, duplex) = self.stream(id)?;
        let (read, credit) = duplex.read(into);
        if let Some(credit) = credit {
            self.send(carrier, credit, false);
        }
        Ok(read)
    }

    /// Says that no bytes follow; the peer's may go on.
    ///
    /// # Errors
    /// The stream is over, or its end was written.
    pub fn end(&mut self, id: StreamId) -> Result<(), StreamError> {
        let (carrier, duplex) = self.stream(id)?;
        if duplex.phase == Phase::Offered {
            return Err(StreamError::Closed);
        }
        if !duplex.end() {
            return Err(StreamError::Ended);
        }
        let last = duplex.is_through();
        self.send(carrier, StreamMessage::End, last);
        Ok(())
    }

    /// Ends the stream in both directions, or refuses it; nothing is told of it any more. A stream of which both ends
    /// were written ends without a word.
    pub fn close(&mut self, id: StreamId, why: Close) {
        let Some(carrier) = self.by_id.remove(&id) else { return };
        if self.of.get(&carrier).is_some_and(|duplex| !duplex.is_through()) {
            self.send(carrier, StreamMessage::Close(why), true);
        }
        if self.of.remove(&carrier).is_some_and(|duplex| !duplex.peer_finished) {
            self.over.insert(carrier);
        }
    }

    /// Takes bytes of a stream of the peer or of this side, with the leading kind where the peer opened it.
    ///
    /// # Errors
    /// The peer broke the rules.
    pub(crate) fn receive(&mut self, carrier: Carrier, bytes: &[u8], fin: bool) -> Result<(), Close> {
        if !self.over.contains(&carrier) {
            if !self.of.contains_key(&carrier) {
                self.greet(carrier, bytes)?;
            } else if let Some(duplex) = self.of.get_mut(&carrier) {
                duplex.incoming.push(bytes);
            }
            self.read_messages(carrier)?;
        }
        if fin {
            match self.of.get_mut(&carrier) {
                _ if self.over.remove(&carrier) => (),
                // What came before can still be read.
                Some(duplex) if duplex.is_through() => duplex.peer_finished = true,
                _ => {
                    let why = "a byte stream ended before both its ends were said";
                    return Err(Close::new(close::UNEXPECTED, why));
                }
            }
        }
        Ok(())
    }

    /// The first bytes of a stream that the peer opens.
    fn greet(&mut self, carrier: Carrier, bytes: &[u8]) -> Result<(), Close> {
        if carrier.ours {
            return Err(Close::new(close::UNEXPECTED, "bytes of a stream that was not opened"));
        }
        if self.limit == 0 {
            return Err(Close::new(
                close::UNEXPECTED,
                "only the control stream goes both ways: no others were agreed on",
            ));
        }
        // The ends of those that are over may be under way still.
        if self.unfinished(false) >= 2 * self.limit && !self.strangers.contains_key(&carrier) {
            return Err(Close::new(close::LIMIT, "too many byte streams are open"));
        }
        let fresh = || Stranger { has_kind: false, incoming: Assembler::new(MAX_STREAM_MESSAGE) };
        let stranger = self.strangers.entry(carrier).or_insert_with(fresh);
        let mut bytes = bytes;
        if let (false, Some((kind, rest))) = (stranger.has_kind, bytes.split_first()) {
            if u64::from(*kind) != ids::stream::BYTES {
                let name = ids::stream::name(u64::from(*kind));
                let why = format_args!("stream kind {kind} ({name}) does not go both ways here");
                return Err(Close::new(close::UNEXPECTED, why));
            }
            (stranger.has_kind, bytes) = (true, rest);
        }
        stranger.incoming.push(bytes);
        let Some((kind, body)) = stranger.incoming.next_message().map_err(malformed)? else { return Ok(()) };
        let Some(StreamMessage::Open(open)) = StreamMessage::read(kind, body).map_err(malformed)? else {
            return Err(Close::new(close::UNEXPECTED, "a byte stream does not begin with OPEN"));
        };
        if open.credit > MAX_CREDIT {
            return Err(Close::new(close::LIMIT, "a byte stream is granted too much credit"));
        }
        let incoming = self.strangers.remove(&carrier).map(|stranger| stranger.incoming);
        let Open { name, urgency, credit } = open;
        let stream = self.insert(carrier, urgency, Phase::Offered, credit);
        if let (Some(duplex), Some(incoming)) = (self.of.get_mut(&carrier), incoming) {
            duplex.incoming = incoming;
        }
        if self.is_deaf {
            self.close(stream, Close::new(close::REFUSED, "this role has no streams"));
        } else {
            self.tell(StreamEvent::Offered { stream, name, urgency });
        }
        Ok(())
    }

    fn read_messages(&mut self, carrier: Carrier) -> Result<(), Close> {
        let unexpected = |what: &str| Close::new(close::UNEXPECTED, what);
        while let Some(duplex) = self.of.get_mut(&carrier) {
            let Some((kind, body)) = duplex.incoming.next_message().map_err(malformed)? else { break };
            let Some(message) = StreamMessage::read(kind, body).map_err(malformed)? else { continue };
            let stream = duplex.id;
            let event = match message {
                StreamMessage::Close(why) => {
                    self.closed(carrier, why);
                    break;
                }
                StreamMessage::Accept(credit) if duplex.phase == Phase::Opening => {
                    duplex.phase = Phase::Open;
                    duplex.grant(credit)?;
                    Some(StreamEvent::Accepted(stream))
                }
                StreamMessage::Open(_) | StreamMessage::Accept(_) => {
                    return Err(unexpected("a byte stream is opened or taken twice"));
                }
                _ if duplex.phase == Phase::Opening => {
                    return Err(unexpected("a byte stream speaks before it is taken"));
                }
                StreamMessage::Credit(more) => duplex.grant(more)?.then_some(StreamEvent::Writable(stream)),
                StreamMessage::Data(_) | StreamMessage::End if duplex.peer_ended => {
                    return Err(unexpected("a byte stream goes on after its end"));
                }
                StreamMessage::Data(bytes) => duplex.receive(bytes)?.then_some(StreamEvent::Readable(stream)),
                StreamMessage::End => {
                    let told = duplex.peer_ends();
                    if duplex.is_through() {
                        let priority = duplex.urgency.priority(carrier.number);
                        self.wants.push_back(Want::Send {
                            carrier,
                            priority,
                            bytes: Bytes::new(),
                            last: true,
                        });
                    }
                    told.then_some(StreamEvent::Readable(stream))
                }
            };
            event.into_iter().for_each(|event| self.tell(event));
        }
        Ok(())
    }

    /// The peer closed the stream.
    fn closed(&mut self, carrier: Carrier, why: Close) {
        let Some(duplex) = self.of.remove(&carrier) else { return };
        self.over.insert(carrier);
        if !duplex.is_through() {
            let priority = duplex.urgency.priority(carrier.number);
            self.wants.push_back(Want::Send { carrier, priority, bytes: Bytes::new(), last: true });
        }
        if self.by_id.remove(&duplex.id).is_some() {
            self.tell(StreamEvent::Closed { stream: duplex.id, why });
        }
    }

    /// Streams that one side opened and the peer has not finished.
    fn unfinished(&self, ours: bool) -> usize {
        let open = self.of.iter().filter(|(_, duplex)| !duplex.peer_finished).map(|(carrier, _)| carrier);
        let all = open.chain(self.strangers.keys()).chain(&self.over);
        all.filter(|carrier| carrier.ours == ours).count()
    }

    fn insert(&mut self, carrier: Carrier, urgency: Urgency, phase: Phase, credit: u32) -> StreamId {
        let id = StreamId(self.next_id);
        self.next_id += 1;
        self.of.insert(carrier, Duplex::new(id, urgency, phase, credit));
        self.by_id.insert(id, carrier);
        id
    }

    fn stream(&mut self, id: StreamId) -> Result<(Carrier, &mut Duplex), StreamError> {
        let carrier = *self.by_id.get(&id).ok_or(StreamError::Closed)?;
        self.of.get_mut(&carrier).map(|duplex| (carrier, duplex)).ok_or(StreamError::Closed)
    }

    fn send(&mut self, carrier: Carrier, message: StreamMessage, last: bool) {
        let Some(duplex) = self.of.get(&carrier) else { return };
        let priority = duplex.urgency.priority(carrier.number);
        self.wants.push_back(Want::Send { carrier, priority, bytes: message.to_frame(), last });
    }

    fn tell(&mut self, event: StreamEvent) {
        self.wants.push_back(Want::Tell(event));
    }
}
