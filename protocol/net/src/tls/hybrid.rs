//! X25519MLKEM768 for a provider that has no ML-KEM: ring's X25519 beside ML-KEM-768 in Rust, as
//! draft-ietf-tls-ecdhe-mlkem puts them together. Shares and secrets are concatenated, ML-KEM's part first.
//!
//! Whoever records a session today reads it on the day when either of the two is broken only if the other is as well.

use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::ml_kem_768::{DecapsulationKey, EncapsulationKey};
use ml_kem::{B32, Seed};
use rustls::crypto::ring::{default_provider, kx_group};
use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, CryptoProvider, SharedSecret, SupportedKxGroup,
};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};

/// ring's provider, which prefers the hybrid group and takes the others as well.
pub(super) fn provider() -> CryptoProvider {
    let mut provider = default_provider();
    provider.kx_groups.insert(0, &X25519MlKem768);
    provider
}

/// The group.
#[derive(Debug)]
struct X25519MlKem768;

impl SupportedKxGroup for X25519MlKem768 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let classical = kx_group::X25519.start()?;
        let mut seed = Seed::default();
        fill(&mut seed)?;
        let post_quantum = DecapsulationKey::from_seed(seed);
        let share = [&post_quantum.encapsulation_key().to_bytes()[..], classical.pub_key()].concat();
        Ok(Box::new(Started { classical, post_quantum, share }))
    }

    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let (key, point) = client_share.split_at_checked(KEY).ok_or(INVALID)?;
        let key = key.try_into().ok().and_then(|key| EncapsulationKey::new(key).ok()).ok_or(INVALID)?;
        let classical = kx_group::X25519.start_and_complete(point)?;
        let mut message = B32::default();
        fill(&mut message)?;
        let (ciphertext, secret) = key.encapsulate_deterministic(&message);
        Ok(CompletedKeyExchange {
            group: self.name(),
            pub_key: [&ciphertext[..], &classical.pub_key].concat(),
            secret: both(&secret, &classical.secret),
        })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// A client that waits for the server's share.
struct Started {
    classical: Box<dyn ActiveKeyExchange>,
    post_quantum: DecapsulationKey,
    share: Vec<u8>,
}

impl ActiveKeyExchange for Started {
    fn complete(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, point) = server_share.split_at_checked(CIPHERTEXT).ok_or(INVALID)?;
        let classical = self.classical.complete(point)?;
        let secret = self.post_quantum.decapsulate_slice(ciphertext).map_err(|_| INVALID)?;
        Ok(both(&secret, &classical))
    }

    /// Servers without ML-KEM take this part of the share, and no round trip is lost.
    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.classical.group(), self.classical.pub_key()))
    }

    fn complete_hybrid_component(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        self.classical.complete(server_share)
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

fn both(post_quantum: &[u8], classical: &SharedSecret) -> SharedSecret {
    [post_quantum, classical.secret_bytes()].concat().into()
}

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    default_provider().secure_random.fill(bytes).map_err(|_| Error::FailedToGetRandomBytes)
}

/// Bytes of an ML-KEM-768 encapsulation key and of a ciphertext (FIPS 203, table 3). What follows either is judged by
/// X25519.
const KEY: usize = 1184;
const CIPHERTEXT: usize = 1088;

const INVALID: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);

/// What the other library makes of it: real handshakes, each the client once.
#[cfg(all(test, feature = "aws-lc"))]
mod tests {
    use std::sync::Arc;

    use rustls::{ClientConnection, ServerConnection};

    use super::*;
    use crate::tls::{self, Identity, Trust};

    fn agreed(client: CryptoProvider, server: CryptoProvider) -> (Option<NamedGroup>, [u8; 32], [u8; 32]) {
        let (client, server) = (Arc::new(client), Arc::new(server));
        let identity = Identity::self_signed(&["lightbox"], &server).unwrap();
        let to = tls::server(server, &identity, None).unwrap();
        let from = tls::client(client, &Trust::Pinned(identity.fingerprint()), None).unwrap();
        let mut to = ServerConnection::new(Arc::new(to)).unwrap();
        let mut from = ClientConnection::new(Arc::new(from), "lightbox".try_into().unwrap()).unwrap();
        while from.is_handshaking() || to.is_handshaking() {
            let mut wire = Vec::new();
            from.write_tls(&mut wire).unwrap();
            to.read_tls(&mut &wire[..]).unwrap();
            to.process_new_packets().unwrap();
            wire.clear();
            to.write_tls(&mut wire).unwrap();
            from.read_tls(&mut &wire[..]).unwrap();
            from.process_new_packets().unwrap();
        }
        let group = from.negotiated_key_exchange_group().map(|group| group.name());
        let ours = from.export_keying_material([0; 32], b"lightbox", None).unwrap();
        let theirs = to.export_keying_material([0; 32], b"lightbox", None).unwrap();
        (group, ours, theirs)
    }

    #[test]
    fn it_agrees_with_aws_lc_in_both_directions() {
        let aws_lc = rustls::crypto::aws_lc_rs::default_provider;
        for (client, server) in [(provider(), aws_lc()), (aws_lc(), provider()), (provider(), provider())] {
            let (group, ours, theirs) = agreed(client, server);
            assert_eq!(group, Some(NamedGroup::X25519MLKEM768));
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn a_server_without_ml_kem_takes_the_classical_half() {
        let (group, ours, theirs) = agreed(provider(), default_provider());
        assert_eq!((group, ours), (Some(NamedGroup::X25519), theirs));
    }

    #[test]
    fn shares_of_other_lengths_and_bad_keys_are_refused() {
        for len in [0, 31, KEY - 1, KEY, KEY + 31, KEY + 33] {
            assert!(X25519MlKem768.start_and_complete(&vec![0; len]).is_err(), "{len}");
            assert!(X25519MlKem768.start().unwrap().complete(&vec![0; len]).is_err(), "{len}");
        }
        // Coefficients that are not below the modulus.
        assert!(X25519MlKem768.start_and_complete(&[0xFF; KEY + 32]).is_err());
    }
}
