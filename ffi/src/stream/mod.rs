//! Byte streams: named bytes both ways between the applications at both ends.
#![allow(unsafe_code)]

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

use std::ffi::{c_char, c_void};

use lightbox_net::stream::ByteStream;
use lightbox_protocol::channel::stream::{Read, StreamError, StreamEvent};
use lightbox_protocol::msg::control::Close;
use lightbox_protocol::msg::stream::{Name, Urgency};

use crate::error::{Failure, LBX_ERROR_LIMIT, LBX_ERROR_SPACE, lbx_result};
use crate::guard;
use crate::handle::{self, Shared};

#[cfg(feature = "client")]
pub use client::*;
#[cfg(feature = "server")]
pub use server::*;

/// One end of a byte stream. Owned: until lbx_stream_free(), before or after the end of its server or client. All
/// functions may be called on any thread, at the same time, and none waits. It ends with the connection; after a resume
/// open a new one.
#[derive(Debug)]
pub struct lbx_stream {
    stream: ByteStream,
}

impl Shared for lbx_stream {
    const NAME: &'static str = "stream";
}

/// The stream's bytes go before frames: few and small.
pub const LBX_URGENCY_URGENT: u32 = 0;
/// They go after frames.
pub const LBX_URGENCY_NORMAL: u32 = 1;
/// They go last.
pub const LBX_URGENCY_BULK: u32 = 2;

/// Event of servers and clients: the other end's application opened a byte stream: `stream`, `text` is its name,
/// `urgency`. Take it or refuse it.
pub const LBX_STREAM_OFFERED: u32 = 16;
/// Event of both: the other end took it: `stream`.
pub const LBX_STREAM_ACCEPTED: u32 = 17;
/// Event of both: there are bytes, or the end, to read: `stream`. Told after a read that said `LBX_AGAIN`, and for the
/// first bytes.
pub const LBX_STREAM_READABLE: u32 = 18;
/// Event of both: there is credit again: `stream`. Told after a write that was not taken whole.
pub const LBX_STREAM_WRITABLE: u32 = 19;
/// Event of both: the stream is over, was refused, or was lost with the connection: `stream`, `code`, `text`. What was
/// not read is gone. Free its handle.
pub const LBX_STREAM_CLOSED: u32 = 20;

/// The number that events name the stream by. 0 for NULL, which is a stream's number as well.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_stream_id(stream: *const lbx_stream) -> u64 {
    guard::value(0, || Ok(handle::part(stream)?.stream.id().0))
}

/// Writes as many of the bytes as the other end has granted; `*written` becomes how many those were, at most `len`. Where
/// they are fewer, `LBX_STREAM_WRITABLE` follows. Until `LBX_STREAM_ACCEPTED` none are taken.
/// Ownership: the bytes are copied.
/// Errors: `LBX_ERROR_STATE` if the stream is over or its end was written.
/// Threads: any; what one thread writes arrives in order. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_stream_write(
    stream: *mut lbx_stream,
    bytes: *const c_void,
    len: usize,
    written: *mut usize,
) -> lbx_result {
    guard::call(|| {
        let stream = handle::part(stream)?;
        if written.is_null() {
            return Err(Failure::argument("nowhere to put the number of bytes written"));
        }
        // SAFETY: promise 2.
        let bytes = unsafe { handle::array(bytes.cast::<u8>(), len, "bytes") }?;
        let taken = stream.stream.write(bytes).map_err(refused)?;
        // SAFETY: promise 3.
        unsafe { handle::put(written, taken, "number of bytes written") }
    })
}

