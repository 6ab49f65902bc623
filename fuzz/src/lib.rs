//! What tries to break Lightbox, as a library: an oracle is a function that panics or says what is wrong.
//!
//! - [`oracle`]: one function for everything that reads bytes of a stranger, and for whole sessions among strangers.
//!   Fuzz targets are thin shells of these.
//! - [`soak`]: both halves of a session over a bad network in virtual time, for as many updates as one likes. It
//!   compares what a client calls verified with the bytes that the server had.

pub mod oracle;
pub mod soak;
