//! The application's own event loop, on which servers and clients run without threads.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io;

use lightbox_net::runtime::{DispatchError, Loop, Runtime};

use crate::error::{Failure, LBX_ERROR_STATE, LBX_ERROR_SYSTEM, LBX_ERROR_THREAD, lbx_result};
use crate::guard;
use crate::handle::{self, Shared};

/// What stands behind one file descriptor of the application's own event loop: the sockets and timers of the servers
/// and clients whose configuration names it. They have no threads then; everything of theirs happens in
/// lbx_loop_dispatch(), frames and painting included. Owned: from lbx_loop_new() to lbx_loop_free(). Linux only.
#[derive(Debug)]
pub struct lbx_loop {
    turned: Loop,
}

impl Shared for lbx_loop {
    const NAME: &'static str = "loop";
}

/// Makes a loop with nothing on it.
/// Ownership: `*out` is the caller's, to lbx_loop_free().
/// Errors: `LBX_ERROR_SYSTEM` where there are no descriptors left, or the system is not Linux.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_loop_new(out: *mut *mut lbx_loop) -> lbx_result {
    guard::call(|| {
        let no_loop = |error: io::Error| Failure::new(LBX_ERROR_SYSTEM, error);
        let turned = Loop::new().map_err(no_loop)?;
        // SAFETY: promise 3.
        unsafe { handle::give(lbx_loop { turned }, out) }
    })
}

/// Ends the loop. Free its servers and clients before: they say goodbye in the turns after that, and here, for up to
/// about a second. What still runs on it ends; a client says so with `LBX_CLIENT_ENDED`. NULL is allowed.
/// Threads: any, in callbacks too: the loop then ends on another thread, soon after. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_loop_free(r#loop: *mut lbx_loop) {
    guard::call(|| handle::end(r#loop));
}

/// A file descriptor that is readable while something is due, deadlines included: watch it with poll, select or epoll,
/// level-triggered, and call lbx_loop_dispatch() when it is readable. Do not read, write or close it; it is closed with
/// the loop. -1 for NULL.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_loop_fd(r#loop: *const lbx_loop) -> c_int {
    guard::value(-1, || Ok(handle::part(r#loop)?.turned.number()))
}

/// How many milliseconds from now lbx_loop_dispatch() is to be called at the latest, if lbx_loop_fd() is not readable
/// before; -1 for never. It is readable by then all the same, so only hosts that would rather have timers of their own
/// need this. -1 for NULL.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_loop_timeout_ms(r#loop: *const lbx_loop) -> c_int {
    guard::value(-1, || {
        let timeout = handle::part(r#loop)?.turned.timeout();
        // Rounded up, so that what is due then is due.
        Ok(timeout.map_or(-1, |left| c_int::try_from(left.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX)))
    })
}

/// Does what is due, and returns after a few milliseconds even if more is: `*more` becomes true then, and the file
/// descriptor stays readable, so that other work has its turn. A frame that is being made is made to its end, however
/// large it is. `more` may be NULL. Take the events of its servers and clients after it.
/// Errors: `LBX_ERROR_STATE` in a callback, `LBX_ERROR_THREAD` while another thread is in this function for this loop,
/// `LBX_ERROR_SYSTEM`; nothing was done then.
/// Threads: any, one at a time. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_loop_dispatch(r#loop: *mut lbx_loop, more: *mut bool) -> lbx_result {
    guard::call(|| {
        let it = handle::part(r#loop)?;
        if guard::in_callback() {
            return Err(not_turned(DispatchError::Inside));
        }
        let is_more = it.turned.dispatch().map_err(not_turned)?;
        if more.is_null() {
            return Ok(());
        }
        // SAFETY: promise 3.
        unsafe { handle::put(more, is_more, "answer") }
    })
}

/// Where something that has this loop in its configuration runs; NULL: on threads of its own.
pub(crate) fn runtime(r#loop: *mut lbx_loop) -> Result<Runtime, Failure> {
    match r#loop.is_null() {
        true => Ok(Runtime::tokio()),
        false => Ok(handle::part(r#loop.cast_const())?.turned.runtime()),
    }
}

fn not_turned(error: DispatchError) -> Failure {
    let code = match error {
        DispatchError::Inside => LBX_ERROR_STATE,
        DispatchError::Elsewhere => LBX_ERROR_THREAD,
        _ => LBX_ERROR_SYSTEM,
    };
    Failure::new(code, error)
}
