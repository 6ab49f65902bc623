//! H.264 in software, by OpenH264: the decoder of terminals without hardware for it, and the encoder that stands in for
//! a GPU's.
//!
//! OpenH264 is C++ that reads bytes from a network. Its room is a decoder that somebody asked for; before it sees a
//! unit, the size that the stream asks for was compared with the picture's.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use openh264::OpenH264API;
use openh264::decoder::{Decoder as Native, DecoderConfig, Flush};
use openh264::encoder::{
    Encoder as NativeEncoder, EncoderConfig, FrameType, IntraFramePeriod, RateControlMode, UsageType,
};
use openh264::formats::{YUVSlices, YUVSource};

use super::colour::{Planes, to_bgrx, to_planes};
use super::{AccessUnit, DecodeError, Decoder, fits, sps};
use crate::geom::Size;
use crate::pixel::{ImageMut, ImageRef};

/// A decoder in software; `None` where the library refuses.
pub fn open() -> Option<Box<dyn Decoder>> {
    Some(Box::new(Software { native: native()?, has_run: false }))
}

struct Software {
    native: Native,
    has_run: bool,
}

fn native() -> Option<Native> {
    let config = DecoderConfig::new().flush_after_decode(Flush::Flush);
    Native::with_api_config(OpenH264API::from_source(), config).ok()
}

impl Decoder for Software {
    fn decode(&mut self, unit: &AccessUnit<'_>, picture: &mut ImageMut<'_>) -> Result<(), DecodeError> {
        let shown = picture.size();
        let has_set = sps::check(unit.data, shown)?;
        if unit.key {
            if !has_set {
                return Err(DecodeError::Malformed("a key frame without its parameter sets"));
            }
            if self.has_run {
                // Whatever was before: a stream is not gone on with by another one's pictures.
                self.native = native().ok_or(DecodeError::Malformed("no decoder to be had"))?;
            }
            self.has_run = true;
        } else if !self.has_run {
            return Err(DecodeError::Malformed("no key frame before it"));
        }
        let refused = |error: openh264::Error| DecodeError::Refused(error.to_string());
        let decoded = self.native.decode(unit.data).map_err(refused)?;
        let decoded = decoded.ok_or(DecodeError::Malformed("it gives no picture"))?;
        let (w, h) = decoded.dimensions();
        let got = Size::new(w as u32, h as u32);
        if !fits(got, shown) {
            return Err(DecodeError::Size { got, shown });
        }
        let (y, u, v) = decoded.strides();
        let planes = Planes { planes: [decoded.y(), decoded.u(), decoded.v()], strides: [y, u, v] };
        let is_whole = to_bgrx(&planes, unit.colour, picture);
        if is_whole { Ok(()) } else { Err(DecodeError::Malformed("its picture is cut short")) }
    }
}

/// An encoder in software, for hosts without another and for tests: what it makes honours the contract of access units.
/// Samples are of the limited range, by BT.709.
pub struct Encoder {
    native: NativeEncoder,
    luma: Vec<u8>,
    blue: Vec<u8>,
    red: Vec<u8>,
}

/// Why there is no access unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the encoder refuses: {0}")]
pub struct EncodeError(alloc::string::String);

