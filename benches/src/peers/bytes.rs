//! Coders of bytes, which know nothing of pictures.

use lz4_flex::block;
use zstd::bulk::{Compressor, Decompressor};

use super::{Coder, Error, Part};

/// zstd on the samples as they are.
pub struct Zstd {
    level: i32,
    coder: Option<(Compressor<'static>, Decompressor<'static>)>,
}

impl Zstd {
    /// The level is zstd's own.
    pub fn new(level: i32) -> Self {
        Self { level, coder: None }
    }

    /// Its contexts, made once.
    fn coder(&mut self) -> Result<&mut (Compressor<'static>, Decompressor<'static>), Error> {
        if self.coder.is_none() {
            self.coder = Some((Compressor::new(self.level)?, Decompressor::new()?));
        }
        self.coder.as_mut().ok_or_else(|| "zstd has no context".into())
    }

    fn compress(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        out.clear();
        out.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        self.coder()?.0.compress_to_buffer(bytes, out)?;
        Ok(())
    }

    fn decompress(&mut self, coded: &[u8], len: usize, into: &mut Vec<u8>) -> Result<(), Error> {
        into.clear();
        into.reserve(len);
        self.coder()?.1.decompress_to_buffer(coded, into)?;
        Ok(())
    }
}

impl Coder for Zstd {
    fn name(&self) -> String {
        format!("zstd -{}", self.level)
    }

    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error> {
        self.compress(part.samples(), out)
    }

    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error> {
        self.decompress(coded, like.samples().len(), into)
    }
}

/// Each sample less the one at its left, then zstd.
pub struct Delta {
    zstd: Zstd,
    residuals: Vec<u8>,
}

impl Delta {
    /// zstd at the level of `zstd`.
    pub fn new(zstd: Zstd) -> Self {
        Self { zstd, residuals: Vec::new() }
    }
}

impl Coder for Delta {
    fn name(&self) -> String {
        format!("left delta + {}", self.zstd.name())
    }

    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error> {
        self.residuals.clear();
        let pixel = usize::from(part.channels()) * part.sample_bytes();
        for row in part.samples().chunks_exact(part.size().w as usize * pixel) {
            let (first, rest) = row.split_at(pixel);
            self.residuals.extend_from_slice(first);
            if part.sample_bytes() == 2 {
                let pairs = rest.as_chunks::<2>().0.iter().zip(row.as_chunks::<2>().0);
                let less = |(own, left): (&[u8; 2], &[u8; 2])| {
                    u16::from_le_bytes(*own).wrapping_sub(u16::from_le_bytes(*left)).to_le_bytes()
                };
                self.residuals.extend(pairs.flat_map(less));
            } else {
                self.residuals.extend(rest.iter().zip(row).map(|(own, left)| own.wrapping_sub(*left)));
            }
        }
        self.zstd.compress(&self.residuals, out)
    }

    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error> {
        self.zstd.decompress(coded, like.samples().len(), into)?;
        let pixel = usize::from(like.channels()) * like.sample_bytes();
        for row in into.chunks_exact_mut(like.size().w as usize * pixel) {
            if like.sample_bytes() == 2 {
                let mut sum = 0u16;
                for sample in row.as_chunks_mut::<2>().0 {
                    sum = sum.wrapping_add(u16::from_le_bytes(*sample));
                    *sample = sum.to_le_bytes();
                }
            } else if like.channels() == 3 {
                let mut sums = [0u8; 3];
                for pixel in row.as_chunks_mut::<3>().0 {
                    for (sum, sample) in sums.iter_mut().zip(pixel) {
                        *sum = sum.wrapping_add(*sample);
                        *sample = *sum;
                    }
                }
            } else {
                let mut sum = 0u8;
                for sample in row {
                    sum = sum.wrapping_add(*sample);
                    *sample = sum;
                }
            }
        }
        Ok(())
    }
}

/// lz4 on the samples as they are, through the crate `lz4_flex`.
pub struct Lz4;

impl Coder for Lz4 {
    fn name(&self) -> String {
        "lz4 (lz4_flex)".into()
    }

    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error> {
        out.resize(block::get_maximum_output_size(part.samples().len()), 0);
        let len = block::compress_into(part.samples(), out)?;
        out.truncate(len);
        Ok(())
    }

    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error> {
        into.resize(like.samples().len(), 0);
        block::decompress_into(coded, into)?;
        Ok(())
    }
}
