//! Pixels in, bytes out, and exactly back.
//!
//! A hospital's desktop is text, line art and medical images, and the images must arrive *bit exact*: a
//! radiograph that passed through one YCbCr conversion keeps only a quarter of its pixels. This crate holds
//! everything that touches a sample or a coded bit, and knows nothing of channels or networks.
//!
//! - [`geom`]: where pixels are: [`geom::Rect`], [`geom::Region`], [`geom::TileGrid`].
//! - [`pixel`]: what they are: [`pixel::PixelFormat`], borrowed views [`pixel::ImageRef`] and [`pixel::ImageMut`].
//! - [`digest`]: the 128-bit digest of a tile with which exactness is proved.
//! - [`lossless`]: the still codec, coded rects in and out (feature `coders`).
//! - [`lossless::progressive`]: the same rects in passes, the first one lossy with a stated error, the last one exact.
//! - [`video`]: what a decoder of access units is that somebody else encoded.
//!
//! The first three are the vocabulary that the wire protocol shares; they are `no_std` and need no feature.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(feature = "coders")]
pub mod cpu;
pub mod digest;
pub mod geom;
#[cfg(feature = "coders")]
pub mod lossless;
pub mod pixel;
#[cfg(feature = "coders")]
mod range;
#[cfg(feature = "coders")]
mod ranking;
#[cfg(feature = "coders")]
pub mod screen;
#[cfg(feature = "coders")]
pub mod video;
