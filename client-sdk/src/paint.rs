//! Frames onto surfaces: memory, decoding and digests, without a thread.

use std::collections::BTreeMap;
use std::sync::Arc;

use lightbox_codec::digest::DigestContext;
use lightbox_codec::geom::{Rect, TileGrid};
use lightbox_codec::lossless::{DecodeError, Decoder, Method, progressive};
use lightbox_codec::pixel::{Image, ImageMut, ImageRef, PixelFormat};
use lightbox_codec::screen::scaled;
use lightbox_codec::screen::update::Model;
use lightbox_codec::video;
use lightbox_protocol::channel::display::Paint;
use lightbox_protocol::exact::DueTile;
use lightbox_protocol::msg::control::{Surface, TileProof};
use lightbox_protocol::msg::display::{Op, pass_data};
use lightbox_protocol::wire::ids::codec;

use crate::memory::{Allocate, Pixels, SurfaceError};
use crate::registers::Registers;
use crate::slots::Slots;
use crate::video::{Decoders, Runs};

/// Why a frame could not be painted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PaintError {
    /// A coded rect or a unit of the screen codec is not one.
    #[error("coded samples cannot be decoded: {0}")]
    Decode(#[from] DecodeError),
    /// A pass is another than its codec says, or has another error than its frame states.
    #[error("a pass is not what its frame says")]
    Pass,
    /// There is no such surface, or a step leaves it.
    #[error("a frame paints outside its surface")]
    Outside,
    /// A tile is to come out of a slot that does not hold one of its size and format.
    #[error("slot {0} does not hold what a frame wants to show")]
    Slot(u64),
    /// A unit is to start from a register that is empty.
    #[error("register {0} does not hold the model that a unit starts from")]
    Register(u8),
    /// An access unit has no run to go on with, or nobody to decode it.
    #[error("an access unit has no run to go on with")]
    Run,
    /// An access unit gives no picture.
    #[error(transparent)]
    Video(#[from] video::DecodeError),
}

/// What steps are done with, and what they leave for later ones.
#[derive(Default)]
struct Tools {
    exact: Decoder,
    passes: progressive::Decoder,
    scaled: scaled::Decoder,
    slots: Slots,
    registers: Registers,
    runs: Runs,
}

/// Surfaces in memory, painted by frames in the order they are handed out.
#[derive(Default)]
pub struct Canvas {
    surfaces: BTreeMap<u32, Arc<Pixels>>,
    /// Where their memory comes from, if not from here.
    memory: Option<Arc<dyn Allocate>>,
    tools: Tools,
    used: BTreeMap<&'static str, (u64, u64)>,
}

impl Canvas {
    /// No surface.
    pub fn new() -> Self {
        Self::default()
    }

    /// The memory of surfaces to come is the application's.
    pub fn in_memory_of(self, memory: Arc<dyn Allocate>) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// Access units are decoded by these; by none otherwise.
    pub fn with_decoders(mut self, decoders: Decoders) -> Self {
        self.tools.runs = Runs::new(decoders);
        self
    }

    /// There is this surface; it is blank unless its samples go on.
    ///
    /// # Errors
    /// The application has no memory for it. Its size is one, as the protocol has checked.
    pub fn surface(&mut self, surface: &Surface, kept: bool) -> Result<(), SurfaceError> {
        if !kept || !self.has(surface.id) {
            // First, so that the memory before may serve again.
            self.gone(surface.id);
            self.put(surface.id, Pixels::new(surface, self.memory.as_ref())?);
        }
        Ok(())
    }

    pub(crate) fn has(&self, id: u32) -> bool {
        self.surfaces.contains_key(&id)
    }

    pub(crate) fn put(&mut self, id: u32, pixels: Pixels) {
        self.surfaces.insert(id, Arc::new(pixels));
    }

    /// Takes out a surface, for somebody who does not drop it here: that may run code of the application.
    pub(crate) fn take(&mut self, id: u32) -> Option<Arc<Pixels>> {
        self.surfaces.remove(&id)
    }

    /// The same for all.
    pub(crate) fn take_all(&mut self) -> BTreeMap<u32, Arc<Pixels>> {
        std::mem::take(&mut self.surfaces)
    }

    /// Where the memory of surfaces comes from, if not from here.
    pub(crate) fn memory(&self) -> Option<Arc<dyn Allocate>> {
        self.memory.clone()
    }

    /// The surface of this number is no more; its memory is wiped.
    pub fn gone(&mut self, id: u32) {
        self.tools.runs.end(id);
        self.surfaces.remove(&id);
    }

    /// A connection begins: all slots, models and runs of before are wiped, and the server may fill this many cells and
    /// registers.
    pub fn agree(&mut self, slots: u64, models: u8) {
        self.tools.runs.end_all();
        self.tools.slots = Slots::new(slots);
        self.tools.registers = Registers::new(models);
    }

    /// Forgets and wipes all surfaces, slots, models and runs.
    pub fn clear(&mut self) {
        self.agree(0, 0);
        self.surfaces.clear();
    }

    /// The surface of this number.
    pub fn get(&self, id: u32) -> Option<ImageRef<'_>> {
        self.surfaces.get(&id)?.image()
    }

    /// The same, to be changed: for tests that inject faults.
    pub fn get_mut(&mut self, id: u32) -> Option<ImageMut<'_>> {
        Arc::get_mut(self.surfaces.get_mut(&id)?)?.image_mut()
    }

    /// The same, for somebody who looks longer; it is not painted on meanwhile.
    pub(crate) fn share(&self, id: u32) -> Option<Arc<Pixels>> {
        self.surfaces.get(&id).cloned()
    }

    /// The model in a register, to be changed: for tests that inject faults. `None` where it is empty.
    pub fn model_mut(&mut self, register: u8) -> Option<&mut Model> {
        self.tools.registers.model(register)
    }

    /// Pixels and bytes painted so far, by technique.
    pub fn used(&self) -> &BTreeMap<&'static str, (u64, u64)> {
        &self.used
    }

    /// Paints a frame, and returns where. Tiles that a later frame painted already keep what they show.
    ///
    /// # Errors
    /// A step cannot be done; those before it are. The frame's tiles are not what the server thinks then, and it
    /// must be told.
    pub fn paint(&mut self, paint: &Paint) -> Result<Vec<Rect>, PaintError> {
        let outcome = self.paint_steps(paint);
        if outcome.is_err() {
            let ops = &paint.frame.ops;
            self.tools.registers.fail(ops);
            if ops.iter().any(|op| matches!(op, Op::Video(_))) {
                self.tools.runs.end(paint.surface);
            }
        }
        outcome
    }

    fn paint_steps(&mut self, paint: &Paint) -> Result<Vec<Rect>, PaintError> {
        let surface = paint.surface;
        let pixels = self.surfaces.get_mut(&surface).and_then(Arc::get_mut);
        let mut image = pixels.and_then(Pixels::image_mut).ok_or(PaintError::Outside)?;
        let grid = TileGrid::new(image.size());
        let keep: Vec<_> = paint
            .newer
            .iter()
            .map(|tile| grid.rect(*tile))
            .filter_map(|rect| Some((rect, Image::from(image.as_ref().crop(rect)?))))
            .collect();
        let mut rects = Vec::with_capacity(paint.frame.ops.len());
        let (tools, used) = (&mut self.tools, &mut self.used);
        let outcome = paint.frame.ops.iter().try_for_each(|op| {
            step(&mut image, tools, surface, op)?;
            let (name, bytes) = match op {
                Op::Fill { .. } => ("fill", 13),
                Op::Copy { .. } => ("copy", 10),
                Op::Store { .. } => ("store", 8),
                Op::Show { .. } => ("slot", 8),
                Op::Coded { codec, data, .. } => (name_of(*codec, data), data.len() as u64 + 13),
                Op::Video(unit) => ("unit", unit.data.len() as u64 + 15),
                Op::Picture { .. } => ("video", 5),
                Op::Update(unit) => ("update", unit.data.len() as u64 + 9),
            };
            let sum = used.entry(name).or_default();
            sum.0 += op.work();
            sum.1 += bytes;
            rects.extend(Some(op.target()).filter(|target| !target.is_empty()));
            Ok(())
        });
        // Also where a step failed: what a later frame painted is right, and may be called verified.
        for (rect, samples) in keep {
            if let Some(mut part) = image.crop_mut(rect) {
                part.copy_from(samples.as_ref());
            }
        }
        outcome.map(|()| rects)
    }

    /// The digests of these tiles as they are now.
    pub fn digest(&self, context: &DigestContext, tiles: &[DueTile]) -> Vec<TileProof> {
        let Some(image) = self.get(context.surface) else { return Vec::new() };
        let grid = TileGrid::new(image.size());
        let prove = |due: &DueTile| {
            let samples = image.crop(grid.rect(due.tile))?;
            let digest = context.digest(due.tile, due.epoch, samples);
            Some(TileProof { tile: due.tile, epoch: due.epoch, digest })
        };
        tiles.iter().filter_map(prove).collect()
    }
}

