use bytes::Bytes;
use lightbox_client::paint::Canvas;
use lightbox_codec::pixel::{ImageRef, PixelFormat};
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::Paint;
use lightbox_protocol::channel::input::ServerInput;
use lightbox_protocol::exact::Lease;
use lightbox_protocol::geom::TileGrid;
use lightbox_protocol::msg::control::{Control, Surface};
use lightbox_protocol::msg::display::{CursorPosition, CursorShape, Feedback, Frame, Heartbeat, Terms};
use lightbox_protocol::msg::input::{Copies, Event};
use lightbox_protocol::msg::video::VideoCodecs;
use lightbox_protocol::session::server::Door;
use lightbox_protocol::wire::frame::{Assembler, MAX_INPUT};
use lightbox_protocol::wire::{Decode, Encode, WireError, Writer, ids};

use super::script::Script;

/// A control message, its kind being the first byte, and the same bytes as a stream in pieces.
pub fn control(bytes: &[u8]) {
    if let Some((kind, body)) = bytes.split_first()
        && let Ok(Some(message)) = Control::read((*kind).into(), body)
    {
        let again = Control::read(message.kind(), &message.to_bytes());
        assert_eq!(again.as_ref(), Ok(&Some(message)), "what was read is written and read the same");
    }
    let whole = messages(bytes.chunks(bytes.len().max(1)));
    // The pieces are as long as the bytes in them say.
    let mut rest = bytes;
    let pieces = std::iter::from_fn(|| {
        let length = usize::from(*rest.first()? % 7) + 1;
        let (head, tail) = rest.split_at(length.min(rest.len()));
        rest = tail;
        Some(head)
    });
    assert_eq!(messages(pieces), whole, "a stream means the same however it is cut");
}

type Messages = (Vec<(u64, Bytes)>, Option<WireError>);

fn messages<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Messages {
    let mut assembler = Assembler::new(64);
    let mut all = Vec::new();
    for piece in pieces {
        assembler.push(piece);
        loop {
            match assembler.next_message() {
                Ok(Some(message)) => all.push(message),
                Ok(None) => break,
                Err(error) => return (all, Some(error)),
            }
        }
    }
    (all, None)
}

/// The surface that frames are read for.
const SURFACE: u32 = 1;
/// Every frame up to this one was begun.
const AFTER: u64 = 1_000;

/// A frame for a surface of up to 128x128, whose size and format come first; painted if it can be read.
pub fn frame(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (size, format, newer) = (script.size(), script.format(), script.u8());
    let whole = Bytes::copy_from_slice(script.rest());
    let terms = Terms { slots: SLOTS, video: VideoCodecs::of(&VideoCodecs::ALL), models: MODELS }.on(format);
    let Ok(frame) = Frame::read(&whole, AFTER, size, terms) else { return };
    assert!(frame.ops.iter().all(|op| size.rect().contains(op.target())));
    let work: u64 = frame.ops.iter().map(|op| op.work()).sum();
    assert!(work <= size.area() * Frame::MAX_REPAINT, "{work} pixels of work");
    let mut out = Writer::new();
    frame.header.encode(&mut out);
    frame.ops.iter().for_each(|op| op.encode(&mut out));
    assert_eq!(Frame::read(&out.into_vec().into(), AFTER, size, terms).as_ref(), Ok(&frame));

    let surface = Surface { id: SURFACE, generation: frame.header.generation, nonce: [0; 16], size, format };
    let mut canvas = Canvas::new();
    canvas.agree(SLOTS, MODELS);
    canvas.surface(&surface, false).expect("a size of an image");
    let tiles: Vec<_> = (0..TileGrid::new(size).len()).collect();
    let newer = tiles.iter().copied().filter(|tile| newer >> tile & 1 == 1).collect();
    // An error is one frame that comes again; what it left is proved wrong.
    let _ = canvas.paint(&Paint { surface: SURFACE, frame, tiles, newer });
    spare_bits_are_as_defined(canvas.get(SURFACE).expect("the surface"));
}

