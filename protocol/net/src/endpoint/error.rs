use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use quinn::ConnectionError;

use crate::tls::{Fingerprint, TlsError};

/// An endpoint that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The socket.
    #[error("cannot open UDP {at}: {source}")]
    Socket {
        /// What was to be bound.
        at: SocketAddr,
        /// Why it was not.
        source: io::Error,
    },
    /// The certificate, key or provider.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A connection that did not come to be. Every text is one line that says what to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name does not resolve.
    #[error("cannot find {host}: {source}; check the name, or use the server's IP address")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// No address of the host can be dialled from this machine.
    #[error("{host} has no address that this machine can reach: it may have no IPv6")]
    Unreachable {
        /// The host as in the address.
        host: String,
    },
    /// Nothing came back.
    #[error(
        "no answer from {to} within {} s: check that the server runs and that UDP to this port is let through",
        waited.as_secs_f32()
    )]
    Timeout {
        /// Host and port.
        to: String,
        /// How long it was waited.
        waited: Duration,
    },
    /// There is nothing to know the server by.
    #[error(
        "the address names no server key (the part behind #) and no authority is configured: \
         copy the whole address, or name the site's authority"
    )]
    NoTrust,
    /// Another key than the address names.
    #[error(
        "the server holds key {shown}, the address says {expected}: \
         ask for a new address, and if it stays so, someone is in between"
    )]
    WrongServer {
        /// The key in the address.
        expected: Fingerprint,
        /// The key the server showed.
        shown: Fingerprint,
    },
    /// The peer's certificate is not believed, or it does not believe ours.
    #[error("the certificate was refused: {0}")]
    Certificate(String),
    /// The peer is no Lightbox, or speaks another version of the protocol.
    #[error(
        "the other side does not speak {}: update the older of the two",
        String::from_utf8_lossy(crate::tls::ALPN)
    )]
    Version,
    /// The server takes no more.
    #[error("the server takes no more connections: try again later")]
    Busy,
    /// This endpoint was closed.
    #[error("this endpoint is closed")]
    Closed,
    /// Anything else QUIC may end with.
    #[error("the connection failed: {0}")]
    Quic(ConnectionError),
    /// The configuration does not work.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl From<ConnectionError> for ConnectError {
    fn from(error: ConnectionError) -> Self {
        let (code, reason) = match &error {
            ConnectionError::TransportError(it) => (u64::from(it.code), it.reason.clone()),
            ConnectionError::ConnectionClosed(it) => {
                (u64::from(it.error_code), String::from_utf8_lossy(&it.reason).into_owned())
            }
            ConnectionError::VersionMismatch => return Self::Version,
            ConnectionError::LocallyClosed => return Self::Closed,
            _ => return Self::Quic(error),
        };
        match code {
            CONNECTION_REFUSED => Self::Busy,
            NO_APPLICATION_PROTOCOL => Self::Version,
            BAD_CERTIFICATE..=ACCESS_DENIED | DECRYPT_ERROR | CERTIFICATE_REQUIRED => {
                Self::Certificate(if reason.is_empty() { "it gave no reason".to_owned() } else { reason })
            }
            _ => Self::Quic(error),
        }
    }
}

/// RFC 9000 section 20.1; TLS alerts (RFC 8446 section 6) follow at 0x100.
const CONNECTION_REFUSED: u64 = 0x2;
/// The first of a row of complaints about certificates that ends with `ACCESS_DENIED`.
const BAD_CERTIFICATE: u64 = 0x100 + 42;
const ACCESS_DENIED: u64 = 0x100 + 49;
/// Also said of a signature that does not fit.
const DECRYPT_ERROR: u64 = 0x100 + 51;
const CERTIFICATE_REQUIRED: u64 = 0x100 + 116;
const NO_APPLICATION_PROTOCOL: u64 = 0x100 + 120;
