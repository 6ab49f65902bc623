//! An encoder that stands in for a GPU's: what it makes goes to the server beside each frame, as a host's with hardware
//! would.

use lightbox_codec::pixel::ImageRef;
use lightbox_server::Codec;

use crate::Failure;

/// A host's own encoder.
pub trait Encode: Send {
    /// By what it codes.
    fn codec(&self) -> Codec;

    /// The access unit of the next picture, and whether it is a key frame, which it is if that is wanted.
    ///
    /// # Errors
    /// The encoder cannot go on.
    fn encode(&mut self, picture: ImageRef<'_>, wants_key: bool) -> Result<(Vec<u8>, bool), Failure>;
}

/// The encoder of this name: `h264`, in software.
///
/// # Errors
/// One line that says what to do.
pub fn open(name: &str) -> Result<Box<dyn Encode>, Failure> {
    match name {
        "h264" => h264(),
        _ => Err(format!("no encoder {name:?}: use h264").into()),
    }
}

#[cfg(feature = "video")]
fn h264() -> Result<Box<dyn Encode>, Failure> {
    struct Software(lightbox_codec::video::h264::Encoder);

    impl Encode for Software {
        fn codec(&self) -> Codec {
            Codec::H264
        }

        fn encode(&mut self, picture: ImageRef<'_>, wants_key: bool) -> Result<(Vec<u8>, bool), Failure> {
            Ok(self.0.encode(picture, wants_key)?)
        }
    }

    Ok(Box::new(Software(lightbox_codec::video::h264::Encoder::new()?)))
}

#[cfg(not(feature = "video"))]
fn h264() -> Result<Box<dyn Encode>, Failure> {
    Err("this build has no encoder: build with the feature `video`".into())
}
