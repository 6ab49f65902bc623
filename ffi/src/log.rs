//! What the library has to tell its operator.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber, set_global_default};
use tracing::{Event, Level, Metadata};

use crate::error::{Failure, c_text, lbx_result};
use crate::guard;

/// Nothing is told.
pub const LBX_LOG_OFF: u32 = 0;
/// Something is broken.
pub const LBX_LOG_ERROR: u32 = 1;
/// Something is not as it should be, and was coped with.
pub const LBX_LOG_WARN: u32 = 2;
/// Clients come and go.
pub const LBX_LOG_INFO: u32 = 3;
/// For whoever looks for a fault.
pub const LBX_LOG_DEBUG: u32 = 4;
/// Everything, packets included.
pub const LBX_LOG_TRACE: u32 = 5;

/// Called with one line, without its end: `target` is the part of the library that speaks. Both texts are valid until
/// it returns. It runs on any thread, also the library's own, and perhaps while the library holds locks: it may call
/// `_free` functions, lbx_error_text(), lbx_result_text() and lbx_version(), and nothing else of this library.
pub type lbx_log_fn = Option<
    unsafe extern "C" fn(userdata: *mut c_void, level: u32, target: *const c_char, text: *const c_char),
>;

/// Sends what the library has to tell, up to `level`, to `callback`; NULL or `LBX_LOG_OFF` ends that. Nothing is told
/// before the first call. This is the one setting of a whole process, so only the application itself should make it.
/// When it returns, an earlier callback no longer runs and its userdata is free.
/// Errors: `LBX_ERROR_STATE` in a log callback, or where a program in Rust has installed a tracing subscriber of its
/// own (which then hears everything).
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_log_set(level: u32, callback: lbx_log_fn, userdata: *mut c_void) -> lbx_result {
    guard::call(|| {
        if guard::in_callback() {
            return Err(Failure::state("a callback cannot change the log"));
        }
        let sink =
            callback.filter(|_| level != LBX_LOG_OFF).map(|call| Sink { call, userdata: Userdata(userdata) });
        if sink.is_some() && !*INSTALLED.get_or_init(|| set_global_default(Lines).is_ok()) {
            return Err(Failure::state("the process has a tracing subscriber already"));
        }
        let mut current = SINK.write().unwrap_or_else(PoisonError::into_inner);
        LEVEL.store(if sink.is_some() { level } else { LBX_LOG_OFF }, Ordering::Relaxed);
        *current = sink;
        Ok(())
    })
}

/// Where lines go. Held for reading while a callback runs, so that a change waits for it.
static SINK: RwLock<Option<Sink>> = RwLock::new(None);
static LEVEL: AtomicU32 = AtomicU32::new(LBX_LOG_OFF);
static INSTALLED: OnceLock<bool> = OnceLock::new();

struct Sink {
    call: unsafe extern "C" fn(*mut c_void, u32, *const c_char, *const c_char),
    userdata: Userdata,
}

#[derive(Clone, Copy)]
struct Userdata(*mut c_void);

// SAFETY: this crate never looks behind the pointer; the application is told that callbacks run on any thread.
unsafe impl Send for Userdata {}
// SAFETY: as above.
unsafe impl Sync for Userdata {}

/// The subscriber: events become lines, spans are not kept.
struct Lines;

impl Subscriber for Lines {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The level may change later, so each event asks again.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && number(metadata.level()) <= LEVEL.load(Ordering::Relaxed)
    }

    fn event(&self, event: &Event<'_>) {
        // What a callback itself makes the library say is not told: it would call itself.
        if guard::in_callback() {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let (target, text) = (c_text(event.metadata().target()), c_text(line.message + &line.fields));
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sink) = &*sink else { return };
        let level = number(event.metadata().level());
        // SAFETY: by the contract of `lbx_log_set` the function takes these; both texts live until it returns.
        guard::callback(|| unsafe { (sink.call)(sink.userdata.0, level, target.as_ptr(), text.as_ptr()) });
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn number(level: &Level) -> u32 {
    match *level {
        Level::ERROR => LBX_LOG_ERROR,
        Level::WARN => LBX_LOG_WARN,
        Level::INFO => LBX_LOG_INFO,
        Level::DEBUG => LBX_LOG_DEBUG,
        Level::TRACE => LBX_LOG_TRACE,
    }
}

/// An event's message, and its other fields behind it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
