//! Why bytes are not a coded rect.

/// Why bytes are not a coded rect of the given size and format. The target may be partly painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before the rect does.
    #[error("coded rect is cut short, ask for the rect again")]
    Truncated,
    /// Bytes follow the end of the rect.
    #[error("{extra} bytes follow the coded rect, check its length")]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// The first byte names no method of this version.
    #[error("coded rect method {0} is unknown, ask for a plain rect")]
    UnknownMethod(u8),
    /// The method exists, but not for this pixel format.
    #[error("coded rect method {0} does not carry this pixel format, ask for a plain rect")]
    WrongFormat(u8),
    /// A field holds a value that no encoder writes.
    #[error("coded rect holds an impossible {0}, ask for the rect again")]
    Corrupt(&'static str),
    /// A rect of a batch is empty or sticks out of the image.
    #[error("a rect of the batch lies outside its surface, check the rects")]
    Outside,
}
