//! The Lightbox wire format and its state machines: no socket, no clock, no thread.
#![no_std]

extern crate alloc;

pub mod msg;
mod time;

pub use lightbox_codec::{digest, geom, pixel};
pub use time::Time;
