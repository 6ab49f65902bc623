//! Access units into pictures: which decoders there are, and the one run of each surface.

use std::collections::BTreeMap;
use std::sync::Arc;

use lightbox_codec::geom::Rect;
use lightbox_codec::pixel::{Image, ImageMut, ImageRef, PixelFormat};
use lightbox_codec::video::{AccessUnit, Codec, Colour, Decoder};
use lightbox_protocol::msg::video::Unit;
use lightbox_protocol::wire::ids;

use crate::paint::PaintError;

/// Makes a decoder for a stream of this codec; `None` where there is none to be had just now.
pub type OpenDecoder = dyn Fn(Codec) -> Option<Box<dyn Decoder>> + Send + Sync;

/// Which decoders a client has, and how to get them.
#[derive(Clone, Default)]
pub struct Decoders {
    of: Vec<(Codec, Arc<OpenDecoder>)>,
}

impl Decoders {
    /// None: a client without video.
    pub fn none() -> Self {
        Self::default()
    }

    /// And `open` for these codecs, where there was none for one before.
    pub fn with(mut self, codecs: &[Codec], open: Arc<OpenDecoder>) -> Self {
        for codec in codecs {
            if self.of.iter().all(|(known, _)| known != codec) {
                self.of.push((*codec, open.clone()));
            }
        }
        self
    }

    /// What is announced to servers.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.of.iter().map(|(codec, _)| id_of(*codec))
    }

    fn open(&self, codec: Codec) -> Option<Box<dyn Decoder>> {
        let (_, open) = self.of.iter().find(|(known, _)| *known == codec)?;
        open(codec)
    }
}

impl std::fmt::Debug for Decoders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.of.iter().map(|(codec, _)| codec)).finish()
    }
}

/// The run of each surface.
#[derive(Default)]
pub(crate) struct Runs {
    decoders: Decoders,
    of: BTreeMap<u32, Run>,
}

struct Run {
    codec: Codec,
    rect: Rect,
    decoder: Box<dyn Decoder>,
    /// What the last unit showed.
    picture: Picture,
}

impl Runs {
    pub(crate) fn new(decoders: Decoders) -> Self {
        Self { decoders, of: BTreeMap::new() }
    }

    /// Forgets the run of a surface.
    pub(crate) fn end(&mut self, surface: u32) {
        self.of.remove(&surface);
    }

    /// Forgets all runs.
    pub(crate) fn end_all(&mut self) {
        self.of.clear();
    }

    /// Decodes the next unit of a surface.
    ///
    /// # Errors
    /// It has no run to go on with, or gives no picture; then the run is over.
    pub(crate) fn decode(&mut self, surface: u32, unit: &Unit) -> Result<(), PaintError> {
        let codec = codec_of(unit.codec).ok_or(PaintError::Run)?;
        let before = self.of.remove(&surface).filter(|run| run.codec == codec);
        let mut run = match before {
            Some(run) if run.rect == unit.rect => run,
            Some(mut run) if unit.key => {
                (run.rect, run.picture) = (unit.rect, Picture::new(unit.rect)?);
                run
            }
            None if unit.key => {
                let decoder = self.decoders.open(codec).ok_or(PaintError::Run)?;
                Run { codec, rect: unit.rect, decoder, picture: Picture::new(unit.rect)? }
            }
            _ => return Err(PaintError::Run),
        };
        let lightbox_protocol::msg::video::Colour { full_range, bt601 } = unit.colour;
        let colour = Colour { full_range, bt601 };
        let access = AccessUnit { codec, key: unit.key, colour, data: &unit.data };
        run.decoder.decode(&access, &mut run.picture.0.as_mut())?;
        self.of.insert(surface, run);
        Ok(())
    }

    /// Paints what the last unit of a surface shows at `tiles`.
    ///
    /// # Errors
    /// It shows nothing there.
    pub(crate) fn show(
        &self,
        surface: u32,
        tiles: Rect,
        target: &mut ImageMut<'_>,
    ) -> Result<(), PaintError> {
        let run = self.of.get(&surface).ok_or(PaintError::Run)?;
        let within = |rect: Rect| Rect { x: rect.x - run.rect.x, y: rect.y - run.rect.y, ..rect };
        let inside = Some(tiles).filter(|tiles| run.rect.contains(*tiles)).map(within);
        let part = inside.and_then(|inside| run.picture.0.as_ref().crop(inside));
        let (part, mut target) = part.zip(target.crop_mut(tiles)).ok_or(PaintError::Outside)?;
        copy_opaque(part, &mut target);
        Ok(())
    }
}

/// A decoded picture; wiped when it is forgotten.
struct Picture(Image);

impl Picture {
    fn new(rect: Rect) -> Result<Self, PaintError> {
        Image::new(rect.size(), PixelFormat::Bgrx8).map(Self).map_err(|_| PaintError::Outside)
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        let all = self.0.size().rect();
        self.0.as_mut().fill(all, [0; 4]);
    }
}

/// Copies colours; X is all ones, whatever a decoder left there.
fn copy_opaque(from: ImageRef<'_>, to: &mut ImageMut<'_>) {
    for y in 0..from.size().h.min(to.size().h) {
        for (t, s) in to.row_mut(y).as_chunks_mut::<4>().0.iter_mut().zip(from.row(y).as_chunks::<4>().0) {
            *t = [s[0], s[1], s[2], 0xFF];
        }
    }
}

fn codec_of(id: u64) -> Option<Codec> {
    [Codec::H264, Codec::Hevc, Codec::Av1].into_iter().find(|codec| id_of(*codec) == id)
}

fn id_of(codec: Codec) -> u64 {
    match codec {
        Codec::H264 => ids::codec::H264,
        Codec::Hevc => ids::codec::HEVC,
        Codec::Av1 => ids::codec::AV1,
    }
}
