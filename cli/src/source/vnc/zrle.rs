//! ZRLE: tiles of 64x64 as palettes and runs, in one zlib stream for the whole connection.

use flate2::{Decompress, FlushDecompress, Status};
use lightbox_codec::geom::Rect;
use lightbox_codec::pixel::ImageMut;

use super::link::{Fault, Link};

const TILE: u32 = 64;
/// Compressed bytes read at a time.
const CHUNK: usize = 1 << 14;

/// The stream's state, and work memory.
pub(super) struct Zrle {
    stream: Decompress,
    packed: Vec<u8>,
    plain: Vec<u8>,
    tile: Vec<[u8; 4]>,
}

impl Zrle {
    pub(super) fn new() -> Self {
        Self { stream: Decompress::new(true), packed: Vec::new(), plain: Vec::new(), tile: Vec::new() }
    }

    /// Reads `length` compressed bytes and paints `rect`, which lies inside the image.
    pub(super) fn paint(
        &mut self,
        link: &mut Link,
        length: u32,
        image: &mut ImageMut<'_>,
        rect: Rect,
    ) -> Result<(), Fault> {
        self.plain.clear();
        let mut left = length as usize;
        while left > 0 {
            self.packed.resize(left.min(CHUNK), 0);
            link.read(&mut self.packed)?;
            left -= self.packed.len();
            self.inflate(most_bytes(rect))?;
        }
        let mut bytes = Bytes(&self.plain);
        for y in (0..rect.h).step_by(TILE as usize) {
            for x in (0..rect.w).step_by(TILE as usize) {
                let tile = Rect::new(rect.x + x, rect.y + y, TILE.min(rect.w - x), TILE.min(rect.h - y));
                self.tile.clear();
                decode_tile(&mut bytes, tile.w as usize, tile.h as usize, &mut self.tile)?;
                let Some(mut part) = image.crop_mut(tile) else { continue };
                for (y, row) in self.tile.chunks_exact(tile.w as usize).enumerate() {
                    part.row_mut(y as u32).copy_from_slice(row.as_flattened());
                }
            }
        }
        Ok(())
    }

    /// Unpacks what is in `packed`, to at most `most` bytes in all.
    fn inflate(&mut self, most: usize) -> Result<(), Fault> {
        let mut at = 0;
        loop {
            self.plain.reserve(CHUNK);
            let (before_in, before_out) = (self.stream.total_in(), self.plain.len());
            let status =
                self.stream.decompress_vec(&self.packed[at..], &mut self.plain, FlushDecompress::Sync);
            at += (self.stream.total_in() - before_in) as usize;
            if !matches!(status, Ok(Status::Ok | Status::BufError)) || self.plain.len() > most {
                return Err(corrupt());
            }
            let stands = self.plain.len() == before_out && self.stream.total_in() == before_in;
            if stands || (at == self.packed.len() && self.plain.len() < self.plain.capacity()) {
                return Ok(());
            }
        }
    }
}

/// No coding of a rect is longer: each pixel as a run of its own, and a palette for each tile.
fn most_bytes(rect: Rect) -> usize {
    let tiles = u64::from(rect.w.div_ceil(TILE)) * u64::from(rect.h.div_ceil(TILE));
    (rect.area() * 4 + tiles * 400) as usize
}

fn corrupt() -> Fault {
    Fault::Wrong("its compressed pixels cannot be read".into())
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.0.split_first().ok_or_else(corrupt)?;
        self.0 = rest;
        Ok(*first)
    }

    fn pixel(&mut self) -> Result<[u8; 4], Fault> {
        let ([b, g, r], rest) = self.0.split_first_chunk().ok_or_else(corrupt)?;
        self.0 = rest;
        Ok([*b, *g, *r, 0xff])
    }

    /// One more than the sum of bytes up to the first that is not 255; at most `most`.
    fn run(&mut self, most: usize) -> Result<usize, Fault> {
        let mut length = 1;
        loop {
            let byte = self.byte()?;
            length += usize::from(byte);
            if length > most {
                return Err(corrupt());
            }
            if byte != 255 {
                return Ok(length);
            }
        }
    }
}

