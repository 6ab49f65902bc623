//! Pictures of 3x2 tiles of two halves each: the least that has partial writes, copies, and copies between tiles.

use std::collections::BTreeSet;

use bytes::Bytes;
use lightbox_protocol::digest::Digest;
use lightbox_protocol::exact::{Left, Write};
use lightbox_protocol::geom::{Rect, Size, TileGrid, TileIndex};
use lightbox_protocol::msg::control::Surface;
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::pixel::PixelFormat;
use lightbox_protocol::wire::Writer;
use lightbox_protocol::wire::ids::codec;
use proptest::prelude::*;

/// Tiles of the picture.
pub(crate) const TILES: usize = 6;

/// What each half of each tile shows; 0 is blank.
pub(crate) type Picture = [[u32; 2]; TILES];

const SIZE: Size = Size::new(192, 128);

/// A surface of that many tiles.
pub(crate) fn surface(generation: u32) -> Surface {
    let nonce = [generation as u8; 16];
    Surface { id: 1, generation, nonce, size: SIZE, format: PixelFormat::Gray8 }
}

/// A place in the picture: tile and half.
pub(crate) type Half = (usize, usize);

/// One operation of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The half gets a value that no other frame ever paints.
    Paint(Half),
    /// Both halves of the tile do.
    PaintWhole(usize),
    /// Both halves of the tile change at the source, and a first pass of them is painted.
    First(usize),
    /// The same with the high bits.
    High(usize),
    /// The low bits of what the source showed when the high bits were painted.
    Low(usize),
    /// The half gets what another shows.
    Copy { from: Half, to: Half },
}

/// What frames so far leave in each tile.
pub(crate) type Passes = [Kind; TILES];

/// How near to the source a tile is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Exact,
    First,
    High,
}

/// The errors that first passes and high bits state here.
pub(crate) const ERRORS: [u32; 2] = [255, 2];

/// Steps that meet in few tiles, so that frames depend on each other often.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let half = || (0..TILES, 0..2usize);
    let step = prop_oneof![
        2 => half().prop_map(Step::Paint),
        2 => (0..TILES).prop_map(Step::PaintWhole),
        2 => (half(), half()).prop_map(|(from, to)| Step::Copy { from, to }),
        1 => (0..TILES).prop_map(Step::First),
        2 => (0..TILES).prop_map(Step::High),
        2 => (0..TILES).prop_map(Step::Low),
    ];
    prop::collection::vec(step, 1..=3)
}

/// The steps that a server may take after frames that left `passes`, while `dirty` tiles wait for their repair: what
/// is not exact it paints whole and copies nowhere, and low bits follow high ones in another frame.
pub(crate) fn lawful(steps: Vec<Step>, passes: &mut Passes, dirty: &BTreeSet<TileIndex>) -> Vec<Step> {
    let before = *passes;
    let mut touched = [false; TILES];
    let mut lawful = Vec::new();
    for step in steps {
        let is_dirty = |tile: usize| !touched[tile] && dirty.contains(&(tile as TileIndex));
        let is_coarse = |tile: usize| passes[tile] != Kind::Exact || is_dirty(tile);
        let step = match step {
            Step::Paint((tile, _)) if is_coarse(tile) => Step::PaintWhole(tile),
            Step::Copy { from, to } if is_coarse(from.0) || is_coarse(to.0) => Step::PaintWhole(to.0),
            Step::Low(tile) if before[tile] != Kind::High || touched[tile] => Step::PaintWhole(tile),
            step => step,
        };
        let (tile, kind) = match step {
            Step::Paint((tile, _)) | Step::PaintWhole(tile) | Step::Low(tile) => (tile, Kind::Exact),
            Step::Copy { to, .. } => (to.0, Kind::Exact),
            Step::First(tile) => (tile, Kind::First),
            Step::High(tile) => (tile, Kind::High),
        };
        touched[tile] = true;
        passes[tile] = kind;
        lawful.push(step);
    }
    lawful
}

