//! Our still codec and its peers behind one trait, on the same pixels.
//!
//! Each coder gets the pixels as its own interface likes them best, ready in memory: ours BGRX or gray samples,
//! the others RGB or gray samples. Whatever a coder then does to them is part of its time: the byte swap of PNG, the
//! colour transform before JPEG-LS, the delta before zstd.

mod bytes;
mod jpegls;
#[cfg(feature = "libjxl")]
mod jxl;
mod ours;
mod part;
mod pictures;

pub use bytes::{Delta, Lz4, Zstd};
pub use jpegls::JpegLs;
#[cfg(feature = "libjxl")]
pub use jxl::Jxl;
pub use ours::{KERNELS, Ours};
pub use part::Part;
pub use pictures::{Png, Qoi};

/// What a coder complains about.
pub type Error = Box<dyn std::error::Error>;

/// A lossless coder of pictures.
pub trait Coder {
    /// What tables call it.
    fn name(&self) -> String;

    /// Whether it knows this kind of picture.
    fn takes(&self, part: &Part) -> bool {
        let _ = part;
        true
    }

    /// Replaces `out` with the coded picture.
    ///
    /// # Errors
    /// The coder's own; such a coder is listed as failed.
    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error>;

    /// Replaces `into` with the pixels of `coded`, in the layout of [`Coder::expected`]. Of `like` it may use the size
    /// and the format only, which our own wire carries elsewhere.
    ///
    /// # Errors
    /// The coder's own; such a coder is listed as failed.
    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error>;

    /// The most parts that it codes together.
    fn batch(&self) -> usize {
        1
    }

    /// Replaces `out` with `parts`, all of one width and at most [`Coder::batch`] of them, coded together.
    ///
    /// # Errors
    /// As [`Coder::encode`].
    fn encode_batch(&mut self, parts: &[Part], out: &mut Vec<u8>) -> Result<(), Error> {
        let [part] = parts else { return Err("it codes one part at a time".into()) };
        self.encode(part, out)
    }

    /// Replaces `into` with the pixels of such a batch, part after part.
    ///
    /// # Errors
    /// As [`Coder::decode`].
    fn decode_batch(&mut self, coded: &[u8], like: &[Part], into: &mut Vec<u8>) -> Result<(), Error> {
        let [part] = like else { return Err("it codes one part at a time".into()) };
        self.decode(coded, part, into)
    }

    /// What [`Coder::decode`] must give, to the bit.
    fn expected<'a>(&self, part: &'a Part) -> &'a [u8] {
        part.samples()
    }
}

/// The name of the coder that all others are measured against.
pub const YARDSTICK: &str = "JPEG-LS (CharLS)";

/// The peers, the densest first; `quick` leaves out those that take a second for a megapixel.
pub fn all(quick: bool) -> Vec<Box<dyn Coder>> {
    let mut peers: Vec<Box<dyn Coder>> = Vec::new();
    #[cfg(feature = "libjxl")]
    for effort in [7, 3, 2, 1] {
        if effort < 7 || !quick {
            peers.push(Box::new(Jxl::new(effort)));
        }
    }
    peers.push(Box::new(JpegLs::default()));
    if !quick {
        peers.push(Box::new(Png::new(png::Compression::Balanced)));
    }
    peers.push(Box::new(Png::new(png::Compression::Fast)));
    peers.push(Box::new(Qoi));
    peers.push(Box::new(Delta::new(Zstd::new(3))));
    peers.push(Box::new(Zstd::new(3)));
    peers.push(Box::new(Lz4));
    peers
}
