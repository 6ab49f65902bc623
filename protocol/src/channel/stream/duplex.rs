//! One byte stream: its credit both ways, and what was received and not yet read.

use alloc::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::{MAX_CREDIT, Read, StreamId, WINDOW};
use crate::msg::control::Close;
use crate::msg::stream::{MAX_DATA, MAX_STREAM_MESSAGE, StreamMessage, Urgency};
use crate::wire::frame::Assembler;
use crate::wire::ids::close;

/// Both directions of a byte stream that is not over.
#[derive(Debug)]
pub(super) struct Duplex {
    pub(super) id: StreamId,
    pub(super) urgency: Urgency,
    pub(super) phase: Phase,
    /// The peer's bytes, cut into messages.
    pub(super) incoming: Assembler,
    /// Bytes that may be written.
    credit: u32,
    /// A write was not taken whole: say when there is credit.
    wants_credit: bool,
    ended: bool,
    received: VecDeque<Bytes>,
    /// Bytes that the peer may still send.
    granted: u32,
    /// Bytes that were read and not yet granted again.
    owed: u32,
    /// A read found nothing: say when there is something.
    wants_bytes: bool,
    pub(super) peer_ended: bool,
    /// The peer's direction of the carrying stream is over.
    pub(super) peer_finished: bool,
}

/// How far a byte stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Opened here; the peer has not taken it yet.
    Opening,
    /// Opened by the peer; the application has not taken it yet.
    Offered,
    /// Taken.
    Open,
}

impl Duplex {
    /// A stream that this side opens or is offered, with the credit that the peer granted so far.
    pub(super) fn new(id: StreamId, urgency: Urgency, phase: Phase, credit: u32) -> Self {
        // Who opens grants at once, who is offered grants when it takes.
        let granted = if phase == Phase::Opening { WINDOW } else { 0 };
        Self {
            id,
            urgency,
            phase,
            incoming: Assembler::new(MAX_STREAM_MESSAGE),
            credit,
            wants_credit: false,
            ended: false,
            received: VecDeque::new(),
            granted,
            owed: 0,
            wants_bytes: true,
            peer_ended: false,
            peer_finished: false,
        }
    }

    /// The application takes the stream.
    pub(super) fn accept(&mut self) -> StreamMessage {
        self.phase = Phase::Open;
        self.granted = WINDOW;
        StreamMessage::Accept(WINDOW)
    }

    /// Takes as many bytes as there is credit for, and gives the messages that carry them.
    pub(super) fn write(&mut self, bytes: &[u8], mut send: impl FnMut(StreamMessage)) -> usize {
        let taken = bytes.len().min(self.credit as usize);
        self.credit -= taken as u32;
        self.wants_credit = taken < bytes.len();
        bytes[..taken]
            .chunks(MAX_DATA)
            .for_each(|piece| send(StreamMessage::Data(Bytes::copy_from_slice(piece))));
        taken
    }

    /// Says that no bytes follow. False if that was said.
    pub(super) fn end(&mut self) -> bool {
        !core::mem::replace(&mut self.ended, true)
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// True once neither side has anything more to say.
    pub(super) fn is_through(&self) -> bool {
        self.ended && self.peer_ended
    }

    /// Bytes that were received, and the credit that they make room for once it is worth a message.
    pub(super) fn read(&mut self, into: &mut [u8]) -> (Read, Option<StreamMessage>) {
        let mut len = 0;
        while let Some(first) = self.received.front_mut().filter(|_| len < into.len()) {
            let some = first.len().min(into.len() - len);
            first.copy_to_slice(&mut into[len..len + some]);
            len += some;
            if first.is_empty() {
                self.received.pop_front();
            }
        }
        self.owed += len as u32;
        let credit = self.owed >= WINDOW / 4 && !self.peer_ended;
        let credit = credit.then(|| {
            self.granted += self.owed;
            StreamMessage::Credit(core::mem::take(&mut self.owed))
        });
        let read = match len {
            0 if self.received.is_empty() && self.peer_ended => Read::End,
            0 => {
                self.wants_bytes |= self.received.is_empty();
                Read::Nothing
            }
            len => Read::Bytes(len),
        };
        (read, credit)
    }

    /// Takes bytes of the peer. True if the application is to be told.
    pub(super) fn receive(&mut self, bytes: Bytes) -> Result<bool, Close> {
        let granted = self.granted.checked_sub(bytes.len() as u32);
        self.granted = granted.ok_or_else(|| Close::new(close::LIMIT, "a byte stream is over its credit"))?;
        // A peer that sends byte by byte must not make a list of them.
        match self.received.back_mut() {
            Some(last) if last.len() + bytes.len() <= MAX_DATA / 4 => {
                *last = [&last[..], &bytes[..]].concat().into();
            }
            _ => self.received.push_back(bytes),
        }
        Ok(core::mem::take(&mut self.wants_bytes))
    }

    /// The peer has no more bytes. True if the application is to be told.
    pub(super) fn peer_ends(&mut self) -> bool {
        self.peer_ended = true;
        core::mem::take(&mut self.wants_bytes)
    }

    /// The peer grants more. True if the application is to be told.
    pub(super) fn grant(&mut self, more: u32) -> Result<bool, Close> {
        let credit = self.credit.checked_add(more).filter(|credit| *credit <= MAX_CREDIT);
        self.credit =
            credit.ok_or_else(|| Close::new(close::LIMIT, "a byte stream is granted too much credit"))?;
        Ok(more > 0 && core::mem::take(&mut self.wants_credit))
    }
}
