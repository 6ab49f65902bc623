//! Lightbox sessions over QUIC: the one crate that opens sockets and reads the clock.

pub mod clock;
