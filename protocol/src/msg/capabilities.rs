//! SPEC.md, "Capabilities".

use alloc::vec::Vec;

use crate::wire::ids::{capability, codec, format};
use crate::wire::{Decode, Encode, Reader, WireError, Writer};

const MAX_CAPABILITIES: u64 = 64;
const MAX_CAPABILITY: u64 = 512;

/// What a peer can do. Unknown capabilities are skipped; a missing one means the least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Coders it can decode (client) or will use (server): [`codec`].
    pub codecs: Vec<u64>,
    /// Pixel formats it can keep or will send: [`format`].
    pub formats: Vec<u64>,
    /// The most pixels that all surfaces together may have.
    pub max_pixels: u64,
    /// The cells of 4,096 bytes in which the client keeps tiles to be shown again; 0: none.
    pub slots: u64,
    /// The byte streams that each side may have open at one time; 0: none.
    pub streams: u64,
    /// The registers in which the client keeps models of the screen codec; 0: none. Above
    /// [`MAX_MODELS`](super::update::MAX_MODELS) it means as many as those.
    pub models: u64,
}

impl Default for Capabilities {
    /// Everything this version knows but video, which takes decoders from elsewhere; room for eight 4K outputs, 64 MiB
    /// of slots and four models, and no byte streams.
    fn default() -> Self {
        Self {
            codecs: [codec::LOSSLESS, codec::FIRST, codec::HIGH, codec::LOW, codec::INTER, codec::SCALED]
                .into(),
            formats: [format::BGRX8, format::GRAY8, format::GRAY16, format::BGRX10].into(),
            max_pixels: 64 << 20,
            slots: 16_384,
            streams: 0,
            models: 4,
        }
    }
}

impl Encode for Capabilities {
    fn encode(&self, out: &mut Writer) {
        let list = |ids: &[u64]| {
            let mut list = Writer::new();
            ids.iter().for_each(|id| list.varint(*id));
            list.into_vec()
        };
        let some = |id, n: u64| (n > 0).then(|| (id, list(&[n])));
        let some = [some(capability::STREAMS, self.streams), some(capability::MODELS, self.models)];
        let always = [
            (capability::CODECS, list(&self.codecs)),
            (capability::FORMATS, list(&self.formats)),
            (capability::MAX_PIXELS, list(&[self.max_pixels])),
            (capability::SLOTS, list(&[self.slots])),
        ];
        out.varint(4 + some.iter().flatten().count() as u64);
        for (id, value) in always.into_iter().chain(some.into_iter().flatten()) {
            out.varint(id);
            out.blob(&value);
        }
    }
}

impl Decode for Capabilities {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let mut all = Capabilities {
            codecs: Vec::new(),
            formats: Vec::new(),
            max_pixels: 0,
            slots: 0,
            streams: 0,
            models: 0,
        };
        for _ in 0..input.count("capabilities", MAX_CAPABILITIES, 2)? {
            let id = input.varint()?;
            let mut value = Reader::new(input.blob("capability length", MAX_CAPABILITY)?);
            let list = |value: &mut Reader<'_>| {
                let mut ids = Vec::new();
                while !value.is_empty() {
                    ids.push(value.varint()?);
                }
                Ok(ids)
            };
            match id {
                capability::CODECS => all.codecs = list(&mut value)?,
                capability::FORMATS => all.formats = list(&mut value)?,
                capability::MAX_PIXELS => all.max_pixels = value.varint()?,
                capability::SLOTS => all.slots = value.varint()?,
                capability::STREAMS => all.streams = value.varint()?,
                capability::MODELS => all.models = value.varint()?,
                _ => continue,
            }
            value.finish()?;
        }
        Ok(all)
    }
}
