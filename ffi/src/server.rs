//! The hypervisor's side: a desktop that clients can connect to.
#![allow(unsafe_code)]

mod admit;
mod input;

use std::ffi::{c_char, c_int, c_void};
use std::mem::offset_of;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lightbox_net::tls;
use lightbox_server::{Certificates, Config, Server, StartError};

use crate::error::{
    Failure, LBX_ERROR_IDENTITY, LBX_ERROR_SPACE, LBX_ERROR_STATE, LBX_ERROR_SYSTEM, lbx_result,
};
use crate::event::{Kept, Signal, lbx_server_event};
use crate::event_loop::{self, lbx_loop};
use crate::guard;
use crate::handle::{self, Shared, lock};
use crate::identity::{identity_at, unusable};
use crate::input::locks_of;
use crate::sized::{self, SizeFirst};
use crate::vocabulary::{LBX_NONE, lbx_session_id, slot_memory_of};

pub use admit::*;

/// A desktop that clients can connect to. Owned: from lbx_server_new() to lbx_server_free(). It has threads of its
/// own, or runs on an lbx_loop; several may live in one process and share nothing else. All functions may be called on
/// any thread, at the same time.
#[derive(Debug)]
pub struct lbx_server {
    pub(crate) server: Server,
    pub(crate) signal: Arc<Signal>,
    pub(crate) kept: Mutex<Kept>,
}

impl Shared for lbx_server {
    const NAME: &'static str = "server";
}

/// How a server is. Zero it and set `size`: what is 0 or NULL is the default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_server_config {
    /// sizeof(lbx_server_config).
    pub size: usize,
    /// An IP address and port, as `0.0.0.0:7700` or `[::]:7700` (which takes IPv4 as well); port 0 lets the system
    /// choose. Must be set.
    pub listen: *const c_char,
    /// A PEM file with a certificate chain and its key. If there is no such file it is made, readable by its owner
    /// alone. Default: an identity made at the start, so that addresses change with it.
    pub identity_path: *const c_char,
    /// PEM text of the certificates that vouch for clients. Default: none is asked for.
    pub authorities: *const c_char,
    /// LBX_ADMIT_*.
    pub admit: u32,
    /// 1: a ticket admits again and again, for tests and trusted networks.
    pub keep_tickets: u32,
    /// Sessions at one time. Each costs a picture of each monitor and about 2 MiB. Default: 16.
    pub max_sessions: u32,
    /// How long a session whose connection was lost waits for its client, in milliseconds. Default: 120000.
    pub life_ms: u32,
    /// Threads that code, beside the one that leads them; `LBX_NONE` for none. Default: one for each further core, at
    /// most 3; none on an lbx_loop.
    pub workers: u32,
    /// Tiles outside the damage that each submit compares, in turn, to find damage that was not reported; `LBX_NONE`
    /// trusts the host. Default: 8, about 10 microseconds.
    pub sweep: u32,
    /// Byte streams that each side of a session may have open at one time, at most 24. Each holds up to 256 KiB that nobody
    /// has read. Default: 0, none.
    pub streams: u32,
    /// 0.
    pub reserved: u32,
    /// The most memory, in bytes, that a client is asked to use for tiles that may be shown again; here each costs about
    /// 200 bytes. `LBX_NONE`: none. Default: 67108864.
    pub slot_memory: u64,
    /// A connection of which nothing was heard for so long is lost, in milliseconds. The shorter of both sides' counts.
    /// Default: 30000.
    pub idle_timeout_ms: u32,
    /// How long a client at the door waits for lbx_server_answer(), in milliseconds. Default: 30000.
    pub ask_ms: u32,
    /// A loop that the application turns: the server has no thread then, unless `workers` asks for some, and its monitors
    /// may be used on any thread all the same. Default: threads of its own.
    pub r#loop: *mut lbx_loop,
}

// SAFETY: `repr(C)`, size first, integers and raw pointers.
unsafe impl SizeFirst for lbx_server_config {
    const NAME: &'static str = "lbx_server_config";
    const LEAST: usize = offset_of!(Self, streams);
}

