use lightbox_codec::cpu::Features;
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::lossless::{Decoder, Encoder, Level};
use lightbox_codec::pixel::ImageMut;

use super::{Coder, Error, Part};

/// The kernels there are, slowest first; those that the CPU lacks run as the best it has.
pub const KERNELS: [(&str, Features); 2] = [("plain Rust", Features::NONE), ("AVX2", Features::AVX2)];

/// Our still codec at one level and on one kernel.
pub struct Ours {
    name: String,
    encoder: Encoder,
    decoder: Decoder,
    batch: usize,
}

impl Ours {
    /// One of [`KERNELS`]; `None` if this CPU lacks it.
    pub fn new(level: Level, (kernel, features): (&str, Features)) -> Option<Self> {
        let encoder = Encoder::with_level(level).with_cpu(features);
        let level = match level {
            Level::Fast => "fast",
            Level::Default => "default",
            Level::Dense => "dense",
        };
        Features::detect().has(features).then(|| Self {
            name: format!("ours {level}, {kernel}"),
            encoder,
            decoder: Decoder::new().with_cpu(features),
            batch: 1,
        })
    }

    /// The same, coding up to `parts` together, as the wire does with the tiles of a frame.
    #[must_use]
    pub fn in_batches_of(self, parts: usize) -> Self {
        Self { name: format!("{}, batches of {parts}", self.name), batch: parts, ..self }
    }
}

impl Coder for Ours {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error> {
        out.clear();
        self.encoder.encode(part.image(), out);
        Ok(())
    }

    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error> {
        Ok(self.decoder.decode(coded, &mut like.target(into))?)
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn encode_batch(&mut self, parts: &[Part], out: &mut Vec<u8>) -> Result<(), Error> {
        let images: Vec<_> = parts.iter().map(Part::image).collect();
        out.clear();
        self.encoder.encode_batch(&images, out);
        Ok(())
    }

    fn decode_batch(&mut self, coded: &[u8], like: &[Part], into: &mut Vec<u8>) -> Result<(), Error> {
        // Parts of one width that stand on each other in one image are also one after the other in its memory.
        let mut bottom = 0;
        let place = |part: &Part| {
            let top = bottom;
            bottom += part.size().h;
            Rect::new(0, top, part.size().w, part.size().h)
        };
        let places: Vec<Rect> = like.iter().map(place).collect();
        let Some(first) = like.first() else { return Ok(()) };
        into.resize(like.iter().map(|part| part.own_bytes().len()).sum(), 0);
        let stride = first.own_bytes().len() / first.size().h as usize;
        let size = Size::new(first.size().w, bottom);
        let mut stack = ImageMut::new(into, size, stride, first.image().format())?;
        Ok(self.decoder.decode_batch(coded, &mut stack, &places)?)
    }

    fn expected<'a>(&self, part: &'a Part) -> &'a [u8] {
        part.own_bytes()
    }
}
