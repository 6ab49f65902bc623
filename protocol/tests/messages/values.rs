//! Every message, with every value that its fields may have.

use bytes::Bytes;
use lightbox_protocol::digest::Digest;
use lightbox_protocol::geom::{MAX_SIDE, Point, Rect, Size, TileGrid, TileIndex, TileMask};
use lightbox_protocol::msg::control::{
    Capabilities, Close, Control, Hello, Layout, MAX_PROOF, Output, Proof, Resume, Role, Root, SessionId,
    Surface, TileProof, Verdict, Welcome,
};
use lightbox_protocol::msg::display::{
    CursorPosition, CursorShape, Feedback, Frame, FrameHeader, Heartbeat, MAX_CODED_PIXELS, MAX_CURSOR, Op,
};
use lightbox_protocol::msg::input::{
    Action, Copies, Event, KeySet, Locks, Place, PointerAt, Touch, TouchPhase,
};
use lightbox_protocol::msg::stream::{Open, StreamMessage, Urgency};
use lightbox_protocol::msg::update::{Models, Update};
use lightbox_protocol::msg::video::{Colour, Unit, VideoCodecs};
use lightbox_protocol::pixel::{PixelFormat, SampleDepth};
use lightbox_protocol::wire::ids::codec;
use lightbox_protocol::wire::{Encode, VARINT_MAX};
use proptest::prelude::*;

/// Any varint, of all four lengths alike.
pub(crate) fn varint() -> impl Strategy<Value = u64> {
    prop_oneof![0..64u64, 0..1u64 << 14, 0..1u64 << 30, 0..=VARINT_MAX]
}

pub(crate) fn control() -> impl Strategy<Value = Control> {
    prop_oneof![
        hello().prop_map(Control::Hello),
        welcome().prop_map(Control::Welcome),
        surface().prop_map(Control::Surface),
        any::<u32>().prop_map(Control::SurfaceGone),
        layout().prop_map(Control::Layout),
        layout().prop_map(Control::WantLayout),
        proof().prop_map(Control::Proof),
        root().prop_map(Control::Root),
        varint().prop_map(Control::Singly),
        verdict().prop_map(Control::Verdict),
        varint().prop_map(Control::Nack),
        locks().prop_map(Control::Leds),
        (varint(), text(256)).prop_map(|(code, reason)| Control::Close(Close { code, reason })),
    ]
}

/// The bytes of any message.
pub(crate) fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let frame = frame().prop_map(|(frame, _)| {
        let mut bytes = frame.header.to_bytes();
        frame.ops.iter().for_each(|op| bytes.extend(op.to_bytes()));
        bytes
    });
    prop_oneof![
        control().prop_map(|m| m.to_bytes()),
        control().prop_map(|m| m.to_frame().to_vec()),
        stream().prop_map(|m| m.to_frame().to_vec()),
        (varint(), action()).prop_map(|(seq, action)| Event { seq, action }.to_bytes()),
        copies().prop_map(|m| m.to_bytes()),
        feedback().prop_map(|m| m.to_bytes()),
        heartbeat().prop_map(|m| m.to_bytes()),
        cursor_position().prop_map(|m| m.to_bytes()),
        cursor_shape().prop_map(|m| m.to_bytes()),
        frame,
    ]
}

/// UTF-8 of at most `limit` bytes.
fn text(limit: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..limit / 4).prop_map(String::from_iter)
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    let ids = || prop::collection::vec(varint(), 0..8);
    (ids(), ids(), varint(), varint(), varint(), varint()).prop_map(
        |(codecs, formats, max_pixels, slots, streams, models)| Capabilities {
            codecs,
            formats,
            max_pixels,
            slots,
            streams,
            models,
        },
    )
}

