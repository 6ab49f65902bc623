//! The thin client's side: a terminal's end of a session.
#![allow(unsafe_code)]

mod input;

use std::ffi::{c_char, c_int};
use std::mem::offset_of;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lightbox_client::geom::Size;
use lightbox_client::{Client, Config, Layout, Output, StartError, TileState};
use lightbox_net::tls;

use crate::decoder::lbx_decoder;
use crate::error::{Failure, LBX_ERROR_IDENTITY, LBX_ERROR_SYSTEM, lbx_result};
use crate::event::{Kept, Signal, lbx_client_event};
use crate::event_loop::{self, lbx_loop};
use crate::guard;
use crate::handle::{self, Shared, lock};
use crate::identity::{identity_at, unusable};
use crate::memory::lbx_allocator;
use crate::sized::{self, SizeFirst};
use crate::vocabulary::{LBX_NONE, lbx_place, slot_memory_of};

/// A terminal's end of a session. Owned: from lbx_client_new() to lbx_client_free(). It has threads of its
/// own, or runs on an lbx_loop; several may live in one process and share nothing else. All functions may be called on
/// any thread, at the same time, unless they say otherwise.
#[derive(Debug)]
pub struct lbx_client {
    pub(crate) client: Client,
    pub(crate) signal: Arc<Signal>,
    pub(crate) kept: Mutex<Kept>,
}

impl Shared for lbx_client {
    const NAME: &'static str = "client";
}

/// The side of a tile in pixels.
pub const LBX_TILE: u32 = 64;

/// Changed at the source, or never shown.
pub const LBX_TILE_DIRTY: u32 = 0;
/// A first pass is shown, or video.
pub const LBX_TILE_PAINTED: u32 = 1;
/// Passes toward the source are under way.
pub const LBX_TILE_REFINING: u32 = 2;
/// All samples were sent and painted.
pub const LBX_TILE_EXACT: u32 = 3;
/// The server has said, not long ago, that what this client shows is what the source has.
pub const LBX_TILE_VERIFIED: u32 = 4;
/// It was verified, but word from the server is overdue.
pub const LBX_TILE_STALE: u32 = 5;

/// How a client is. Zero it and set `size`: what is 0 or NULL is the default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_client_config {
    /// sizeof(lbx_client_config).
    pub size: usize,
    /// The line that the server gave, "lightbox://host:port/TICKET#FINGERPRINT". Must be set.
    pub address: *const c_char,
    /// What the terminal calls itself. Default: "lightbox".
    pub terminal: *const c_char,
    /// PEM text of the certificates that vouch for servers whose address has no fingerprint. Default: nobody does.
    pub authorities: *const c_char,
    /// A PEM file with the certificate chain and key for servers that ask for one; made if it is not there. Default:
    /// none.
    pub identity_path: *const c_char,
    /// The most pixels of all surfaces together, up to 4 bytes each. Default: 67108864, eight 4K monitors.
    pub max_pixels: u64,
    /// Byte streams that each side may have open at one time, at most 24. Each holds up to 256 KiB that nobody has read.
    /// Default: 0, none.
    pub streams: u32,
    /// 1: H.264 that `decoder` does not name is decoded in software: C++ that is fed from the network. Only where the
    /// library was built with that; otherwise lbx_client_new() says `LBX_ERROR_ARGUMENT`.
    pub software_video: u32,
    /// The most memory, in bytes, for tiles that may be shown again; it is used as it is filled, and wiped with the
    /// session. `LBX_NONE`: none. Default: 67108864.
    pub slot_memory: u64,
    /// Where surfaces have their samples; it is copied. Default: in memory of the library.
    pub allocator: *const lbx_allocator,
    /// A connection of which nothing was heard for so long is lost, in milliseconds. The shorter of both sides' counts.
    /// Default: 30000.
    pub idle_timeout_ms: u32,
    /// 1: nothing is ever shown with an error; a thin path keeps the person waiting for the exact picture instead.
    pub exact_only: u32,
    /// Who decodes video; the struct is copied. Default: nobody, and moving pictures come as all else does.
    pub decoder: *const lbx_decoder,
    /// A loop that the application turns: the client has no thread then, but one that looks up the server's name and ends
    /// with that; an IP address needs none. Default: threads of its own.
    pub r#loop: *mut lbx_loop,
    /// The most models of the screen codec that are kept, at most 8, in 1.2 MB each; they are used as they are filled, and
    /// wiped with the session. With four the text of a desktop costs a fraction of its bytes also where the network loses
    /// some. `LBX_NONE`: none. Default: 4.
    pub models: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, size first, integers and raw pointers.
unsafe impl SizeFirst for lbx_client_config {
    const NAME: &'static str = "lbx_client_config";
    const LEAST: usize = offset_of!(Self, streams);
}

