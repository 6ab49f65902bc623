use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

use super::{Fingerprint, TlsError};

/// What a peer's certificate says of it. The handshake has proved that the peer holds its key and, where an
/// authority was asked for, that the authority signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The name of its public key.
    pub fingerprint: Fingerprint,
    /// The DNS and URI names in the certificate, in its order, DNS first.
    pub names: Vec<String>,
    /// The certificate itself.
    pub certificate: CertificateDer<'static>,
}

impl Peer {
    /// Reads a peer's leaf certificate.
    ///
    /// # Errors
    /// [`TlsError`] if it is no X.509 certificate.
    pub fn new(certificate: CertificateDer<'static>, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let fingerprint = Fingerprint::of_certificate(&certificate, provider)?;
        let parsed = webpki::EndEntityCert::try_from(&certificate)
            .map_err(|_| rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding))?;
        let names = parsed.valid_dns_names().chain(parsed.valid_uri_names()).map(str::to_owned).collect();
        Ok(Self { fingerprint, names, certificate })
    }
}
