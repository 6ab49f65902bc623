//! Message values and their layout, one module a channel. No behaviour.

mod capabilities;
pub mod control;
pub mod display;
pub mod input;
mod proof;
pub mod stream;
pub mod update;
pub mod video;
