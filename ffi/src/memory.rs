//! Memory of the application for a client's surfaces.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use lightbox_client::geom::Size;
use lightbox_client::pixel::PixelFormat;
use lightbox_client::{Allocate, Memory};

use crate::error::Failure;
use crate::guard;
use crate::sized::SizeFirst;
use crate::vocabulary::number_of;

/// Gives memory for a surface of `w` by `h` pixels of `format` (LBX_FORMAT_*): the first byte of `h` rows, and in
/// `*stride`, which is the least there can be, the bytes from one to the next. The last row needs no padding. NULL: there
/// is none, and the session ends.
pub type lbx_allocate_fn = Option<
    unsafe extern "C" fn(
        userdata: *mut c_void,
        surface: u32,
        w: u32,
        h: u32,
        format: u32,
        stride: *mut usize,
    ) -> *mut c_void,
>;

/// Takes back what lbx_allocate_fn gave: it is wiped, and not looked at any more.
pub type lbx_free_fn = Option<unsafe extern "C" fn(userdata: *mut c_void, data: *mut c_void)>;

/// Where a client's surfaces have their samples, so that a terminal can have pictures painted where its display finds
/// them: dumb buffers, shared memory. Both callbacks run on the client's own thread, one at a time; they may call
/// anything. Nobody else writes to the memory meanwhile. Who reads it without lbx_surface_acquire() sees frames that are
/// half painted.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_allocator {
    /// sizeof(lbx_allocator).
    pub size: usize,
    /// Given to both callbacks. It must be there until the client has ended and every piece of memory is back.
    pub userdata: *mut c_void,
    /// Must be set.
    pub allocate: lbx_allocate_fn,
    /// Must be set.
    pub free: lbx_free_fn,
}

// SAFETY: `repr(C)`, size first, a raw pointer and optional function pointers.
unsafe impl SizeFirst for lbx_allocator {
    const NAME: &'static str = "lbx_allocator";
    const LEAST: usize = size_of::<Self>();
}

/// The same with both callbacks there.
#[derive(Clone, Copy)]
struct Allocator {
    userdata: *mut c_void,
    allocate: unsafe extern "C" fn(*mut c_void, u32, u32, u32, u32, *mut usize) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void, *mut c_void),
}

// SAFETY: promise 1: the callbacks take this userdata on any thread; it is passed on and not looked at.
unsafe impl Send for Allocator {}
// SAFETY: as above.
unsafe impl Sync for Allocator {}

impl lbx_allocator {
    /// What the SDK asks for memory.
    pub(crate) fn parsed(&self) -> Result<Arc<dyn Allocate>, Failure> {
        match (self.allocate, self.free) {
            (Some(allocate), Some(free)) => {
                Ok(Arc::new(Allocator { userdata: self.userdata, allocate, free }))
            }
            _ => Err(Failure::argument("an allocator must allocate and free")),
        }
    }
}

impl Allocate for Allocator {
    fn allocate(&self, id: u32, size: Size, format: PixelFormat) -> Option<(Box<dyn Memory>, usize)> {
        let row = size.w as usize * format.bytes_per_pixel();
        let (mut stride, mut data) = (row, std::ptr::null_mut());
        guard::callback(|| {
            // SAFETY: promise 1; the stride is a local.
            data =
                unsafe { (self.allocate)(self.userdata, id, size.w, size.h, number_of(format), &mut stride) };
        });
        if data.is_null() {
            return None;
        }
        // A stride that no memory has makes it no image, which the SDK finds.
        let rows = stride.checked_mul(size.h as usize - 1).and_then(|rows| rows.checked_add(row));
        let len = rows.filter(|len| stride >= row && isize::try_from(*len).is_ok()).unwrap_or(0);
        Some((Box::new(Lent { data: data.cast(), len, allocator: *self }), stride))
    }
}

/// Memory that the application gave.
struct Lent {
    data: *mut u8,
    len: usize,
    allocator: Allocator,
}

// SAFETY: the memory is this value's alone until it is given back, by the contract of `lbx_allocator`.
unsafe impl Send for Lent {}
// SAFETY: as above; shared, it is only read.
unsafe impl Sync for Lent {}

impl Memory for Lent {
    fn bytes(&self) -> &[u8] {
        // SAFETY: the application gave as many rows of as many bytes, not NULL, for this value to use until it is dropped.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and this value is borrowed for as long.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.len) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Allocator { userdata, free, .. } = self.allocator;
        // SAFETY: promise 1; this is what `allocate` gave, once.
        guard::callback(|| unsafe { free(userdata, self.data.cast()) });
    }
}
