//! What the TLS configurations agree on, two rustls ends joined in memory.

use std::sync::Arc;

use lightbox_net::tls::{self, Identity, IdentityError, Trust};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConnection, NamedGroup, ProtocolVersion, ServerConnection};

/// Runs the handshake to its end, or to the client's complaint.
fn handshake(
    client: rustls::ClientConfig,
    server: rustls::ServerConfig,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    let mut client = ClientConnection::new(Arc::new(client), "localhost".try_into().unwrap())?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    while client.is_handshaking() || server.is_handshaking() || client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok((client, server))
}

fn identity(provider: &CryptoProvider) -> Identity {
    Identity::self_signed(&["localhost"], provider).unwrap()
}

#[test]
fn prefers_the_hybrid_post_quantum_group() {
    let provider = tls::provider();
    let identity = identity(&provider);
    let trust = Trust::Pinned(identity.fingerprint());
    let client = tls::client(provider.clone(), &trust, None).unwrap();
    let server = tls::server(provider, &identity, None).unwrap();
    let (client, server) = handshake(client, server).unwrap();
    assert_eq!(client.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519MLKEM768);
    assert_eq!(client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(server.alpn_protocol(), Some(tls::ALPN));
}

#[test]
fn uses_the_provider_it_is_given() {
    let mut classic = (*tls::provider()).clone();
    classic.kx_groups.retain(|group| group.name() == NamedGroup::X25519);
    let classic = Arc::new(classic);
    let identity = identity(&classic);
    let trust = Trust::Pinned(identity.fingerprint());
    let client = tls::client(classic, &trust, None).unwrap();
    let server = tls::server(tls::provider(), &identity, None).unwrap();
    let (client, _) = handshake(client, server).unwrap();
    assert_eq!(client.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519);
    assert!(CryptoProvider::get_default().is_none(), "the process default is the host's own");
}

#[test]
fn gives_neither_early_data_nor_tickets() {
    let provider = tls::provider();
    let identity = identity(&provider);
    let trust = Trust::Pinned(identity.fingerprint());
    let client = tls::client(provider.clone(), &trust, None).unwrap();
    let server = tls::server(provider, &identity, None).unwrap();
    assert!(!client.enable_early_data);
    assert_eq!((server.max_early_data_size, server.send_tls13_tickets), (0, 0));
    let (mut client, mut server) = handshake(client, server).unwrap();
    assert!(client.early_data().is_none() && server.early_data().is_none());
    assert_eq!(client.tls13_tickets_received(), 0);
}

#[test]
fn a_pin_wants_the_key_and_not_only_its_certificate() {
    let provider = tls::provider();
    let (honest, thief) = (identity(&provider), identity(&provider));
    let trust = Trust::Pinned(honest.fingerprint());
    let client = || tls::client(provider.clone(), &trust, None).unwrap();

    let wrong_key = tls::server(provider.clone(), &thief, None).unwrap();
    assert!(matches!(handshake(client(), wrong_key), Err(rustls::Error::InvalidCertificate(_))));

    #[derive(Debug)]
    struct Mismatched(Arc<rustls::sign::CertifiedKey>);
    impl rustls::server::ResolvesServerCert for Mismatched {
        fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
            Some(self.0.clone())
        }
    }
    let stolen = rustls::pki_types::pem::PemObject::from_pem_slice(thief.to_pem().as_bytes()).unwrap();
    let key = provider.key_provider.load_private_key(stolen).unwrap();
    let both = rustls::sign::CertifiedKey::new(honest.chain().to_vec(), key);
    let mut copied = tls::server(provider.clone(), &honest, None).unwrap();
    copied.cert_resolver = Arc::new(Mismatched(Arc::new(both)));
    assert!(handshake(client(), copied).is_err());
}

#[test]
fn an_identity_survives_its_file_and_is_not_overwritten() {
    let provider = tls::provider();
    let identity = identity(&provider);
    let folder = std::env::temp_dir().join(format!("lightbox-identity-{}", identity.fingerprint()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("identity.pem");
    identity.save(&path).unwrap();
    assert_eq!(Identity::load(&path, &provider).unwrap().fingerprint(), identity.fingerprint());
    assert!(matches!(identity.save(&path), Err(IdentityError::Io(_))));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn says_what_a_pem_text_lacks() {
    let provider = tls::provider();
    let (one, other) = (identity(&provider), identity(&provider));
    let at = one.to_pem().find("-----BEGIN PRIVATE KEY").unwrap();
    let (certificate, key) = one.to_pem().split_at(at);
    assert!(matches!(Identity::from_pem(key, &provider), Err(IdentityError::NoCertificate)));
    assert!(matches!(Identity::from_pem(certificate, &provider), Err(IdentityError::NoKey)));
    let at = other.to_pem().find("-----BEGIN PRIVATE KEY").unwrap();
    let mixed = format!("{certificate}{}", &other.to_pem()[at..]);
    assert!(matches!(Identity::from_pem(&mixed, &provider), Err(IdentityError::Tls(_))));
    assert!(tls::roots_from_pem("no certificate here").is_err());
}
