//! SPEC.md, "Wire frames": the length-prefixed unit of every stream that carries more than one message.

use bytes::{Buf, Bytes, BytesMut};

use super::{Encode, Reader, WireError, Writer};

/// The longest message on the control stream once admitted. A proof of 2,000 tiles fits.
pub const MAX_CONTROL: usize = 64 * 1024;
/// The longest message before admission: what a stranger may make us hold.
pub const MAX_HELLO: usize = 4 * 1024;
/// The longest message on the input stream.
pub const MAX_INPUT: usize = 2 * 1024;

/// `message` as a wire frame of type `kind`.
pub fn write(kind: u64, message: &impl Encode) -> Bytes {
    let body = message.to_bytes();
    let mut out = Writer::new();
    out.varint(kind);
    out.blob(&body);
    out.into_vec().into()
}

/// Cuts the bytes of a stream into wire frames, whatever pieces they arrive in.
///
/// INVARIANT: it never holds more than one wire frame of the limit beyond what it was given in one piece.
#[derive(Debug)]
pub struct Assembler {
    held: BytesMut,
    limit: usize,
}

impl Assembler {
    /// For a stream whose messages are at most `limit` bytes long.
    pub fn new(limit: usize) -> Self {
        Self { held: BytesMut::new(), limit }
    }

    /// From now on messages may be `limit` bytes long.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next whole wire frame, as its type and its message; `None` until more bytes arrive.
    pub fn next_message(&mut self) -> Result<Option<(u64, Bytes)>, WireError> {
        let mut head = Reader::new(&self.held);
        let all = head.left();
        let Some(kind) = partial(head.varint())? else { return Ok(None) };
        let Some(len) = partial(head.varint())? else { return Ok(None) };
        if len > self.limit as u64 {
            return Err(WireError::Limit { what: "message length", limit: self.limit as u64, got: len });
        }
        let (start, len) = (all - head.left(), len as usize);
        if head.left() < len {
            return Ok(None);
        }
        self.held.advance(start);
        Ok(Some((kind, self.held.split_to(len).freeze())))
    }

    /// Bytes waiting for the rest of their wire frame.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

/// A varint that may not have arrived whole.
fn partial(read: Result<u64, WireError>) -> Result<Option<u64>, WireError> {
    match read {
        Ok(n) => Ok(Some(n)),
        Err(WireError::Truncated { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    struct Raw(Vec<u8>);
    impl Encode for Raw {
        fn encode(&self, out: &mut Writer) {
            out.bytes(&self.0);
        }
    }

    proptest! {
        #[test]
        fn any_split_yields_the_same_frames(
            messages in prop::collection::vec((0u64..1000, prop::collection::vec(any::<u8>(), 0..100)), 0..8),
            cuts in prop::collection::vec(1usize..40, 1..60),
        ) {
            let mut stream = Vec::new();
            for (kind, body) in &messages {
                stream.extend_from_slice(&write(*kind, &Raw(body.clone())));
            }
            let mut assembler = Assembler::new(100);
            let mut got = Vec::new();
            let mut rest = &stream[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (head, tail) = rest.split_at((*cut).min(rest.len()));
                assembler.push(head);
                rest = tail;
                while let Some((kind, body)) = assembler.next_message().unwrap() {
                    got.push((kind, body.to_vec()));
                }
            }
            prop_assert_eq!(got, messages);
            prop_assert_eq!(assembler.held(), 0);
        }
    }

    #[test]
    fn half_a_type_is_no_length() {
        let mut assembler = Assembler::new(10);
        assembler.push(&[0xc1, 0x40, 0x01]);
        assert_eq!(assembler.next_message(), Ok(None));
        assembler.push(&[0, 0, 0, 0, 0, 1, 9]);
        assert_eq!(assembler.next_message(), Ok(Some((0x0140_0100_0000_0000, Bytes::from_static(&[9])))));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_from_the_header_alone() {
        let mut assembler = Assembler::new(10);
        assembler.push(&[1, 11]);
        assert_eq!(
            assembler.next_message(),
            Err(WireError::Limit { what: "message length", limit: 10, got: 11 })
        );
    }
}