impl Encoder {
    /// Of one good quality, whatever that takes: who has no more than so many bits lets hardware encode.
    ///
    /// # Errors
    /// The library refuses.
    pub fn new() -> Result<Self, EncodeError> {
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Off)
            .intra_frame_period(IntraFramePeriod::auto())
            // Each picture that is submitted has its unit.
            .skip_frames(false)
            .scene_change_detect(false);
        let native = NativeEncoder::with_api_config(OpenH264API::from_source(), config);
        let native = native.map_err(|error| EncodeError(error.to_string()))?;
        Ok(Self { native, luma: Vec::new(), blue: Vec::new(), red: Vec::new() })
    }

    /// The next unit, of `picture`, which is BGRX8; true beside it if it is a key frame, which it is if that is wanted.
    /// Sides that are odd are coded one larger.
    ///
    /// # Errors
    /// The picture is larger than 3840x2160, or the library refuses.
    pub fn encode(&mut self, picture: ImageRef<'_>, wants_key: bool) -> Result<(Vec<u8>, bool), EncodeError> {
        let side = |side: u32| side.next_multiple_of(2) as usize;
        let (w, h) = (side(picture.size().w), side(picture.size().h));
        for (plane, n) in [(&mut self.luma, w * h), (&mut self.blue, w * h / 4), (&mut self.red, w * h / 4)] {
            if plane.len() != n {
                *plane = vec![0; n];
            }
        }
        to_planes(picture, &mut self.luma, &mut self.blue, &mut self.red);
        if wants_key {
            self.native.force_intra_frame();
        }
        let planes = YUVSlices::new((&self.luma, &self.blue, &self.red), (w, h), (w, w / 2, w / 2));
        let coded = self.native.encode(&planes).map_err(|error| EncodeError(error.to_string()))?;
        Ok((coded.to_vec(), coded.frame_type() == FrameType::IDR))
    }
}

impl core::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Codec, Colour};
    use super::*;
    use crate::geom::Rect;
    use crate::pixel::{Image, PixelFormat};

    fn picture(size: Size, n: u8) -> Image {
        let mut image = Image::new(size, PixelFormat::Bgrx8).unwrap();
        for y in 0..size.h {
            for (x, pixel) in image.as_mut().row_mut(y).as_chunks_mut::<4>().0.iter_mut().enumerate() {
                *pixel = [(x / 2) as u8, (y / 2) as u8, n.wrapping_mul(9), 0xFF];
            }
        }
        image
    }

    fn unit(data: &[u8], key: bool) -> AccessUnit<'_> {
        AccessUnit { codec: Codec::H264, key, colour: Colour::default(), data }
    }

    #[test]
    fn pictures_come_back_nearly_the_same_and_only_where_they_belong() {
        for size in [Size::new(320, 192), Size::new(333, 187)] {
            let mut encoder = Encoder::new().unwrap();
            let mut decoder = open().unwrap();
            let mut shown = Image::new(size, PixelFormat::Bgrx8).unwrap();
            for n in 0..10 {
                let source = picture(size, n);
                let (data, key) = encoder.encode(source.as_ref(), n == 6).unwrap();
                assert_eq!(key, n == 0 || n == 6, "{n}");
                decoder.decode(&unit(&data, key), &mut shown.as_mut()).unwrap();
                let pairs = source.bytes().iter().zip(shown.bytes());
                let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
                assert!(sum / size.area() < 12, "{n}: {}", sum / size.area());
            }
        }
    }

    #[test]
    fn what_is_no_next_unit_is_refused() {
        let size = Size::new(320, 192);
        let mut encoder = Encoder::new().unwrap();
        let source = picture(size, 1);
        let (key, _) = encoder.encode(source.as_ref(), true).unwrap();
        let (next, is_key) = encoder.encode(picture(size, 2).as_ref(), false).unwrap();
        assert!(!is_key);
        let mut shown = source.clone();
        let mut image = shown.as_mut();
        assert!(open().unwrap().decode(&unit(&next, false), &mut image).is_err(), "without a key frame");
        assert!(open().unwrap().decode(&unit(&next, true), &mut image).is_err(), "not a key frame");
        assert!(open().unwrap().decode(&unit(&key[..key.len() / 2], true), &mut image).is_err(), "a half");
        let mut small = image.crop_mut(Rect::new(0, 0, 100, 100)).unwrap();
        let outcome = open().unwrap().decode(&unit(&key, true), &mut small);
        assert!(matches!(outcome, Err(DecodeError::Size { .. })), "{outcome:?}");
    }
}
