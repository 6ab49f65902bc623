//! Video that somebody else encoded: what a decoder of access units is.
//!
//! A host whose GPU encodes its picture hands the access units on, and a terminal decodes them, by hardware where it
//! has some: [`Decoder`] is that seam. What video shows is never exact, so nothing here is about sameness; it is about
//! not trusting the bytes, which come from a network.
//!
//! - [`Codec`], [`AccessUnit`]: what comes.
//! - [`Decoder`]: what turns it into a picture.
//! - [`sps::check`], [`colour::to_bgrx`]: what an implementation needs: is the picture as large as it should be, and how
//!   its samples become colours.
//! - `h264`: an implementation in software, and an encoder beside it (feature `h264`).

pub mod colour;
#[cfg(feature = "h264")]
pub mod h264;
pub mod sps;

use alloc::string::String;

use crate::geom::Size;
use crate::pixel::ImageMut;

/// What access units are coded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// H.264: the byte stream format of Annex B, parameter sets in front of each key frame.
    H264,
    /// HEVC: the same.
    Hevc,
    /// AV1: temporal units of the low-overhead format, a sequence header in front of each key frame.
    Av1,
}

/// The next picture of a stream.
#[derive(Clone, Copy, Debug)]
pub struct AccessUnit<'a> {
    /// What it is coded by.
    pub codec: Codec,
    /// It is decoded without those before it.
    pub key: bool,
    /// What its samples mean, whatever the stream says of that.
    pub colour: Colour,
    /// Its bytes.
    pub data: &'a [u8],
}

/// How the luma and chroma of a picture become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Colour {
    /// Samples use all 256 values; 16 to 235 and 240 otherwise.
    pub full_range: bool,
    /// By the matrix of BT.601; of BT.709 otherwise.
    pub bt601: bool,
}

/// Decodes one stream.
///
/// A unit with `key` begins anew, in another size perhaps, whatever was before. After an error the stream is given up,
/// and the next unit is a key frame of another decoder. Bytes come from a network: an implementation bounds what they
/// can make it reserve by the picture's size, and returns an error where they are not what they should be.
pub trait Decoder: Send {
    /// Decodes `unit` and paints its picture over all of `picture`, which is BGRX8: from the picture's top left corner,
    /// as much as there is room for. The byte X is anything.
    ///
    /// # Errors
    /// There is no picture, or a smaller one, or one larger by more than [`MAX_MARGIN`] columns or rows.
    fn decode(&mut self, unit: &AccessUnit<'_>, picture: &mut ImageMut<'_>) -> Result<(), DecodeError>;
}

/// What a coded picture may be larger than what is shown of it: coders work in blocks.
pub const MAX_MARGIN: u32 = 63;

/// Why an access unit gave no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The unit is not one, or does not go on from the one before.
    #[error("an access unit is malformed: {0}")]
    Malformed(&'static str),
    /// Its picture does not fit.
    #[error("a picture of {}x{} is shown as {}x{}", got.w, got.h, shown.w, shown.h)]
    Size {
        /// What the stream has.
        got: Size,
        /// What is shown of it.
        shown: Size,
    },
    /// The decoder says so.
    #[error("the decoder refuses: {0}")]
    Refused(String),
}

/// True if a coded picture of `got` may be shown as one of `shown`.
pub fn fits(got: Size, shown: Size) -> bool {
    let side = |got: u32, shown: u32| got.checked_sub(shown).is_some_and(|margin| margin <= MAX_MARGIN);
    side(got.w, shown.w) && side(got.h, shown.h)
}
