//! Who may come in: tickets, and answers to those at the door.
#![allow(unsafe_code)]

use std::ffi::c_char;
use std::time::Duration;

use lightbox_server::{Grant, Refusal, Role};

use super::{lbx_server, put_text};
use crate::error::{Failure, lbx_result};
use crate::guard;
use crate::handle;
use crate::vocabulary::{LBX_ROLE_CONTROL, LBX_ROLE_VIEW};

/// A client comes in with a ticket of lbx_server_address() or lbx_server_ticket(), once.
pub const LBX_ADMIT_TICKETS: u32 = 0;
/// A client comes in with a certificate of `authorities`.
pub const LBX_ADMIT_CERTIFICATES: u32 = 1;
/// `LBX_SERVER_KNOCK` tells of a client at the door, and lbx_server_answer() lets it in or not.
pub const LBX_ADMIT_ASK: u32 = 2;
/// Room for any address.
pub const LBX_ADDRESS_SPACE: usize = 384;

/// Writes the line that a person pastes into a client, "lightbox://host:port/TICKET#FINGERPRINT", with a new ticket.
/// `host` is how clients reach this machine: a name, an IPv4 address, or an IPv6 address in brackets. Only with
/// `LBX_ADMIT_TICKETS` has the line a ticket.
/// `text` has room for `space` bytes, the NUL included; `LBX_ADDRESS_SPACE` is enough.
/// Errors: `LBX_ERROR_ARGUMENT` if `host` is none, `LBX_ERROR_SPACE`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_address(
    server: *mut lbx_server,
    host: *const c_char,
    text: *mut c_char,
    space: usize,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 2.
        let host = unsafe { handle::some_text(host, "host") }?;
        let address = server.server.address(host).map_err(Failure::argument)?;
        // SAFETY: promise 3.
        unsafe { put_text(text, space, &address) }
    })
}

/// Writes the digest of the server's key, which stands behind the # of its addresses, for a person to compare.
/// `text` has room for `space` bytes, the NUL included; `LBX_ADDRESS_SPACE` is enough.
/// Errors: `LBX_ERROR_SPACE`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_fingerprint(
    server: *const lbx_server,
    text: *mut c_char,
    space: usize,
) -> lbx_result {
    guard::call(|| {
        let fingerprint = handle::part(server)?.server.fingerprint().to_string();
        // SAFETY: promise 3.
        unsafe { put_text(text, space, &fingerprint) }
    })
}

/// As lbx_server_address(), for a person who may do what `role` (LBX_ROLE_*) says, with a ticket that admits for
/// `life_ms`; 0: until it is used or revoked.
/// Errors: as lbx_server_address().
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_ticket(
    server: *mut lbx_server,
    host: *const c_char,
    role: u32,
    life_ms: u32,
    text: *mut c_char,
    space: usize,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 2.
        let host = unsafe { handle::some_text(host, "host") }?;
        let life = (life_ms != 0).then(|| Duration::from_millis(life_ms.into()));
        let grant = Grant { role: role_of(role)? };
        let address = server.server.ticket(host, grant, life).map_err(Failure::argument)?;
        // SAFETY: promise 3.
        unsafe { put_text(text, space, &address) }
    })
}

/// No ticket that was given out and not used admits any more.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_revoke_tickets(server: *mut lbx_server) -> lbx_result {
    guard::call(|| {
        handle::part(server)?.server.revoke_tickets();
        Ok(())
    })
}

/// Answers the client of an `LBX_SERVER_KNOCK`: lets it in (`allow` is 1) to do what `role` (LBX_ROLE_*) says, or
/// refuses it, for a `reason` that it may show the person; NULL if there is none to give. A client that is not answered
/// within `ask_ms` is refused.
/// Errors: `LBX_ERROR_STATE` if it does not wait any more.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_answer(
    server: *mut lbx_server,
    knock: u64,
    allow: u32,
    role: u32,
    reason: *const c_char,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 2.
        let reason = unsafe { handle::text(reason, "reason") }?;
        let answer = match allow {
            0 => Err(Refusal(reason.unwrap_or("this desktop does not let you in").into())),
            _ => Ok(Grant { role: role_of(role)? }),
        };
        match server.server.answer(knock, answer) {
            true => Ok(()),
            false => Err(Failure::state("this client does not wait for an answer any more")),
        }
    })
}

fn role_of(role: u32) -> Result<Role, Failure> {
    match role {
        LBX_ROLE_CONTROL => Ok(Role::Control),
        LBX_ROLE_VIEW => Ok(Role::View),
        other => Err(Failure::argument(format_args!("{other} is no LBX_ROLE"))),
    }
}
