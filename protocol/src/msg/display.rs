//! SPEC.md, "Display": frames and what they paint, feedback, heartbeats and the cursor.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::exact::{Pass, UNSTATED};
use crate::geom::{Point, Rect, Size, TILE};
use crate::msg::video::{Unit, VideoCodecs};
use crate::pixel::PixelFormat;
use crate::wire::ids::{codec, datagram, op, stream};
use crate::wire::{Decode, Encode, Reader, WireError, Writer};

/// The longest frame. Servers cut larger updates into several.
pub const MAX_FRAME: usize = 8 << 20;
/// The most operations of one frame. In memory an operation takes ten times the bytes of the shortest on the wire.
pub const MAX_OPS: usize = 65_536;
/// The most pixels of one coded rect: 64 tiles.
pub const MAX_CODED_PIXELS: u64 = 64 * 64 * 64;
/// The most pixels of a scaled rect: 1,024 tiles.
pub const MAX_SCALED_PIXELS: u64 = 4 << 20;
/// The longest side of a cursor shape.
pub const MAX_CURSOR: u32 = 256;
/// The longest cursor shape message: its samples and a few numbers.
pub const MAX_CURSOR_BYTES: usize = (MAX_CURSOR * MAX_CURSOR * 4) as usize + 64;

/// A frame's first fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The surface it paints.
    pub surface: u32,
    /// The surface's generation it was made for.
    pub generation: u32,
    /// The frame's number: counts up by one over all surfaces of the session, from 1.
    pub seq: u64,
    /// Every frame up to this one must have been applied (or be void) before it.
    pub base: u64,
    /// How many control messages of this connection the server had sent before it.
    pub control_seq: u64,
    /// When the picture was taken, on the server's clock in microseconds.
    pub capture_us: u64,
}

impl Encode for FrameHeader {
    fn encode(&self, out: &mut Writer) {
        out.varint(stream::FRAME);
        out.varint(self.surface.into());
        out.varint(self.generation.into());
        out.varint(self.seq);
        out.varint(self.seq.saturating_sub(self.base));
        out.varint(self.control_seq);
        out.varint(self.capture_us);
    }
}

impl Decode for FrameHeader {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        match input.varint()? {
            stream::FRAME => (),
            got => return Err(WireError::Value { what: "stream kind", got }),
        }
        let (surface, generation) = (input.u32v("surface")?, input.u32v("generation")?);
        let seq = match input.varint()? {
            0 => return Err(WireError::Value { what: "frame number", got: 0 }),
            seq => seq,
        };
        let back = input.number("base distance", seq)?;
        if back == 0 {
            return Err(WireError::Value { what: "base distance", got: 0 });
        }
        Ok(FrameHeader {
            surface,
            generation,
            seq,
            base: seq - back,
            control_seq: input.varint()?,
            capture_us: input.varint()?,
        })
    }
}

/// One step of painting. The steps of a frame are done in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Every pixel of `rect` becomes `pixel` (its bytes in memory order).
    Fill {
        /// Where.
        rect: Rect,
        /// The first `bytes_per_pixel` bytes count.
        pixel: [u8; 4],
    },
    /// The pixels of `from` are copied so that its corner lands on `to`; overlapping is fine.
    Copy {
        /// Where from.
        from: Rect,
        /// Where to.
        to: Point,
    },
    /// Coded samples of `rect`.
    Coded {
        /// Where: at most [`MAX_CODED_PIXELS`], or [`MAX_SCALED_PIXELS`] of a scaled one.
        rect: Rect,
        /// A number of [`codec`].
        codec: u64,
        /// What the codec made.
        data: Bytes,
    },
    /// The tiles of `tiles`, row by row, are put aside as they are now: the first in the slot `first`, each other
    /// where the one before ends.
    Store {
        /// Whole tiles.
        tiles: Rect,
        /// The first one's slot.
        first: u64,
    },
    /// The tiles of `tiles`, row by row, become what the slots from `first` on hold.
    Show {
        /// Whole tiles.
        tiles: Rect,
        /// The first one's slot.
        first: u64,
    },
    /// The next access unit of the surface's run is decoded. It paints nothing.
    Video(Unit),
    /// The tiles become what the picture of the frame's access unit shows there.
    Picture {
        /// Whole tiles, inside the unit's rect.
        tiles: Rect,
    },
}

/// What an operation does to the tiles that it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Paints samples of its own.
    Paint(Pass),
    /// Adds the low bits to the high ones that are there.
    Low,
    /// Paints what it copies.
    Copy,
    /// Touches none.
    Nothing,
}

