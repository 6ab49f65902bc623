//! Every number that two peers agree on, in tables that also name them in logs: SPEC.md, "Numbers".

/// A table of wire numbers: constants, and a function from number to name.
macro_rules! ids {
    ($(#[$doc:meta])* $module:ident { $($(#[$item:meta])* $name:ident = $value:expr,)* }) => {
        $(#[$doc])*
        pub mod $module {
            $($(#[$item])* pub const $name: u64 = $value;)*

            /// The number's name, for logs.
            pub fn name(id: u64) -> &'static str {
                match id {
                    $($value => stringify!($name),)*
                    _ => "unknown",
                }
            }
        }
    };
}

ids! {
    /// The first varint of every stream says what the stream carries.
    stream {
        /// Both ways, opened first and by the client: wire frames of [`super::control`].
        CONTROL = 0x01,
        /// Client to server, one a connection: wire frames of [`super::input`].
        INPUT = 0x02,
        /// Server to client, one a cursor shape.
        CURSOR = 0x04,
        /// Both ways, opened by either: wire frames of [`super::byte_stream`].
        BYTES = 0x05,
        /// Reserved: one a USB device and direction.
        USB = 0x10,
        /// Reserved: one a clipboard transfer.
        CLIPBOARD = 0x11,
        /// Reserved: loss-free audio (dictation).
        AUDIO = 0x12,
        /// Reserved: one a request on a share.
        FILES = 0x13,
        /// Reserved: the guest's agent, relayed.
        AGENT = 0x14,
        /// Reserved: terminal health and troubleshooting reports.
        REPORT = 0x15,
        /// Server to client, one a frame: this and the seven numbers after it, by what the frame's header has.
        FRAME = 0x20,
    }
}

ids! {
    /// The first varint of every datagram.
    datagram {
        /// Client to server: copies of unacknowledged input, and the pointer.
        INPUT = 0x01,
        /// Client to server: which frames were applied.
        FEEDBACK = 0x02,
        /// Server to client: renews the lease.
        HEARTBEAT = 0x03,
        /// Server to client: where the cursor is.
        CURSOR = 0x04,
        /// Reserved: audio, both ways.
        AUDIO = 0x05,
        /// Reserved: isochronous USB, both ways.
        USB = 0x06,
    }
}

ids! {
    /// Message types of the control stream.
    control {
        /// Client: versions, capabilities and admission.
        HELLO = 0x01,
        /// Client: digests of tiles that it shows.
        PROOF = 0x02,
        /// Client: a frame that could not be painted.
        NACK = 0x03,
        /// Client: the outputs it would like.
        WANT_LAYOUT = 0x04,
        /// Client: one digest over the digests of tiles that it shows.
        ROOT = 0x05,
        /// Server: admitted.
        WELCOME = 0x21,
        /// Server: a surface to keep.
        SURFACE = 0x22,
        /// Server: a surface to forget.
        SURFACE_GONE = 0x23,
        /// Server: which surface each output shows, and where.
        LAYOUT = 0x24,
        /// Server: what became of a proof.
        VERDICT = 0x25,
        /// Server: the lock keys as the guest has them.
        LEDS = 0x26,
        /// Server: a root says nothing; its tiles are to be proved one by one.
        SINGLY = 0x27,
        /// Either: why the connection ends.
        CLOSE = 0x3f,
    }
}

ids! {
    /// Message types of the input stream.
    input {
        /// One numbered action.
        EVENT = 0x01,
    }
}

ids! {
    /// Message types of a byte stream.
    byte_stream {
        /// The opener, first: a name, an urgency and credit.
        OPEN = 0x01,
        /// The other end, first: it takes the stream; credit.
        ACCEPT = 0x02,
        /// Bytes within the credit.
        DATA = 0x03,
        /// More credit.
        CREDIT = 0x04,
        /// No bytes follow in this direction.
        END = 0x05,
        /// The stream is over, or not taken.
        CLOSE = 0x06,
    }
}

ids! {
    /// Operations inside a frame.
    op {
        /// One colour over a rect.
        FILL = 0x01,
        /// A rect of the same surface, moved.
        COPY = 0x02,
        /// Coded samples of a rect.
        CODED = 0x03,
        /// Tiles put aside in slots.
        STORE = 0x04,
        /// Tiles out of slots.
        SHOW = 0x05,
        /// An access unit to decode.
        VIDEO = 0x06,
        /// Tiles of the picture that the frame's access unit gave.
        PICTURE = 0x07,
        /// A unit of the screen codec over many tiles.
        UPDATE = 0x08,
    }
}

ids! {
    /// Pixel formats.
    format {
        /// Blue, green, red, 0xFF.
        BGRX8 = 0x01,
        /// 8-bit gray.
        GRAY8 = 0x02,
        /// 9- to 16-bit gray.
        GRAY16 = 0x03,
        /// Ten bits each of blue, green and red in 32.
        BGRX10 = 0x04,
    }
}

ids! {
    /// Coders of rects, and of access units.
    codec {
        /// The still codec's coded rect: codec/SPEC-lossless.md.
        LOSSLESS = 0x01,
        /// A first pass over whole tiles: no sample is farther from the source's than the data says.
        FIRST = 0x02,
        /// The high bits of whole tiles, and as far as that the source's.
        HIGH = 0x03,
        /// The low bits of whole tiles whose high bits are there.
        LOW = 0x04,
        /// The still codec's coded rect, predicted from what the rect shows.
        INTER = 0x05,
        /// A source of what the rect shows scaled, and corrections.
        SCALED = 0x06,
        /// Access units of H.264.
        H264 = 0x10,
        /// Access units of HEVC.
        HEVC = 0x11,
        /// Temporal units of AV1.
        AV1 = 0x12,
    }
}

ids! {
    /// Capabilities in Hello and Welcome.
    capability {
        /// Codec ids, as varints.
        CODECS = 0x01,
        /// Pixel format ids, as varints.
        FORMATS = 0x02,
        /// The most pixels all surfaces together may have, as a varint.
        MAX_PIXELS = 0x03,
        /// Outputs the terminal has, as a layout.
        OUTPUTS = 0x04,
        /// The memory for tiles seen before, in cells, as a varint.
        SLOTS = 0x05,
        /// The byte streams that each side may have open, as a varint.
        STREAMS = 0x06,
        /// The registers for models of the screen codec, as a varint.
        MODELS = 0x07,
    }
}

ids! {
    /// Why a connection ends. The number is also QUIC's application error code.
    close {
        /// The person or the program ended it.
        DONE = 0x00,
        /// The ticket, certificate or resume proof does not admit.
        REFUSED = 0x01,
        /// No common protocol version.
        VERSION = 0x02,
        /// A malformed message.
        MALFORMED = 0x03,
        /// A well-formed message that is not allowed now.
        UNEXPECTED = 0x04,
        /// A limit was passed.
        LIMIT = 0x05,
        /// Another connection took the session over.
        REPLACED = 0x06,
        /// The peer fell silent.
        TIMEOUT = 0x07,
        /// The server goes away.
        SHUTDOWN = 0x08,
        /// The server has no room for another session.
        BUSY = 0x09,
    }
}
