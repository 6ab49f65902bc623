use std::net::SocketAddr;

use lightbox_protocol::rate::Estimate;
use quinn::VarInt;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

use super::transport::{BIDI_STREAMS, CLIENT_UNI_STREAMS};
use super::{ConnectError, Settings};
use crate::congestion::Estimates;
use crate::runtime::Runtime;
use crate::tls::{Peer, TlsError};

/// Which side of a connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Has the pixels.
    Server,
    /// Has the person.
    Client,
}

/// An established connection: the handshake is over, both keys are proved. Clones are the same connection.
#[derive(Clone, Debug)]
pub struct Connection {
    quic: quinn::Connection,
    role: Role,
    peer: Option<Peer>,
    binding: [u8; 32],
    estimates: Estimates,
    receive_window: u32,
    runtime: Runtime,
}

impl Connection {
    pub(super) fn new(
        quic: quinn::Connection,
        role: Role,
        estimates: Estimates,
        settings: &Settings,
        provider: &CryptoProvider,
        runtime: &Runtime,
    ) -> Result<Self, ConnectError> {
        let peer = match quic.peer_identity().map(|it| it.downcast::<Vec<CertificateDer<'static>>>()) {
            Some(Ok(chain)) => chain.into_iter().next().map(|leaf| Peer::new(leaf, provider)).transpose()?,
            _ => None,
        };
        let mut binding = [0; 32];
        quic.export_keying_material(&mut binding, BINDING_LABEL, &[])
            .map_err(|_| TlsError::Provider("keying material export"))?;
        let (receive_window, runtime) = (settings.receive_window, runtime.clone());
        Ok(Self { quic, role, peer, binding, estimates, receive_window, runtime })
    }

    /// The QUIC connection: streams, datagrams, closing.
    pub fn quic(&self) -> &quinn::Connection {
        &self.quic
    }

    /// Where its futures run.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The peer's certificate. A server always has one; a client that showed none is `None`.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    /// 32 bytes that only the two ends of this connection know: sign them, and the signature is worth nothing on
    /// any other connection (TLS exporter, RFC 8446 section 7.5, label `EXPORTER-lightbox-binding`).
    pub fn binding(&self) -> &[u8; 32] {
        &self.binding
    }

    /// What the congestion controller knows now.
    pub fn estimate(&self) -> Estimate {
        self.estimates.latest()
    }

    /// Where the peer is now; it may move.
    pub fn remote_address(&self) -> SocketAddr {
        // An IPv4 peer of a dual-stack socket has an IPv6 address that hides it.
        let at = self.quic.remote_address();
        SocketAddr::new(at.ip().to_canonical(), at.port())
    }

    /// Lets the client use more than a hello needs: streams of its own and the full receive window. Does nothing
    /// on a client.
    pub fn admit(&self) {
        if self.role == Role::Server {
            self.quic.set_receive_window(VarInt::from_u32(self.receive_window.max(64 << 10)));
            self.quic.set_max_concurrent_bi_streams(VarInt::from_u32(BIDI_STREAMS));
            self.quic.set_max_concurrent_uni_streams(VarInt::from_u32(CLIENT_UNI_STREAMS));
        }
    }
}

const BINDING_LABEL: &[u8] = b"EXPORTER-lightbox-binding";
