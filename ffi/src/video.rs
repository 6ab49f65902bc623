//! Access units: from a host's own encoder, and to a terminal's own decoder.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::sized::SizeFirst;
use crate::vocabulary::lbx_rect;

/// H.264, access units in the byte stream format of Annex B.
pub const LBX_CODEC_H264: u32 = 0x10;
/// HEVC, the same.
pub const LBX_CODEC_HEVC: u32 = 0x11;
/// AV1, temporal units of the low-overhead format.
pub const LBX_CODEC_AV1: u32 = 0x12;

/// The unit is decoded without those before it, and has all that a decoder must know in front.
pub const LBX_UNIT_KEY: u32 = 1;
/// Its samples use all 256 values; 16 to 235 and 240 otherwise.
pub const LBX_UNIT_FULL_RANGE: u32 = 2;
/// Its colours are by the matrix of BT.601; by that of BT.709 otherwise.
pub const LBX_UNIT_BT601: u32 = 4;

/// One coded picture: decoded at once, without reordering, 8 bits and 4:2:0. A key frame begins a run, whose other units
/// have the same codec and rect.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_access_unit {
    /// sizeof(lbx_access_unit).
    pub size: usize,
    /// Its bytes.
    pub data: *const c_void,
    /// How many: 1 to 8323072.
    pub len: usize,
    /// Where its picture stands on the monitor; the coded picture may be up to 63 columns and rows larger. To a decoder
    /// x and y are 0, and w and h are what is to be painted.
    pub rect: lbx_rect,
    /// LBX_CODEC_*.
    pub codec: u32,
    /// LBX_UNIT_*.
    pub flags: u32,
}

// SAFETY: `repr(C)`, size first, integers and a raw pointer.
unsafe impl SizeFirst for lbx_access_unit {
    const NAME: &'static str = "lbx_access_unit";
    const LEAST: usize = size_of::<Self>();
}

#[cfg(feature = "server")]
mod submitted {
    use lightbox_server::geom::Rect;
    use lightbox_server::{AccessUnit, Codec, Colour};

    use super::*;
    use crate::error::Failure;
    use crate::handle;

    impl lbx_access_unit {
        /// # Safety
        /// Promise 2, for as long as what is returned.
        pub(crate) unsafe fn parsed<'a>(&self) -> Result<AccessUnit<'a>, Failure> {
            let codec = match self.codec {
                LBX_CODEC_H264 => Codec::H264,
                LBX_CODEC_HEVC => Codec::Hevc,
                LBX_CODEC_AV1 => Codec::Av1,
                other => return Err(Failure::argument(format_args!("no codec {other}: LBX_CODEC_*"))),
            };
            if self.flags & !(LBX_UNIT_KEY | LBX_UNIT_FULL_RANGE | LBX_UNIT_BT601) != 0 {
                return Err(Failure::argument("flags of an access unit are LBX_UNIT_*"));
            }
            let has = |flag| self.flags & flag != 0;
            // SAFETY: the caller's promise.
            let bytes = unsafe { handle::array(self.data.cast::<u8>(), self.len, "data") }?;
            let lbx_rect { x, y, w, h } = self.rect;
            Ok(AccessUnit {
                codec,
                key: has(LBX_UNIT_KEY),
                // What overflows lies in no monitor.
                rect: Rect { x: x.min(1 << 30), y: y.min(1 << 30), w: w.min(1 << 30), h: h.min(1 << 30) },
                colour: Colour { full_range: has(LBX_UNIT_FULL_RANGE), bt601: has(LBX_UNIT_BT601) },
                bytes,
            })
        }
    }
}
