//! SPEC.md, "Display": frames and what they paint, feedback, heartbeats and the cursor.

mod op;

use alloc::vec::Vec;

use bytes::Bytes;
pub use op::{Op, Step, pass_data};

use crate::geom::{Point, Rect, Size};
use crate::msg::update::MAX_UPDATES;
use crate::msg::video::VideoCodecs;
use crate::pixel::PixelFormat;
use crate::wire::ids::{datagram, stream};
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
    /// The generation that the surface it paints had when it was made: no two surfaces of a session have the same.
    pub generation: u32,
    /// The frame's number: counts up by one over all surfaces of the session, from 1.
    pub seq: u64,
    /// Every frame up to this one must have been applied (or be void) before it.
    pub base: u64,
    /// When the picture was taken, on the server's clock in microseconds, if it says so.
    pub capture_us: Option<u64>,
}

/// A frame's number is sent modulo this. Less is under way at any time.
const NUMBERS: u64 = 256;
/// In the kind of the stream: the distance of `base` less one, or this where it follows.
const BACK: u64 = 3;
/// In the kind of the stream: the time of the picture follows.
const TIMED: u64 = 4;

/// True for the kinds of streams that carry a frame.
pub(crate) fn is_frame(kind: u64) -> bool {
    kind & !(BACK | TIMED) == stream::FRAME
}

impl Encode for FrameHeader {
    fn encode(&self, out: &mut Writer) {
        let back = self.seq.saturating_sub(self.base);
        let (short, timed) = (back.saturating_sub(1).min(BACK), self.capture_us.map_or(0, |_| TIMED));
        out.varint(stream::FRAME + short + timed);
        out.varint(self.generation.into());
        out.u8((self.seq % NUMBERS) as u8);
        if short == BACK {
            out.varint(back);
        }
        if let Some(at) = self.capture_us {
            out.varint(at);
        }
    }
}

impl FrameHeader {
    /// Reads the header of a frame whose number is the first above `after` that fits.
    pub fn read(input: &mut Reader<'_>, after: u64) -> Result<Self, WireError> {
        let flags = match input.varint()? {
            kind if is_frame(kind) => kind - stream::FRAME,
            got => return Err(WireError::Value { what: "stream kind", got }),
        };
        let generation = input.u32v("generation")?;
        let low = u64::from(input.u8()?);
        let next = after.saturating_add(1);
        let seq = next.saturating_add(low.wrapping_sub(next) % NUMBERS);
        let back = match flags & BACK {
            BACK => match input.varint()? {
                got @ 0..=BACK => return Err(WireError::Value { what: "base distance", got }),
                back => back,
            },
            short => short + 1,
        };
        let base =
            seq.checked_sub(back).ok_or(WireError::Limit { what: "base distance", limit: seq, got: back })?;
        let capture_us = if flags & TIMED != 0 { Some(input.varint()?) } else { None };
        Ok(FrameHeader { generation, seq, base, capture_us })
    }
}

/// A frame as it was received: its header, and its steps, checked against the surface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The header.
    pub header: FrameHeader,
    /// INVARIANT: every rect lies inside the surface, those of slots, pictures and updates are whole tiles, a picture's
    /// inside the rect of the one access unit before it, there are at most [`MAX_UPDATES`] updates, and all work together is at most [`Frame::MAX_REPAINT`] times the
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
    /// Registers of models; 0: none.
    pub models: u8,
}

impl Terms {
    /// On a surface of this format: only colour of eight bits has video and models.
    pub fn on(self, format: PixelFormat) -> Self {
        match format {
            PixelFormat::Bgrx8 => self,
            _ => Self { slots: self.slots, ..Self::default() },
        }
    }
}

impl Frame {
    /// A frame may paint or store each pixel this often: a bound on the work that a few bytes can ask for.
    pub const MAX_REPAINT: u64 = 4;

    /// Reads the steps of a frame for a surface of `size`, by what was agreed on for it. `bytes` is the whole stream; the
    /// frame's number is the first above `after` that fits.
    pub fn read(bytes: &Bytes, after: u64, size: Size, terms: Terms) -> Result<Frame, WireError> {
        let mut input = Reader::new(bytes);
        let header = FrameHeader::read(&mut input, after)?;
        let mut ops = Vec::new();
        let mut work = size.area().saturating_mul(Self::MAX_REPAINT);
        let (mut picture, mut units) = (None, 0);
        while !input.is_empty() {
            let step = op::read_op(&mut input, bytes, size, terms)?;
            match &step {
                Op::Video(unit) if picture.replace(unit.rect).is_some() => {
                    return Err(WireError::Limit { what: "access units of a frame", limit: 1, got: 2 });
                }
                Op::Picture { tiles } if !picture.is_some_and(|rect: Rect| rect.contains(*tiles)) => {
                    return Err(WireError::Value { what: "tile outside a picture", got: tiles.x.into() });
                }
                Op::Update(_) if units == MAX_UPDATES => {
                    let limit = MAX_UPDATES as u64;
                    return Err(WireError::Limit { what: "units of a frame", limit, got: limit + 1 });
                }
                Op::Update(_) => units += 1,
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
