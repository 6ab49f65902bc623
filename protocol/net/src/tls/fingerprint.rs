use std::fmt;
use std::str::FromStr;

use rustls::crypto::CryptoProvider;
use rustls::crypto::hash::HashAlgorithm;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

use super::TlsError;
use crate::base32;

/// The name of a public key: the first 130 bits of the SHA-256 of its SubjectPublicKeyInfo, 26 characters.
///
/// It names the key and not the certificate, so a renewed certificate over the same key keeps old addresses good.
/// 130 bits of second-preimage resistance is what an attacker has to beat.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// INVARIANT: the last six bits are zero.
    bits: [u8; BYTES],
}

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is {} characters of A-Z and 2-7: copy the whole address again", Fingerprint::CHARS)]
pub struct FingerprintError;

impl Fingerprint {
    /// Length of the text form.
    pub const CHARS: usize = 26;

    /// The fingerprint of a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`TlsError::Provider`] if the provider has no SHA-256.
    pub fn of_public_key(spki: &[u8], provider: &CryptoProvider) -> Result<Self, TlsError> {
        let sha256 = provider
            .cipher_suites
            .iter()
            .filter_map(|suite| suite.tls13())
            .map(|suite| suite.common.hash_provider)
            .find(|hash| hash.algorithm() == HashAlgorithm::SHA256)
            .ok_or(TlsError::Provider("SHA-256"))?;
        let digest = sha256.hash(spki);
        let mut bits = [0; BYTES];
        bits.copy_from_slice(digest.as_ref().get(..BYTES).ok_or(TlsError::Provider("a whole SHA-256"))?);
        bits[BYTES - 1] &= 0b1100_0000;
        Ok(Self { bits })
    }

    /// The fingerprint of the key in a certificate.
    ///
    /// # Errors
    /// [`TlsError::Rustls`] if it is no X.509 certificate, [`TlsError::Provider`] as above.
    pub fn of_certificate(
        certificate: &CertificateDer<'_>,
        provider: &CryptoProvider,
    ) -> Result<Self, TlsError> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        Self::of_public_key(&parsed.subject_public_key_info(), provider)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.bits, Self::CHARS))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Takes either case.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        base32::decode(text, Self::CHARS).map(|bits| Self { bits }).ok_or(FingerprintError)
    }
}

const BYTES: usize = (Fingerprint::CHARS * 5).div_ceil(8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_front_of_sha_256_in_base32() {
        // SHA-256("abc") = ba7816bf 8f01cfea 414140de 5dae2223 b0..., FIPS 180-2 appendix B.1.
        let it = Fingerprint::of_public_key(b"abc", &crate::tls::provider()).unwrap();
        assert_eq!(it.to_string(), "XJ4BNP4PAHH6UQKBIDPF3LRCEO");
        assert_eq!("xj4bnp4pahh6uqkbidpf3lrceo".parse(), Ok(it));
        assert_eq!("XJ4BNP4PAHH6UQKBIDPF3LRCE".parse::<Fingerprint>(), Err(FingerprintError));
    }
}
