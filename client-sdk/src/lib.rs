//! The Lightbox client: what thin-client firmware links.
//!
//! A terminal shows what a server far away has, and gives it what the person does. [`Client::connect`] starts that;
//! from then on decoded pictures stand in memory of this crate, one *surface* a monitor, and [`Event`]s say what
//! changed. Every tile of a surface has a state: it is *verified* only while the server has said, not long ago, that
//! the digest this client computed from its own memory is the source's.
//!
//! - [`Client`]: connects, reconnects, shows surfaces, takes input.
//! - [`Event`]: what happened.
//! - [`Allocate`]: memory of the application for surfaces.
//! - [`paint`]: frames onto surfaces, without a thread.
//!
//! ```no_run
//! use std::time::Duration;
//! use lightbox_client::{Client, Config, Event};
//!
//! let client = Client::connect(Config::new("lightbox://ward-7:4433/ABCDEFGHIJKLMNOP2345#XJ4BNP4PAHH6UQKBIDPF3LRCEO"))?;
//! while let Some(event) = client.events().next_within(Duration::from_secs(1)) {
//!     if let Event::Updated { surface, .. } = event {
//!         client.with_surface(surface, |image| println!("{} pixels to show", image.size().area()));
//!     }
//! }
//! # Ok::<(), lightbox_client::StartError>(())
//! ```

mod client;
mod config;
mod easel;
mod event;
mod memory;
mod network;
pub mod paint;
mod painter;
mod registers;
mod slots;
mod stats;
mod video;

pub use client::Client;
pub use config::{Config, StartError};
pub use easel::Held;
pub use event::{Event, Events};
pub use lightbox_codec::video::{AccessUnit, Codec, Colour, DecodeError, Decoder};
pub use lightbox_codec::{geom, pixel};
pub use lightbox_net::runtime::{DispatchError, Loop, Runtime};
pub use lightbox_net::stream::ByteStream;
pub use lightbox_protocol::Time;
pub use lightbox_protocol::channel::stream::{Read, StreamError, StreamEvent, StreamId};
pub use lightbox_protocol::exact::{Counts, TileState, UNSTATED};
pub use lightbox_protocol::msg::control::{Close, Layout, Output, Role, SessionId, Surface};
pub use lightbox_protocol::msg::display::{CursorPosition, CursorShape};
pub use lightbox_protocol::msg::input;
pub use lightbox_protocol::msg::stream::{Name, NameError, Urgency};
pub use lightbox_protocol::wire::ids::close;
pub use memory::{Allocate, Memory, SurfaceError};
pub use stats::Stats;
pub use video::{Decoders, OpenDecoder};

/// The memory of one model of the screen codec, in bytes: [`Config::models`].
pub const MODEL_BYTES: usize = lightbox_codec::screen::update::Model::BYTES;
