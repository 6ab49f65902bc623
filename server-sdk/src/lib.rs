//! The Lightbox server: what a hypervisor links.
//!
//! A hypervisor has a framebuffer and knows, more or less, what changed in it. It calls [`Output::submit`] with
//! both and goes on; everything else happens on threads of this crate, or on a [`Loop`] that the hypervisor turns.
//! What was submitted is compared with a
//! private snapshot, so damage may claim too much (that costs no bytes) and, with the sweep, even too little. The
//! snapshot is also what "verified" speaks of: the live framebuffer is never digested, since a guest writes to it.
//!
//! - [`Server`]: listens, admits, and owns the desktop's outputs.
//! - [`Output`]: one monitor: its picture and its cursor.
//! - [`AccessUnit`]: the same picture as the host's own encoder has it, for clients that decode video.
//! - [`Event`]: who came and went, and what the person did.
//! - [`Authenticate`]: who may come in; [`Tickets`] and [`Certificates`] are built in, or the application is asked.
//! - [`encode`]: damage to frames, without a thread.
//!
//! ```no_run
//! use lightbox_server::{Config, Damage, Server};
//! use lightbox_server::geom::Size;
//! use lightbox_server::pixel::{ImageRef, PixelFormat};
//!
//! let server = Server::start(Config::new("127.0.0.1:0".parse()?))?;
//! println!("{}", server.address("127.0.0.1")?);
//! let size = Size::new(1920, 1080);
//! let output = server.add_output(size, PixelFormat::Bgrx8)?;
//! let framebuffer = vec![0u8; 1920 * 1080 * 4];
//! let frame = ImageRef::new(&framebuffer, size, 1920 * 4, PixelFormat::Bgrx8)?;
//! output.submit(frame, Damage::Unknown)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admit;
mod config;
pub mod encode;
mod error;
mod event;
mod notice;
mod output;
mod pump;
mod qnum;
mod scaled;
mod server;
mod session;
mod snapshot;
mod stats;
mod strangers;
mod video;

pub use admit::{Authenticate, Certificates, Grant, Knock, Refusal, Tickets};
pub use config::Config;
pub use encode::{Contract, Contracts};
pub use error::{AddressError, ScaledError, StartError, SubmitError, UnitError};
pub use event::{Event, Events};
pub use lightbox_codec::screen::scaled::{Axis, Kernel, Rounding, Scale};
pub use lightbox_codec::video::{Codec, Colour};
pub use lightbox_codec::{geom, pixel};
pub use lightbox_net::clock;
pub use lightbox_net::runtime::{DispatchError, Loop, Runtime};
pub use lightbox_net::stream::ByteStream;
pub use lightbox_net::tls::{Fingerprint, Identity};
pub use lightbox_protocol::Time;
pub use lightbox_protocol::channel::stream::{Read, StreamError, StreamEvent, StreamId};
pub use lightbox_protocol::exact::Counts;
pub use lightbox_protocol::msg::control::{Close, Layout, Role, SessionId};
pub use lightbox_protocol::msg::input;
pub use lightbox_protocol::msg::stream::{Name, NameError, Urgency};
pub use lightbox_protocol::wire::ids::close;
pub use output::{Cursor, Output, Placement};
pub use qnum::qnum;
pub use scaled::ScaledImage;
pub use server::Server;
pub use snapshot::{Damage, Submitted};
pub use stats::{OutputStats, SessionStats};
pub use video::AccessUnit;
