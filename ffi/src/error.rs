//! Results, and the text that goes with the last failure.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::fmt::Display;

/// What a function says of itself: `LBX_OK`, `LBX_AGAIN`, or why it failed. New values may come; treat those you do
/// not know as failures.
pub type lbx_result = u32;

/// Done.
pub const LBX_OK: u32 = 0;
/// Nothing to give now: no failure, try again when the event fd is readable.
pub const LBX_AGAIN: u32 = 1;
/// An argument is NULL, out of range, not UTF-8, or a struct whose `size` is wrong.
pub const LBX_ERROR_ARGUMENT: u32 = 2;
/// Not in this state: no scanout is set, there is no such surface or session, a surface is already held.
pub const LBX_ERROR_STATE: u32 = 3;
/// The buffer is too short.
pub const LBX_ERROR_SPACE: u32 = 4;
/// The operating system refuses a socket, a file or a thread.
pub const LBX_ERROR_SYSTEM: u32 = 5;
/// A certificate, key or address cannot be used.
pub const LBX_ERROR_IDENTITY: u32 = 6;
/// A frame is not of its output's size or format.
pub const LBX_ERROR_SHAPE: u32 = 7;
/// There is no room for one more.
pub const LBX_ERROR_LIMIT: u32 = 8;
/// Not allowed on this thread.
pub const LBX_ERROR_THREAD: u32 = 9;
/// A handle is none: it was freed, or is of another type than the function takes.
pub const LBX_ERROR_HANDLE: u32 = 11;
/// A bug of the library was caught. The object it concerns should be freed.
pub const LBX_ERROR_INTERNAL: u32 = 10;

/// A short text for a result, for logs. Static; never NULL.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn lbx_result_text(result: lbx_result) -> *const c_char {
    let text = match result {
        LBX_OK => c"done",
        LBX_AGAIN => c"nothing now, try again",
        LBX_ERROR_ARGUMENT => c"bad argument",
        LBX_ERROR_STATE => c"not in this state",
        LBX_ERROR_SPACE => c"buffer too short",
        LBX_ERROR_SYSTEM => c"refused by the operating system",
        LBX_ERROR_IDENTITY => c"unusable certificate, key or address",
        LBX_ERROR_SHAPE => c"frame of another size or format",
        LBX_ERROR_LIMIT => c"no room for one more",
        LBX_ERROR_THREAD => c"not allowed on this thread",
        LBX_ERROR_HANDLE => c"freed, or of another type",
        LBX_ERROR_INTERNAL => c"bug in the library",
        _ => c"unknown result",
    };
    text.as_ptr()
}

/// What the last failed call on this thread has to say, for people. Never NULL; empty before the first failure.
/// Valid until the next failure on this thread, or the thread's end.
/// Threads: any; each has its own. since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn lbx_error_text() -> *const c_char {
    // A thread that is ending has no text any more.
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct Failure {
    code: lbx_result,
    text: String,
}

impl Failure {
    pub(crate) fn new(code: lbx_result, text: impl Display) -> Self {
        Self { code, text: text.to_string() }
    }

    pub(crate) fn argument(text: impl Display) -> Self {
        Self::new(LBX_ERROR_ARGUMENT, text)
    }

    pub(crate) fn state(text: impl Display) -> Self {
        Self::new(LBX_ERROR_STATE, text)
    }

    /// Not a failure: there is nothing now.
    pub(crate) fn again() -> Self {
        Self { code: LBX_AGAIN, text: String::new() }
    }

    /// Keeps the text for [`lbx_error_text`] and gives the number.
    pub(crate) fn report(self) -> lbx_result {
        if self.code != LBX_AGAIN {
            // A thread that is ending keeps none.
            let _ = LAST.try_with(|last| *last.borrow_mut() = c_text(self.text));
        }
        self.code
    }
}

/// Text for C: cut at its first NUL, of which text from a peer may have some.
pub(crate) fn c_text(text: impl Into<Vec<u8>>) -> CString {
    let mut bytes = text.into();
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    CString::new(bytes).unwrap_or_default()
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CStr::to_owned(c""));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_the_last_failure_stays_on_its_thread() {
        assert_eq!(Failure::state("no scanout is set").report(), LBX_ERROR_STATE);
        assert_eq!(Failure::again().report(), LBX_AGAIN);
        // SAFETY: the pointer is to a C string that lives until the next failure on this thread.
        let here = unsafe { CStr::from_ptr(lbx_error_text()) };
        assert_eq!(here, c"no scanout is set");
        std::thread::spawn(|| {
            // SAFETY: as above.
            let there = unsafe { CStr::from_ptr(lbx_error_text()) };
            assert_eq!(there, c"");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn text_of_a_peer_ends_at_its_first_nul() {
        assert_eq!(c_text("ward 7\0 hidden"), c"ward 7".to_owned());
    }
}