impl Op {
    /// What it does to the tiles that it touches.
    pub fn step(&self) -> Step {
        let stated = |data| pass_data(data).map_or(UNSTATED, |(error, _)| error);
        match self {
            Op::Copy { .. } => Step::Copy,
            Op::Coded { codec: codec::FIRST, data, .. } => Step::Paint(Pass::First { error: stated(data) }),
            Op::Coded { codec: codec::HIGH, data, .. } => Step::Paint(Pass::High { error: stated(data) }),
            Op::Coded { codec: codec::LOW, .. } => Step::Low,
            Op::Picture { .. } => Step::Paint(Pass::First { error: UNSTATED }),
            Op::Fill { .. } | Op::Coded { .. } | Op::Show { .. } => Step::Paint(Pass::Exact),
            Op::Store { .. } | Op::Video(_) => Step::Nothing,
        }
    }

    /// The pixels it paints; none where it paints nothing.
    pub fn target(&self) -> Rect {
        match self {
            Op::Fill { rect, .. } | Op::Coded { rect, .. } => *rect,
            Op::Show { tiles, .. } | Op::Picture { tiles } => *tiles,
            Op::Copy { from, to } => from.at(*to),
            Op::Store { .. } | Op::Video(_) => Rect::default(),
        }
    }

    /// How many pixels it takes in hand.
    pub fn work(&self) -> u64 {
        match self {
            Op::Store { tiles, .. } => tiles.area(),
            Op::Video(unit) => unit.rect.area(),
            other => other.target().area(),
        }
    }
}

impl Encode for Op {
    fn encode(&self, out: &mut Writer) {
        match self {
            Op::Fill { rect, pixel } => {
                out.varint(op::FILL);
                rect.encode(out);
                out.bytes(pixel);
            }
            Op::Copy { from, to } => {
                out.varint(op::COPY);
                from.encode(out);
                to.encode(out);
            }
            Op::Coded { rect, codec, data } => {
                out.varint(op::CODED);
                rect.encode(out);
                out.varint(*codec);
                out.blob(data);
            }
            Op::Store { tiles, first } => {
                out.varint(op::STORE);
                encode_tiles(*tiles, out);
                out.varint(*first);
            }
            Op::Show { tiles, first } => {
                out.varint(op::SHOW);
                encode_tiles(*tiles, out);
                out.varint(*first);
            }
            Op::Video(unit) => unit.encode(out),
            Op::Picture { tiles } => {
                out.varint(op::PICTURE);
                encode_tiles(*tiles, out);
            }
        }
    }
}

fn encode_tiles(tiles: Rect, out: &mut Writer) {
    for n in [tiles.x / TILE, tiles.y / TILE, tiles.w.div_ceil(TILE), tiles.h.div_ceil(TILE)] {
        out.varint(n.into());
    }
}

/// Whole tiles of a surface of `size`; at least one.
fn read_tiles(input: &mut Reader<'_>, size: Size) -> Result<Rect, WireError> {
    let (columns, rows) = (size.w.div_ceil(TILE), size.h.div_ceil(TILE));
    let mut place = |what, end: u32| input.number(what, end.saturating_sub(1).into()).map(|n| n as u32);
    let (x, y) = (place("column of tiles", columns)?, place("row of tiles", rows)?);
    let mut length = |what, most: u32| match input.number(what, most.into())? {
        0 => Err(WireError::Value { what, got: 0 }),
        n => Ok(n as u32),
    };
    let (w, h) = (length("columns of tiles", columns - x)?, length("rows of tiles", rows - y)?);
    let end = |from: u32, n: u32, side: u32| ((from + n) * TILE).min(side);
    Ok(Rect::span(x * TILE, y * TILE, end(x, w, size.w), end(y, h, size.h)))
}

/// A frame as it was received: its header, and its steps, checked against the surface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The header.
    pub header: FrameHeader,
    /// INVARIANT: every rect lies inside the surface, those of slots and pictures are whole tiles, a picture's inside
    /// the rect of the one access unit before it, and all work together is at most [`Frame::MAX_REPAINT`] times the
    /// surface's area.
    pub ops: Vec<Op>,
}

/// What was agreed on that decides what a frame may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Cells of slots; 0: none.
    pub slots: u64,
    /// Codecs of access units.
    pub video: VideoCodecs,
}

impl Terms {
    /// On a surface of this format: only colour of eight bits has video.
    pub fn on(self, format: PixelFormat) -> Self {
        let video = if format == PixelFormat::Bgrx8 { self.video } else { VideoCodecs::default() };
        Self { video, ..self }
    }
}

impl Frame {
    /// A frame may paint or store each pixel this often: a bound on the work that a few bytes can ask for.
    pub const MAX_REPAINT: u64 = 4;

