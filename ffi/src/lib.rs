//! The Lightbox C ABI: what a hypervisor or thin-client firmware in C or C++ links as `liblightbox`.
//!
//! `include/lightbox.h` is generated from this crate, and its comments are written for C: read that first. Rust
//! programs use `lightbox-server` and `lightbox-client`; this crate adds nothing to them but C's types.
//!
//! Every function is two layers. The outer one, `extern "C"`, turns pointers into references and is all of the unsafe
//! code; the inner one is an ordinary method. Between them stands `guard`: a panic ends there as a result.
//!
//! - `handle`, `sized`: what C may hold, and structs that can grow.
//! - `os`: what differs by operating system.
//! - `guard`, `error`: where panics and errors end.
//! - [`version`], [`log`]: about the library itself.
//! - [`event_loop`]: the application's own, instead of threads.
//! - [`vocabulary`], [`input`], [`video`], [`stream`], [`event`], [`stats`]: what both sides speak of.
//! - [`server`], [`output`], [`scanout`], [`scaled`], [`contract`], [`cursor`]: the hypervisor's side, with the feature `server`.
//! - [`client`], [`memory`], [`decoder`], [`surface`]: the thin client's side, with the feature `client`.

// C's names, so that the header, the symbols and this source say the same. What a caller must keep to stands once,
// in the header's preface and in `handle`, instead of in a section of every function.
//
// The modules stand in the order in which the header tells them.
#![allow(non_camel_case_types, clippy::missing_safety_doc)]

#[cfg(not(any(feature = "server", feature = "client")))]
compile_error!(
    "build lightbox-ffi with the feature `server`, `client` or both: without them there is nothing to link"
);

mod guard;
mod handle;
mod identity;
mod os;
mod sized;

pub mod version;

pub mod error;

pub mod log;

pub mod event_loop;

pub mod vocabulary;

pub mod input;

pub mod video;

#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "server")]
pub mod output;
#[cfg(feature = "server")]
pub mod scanout;

#[cfg(feature = "server")]
pub mod scaled;

#[cfg(feature = "server")]
pub mod contract;

#[cfg(feature = "server")]
pub mod cursor;

#[cfg(feature = "client")]
pub mod memory;

#[cfg(feature = "client")]
pub mod decoder;

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "client")]
pub mod surface;

pub mod stream;

pub mod event;

pub mod stats;
