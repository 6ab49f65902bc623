//! Chooses methods and writes coded rects.

use alloc::vec::Vec;

use super::census::Census;
use super::inter::InterEncoder;
use super::plane::Plane;
use super::sheet::{Sheet, first};
use super::split::{Split, number_samples};
use super::text::Text;
use super::wave::{self, EncodeScratch, Search};
use super::{Level, Method, raw};
use crate::cpu::Features;
use crate::pixel::{ImageRef, PixelFormat};

/// Codes rects, each alone or several together. It keeps its work memory (up to 24 bytes for a pixel of the largest
/// call so far), so that small rects cost neither allocation nor set-up; use one for each thread.
pub struct Encoder {
    pub(super) features: Features,
    pub(super) search: Search,
    pub(super) text: Text,
    pub(super) wave: EncodeScratch,
    methods: Vec<Method>,
    pub(super) sheets: Vec<Sheet>,
    pub(super) census: Census,
    pub(super) planes: Vec<Plane>,
    /// Planes of this call.
    pub(super) planes_used: usize,
    pub(super) inter: InterEncoder,
}

impl Encoder {
    /// An encoder at [`Level::Default`].
    pub fn new() -> Self {
        Self::with_level(Level::Default)
    }

    /// An encoder that works as hard as `level` says.
    pub fn with_level(level: Level) -> Self {
        Self {
            features: Features::detect(),
            search: level.search(),
            text: Text::new(),
            wave: EncodeScratch::new(),
            methods: Vec::new(),
            sheets: Vec::new(),
            census: Census::default(),
            planes: Vec::new(),
            planes_used: 0,
            inter: InterEncoder::new(),
        }
    }

    /// The same encoder on kernels of `allowed` features only. Its output does not change.
    #[must_use]
    pub fn with_cpu(mut self, allowed: Features) -> Self {
        // INVARIANT: never more than the CPU has; the kernels rely on it.
        self.features = Features::detect().masked(allowed);
        self
    }

    /// Appends the coded rect to `out`; always succeeds, with at most one byte more than the raw pixels.
    pub fn encode(&mut self, image: ImageRef<'_>, out: &mut Vec<u8>) -> Method {
        // INVARIANT: a batch has a method for each of its images.
        self.encode_batch(&[image], out)[0]
    }

    /// Appends `images` as one batch, for [`Decoder::decode_batch`](super::Decoder::decode_batch), and says how each
    /// was coded. They share one set of entropy states and one memory of text, so a small rect costs a few bytes
    /// beside its pixels, where alone it would cost some seventy. A batch is read as a whole or not at all.
    ///
    /// Always succeeds, with at most one byte a rect more than the raw pixels. A batch of one is the coded rect that
    /// [`Encoder::encode`] writes. The decoder must be told the sizes, the order and the one format.
    pub fn encode_batch(&mut self, images: &[ImageRef<'_>], out: &mut Vec<u8>) -> &[Method] {
        let start = out.len();
        self.methods.clear();
        self.planes_used = 0;
        let mut sheets = 0;
        for image in images {
            let method = self.begin(*image, &mut sheets, out);
            self.methods.push(method);
        }
        let planes = first(&mut self.planes, self.planes_used);
        wave::encode(self.features, self.search, planes, &mut self.wave, out);
        self.text.encode(&mut self.sheets[..sheets], out);

        let raw_len: usize = images
            .iter()
            .map(|image| 1 + image.size().area() as usize * raw::pixel_bytes(image.format()))
            .sum();
        if out.len() - start > raw_len {
            out.truncate(start);
            images.iter().for_each(|image| self.encode_plain(*image, out));
            self.methods.fill(Method::Raw);
        }
        &self.methods
    }

    /// Appends the rect by the plain path, raw pixels: it shares no coder with [`Encoder::encode`], so a fault in
    /// one cannot survive in the other.
    pub fn encode_plain(&mut self, image: ImageRef<'_>, out: &mut Vec<u8>) {
        out.push(Method::Raw.code());
        raw::encode(image, out);
    }

    /// The planes that the wave coder gets of an image.
    #[cfg(feature = "train")]
    pub(super) fn planes(&mut self, image: ImageRef<'_>) -> &mut [Plane] {
        self.planes_used = 0;
        self.begin(image, &mut 0, &mut Vec::new());
        first(&mut self.planes, self.planes_used)
    }

    /// Appends what stands at the head of a batch for `image`, and leaves the rest in planes and sheets.
    fn begin(&mut self, image: ImageRef<'_>, sheets: &mut usize, out: &mut Vec<u8>) -> Method {
        let start = out.len();
        out.push(Method::Flat.code());
        if raw::encode_flat(image, out) {
            return Method::Flat;
        }
        out.truncate(start);
        match image.format() {
            PixelFormat::Bgrx8 | PixelFormat::Bgrx10 => {
                let sheet = &mut first(&mut self.sheets, *sheets + 1)[*sheets];
                let method = sheet.see(image);
                out.push(method.code());
                if method == Method::Mixed {
                    sheet.layout.write(image.format(), out);
                }
                let planes = (&mut self.planes, &mut self.planes_used);
                sheet.split(image, &mut self.census, planes, out);
                // A sheet without text has given all it had, and serves again.
                *sheets += usize::from(sheet.has_text);
                method
            }
            PixelFormat::Gray8 | PixelFormat::Gray16(_) => {
                let plane = &mut first(&mut self.planes, self.planes_used + 1)[self.planes_used];
                if !take_samples(image, plane) {
                    self.encode_plain(image, out);
                    return Method::Raw;
                }
                self.planes_used += 1;
                number_samples(plane, &mut self.census);
                if plane.split == Split::Palette {
                    out.push(Method::Palette.code());
                    plane.palette.write(image.format().depth().into(), false, out);
                    return Method::Palette;
                }
                out.push(Method::Gray.code());
                Method::Gray
            }
        }
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Copies a gray image; false if a sample has more bits than the format says.
pub(super) fn take_samples(image: ImageRef<'_>, plane: &mut Plane) -> bool {
    plane.reset(image.size().w as usize, image.size().h as usize, image.format().depth().into());
    plane.place = None;
    let mut used = 0;
    for (y, source) in image.rows().enumerate() {
        let target = plane.row_mut(y);
        if let PixelFormat::Gray16(_) = image.format() {
            for (sample, bytes) in target.iter_mut().zip(source.as_chunks::<2>().0) {
                *sample = u16::from_le_bytes(*bytes);
                used |= *sample;
            }
        } else {
            target.iter_mut().zip(source).for_each(|(sample, byte)| *sample = u16::from(*byte));
        }
    }
    u32::from(used) >> image.format().depth() == 0
}
