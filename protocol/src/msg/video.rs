//! SPEC.md, "Video": access units that someone else encoded, and the codecs they may be of.

use bytes::Bytes;

use super::display::MAX_FRAME;
use crate::geom::Rect;
use crate::wire::ids::{codec, op};
use crate::wire::{Decode, Encode, Reader, WireError, Writer};

/// The longest access unit: with a header and the tiles that it paints it is a frame still.
pub const MAX_UNIT: usize = MAX_FRAME - (64 << 10);

/// One access unit: the next picture of a surface's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Where its picture stands: the same for all units of a run.
    pub rect: Rect,
    /// A number of [`codec`] that [`VideoCodecs`] has.
    pub codec: u64,
    /// It is decoded without those before it, and begins a run.
    pub key: bool,
    /// What its samples mean.
    pub colour: Colour,
    /// The access unit: SPEC.md says in which form.
    pub data: Bytes,
}

/// How the luma and chroma of a picture become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Colour {
    /// Samples use all 256 values; 16 to 235 and 240 otherwise.
    pub full_range: bool,
    /// By the matrix of BT.601; of BT.709 otherwise.
    pub bt601: bool,
}

impl Unit {
    /// Reads one behind its operation's number. The caller checks the rect and the codec against what was agreed on.
    pub(super) fn read(input: &mut Reader<'_>, whole: &Bytes) -> Result<Self, WireError> {
        let (rect, codec) = (Rect::decode(input)?, input.varint()?);
        let flags = input.u8()?;
        if flags & !(KEY | FULL_RANGE | BT601) != 0 {
            return Err(WireError::Value { what: "flags of an access unit", got: flags.into() });
        }
        Ok(Self {
            rect,
            codec,
            key: flags & KEY != 0,
            colour: Colour { full_range: flags & FULL_RANGE != 0, bt601: flags & BT601 != 0 },
            data: whole.slice_ref(input.blob("length of an access unit", MAX_UNIT as u64)?),
        })
    }
}

impl Encode for Unit {
    fn encode(&self, out: &mut Writer) {
        out.varint(op::VIDEO);
        self.rect.encode(out);
        out.varint(self.codec);
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let Colour { full_range, bt601 } = self.colour;
        out.bytes(&[flag(self.key, KEY) | flag(full_range, FULL_RANGE) | flag(bt601, BT601)]);
        out.blob(&self.data);
    }
}

/// A set of video codecs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoCodecs(u8);

impl VideoCodecs {
    /// All that have a number.
    pub const ALL: [u64; 3] = [codec::H264, codec::HEVC, codec::AV1];

    /// Those among `codecs`.
    pub fn of(codecs: &[u64]) -> Self {
        Self(Self::ALL.iter().zip(0..).fold(0, |set, (id, bit)| set | u8::from(codecs.contains(id)) << bit))
    }

    /// True if `codec` is a video codec, and one of these.
    pub fn contains(self, codec: u64) -> bool {
        Self::ALL.iter().position(|id| *id == codec).is_some_and(|bit| self.0 >> bit & 1 == 1)
    }

    /// True if there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that both have.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

const KEY: u8 = 1;
const FULL_RANGE: u8 = 2;
const BT601: u8 = 4;
