//! Pictures of 3x2 tiles of two halves each: the least that has partial writes, copies, and copies between tiles.

use lightbox_protocol::digest::Digest;
use lightbox_protocol::exact::Write;
use lightbox_protocol::geom::{Size, TileIndex};
use lightbox_protocol::msg::control::Surface;
use lightbox_protocol::pixel::PixelFormat;
use proptest::prelude::*;

/// Tiles of the picture.
pub(crate) const TILES: usize = 6;

/// What each half of each tile shows; 0 is blank.
pub(crate) type Picture = [[u32; 2]; TILES];

/// A surface of that many tiles.
pub(crate) fn surface(generation: u32) -> Surface {
    let nonce = [generation as u8; 16];
    Surface { id: 1, generation, nonce, size: Size::new(192, 128), format: PixelFormat::Gray8 }
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
    /// The half gets what another shows.
    Copy { from: Half, to: Half },
}

/// Steps that meet in few tiles, so that frames depend on each other often.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let half = || (0..TILES, 0..2usize);
    let step = prop_oneof![
        half().prop_map(Step::Paint),
        (0..TILES).prop_map(Step::PaintWhole),
        (half(), half()).prop_map(|(from, to)| Step::Copy { from, to }),
    ];
    prop::collection::vec(step, 1..=3)
}

/// Paints `steps` of frame `seq`; tiles in `keep` are left as they are.
pub(crate) fn paint(picture: &mut Picture, seq: u64, steps: &[Step], keep: &[TileIndex]) {
    let before = *picture;
    for (i, step) in steps.iter().enumerate() {
        let fresh = (seq as u32) << 8 | (i as u32) << 1 | 1;
        match *step {
            Step::Paint((tile, half)) => picture[tile][half] = fresh,
            Step::PaintWhole(tile) => picture[tile] = [fresh, fresh + 0x80],
            Step::Copy { from, to } => picture[to.0][to.1] = picture[from.0][from.1],
        }
    }
    keep.iter().for_each(|tile| picture[*tile as usize] = before[*tile as usize]);
}

/// The tiles that `steps` copy from.
pub(crate) fn reads(steps: &[Step]) -> Vec<TileIndex> {
    let sources = steps.iter().filter_map(|step| match step {
        Step::Copy { from, .. } => Some(from.0 as TileIndex),
        _ => None,
    });
    sorted(sources)
}

/// The tiles that `steps` paint, and whether whole; `digest` gives the digest of a tile after the frame.
pub(crate) fn writes(steps: &[Step], digest: impl Fn(TileIndex) -> Digest) -> Vec<Write> {
    let halves: Vec<Half> = steps
        .iter()
        .flat_map(|step| match *step {
            Step::Paint(half) => vec![half],
            Step::PaintWhole(tile) => vec![(tile, 0), (tile, 1)],
            Step::Copy { to, .. } => vec![to],
        })
        .collect();
    let tiles = sorted(halves.iter().map(|(tile, _)| *tile as TileIndex));
    let paints = |tile: TileIndex, half| halves.contains(&(tile as usize, half));
    tiles
        .into_iter()
        .map(|tile| Write { tile, whole: paints(tile, 0) && paints(tile, 1), digest: digest(tile) })
        .collect()
}

fn sorted(tiles: impl Iterator<Item = TileIndex>) -> Vec<TileIndex> {
    let mut tiles: Vec<_> = tiles.collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}