/// What lbx_client_tile_error() says of a tile of which nothing is known, or that shows video.
pub const LBX_TILE_ERROR_UNKNOWN: u32 = 0xFFFF_FFFF;

/// How many tiles are in which state.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_counts {
    /// sizeof(lbx_counts).
    pub size: usize,
    /// All tiles.
    pub total: u32,
    /// Tiles painted with the source's samples, verified ones included.
    pub exact: u32,
    /// Tiles verified; none while word from the server is overdue.
    pub verified: u32,
    /// Tiles that show the source's samples with a stated error, on their way to exact: painted and refining ones. None
    /// of them counts as exact.
    pub refining: u32,
    /// The largest of those errors, in sample values.
    pub max_error: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, size first, integers only.
unsafe impl SizeFirst for lbx_counts {
    const NAME: &'static str = "lbx_counts";
    const LEAST: usize = offset_of!(Self, max_error);
}

/// Starts to connect and returns at once; `LBX_CLIENT_CONNECTED` or `LBX_CLIENT_ENDED` follows. A connection that is lost
/// is taken up again without further calls.
/// Ownership: `*out` is the caller's, to lbx_client_free(). The config is copied.
/// Errors: `LBX_ERROR_IDENTITY` if the address or a certificate is none, `LBX_ERROR_SYSTEM`, `LBX_ERROR_ARGUMENT`,
/// `LBX_ERROR_HANDLE` if `loop` is none.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_new(
    config: *const lbx_client_config,
    out: *mut *mut lbx_client,
) -> lbx_result {
    guard::call(|| {
        // SAFETY: promise 2.
        let config = unsafe { sized::read(config) }?;
        if out.is_null() {
            return Err(Failure::argument("nowhere to put the client"));
        }
        // SAFETY: promise 2.
        let config = unsafe { config.parsed() }?;
        let signal = Signal::new()?;
        let client = Client::connect(config).map_err(not_started)?;
        let wake = signal.clone();
        client.events().set_waker(move || wake.raise());
        // What came before the waker was set would wait unannounced.
        signal.raise();
        let client = lbx_client { client, signal, kept: Mutex::default() };
        // SAFETY: promise 3.
        unsafe { handle::give(client, out) }
    })
}

/// Ends the session and the client; takes up to about a second, or no time on an lbx_loop, with whose next turns the
/// goodbye leaves. A surface that is held stays as it is until it is released. NULL is allowed.
/// Threads: any, in callbacks too: the client then ends on another thread, soon after. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_free(client: *mut lbx_client) {
    guard::call(|| handle::end(client));
}

/// A file descriptor that becomes readable when events wait: poll it, and call lbx_client_next_event() until it says
/// `LBX_AGAIN`. Do not read, write or close it; it is closed with the client. -1 for NULL.
/// On Windows it is the number of an event object, for WaitForMultipleObjects: `(HANDLE)(intptr_t)fd`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_event_fd(client: *const lbx_client) -> c_int {
    guard::value(-1, || Ok(handle::part(client)?.signal.number()))
}

/// Takes the next event; set `event->size` before. A program that does not keep up loses events, not the session: the next
/// `LBX_CLIENT_UPDATED` is then of the whole surface.
/// Ownership: the event's pointers are valid until the next call of this function for this client, on any thread, or
/// the client's end.
/// Errors: `LBX_AGAIN` if there is none; it does not wait.
/// Threads: any, but as the pointers go with the next call, best one. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_next_event(
    client: *mut lbx_client,
    event: *mut lbx_client_event,
) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
        // SAFETY: promise 3.
        let place = unsafe { sized::place(event) }?;
        let mut kept = lock(&client.kept);
        let next = client.signal.next(|| client.client.events().try_next()).ok_or_else(Failure::again)?;
        place.fill(lbx_client_event::of(next, &mut kept));
        Ok(())
    })
}

/// Ends the session and lets the client be: `LBX_CLIENT_ENDED` follows.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_close(client: *mut lbx_client) -> lbx_result {
    guard::call(|| {
        handle::part(client)?.client.close();
        Ok(())
    })
}

/// The machine has another network: goes on from a new socket, the session and its connection stay.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_rebind(client: *mut lbx_client) -> lbx_result {
    guard::call(|| {
        handle::part(client)?.client.rebind();
        Ok(())
    })
}

/// The monitors that the terminal would like, at most 16; the guest decides, and `LBX_CLIENT_LAYOUT` says what became of
/// it.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_want_layout(
    client: *mut lbx_client,
    places: *const lbx_place,
    places_len: usize,
) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
        // SAFETY: promise 2.
        let places = unsafe { handle::array(places, places_len, "places")? };
        if places.len() > MOST_PLACES {
            return Err(Failure::argument(format_args!("at most {MOST_PLACES} monitors")));
        }
        client.client.want_layout(Layout { outputs: places.iter().map(output_of).collect() });
        Ok(())
    })
}

