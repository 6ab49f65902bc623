//! Byte streams of a server's sessions.
#![allow(unsafe_code)]

use std::ffi::c_char;

use lightbox_protocol::channel::stream::StreamId;

use super::{give, lbx_stream, name_of, nowhere, refused, urgency_of};
use crate::error::lbx_result;
use crate::guard;
use crate::handle;
use crate::server::lbx_server;
use crate::vocabulary::lbx_session_id;

/// Opens a byte stream to the application at a session's client. `name` says what it is for: 1 to 64 of a-z, 0-9, '.', '_'
/// and '-'. `LBX_STREAM_ACCEPTED` or `LBX_STREAM_CLOSED` follows.
/// Ownership: `*out` is the caller's, to lbx_stream_free().
/// Errors: `LBX_ERROR_STATE` if there is no such session, `LBX_ERROR_LIMIT` if it has no room for one more (see `streams`
/// in both configs) or no connection, `LBX_ERROR_ARGUMENT`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_open_stream(
    server: *mut lbx_server,
    session: *const lbx_session_id,
    name: *const c_char,
    urgency: u32,
    out: *mut *mut lbx_stream,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 2.
        let (session, name) = unsafe { (lbx_session_id::read(session)?, name_of(name)?) };
        if out.is_null() {
            return Err(nowhere());
        }
        let stream = server.server.open_stream(session, name, urgency_of(urgency)?).map_err(refused)?;
        // SAFETY: promise 3.
        unsafe { give(stream, out) }
    })
}

/// Takes a byte stream that a session's client offers: the `stream` of `LBX_STREAM_OFFERED`.
/// Ownership: `*out` is the caller's, to lbx_stream_free().
/// Errors: `LBX_ERROR_STATE` if it is not offered any more.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_accept_stream(
    server: *mut lbx_server,
    session: *const lbx_session_id,
    stream: u64,
    out: *mut *mut lbx_stream,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 2.
        let session = unsafe { lbx_session_id::read(session) }?;
        if out.is_null() {
            return Err(nowhere());
        }
        let stream = server.server.accept_stream(session, StreamId(stream)).map_err(refused)?;
        // SAFETY: promise 3.
        unsafe { give(stream, out) }
    })
}

/// Does not take a byte stream that a session's client offers; `reason` is for people, NULL if there is none. One that is
/// not offered any more is no error.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_refuse_stream(
    server: *mut lbx_server,
    session: *const lbx_session_id,
    stream: u64,
    reason: *const c_char,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 2.
        let (session, reason) = unsafe { (lbx_session_id::read(session)?, handle::text(reason, "reason")?) };
        server.server.refuse_stream(session, StreamId(stream), reason.unwrap_or_default());
        Ok(())
    })
}
