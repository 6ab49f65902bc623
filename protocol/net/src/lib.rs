//! Lightbox sessions over QUIC: the one crate that opens sockets and reads the clock.
//!
//! QUIC gives a session three things that one TCP stream cannot: a picture that is late does not hold back a key
//! press, a lost packet delays only the frame it belongs to, and a client that changes its address keeps its
//! connection. This crate is where quinn and rustls are named; everything a session decides lives in
//! `lightbox-protocol`, which knows neither.
//!
//! - [`address`]: the line a person pastes, `lightbox://host:port/TICKET#FINGERPRINT`
//! - [`tls`]: identities, fingerprints, and why a peer is believed
//! - [`endpoint`]: listening and dialling, the connections, every transport setting with its reason
//! - [`congestion`]: the controller of `lightbox-protocol` as quinn's
//! - [`driver`]: the loop between a connection and a session
//! - [`events`]: what the loop tells an application
//! - [`runtime`]: where all of it runs, and its time passes
//! - [`stream`]: a byte stream as applications hold it
//! - `lab` (feature): the same connections on a virtual clock, and what a desktop over them feels like
//! - [`clock`]: the only clock of the project

pub mod address;
mod base32;
pub mod clock;
pub mod congestion;
pub mod driver;
pub mod endpoint;
pub mod events;
#[cfg(feature = "lab")]
pub mod lab;
mod os;
pub mod runtime;
pub mod stream;
pub mod tls;
