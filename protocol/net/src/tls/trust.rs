use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::{Fingerprint, TlsError};

/// Why a client believes a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Trust {
    /// The server must hold this key. Names, dates and issuers in its certificate mean nothing.
    Pinned(Fingerprint),
    /// The server's certificate must be valid now, for the name that was dialled, and signed by one of these.
    Roots(Arc<RootCertStore>),
}

/// The authorities in a PEM text.
///
/// # Errors
/// [`TlsError::NoRoots`] if there is none, [`TlsError::Rustls`] if one of them is no authority's certificate.
pub fn roots_from_pem(pem: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(|_| TlsError::NoRoots)?)?;
    }
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

pub(crate) fn verifier(
    provider: Arc<CryptoProvider>,
    trust: &Trust,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    Ok(match trust {
        Trust::Pinned(expected) => Arc::new(Pin::new(*expected, provider)),
        Trust::Roots(roots) => WebPkiServerVerifier::builder_with_provider(roots.clone(), provider)
            .build()
            .map_err(|_| TlsError::NoRoots)?,
    })
}

/// Takes a server that holds one particular key, and remembers which key another one showed.
#[derive(Debug)]
pub(crate) struct Pin {
    expected: Fingerprint,
    provider: Arc<CryptoProvider>,
    refused: OnceLock<Fingerprint>,
}

impl Pin {
    pub(crate) fn new(expected: Fingerprint, provider: Arc<CryptoProvider>) -> Self {
        Self { expected, provider, refused: OnceLock::new() }
    }

    /// The expected key, and the first one shown that was another.
    pub(crate) fn mismatch(&self) -> Option<(Fingerprint, Fingerprint)> {
        self.refused.get().map(|&shown| (self.expected, shown))
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Fingerprint::of_certificate(end_entity, &self.provider)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if shown == self.expected {
            return Ok(ServerCertVerified::assertion());
        }
        let _ = self.refused.set(shown);
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    /// Never reached: the configuration offers TLS 1.3 only.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(rustls::PeerIncompatible::Tls12NotOffered))
    }

    /// The proof that the server holds the key and not only a copy of the certificate.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
