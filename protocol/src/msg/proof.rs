//! SPEC.md, "Control": what a client says of the tiles that it shows, and the server's answers.

use alloc::vec::Vec;

use crate::digest::Digest;
use crate::geom::TileIndex;
use crate::wire::{Decode, Encode, Reader, WireError, Writer};

/// The most tiles one proof speaks of; its digests fill half a control message.
pub const MAX_PROOF: usize = 2_000;

/// Client: digests of tiles as it shows them, computed from its own memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Counts up from 1 within a connection.
    pub id: u64,
    /// Which surface.
    pub surface: u32,
    /// In which generation.
    pub generation: u32,
    /// The tiles, by rising number; at most [`MAX_PROOF`].
    pub tiles: Vec<TileProof>,
}

/// One tile of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileProof {
    /// Which tile.
    pub tile: TileIndex,
    /// The frame that painted it last.
    pub epoch: u64,
    /// What the client's samples digest to.
    pub digest: Digest,
}

impl Encode for Proof {
    /// Tiles are gaps from the tile before, epochs are distances below the newest epoch in the proof.
    fn encode(&self, out: &mut Writer) {
        out.varint(self.id);
        out.varint(self.surface.into());
        out.varint(self.generation.into());
        let newest = self.tiles.iter().map(|t| t.epoch).max().unwrap_or(0);
        out.varint(newest);
        out.varint(self.tiles.len() as u64);
        let mut next = 0;
        for t in &self.tiles {
            out.varint(u64::from(t.tile.saturating_sub(next)));
            out.varint(newest - t.epoch);
            out.bytes(&t.digest.0);
            next = t.tile.saturating_add(1);
        }
    }
}

impl Decode for Proof {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let (id, surface) = (input.varint()?, input.u32v("surface")?);
        let (generation, newest) = (input.u32v("generation")?, input.varint()?);
        let n = input.count("tiles of a proof", MAX_PROOF as u64, 18)?;
        let mut tiles = Vec::with_capacity(n);
        let mut next = 0u64;
        for _ in 0..n {
            let tile = next + u64::from(input.u32v("tile gap")?);
            let tile = TileIndex::try_from(tile).map_err(|_| WireError::Value { what: "tile", got: tile })?;
            let back = input.number("epoch distance", newest)?;
            tiles.push(TileProof { tile, epoch: newest - back, digest: Digest(input.array()?) });
            next = u64::from(tile) + 1;
        }
        Ok(Proof { id, surface, generation, tiles })
    }
}

/// Client: one digest over the digests of several tiles as it shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Counts up from 1 within a connection, together with proofs.
    pub id: u64,
    /// Which surface.
    pub surface: u32,
    /// In which generation.
    pub generation: u32,
    /// What [`Root::over`] gives for the tiles' digests, each at its present epoch.
    pub root: Digest,
    /// The tiles, by rising number; at most [`MAX_PROOF`].
    pub tiles: Vec<TileIndex>,
}

impl Root {
    /// The first 16 bytes of the BLAKE3 hash over digests, in the order of their tiles.
    ///
    /// A tile's epoch is part of its digest, so tiles that one side has at another epoch give another root.
    pub fn over(digests: impl IntoIterator<Item = Digest>) -> Digest {
        let mut hash = blake3::Hasher::new();
        for digest in digests {
            hash.update(&digest.0);
        }
        let mut root = [0; 16];
        root.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        Digest(root)
    }
}

impl Encode for Root {
    /// Tiles are runs: how many are left out, how many are in.
    fn encode(&self, out: &mut Writer) {
        out.varint(self.id);
        out.varint(self.surface.into());
        out.varint(self.generation.into());
        let runs = || self.tiles.chunk_by(|tile, next| tile.checked_add(1) == Some(*next));
        out.varint(runs().count() as u64);
        let mut next = 0;
        for run in runs() {
            let first = u64::from(run[0]);
            out.varint(first.saturating_sub(next));
            out.varint(run.len() as u64);
            next = first + run.len() as u64;
        }
        out.bytes(&self.root.0);
    }
}

impl Decode for Root {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let (id, surface) = (input.varint()?, input.u32v("surface")?);
        let generation = input.u32v("generation")?;
        let runs = input.count("runs of a root", MAX_PROOF as u64, 2)?;
        let mut tiles = Vec::new();
        let mut next = 0u64;
        for _ in 0..runs {
            let gap = match input.u32v("tile gap")? {
                0 if next > 0 => return Err(WireError::Value { what: "tile gap", got: 0 }),
                gap => u64::from(gap),
            };
            let run = match input.number("tiles of a root", (MAX_PROOF - tiles.len()) as u64)? {
                0 => return Err(WireError::Value { what: "tiles of a root", got: 0 }),
                run => run,
            };
            let (first, end) = (next + gap, next + gap + run);
            let last =
                TileIndex::try_from(end - 1).map_err(|_| WireError::Value { what: "tile", got: end - 1 })?;
            tiles.extend(first as TileIndex..=last);
            next = end;
        }
        Ok(Root { id, surface, generation, root: Digest(input.array()?), tiles })
    }
}

/// Server: what became of a proof. Tiles not listed are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The proof's number.
    pub proof: u64,
    /// The places in the proof, rising, of tiles whose digest is not the server's.
    pub mismatched: Vec<u32>,
    /// The places in the proof, rising, of tiles that have changed since: neither right nor wrong.
    pub superseded: Vec<u32>,
}

impl Encode for Verdict {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.proof);
        for list in [&self.mismatched, &self.superseded] {
            out.varint(list.len() as u64);
            let mut next = 0;
            for place in list {
                out.varint(u64::from(place - next));
                next = place + 1;
            }
        }
    }
}

impl Decode for Verdict {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let proof = input.varint()?;
        let mut list = || {
            let n = input.count("places of a verdict", MAX_PROOF as u64, 1)?;
            let mut places = Vec::with_capacity(n);
            let mut next = 0;
            for _ in 0..n {
                let place = next + input.number("place gap", MAX_PROOF as u64)? as u32;
                places.push(place);
                next = place + 1;
            }
            Ok(places)
        };
        Ok(Verdict { proof, mismatched: list()?, superseded: list()? })
    }
}