/// The state of a tile, LBX_TILE_*, as the person may be told it. Tiles count row by row from the top left.
/// `LBX_TILE_DIRTY` for tiles and surfaces that there are not, and for NULL.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_tile_state(client: *const lbx_client, surface: u32, tile: u32) -> u32 {
    guard::value(LBX_TILE_DIRTY, || {
        let client = handle::part(client)?;
        Ok(match client.client.tile_state(surface, tile) {
            TileState::Dirty => LBX_TILE_DIRTY,
            TileState::Painted => LBX_TILE_PAINTED,
            TileState::Refining => LBX_TILE_REFINING,
            TileState::Exact => LBX_TILE_EXACT,
            TileState::Verified => LBX_TILE_VERIFIED,
            TileState::Stale => LBX_TILE_STALE,
        })
    })
}

/// How far a sample of a tile may be from the source's, in sample values: 0 where the tile is exact,
/// `LBX_TILE_ERROR_UNKNOWN` where nothing is known, as its state is `LBX_TILE_DIRTY`, or it shows video and is
/// `LBX_TILE_PAINTED`, and for NULL. The bound is the
/// server's word; what is proved is the verified tile.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_tile_error(client: *const lbx_client, surface: u32, tile: u32) -> u32 {
    guard::value(LBX_TILE_ERROR_UNKNOWN, || {
        let client = handle::part(client)?;
        Ok(client.client.tile_error(surface, tile).unwrap_or(LBX_TILE_ERROR_UNKNOWN))
    })
}

/// Tiles of all surfaces by state; set `counts->size` before. All is proved when `total` is not 0 and `verified` is as
/// large.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_counts(client: *const lbx_client, counts: *mut lbx_counts) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
        // SAFETY: promise 3.
        let place = unsafe { sized::place(counts) }?;
        let now = client.client.counts();
        place.fill(lbx_counts {
            total: now.total,
            exact: now.exact,
            verified: now.verified,
            refining: now.refining,
            max_error: now.max_error,
            ..lbx_counts::new()
        });
        Ok(())
    })
}

impl lbx_client_config {
    /// # Safety
    /// Promise 2.
    unsafe fn parsed(&self) -> Result<Config, Failure> {
        // SAFETY: the caller's promise.
        let (address, terminal, authorities, identity) = unsafe {
            (
                handle::some_text(self.address, "address")?,
                handle::text(self.terminal, "terminal")?,
                handle::text(self.authorities, "authorities")?,
                handle::text(self.identity_path, "identity_path")?,
            )
        };
        let mut config = Config::new(address).runtime(event_loop::runtime(self.r#loop)?);
        if let Some(name) = terminal {
            config = config.terminal(name);
        }
        if let Some(pem) = authorities {
            config = config.authorities(tls::roots_from_pem(pem).map_err(unusable)?);
        }
        if let Some(path) = identity {
            config = config.identity(identity_at(Path::new(path)).map_err(unusable)?);
        }
        if self.max_pixels != 0 {
            config = config.max_pixels(self.max_pixels);
        }
        if let Some(bytes) = slot_memory_of(self.slot_memory) {
            config = config.slot_memory(bytes);
        }
        match self.models {
            0 => (),
            LBX_NONE => config = config.models(0),
            most => config = config.models(most),
        }
        if !self.allocator.is_null() {
            // SAFETY: the caller's promise, and it is not NULL.
            let allocator = unsafe { sized::read(self.allocator) }?;
            config = config.memory(allocator.parsed()?);
        }
        if self.idle_timeout_ms != 0 {
            config = config.idle_timeout(Duration::from_millis(self.idle_timeout_ms.into()));
        }
        if self.exact_only != 0 {
            config = config.exact_only();
        }
        if !self.decoder.is_null() {
            // SAFETY: the caller's promise, and it is not NULL.
            config = unsafe { sized::read(self.decoder)?.parsed(config) }?;
        }
        if self.software_video != 0 {
            config = in_software(config)?;
        }
        Ok(config.streams(self.streams))
    }
}

#[cfg(feature = "h264")]
fn in_software(config: Config) -> Result<Config, Failure> {
    Ok(config.software_video())
}

#[cfg(not(feature = "h264"))]
fn in_software(_: Config) -> Result<Config, Failure> {
    Err(Failure::argument("this library decodes no video in software: leave software_video 0"))
}

fn not_started(error: StartError) -> Failure {
    let code = match error {
        StartError::Address(_) => LBX_ERROR_IDENTITY,
        _ => LBX_ERROR_SYSTEM,
    };
    Failure::new(code, error)
}

fn output_of(place: &lbx_place) -> Output {
    Output {
        id: place.output,
        surface: place.surface,
        x: place.x,
        y: place.y,
        size: Size::new(place.w, place.h),
        width_mm: place.width_mm,
        scale: place.scale,
    }
}

/// As many as a session has surfaces.
const MOST_PLACES: usize = 16;
