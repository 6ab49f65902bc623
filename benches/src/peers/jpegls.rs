use charls::{CharLS, FrameInfo, InterleaveMode};

use super::{Coder, Error, Part, YARDSTICK};

/// JPEG-LS through CharLS: gray at its true bit depth; colour interleaved by sample, red and blue less green, which is
/// the transform HP1 of CharLS and of most that use it.
#[derive(Default)]
pub struct JpegLs {
    transformed: Vec<u8>,
}

impl Coder for JpegLs {
    fn name(&self) -> String {
        YARDSTICK.into()
    }

    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error> {
        // Its encoder codes one picture in its life.
        let mut coder = CharLS::default();
        let mut samples = part.samples();
        if part.channels() == 3 {
            coder.set_interleave_mode(InterleaveMode::Sample)?;
            self.transformed.clear();
            self.transformed.extend_from_slice(samples);
            for [r, g, b] in self.transformed.as_chunks_mut::<3>().0 {
                *r = r.wrapping_sub(*g).wrapping_add(128);
                *b = b.wrapping_sub(*g).wrapping_add(128);
            }
            samples = &self.transformed;
        }
        let frame = FrameInfo {
            width: part.size().w,
            height: part.size().h,
            bits_per_sample: part.depth().into(),
            component_count: part.channels().into(),
        };
        *out = coder.encode(frame, 0, samples)?;
        Ok(())
    }

    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error> {
        *into = CharLS::default().decode(coded)?;
        if like.channels() == 3 {
            for [r, g, b] in into.as_chunks_mut::<3>().0 {
                *r = r.wrapping_add(*g).wrapping_sub(128);
                *b = b.wrapping_add(*g).wrapping_sub(128);
            }
        }
        Ok(())
    }
}
