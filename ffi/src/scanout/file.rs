//! Scanouts by descriptor: memfd and dmabuf. Nothing in here can raise SIGBUS, whatever the other owner of the file does.
//!
//! Memory is mapped only where it cannot shrink: a dmabuf never does, and a memfd that is sealed with F_SEAL_SHRINK must
//! not. Any other file could be truncated between a check and a look, and a look behind its new end would end the
//! process. So it is read, by pread(), into a private buffer: one copy more, and a file that became too short is an
//! error and no signal.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io;

use lightbox_server::pixel::ImageMut;

use super::memory::{Layout, Memory};
use crate::error::{Failure, LBX_ERROR_SHAPE, LBX_ERROR_SYSTEM};
use crate::os::{Mapping, SharedFile};

/// A file that holds a scanout.
#[derive(Debug)]
pub(super) struct File {
    file: SharedFile,
    offset: u64,
    layout: Layout,
}

impl File {
    /// # Safety
    /// Whoever gave `fd` keeps it open until this returns.
    pub(super) unsafe fn new(fd: c_int, offset: u64, layout: Layout) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        let file = unsafe { SharedFile::duplicate(fd) };
        let file = file.map_err(|error| refused("its descriptor", error))?;
        let len = file.len().map_err(|error| refused("its size", error))?;
        let end = offset.checked_add(layout.len as u64);
        if end.is_none_or(|end| end > len) {
            let claimed = layout.len;
            let text =
                format_args!("the scanout's file has {len} bytes, {claimed} from {offset} are claimed");
            return Err(Failure::new(LBX_ERROR_SHAPE, text));
        }
        Ok(Self { file, offset, layout })
    }

    /// True if it is memory of a device that follows the protocol of dmabufs.
    pub(super) fn is_dmabuf(&self) -> bool {
        self.file.is_dmabuf()
    }

    /// True if nobody can make it shorter.
    pub(super) fn is_sealed(&self) -> bool {
        self.file.is_sealed()
    }

    /// Maps it. To be called only if it is a dmabuf or sealed.
    pub(super) fn map(self, is_dmabuf: bool) -> Result<Mapped, Failure> {
        let mapping = self.file.map(self.offset, self.layout.len, is_dmabuf);
        let mapping = mapping.map_err(|error| refused("mapping it", error))?;
        Ok(Mapped { memory: Memory::new(mapping.start(), self.layout), mapping })
    }

    /// Copies the rows from `y` on, and the columns from `x` on, of the part that `to` is.
    pub(super) fn read(&self, x: u32, y: u32, to: &mut ImageMut<'_>) -> Result<(), Failure> {
        let left = x as u64 * self.layout.format.bytes_per_pixel() as u64;
        for row in 0..to.size().h {
            let mut at = self.offset + left + u64::from(y + row) * self.layout.stride as u64;
            let mut rest = to.row_mut(row);
            while !rest.is_empty() {
                match self.file.read_at(rest, at) {
                    Ok(0) => {
                        let text = "the scanout's file ends before its last row";
                        return Err(Failure::new(LBX_ERROR_SYSTEM, text));
                    }
                    Ok(read) => {
                        at += read as u64;
                        rest = &mut rest[read..];
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                    Err(error) => return Err(refused("reading it", error)),
                }
            }
        }
        Ok(())
    }
}

/// A scanout's file in memory.
#[derive(Debug)]
pub(super) struct Mapped {
    memory: Memory,
    mapping: Mapping,
}

// SAFETY: the memory is the mapping's, which may be sent, and is only read.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Its memory, which the processor may look at while what comes with it lives.
    pub(super) fn begin(&self) -> Result<(Memory, impl Sized + '_), Failure> {
        let look = self.mapping.begin().map_err(|error| refused("DMA_BUF_IOCTL_SYNC", error))?;
        Ok((self.memory, look))
    }
}

fn refused(what: &str, error: io::Error) -> Failure {
    Failure::new(LBX_ERROR_SYSTEM, format_args!("the scanout's file: {what}: {error}"))
}
