//! Systems without seals and dmabufs: no file is taken.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;

/// There is none.
#[derive(Debug)]
pub(crate) enum SharedFile {}

impl SharedFile {
    /// # Safety
    /// None is needed here.
    pub(crate) unsafe fn duplicate(_: i32) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        match *self {}
    }

    pub(crate) fn is_dmabuf(&self) -> bool {
        match *self {}
    }

    pub(crate) fn is_sealed(&self) -> bool {
        match *self {}
    }

    pub(crate) fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn map(self, _: u64, _: usize, _: bool) -> io::Result<Mapping> {
        match self {}
    }
}

/// There is none.
#[derive(Debug)]
pub(crate) enum Mapping {}

impl Mapping {
    pub(crate) fn start(&self) -> *const c_void {
        match *self {}
    }

    pub(crate) fn begin(&self) -> io::Result<Option<()>> {
        match *self {}
    }
}