/// A message of a byte stream.
pub(crate) fn stream() -> impl Strategy<Value = StreamMessage> {
    let urgency = prop_oneof![Just(Urgency::Urgent), Just(Urgency::Normal), Just(Urgency::Bulk)];
    let open = ("[a-z0-9._-]{1,64}", urgency, any::<u32>()).prop_map(|(name, urgency, credit)| Open {
        name: name.parse().expect("a name"),
        urgency,
        credit,
    });
    prop_oneof![
        open.prop_map(StreamMessage::Open),
        any::<u32>().prop_map(StreamMessage::Accept),
        prop::collection::vec(any::<u8>(), 1..300).prop_map(|bytes| StreamMessage::Data(bytes.into())),
        any::<u32>().prop_map(StreamMessage::Credit),
        Just(StreamMessage::End),
        (varint(), text(256)).prop_map(|(code, reason)| StreamMessage::Close(Close { code, reason })),
    ]
}

fn hello() -> impl Strategy<Value = Hello> {
    let resume = (any::<[u8; 16]>(), any::<[u8; 32]>(), varint())
        .prop_map(|(session, proof, applied_to)| Resume { session: SessionId(session), proof, applied_to });
    let ticket = prop::collection::vec(any::<u8>(), 0..=64);
    (varint(), capabilities(), text(256), ticket, prop::option::of(resume)).prop_map(
        |(version, capabilities, terminal, ticket, resume)| Hello {
            version,
            capabilities,
            terminal,
            ticket,
            resume,
        },
    )
}

fn welcome() -> impl Strategy<Value = Welcome> {
    let ids = (any::<[u8; 16]>(), any::<[u8; 32]>());
    (varint(), capabilities(), ids, varint(), any::<bool>(), varint(), any::<bool>()).prop_map(
        |(version, capabilities, (session, resume_secret), resume_ms, resumed, void_to, view)| Welcome {
            version,
            capabilities,
            session: SessionId(session),
            resume_secret,
            resume_ms,
            resumed,
            void_to,
            role: if view { Role::View } else { Role::Control },
        },
    )
}

fn size() -> impl Strategy<Value = Size> {
    (1..=MAX_SIDE, 1..=MAX_SIDE).prop_map(|(w, h)| Size::new(w, h))
}

fn surface() -> impl Strategy<Value = Surface> {
    let deep = (9u8..=16).prop_map(|bits| PixelFormat::Gray16(SampleDepth::new(bits).expect("9 to 16")));
    let format =
        prop_oneof![Just(PixelFormat::Bgrx8), Just(PixelFormat::Bgrx10), Just(PixelFormat::Gray8), deep];
    (any::<u32>(), any::<u32>(), any::<[u8; 16]>(), size(), format)
        .prop_map(|(id, generation, nonce, size, format)| Surface { id, generation, nonce, size, format })
}

fn layout() -> impl Strategy<Value = Layout> {
    let place = (any::<i32>(), any::<i32>());
    let output = (any::<u32>(), any::<u32>(), place, size(), 0..=100_000u32, 0..=1_920u32).prop_map(
        |(id, surface, (x, y), size, width_mm, scale)| Output { id, surface, x, y, size, width_mm, scale },
    );
    prop::collection::vec(output, 0..=16).prop_map(|outputs| Layout { outputs })
}

fn proof() -> impl Strategy<Value = Proof> {
    let tile = prop_oneof![0..100 as TileIndex, any::<TileIndex>()];
    let tiles = prop::collection::btree_map(tile, (varint(), any::<[u8; 16]>()), 0..40);
    // Now and then as many as there may be.
    let many = (0..MAX_PROOF as TileIndex).map(|tile| (tile * 3, (u64::from(tile), [tile as u8; 16])));
    let tiles = prop_oneof![9 => tiles, 1 => Just(many.collect())];
    (varint(), any::<u32>(), any::<u32>(), tiles).prop_map(|(id, surface, generation, tiles)| Proof {
        id,
        surface,
        generation,
        tiles: tiles
            .into_iter()
            .map(|(tile, (epoch, digest))| TileProof { tile, epoch, digest: Digest(digest) })
            .collect(),
    })
}

