//! Byte streams of a client.
#![allow(unsafe_code)]

use std::ffi::c_char;

use lightbox_protocol::channel::stream::StreamId;

use super::{give, lbx_stream, name_of, nowhere, refused, urgency_of};
use crate::client::lbx_client;
use crate::error::lbx_result;
use crate::guard;
use crate::handle;

/// Opens a byte stream to the server's application. `name` says what it is for: 1 to 64 of a-z, 0-9, '.', '_' and '-'.
/// `LBX_STREAM_ACCEPTED` or `LBX_STREAM_CLOSED` follows.
/// Ownership: `*out` is the caller's, to lbx_stream_free().
/// Errors: `LBX_ERROR_LIMIT` if there is no room for one more (see `streams` in both configs) or no connection,
/// `LBX_ERROR_ARGUMENT`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_open_stream(
    client: *mut lbx_client,
    name: *const c_char,
    urgency: u32,
    out: *mut *mut lbx_stream,
) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
        // SAFETY: promise 2.
        let name = unsafe { name_of(name) }?;
        if out.is_null() {
            return Err(nowhere());
        }
        let stream = client.client.open_stream(name, urgency_of(urgency)?).map_err(refused)?;
        // SAFETY: promise 3.
        unsafe { give(stream, out) }
    })
}

/// Takes a byte stream that the server offers: the `stream` of `LBX_STREAM_OFFERED`.
/// Ownership: `*out` is the caller's, to lbx_stream_free().
/// Errors: `LBX_ERROR_STATE` if it is not offered any more.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_accept_stream(
    client: *mut lbx_client,
    stream: u64,
    out: *mut *mut lbx_stream,
) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
        if out.is_null() {
            return Err(nowhere());
        }
        let stream = client.client.accept_stream(StreamId(stream)).map_err(refused)?;
        // SAFETY: promise 3.
        unsafe { give(stream, out) }
    })
}

/// Does not take a byte stream that the server offers; `reason` is for people, NULL if there is none. One that is not
/// offered any more is no error.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_refuse_stream(
    client: *mut lbx_client,
    stream: u64,
    reason: *const c_char,
) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
        // SAFETY: promise 2.
        let reason = unsafe { handle::text(reason, "reason") }?;
        client.client.refuse_stream(StreamId(stream), reason.unwrap_or_default());
        Ok(())
    })
}