/// Starts a server without monitors.
/// Ownership: `*out` is the caller's, to lbx_server_free(). The config is copied.
/// Errors: `LBX_ERROR_SYSTEM` if the port is taken, `LBX_ERROR_IDENTITY`, `LBX_ERROR_ARGUMENT`, `LBX_ERROR_HANDLE` if
/// `loop` is none.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_new(
    config: *const lbx_server_config,
    out: *mut *mut lbx_server,
) -> lbx_result {
    guard::call(|| {
        // SAFETY: promise 2.
        let config = unsafe { sized::read(config) }?;
        if out.is_null() {
            return Err(Failure::argument("nowhere to put the server"));
        }
        // SAFETY: promise 2.
        let config = unsafe { config.parsed() }?;
        let signal = Signal::new()?;
        let server = Server::start(config).map_err(not_started)?;
        let wake = signal.clone();
        server.events().set_waker(move || wake.raise());
        // What came before the waker was set would wait unannounced.
        signal.raise();
        // SAFETY: promise 3.
        unsafe { handle::give(lbx_server { server, signal, kept: Mutex::default() }, out) }
    })
}

/// Tells every client that the server goes away and ends it; takes up to about a second, or no time on an lbx_loop, with
/// whose next turns the goodbyes leave. Monitors that are left stay valid handles that show nobody anything. NULL is
/// allowed.
/// Threads: any, in callbacks too: the server then ends on another thread, soon after. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_free(server: *mut lbx_server) {
    guard::call(|| handle::end(server));
}

/// A file descriptor that becomes readable when events wait: poll it, and call lbx_server_next_event() until it says
/// `LBX_AGAIN`. Do not read, write or close it; it is closed with the server. -1 for NULL.
/// On Windows it is the number of an event object, for WaitForMultipleObjects: `(HANDLE)(intptr_t)fd`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_event_fd(server: *const lbx_server) -> c_int {
    guard::value(-1, || Ok(handle::part(server)?.signal.number()))
}

/// Takes the next event; set `event->size` before. Read steadily: a session whose input nobody reads is closed.
/// Ownership: the event's pointers are valid until the next call of this function for this server, on any thread, or
/// the server's end.
/// Errors: `LBX_AGAIN` if there is none; it does not wait.
/// Threads: any, but as the pointers go with the next call, best one. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_next_event(
    server: *mut lbx_server,
    event: *mut lbx_server_event,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 3.
        let place = unsafe { sized::place(event) }?;
        let mut kept = lock(&server.kept);
        let next = server.signal.next(|| server.server.events().try_next()).ok_or_else(Failure::again)?;
        place.fill(lbx_server_event::of(next, &mut kept));
        Ok(())
    })
}

/// The port it listens at. 0 for NULL.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_port(server: *const lbx_server) -> u16 {
    guard::value(0, || Ok(handle::part(server)?.server.local_addr().port()))
}

/// True if every session's client has everything that was submitted, and proved it; so also while there is no session.
/// False for NULL.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_is_settled(server: *const lbx_server) -> bool {
    guard::value(false, || Ok(handle::part(server)?.server.is_settled()))
}

/// The guest's lock keys, for the lamps of the keyboards: LBX_LOCK_* bits.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_set_leds(server: *mut lbx_server, locks: u32) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        server.server.set_leds(locks_of(locks));
        Ok(())
    })
}

/// The names of the sessions there are. `ids` has room for `space` of them; `*len` becomes how many there are, which may
/// be more than were written. `ids` may be NULL if `space` is 0.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_sessions(
    server: *const lbx_server,
    ids: *mut lbx_session_id,
    space: usize,
    len: *mut usize,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        if ids.is_null() && space > 0 {
            return Err(Failure::argument("nowhere to put the sessions"));
        }
        let sessions = server.server.sessions();
        for (at, (id, _)) in sessions.iter().take(space).enumerate() {
            // SAFETY: promise 3, and `at` is below `space`.
            unsafe { ids.add(at).write((*id).into()) };
        }
        // SAFETY: promise 3.
        unsafe { handle::put(len, sessions.len(), "number of sessions") }
    })
}

