//! Pictures of 3x2 tiles of two halves each, three slots and two registers: the least that has partial writes, copies
//! between tiles, slots that are displaced, and models that are copied.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use lightbox_protocol::digest::Digest;
use lightbox_protocol::exact::{Left, SlotUse, Write};
use lightbox_protocol::geom::{Rect, Size, TileGrid, TileIndex, TileMask};
use lightbox_protocol::msg::control::Surface;
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::msg::update::{Models, Update};
use lightbox_protocol::pixel::PixelFormat;
use lightbox_protocol::wire::Writer;
use lightbox_protocol::wire::ids::codec;
use proptest::prelude::*;

/// Tiles of the picture.
pub(crate) const TILES: usize = 6;

/// What each half of each tile shows; 0 is blank.
pub(crate) type Picture = [[u32; 2]; TILES];

const SIZE: Size = Size::new(192, 128);
/// Slots that a client keeps; each takes one cell.
pub(crate) const CELLS: u64 = 3;

/// Registers that a client has.
pub(crate) const REGISTERS: u8 = 2;

/// What a client keeps beside the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Aside {
    /// The slots that are not displaced.
    pub(crate) slots: BTreeMap<u64, [u32; 2]>,
    /// What the models have learned, by register; those that are empty are not here.
    pub(crate) models: BTreeMap<u8, u32>,
}

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
    /// The tile is put aside.
    Store { tile: usize, slot: u64 },
    /// The tile becomes what was put aside.
    Show { slot: u64, tile: usize },
    /// The tiles whose bits are set get new values, by a model; `saw` is what the server's coder had before it.
    Unit { tiles: u8, alone: bool, models: Models, saw: u32 },
    /// The half gets a new value, predicted from what it shows.
    Inter { at: Half, saw: u32 },
}

/// What frames so far leave in each tile.
pub(crate) type Passes = [Kind; TILES];

/// How near to the source a tile is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing was painted yet.
    #[default]
    Blank,
    Exact,
    First,
    High,
}

/// The errors that first passes and high bits state here.
pub(crate) const ERRORS: [u32; 2] = [255, 2];

/// Steps that meet in few tiles, so that frames depend on each other often. Slots have their numbers from [`number`]:
/// those shown are counted back from the newest until then.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let half = || (0..TILES, 0..2usize);
    let step = prop_oneof![
        2 => half().prop_map(Step::Paint),
        2 => (0..TILES).prop_map(Step::PaintWhole),
        2 => (half(), half()).prop_map(|(from, to)| Step::Copy { from, to }),
        1 => (0..TILES).prop_map(Step::First),
        2 => (0..TILES).prop_map(Step::High),
        2 => (0..TILES).prop_map(Step::Low),
        2 => (0..TILES).prop_map(|tile| Step::Store { tile, slot: 0 }),
        2 => (0..CELLS, 0..TILES).prop_map(|(slot, tile)| Step::Show { slot, tile }),
        4 => (1..1u8 << TILES, any::<bool>(), 0..=REGISTERS, 0..=REGISTERS).prop_map(
            |(tiles, alone, from, into)| Step::Unit { tiles, alone, models: Models { from, into }, saw: 0 }
        ),
        2 => half().prop_map(|at| Step::Inter { at, saw: 0 }),
    ];
    prop::collection::vec(step, 1..=3)
}

/// The steps that a server may take after frames that left `passes`, while `dirty` tiles wait for their repair: what
/// is not exact it paints whole, copies nowhere and builds nothing on, and low bits follow high ones in another frame.
pub(crate) fn lawful(steps: Vec<Step>, passes: &mut Passes, dirty: &BTreeSet<TileIndex>) -> Vec<Step> {
    let before = *passes;
    let mut touched = [false; TILES];
    let mut lawful = Vec::new();
    for step in steps {
        let is_dirty = |tile: usize| !touched[tile] && dirty.contains(&(tile as TileIndex));
        let is_coarse = |tile: usize| matches!(passes[tile], Kind::First | Kind::High) || is_dirty(tile);
        let is_exact = |tile: usize| passes[tile] == Kind::Exact && !is_dirty(tile);
        let step = match step {
            Step::Paint((tile, _)) if is_coarse(tile) => Step::PaintWhole(tile),
            Step::Copy { from, to } if is_coarse(from.0) || is_coarse(to.0) => Step::PaintWhole(to.0),
            Step::Store { tile, .. } if is_coarse(tile) => Step::PaintWhole(tile),
            Step::Low(tile) if before[tile] != Kind::High || touched[tile] => Step::PaintWhole(tile),
            Step::Unit { tiles, models, .. } if !around(tiles).all(is_exact) => {
                Step::Unit { tiles, alone: true, models, saw: 0 }
            }
            Step::Inter { at, .. } if !is_exact(at.0) => Step::PaintWhole(at.0),
            step => step,
        };
        let (tile, kind) = match step {
            Step::Paint((tile, _)) | Step::PaintWhole(tile) | Step::Low(tile) => (tile, Kind::Exact),
            Step::Copy { to, .. } => (to.0, Kind::Exact),
            Step::Show { tile, .. } => (tile, Kind::Exact),
            Step::Inter { at, .. } => (at.0, Kind::Exact),
            Step::Store { .. } => {
                lawful.push(step);
                continue;
            }
            Step::Unit { tiles, .. } => {
                for tile in of(tiles) {
                    (touched[tile], passes[tile]) = (true, Kind::Exact);
                }
                lawful.push(step);
                continue;
            }
            Step::First(tile) => (tile, Kind::First),
            Step::High(tile) => (tile, Kind::High),
        };
        touched[tile] = true;
        passes[tile] = kind;
        lawful.push(step);
    }
    lawful
}

