//! SPEC.md, "Byte streams": what the two ends of a byte stream say to each other.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use bytes::Bytes;

use super::control::Close;
use crate::wire::ids::byte_stream;
use crate::wire::{Decode, Encode, Reader, WireError, Writer, frame};

/// The longest name, in bytes.
pub const MAX_NAME: u64 = 64;
/// The most bytes of one DATA. What is urgent elsewhere waits for one of them at most.
pub const MAX_DATA: usize = 16 << 10;
/// The longest message of a byte stream.
pub const MAX_STREAM_MESSAGE: usize = MAX_DATA;

/// What a byte stream is for, as its two ends know it: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Text that cannot name a byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stream's name is 1 to {MAX_NAME} of a-z, 0-9, '.', '_' and '-'")]
pub struct NameError;

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_name = !text.is_empty() && text.len() as u64 <= MAX_NAME && text.bytes().all(fits);
        if is_name { Ok(Self(text.into())) } else { Err(NameError) }
    }
}

/// True if a name may have this byte.
fn fits(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-')
}

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a byte stream's bytes may wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// They go before frames: few and small, such as a device's interrupts.
    Urgent,
    /// They go after frames.
    #[default]
    Normal,
    /// They go last: files, images of disks.
    Bulk,
}

impl Urgency {
    /// The transport priority of the `number`-th stream that one side opened.
    pub(crate) fn priority(self, number: u64) -> i32 {
        let first = match self {
            Urgency::Urgent => 600_000,
            Urgency::Normal => -90_000,
            Urgency::Bulk => -100_000,
        };
        first - (number % 1_024) as i32
    }
}

/// A message of a byte stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamMessage {
    /// The opener's first message.
    Open(Open),
    /// The other end takes the stream, and grants so many bytes.
    Accept(u32),
    /// The next bytes, within the credit.
    Data(Bytes),
    /// So many bytes more are granted.
    Credit(u32),
    /// No bytes follow in this direction.
    End,
    /// The stream is over in both directions, or was not taken: why.
    Close(Close),
}

/// A stream offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// What it is for.
    pub name: Name,
    /// What it may wait for.
    pub urgency: Urgency,
    /// The bytes that the opener grants.
    pub credit: u32,
}

impl StreamMessage {
    /// The message as a wire frame.
    pub fn to_frame(&self) -> Bytes {
        frame::write(self.kind(), self)
    }

    /// Its number in [`byte_stream`].
    pub fn kind(&self) -> u64 {
        match self {
            StreamMessage::Open(_) => byte_stream::OPEN,
            StreamMessage::Accept(_) => byte_stream::ACCEPT,
            StreamMessage::Data(_) => byte_stream::DATA,
            StreamMessage::Credit(_) => byte_stream::CREDIT,
            StreamMessage::End => byte_stream::END,
            StreamMessage::Close(_) => byte_stream::CLOSE,
        }
    }

    /// Reads the message of type `kind`; `None` where the type is not known and must be skipped.
    pub fn read(kind: u64, bytes: Bytes) -> Result<Option<Self>, WireError> {
        let mut input = Reader::new(&bytes);
        let message = match kind {
            byte_stream::OPEN => StreamMessage::Open(Open::from_bytes(&bytes)?),
            byte_stream::CLOSE => StreamMessage::Close(Close::from_bytes(&bytes)?),
            byte_stream::DATA if bytes.is_empty() => {
                return Err(WireError::Value { what: "length of DATA", got: 0 });
            }
            byte_stream::DATA => StreamMessage::Data(bytes),
            byte_stream::ACCEPT | byte_stream::CREDIT => {
                let credit = input.u32v("credit")?;
                input.finish()?;
                let is_first = kind == byte_stream::ACCEPT;
                if is_first { StreamMessage::Accept(credit) } else { StreamMessage::Credit(credit) }
            }
            byte_stream::END => {
                input.finish()?;
                StreamMessage::End
            }
            _ => return Ok(None),
        };
        Ok(Some(message))
    }
}

impl Encode for StreamMessage {
    fn encode(&self, out: &mut Writer) {
        match self {
            StreamMessage::Open(open) => open.encode(out),
            StreamMessage::Accept(credit) | StreamMessage::Credit(credit) => out.varint(u64::from(*credit)),
            StreamMessage::Data(bytes) => out.bytes(bytes),
            StreamMessage::End => (),
            StreamMessage::Close(why) => why.encode(out),
        }
    }
}

impl Decode for Name {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let name = input.text("stream name", MAX_NAME)?;
        let bad = name.bytes().find(|byte| !fits(*byte)).unwrap_or(0);
        name.parse()
            .map_err(|NameError| WireError::Value { what: "a byte of a stream's name", got: bad.into() })
    }
}

impl Encode for Open {
    fn encode(&self, out: &mut Writer) {
        out.blob(self.name.0.as_bytes());
        out.u8(self.urgency as u8);
        out.varint(u64::from(self.credit));
    }
}

impl Decode for Open {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let name = Name::decode(input)?;
        let urgency = match input.u8()? {
            0 => Urgency::Urgent,
            1 => Urgency::Normal,
            2 => Urgency::Bulk,
            got => return Err(WireError::Value { what: "urgency", got: got.into() }),
        };
        Ok(Open { name, urgency, credit: input.u32v("credit")? })
    }
}