    /// Reads the steps of a frame for a surface of `size`, by what was agreed on for it. `bytes` is the whole stream.
    pub fn read(bytes: &Bytes, size: Size, terms: Terms) -> Result<Frame, WireError> {
        let mut input = Reader::new(bytes);
        let header = FrameHeader::decode(&mut input)?;
        let mut ops = Vec::new();
        let mut work = size.area().saturating_mul(Self::MAX_REPAINT);
        let mut picture = None;
        while !input.is_empty() {
            let step = read_op(&mut input, bytes, size, terms)?;
            match &step {
                Op::Video(unit) if picture.replace(unit.rect).is_some() => {
                    return Err(WireError::Limit { what: "access units of a frame", limit: 1, got: 2 });
                }
                Op::Picture { tiles } if !picture.is_some_and(|rect: Rect| rect.contains(*tiles)) => {
                    return Err(WireError::Value { what: "tile outside a picture", got: tiles.x.into() });
                }
                _ => (),
            }
            let area = step.work();
            let Some(left) = work.checked_sub(area) else {
                return Err(WireError::Limit { what: "pixels painted by a frame", limit: work, got: area });
            };
            work = left;
            if ops.len() == MAX_OPS {
                let (limit, got) = (MAX_OPS as u64, MAX_OPS as u64 + 1);
                return Err(WireError::Limit { what: "operations of a frame", limit, got });
            }
            ops.push(step);
        }
        Ok(Frame { header, ops })
    }
}

fn read_op(input: &mut Reader<'_>, whole: &Bytes, size: Size, terms: Terms) -> Result<Op, WireError> {
    let inside = |rect: Rect| {
        if size.rect().contains(rect) {
            Ok(rect)
        } else {
            Err(WireError::Limit {
                what: "edge of a rect",
                limit: size.w.max(size.h).into(),
                got: rect.right().max(rect.bottom()).into(),
            })
        }
    };
    match input.varint()? {
        op::FILL => Ok(Op::Fill { rect: inside(Rect::decode(input)?)?, pixel: input.array()? }),
        op::COPY => {
            let from = inside(Rect::decode(input)?)?;
            let to = Point::decode(input)?;
            inside(from.at(to))?;
            Ok(Op::Copy { from, to })
        }
        op::CODED => {
            let rect = inside(Rect::decode(input)?)?;
            let codec = match input.varint()? {
                known @ (codec::LOSSLESS | codec::SCALED) => known,
                pass @ (codec::FIRST | codec::HIGH | codec::LOW) if is_whole_tiles(rect, size) => pass,
                got @ (codec::FIRST | codec::HIGH | codec::LOW) => {
                    return Err(WireError::Value { what: "pass over a part of a tile", got });
                }
                got => return Err(WireError::Value { what: "codec", got }),
            };
            let limit = if codec == codec::SCALED { MAX_SCALED_PIXELS } else { MAX_CODED_PIXELS };
            if rect.area() > limit {
                return Err(WireError::Limit { what: "pixels of a coded rect", limit, got: rect.area() });
            }
            let data = whole.slice_ref(input.blob("coded length", MAX_FRAME as u64)?);
            Ok(Op::Coded { rect, codec, data })
        }
        op::STORE if terms.slots > 0 => {
            let tiles = read_tiles(input, size)?;
            // Each takes a cell at the least.
            let got = u64::from(tiles.w.div_ceil(TILE)) * u64::from(tiles.h.div_ceil(TILE));
            if got > terms.slots {
                return Err(WireError::Limit { what: "tiles stored", limit: terms.slots, got });
            }
            Ok(Op::Store { tiles, first: input.varint()? })
        }
        op::SHOW if terms.slots > 0 => {
            Ok(Op::Show { tiles: read_tiles(input, size)?, first: input.varint()? })
        }
        op::VIDEO if !terms.video.is_empty() => {
            let unit = Unit::read(input, whole)?;
            inside(unit.rect)?;
            if !terms.video.contains(unit.codec) {
                return Err(WireError::Value { what: "codec of an access unit", got: unit.codec });
            }
            Ok(Op::Video(unit))
        }
        op::PICTURE if !terms.video.is_empty() => Ok(Op::Picture { tiles: read_tiles(input, size)? }),
        got => Err(WireError::Value { what: "operation", got }),
    }
}

/// The data of a first pass or of high bits: the error that it states, in sample values, and what the codec made.
/// `None` where it states none: that cannot be decoded.
pub fn pass_data(data: &[u8]) -> Option<(u32, &[u8])> {
    let mut input = Reader::new(data);
    let error = input.u32v("error").ok()?;
    Some((error, &data[data.len() - input.left()..]))
}

