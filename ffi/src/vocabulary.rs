//! What both sides speak of: pictures in memory, rectangles, sessions and monitors. Each side alone takes its words from
//! here, and here they come from the protocol.
#![allow(unsafe_code)]

use std::ffi::c_void;

#[cfg(feature = "server")]
use lightbox_protocol::geom::Rect;
use lightbox_protocol::msg::control::{Layout, SessionId};
use lightbox_protocol::pixel::PixelFormat;
#[cfg(feature = "server")]
use lightbox_protocol::pixel::SampleDepth;

#[cfg(feature = "server")]
use crate::error::Failure;
#[cfg(feature = "server")]
use crate::handle;
use crate::sized::SizeFirst;

/// 8 bits of gray, 1 byte a pixel.
pub const LBX_FORMAT_GRAY8: u32 = 8;
/// 9 bits of gray in 2 bytes, little-endian, the high bits 0. The values from 9 to 16 are such formats, each named by
/// its significant bits.
pub const LBX_FORMAT_GRAY9: u32 = 9;
/// 10 bits of gray in 2 bytes.
pub const LBX_FORMAT_GRAY10: u32 = 10;
/// 12 bits of gray in 2 bytes.
pub const LBX_FORMAT_GRAY12: u32 = 12;
/// 16 bits of gray in 2 bytes.
pub const LBX_FORMAT_GRAY16: u32 = 16;
/// Blue, green, red and a byte that carries nothing, 8 bits each: x8r8g8b8 of little-endian machines.
pub const LBX_FORMAT_BGRX8: u32 = 32;
/// Ten bits of blue, green and red from bit 0 of a little-endian 32-bit number, and two bits that carry nothing:
/// x2r10g10b10 of little-endian machines, "depth 30".
pub const LBX_FORMAT_BGRX10: u32 = 30;

/// A picture in memory: `h` rows of `w` pixels, `stride` bytes from one row to the next. The last row may end without
/// its padding.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_frame {
    /// sizeof(lbx_frame).
    pub size: usize,
    /// The first byte of the top row.
    pub data: *const c_void,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// When the picture was taken: microseconds of CLOCK_MONOTONIC; 0 means now, and is all
    /// that there is on Windows.
    pub captured_us: u64,
    /// Columns, 1 to 16384.
    pub w: u32,
    /// Rows, 1 to 16384.
    pub h: u32,
    /// LBX_FORMAT_*.
    pub format: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, size first, integers and a raw pointer.
unsafe impl SizeFirst for lbx_frame {
    const NAME: &'static str = "lbx_frame";
    const LEAST: usize = size_of::<Self>();
}

/// A rectangle of pixels: columns x to x+w-1, rows y to y+h-1.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct lbx_rect {
    /// Leftmost column.
    pub x: u32,
    /// Topmost row.
    pub y: u32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
}

/// A callback of the application. It must return, and not by an exception or longjmp.
pub type lbx_callback = Option<unsafe extern "C" fn(userdata: *mut c_void)>;

/// For settings whose 0 means the default: none at all.
pub const LBX_NONE: u32 = 0xFFFF_FFFF;

/// The person may see, and give input.
pub const LBX_ROLE_CONTROL: u32 = 0;
/// The person may see; the server drops input.
pub const LBX_ROLE_VIEW: u32 = 1;

/// Names a session across its connections.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct lbx_session_id {
    /// Random.
    pub bytes: [u8; 16],
}

#[cfg(feature = "server")]
impl lbx_session_id {
    /// # Safety
    /// Promise 2 of `handle`.
    pub(crate) unsafe fn read(id: *const Self) -> Result<SessionId, Failure> {
        // SAFETY: the caller's promise.
        let ids = unsafe { handle::array(id, 1, "session") }?;
        Ok(SessionId(ids.first().map(|id| id.bytes).unwrap_or_default()))
    }
}

impl From<SessionId> for lbx_session_id {
    fn from(id: SessionId) -> Self {
        Self { bytes: id.0 }
    }
}

/// Where a monitor stands on the desktop.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct lbx_place {
    /// The monitor, by lbx_output_id().
    pub output: u32,
    /// The client's surface that it shows.
    pub surface: u32,
    /// Its left edge in desktop pixels.
    pub x: i32,
    /// Its top edge in desktop pixels.
    pub y: i32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
    /// Its width in millimetres; 0 if not known.
    pub width_mm: u32,
    /// The guest's scale in 1/120: 120 is 1:1.
    pub scale: u32,
}

impl lbx_place {
    pub(crate) fn all_of(layout: &Layout) -> Vec<Self> {
        let place = |output: &lightbox_protocol::msg::control::Output| Self {
            output: output.id,
            surface: output.surface,
            x: output.x,
            y: output.y,
            w: output.size.w,
            h: output.size.h,
            width_mm: output.width_mm,
            scale: output.scale,
        };
        layout.outputs.iter().map(place).collect()
    }
}

/// What a config says of the memory for slots; `None` for the default.
pub(crate) fn slot_memory_of(bytes: u64) -> Option<u64> {
    match bytes {
        0 => None,
        bytes if bytes == u64::from(LBX_NONE) => Some(0),
        bytes => Some(bytes),
    }
}

#[cfg(feature = "server")]
pub(crate) fn format_of(number: u32) -> Result<PixelFormat, Failure> {
    let deep = || u8::try_from(number).ok().and_then(SampleDepth::new).map(PixelFormat::Gray16);
    match number {
        LBX_FORMAT_BGRX8 => Ok(PixelFormat::Bgrx8),
        LBX_FORMAT_BGRX10 => Ok(PixelFormat::Bgrx10),
        LBX_FORMAT_GRAY8 => Ok(PixelFormat::Gray8),
        _ => deep().ok_or_else(|| Failure::argument(format_args!("{number} is no LBX_FORMAT"))),
    }
}

#[cfg(feature = "client")]
pub(crate) fn number_of(format: PixelFormat) -> u32 {
    match format {
        PixelFormat::Bgrx8 => LBX_FORMAT_BGRX8,
        PixelFormat::Bgrx10 => LBX_FORMAT_BGRX10,
        PixelFormat::Gray8 | PixelFormat::Gray16(_) => format.depth().into(),
    }
}

#[cfg(feature = "server")]
pub(crate) fn rects_of(rects: &[lbx_rect]) -> Vec<Rect> {
    rects.iter().map(|rect| Rect::new(rect.x, rect.y, rect.w, rect.h)).collect()
}

#[cfg(all(test, feature = "server", feature = "client"))]
mod tests {
    use super::*;

    #[test]
    fn formats_have_one_number_each() {
        for number in [
            LBX_FORMAT_BGRX8,
            LBX_FORMAT_BGRX10,
            LBX_FORMAT_GRAY8,
            LBX_FORMAT_GRAY9,
            LBX_FORMAT_GRAY12,
            LBX_FORMAT_GRAY16,
        ] {
            assert_eq!(format_of(number).map(number_of).unwrap(), number);
        }
        assert!([0, 7, 17, 24, 33, u32::MAX].into_iter().all(|number| format_of(number).is_err()));
    }
}