/// Appends the `w` x `h` pixels of a tile.
fn decode_tile(bytes: &mut Bytes<'_>, w: usize, h: usize, out: &mut Vec<[u8; 4]>) -> Result<(), Fault> {
    let area = w * h;
    let kind = bytes.byte()?;
    let mut palette = [[0; 4]; 127];
    let colours = usize::from(kind & 0x7f);
    match kind {
        0 => {
            for _ in 0..area {
                out.push(bytes.pixel()?);
            }
        }
        1 => out.resize(area, bytes.pixel()?),
        2..=16 => {
            for colour in &mut palette[..colours] {
                *colour = bytes.pixel()?;
            }
            let bits = match colours {
                2 => 1,
                3 | 4 => 2,
                _ => 4,
            };
            for _ in 0..h {
                // A row begins with a byte of its own.
                let (mut held, mut left) = (0, 0);
                for _ in 0..w {
                    if left == 0 {
                        (held, left) = (bytes.byte()?, 8);
                    }
                    left -= bits;
                    let index = usize::from(held >> left & ((1 << bits) - 1));
                    out.push(*palette[..colours].get(index).ok_or_else(corrupt)?);
                }
            }
        }
        128 => {
            while out.len() < area {
                let colour = bytes.pixel()?;
                let run = bytes.run(area - out.len())?;
                out.resize(out.len() + run, colour);
            }
        }
        130.. => {
            for colour in &mut palette[..colours] {
                *colour = bytes.pixel()?;
            }
            while out.len() < area {
                let index = bytes.byte()?;
                let colour = *palette[..colours].get(usize::from(index & 0x7f)).ok_or_else(corrupt)?;
                let run = if index & 0x80 == 0 { 1 } else { bytes.run(area - out.len())? };
                out.resize(out.len() + run, colour);
            }
        }
        _ => return Err(corrupt()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tile(bytes: &[u8], w: usize, h: usize) -> Result<Vec<[u8; 4]>, Fault> {
        let mut out = Vec::new();
        decode_tile(&mut Bytes(bytes), w, h, &mut out).map(|()| out)
    }

    #[test]
    fn every_kind_of_tile_is_read() {
        let (a, b, c) = ([1, 2, 3, 0xff], [4, 5, 6, 0xff], [7, 8, 9, 0xff]);
        assert_eq!(tile(&[0, 1, 2, 3, 4, 5, 6], 2, 1).unwrap(), [a, b]);
        assert_eq!(tile(&[1, 1, 2, 3], 2, 2).unwrap(), [a; 4]);
        assert_eq!(tile(&[2, 1, 2, 3, 4, 5, 6, 0b0100_0000, 0b1000_0000], 2, 2).unwrap(), [a, b, b, a]);
        assert_eq!(tile(&[3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0b0010_0100], 3, 1).unwrap(), [a, c, b]);
        assert_eq!(tile(&[128, 1, 2, 3, 2, 4, 5, 6, 0], 4, 1).unwrap(), [a, a, a, b]);
        assert_eq!(tile(&[130, 1, 2, 3, 4, 5, 6, 0x81, 1, 0, 1], 4, 1).unwrap(), [b, b, a, b]);
        let long = tile(&[128, 1, 2, 3, 255, 255, 1], 512, 1).unwrap();
        assert_eq!(long, vec![a; 512]);
    }

    #[test]
    fn what_is_no_tile_is_an_error() {
        for bytes in [
            &[][..],
            &[0, 1, 2],
            &[17, 0],
            &[129, 0],
            &[128, 1, 2, 3, 9],
            &[3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xff],
        ] {
            assert!(tile(bytes, 2, 2).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_tile_of_the_promised_size_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..600),
            w in 1usize..=64,
            h in 1usize..=64,
        ) {
            if let Ok(pixels) = tile(&bytes, w, h) {
                prop_assert_eq!(pixels.len(), w * h);
            }
        }
    }
}
