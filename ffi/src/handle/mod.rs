//! What C may hold: handles with their ownership fixed in a type, text and arrays it lends for a call.
//!
//! Of a handle nothing is promised: what is none, was freed or is of another type is found out.
//!
//! # What every caller promises
//! 1. A callback takes the userdata that was given with it, on any thread, and returns.
//! 2. Text is NULL or ends with a NUL; an array is NULL or has as many elements as the call says; both stay as they
//!    are until the call returns.
//! 3. An out-parameter is NULL or may be written.
//!
//! The SAFETY comments of this crate speak of them as promises 1 to 3.
#![allow(unsafe_code)]

mod table;

use std::ffi::{CStr, c_char};
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Failure, LBX_ERROR_HANDLE, LBX_ERROR_LIMIT};
use crate::guard;

/// A value that C owns by a handle and every thread may use: `_new` gives it, `_free` ends C's part in it.
///
/// Each call takes part in the ownership until it returns, so that a `_free` inside one of its callbacks, or beside it
/// on another thread, takes effect when the call is over.
pub(crate) trait Shared: Send + Sync + Sized + 'static {
    /// What an error calls it.
    const NAME: &'static str;
}

/// Hands a value to C, by an out-parameter.
///
/// # Safety
/// Promise 3.
pub(crate) unsafe fn give<T: Shared>(value: T, out: *mut *mut T) -> Result<(), Failure> {
    let full = || Failure::new(LBX_ERROR_LIMIT, "there are as many objects as there can be");
    let key = table::insert(Arc::new(value)).ok_or_else(full)?;
    // SAFETY: promise 3.
    let put = unsafe { put(out, std::ptr::without_provenance_mut(key), T::NAME) };
    if put.is_err() {
        // Nobody will ever know it.
        drop(table::remove(key, |_| true));
    }
    put
}

/// Takes part in the value behind a handle.
pub(crate) fn part<T: Shared>(handle: *const T) -> Result<Arc<T>, Failure> {
    let name = T::NAME;
    if handle.is_null() {
        return Err(Failure::argument(format_args!("the {name} is NULL")));
    }
    let value = table::find(handle.addr()).ok_or_else(|| gone(name))?;
    value.downcast::<T>().map_err(|_| another(name))
}

/// Ends C's part in a value. Inside a callback another thread does it: a value may wait for threads of its own when it
/// ends, and this may be one of them.
pub(crate) fn end<T: Shared>(handle: *mut T) -> Result<(), Failure> {
    if handle.is_null() {
        return Ok(());
    }
    let Some(value) = table::remove(handle.addr(), |value| value.is::<T>()) else {
        return part::<T>(handle.cast_const()).map(drop);
    };
    if guard::in_callback() {
        elsewhere(value);
    }
    Ok(())
}

fn gone(name: &str) -> Failure {
    Failure::new(LBX_ERROR_HANDLE, format_args!("the {name} was freed, or never was"))
}

fn another(name: &str) -> Failure {
    Failure::new(LBX_ERROR_HANDLE, format_args!("the handle is of something else than a {name}"))
}

/// Drops a value on a thread of its own. Where the system gives no thread the value stays for ever: better than a
/// deadlock.
fn elsewhere<T: Send + 'static>(value: T) {
    let value = ManuallyDrop::new(value);
    let drop_it = move || drop(ManuallyDrop::into_inner(value));
    let thread = std::thread::Builder::new().name("lbx-free".into()).spawn(drop_it);
    if let Err(error) = thread {
        tracing::error!(%error, "what was freed in a callback stays: no thread to end it on");
    }
}

/// Text that C lends, or `None` where it is NULL.
///
/// # Safety
/// Promise 2; the caller does not keep the text longer than the call.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: promise 2.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| Failure::argument(format_args!("{name} is not UTF-8")))
}

/// Text that must be there.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn some_text<'a>(given: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: the caller's promise is the same.
    unsafe { text(given, name) }?.ok_or_else(|| Failure::argument(format_args!("{name} is NULL")))
}

/// An array that C lends; NULL is an empty one.
///
/// # Safety
/// Promise 2; the caller does not keep the array longer than the call, and `T` takes any bits.
pub(crate) unsafe fn array<'a, T: Copy>(first: *const T, len: usize, name: &str) -> Result<&'a [T], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if first.is_null() || !first.is_aligned() || len > isize::MAX as usize / size_of::<T>() {
        return Err(Failure::argument(format_args!("{name} is no array of {len}")));
    }
    // SAFETY: not NULL, aligned and not longer than memory as just checked; that the elements are there and stay is
    // promise 2.
    Ok(unsafe { std::slice::from_raw_parts(first, len) })
}

/// Writes an out-parameter.
///
/// # Safety
/// Promise 3.
pub(crate) unsafe fn put<T>(out: *mut T, value: T, name: &str) -> Result<(), Failure> {
    if out.is_null() || !out.is_aligned() {
        return Err(Failure::argument(format_args!("nowhere to put the {name}")));
    }
    // SAFETY: promise 3, and it is aligned.
    unsafe { out.write(value) };
    Ok(())
}

/// A lock that outlives whatever happened to a thread that held it: the values are whole between calls.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread::ThreadId;

    use super::*;

    struct Tell(Sender<ThreadId>);

    impl Drop for Tell {
        fn drop(&mut self) {
            let _ = self.0.send(std::thread::current().id());
        }
    }

    impl Shared for Tell {
        const NAME: &'static str = "teller";
    }

    fn new(told: Sender<ThreadId>) -> *mut Tell {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the out-parameter is a local.
        unsafe { give(Tell(told), &mut handle) }.unwrap();
        handle
    }

    #[test]
    fn a_free_beside_a_call_waits_for_the_call() {
        let (tell, told) = channel();
        let handle = new(tell);
        let part = part(handle).unwrap();
        end(handle).unwrap();
        assert!(told.try_recv().is_err());
        drop(part);
        assert_eq!(told.recv(), Ok(std::thread::current().id()));
    }

    #[test]
    fn a_free_in_a_callback_happens_on_another_thread() {
        let (tell, told) = channel();
        let handle = new(tell);
        guard::callback(|| end(handle).unwrap());
        assert_ne!(told.recv().unwrap(), std::thread::current().id());
    }

    #[test]
    fn null_is_an_argument_error_and_free_of_null_is_none() {
        assert!(part::<Tell>(std::ptr::null()).is_err());
        assert!(end::<Tell>(std::ptr::null_mut()).is_ok());
        // SAFETY: NULL is what promise 2 allows.
        unsafe {
            assert!(array::<u32>(std::ptr::null(), 1, "rects").is_err());
            assert!(array::<u32>(std::ptr::null(), 0, "rects").unwrap().is_empty());
            assert!(some_text(std::ptr::null(), "host").is_err());
        }
    }
}
