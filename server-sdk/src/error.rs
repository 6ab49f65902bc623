use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{ImageError, PixelFormat};
use lightbox_net::endpoint::OpenError;
use lightbox_net::tls::{IdentityError, TlsError};

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The socket cannot be had.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No key or certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The cryptography does not serve.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system gives no thread.
    #[error("no thread can be started: {0}")]
    Thread(std::io::Error),
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The frame is not of the output's size: resize the output first.
    #[error("frame is {}x{}, the output is {}x{}: resize the output first", got.w, got.h, expected.w, expected.h)]
    Size {
        /// The output's.
        expected: Size,
        /// The frame's.
        got: Size,
    },
    /// The frame is not of the output's format.
    #[error("frame is {got:?}, the output is {expected:?}")]
    Format {
        /// The output's.
        expected: PixelFormat,
        /// The frame's.
        got: PixelFormat,
    },
    /// The size is none.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The desktop has as many outputs as a session takes.
    #[error("a desktop has at most {limit} outputs")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// More notices of an output are open than there may be.
    #[error("an output has at most {limit} notices open: wait for Event::FrameDone")]
    Notices {
        /// How many there may be.
        limit: usize,
    },
    /// The access unit is not one that this output can have now.
    #[error("access unit: {0}")]
    Unit(#[from] UnitError),
    /// An image that is said to be shown scaled cannot be.
    #[error("scaled image: {0}")]
    Scaled(#[from] ScaledError),
    /// The cursor's samples do not fit its size, or it is too large.
    #[error("a cursor is at most 256x256, its hotspot inside, with 4 bytes a pixel")]
    Cursor,
}

/// Why an image was not taken that is said to be shown scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScaledError {
    /// More than there may be.
    #[error("a picture shows at most {limit}")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// Its rect sticks out of the output, is none, or is too large.
    #[error("its rect is inside the output, and at most 4,194,304 pixels")]
    Rect,
    /// What is shown of it has too many pixels or a format of its own, or its scale has numbers out of bounds.
    #[error(
        "it has eight bits a sample, colour only where the output has, and shows at most 1,048,576 pixels"
    )]
    Image,
}

/// Why an access unit was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// Only 8-bit colour has video: what deep samples show must not be guessed at.
    #[error("an output of {0:?} has no video, submit its frames without")]
    Format(PixelFormat),
    /// The picture sticks out of the output, or is none.
    #[error("its rect is not inside the output")]
    Rect,
    /// It has no bytes, or too many.
    #[error("{got} bytes, an access unit has 1 to {limit}")]
    Length {
        /// The most.
        limit: usize,
        /// How many.
        got: usize,
    },
    /// It goes on from nothing: no key frame of its codec and rect came before.
    #[error("it needs a key frame of its codec and rect before it")]
    NoRun,
}

/// Why no address can be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The host is neither a name nor an address.
    #[error(transparent)]
    Host(#[from] lightbox_net::address::AddressError),
    /// No randomness for a ticket.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