impl std::fmt::Debug for Canvas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canvas").field("surfaces", &self.surfaces).finish_non_exhaustive()
    }
}

fn step(target: &mut ImageMut<'_>, tools: &mut Tools, surface: u32, op: &Op) -> Result<(), PaintError> {
    let done = match op {
        Op::Fill { rect, pixel } => target.fill(*rect, as_defined(*pixel, target.format())),
        Op::Copy { from, to } => target.copy_within(*from, *to),
        Op::Coded { rect, codec, data } => match target.crop_mut(*rect) {
            Some(mut part) => {
                coded(&mut part, tools, *codec, data)?;
                true
            }
            None => false,
        },
        Op::Store { tiles, first } => {
            store(target.as_ref(), &mut tools.slots, *tiles, *first);
            true
        }
        Op::Show { tiles, first } => {
            show(target, &tools.slots, *tiles, *first)?;
            true
        }
        Op::Video(unit) => {
            tools.runs.decode(surface, unit)?;
            true
        }
        Op::Picture { tiles } => {
            tools.runs.show(surface, *tiles, target)?;
            true
        }
        Op::Update(unit) => {
            tools.registers.update(target, unit)?;
            true
        }
    };
    if done { Ok(()) } else { Err(PaintError::Outside) }
}

fn coded(part: &mut ImageMut<'_>, tools: &mut Tools, codec: u64, data: &[u8]) -> Result<(), PaintError> {
    let (stated, data) = match codec {
        codec::LOSSLESS | codec::INTER => {
            let outcome = match codec {
                codec::INTER => tools.exact.decode_inter(data, part),
                _ => tools.exact.decode(data, part),
            };
            // Also where it failed half way.
            if matches!(Method::of(data), Some(Method::Raw | Method::Flat)) {
                clear_spare_bits(part);
            }
            return Ok(outcome?);
        }
        codec::SCALED => return Ok(tools.scaled.decode(data, part)?),
        codec::FIRST | codec::HIGH => pass_data(data).ok_or(PaintError::Pass)?,
        _ => (0, data),
    };
    let shown = tools.passes.decode(data, part)?;
    let is_right = match codec {
        codec::HIGH => shown.pass == progressive::Pass::High,
        codec::LOW => shown.pass == progressive::Pass::Low,
        _ => shown.pass == progressive::Pass::Preview,
    };
    // The ledger has believed the frame; so what it said must be what the codec says.
    if is_right && u32::from(shown.max_error) <= stated { Ok(()) } else { Err(PaintError::Pass) }
}