/// Ends a session. `reason` is for the person; NULL if there is none.
/// Errors: `LBX_ERROR_STATE` if there is no such session.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_disconnect(
    server: *mut lbx_server,
    session: *const lbx_session_id,
    reason: *const c_char,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 2.
        let reason = unsafe { handle::text(reason, "reason")? };
        // SAFETY: promise 2.
        let session = unsafe { lbx_session_id::read(session) }?;
        match server.server.disconnect(session, reason.unwrap_or_default()) {
            true => Ok(()),
            false => Err(no_session()),
        }
    })
}

impl lbx_server_config {
    /// # Safety
    /// Promise 2.
    unsafe fn parsed(&self) -> Result<Config, Failure> {
        // SAFETY: the caller's promise.
        let (listen, identity, authorities) = unsafe {
            (
                handle::some_text(self.listen, "listen")?,
                handle::text(self.identity_path, "identity_path")?,
                handle::text(self.authorities, "authorities")?,
            )
        };
        let listen = listen.parse().map_err(|_| {
            Failure::argument(format_args!("`{listen}` is no IP address with a port, as 0.0.0.0:7700"))
        })?;
        let mut config = Config::new(listen)
            .runtime(event_loop::runtime(self.r#loop)?)
            .keep_tickets(self.keep_tickets != 0);
        if let Some(path) = identity {
            config = config.identity(identity_at(Path::new(path)).map_err(unusable)?);
        }
        if let Some(pem) = authorities {
            config = config.authorities(tls::roots_from_pem(pem).map_err(unusable)?);
        }
        match self.admit {
            LBX_ADMIT_TICKETS => {}
            LBX_ADMIT_CERTIFICATES if authorities.is_none() => {
                return Err(Failure::argument("LBX_ADMIT_CERTIFICATES needs authorities"));
            }
            LBX_ADMIT_CERTIFICATES => config = config.authenticate(Arc::new(Certificates)),
            LBX_ADMIT_ASK => config = config.ask(or_default(self.ask_ms, ASK)),
            other => return Err(Failure::argument(format_args!("{other} is no LBX_ADMIT"))),
        }
        if self.idle_timeout_ms != 0 {
            config = config.idle_timeout(Duration::from_millis(self.idle_timeout_ms.into()));
        }
        if let Some(bytes) = slot_memory_of(self.slot_memory) {
            config = config.slot_memory(bytes);
        }
        if self.max_sessions != 0 {
            config = config.max_sessions(self.max_sessions as usize);
        }
        if self.life_ms != 0 {
            config = config.life(Duration::from_millis(self.life_ms.into()));
        }
        match self.workers {
            0 => {}
            LBX_NONE => config = config.workers(0),
            1..=MOST_WORKERS => config = config.workers(self.workers as usize),
            other => return Err(Failure::argument(format_args!("{other} workers: at most {MOST_WORKERS}"))),
        }
        match self.sweep {
            0 => {}
            LBX_NONE => config = config.sweep(0),
            tiles => config = config.sweep(tiles),
        }
        Ok(config.streams(self.streams))
    }
}

/// How long a client at the door waits by default.
const ASK: Duration = Duration::from_secs(30);

fn or_default(ms: u32, default: Duration) -> Duration {
    if ms == 0 { default } else { Duration::from_millis(ms.into()) }
}

/// More threads than any machine has a use for, and fewer than hurt.
const MOST_WORKERS: u32 = 256;

pub(crate) fn no_session() -> Failure {
    Failure::new(LBX_ERROR_STATE, "there is no such session")
}

fn not_started(error: StartError) -> Failure {
    let code = match error {
        StartError::Identity(_) | StartError::Tls(_) => LBX_ERROR_IDENTITY,
        _ => LBX_ERROR_SYSTEM,
    };
    Failure::new(code, error)
}

/// # Safety
/// `to` is NULL or has room for `space` bytes.
unsafe fn put_text(to: *mut c_char, space: usize, text: &str) -> Result<(), Failure> {
    let needed = text.len() + 1;
    if to.is_null() || space < needed {
        let code = LBX_ERROR_SPACE;
        return Err(Failure::new(code, format_args!("the text needs {needed} bytes, there are {space}")));
    }
    let to = to.cast::<c_void>().cast::<u8>();
    // SAFETY: there is room for the text and one byte more, and it cannot overlap what this library made.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), to, text.len());
        to.add(text.len()).write(0);
    }
    Ok(())
}
