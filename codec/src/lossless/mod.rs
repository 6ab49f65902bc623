//! The still codec: coded rects in and out, bit exact.
//!
//! A rect is coded alone: nothing is known but its size and its pixel format, which the wire carries. The first
//! byte names the [`Method`], the rest is its payload; SPEC-lossless.md is the text of the format.
//!
//! - *flat*: one colour, one pixel.
//! - *text*: desktop pixels, as runs, as copies of rects that were there before, and what is new one by one (module
//!   `text`).
//! - *gray*: one plane of 8 to 16 bits through predictors, contexts and rANS (module `wave`); BGRX content in which
//!   red, green and blue are equal takes the same way.
//! - *colour*: the same on three planes, channels or differences of channels.
//! - *palette*: the same on one plane of numbers in a list of the pixels that occur, where these are few or leave
//!   gaps.
//! - *mixed*: photographs as areas inside text.
//! - *inter*: what stays, and photographs told from what the rect shows (module `inter`): read only by
//!   [`Decoder::decode_inter`], whose target is what the encoder was told it is.
//! - *raw*: the pixels, where nothing else is shorter, and where a plain path is asked for.
//!
//! ```
//! use lightbox_codec::geom::Size;
//! use lightbox_codec::lossless::{Decoder, Encoder};
//! use lightbox_codec::pixel::{ImageMut, ImageRef, PixelFormat};
//!
//! let source: Vec<u8> = (0..64 * 64).map(|i| (i / 64 + i % 64) as u8).collect();
//! let image = ImageRef::new(&source, Size::new(64, 64), 64, PixelFormat::Gray8)?;
//! let mut coded = Vec::new();
//! let method = Encoder::new().encode(image, &mut coded);
//! assert_eq!(method.name(), "gray");
//!
//! let mut target = vec![0; 64 * 64];
//! Decoder::new().decode(&coded, &mut ImageMut::new(&mut target, Size::new(64, 64), 64, PixelFormat::Gray8)?)?;
//! assert_eq!(target, source);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bytes;
mod canvas;
mod census;
mod colour;
mod decoder;
mod deep;
mod encoder;
mod error;
mod inter;
mod kernel;
mod layout;
mod palette;
mod plane;
pub mod progressive;
mod raw;
mod sample;
mod sheet;
mod split;
mod text;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod train;
mod wave;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use error::DecodeError;

use wave::Search;

/// How hard the encoder works. Every decoder reads every level at the same speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// One predictor for everything.
    Fast,
    /// The best of sixteen predictors for every 512 samples, by a quarter of them.
    #[default]
    Default,
    /// The best of sixteen predictors for every 512 samples, by all of them.
    Dense,
}

impl Level {
    const fn search(self) -> Search {
        match self {
            Level::Fast => Search::None,
            Level::Default => Search::Sampled,
            Level::Dense => Search::All,
        }
    }
}

/// What a coded rect was coded with: its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// The pixels as they are.
    Raw,
    /// One pixel for all.
    Flat,
    /// Desktop pixels: runs, copies, and new ones guessed from their surroundings.
    Text,
    /// One plane of samples.
    Gray,
    /// Three planes of samples.
    Colour,
    /// Photographs inside text.
    Mixed,
    /// One plane of numbers in a list of the pixels that occur.
    Palette,
    /// Told from what the rect shows: read by [`Decoder::decode_inter`] alone.
    Inter,
}

impl Method {
    /// All of them, in the order of their numbers.
    pub const ALL: [Method; 8] = [
        Method::Raw,
        Method::Flat,
        Method::Text,
        Method::Gray,
        Method::Colour,
        Method::Mixed,
        Method::Palette,
        Method::Inter,
    ];

    /// The method of a coded rect; `None` where the bytes are empty or name none.
    pub fn of(bytes: &[u8]) -> Option<Method> {
        Self::ALL.get(usize::from(*bytes.first()?)).copied()
    }

    /// Its name in statistics.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Raw => "raw",
            Method::Flat => "flat",
            Method::Text => "text",
            Method::Gray => "gray",
            Method::Colour => "colour",
            Method::Mixed => "mixed",
            Method::Palette => "palette",
            Method::Inter => "inter",
        }
    }

    /// The first byte of a coded rect.
    const fn code(self) -> u8 {
        match self {
            Method::Raw => 0,
            Method::Flat => 1,
            Method::Text => 2,
            Method::Gray => 3,
            Method::Colour => 4,
            Method::Mixed => 5,
            Method::Palette => 6,
            Method::Inter => 7,
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "std"))]
mod vectors;
