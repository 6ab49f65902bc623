use alloc::vec::Vec;

use super::malformed;
use crate::msg::control::Close;
use crate::msg::input::Event;
use crate::wire::frame::{Assembler, MAX_INPUT};
use crate::wire::{Decode, Reader, ids};

/// Streams of the client that may be open at one time; there is one.
const MAX_STREAMS: usize = 16;

/// The one-way streams of a client, which carry input alone.
#[derive(Debug, Default)]
pub(super) struct InputStreams {
    of: Vec<InputStream>,
}

#[derive(Debug)]
struct InputStream {
    id: u64,
    incoming: Assembler,
    has_kind: bool,
}

impl InputStreams {
    /// Takes bytes of a stream, and gives the events that they end.
    pub(super) fn receive(&mut self, id: u64, bytes: &[u8], fin: bool) -> Result<Vec<Event>, Close> {
        let place = match self.of.iter().position(|stream| stream.id == id) {
            Some(place) => place,
            None if self.of.len() == MAX_STREAMS => {
                return Err(Close::new(ids::close::LIMIT, "too many streams are open"));
            }
            None => {
                self.of.push(InputStream { id, incoming: Assembler::new(MAX_INPUT), has_kind: false });
                self.of.len() - 1
            }
        };
        let stream = &mut self.of[place];
        let mut bytes = bytes;
        if !stream.has_kind && !bytes.is_empty() {
            // Every stream kind there is fits one byte.
            let mut input = Reader::new(bytes);
            match u64::from(input.u8().map_err(malformed)?) {
                ids::stream::INPUT => stream.has_kind = true,
                kind => {
                    let name = ids::stream::name(kind);
                    return Err(Close::new(
                        ids::close::UNEXPECTED,
                        format_args!("stream kind {kind} ({name}) is not open to clients"),
                    ));
                }
            }
            bytes = &bytes[1..];
        }
        stream.incoming.push(bytes);
        let mut events = Vec::new();
        while let Some((kind, body)) = stream.incoming.next_message().map_err(malformed)? {
            if kind == ids::input::EVENT {
                events.push(Event::from_bytes(&body).map_err(malformed)?);
            }
        }
        if fin {
            self.of.remove(place);
        }
        Ok(events)
    }

    /// The connection is gone.
    pub(super) fn clear(&mut self) {
        self.of.clear();
    }
}
