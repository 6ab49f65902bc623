use std::io::Cursor;

use super::{Coder, Error, Part};

/// PNG through the crate `png`, with the filter that the crate chooses.
pub struct Png {
    compression: png::Compression,
    swapped: Vec<u8>,
}

impl Png {
    /// `Fast` or `Balanced`, the crate's default.
    pub fn new(compression: png::Compression) -> Self {
        Self { compression, swapped: Vec::new() }
    }
}

impl Coder for Png {
    fn name(&self) -> String {
        format!("PNG {:?} (png)", self.compression)
    }

    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error> {
        out.clear();
        let mut encoder = png::Encoder::new(out, part.size().w, part.size().h);
        encoder.set_compression(self.compression);
        encoder.set_color(if part.channels() == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale });
        let mut samples = part.samples();
        if part.sample_bytes() == 2 {
            encoder.set_depth(png::BitDepth::Sixteen);
            self.swapped.clear();
            self.swapped.extend_from_slice(samples);
            swap(&mut self.swapped);
            samples = &self.swapped;
        }
        let mut writer = encoder.write_header()?;
        writer.write_image_data(samples)?;
        Ok(writer.finish()?)
    }

    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error> {
        let mut reader = png::Decoder::new(Cursor::new(coded)).read_info()?;
        into.resize(like.samples().len(), 0);
        reader.next_frame(into)?;
        if like.sample_bytes() == 2 {
            swap(into);
        }
        Ok(())
    }
}

fn swap(samples: &mut [u8]) {
    samples.as_chunks_mut::<2>().0.iter_mut().for_each(|[a, b]| std::mem::swap(a, b));
}

/// QOI through the crate `qoi`; colour only.
pub struct Qoi;

impl Coder for Qoi {
    fn name(&self) -> String {
        "QOI (qoi)".into()
    }

    fn takes(&self, part: &Part) -> bool {
        part.channels() == 3
    }

    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error> {
        let (w, h) = (part.size().w, part.size().h);
        out.resize(qoi::encode_max_len(w, h, qoi::Channels::Rgb), 0);
        let len = qoi::encode_to_buf(&mut *out, part.samples(), w, h)?;
        out.truncate(len);
        Ok(())
    }

    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error> {
        into.resize(like.samples().len(), 0);
        qoi::decode_to_buf(into, coded)?;
        Ok(())
    }
}