/// Takes at most `space` bytes that have come; `*len` becomes how many. 0 of them is the other end's end: nothing more
/// will come.
/// Errors: `LBX_AGAIN` if there are none yet, and `LBX_STREAM_READABLE` follows; `LBX_ERROR_STATE` if the stream is over;
/// `LBX_ERROR_SPACE` if `space` is 0.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_stream_read(
    stream: *mut lbx_stream,
    bytes: *mut c_void,
    space: usize,
    len: *mut usize,
) -> lbx_result {
    guard::call(|| {
        let stream = handle::part(stream)?;
        if len.is_null() {
            return Err(Failure::argument("nowhere to put the number of bytes read"));
        }
        if bytes.is_null() || space == 0 {
            return Err(Failure::new(LBX_ERROR_SPACE, "no room for bytes"));
        }
        // C's room may hold nothing yet, so what is read goes through some that does.
        let mut piece = [0; PIECE];
        let mut all = 0;
        while all < space {
            let room = PIECE.min(space - all);
            match stream.stream.read(&mut piece[..room]).map_err(refused)? {
                Read::Bytes(read) => {
                    // SAFETY: promise 3, of `space` bytes, of which `all` are written; `read` is at most the rest.
                    unsafe { bytes.cast::<u8>().add(all).copy_from_nonoverlapping(piece.as_ptr(), read) };
                    all += read;
                }
                Read::End => break,
                Read::Nothing if all == 0 => return Err(Failure::again()),
                Read::Nothing => break,
            }
        }
        // SAFETY: promise 3.
        unsafe { handle::put(len, all, "number of bytes read") }
    })
}

/// Says that no bytes follow; the other end's may go on.
/// Errors: `LBX_ERROR_STATE` if the stream is over or its end was written.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_stream_end(stream: *mut lbx_stream) -> lbx_result {
    guard::call(|| handle::part(stream)?.stream.end().map_err(refused))
}

/// Ends the stream in both directions; `reason` is for people, NULL if there is none. Free it then as well.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_stream_close(stream: *mut lbx_stream, reason: *const c_char) -> lbx_result {
    guard::call(|| {
        // SAFETY: promise 2.
        let reason = unsafe { handle::text(reason, "reason") }?;
        handle::part(stream)?.stream.close(reason.unwrap_or_default());
        Ok(())
    })
}

/// Ends the handle, and the stream with it unless both its ends were said. NULL is allowed.
/// Threads: any, in callbacks too. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_stream_free(stream: *mut lbx_stream) {
    guard::call(|| handle::end(stream));
}

/// What an event says of a stream, in the words of both sides' event structs.
pub(crate) struct Told {
    pub(crate) kind: u32,
    pub(crate) stream: u64,
    pub(crate) urgency: u32,
    pub(crate) code: u32,
    pub(crate) text: String,
}

impl Told {
    /// `None` for what a later version tells.
    pub(crate) fn of(event: StreamEvent) -> Option<Self> {
        let told = |kind, stream| Self { kind, stream, urgency: 0, code: 0, text: String::new() };
        Some(match event {
            StreamEvent::Offered { stream, name, urgency } => Self {
                urgency: urgency as u32,
                text: name.as_str().into(),
                ..told(LBX_STREAM_OFFERED, stream.0)
            },
            StreamEvent::Accepted(stream) => told(LBX_STREAM_ACCEPTED, stream.0),
            StreamEvent::Readable(stream) => told(LBX_STREAM_READABLE, stream.0),
            StreamEvent::Writable(stream) => told(LBX_STREAM_WRITABLE, stream.0),
            StreamEvent::Closed { stream, why: Close { code, reason } } => Self {
                code: code.try_into().unwrap_or(u32::MAX),
                text: reason,
                ..told(LBX_STREAM_CLOSED, stream.0)
            },
            _ => return None,
        })
    }
}

/// # Safety
/// Promise 2.
unsafe fn name_of(name: *const c_char) -> Result<Name, Failure> {
    // SAFETY: promise 2.
    let name = unsafe { handle::some_text(name, "name") }?;
    name.parse().map_err(Failure::argument)
}

fn urgency_of(number: u32) -> Result<Urgency, Failure> {
    match number {
        LBX_URGENCY_URGENT => Ok(Urgency::Urgent),
        LBX_URGENCY_NORMAL => Ok(Urgency::Normal),
        LBX_URGENCY_BULK => Ok(Urgency::Bulk),
        _ => Err(Failure::argument(format_args!("{number} is no LBX_URGENCY"))),
    }
}

fn refused(error: StreamError) -> Failure {
    match error {
        StreamError::TooMany { .. } => Failure::new(LBX_ERROR_LIMIT, error),
        _ => Failure::state(error),
    }
}

/// # Safety
/// Promise 3.
unsafe fn give(stream: ByteStream, out: *mut *mut lbx_stream) -> Result<(), Failure> {
    // SAFETY: promise 3.
    unsafe { handle::give(lbx_stream { stream }, out) }
}

/// Bytes that are read at once.
const PIECE: usize = 16 << 10;

fn nowhere() -> Failure {
    Failure::argument("nowhere to put the stream")
}
