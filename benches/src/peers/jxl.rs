//! JPEG XL, through libjxl and the few lines of C in `jxl.c`.
#![allow(unsafe_code, reason = "libjxl is a C library, and its bindings on crates.io are under the GPL")]

use std::ffi::{c_int, c_void};

use super::{Coder, Error, Part};

/// libjxl at one effort, lossless, on one thread.
pub struct Jxl {
    effort: i64,
}

impl Jxl {
    /// Effort 1 is the quickest; 10 the densest.
    pub fn new(effort: u8) -> Self {
        Self { effort: effort.into() }
    }
}

impl Coder for Jxl {
    fn name(&self) -> String {
        format!("JPEG XL e{} (libjxl)", self.effort)
    }

    fn encode(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), Error> {
        let (size, samples) = (part.size(), part.samples());
        out.resize(2 * samples.len() + 4096, 0);
        // SAFETY: both pointers come from slices of the lengths beside them, which the C side never exceeds; a part
        // has size.w * size.h pixels of `channels` samples, and libjxl itself compares that with the length.
        let written = unsafe {
            lightbox_peer_jxl_encode(
                samples.as_ptr().cast(),
                samples.len(),
                size.w,
                size.h,
                part.channels().into(),
                part.depth().into(),
                self.effort,
                out.as_mut_ptr(),
                out.len(),
            )
        };
        out.truncate(written);
        if written == 0 { Err("libjxl does not code it".into()) } else { Ok(()) }
    }

    fn decode(&mut self, coded: &[u8], like: &Part, into: &mut Vec<u8>) -> Result<(), Error> {
        into.resize(like.samples().len(), 0);
        // SAFETY: both pointers come from slices of the lengths beside them; the C side hands `into` to libjxl only
        // if an image of these channels and bits takes exactly that many bytes.
        let done = unsafe {
            lightbox_peer_jxl_decode(
                coded.as_ptr(),
                coded.len(),
                like.channels().into(),
                like.depth().into(),
                into.as_mut_ptr().cast(),
                into.len(),
            )
        };
        if done == 1 { Ok(()) } else { Err("libjxl does not decode it".into()) }
    }
}

unsafe extern "C" {
    fn lightbox_peer_jxl_encode(
        samples: *const c_void,
        len: usize,
        w: u32,
        h: u32,
        channels: u32,
        bits: u32,
        effort: i64,
        out: *mut u8,
        capacity: usize,
    ) -> usize;

    fn lightbox_peer_jxl_decode(
        coded: *const u8,
        coded_len: usize,
        channels: u32,
        bits: u32,
        samples: *mut c_void,
        len: usize,
    ) -> c_int;
}