fn name_of(codec: u64, data: &[u8]) -> &'static str {
    match codec {
        codec::FIRST => "first",
        codec::HIGH => "high",
        codec::LOW => "low",
        codec::SCALED => "scaled",
        _ => Method::of(data).map_or("unknown", Method::name),
    }
}

/// Puts `tiles` aside, as this frame has left them so far: those that a later one painted come back behind it.
fn store(image: ImageRef<'_>, slots: &mut Slots, tiles: Rect, first: u64) {
    let grid = TileGrid::new(image.size());
    let tiles = grid.touching(tiles).filter_map(|tile| image.crop(grid.rect(tile)));
    tiles.fold(first, |slot, tile| slots.store(slot, tile));
}

fn show(image: &mut ImageMut<'_>, slots: &Slots, tiles: Rect, first: u64) -> Result<(), PaintError> {
    let grid = TileGrid::new(image.size());
    let mut next = first;
    for tile in grid.touching(tiles) {
        let mut tile = image.crop_mut(grid.rect(tile)).ok_or(PaintError::Outside)?;
        next = slots.show(next, &mut tile).ok_or(PaintError::Slot(next))?;
    }
    Ok(())
}

/// The bits that carry nothing are the same on both sides, whatever a server says.
fn as_defined([a, b, c, d]: [u8; 4], format: PixelFormat) -> [u8; 4] {
    match format {
        PixelFormat::Bgrx8 => [a, b, c, 0xFF],
        PixelFormat::Bgrx10 => [a, b, c, d | 0xC0],
        PixelFormat::Gray8 => [a, b, c, d],
        PixelFormat::Gray16(depth) => {
            let [low, high] = (u16::from_le_bytes([a, b]) & depth.max()).to_le_bytes();
            [low, high, c, d]
        }
    }
}

/// Raw and flat samples of deep gray are bytes that no model has seen.
fn clear_spare_bits(part: &mut ImageMut<'_>) {
    let PixelFormat::Gray16(depth) = part.format() else { return };
    for y in 0..part.size().h {
        for sample in part.row_mut(y).as_chunks_mut::<2>().0 {
            *sample = (u16::from_le_bytes(*sample) & depth.max()).to_le_bytes();
        }
    }
}
