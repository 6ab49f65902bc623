//! A client's picture of a monitor, held still to be shown.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::thread::ThreadId;

use lightbox_client::Held;

use crate::client::lbx_client;
use crate::error::{Failure, LBX_ERROR_THREAD, lbx_result};
use crate::guard;
use crate::handle::{self, lock};
use crate::sized::{self, SizeFirst};
use crate::vocabulary::{lbx_frame, number_of};

/// A client's surface, held still. Owned by the thread that acquired it, until lbx_surface_release().
#[derive(Debug)]
pub struct lbx_surface {
    // INVARIANT: `held` borrows from the client behind `client`; fields drop in this order.
    held: Held<'static>,
    client: Arc<lbx_client>,
    thread: ThreadId,
}

/// Holds a surface still: nothing is painted, on any surface of this client, until it is released. Be brief; waits while
/// a frame is being painted or another thread holds one.
/// Ownership: `*out` is this thread's, to lbx_surface_release().
/// Errors: `LBX_ERROR_STATE` if there is no such surface, or this thread holds one already.
/// Threads: any; the one that acquired releases. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_surface_acquire(
    client: *mut lbx_client,
    surface: u32,
    out: *mut *mut lbx_surface,
) -> lbx_result {
    guard::call(|| {
        // SAFETY: promise 1.
        let client = unsafe { handle::part(client) }?;
        if out.is_null() {
            return Err(Failure::argument("nowhere to put the surface"));
        }
        let held = hold(client, surface)?;
        // SAFETY: promise 3.
        unsafe { handle::put(out, Box::into_raw(Box::new(held)), "surface") }
    })
}

/// Its samples; set `frame->size` before. They stay as they are until the release, and every thread may read them. The
/// spare byte of `LBX_FORMAT_BGRX8` is 0xFF.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_surface_frame(surface: *const lbx_surface, frame: *mut lbx_frame) -> lbx_result {
    guard::call(|| {
        // SAFETY: it is NULL or, by promise 1, what `lbx_surface_acquire` gave; nothing changes it while it is held.
        let surface = unsafe { surface.as_ref() }.ok_or_else(|| Failure::argument("the surface is NULL"))?;
        // SAFETY: promise 3.
        let place = unsafe { sized::place(frame) }?;
        place.fill(surface.frame());
        Ok(())
    })
}

/// Painting goes on. NULL is allowed.
/// Errors: `LBX_ERROR_THREAD` on another thread than the one that acquired it; it is then still held.
/// Threads: the one that acquired it. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_surface_release(surface: *mut lbx_surface) -> lbx_result {
    guard::call(|| {
        if surface.is_null() {
            return Ok(());
        }
        // SAFETY: by promise 1 it is what `lbx_surface_acquire` gave, that is `Box::into_raw`; the thread never changes.
        let thread = unsafe { (*surface).thread };
        if thread != std::thread::current().id() {
            let text = "a surface is released by the thread that acquired it";
            return Err(Failure::new(LBX_ERROR_THREAD, text));
        }
        // SAFETY: as above, and by promise 1 it is not used any more.
        let surface = unsafe { Box::from_raw(surface) };
        // First, as another thread may hold one as soon as this one does not.
        *lock(&surface.client.holder) = None;
        drop(surface);
        Ok(())
    })
}

fn hold(client: Arc<lbx_client>, surface: u32) -> Result<lbx_surface, Failure> {
    let thread = std::thread::current().id();
    if *lock(&client.holder) == Some(thread) {
        return Err(Failure::state("this thread holds a surface already: release it first"));
    }
    let held = client.client.hold(surface);
    let held = held.ok_or_else(|| Failure::state(format_args!("there is no surface {surface}")))?;
    // SAFETY: `held` borrows from the client inside the `Arc`, which does not move and lives as long as the part that
    // is kept beside it; the order of the fields lets go of the borrow first.
    let held = unsafe { std::mem::transmute::<Held<'_>, Held<'static>>(held) };
    *lock(&client.holder) = Some(thread);
    Ok(lbx_surface { held, client, thread })
}

impl lbx_surface {
    fn frame(&self) -> lbx_frame {
        let (size, format) = (self.held.size(), self.held.format());
        lbx_frame {
            data: self.held.bytes().as_ptr().cast(),
            stride: size.w as usize * format.bytes_per_pixel(),
            w: size.w,
            h: size.h,
            format: number_of(format),
            ..lbx_frame::new()
        }
    }
}