/// Gives the slots of `steps` their numbers, of which `next` is the first free one; none below `oldest` is shown.
pub(crate) fn number(steps: &mut [Step], next: &mut u64, oldest: u64) {
    for step in steps {
        match *step {
            Step::Store { tile, .. } => {
                *step = Step::Store { tile, slot: *next };
                *next += 1;
            }
            Step::Show { slot: back, tile } => {
                let slot = next.checked_sub(back + 1).filter(|slot| *slot >= oldest);
                *step = slot.map_or(Step::PaintWhole(tile), |slot| Step::Show { slot, tile });
            }
            _ => (),
        }
    }
}

/// Lets units start from a register only if the server is `sure` what it holds.
pub(crate) fn start(steps: &mut [Step], sure: &mut BTreeSet<u8>) {
    for step in steps {
        if let Step::Unit { models, .. } = step {
            if !sure.contains(&models.from) {
                models.from = 0;
            }
            sure.extend((models.into != 0).then_some(models.into));
        }
    }
}

/// Paints `steps` of frame `seq` as a client does, from a server whose snapshot is `source` after the frame; tiles in
/// `keep` are left as they are. False if a slot is shown that holds nothing, or a unit starts from an empty register.
pub(crate) fn paint(
    picture: &mut Picture,
    aside: &mut Aside,
    seq: u64,
    steps: &[Step],
    source: &Picture,
    keep: &[TileIndex],
) -> bool {
    let before = *picture;
    let mut all_there = true;
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
            Step::Store { tile, slot } => store(aside, slot, picture[tile]),
            Step::Show { slot, tile } => {
                all_there &= aside.slots.contains_key(&slot);
                picture[tile] = aside.slots.get(&slot).copied().unwrap_or_default();
            }
            Step::Unit { tiles, models, saw, .. } => {
                all_there &= models.from == 0 || aside.models.contains_key(&models.from);
                let sees = sees(picture, aside, step);
                // Who sees something else than the coder did reads something else out of the same bytes.
                of(tiles).for_each(|tile| picture[tile] = [left, right].map(|value| value ^ sees ^ saw));
                learn(aside, models, sees, left);
            }
            Step::Inter { at, saw } => picture[at.0][at.1] = left ^ sees(picture, aside, step) ^ saw,
        }
    }
    keep.iter().for_each(|tile| picture[*tile as usize] = before[*tile as usize]);
    all_there
}

/// Fills a slot, and displaces those that are too old.
fn store(aside: &mut Aside, slot: u64, tile: [u32; 2]) {
    let slots = &mut aside.slots;
    slots.insert(slot, tile);
    while slots.keys().next_back().zip(slots.keys().next()).is_some_and(|(n, o)| n - o >= CELLS) {
        slots.pop_first();
    }
}

/// All that a unit's or a rect's decoder has before it, in a number.
fn sees(picture: &Picture, aside: &Aside, step: &Step) -> u32 {
    let mix = |sum: u32, value: u32| (sum.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B1);
    match *step {
        Step::Unit { tiles, alone, models, .. } => {
            let model = aside.models.get(&models.from).copied().unwrap_or_default();
            let read = around(tiles).filter(|_| !alone).flat_map(|tile| picture[tile]);
            read.fold(model, mix)
        }
        Step::Inter { at, .. } => mix(0, picture[at.0][at.1]),
        _ => 0,
    }
}

/// The model of a unit goes where it belongs, changed by what it saw and what came out.
fn learn(aside: &mut Aside, models: Models, sees: u32, value: u32) {
    if models.into != 0 {
        aside.models.insert(models.into, sees.rotate_left(7) ^ value);
    }
}

/// The numbers of these tiles.
fn of(tiles: u8) -> impl Iterator<Item = usize> + Clone {
    (0..TILES).filter(move |tile| tiles >> tile & 1 == 1)
}

/// These tiles and those beside them.
fn around(tiles: u8) -> impl Iterator<Item = usize> {
    let grid = TileGrid::new(SIZE);
    let near = TileMask::of(grid, of(tiles).map(|tile| tile as TileIndex)).with_neighbours(grid);
    (0..TILES).filter(move |tile| near.tiles(grid).any(|one| one as usize == *tile))
}

