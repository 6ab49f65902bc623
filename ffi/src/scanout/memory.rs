//! Memory that holds an image, wherever it came from.
#![allow(unsafe_code)]

use std::ffi::c_void;

use lightbox_server::geom::Size;
use lightbox_server::pixel::{ImageRef, PixelFormat};

use crate::error::{Failure, LBX_ERROR_SHAPE};
use crate::vocabulary::{format_of, lbx_frame};

/// How an image lies in memory.
///
/// INVARIANT: sides and stride are those of an image; `len` is what they need, and does not overflow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(super) len: usize,
    pub(super) stride: usize,
    pub(crate) size: Size,
    pub(crate) format: PixelFormat,
}

impl Layout {
    pub(super) fn new(stride: usize, size: Size, format: PixelFormat) -> Result<Self, Failure> {
        let row = (size.w as usize).checked_mul(format.bytes_per_pixel());
        let rows = (size.h as usize).checked_sub(1).and_then(|before| stride.checked_mul(before));
        let len = row.zip(rows).and_then(|(row, rows)| rows.checked_add(row));
        let len = len.filter(|len| isize::try_from(*len).is_ok());
        let len = len.ok_or_else(|| Failure::argument("the frame is empty or larger than memory"))?;
        // Sides and stride are judged by the one who looks, here at no memory at all.
        match ImageRef::new(&[], size, stride, format) {
            Err(lightbox_server::pixel::ImageError::Short { .. }) => Ok(Self { len, stride, size, format }),
            Err(error) => Err(Failure::new(LBX_ERROR_SHAPE, error)),
            Ok(_) => Err(Failure::argument("the frame is empty")),
        }
    }
}

/// Memory that holds an image.
///
/// INVARIANT: it is not NULL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    data: *const u8,
    layout: Layout,
}

impl Memory {
    pub(super) fn new(data: *const c_void, layout: Layout) -> Self {
        Self { data: data.cast(), layout }
    }

    /// Memory of the application.
    pub(super) fn lent(data: *const c_void, layout: Layout) -> Result<Self, Failure> {
        if data.is_null() {
            return Err(Failure::argument("the frame's data is NULL"));
        }
        Ok(Self::new(data, layout))
    }

    /// The image.
    ///
    /// # Safety
    /// The memory is there while the image is looked at. A guest may write to it meanwhile: what is read then is only
    /// compared and copied, sample by sample, and never decides where is read or written, so it tears this frame at
    /// worst; the damage that follows mends it.
    pub(crate) unsafe fn image<'a>(&self) -> Result<ImageRef<'a>, Failure> {
        let Layout { len, stride, size, format } = self.layout;
        // SAFETY: `len` bytes from `data`, by the invariant of the layout, are what the caller promises to be there.
        let bytes = unsafe { std::slice::from_raw_parts(self.data, len) };
        ImageRef::new(bytes, size, stride, format).map_err(|error| Failure::new(LBX_ERROR_SHAPE, error))
    }
}

impl lbx_frame {
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        if self.reserved != 0 {
            return Err(Failure::argument("what is reserved must be 0"));
        }
        let layout = Layout::new(self.stride, Size::new(self.w, self.h), format_of(self.format)?)?;
        Memory::lent(self.data, layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sized::SizeFirst;
    use crate::vocabulary::LBX_FORMAT_BGRX8;

    #[test]
    fn a_frame_larger_than_memory_is_none() {
        let frame = |stride, w, h| {
            let data = std::ptr::dangling::<c_void>();
            lbx_frame { data, stride, w, h, format: LBX_FORMAT_BGRX8, ..lbx_frame::new() }.memory()
        };
        assert_eq!(frame(40, 10, 3).unwrap().layout.len, 120);
        assert!(frame(usize::MAX, 10, 3).is_err());
        assert!(frame(usize::MAX / 2, 10, 2).is_err());
        assert!(frame(40, 10, 0).is_err());
        assert!(frame(39, 10, 3).is_err());
        assert!(frame(4 * 20_000, 20_000, 1).is_err());
    }
}
