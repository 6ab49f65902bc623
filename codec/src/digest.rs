//! The digest of a tile's samples, with which "verified" is proved.
//!
//! The client digests what it decoded; the server digests its private snapshot; equal digests at the same epoch
//! prove that the person sees the source samples. XXH3-128 is used: it guards against codec and logic faults at
//! memory speed, while the transport's AEAD guards against tampering. A nonce of the surface's generation is
//! mixed in, so a digest can neither be replayed from another generation nor computed without the pixels.

use core::fmt;

/// 128 bits that stand for a tile's samples.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 16]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What a digest covers beside the samples: SPEC.md, "Digest".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestContext {
    /// The server's nonce of this generation of the surface.
    pub nonce: [u8; 16],
    /// The surface's number.
    pub surface: u32,
    /// Counts up with each new nonce of the surface.
    pub generation: u32,
}

#[cfg(feature = "coders")]
mod compute {
    use xxhash_rust::xxh3::{Xxh3, xxh3_128};

    use super::{Digest, DigestContext};
    use crate::geom::{TILE, TileIndex};
    use crate::pixel::{ImageRef, PixelFormat};

    const HEAD: usize = 44;
    /// What a digest covers at the most: a whole tile of four bytes a pixel.
    const MOST: usize = HEAD + (TILE * TILE * 4) as usize;

    impl DigestContext {
        /// The digest of the samples of `tile`, number `index` of its surface, as painted by frame `epoch`.
        pub fn digest(&self, index: TileIndex, epoch: u64, tile: ImageRef<'_>) -> Digest {
            let mut head = [0u8; HEAD];
            head[0..16].copy_from_slice(&self.nonce);
            head[16..20].copy_from_slice(&self.surface.to_le_bytes());
            head[20..24].copy_from_slice(&self.generation.to_le_bytes());
            head[24..28].copy_from_slice(&index.to_le_bytes());
            head[28..36].copy_from_slice(&epoch.to_le_bytes());
            head[36] = format_code(tile.format());
            head[37] = tile.format().depth();
            // 38..40: the VOI LUT of a deep gray surface, 0 while none is declared.
            head[40..42].copy_from_slice(&(tile.size().w as u16).to_le_bytes());
            head[42..44].copy_from_slice(&(tile.size().h as u16).to_le_bytes());
            Digest(hash(&head, tile).to_be_bytes())
        }
    }

    fn hash(head: &[u8; HEAD], tile: ImageRef<'_>) -> u128 {
        let len = HEAD + tile.size().area() as usize * tile.format().bytes_per_pixel();
        // In one piece it is hashed twice as fast as row by row, though it is copied for that.
        let mut memory = [0; MOST];
        if let Some((to, samples)) = memory.get_mut(..len).and_then(|all| all.split_first_chunk_mut::<HEAD>())
        {
            *to = *head;
            let row = samples.len() / tile.size().h as usize;
            samples.chunks_exact_mut(row).zip(tile.rows()).for_each(|(to, row)| to.copy_from_slice(row));
            return xxh3_128(&memory[..len]);
        }
        let mut hash = Xxh3::new();
        hash.update(head);
        tile.rows().for_each(|row| hash.update(row));
        hash.digest128()
    }

    fn format_code(format: PixelFormat) -> u8 {
        match format {
            PixelFormat::Bgrx8 => 1,
            PixelFormat::Gray8 => 2,
            PixelFormat::Gray16(_) => 3,
            PixelFormat::Bgrx10 => 4,
        }
    }
}

#[cfg(all(test, feature = "coders"))]
mod tests {
    use super::*;
    use crate::geom::Size;
    use crate::pixel::{ImageRef, PixelFormat};

    #[test]
    fn every_part_of_the_context_counts_and_padding_does_not() {
        let context = DigestContext { nonce: [7; 16], surface: 1, generation: 2 };
        let tight = [1u8, 2, 3, 4];
        let padded = [1u8, 2, 99, 3, 4, 98];
        let view = |d, stride| ImageRef::new(d, Size::new(2, 2), stride, PixelFormat::Gray8).unwrap();
        let base = context.digest(3, 4, view(&tight, 2));
        assert_eq!(base, context.digest(3, 4, view(&padded, 3)));
        for other in [
            DigestContext { nonce: [8; 16], ..context }.digest(3, 4, view(&tight, 2)),
            DigestContext { surface: 9, ..context }.digest(3, 4, view(&tight, 2)),
            DigestContext { generation: 9, ..context }.digest(3, 4, view(&tight, 2)),
            context.digest(9, 4, view(&tight, 2)),
            context.digest(3, 9, view(&tight, 2)),
            context.digest(3, 4, view(&[1, 2, 3, 5], 2)),
            context.digest(3, 4, ImageRef::new(&tight, Size::new(4, 1), 4, PixelFormat::Gray8).unwrap()),
        ] {
            assert_ne!(base, other);
        }
    }

    /// The values stand in protocol/vectors/digest.txt and SPEC.md too: another implementation must get them.
    #[test]
    fn the_published_vectors() {
        let check = |context: DigestContext, index, epoch, (w, h), format, samples: &[u8], hex: &str| {
            let stride = w as usize * PixelFormat::bytes_per_pixel(format);
            let tile = ImageRef::new(samples, Size::new(w, h), stride, format).unwrap();
            assert_eq!(alloc::format!("{:?}", context.digest(index, epoch, tile)), hex);
        };
        let context = DigestContext { nonce: [7; 16], surface: 1, generation: 2 };
        let gray = PixelFormat::Gray8;
        check(context, 3, 4, (2, 2), gray, &[1, 2, 3, 4], "41cd76577eee6f8d9e3a27626eeb9def");
        let nonce = core::array::from_fn(|i| 0xF0 + i as u8);
        let context = DigestContext { nonce, surface: 2, generation: 9 };
        let deep = PixelFormat::Gray16(crate::pixel::SampleDepth::new(12).unwrap());
        check(context, 1279, 298, (1, 2), deep, &[0xFF, 0x0F, 0, 0], "8d35fc96fc5c88747b8361a74c1f6e4d");
    }
}
