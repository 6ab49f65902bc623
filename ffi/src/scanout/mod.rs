//! The scanout: a frame in memory, in a file or on a GPU, that stays with its output.
#![allow(unsafe_code)]

mod file;
mod memory;
mod staging;

use std::ffi::{c_int, c_void};
use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lightbox_server::Damage;
use lightbox_server::geom::{Rect, Size};
use lightbox_server::pixel::{ImageMut, ImageRef, PixelFormat};

use crate::error::Failure;
use crate::guard;
use crate::sized::SizeFirst;
use crate::vocabulary::{
    LBX_FORMAT_BGRX8, LBX_FORMAT_BGRX10, LBX_FORMAT_GRAY8, LBX_FORMAT_GRAY16, format_of, lbx_callback,
    lbx_rect,
};
use file::{File, Mapped};
pub(crate) use memory::Layout;
use memory::Memory;
use staging::Staging;

/// The pixels are at `data`, or `read` gives them.
pub const LBX_MEMORY_POINTER: u32 = 0;
/// The pixels are in the file `fd` from `offset` on: a memfd or other shared memory. One that is sealed with
/// F_SEAL_SHRINK is looked at in place; any other is read into memory of the library's, as whoever truncates it would
/// end the process: one copy more.
pub const LBX_MEMORY_FILE: u32 = 1;
/// The pixels are in the dmabuf `fd`, one plane from `offset` on, with `modifier`. It is looked at in place, between
/// DMA_BUF_IOCTL_SYNC. A file that does not know this call is taken as with LBX_MEMORY_FILE.
pub const LBX_MEMORY_DMABUF: u32 = 2;

/// Copies this part of the picture to `to`, rows `stride` bytes apart: how pixels come that only a GPU can read. 0:
/// done; anything else fails the call that looks.
pub type lbx_read_fn = Option<
    unsafe extern "C" fn(
        userdata: *mut c_void,
        rect: *const lbx_rect,
        to: *mut c_void,
        stride: usize,
    ) -> c_int,
>;

/// The buffer that the guest's display shows now, kept by an output until it gets another.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_scanout {
    /// sizeof(lbx_scanout).
    pub size: usize,
    /// The first byte of the top row. Stays readable until `release` is called. NULL where the pixels are elsewhere.
    pub data: *const c_void,
    /// Bytes from one row to the next; not looked at with `read`.
    pub stride: usize,
    /// Given to the callbacks.
    pub userdata: *mut c_void,
    /// Called once, when the library does not look at the pixels any more; NULL if nobody cares. On any thread that is in
    /// a call of this library.
    pub release: lbx_callback,
    /// Called before each look, on the thread whose call looks; NULL if none is needed. For hosts that can keep the guest
    /// from writing meanwhile.
    pub lock: lbx_callback,
    /// Called after each look; NULL if none is needed.
    pub unlock: lbx_callback,
    /// Columns, 1 to 16384.
    pub w: u32,
    /// Rows, 1 to 16384.
    pub h: u32,
    /// LBX_FORMAT_*; 0 if `fourcc` says it.
    pub format: u32,
    /// LBX_MEMORY_*.
    pub memory: u32,
    /// For memory that no processor can read, tiled dmabufs and textures: fills the library's copy where it is damaged.
    /// `data` is NULL then, and LBX_MEMORY_POINTER set. What is not reported is not found by the sweep. Called between
    /// `lock` and `unlock`; it must not show or damage this monitor.
    pub read: lbx_read_fn,
    /// A descriptor of the file or dmabuf. The library makes one of its own: close yours when you like.
    pub fd: c_int,
    /// The format by the number of drm_fourcc.h, instead of `format`: XR24, AR24, XR30, AR30, R8 or R16.
    pub fourcc: u32,
    /// Bytes before the top row in the file.
    pub offset: u64,
    /// The layout of a dmabuf by drm_fourcc.h: DRM_FORMAT_MOD_LINEAR, which is 0. For any other give `read`.
    pub modifier: u64,
}

// SAFETY: `repr(C)`, size first, integers, raw pointers and optional function pointers.
unsafe impl SizeFirst for lbx_scanout {
    const NAME: &'static str = "lbx_scanout";
    const LEAST: usize = offset_of!(Self, read);
}

impl lbx_scanout {
    /// The size and format that it says.
    pub(crate) fn shape(&self) -> Result<(Size, PixelFormat), Failure> {
        let format = match (self.format, self.fourcc) {
            (format, 0) => format_of(format)?,
            (0, fourcc) => format_of_fourcc(fourcc)?,
            _ => return Err(Failure::argument("a scanout has a format or a fourcc, not both")),
        };
        Ok((Size::new(self.w, self.h), format))
    }

