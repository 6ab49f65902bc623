//! One type over all messages, so that one table holds them.

use bytes::Bytes;
use lightbox_protocol::geom::Size;
use lightbox_protocol::msg::control::Control;
use lightbox_protocol::msg::display::{CursorPosition, CursorShape, Feedback, Frame, Heartbeat, Terms};
use lightbox_protocol::msg::input::{Copies, Event};
use lightbox_protocol::msg::stream::{MAX_STREAM_MESSAGE, StreamMessage};
use lightbox_protocol::msg::video::VideoCodecs;
use lightbox_protocol::wire::frame::{self, Assembler, MAX_CONTROL, MAX_INPUT};
use lightbox_protocol::wire::{Decode, Encode, WireError, ids};

/// Where bytes are found, which says how they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Control,
    Input,
    Frame,
    CursorStream,
    InputDatagram,
    Feedback,
    Heartbeat,
    CursorDatagram,
    Stream,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Control(Control),
    Event(Event),
    Frame(Frame),
    CursorShape(CursorShape),
    Copies(Copies),
    Feedback(Feedback),
    Heartbeat(Heartbeat),
    CursorAt(CursorPosition),
    Stream(StreamMessage),
    /// A message of a type that this version does not know.
    Skipped,
}

/// The surface for which frames are read.
const SURFACE: Size = Size::new(1920, 1080);
/// What was agreed on for it.
fn terms() -> Terms {
    Terms { slots: 16_384, video: VideoCodecs::of(&[ids::codec::H264]), models: 4 }
}

/// Reads one whole message.
pub(crate) fn read(place: Place, bytes: &[u8]) -> Result<Value, WireError> {
    match place {
        Place::Control => {
            let (kind, body) = message(bytes, MAX_CONTROL)?;
            Ok(Control::read(kind, &body)?.map_or(Value::Skipped, Value::Control))
        }
        Place::Input => match message(bytes, MAX_INPUT)? {
            (ids::input::EVENT, body) => Event::from_bytes(&body).map(Value::Event),
            _ => Ok(Value::Skipped),
        },
        Place::Frame => Frame::read(&Bytes::copy_from_slice(bytes), 0, SURFACE, terms()).map(Value::Frame),
        Place::CursorStream => Decode::from_bytes(bytes).map(Value::CursorShape),
        Place::InputDatagram => Decode::from_bytes(bytes).map(Value::Copies),
        Place::Feedback => Decode::from_bytes(bytes).map(Value::Feedback),
        Place::Heartbeat => Decode::from_bytes(bytes).map(Value::Heartbeat),
        Place::CursorDatagram => Decode::from_bytes(bytes).map(Value::CursorAt),
        Place::Stream => {
            let (kind, body) = message(bytes, MAX_STREAM_MESSAGE)?;
            Ok(StreamMessage::read(kind, body)?.map_or(Value::Skipped, Value::Stream))
        }
    }
}

/// Writes one whole message; nothing for one that was skipped.
pub(crate) fn write(value: &Value) -> Vec<u8> {
    match value {
        Value::Control(message) => message.to_frame().to_vec(),
        Value::Event(event) => frame::write(ids::input::EVENT, event).to_vec(),
        Value::Frame(Frame { header, ops }) => {
            let mut bytes = header.to_bytes();
            ops.iter().for_each(|op| bytes.extend(op.to_bytes()));
            bytes
        }
        Value::CursorShape(it) => it.to_bytes(),
        Value::Copies(it) => it.to_bytes(),
        Value::Feedback(it) => it.to_bytes(),
        Value::Heartbeat(it) => it.to_bytes(),
        Value::CursorAt(it) => it.to_bytes(),
        Value::Stream(message) => message.to_frame().to_vec(),
        Value::Skipped => Vec::new(),
    }
}

/// The one wire frame that `bytes` are.
fn message(bytes: &[u8], limit: usize) -> Result<(u64, Bytes), WireError> {
    let mut assembler = Assembler::new(limit);
    assembler.push(bytes);
    let message = assembler.next_message()?.expect("a vector is a whole wire frame");
    assert_eq!(assembler.held(), 0, "a vector is one wire frame");
    Ok(message)
}
