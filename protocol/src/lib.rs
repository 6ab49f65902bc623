//! The Lightbox wire format and its state machines: no socket, no clock, no thread.
//!
//! A remote desktop is one person's *session*: the server has the pixels, the client has the person. The server
//! sends *frames* that paint *surfaces* both keep; the client digests what it shows, and only what digests to the
//! server's own samples is called *verified*. All of that is decided here, in values that run in virtual time.
//!
//! - [`wire`]: how values become bytes, and the numbers of SPEC.md.
//! - [`msg`]: message values and their layout.
//! - [`channel`]: what each channel does, a client half and a server half.
//! - [`exact`]: the ledger of what is verified, and the lease on it.
//! - [`rate`]: the path's estimate and the pace of frames.
//! - [`session`]: all of it behind one door in and one door out.
#![no_std]

extern crate alloc;

pub mod channel;
pub mod exact;
pub mod msg;
pub mod rate;
pub mod session;
mod time;
pub mod wire;

pub use lightbox_codec::{digest, geom, pixel};
pub use time::Time;