/// True if no tile of a surface of `size` is in `rect` with only a part of it.
fn is_whole_tiles(rect: Rect, size: Size) -> bool {
    let is_edge = |at: u32, side: u32| at.is_multiple_of(TILE) || at == side;
    is_edge(rect.x, size.w)
        && is_edge(rect.y, size.h)
        && is_edge(rect.right(), size.w)
        && is_edge(rect.bottom(), size.h)
}

/// Client, datagram: which frames were applied. Each supersedes the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Every frame up to this one was applied.
    pub applied_to: u64,
    /// Bit i: frame `applied_to + 2 + i` was applied too.
    pub beyond: u64,
    /// How long the newest frame took to decode and paint, in microseconds.
    pub decode_us: u64,
    /// Frames received whole that wait for others.
    pub waiting: u64,
}

impl Encode for Feedback {
    fn encode(&self, out: &mut Writer) {
        out.varint(datagram::FEEDBACK);
        out.varint(self.applied_to);
        out.u64(self.beyond);
        out.varint(self.decode_us);
        out.varint(self.waiting);
    }
}

impl Decode for Feedback {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        expect(input, datagram::FEEDBACK)?;
        Ok(Feedback {
            applied_to: input.varint()?,
            beyond: input.u64()?,
            decode_us: input.varint()?,
            waiting: input.varint()?,
        })
    }
}

/// Server, datagram: the lease goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// The server's clock, in microseconds.
    pub server_us: u64,
    /// The age of the oldest change that the client is not known to show, in microseconds: what it shows is the
    /// desktop as it was this long before `server_us`.
    pub behind_us: u64,
    /// The server misses acknowledgements: answer with [`Feedback`] at once.
    pub ask: bool,
    /// The server's smoothed round-trip time, in microseconds.
    pub rtt_us: u64,
}

impl Encode for Heartbeat {
    fn encode(&self, out: &mut Writer) {
        out.varint(datagram::HEARTBEAT);
        out.varint(self.server_us);
        out.varint(self.behind_us);
        out.flag(self.ask);
        out.varint(self.rtt_us);
    }
}

impl Decode for Heartbeat {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        expect(input, datagram::HEARTBEAT)?;
        Ok(Heartbeat {
            server_us: input.varint()?,
            behind_us: input.varint()?,
            ask: input.flag("heartbeat asks")?,
            rtt_us: input.varint()?,
        })
    }
}

/// Server, datagram: where the cursor is. Each supersedes those of a lower number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CursorPosition {
    /// Counts up.
    pub seq: u64,
    /// Where its hotspot is.
    pub at: super::input::Place,
    /// Whether it shows.
    pub visible: bool,
}

impl Encode for CursorPosition {
    fn encode(&self, out: &mut Writer) {
        out.varint(datagram::CURSOR);
        out.varint(self.seq);
        self.at.encode(out);
        out.flag(self.visible);
    }
}

impl Decode for CursorPosition {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        expect(input, datagram::CURSOR)?;
        Ok(CursorPosition {
            seq: input.varint()?,
            at: Decode::decode(input)?,
            visible: input.flag("cursor visible")?,
        })
    }
}

/// Server, a stream of its own: the cursor's picture. Each supersedes those of a lower number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorShape {
    /// Counts up.
    pub seq: u64,
    /// Columns and rows, at most [`MAX_CURSOR`] each.
    pub size: Size,
    /// The pixel that points.
    pub hotspot: Point,
    /// B, G, R, A with colour already multiplied by alpha, row by row: `size.area() * 4` bytes.
    pub bgra: Bytes,
}

impl Encode for CursorShape {
    fn encode(&self, out: &mut Writer) {
        out.varint(stream::CURSOR);
        out.varint(self.seq);
        self.size.encode(out);
        self.hotspot.encode(out);
        out.bytes(&self.bgra);
    }
}

impl Decode for CursorShape {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        match input.varint()? {
            stream::CURSOR => (),
            got => return Err(WireError::Value { what: "stream kind", got }),
        }
        let seq = input.varint()?;
        let size = Size::decode(input)?;
        let side = size.w.max(size.h);
        if side > MAX_CURSOR {
            return Err(WireError::Limit { what: "cursor side", limit: MAX_CURSOR.into(), got: side.into() });
        }
        let hotspot = Point::decode(input)?;
        if !size.rect().contains_point(hotspot) {
            return Err(WireError::Value { what: "cursor hotspot", got: hotspot.x.max(hotspot.y).into() });
        }
        let bgra = Bytes::copy_from_slice(input.bytes(size.area() as usize * 4)?);
        Ok(CursorShape { seq, size, hotspot, bgra })
    }
}

fn expect(input: &mut Reader<'_>, kind: u64) -> Result<(), WireError> {
    match input.varint()? {
        got if got == kind => Ok(()),
        got => Err(WireError::Value { what: "datagram kind", got }),
    }
}
