//! Message values and their layout, one module a channel. No behaviour.

pub mod control;
pub mod display;
pub mod input;
