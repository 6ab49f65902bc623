//! Linux: files that other processes share with this one, memfds and dmabufs.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{SealFlags, SeekFrom, fcntl_get_seals, seek};
use rustix::io::{Errno, pread};
use rustix::ioctl::{Setter, ioctl, opcode};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A descriptor of such a file, this library's own.
#[derive(Debug)]
pub(crate) struct SharedFile(OwnedFd);

impl SharedFile {
    /// Another descriptor of the same file.
    ///
    /// # Safety
    /// Whoever gave `fd` keeps it open until this returns.
    pub(crate) unsafe fn duplicate(fd: i32) -> io::Result<Self> {
        if fd < 0 {
            return Err(Errno::BADF.into());
        }
        // SAFETY: it is not -1, and open by the caller's promise.
        unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned().map(Self)
    }

    /// Its bytes. Not by its status: some kernels say 0 for a dmabuf there.
    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(seek(&self.0, SeekFrom::End(0))?)
    }

    /// True if it is memory of a device that follows the protocol of dmabufs.
    pub(crate) fn is_dmabuf(&self) -> bool {
        Look::begin(&self.0).is_ok()
    }

    /// True if nobody can make it shorter.
    pub(crate) fn is_sealed(&self) -> bool {
        fcntl_get_seals(&self.0).is_ok_and(|seals| seals.contains(SealFlags::SHRINK))
    }

    /// Fills as much of `into` as there is of the file at `at`; 0 at its end.
    pub(crate) fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        Ok(pread(&self.0, into, at)?)
    }

    /// Maps these bytes of a dmabuf or a sealed file, for reading. Any other file could become shorter, and a look behind
    /// its end would end the process.
    pub(crate) fn map(self, offset: u64, len: usize, is_dmabuf: bool) -> io::Result<Mapping> {
        // Mappings begin at a page.
        let skip = (offset % rustix::param::page_size() as u64) as usize;
        let whole = skip.checked_add(len).ok_or(Errno::OVERFLOW)?;
        // SAFETY: a new place that nothing else is at; what is mapped is only read.
        let base = unsafe {
            let offset = offset - skip as u64;
            mmap(std::ptr::null_mut(), whole, ProtFlags::READ, MapFlags::SHARED, &self.0, offset)
        }?;
        Ok(Mapping { base, whole, skip, fd: is_dmabuf.then_some(self.0) })
    }
}

/// A file in memory. It is unmapped when this is dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: *mut c_void,
    whole: usize,
    skip: usize,
    /// Of a dmabuf.
    fd: Option<OwnedFd>,
}

// SAFETY: the mapping is this value's alone, and is only read.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// The first of the bytes that were to be mapped.
    pub(crate) fn start(&self) -> *const c_void {
        // SAFETY: `skip` lies within what was mapped.
        unsafe { self.base.cast::<u8>().add(self.skip) }.cast()
    }

    /// While what comes back lives the processor sees what a device wrote.
    pub(crate) fn begin(&self) -> io::Result<Option<Look<'_>>> {
        Ok(self.fd.as_ref().map(Look::begin).transpose()?)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what was mapped, and nobody looks at it any more.
        let unmapped = unsafe { munmap(self.base, self.whole) };
        debug_assert!(unmapped.is_ok());
    }
}

/// DMA_BUF_IOCTL_SYNC around a look.
pub(crate) struct Look<'a>(&'a OwnedFd);

impl<'a> Look<'a> {
    fn begin(fd: &'a OwnedFd) -> Result<Self, Errno> {
        sync(fd, READ | START)?;
        Ok(Self(fd))
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        // It fails only where the beginning would have.
        let _ = sync(self.0, READ | END);
    }
}

/// `struct dma_buf_sync` of linux/dma-buf.h.
#[repr(C)]
struct DmaBufSync {
    flags: u64,
}

const READ: u64 = 1;
const START: u64 = 0;
const END: u64 = 4;
const SYNC: u32 = opcode::write::<DmaBufSync>(b'b', 0);

fn sync(fd: &OwnedFd, flags: u64) -> Result<(), Errno> {
    loop {
        // SAFETY: DMA_BUF_IOCTL_SYNC takes a `struct dma_buf_sync` and reads it only; what is no dmabuf refuses the
        // number.
        let done = unsafe { ioctl(fd.as_fd(), Setter::<SYNC, DmaBufSync>::new(DmaBufSync { flags })) };
        match done {
            // A signal came in between; the kernel asks for another try.
            Err(Errno::INTR | Errno::AGAIN) => (),
            done => return done,
        }
    }
}
