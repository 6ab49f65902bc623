use std::fmt;
use std::io::Write;
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Fingerprint, TlsError};
use crate::os;

/// A certificate chain and its private key: what a server shows always and a client when asked.
///
/// Without a certificate from the site's authority a server makes its own once with [`Identity::self_signed`],
/// keeps it with [`Identity::save`], and is known to its clients by its [`Fingerprint`].
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    fingerprint: Fingerprint,
    /// INVARIANT: `from_pem` of this text is this identity.
    pem: String,
}

/// A certificate and key that cannot be read, made or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The PEM text has no certificate.
    #[error("no certificate found: the text needs a BEGIN CERTIFICATE block, the server's own first")]
    NoCertificate,
    /// The PEM text has no private key.
    #[error("no private key found: the text needs a BEGIN PRIVATE KEY block")]
    NoKey,
    /// A block of the PEM text is damaged.
    #[error("the PEM text is damaged: {0}")]
    Pem(rustls::pki_types::pem::Error),
    /// The certificate or the key is unusable, or they are not each other's.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A name cannot stand in a certificate.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The file cannot be read or written.
    #[error("cannot access the identity file: {0}")]
    Io(#[from] std::io::Error),
}

impl Identity {
    /// A new ECDSA P-256 key with a certificate it signed itself, for the given host names and IP addresses.
    ///
    /// # Errors
    /// [`IdentityError::Make`] if a name is no host name.
    pub fn self_signed(names: &[&str], provider: &CryptoProvider) -> Result<Self, IdentityError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Lightbox");
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?;
        Self::from_pem(&format!("{}{}", certificate.pem(), key.serialize_pem()), provider)
    }

    /// As [`Identity::self_signed`], but its certificate and its signatures have the same length every time, so
    /// that a simulated handshake takes the same packets.
    #[cfg(feature = "lab")]
    pub(crate) fn for_lab(provider: &CryptoProvider) -> Result<Self, IdentityError> {
        let mut params = CertificateParams::new(vec!["lab".to_owned()])?;
        params.serial_number = Some(1u64.into());
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519)?;
        let certificate = params.self_signed(&key)?;
        Self::from_pem(&format!("{}{}", certificate.pem(), key.serialize_pem()), provider)
    }

    /// Reads a certificate chain, leaf first, and a PKCS#8, SEC1 or PKCS#1 private key from one PEM text, in
    /// either order. For two files, join their contents.
    ///
    /// # Errors
    /// [`IdentityError`]: also if the key is not the leaf's.
    pub fn from_pem(pem: &str, provider: &CryptoProvider) -> Result<Self, IdentityError> {
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(IdentityError::Pem)?;
        let leaf = chain.first().ok_or(IdentityError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|e| match e {
            rustls::pki_types::pem::Error::NoItemsFound => IdentityError::NoKey,
            e => IdentityError::Pem(e),
        })?;
        let fingerprint = Fingerprint::of_certificate(leaf, provider)?;
        rustls::sign::CertifiedKey::from_der(chain.clone(), key.clone_key(), provider)
            .map_err(TlsError::from)?
            .keys_match()
            .map_err(TlsError::from)?;
        Ok(Self { chain, key, fingerprint, pem: pem.to_owned() })
    }

    /// The PEM text: certificates, then the private key. It is a secret.
    pub fn to_pem(&self) -> &str {
        &self.pem
    }

    /// Reads what [`Identity::save`] wrote, or any file that [`Identity::from_pem`] takes.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn load(path: &Path, provider: &CryptoProvider) -> Result<Self, IdentityError> {
        Self::from_pem(&std::fs::read_to_string(path)?, provider)
    }

    /// Writes the PEM text to a new file that only its owner may read.
    ///
    /// # Errors
    /// [`IdentityError::Io`]; a file that exists already is an error and stays as it is.
    pub fn save(&self, path: &Path) -> Result<(), IdentityError> {
        let mut file = os::new_private_file(path)?;
        file.write_all(self.pem.as_bytes())?;
        file.sync_all()?;
        Ok(())
    }

    /// The name of the public key: what goes behind the `#` of an address.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The certificates, leaf first. Never empty.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }
}

impl fmt::Debug for Identity {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}