/// Cells of slots that were agreed on: fewer than a frame can fill.
const SLOTS: u64 = 8;
/// Registers of models that were agreed on.
const MODELS: u8 = 3;

/// Whatever a server sends, nobody who reads a surface meets samples that its format does not have.
pub(super) fn spare_bits_are_as_defined(image: ImageRef<'_>) {
    match image.format() {
        PixelFormat::Bgrx8 => {
            assert!(image.rows().all(|row| row.as_chunks::<4>().0.iter().all(|px| px[3] == 0xFF)))
        }
        PixelFormat::Bgrx10 => {
            assert!(image.rows().all(|row| row.as_chunks::<4>().0.iter().all(|px| px[3] & 0xC0 == 0xC0)))
        }
        PixelFormat::Gray8 => (),
        PixelFormat::Gray16(depth) => {
            let mut samples =
                image.rows().flat_map(|row| row.as_chunks::<2>().0).map(|s| u16::from_le_bytes(*s));
            assert!(samples.all(|sample| sample <= depth.max()));
        }
    }
}

/// A datagram of either side, or the stream of a cursor shape.
pub fn datagram(bytes: &[u8]) {
    match bytes.first().copied().map(u64::from) {
        Some(ids::datagram::FEEDBACK) => drop(round_trip::<Feedback>(bytes)),
        Some(ids::datagram::HEARTBEAT) => {
            let Some(beat) = round_trip::<Heartbeat>(bytes) else { return };
            let mut lease = Lease::new();
            lease.heartbeat(Time(1_000_000), &beat);
            lease.heartbeat(Time(1 << 50), &beat);
            let _ = (lease.lives(Time(2_000_000)), lease.age(Time(2_000_000), beat.server_us));
        }
        // The kind of both a datagram and a stream.
        Some(ids::datagram::CURSOR) => {
            round_trip::<CursorPosition>(bytes);
            round_trip::<CursorShape>(bytes);
        }
        Some(ids::datagram::INPUT) => {
            if let Some(copies) = round_trip::<Copies>(bytes) {
                ServerInput::new().copies(copies, &mut Vec::new());
            }
        }
        _ => (),
    }
}

fn round_trip<T: Encode + Decode + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Option<T> {
    let value = T::from_bytes(bytes).ok()?;
    assert_eq!(T::from_bytes(&value.to_bytes()).as_ref(), Ok(&value));
    Some(value)
}

/// An input stream without its kind, and datagrams of copies between its messages.
pub fn input(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (mut stream, mut server) = (Assembler::new(MAX_INPUT), ServerInput::new());
    let mut actions = Vec::new();
    let mut given = 0;
    while !script.is_empty() {
        if script.chance() {
            stream.push(&script.bytes(40));
            while let Ok(Some((_, body))) = stream.next_message() {
                if let Some(event) = round_trip::<Event>(&body) {
                    given += 1;
                    server.event(event, &mut actions);
                }
            }
        } else if let Some(copies) = round_trip::<Copies>(&script.bytes(80)) {
            given += copies.events.len() + 1;
            server.copies(copies, &mut actions);
        }
    }
    server.disconnect(&mut actions);
    // A vector of keys may release as many as there are, once for each that was pressed.
    assert!(actions.len() <= given * 2, "{} actions from {given} events", actions.len());
}

/// The first bytes of a client's control stream.
pub fn hello(bytes: &[u8]) {
    let Ok(Some(hello)) = Door::new().read(bytes) else { return };
    let message = Control::Hello(hello.clone());
    assert_eq!(Door::new().read(&message.to_frame()), Ok(Some(hello.clone())));
    let mut door = Door::new();
    let (last, before) = bytes.split_last().expect("a hello has bytes");
    for byte in before {
        assert_eq!(door.read(&[*byte]), Ok(None));
    }
    assert_eq!(door.read(&[*last]), Ok(Some(hello)));
}