    fn source(&self) -> Result<Source, Failure> {
        let (size, format) = self.shape()?;
        let layout = |stride| Layout::new(stride, size, format);
        let row = size.w as usize * format.bytes_per_pixel();
        match (self.memory, self.read) {
            (LBX_MEMORY_POINTER, Some(read)) if self.data.is_null() => {
                Ok(Source::Read(read, Staging::new(layout(row)?)?))
            }
            (LBX_MEMORY_POINTER, None) => Memory::lent(self.data, layout(self.stride)?).map(Source::Pointer),
            (LBX_MEMORY_FILE | LBX_MEMORY_DMABUF, None) if self.data.is_null() => {
                self.file(layout(self.stride)?)
            }
            (LBX_MEMORY_POINTER..=LBX_MEMORY_DMABUF, _) => Err(Failure::argument(
                "a scanout's pixels are at data, in fd, or given by read: one of these",
            )),
            (other, _) => Err(Failure::argument(format_args!("{other} is no LBX_MEMORY"))),
        }
    }

    fn file(&self, layout: Layout) -> Result<Source, Failure> {
        if self.memory == LBX_MEMORY_DMABUF && self.modifier != LINEAR {
            return Err(Failure::argument(format_args!(
                "modifier {:#x} is not linear: give a `read` callback, which copies from the GPU",
                self.modifier
            )));
        }
        if self.fd < 0 {
            return Err(Failure::argument(format_args!("{} is no file descriptor", self.fd)));
        }
        // SAFETY: it is lent for this call, so the caller keeps it open meanwhile.
        let file = unsafe { File::new(self.fd, self.offset, layout) }?;
        let is_dmabuf = self.memory == LBX_MEMORY_DMABUF && file.is_dmabuf();
        if is_dmabuf || file.is_sealed() {
            return file.map(is_dmabuf).map(Source::Mapped);
        }
        Ok(Source::Staged(file, Staging::new(layout)?))
    }
}

/// DRM_FORMAT_MOD_LINEAR.
const LINEAR: u64 = 0;

fn format_of_fourcc(fourcc: u32) -> Result<PixelFormat, Failure> {
    let number = match &fourcc.to_le_bytes() {
        b"XR24" | b"AR24" => LBX_FORMAT_BGRX8,
        b"XR30" | b"AR30" => LBX_FORMAT_BGRX10,
        b"R8  " => LBX_FORMAT_GRAY8,
        b"R16 " => LBX_FORMAT_GRAY16,
        _ => {
            return Err(Failure::argument(format_args!(
                "fourcc {fourcc:#010x} is no format of this library"
            )));
        }
    };
    format_of(number)
}

type ReadFn = unsafe extern "C" fn(*mut c_void, *const lbx_rect, *mut c_void, usize) -> c_int;

/// Where the pixels are.
#[derive(Debug)]
enum Source {
    Pointer(Memory),
    Mapped(Mapped),
    Staged(File, Staging),
    Read(ReadFn, Staging),
}

/// A scanout that the library holds. Dropping it tells the application.
#[derive(Debug)]
pub(crate) struct Scanout {
    given: lbx_scanout,
    source: Source,
    /// Bytes copied before a look, for the output's statistics.
    staged: Arc<AtomicU64>,
}

// SAFETY: the memory is only read, and stays until `release` by the contract of `lbx_scanout`, which also says that
// the callbacks run on any thread; userdata is passed on and not looked at.
unsafe impl Send for Scanout {}
// SAFETY: as above.
unsafe impl Sync for Scanout {}

impl Scanout {
    /// From now on it will be released. On failure it will not.
    pub(crate) fn new(given: lbx_scanout, staged: Arc<AtomicU64>) -> Result<Self, Failure> {
        let source = given.source()?;
        Ok(Self { given, source, staged })
    }

    /// Shows the image, locked meanwhile.
    pub(crate) fn look<R>(
        &self,
        damage: Damage<'_>,
        see: impl FnOnce(ImageRef<'_>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let _locked = Locked::new(&self.given);
        let (seen, staged) = match &self.source {
            // SAFETY: the memory is not released before this is dropped.
            Source::Pointer(memory) => return see(unsafe { memory.image() }?),
            Source::Mapped(mapping) => {
                let (memory, _sync) = mapping.begin()?;
                // SAFETY: the mapping is not undone before this is dropped, and cannot shrink.
                return see(unsafe { memory.image() }?);
            }
            Source::Staged(file, staging) => {
                staging.look(damage, true, |rect, part| file.read(rect.x, rect.y, part), see)?
            }
            Source::Read(read, staging) => {
                staging.look(damage, false, |rect, part| self.read(*read, rect, part), see)?
            }
        };
        self.staged.fetch_add(staged, Ordering::Relaxed);
        Ok(seen)
    }

    fn read(&self, read: ReadFn, rect: Rect, part: &mut ImageMut<'_>) -> Result<(), Failure> {
        let (stride, to) = (part.stride(), part.row_mut(0).as_mut_ptr());
        let of = lbx_rect { x: rect.x, y: rect.y, w: rect.w, h: rect.h };
        let mut result = 1;
        // SAFETY: promise 1; `to` has rows as long as the rect's, `stride` apart, in an image that nobody else has.
        guard::callback(|| result = unsafe { read(self.given.userdata, &of, to.cast(), stride) });
        match result {
            0 => Ok(()),
            code => Err(Failure::state(format_args!("the scanout's `read` callback says {code}"))),
        }
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
