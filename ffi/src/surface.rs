//! A client's picture of a monitor, held still to be shown.
#![allow(unsafe_code)]

use lightbox_client::Held;

use crate::client::lbx_client;
use crate::error::{Failure, lbx_result};
use crate::guard;
use crate::handle::{self, Shared};
use crate::sized::{self, SizeFirst};
use crate::vocabulary::{lbx_frame, number_of};

/// A client's surface, held still. Owned: from lbx_surface_acquire() to lbx_surface_release().
#[derive(Debug)]
pub struct lbx_surface {
    held: Held,
}

impl Shared for lbx_surface {
    const NAME: &'static str = "surface";
}

/// Holds a surface still: nothing is painted, on any surface of this client, until all that are held are released. Be
/// brief. Waits while a frame is being painted.
/// Ownership: `*out` is the caller's, to lbx_surface_release(), before or after the client's end.
/// Errors: `LBX_ERROR_STATE` if there is no such surface.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_surface_acquire(
    client: *mut lbx_client,
    surface: u32,
    out: *mut *mut lbx_surface,
) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
        if out.is_null() {
            return Err(Failure::argument("nowhere to put the surface"));
        }
        let held = client.client.hold(surface);
        let held = held.ok_or_else(|| Failure::state(format_args!("there is no surface {surface}")))?;
        // SAFETY: promise 3.
        unsafe { handle::give(lbx_surface { held }, out) }
    })
}

/// Its samples; set `frame->size` before. They stay as they are until the release, and every thread may read them. The
/// spare byte of `LBX_FORMAT_BGRX8` is 0xFF.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_surface_frame(surface: *const lbx_surface, frame: *mut lbx_frame) -> lbx_result {
    guard::call(|| {
        let surface = handle::part(surface)?;
        // SAFETY: promise 3.
        let place = unsafe { sized::place(frame) }?;
        place.fill(surface.frame()?);
        Ok(())
    })
}

/// Painting goes on. NULL is allowed. What lbx_surface_frame() gave is not to be read any more.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_surface_release(surface: *mut lbx_surface) -> lbx_result {
    guard::call(|| handle::end(surface))
}

impl lbx_surface {
    fn frame(&self) -> Result<lbx_frame, Failure> {
        let image = self.held.image().ok_or_else(|| Failure::state("the surface's memory has changed"))?;
        let (size, format) = (image.size(), image.format());
        Ok(lbx_frame {
            data: image.row(0).as_ptr().cast(),
            stride: image.stride(),
            w: size.w,
            h: size.h,
            format: number_of(format),
            ..lbx_frame::new()
        })
    }
}
