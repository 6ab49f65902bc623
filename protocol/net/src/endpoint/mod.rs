//! QUIC endpoints with the settings a remote desktop needs: [`Server`], [`Client`], and the [`Connection`] they
//! give.
//!
//! A server spends little on a peer it does not know: a few handshakes at once, each for a few seconds, and until
//! [`Connection::admit`] no more memory than a hello takes.

mod acks;
mod client;
mod connection;
mod error;
mod server;
mod transport;

pub use client::{Client, ClientConfig};
pub use connection::{Connection, Role};
pub use error::{ConnectError, OpenError};
pub use server::{Attempt, Server, ServerConfig};
pub use transport::Settings;

#[cfg(feature = "lab")]
pub(crate) use {acks::Patient, transport::transport};
