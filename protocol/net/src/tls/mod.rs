//! Who is at the other end, and that nobody listens: TLS 1.3, ALPN [`ALPN`], no 0-RTT, no TLS tickets.
//!
//! A client believes a server either because the address it was given names the server's key
//! ([`Trust::Pinned`]) or because an authority of the site signed the server's certificate ([`Trust::Roots`]).
//! A client may show a certificate of its own; what that permits is for the session to decide.
//!
//! All cryptography comes from the [`CryptoProvider`] that is passed in. Nothing here reads or installs a
//! process-wide default, so a host that uses rustls itself keeps its own.

mod fingerprint;
#[cfg(feature = "ring")]
mod hybrid;
mod identity;
mod peer;
mod trust;

use std::sync::Arc;

/// All cryptography of an endpoint, as one value.
pub use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

pub use fingerprint::{Fingerprint, FingerprintError};
pub use identity::{Identity, IdentityError};
pub use peer::Peer;
/// Certificates of those who vouch for others.
pub use rustls::RootCertStore as Authorities;
pub use trust::{Trust, roots_from_pem};

pub(crate) use trust::{Pin, verifier};

/// The protocol's name and version in the handshake. A peer that speaks another is refused by TLS itself.
pub const ALPN: &[u8] = b"lightbox/1";

/// A TLS configuration that cannot be built. None of these depends on the peer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The crypto provider lacks something the protocol stands on.
    #[error("the crypto provider does not offer {0}: use one that does")]
    Provider(&'static str),
    /// A file of trusted authorities holds no usable certificate.
    #[error(
        "no usable certificate among the trusted authorities: give the text of a PEM file (not its path) with at least one"
    )]
    NoRoots,
    /// rustls refuses the combination of certificate, key and provider.
    #[error("the certificate or key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The built-in provider: aws-lc-rs, or ring where only that feature is on. Either prefers the hybrid post-quantum group
/// X25519MLKEM768.
#[cfg(any(feature = "aws-lc", feature = "ring"))]
pub fn provider() -> Arc<CryptoProvider> {
    #[cfg(feature = "aws-lc")]
    return Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(not(feature = "aws-lc"))]
    ring_provider()
}

/// ring's cryptography, with X25519MLKEM768 made of its X25519 and of ML-KEM in Rust.
#[cfg(feature = "ring")]
pub fn ring_provider() -> Arc<CryptoProvider> {
    Arc::new(hybrid::provider())
}

/// Fills `into` with unpredictable bytes: tickets, nonces.
///
/// # Errors
/// [`TlsError::Provider`] if the provider's source of randomness fails.
pub fn random(provider: &CryptoProvider, into: &mut [u8]) -> Result<(), TlsError> {
    provider.secure_random.fill(into).map_err(|_| TlsError::Provider("randomness"))
}

/// The server's side: shows `identity`; asks for a client certificate when `client_authorities` is given, and
/// takes a client without one all the same, but never a client with a wrong one.
///
/// # Errors
/// [`TlsError`] if the parts do not fit together.
pub fn server(
    provider: Arc<CryptoProvider>,
    identity: &Identity,
    client_authorities: Option<RootCertStore>,
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let builder = match client_authorities {
        None => builder.with_no_client_auth(),
        Some(roots) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|_| TlsError::NoRoots)?,
        ),
    };
    let mut config = builder.with_single_cert(identity.chain().to_vec(), identity.key())?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A session resumes by its own proof over the exporter. TLS tickets would be a second, weaker way in.
    config.max_early_data_size = 0;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(config)
}

/// The client's side: believes servers by `trust` and shows `identity` to a server that asks.
///
/// # Errors
/// [`TlsError`] if the parts do not fit together.
pub fn client(
    provider: Arc<CryptoProvider>,
    trust: &Trust,
    identity: Option<&Identity>,
) -> Result<ClientConfig, TlsError> {
    client_with(provider.clone(), trust::verifier(provider, trust)?, identity)
}

/// As [`client`], with the verifier already made.
pub(crate) fn client_with(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn rustls::client::danger::ServerCertVerifier>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_auth_cert(identity.chain().to_vec(), identity.key())?,
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_early_data = false;
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}
