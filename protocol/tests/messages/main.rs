//! Properties of every message: it comes back as it was, no part of it is taken for the whole, one byte more is an
//! error, and no decoder panics or takes more memory than its input's size suggests, whatever it is given.

mod values;

use bytes::Bytes;
use lightbox_protocol::geom::Size;
use lightbox_protocol::msg::control::{Capabilities, Control};
use lightbox_protocol::msg::display::{CursorPosition, CursorShape, Feedback, Frame, Heartbeat, Terms};
use lightbox_protocol::msg::input::{Action, Copies, Event};
use lightbox_protocol::msg::stream::StreamMessage;
use lightbox_protocol::msg::video::VideoCodecs;
use lightbox_protocol::wire::frame::{Assembler, MAX_CONTROL, MAX_HELLO, MAX_INPUT};
use lightbox_protocol::wire::{Decode, Encode, WireError};
use proptest::prelude::*;

/// A message that is encoded whole and decoded whole, with nothing around it.
fn check<M: Encode + Decode + PartialEq + core::fmt::Debug>(message: &M) -> Result<(), TestCaseError> {
    check_bytes(message, &message.to_bytes(), M::from_bytes)
}

fn check_bytes<M: PartialEq + core::fmt::Debug>(
    message: &M,
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<M, WireError>,
) -> Result<(), TestCaseError> {
    let whole = read(bytes);
    prop_assert_eq!(whole.as_ref(), Ok(message));
    // Of long messages the ends and a sample of the middle.
    let step = (bytes.len() / 100).max(1);
    for end in (0..bytes.len()).filter(|end| end % step == 0 || bytes.len() - end < 20) {
        prop_assert!(read(&bytes[..end]).is_err(), "{end} of {} bytes are taken for all", bytes.len());
    }
    let longer = [bytes, &[0]].concat();
    prop_assert_eq!(read(&longer), Err(WireError::Trailing { left: 1 }));
    Ok(())
}

proptest! {
    #[test]
    fn control_messages(message in values::control()) {
        let read = |bytes: &[u8]| Ok(Control::read(message.kind(), bytes)?.expect("a known type"));
        check_bytes(&message, &message.to_bytes(), read)?;
        prop_assert!(message.to_bytes().len() <= MAX_CONTROL);
        // As a wire frame.
        let mut assembler = Assembler::new(MAX_CONTROL);
        assembler.push(&message.to_frame());
        let (kind, body) = assembler.next_message().unwrap().expect("a whole wire frame");
        prop_assert_eq!(Control::read(kind, &body), Ok(Some(message)));
    }

    #[test]
    fn events(seq in values::varint(), action in values::action()) {
        let event = Event { seq, action };
        check(&event)?;
        prop_assert!(event.to_bytes().len() <= MAX_INPUT);
    }

    /// DATA is as long as it is; of all others no part is taken for the whole.
    #[test]
    fn stream_messages(message in values::stream()) {
        let read = |bytes: &[u8]| {
            let bytes = Bytes::copy_from_slice(bytes);
            Ok(StreamMessage::read(message.kind(), bytes)?.expect("a known type"))
        };
        match &message {
            StreamMessage::Data(bytes) => prop_assert!(read(bytes).as_ref() == Ok(&message)),
            other => check_bytes(other, &other.to_bytes(), read)?,
        }
    }

    #[test]
    fn input_datagrams(copies in values::copies()) {
        check(&copies)?;
    }

    #[test]
    fn display_datagrams(
        feedback in values::feedback(),
        heartbeat in values::heartbeat(),
        cursor in values::cursor_position(),
    ) {
        check(&feedback)?;
        check(&heartbeat)?;
        check(&cursor)?;
    }

    #[test]
    fn cursor_shapes(shape in values::cursor_shape()) {
        check(&shape)?;
    }

    /// A frame ends with its stream, so one that is cut between two operations is a shorter frame: never another.
    #[test]
    fn frames((frame, size) in values::frame(), cut in any::<prop::sample::Index>()) {
        let mut bytes = frame.header.to_bytes();
        frame.ops.iter().for_each(|op| bytes.extend(op.to_bytes()));
        let bytes = Bytes::from(bytes);
        let after = frame.header.seq - 1;
        let whole = Frame::read(&bytes, after, size, terms());
        prop_assert_eq!(whole.as_ref(), Ok(&frame));
        if let Ok(part) = Frame::read(&bytes.slice(..cut.index(bytes.len())), after, size, terms()) {
            prop_assert_eq!(part.header, frame.header);
            prop_assert_eq!(&part.ops[..], &frame.ops[..part.ops.len()]);
            prop_assert!(part.ops.len() < frame.ops.len());
        }
    }

    #[test]
    fn hostile_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        try_all(&bytes);
    }

    /// Bytes that a decoder follows further than random ones: a valid message with a few bytes changed.
    #[test]
    fn damaged_messages(
        message in values::any_message(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = message;
        for (at, to) in damage {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        try_all(&bytes);
    }
}

/// Gives `bytes` to every decoder. What is read is written as the same bytes: no value has a second form, but for the
/// messages with capabilities (unknown ones are skipped, and they come in any order) and a proof's newest epoch.
fn try_all(bytes: &[u8]) {
    for kind in 0..0x48 {
        if let Ok(Some(message)) = Control::read(kind, bytes)
            && !matches!(message, Control::Hello(_) | Control::Welcome(_) | Control::Proof(_))
        {
            assert_eq!(message.to_bytes(), bytes, "{message:?} has two forms");
        }
    }
    for kind in 0..8 {
        if let Ok(Some(message)) = StreamMessage::read(kind, Bytes::copy_from_slice(bytes)) {
            assert_eq!(message.to_bytes(), bytes, "{message:?} has two forms");
        }
    }
    let _ = Capabilities::from_bytes(bytes);
    canonical::<Event>(bytes);
    canonical::<Action>(bytes);
    canonical::<Copies>(bytes);
    canonical::<Feedback>(bytes);
    canonical::<Heartbeat>(bytes);
    canonical::<CursorPosition>(bytes);
    canonical::<CursorShape>(bytes);
    let whole = Bytes::copy_from_slice(bytes);
    for size in [Size::new(1, 1), Size::new(64, 64), Size::new(1920, 1080), Size::new(16_384, 16_384)] {
        if let Ok(frame) = Frame::read(&whole, 999, size, terms()) {
            let painted: u64 = frame.ops.iter().map(|op| op.work()).sum();
            assert!(painted <= size.area() * Frame::MAX_REPAINT);
            assert!(frame.ops.iter().all(|op| size.rect().contains(op.target())));
        }
    }
    let mut assembler = Assembler::new(MAX_HELLO);
    assembler.push(bytes);
    while let Ok(Some((kind, body))) = assembler.next_message() {
        assert!(body.len() <= MAX_HELLO, "type {kind}");
    }
}

fn canonical<M: Encode + Decode + core::fmt::Debug>(bytes: &[u8]) {
    if let Ok(message) = M::from_bytes(bytes) {
        assert_eq!(message.to_bytes(), bytes, "{message:?} has two forms");
    }
}

/// Everything that can be agreed on.
fn terms() -> Terms {
    Terms { slots: 4_096, video: VideoCodecs::of(&VideoCodecs::ALL), models: 5 }
}