/// Paints `steps` of frame `seq` as a client does, from a server whose snapshot is `source` after the frame; tiles in
/// `keep` are left as they are.
pub(crate) fn paint(picture: &mut Picture, seq: u64, steps: &[Step], source: &Picture, keep: &[TileIndex]) {
    let before = *picture;
    for (i, step) in steps.iter().enumerate() {
        let [left, right] = fresh(seq, i);
        match *step {
            Step::Paint((tile, half)) => picture[tile][half] = left,
            Step::PaintWhole(tile) => picture[tile] = [left, right],
            Step::First(tile) => picture[tile] = [left & !0xFF, right & !0xFF],
            Step::High(tile) => picture[tile] = [left & !3, right & !3],
            Step::Low(tile) => {
                for (shown, source) in picture[tile].iter_mut().zip(source[tile]) {
                    *shown |= source & 3;
                }
            }
            Step::Copy { from, to } => picture[to.0][to.1] = picture[from.0][from.1],
        }
    }
    keep.iter().for_each(|tile| picture[*tile as usize] = before[*tile as usize]);
}

/// The server's snapshot after frame `seq`, of which `snapshot` was before.
pub(crate) fn change(snapshot: &mut Picture, seq: u64, steps: &[Step]) {
    for (i, step) in steps.iter().enumerate() {
        let [left, right] = fresh(seq, i);
        match *step {
            Step::Paint((tile, half)) => snapshot[tile][half] = left,
            Step::PaintWhole(tile) | Step::First(tile) | Step::High(tile) => snapshot[tile] = [left, right],
            Step::Low(_) => (),
            Step::Copy { from, to } => snapshot[to.0][to.1] = snapshot[from.0][from.1],
        }
    }
}

/// Values of two halves, which no other step paints.
fn fresh(seq: u64, step: usize) -> [u32; 2] {
    let value = (seq as u32) << 8 | (step as u32) << 1 | 1;
    [value, value + 0x80]
}

/// The steps as the operations of a frame.
pub(crate) fn ops(steps: &[Step]) -> Vec<Op> {
    let whole = |tile: usize| TileGrid::new(SIZE).rect(tile as TileIndex);
    let half = |(tile, half): Half| {
        let tile = whole(tile);
        Rect::new(tile.x + 32 * half as u32, tile.y, 32, 64)
    };
    let fill = |rect| Op::Fill { rect, pixel: [0; 4] };
    let coded = |tile, codec, data| Op::Coded { rect: whole(tile), codec, data };
    let says = |error: u32| {
        let mut data = Writer::new();
        data.varint(error.into());
        Bytes::from(data.into_vec())
    };
    let op = |step: &Step| match *step {
        Step::Paint(at) => fill(half(at)),
        Step::PaintWhole(tile) => fill(whole(tile)),
        Step::First(tile) => coded(tile, codec::FIRST, says(ERRORS[0])),
        Step::High(tile) => coded(tile, codec::HIGH, says(ERRORS[1])),
        Step::Low(tile) => coded(tile, codec::LOW, Bytes::new()),
        Step::Copy { from, to } => Op::Copy { from: half(from), to: half(to).origin() },
    };
    steps.iter().map(op).collect()
}

/// The tiles that `steps` copy from, or add low bits to.
pub(crate) fn reads(steps: &[Step]) -> Vec<TileIndex> {
    let sources = steps.iter().filter_map(|step| match step {
        Step::Copy { from, .. } => Some(from.0 as TileIndex),
        Step::Low(tile) => Some(*tile as TileIndex),
        _ => None,
    });
    sorted(sources)
}

/// The tiles that `steps` paint, and whether whole; `passes` has what they leave, and `digest` gives the digest of a
/// tile after the frame.
pub(crate) fn writes(steps: &[Step], passes: &Passes, digest: impl Fn(TileIndex) -> Digest) -> Vec<Write> {
    let halves: Vec<Half> = steps
        .iter()
        .flat_map(|step| match *step {
            Step::Paint(half) => vec![half],
            Step::PaintWhole(tile) | Step::First(tile) | Step::High(tile) | Step::Low(tile) => {
                vec![(tile, 0), (tile, 1)]
            }
            Step::Copy { to, .. } => vec![to],
        })
        .collect();
    let tiles = sorted(halves.iter().map(|(tile, _)| *tile as TileIndex));
    let paints = |tile: TileIndex, half| halves.contains(&(tile as usize, half));
    let left = |tile: TileIndex| match passes[tile as usize] {
        Kind::Exact => Left::Exact(digest(tile)),
        Kind::First => Left::First,
        Kind::High => Left::High,
    };
    tiles
        .into_iter()
        .map(|tile| Write { tile, whole: paints(tile, 0) && paints(tile, 1), left: left(tile) })
        .collect()
}

fn sorted(tiles: impl Iterator<Item = TileIndex>) -> Vec<TileIndex> {
    let mut tiles: Vec<_> = tiles.collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}
