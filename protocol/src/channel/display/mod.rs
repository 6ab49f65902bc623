//! The display channel: frames from server to client, what became of them back.

mod client;
mod server;

pub use client::{ClientDisplay, Next, Paint};
pub use server::{Agreed, Begin, NewFrame, Passes, ServerDisplay};
