//! Where a panic stops, and how deep we are in the application's callbacks.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Failure, LBX_ERROR_INTERNAL, LBX_OK, lbx_result};

/// Runs the body of a function that gives a result.
pub(crate) fn call(work: impl FnOnce() -> Result<(), Failure>) -> lbx_result {
    // What a panic leaves half done is behind locks that are taken again regardless of it; the values in them are
    // whole between calls, and the caller is told to free the object.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => LBX_OK,
        Ok(Err(failure)) => failure.report(),
        Err(panic) => internal(&*panic).report(),
    }
}

/// Runs the body of a function that gives a value; `otherwise` where it cannot.
pub(crate) fn value<R>(otherwise: R, work: impl FnOnce() -> Result<R, Failure>) -> R {
    let mut given = None;
    call(|| {
        given = Some(work()?);
        Ok(())
    });
    given.unwrap_or(otherwise)
}

/// Runs a callback of the application.
pub(crate) fn callback(run: impl FnOnce()) {
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    run();
    DEPTH.with(|depth| depth.set(depth.get() - 1));
}

/// True while the application's callback runs on this thread.
pub(crate) fn in_callback() -> bool {
    DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(false)
}

fn internal(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    Failure::new(LBX_ERROR_INTERNAL, format_args!("bug in the library: {text}"))
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_as_a_result() {
        assert_eq!(call(|| panic!("for the test")), LBX_ERROR_INTERNAL);
        assert_eq!(value(7, || -> Result<u32, Failure> { panic!("for the test") }), 7);
        assert_eq!(value(7, || Ok(8)), 8);
    }

    #[test]
    fn callbacks_know_of_themselves() {
        assert!(!in_callback());
        callback(|| callback(|| assert!(in_callback())));
        assert!(!in_callback());
    }
}
