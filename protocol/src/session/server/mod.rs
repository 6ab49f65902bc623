//! The server's half of a session: one person's conversation with one desktop, over one connection after another.

mod door;
mod incoming;
mod session;

use alloc::vec::Vec;
use core::time::Duration;

pub use door::Door;
pub use session::ServerSession;

use crate::Time;
use crate::channel::stream::StreamEvent;
use crate::geom::{Size, TileIndex};
use crate::msg::control::{Capabilities, Close, Hello, Layout, Role, SessionId};
use crate::msg::display::{CursorPosition, CursorShape};
use crate::msg::input::{Action, Locks};
use crate::msg::update::MAX_MODELS;
use crate::msg::video::VideoCodecs;
use crate::pixel::PixelFormat;
use crate::wire::{WireError, ids};

/// How a session is.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its name; random.
    pub id: SessionId,
    /// 32 random bytes, from which the nonces and secrets of the session are made.
    pub entropy: [u8; 32],
    /// What the person may do.
    pub role: Role,
    /// How long the session waits for its client after a connection was lost. Default 120 s.
    pub life: Duration,
    /// What the server will use.
    pub capabilities: Capabilities,
}

impl Config {
    /// The defaults, with a name and randomness that the caller drew.
    pub fn new(id: SessionId, entropy: [u8; 32]) -> Self {
        let mut capabilities = Capabilities::default();
        // Access units come from the host, and pass through.
        capabilities.codecs.extend(VideoCodecs::ALL);
        // Registers are the client's memory.
        capabilities.models = MAX_MODELS.into();
        Self { id, entropy, role: Role::Control, life: Duration::from_secs(120), capabilities }
    }
}

/// What the application wants of the session.
#[derive(Clone, Debug)]
pub enum Command {
    /// A connection was admitted for it; `hello` was its first message. The client goes on if it resumes.
    Attach {
        /// The client's first message.
        hello: Hello,
        /// The connection's TLS exporter value.
        binding: [u8; 32],
    },
    /// The surface of this number has this size and format from now on; a known number starts blank.
    Surface {
        /// Its number.
        id: u32,
        /// Columns and rows.
        size: Size,
        /// The layout of its samples.
        format: PixelFormat,
    },
    /// The surface of this number is no more.
    SurfaceGone(u32),
    /// The outputs and the surfaces they show.
    Layout(Layout),
    /// The oldest change that no frame carries yet was made then; `None` if every change was sent.
    Behind(Option<Time>),
    /// The cursor's picture.
    CursorShape(CursorShape),
    /// Where the cursor is.
    CursorAt(CursorPosition),
    /// The guest's lock keys.
    Leds(Locks),
    /// End the session.
    Close(Close),
}

/// What the session tells the application.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A client is there; frames may be made. `resumed` says whether it kept its surfaces.
    Attached {
        /// It goes on where it was.
        resumed: bool,
    },
    /// The connection is gone; the session waits for the client to come back.
    Detached(Close),
    /// The session is over.
    Ended(Close),
    /// The person did something.
    Input(Action),
    /// These tiles must be sent again, whole.
    Repair(Repair),
    /// A frame may be made again.
    Room,
    /// Tiles became verified.
    Verified {
        /// How many.
        tiles: u32,
    },
    /// Frames were shown: from capture to acknowledgement, of the newest.
    Shown {
        /// How many frames.
        frames: usize,
        /// The newest one's age when its acknowledgement arrived, in microseconds.
        age_us: u64,
    },
    /// The terminal would like this layout.
    WantLayout(Layout),
    /// Something happened to a byte stream.
    Stream(StreamEvent),
}

/// Tiles to send again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Of which surface.
    pub surface: u32,
    /// Which; none where only the run ends, or only what a frame did with slots and models was not done.
    pub tiles: Vec<TileIndex>,
    /// Why.
    pub why: Why,
    /// The surface's run of access units is at its end: the client cannot decode the next.
    pub ends_run: bool,
}

/// Why tiles are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The client's digest was another: use another lossless path.
    Mismatch,
    /// The client could not paint them.
    Unpainted,
    /// Their frames were lost with a connection.
    Lost,
}

/// What is too much is told from what means nothing.
pub(crate) fn malformed(error: WireError) -> Close {
    let code = match error {
        WireError::Limit { .. } => ids::close::LIMIT,
        _ => ids::close::MALFORMED,
    };
    Close::new(code, error)
}
