use std::sync::Arc;
use std::time::Duration;

use lightbox_codec::screen::packed::CELL;
use lightbox_codec::video::Codec;
use lightbox_net::address::{Address, AddressError};
use lightbox_net::runtime::Runtime;
use lightbox_net::tls::{Authorities, Identity};
use lightbox_protocol::msg::control::Capabilities;
use lightbox_protocol::msg::update::MAX_MODELS;
use lightbox_protocol::wire::ids::codec;

use crate::memory::Allocate;
use crate::video::{Decoders, OpenDecoder};

/// How a [`Client`](crate::Client) is.
#[derive(Clone)]
pub struct Config {
    pub(crate) address: String,
    pub(crate) terminal: String,
    pub(crate) authorities: Option<Arc<Authorities>>,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) capabilities: Capabilities,
    pub(crate) idle_timeout: Duration,
    pub(crate) memory: Option<Arc<dyn Allocate>>,
    pub(crate) runtime: Runtime,
    pub(crate) decoders: Decoders,
}

impl Config {
    /// Connects to this line, `lightbox://host:port/TICKET#FINGERPRINT`, as the server gave it.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            terminal: "lightbox".into(),
            authorities: None,
            identity: None,
            capabilities: Capabilities::default(),
            idle_timeout: Duration::from_secs(30),
            memory: None,
            runtime: Runtime::tokio(),
            decoders: Decoders::none(),
        }
    }

    /// What the terminal calls itself. Default: `lightbox`.
    pub fn terminal(mut self, name: impl Into<String>) -> Self {
        self.terminal = name.into();
        self
    }

    /// Who vouches for servers whose address has no fingerprint. Default: nobody.
    pub fn authorities(mut self, roots: Authorities) -> Self {
        self.authorities = Some(Arc::new(roots));
        self
    }

    /// The certificate shown to servers that ask for one. Default: none.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(Arc::new(identity));
        self
    }

    /// The most pixels that all surfaces together may have; each takes up to 4 bytes. Default: 64 Mi, eight 4K
    /// monitors.
    pub fn max_pixels(mut self, pixels: u64) -> Self {
        self.capabilities.max_pixels = pixels;
        self
    }

    /// Nothing is ever shown with an error, video neither, and a thin path keeps the person waiting for the exact picture instead.
    /// Default: a path too thin for a change brings it with a stated error first.
    pub fn exact_only(mut self) -> Self {
        self.capabilities.codecs = vec![codec::LOSSLESS, codec::INTER, codec::SCALED];
        self
    }

    /// Video of these codecs is decoded by what `open` makes, one decoder for each surface that has some: hardware, or
    /// software of the application's own. Where several calls name a codec, the first counts. Tiles that show video are
    /// [`TileState::Painted`](crate::TileState::Painted) with the error [`UNSTATED`](crate::UNSTATED), until they rest
    /// and come exactly. Default: none, and moving pictures come as all else does.
    ///
    /// `open` and the decoders are called by the thread that paints. A decoder reads bytes from a network, and most are
    /// large programs in C: leave it out where nobody looks at video.
    pub fn decoder(mut self, codecs: &[Codec], open: Arc<OpenDecoder>) -> Self {
        self.decoders = self.decoders.with(codecs, open);
        self
    }

    /// The most memory for tiles that may be shown again, in bytes; it is used as it is filled, and wiped with the
    /// session. A server that uses it can bring back what was seen before for a few bytes: a stack that is scrolled
    /// back, a menu that closes. Default: 64 MiB, 16,384 tiles of gray or 5,461 of colour; 0: none.
    pub fn slot_memory(mut self, bytes: u64) -> Self {
        self.capabilities.slots = bytes / CELL;
        self
    }

    /// The most models of the screen codec that are kept, in 1.2 MB each ([`MODEL_BYTES`](crate::MODEL_BYTES)); one more
    /// is held while a picture changes. They are used as they are filled, and wiped with the session. With four the text
    /// of a desktop costs a fraction of its bytes also where the network loses some. Default: 4; 0: none, and at most 8
    /// count.
    pub fn models(mut self, most: u32) -> Self {
        self.capabilities.models = u64::from(most).min(MAX_MODELS.into());
        self
    }

    /// The byte streams that each side may have open at one time, at most 24: what devices, files and agents speak
    /// through. The application is asked before one that the server opens is taken. Each holds up to 256 KiB that its
    /// application has not read. Default: 0, none.
    pub fn streams(mut self, most: u32) -> Self {
        self.capabilities.streams = most.into();
        self
    }

    /// A connection of which nothing was heard for so long is lost, and another is tried. The shorter of both
    /// sides' counts. Default: 30 s.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Where surfaces have their samples. Default: in memory of this crate.
    pub fn memory(mut self, from: Arc<dyn Allocate>) -> Self {
        self.memory = Some(from);
        self
    }

    /// Runs on a loop that the terminal turns ([`Loop::runtime`](crate::Loop::runtime)): no thread is made but one that
    /// looks up the server's name and ends with that; an IP address needs none. A client that is dropped says goodbye
    /// in the loop's next turns, or while the loop is dropped. Default: threads of its own.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = runtime;
        self
    }

    /// H.264 is decoded in software, where no [`Self::decoder`] does it: by OpenH264, C++ that is fed from the network.
    #[cfg(feature = "h264")]
    pub fn software_video(self) -> Self {
        self.decoder(&[Codec::H264], Arc::new(|_| lightbox_codec::video::h264::open()))
    }

    /// What is announced to the server.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let mut all = self.capabilities.clone();
        // Who wants exact pictures only wants no video either.
        if all.codecs.contains(&codec::FIRST) {
            all.codecs.extend(self.decoders.ids());
        }
        all
    }

    pub(crate) fn parsed(&self) -> Result<Address, AddressError> {
        self.address.parse()
    }
}

impl std::fmt::Debug for Config {
    /// The address holds a ticket, and logs are read by many.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

/// Why a client could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The system gives no thread.
    #[error("no thread can be started: {0}")]
    Thread(#[from] std::io::Error),
}
