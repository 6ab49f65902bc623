//! What a frame is made of.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{MAX_CODED_PIXELS, MAX_FRAME, MAX_SCALED_PIXELS, Terms};
use crate::exact::{Pass, UNSTATED};
use crate::geom::{Point, Rect, Size, TILE, TileGrid, TileIndex};
use crate::msg::update::Update;
use crate::msg::video::Unit;
use crate::wire::ids::{codec, op};
use crate::wire::{Decode, Encode, Reader, WireError, Writer};

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
    /// Changes in some tiles, by a model that has learned from those before.
    Update(Box<Update>),
}

/// What an operation does to the tiles that it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Paints samples of its own.
    Paint(Pass),
    /// Adds the low bits to the high ones that are there.
    Low,
    /// Paints what is predicted from exact samples that are there: those of [`Op::builds_on`].
    Predict,
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
            Op::Coded { codec: codec::INTER, .. } => Step::Predict,
            Op::Update(unit) if !unit.alone => Step::Predict,
            Op::Picture { .. } => Step::Paint(Pass::First { error: UNSTATED }),
            Op::Fill { .. } | Op::Coded { .. } | Op::Show { .. } | Op::Update(_) => Step::Paint(Pass::Exact),
            Op::Store { .. } | Op::Video(_) => Step::Nothing,
        }
    }

    /// The pixels it paints; none where it paints nothing. An update paints some of these tiles only.
    pub fn target(&self) -> Rect {
        match self {
            Op::Fill { rect, .. } | Op::Coded { rect, .. } => *rect,
            Op::Show { tiles, .. } | Op::Picture { tiles } => *tiles,
            Op::Copy { from, to } => from.at(*to),
            Op::Update(unit) => unit.rect(),
            Op::Store { .. } | Op::Video(_) => Rect::default(),
        }
    }

    /// The tiles that it paints, or paints in part, by rising number.
    pub fn tiles(&self, grid: TileGrid) -> impl Iterator<Item = TileIndex> + '_ {
        let some = if let Op::Update(unit) = self { Some(unit.tiles()) } else { None };
        let is_one = move |tile: &TileIndex| {
            some.is_none_or(|some| some.contains(tile % grid.cols(), tile / grid.cols()))
        };
        grid.touching(self.target()).filter(is_one)
    }

    /// The tiles that must be exact for it to be done, by rising number: what it paints is predicted from them.
    pub fn builds_on(&self, grid: TileGrid) -> Vec<TileIndex> {
        match self {
            Op::Coded { rect, codec: codec::INTER, .. } => grid.touching(*rect).collect(),
            Op::Update(unit) if !unit.alone => unit.tiles().with_neighbours(grid).tiles(grid).collect(),
            _ => Vec::new(),
        }
    }

    /// How many pixels it takes in hand.
    pub fn work(&self) -> u64 {
        match self {
            Op::Store { tiles, .. } => tiles.area(),
            Op::Video(unit) => unit.rect.area(),
            Op::Update(unit) => unit.pixels(),
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
            Op::Update(unit) => unit.encode(out),
        }
    }
}

fn encode_tiles(tiles: Rect, out: &mut Writer) {
    for n in [tiles.x / TILE, tiles.y / TILE, tiles.w.div_ceil(TILE), tiles.h.div_ceil(TILE)] {
        out.varint(n.into());
    }
}

/// A rectangle of tiles of the surface, in tiles; at least one.
fn read_area(input: &mut Reader<'_>, grid: TileGrid) -> Result<Rect, WireError> {
    let mut place = |what, end: u32| input.number(what, end.saturating_sub(1).into()).map(|n| n as u32);
    let (x, y) = (place("column of tiles", grid.cols())?, place("row of tiles", grid.rows())?);
    let mut length = |what, most: u32| match input.number(what, most.into())? {
        0 => Err(WireError::Value { what, got: 0 }),
        n => Ok(n as u32),
    };
    let (w, h) = (length("columns of tiles", grid.cols() - x)?, length("rows of tiles", grid.rows() - y)?);
    Ok(Rect::new(x, y, w, h))
}

/// The same in pixels.
fn read_tiles(input: &mut Reader<'_>, size: Size) -> Result<Rect, WireError> {
    let area = read_area(input, TileGrid::new(size))?;
    let end = |tiles: u32, side: u32| (tiles * TILE).min(side);
    Ok(Rect::span(area.x * TILE, area.y * TILE, end(area.right(), size.w), end(area.bottom(), size.h)))
}

/// Reads the next step; `whole` is what `input` reads.
pub(super) fn read_op(
    input: &mut Reader<'_>,
    whole: &Bytes,
    size: Size,
    terms: Terms,
) -> Result<Op, WireError> {
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
                known @ (codec::LOSSLESS | codec::INTER | codec::SCALED) => known,
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
        op::UPDATE if terms.models > 0 => {
            let grid = TileGrid::new(size);
            let area = read_area(input, grid)?;
            Ok(Op::Update(Box::new(Update::read(input, whole, grid, area, terms.models)?)))
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