/// The server's snapshot after frame `seq`, of which `snapshot` was before; `aside` has what the client should have.
/// Units and rects are told what their coder saw.
pub(crate) fn change(snapshot: &mut Picture, aside: &mut Aside, seq: u64, steps: &mut [Step]) {
    for (i, step) in steps.iter_mut().enumerate() {
        let [left, right] = fresh(seq, i);
        let seen = sees(snapshot, aside, step);
        match step {
            Step::Paint((tile, half)) => snapshot[*tile][*half] = left,
            Step::PaintWhole(tile) | Step::First(tile) | Step::High(tile) => snapshot[*tile] = [left, right],
            Step::Low(_) => (),
            Step::Copy { from, to } => snapshot[to.0][to.1] = snapshot[from.0][from.1],
            Step::Store { tile, slot } => store(aside, *slot, snapshot[*tile]),
            Step::Show { slot, tile } => {
                snapshot[*tile] = aside.slots.get(slot).copied().unwrap_or_default();
            }
            Step::Unit { tiles, models, saw, .. } => {
                *saw = seen;
                of(*tiles).for_each(|tile| snapshot[tile] = [left, right]);
                learn(aside, *models, seen, left);
            }
            Step::Inter { at, saw } => {
                *saw = seen;
                snapshot[at.0][at.1] = left;
            }
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
        Step::Store { tile, slot } => Op::Store { tiles: whole(tile), first: slot },
        Step::Show { slot, tile } => Op::Show { tiles: whole(tile), first: slot },
        Step::Unit { tiles, alone, models, .. } => {
            let grid = TileGrid::new(SIZE);
            let tiles = TileMask::of(grid, of(tiles).map(|tile| tile as TileIndex));
            Op::Update(Box::new(Update::new(grid, tiles, alone, models, Bytes::new())))
        }
        Step::Inter { at, .. } => Op::Coded { rect: half(at), codec: codec::INTER, data: Bytes::new() },
    };
    steps.iter().map(op).collect()
}

/// The tiles that `steps` copy from, add low bits to, build on, or put aside without having painted them whole.
pub(crate) fn reads(steps: &[Step]) -> Vec<TileIndex> {
    let is_own = |before: &[Step], tile: usize| {
        before.iter().any(|step| match *step {
            Step::PaintWhole(painted) | Step::Show { tile: painted, .. } => painted == tile,
            _ => false,
        })
    };
    let sources = steps.iter().enumerate().filter_map(|(i, step)| match *step {
        Step::Copy { from, .. } => Some(from.0 as TileIndex),
        Step::Low(tile) => Some(tile as TileIndex),
        Step::Store { tile, .. } if !is_own(&steps[..i], tile) => Some(tile as TileIndex),
        _ => None,
    });
    let grid = TileGrid::new(SIZE);
    sorted(sources.chain(ops(steps).iter().flat_map(|op| op.builds_on(grid))))
}

/// What `steps` do with slots.
pub(crate) fn slots(steps: &[Step]) -> SlotUse {
    let mut all = SlotUse::default();
    for step in steps {
        match *step {
            Step::Store { slot, .. } => all.stores.push(slot..slot + 1),
            Step::Show { slot, .. } => all.shows.push(slot..slot + 1),
            _ => (),
        }
    }
    all
}

/// The tiles that `steps` paint, and whether whole; `passes` has what they leave, and `digest` gives the digest of a
/// tile after the frame.
pub(crate) fn writes(steps: &[Step], passes: &Passes, digest: impl Fn(TileIndex) -> Digest) -> Vec<Write> {
    let painted = |step: &Step| match *step {
        Step::Paint((tile, _)) | Step::Copy { to: (tile, _), .. } | Step::Inter { at: (tile, _), .. } => {
            (1 << tile, false)
        }
        Step::PaintWhole(tile)
        | Step::Show { tile, .. }
        | Step::First(tile)
        | Step::High(tile)
        | Step::Low(tile) => (1 << tile, true),
        Step::Unit { tiles, alone, .. } => (tiles, alone),
        Step::Store { .. } => (0, false),
    };
    let painted = steps.iter().map(painted);
    let painted: Vec<_> =
        painted.flat_map(|(tiles, whole)| of(tiles).map(move |tile| (tile as TileIndex, whole))).collect();
    let tiles = sorted(painted.iter().map(|(tile, _)| *tile));
    let left = |tile: TileIndex| match passes[tile as usize] {
        Kind::Blank | Kind::Exact => Left::Exact(digest(tile)),
        Kind::First => Left::First,
        Kind::High => Left::High,
    };
    tiles
        .into_iter()
        .map(|tile| Write { tile, whole: painted.contains(&(tile, true)), left: left(tile) })
        .collect()
}

fn sorted(tiles: impl Iterator<Item = TileIndex>) -> Vec<TileIndex> {
    let mut tiles: Vec<_> = tiles.collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}
