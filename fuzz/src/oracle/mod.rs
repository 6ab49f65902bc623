//! Oracles over bytes: each takes anything and panics if something is wrong.
//!
//! A fuzz target is one of them and nothing else; `fuzz/tests/regressions.rs` replays the saved inputs of `fuzz/corpus`
//! on the stable toolchain. [`TARGETS`] names them all.
//!
//! - [`control`], [`frame`], [`datagram`], [`input`], [`hello`]: what a peer sends. Nothing panics, what is read is
//!   written and read the same, and however a stream is cut it means the same.
//! - [`address`], [`replay`]: what a person gives.
//! - [`lossless_decode`], [`lossless_round_trip`], [`lossless_batch`], [`lossless_inter`], [`progressive`], [`motion`],
//!   [`scaled`]: the codec, plain kernels against fast ones.
//! - [`units`]: the screen codec's model, which goes from one picture to the next.
//! - [`access_units`]: video, up to the decoder in software and into it.
//! - [`client_ops`], [`server_ops`]: whole sessions among peers that send anything in any order.

mod client;
mod codec;
mod outside;
mod scaled;
mod script;
mod server;
mod streams;
mod units;
mod video;
mod wire;

pub use client::client_ops;
pub use codec::{lossless_batch, lossless_decode, lossless_inter, lossless_round_trip, motion, progressive};
pub use outside::{address, replay};
pub use scaled::scaled;
pub use server::server_ops;
pub use units::units;
pub use video::access_units;
pub use wire::{control, datagram, frame, hello, input};

/// A function that panics if anything is wrong.
pub type Oracle = fn(&[u8]);

/// Every oracle by the name of its fuzz target and of the folder of its saved inputs.
pub const TARGETS: [(&str, Oracle); 18] = [
    ("access_units", access_units),
    ("address", address),
    ("client_ops", client_ops),
    ("control", control),
    ("datagram", datagram),
    ("frame", frame),
    ("hello", hello),
    ("input", input),
    ("lossless_batch", lossless_batch),
    ("lossless_inter", lossless_inter),
    ("lossless_decode", lossless_decode),
    ("lossless_round_trip", lossless_round_trip),
    ("motion", motion),
    ("progressive", progressive),
    ("replay", replay),
    ("scaled", scaled),
    ("server_ops", server_ops),
    ("units", units),
];
