//! Frames in the application's memory, and the scanout: one that stays with its output.
#![allow(unsafe_code)]

use std::ffi::c_void;

use lightbox_protocol::geom::Size;
use lightbox_protocol::pixel::{ImageRef, PixelFormat};

use crate::error::{Failure, LBX_ERROR_SHAPE};
use crate::guard;
use crate::sized::SizeFirst;
use crate::vocabulary::{format_of, lbx_callback, lbx_frame};

/// The buffer that the guest's display shows now, kept by an output until it gets another.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_scanout {
    /// sizeof(lbx_scanout).
    pub size: usize,
    /// The first byte of the top row. Stays readable until `release` is called.
    pub data: *const c_void,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Given to the three callbacks.
    pub userdata: *mut c_void,
    /// Called once, when the library does not look at `data` any more; NULL if nobody cares. On any thread that is in a
    /// call of this library.
    pub release: lbx_callback,
    /// Called before each look at `data`, on the thread whose call looks; NULL if none is needed. For hosts that can
    /// keep the guest from writing meanwhile.
    pub lock: lbx_callback,
    /// Called after each look; NULL if none is needed.
    pub unlock: lbx_callback,
    /// Columns, 1 to 16384.
    pub w: u32,
    /// Rows, 1 to 16384.
    pub h: u32,
    /// LBX_FORMAT_*.
    pub format: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, size first, integers, raw pointers and optional function pointers.
unsafe impl SizeFirst for lbx_scanout {
    const NAME: &'static str = "lbx_scanout";
    const LEAST: usize = size_of::<Self>();
}

/// Memory of the application that holds an image.
///
/// INVARIANT: `len` is what `size`, `stride` and `format` need, and does not overflow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    data: *const u8,
    len: usize,
    stride: usize,
    pub(crate) size: Size,
    pub(crate) format: PixelFormat,
}

impl Memory {
    fn new(data: *const c_void, stride: usize, [w, h, format, reserved]: [u32; 4]) -> Result<Self, Failure> {
        let (size, format) = (Size::new(w, h), format_of(format)?);
        if reserved != 0 {
            return Err(Failure::argument("what is reserved must be 0"));
        }
        if data.is_null() {
            return Err(Failure::argument("the frame's data is NULL"));
        }
        let row = (w as usize).checked_mul(format.bytes_per_pixel());
        let rows = (h as usize).checked_sub(1).and_then(|before| stride.checked_mul(before));
        let len = row.zip(rows).and_then(|(row, rows)| rows.checked_add(row));
        let len = len.filter(|len| isize::try_from(*len).is_ok());
        let len = len.ok_or_else(|| Failure::argument("the frame is empty or larger than memory"))?;
        // Sides and stride are judged by the one who looks.
        Ok(Self { data: data.cast(), len, stride, size, format })
    }

    /// The image.
    ///
    /// # Safety
    /// The memory is there while the image is looked at. A guest may write to it meanwhile: what is read then is only
    /// compared and copied, sample by sample, and never decides where is read or written, so it tears this frame at
    /// worst; the damage that follows mends it.
    pub(crate) unsafe fn image<'a>(&self) -> Result<ImageRef<'a>, Failure> {
        // SAFETY: `len` bytes from `data`, by the invariant, are what the caller promises to be there.
        let bytes = unsafe { std::slice::from_raw_parts(self.data, self.len) };
        ImageRef::new(bytes, self.size, self.stride, self.format)
            .map_err(|error| Failure::new(LBX_ERROR_SHAPE, error))
    }
}

impl lbx_frame {
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        Memory::new(self.data, self.stride, [self.w, self.h, self.format, self.reserved])
    }
}

impl lbx_scanout {
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        Memory::new(self.data, self.stride, [self.w, self.h, self.format, self.reserved])
    }
}

/// A scanout that the library holds. Dropping it tells the application.
#[derive(Debug)]
pub(crate) struct Scanout {
    given: lbx_scanout,
    memory: Memory,
}

// SAFETY: the memory is only read, and stays until `release` by the contract of `lbx_scanout`, which also says that
// the callbacks run on any thread; userdata is passed on and not looked at.
unsafe impl Send for Scanout {}
// SAFETY: as above.
unsafe impl Sync for Scanout {}

impl Scanout {
    /// From now on it will be released.
    pub(crate) fn new(given: lbx_scanout, memory: Memory) -> Self {
        Self { given, memory }
    }

    /// Shows the image, locked meanwhile.
    pub(crate) fn look<R>(&self, see: impl FnOnce(ImageRef<'_>) -> Result<R, Failure>) -> Result<R, Failure> {
        let _locked = Locked::new(&self.given);
        // SAFETY: it is not released before it is dropped.
        see(unsafe { self.memory.image() }?)
    }
}

impl Drop for Scanout {
    fn drop(&mut self) {
        run(self.given.release, self.given.userdata);
    }
}

/// Unlocks what it locked, also when what is between panics.
struct Locked<'a>(&'a lbx_scanout);

impl<'a> Locked<'a> {
    fn new(scanout: &'a lbx_scanout) -> Self {
        run(scanout.lock, scanout.userdata);
        Self(scanout)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        run(self.0.unlock, self.0.userdata);
    }
}

fn run(callback: lbx_callback, userdata: *mut c_void) {
    if let Some(callback) = callback {
        // SAFETY: by the contract of `lbx_scanout` the function takes this userdata, on any thread.
        guard::callback(|| unsafe { callback(userdata) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::LBX_FORMAT_BGRX8;

    #[test]
    fn a_frame_larger_than_memory_is_none() {
        let frame = |stride, w, h| {
            let data = std::ptr::dangling::<c_void>();
            lbx_frame { data, stride, w, h, format: LBX_FORMAT_BGRX8, ..lbx_frame::new() }.memory()
        };
        assert_eq!(frame(40, 10, 3).unwrap().len, 120);
        assert!(frame(usize::MAX, 10, 3).is_err());
        assert!(frame(usize::MAX / 2, 10, 2).is_err());
        assert!(frame(40, 10, 0).is_err());
    }
}
