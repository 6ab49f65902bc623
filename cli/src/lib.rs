//! The program `lightbox` as a library: the SDKs' first user.

pub mod source;