fn root() -> impl Strategy<Value = Root> {
    let tile = prop_oneof![0..100 as TileIndex, any::<TileIndex>(), Just(TileIndex::MAX)];
    let tiles = prop::collection::btree_set(tile, 0..60);
    let ids = (varint(), any::<u32>(), any::<u32>());
    (ids, any::<[u8; 16]>(), tiles).prop_map(|((id, surface, generation), root, tiles)| Root {
        id,
        surface,
        generation,
        root: Digest(root),
        tiles: tiles.into_iter().collect(),
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let places = || {
        prop::collection::btree_set(0..MAX_PROOF as u32, 0..40)
            .prop_map(|places| places.into_iter().collect::<Vec<_>>())
    };
    (varint(), places(), places()).prop_map(|(proof, mismatched, superseded)| Verdict {
        proof,
        mismatched,
        superseded,
    })
}

fn locks() -> impl Strategy<Value = Locks> {
    any::<[bool; 3]>().prop_map(|[caps, num, scroll]| Locks { caps, num, scroll })
}

fn place() -> impl Strategy<Value = Place> {
    (any::<u32>(), 0..=MAX_SIDE, 0..=MAX_SIDE).prop_map(|(output, x, y)| Place { output, x, y })
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    let code = || 0..KeySet::LIMIT;
    let phase = prop_oneof![
        Just(TouchPhase::Down),
        Just(TouchPhase::Move),
        Just(TouchPhase::Up),
        Just(TouchPhase::Cancel),
    ];
    let keys = prop::collection::vec(code(), 0..10).prop_map(|codes| {
        let mut keys = KeySet::new();
        codes.into_iter().for_each(|code| keys.set(code, true));
        keys
    });
    let distance = || any::<(i32, i32)>();
    prop_oneof![
        (code(), any::<bool>()).prop_map(|(code, pressed)| Action::Key { code, pressed }),
        (code(), any::<bool>(), prop::option::of(place())).prop_map(|(code, pressed, at)| Action::Button {
            code,
            pressed,
            at
        }),
        place().prop_map(Action::Pointer),
        distance().prop_map(|(dx, dy)| Action::Motion { dx, dy }),
        distance().prop_map(|(dx, dy)| Action::Wheel { dx, dy }),
        text(1_024).prop_map(Action::Text),
        (any::<u8>(), phase, place(), any::<u16>())
            .prop_map(|(id, phase, at, pressure)| Action::Touch(Touch { id, phase, at, pressure })),
        locks().prop_map(Action::Locks),
        keys.prop_map(Action::Keys),
    ]
}

pub(crate) fn copies() -> impl Strategy<Value = Copies> {
    let event = (varint(), action()).prop_map(|(seq, action)| Event { seq, action });
    let pointer = (varint(), varint(), place()).prop_map(|(seq, after, at)| PointerAt { seq, after, at });
    (prop::collection::vec(event, 0..=8), prop::option::of(pointer))
        .prop_map(|(events, pointer)| Copies { events, pointer })
}

pub(crate) fn feedback() -> impl Strategy<Value = Feedback> {
    (varint(), any::<u64>(), varint(), varint()).prop_map(|(applied_to, beyond, decode_us, waiting)| {
        Feedback { applied_to, beyond, decode_us, waiting }
    })
}

pub(crate) fn heartbeat() -> impl Strategy<Value = Heartbeat> {
    (varint(), varint(), any::<bool>(), varint()).prop_map(|(server_us, behind_us, ask, rtt_us)| Heartbeat {
        server_us,
        behind_us,
        ask,
        rtt_us,
    })
}

pub(crate) fn cursor_position() -> impl Strategy<Value = CursorPosition> {
    (varint(), place(), any::<bool>()).prop_map(|(seq, at, visible)| CursorPosition { seq, at, visible })
}

pub(crate) fn cursor_shape() -> impl Strategy<Value = CursorShape> {
    let side = || prop_oneof![9 => 1..=16u32, 1 => Just(MAX_CURSOR)];
    (varint(), side(), side(), any::<(u32, u32)>(), any::<u8>()).prop_map(|(seq, w, h, (x, y), sample)| {
        let size = Size::new(w, h);
        let bgra = Bytes::from(vec![sample; size.area() as usize * 4]);
        CursorShape { seq, size, hotspot: Point::new(x % w, y % h), bgra }
    })
}

/// A frame, and the size of the surface that it is for.
pub(crate) fn frame() -> impl Strategy<Value = (Frame, Size)> {
    let size = (200..4_000u32, 200..4_000u32).prop_map(|(w, h)| Size::new(w, h));
    (header(), size).prop_flat_map(|(header, size)| {
        let ops = prop::collection::vec(op(size).prop_map(|op| vec![op]), 0..6);
        let all = (ops, prop::option::weighted(0.3, video(size)));
        all.prop_map(move |(mut all, video)| {
            all.extend(video);
            (Frame { header, ops: within_work(all, size) }, size)
        })
    })
}

fn header() -> impl Strategy<Value = FrameHeader> {
    let seq = prop_oneof![1..300u64, 1..=VARINT_MAX];
    let back = prop_oneof![1..6u64, varint()];
    (any::<u32>(), seq, back, prop::option::of(varint())).prop_map(|(generation, seq, back, capture_us)| {
        let base = seq - back.clamp(1, seq);
        FrameHeader { generation, seq, base, capture_us }
    })
}

fn op(size: Size) -> impl Strategy<Value = Op> {
    let rect = move |most: u64| {
        any::<[u32; 4]>().prop_map(move |[x, y, w, h]| {
            let w = 1 + w % size.w;
            let h = 1 + h % (size.h.min((most / u64::from(w)).max(1) as u32));
            Rect::new(x % (size.w - w + 1), y % (size.h - h + 1), w, h)
        })
    };
    let fill = (rect(u64::MAX), any::<[u8; 4]>()).prop_map(|(rect, pixel)| Op::Fill { rect, pixel });
    let copy = (rect(u64::MAX), any::<[u32; 2]>()).prop_map(move |(from, [x, y])| Op::Copy {
        from,
        to: Point::new(x % (size.w - from.w + 1), y % (size.h - from.h + 1)),
    });
    let coded = (rect(MAX_CODED_PIXELS), prop::collection::vec(any::<u8>(), 0..50))
        .prop_map(|(rect, data)| Op::Coded { rect, codec: codec::LOSSLESS, data: data.into() });
    let tiles = move || {
        let grid = TileGrid::new(size);
        (0..grid.len(), 0..grid.len(), varint())
            .prop_map(move |(a, b, first)| (grid.rect(a).union(grid.rect(b)), first))
    };
    let store = tiles().prop_map(|(tiles, first)| Op::Store { tiles, first });
    let show = tiles().prop_map(|(tiles, first)| Op::Show { tiles, first });
    prop_oneof![fill, copy, coded, store, show, update(size)]
}

/// A unit over some tiles.
fn update(size: Size) -> impl Strategy<Value = Op> {
    let grid = TileGrid::new(size);
    let tiles = prop::collection::vec(0..grid.len(), 1..9);
    let data = prop::collection::vec(any::<u8>(), 0..50);
    (tiles, any::<bool>(), 0..=5u8, 0..=5u8, data).prop_map(move |(tiles, alone, from, into, data)| {
        let tiles = TileMask::of(grid, tiles.into_iter());
        Op::Update(Box::new(Update::new(grid, tiles, alone, Models { from, into }, data.into())))
    })
}

/// An access unit over some tiles, and a part of them painted.
fn video(size: Size) -> impl Strategy<Value = Vec<Op>> {
    let grid = TileGrid::new(size);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let data = prop::collection::vec(any::<u8>(), 0..50);
    (0..grid.len(), 0..grid.len(), 0..VideoCodecs::ALL.len(), flags, data).prop_map(
        move |(a, b, codec, (key, full_range, bt601), data)| {
            let rect = grid.rect(a).union(grid.rect(b));
            let colour = Colour { full_range, bt601 };
            let unit = Unit { rect, codec: VideoCodecs::ALL[codec], key, colour, data: data.into() };
            vec![Op::Video(unit), Op::Picture { tiles: grid.rect(b) }]
        },
    )
}

/// As many of `ops` as one frame may ask for; those that belong together, together.
fn within_work(ops: Vec<Vec<Op>>, size: Size) -> Vec<Op> {
    let mut left = size.area() * Frame::MAX_REPAINT;
    let fits = |ops: &Vec<Op>| {
        let rest = left.checked_sub(ops.iter().map(Op::work).sum());
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    ops.into_iter().filter(fits).flatten().collect()
}
