//! SPEC.md, "Models": units of the screen codec, and the registers that their models come from and go into.

use bytes::Bytes;

use super::display::MAX_FRAME;
use crate::geom::{Rect, TILE, TileGrid, TileMask};
use crate::wire::ids::op;
use crate::wire::{Encode, Reader, WireError, Writer};

/// The most registers that a client keeps.
pub const MAX_MODELS: u8 = 8;
/// The most units of one frame. Each may copy a model, however few pixels it paints.
pub const MAX_UPDATES: usize = 16;

/// How many registers are used between peers that announced `ours` and `theirs`.
pub fn agreed_models(ours: u64, theirs: u64) -> u8 {
    ours.min(theirs).min(MAX_MODELS.into()) as u8
}

/// One unit: changes in some tiles, coded by a model that has learned from units before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    tiles: TileMask,
    /// Where these are: whole tiles, cut at the edges of the surface.
    rect: Rect,
    /// How many pixels they have.
    pixels: u64,
    /// It paints its tiles whole and reads nothing of the surface.
    pub alone: bool,
    /// Where its model is from, and goes to.
    pub models: Models,
    /// What the codec made.
    pub data: Bytes,
}

/// The registers of a unit, from 1 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Models {
    /// The register whose model it starts from; 0: a fresh model.
    pub from: u8,
    /// The register that the model goes into as the unit leaves it; 0: it is dropped.
    pub into: u8,
}

impl Update {
    /// A unit over `tiles` of a surface with these tiles.
    pub fn new(grid: TileGrid, tiles: TileMask, alone: bool, models: Models, data: Bytes) -> Self {
        let Rect { x, y, .. } = tiles.area();
        let end = |tiles: u32, side: u32| tiles.saturating_mul(TILE).min(side);
        let (right, bottom) = (tiles.area().right(), tiles.area().bottom());
        let rect = Rect::span(x * TILE, y * TILE, end(right, grid.size().w), end(bottom, grid.size().h));
        let pixels = tiles.tiles(grid).map(|tile| grid.rect(tile).area()).sum();
        Self { tiles, rect, pixels, alone, models, data }
    }

    /// The tiles that it paints; one at the least.
    pub fn tiles(&self) -> &TileMask {
        &self.tiles
    }

    /// The pixels of the smallest rectangle of tiles that holds what it was made for.
    pub fn rect(&self) -> Rect {
        self.rect
    }

    /// How many pixels it paints.
    pub fn pixels(&self) -> u64 {
        self.pixels
    }

    /// Reads one behind its operation's number and its `area`, which counts tiles of `grid`, for a client of so many
    /// registers.
    pub(super) fn read(
        input: &mut Reader<'_>,
        whole: &Bytes,
        grid: TileGrid,
        area: Rect,
        registers: u8,
    ) -> Result<Self, WireError> {
        let flags = input.u8()?;
        if flags & !(SOME | ALONE) != 0 {
            return Err(WireError::Value { what: "flags of a unit", got: flags.into() });
        }
        let tiles = if flags & SOME != 0 {
            let bits = input.bytes((area.area() as usize).div_ceil(8))?;
            // A bitmap that says nothing has a shorter form.
            let some = TileMask::from_bytes(area, bits).filter(|mask| !mask.is_all());
            some.ok_or(WireError::Value { what: "tiles of a unit", got: bits[0].into() })?
        } else {
            TileMask::all(area)
        };
        let both = input.u8()?;
        let models = Models { from: both & 0xF, into: both >> 4 };
        let got = models.from.max(models.into);
        if got > registers {
            return Err(WireError::Limit { what: "register", limit: registers.into(), got: got.into() });
        }
        let data = whole.slice_ref(input.blob("length of a unit", MAX_FRAME as u64)?);
        Ok(Self::new(grid, tiles, flags & ALONE != 0, models, data))
    }
}

impl Encode for Update {
    fn encode(&self, out: &mut Writer) {
        out.varint(op::UPDATE);
        let Rect { x, y, w, h } = self.tiles.area();
        [x, y, w, h].into_iter().for_each(|n| out.varint(n.into()));
        let all = self.tiles.is_all();
        out.bytes(&[if all { 0 } else { SOME } | if self.alone { ALONE } else { 0 }]);
        if !all {
            out.bytes(&self.tiles.to_bytes());
        }
        out.bytes(&[self.models.from | self.models.into << 4]);
        out.blob(&self.data);
    }
}

const SOME: u8 = 1;
const ALONE: u8 = 2;
