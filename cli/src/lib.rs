//! The program `lightbox` as a library: the SDKs' first user.

pub mod counter;
pub mod keymap;
pub mod picture;
pub mod source;
pub mod zst;
