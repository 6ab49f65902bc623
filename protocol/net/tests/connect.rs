//! Real QUIC on the loopback interface: who gets in, who does not, and what they are told.

use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use lightbox_net::address::{Address, Host, Ticket};
use lightbox_net::endpoint::{Client, ClientConfig, ConnectError, Connection, Server, ServerConfig};
use lightbox_net::tls::{self, Fingerprint, Identity};

fn self_signed() -> Arc<Identity> {
    Arc::new(Identity::self_signed(&["localhost"], &tls::provider()).unwrap())
}

fn server_config(identity: Arc<Identity>) -> ServerConfig {
    ServerConfig::new("127.0.0.1:0".parse().unwrap(), tls::provider(), identity)
}

fn address(server: &Server, fingerprint: Option<Fingerprint>) -> Address {
    let at = server.local_addr().unwrap();
    Address { host: Host::Ip(at.ip()), port: at.port(), ticket: None, fingerprint }
}

async fn both(
    server: &Server,
    client: &Client,
    address: &Address,
) -> (Result<Connection, ConnectError>, Result<Connection, ConnectError>) {
    tokio::join!(async { server.accept().await.unwrap().establish().await }, client.connect(address))
}

/// An authority and a certificate of its own for `name`, as PEM.
fn signed(name: &str) -> (String, Identity) {
    let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf =
        rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let pem = format!("{}{}", key.serialize_pem(), leaf.pem());
    (authority, Identity::from_pem(&pem, &tls::provider()).unwrap())
}

#[tokio::test]
async fn the_key_in_the_address_lets_a_client_in() {
    let identity = self_signed();
    let server = Server::open(server_config(identity.clone())).unwrap();
    let client = Client::open(ClientConfig::new(tls::provider())).unwrap();
    let mut address = address(&server, Some(identity.fingerprint()));
    address.ticket = Some(Ticket::from_entropy([7; Ticket::BYTES]));
    let (ours, theirs) = both(&server, &client, &address.to_string().parse().unwrap()).await;
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    assert_eq!(theirs.peer().unwrap().fingerprint, identity.fingerprint());
    assert_eq!(theirs.peer().unwrap().names, ["localhost"]);
    assert!(ours.peer().is_none());
    assert_eq!(ours.binding(), theirs.binding());
    assert_ne!(ours.binding(), &[0; 32]);
    let (again, _) = both(&server, &client, &address).await;
    assert_ne!(again.unwrap().binding(), ours.binding());
}

#[tokio::test]
async fn another_key_is_refused_and_named() {
    let identity = self_signed();
    let server = Server::open(server_config(identity.clone())).unwrap();
    let client = Client::open(ClientConfig::new(tls::provider())).unwrap();
    let expected = self_signed().fingerprint();
    let (ours, theirs) = both(&server, &client, &address(&server, Some(expected))).await;
    assert!(matches!(ours, Err(ConnectError::Certificate(_))), "{ours:?}");
    let shown = identity.fingerprint();
    assert!(
        matches!(theirs, Err(ConnectError::WrongServer { expected: e, shown: s }) if e == expected && s == shown)
    );
}

#[tokio::test]
async fn an_authority_vouches_for_the_name_that_was_dialled() {
    let (authority, identity) = signed("localhost");
    let server = Server::open(server_config(Arc::new(identity))).unwrap();
    let mut config = ClientConfig::new(tls::provider());
    let by_ip = address(&server, None);
    let by_name = Address { host: "localhost".parse().unwrap(), ..by_ip.clone() };

    let client = Client::open(config.clone()).unwrap();
    assert!(matches!(client.connect(&by_name).await, Err(ConnectError::NoTrust)));

    config.authorities = Some(Arc::new(tls::roots_from_pem(&authority).unwrap()));
    let client = Client::open(config.clone()).unwrap();
    let (ours, theirs) = both(&server, &client, &by_name).await;
    ours.unwrap();
    theirs.unwrap();
    let (_, theirs) = both(&server, &client, &by_ip).await;
    assert!(matches!(theirs, Err(ConnectError::Certificate(_))), "{theirs:?}");

    config.authorities = Some(Arc::new(tls::roots_from_pem(&signed("localhost").0).unwrap()));
    let client = Client::open(config).unwrap();
    let (_, theirs) = both(&server, &client, &by_name).await;
    assert!(matches!(theirs, Err(ConnectError::Certificate(_))), "{theirs:?}");
}

#[tokio::test]
async fn the_server_sees_the_clients_certificate() {
    let (authority, terminal) = signed("terminal-12.ward.example");
    let fingerprint = terminal.fingerprint();
    let identity = self_signed();
    let mut config = server_config(identity.clone());
    config.client_authorities = Some(Arc::new(tls::roots_from_pem(&authority).unwrap()));
    let server = Server::open(config).unwrap();
    let address = address(&server, Some(identity.fingerprint()));
    let mut config = ClientConfig::new(tls::provider());

    let (ours, _) = both(&server, &Client::open(config.clone()).unwrap(), &address).await;
    assert!(ours.unwrap().peer().is_none(), "a client may have no certificate");

    config.identity = Some(Arc::new(terminal));
    let (ours, _) = both(&server, &Client::open(config.clone()).unwrap(), &address).await;
    let peer = ours.unwrap().peer().unwrap().clone();
    assert_eq!((peer.fingerprint, peer.names), (fingerprint, vec!["terminal-12.ward.example".to_owned()]));

    config.identity = Some(self_signed());
    let (ours, _) = both(&server, &Client::open(config).unwrap(), &address).await;
    assert!(ours.is_err(), "but not a wrong one");
}

#[tokio::test]
async fn a_server_reaches_its_limits_and_says_so() {
    let identity = self_signed();
    let mut config = server_config(identity.clone());
    // Every client must prove its address, and one is all there is room for.
    (config.validate_from, config.max_connections) = (0, 1);
    let server = Server::open(config).unwrap();
    let client = Client::open(ClientConfig::new(tls::provider())).unwrap();
    let address = address(&server, Some(identity.fingerprint()));
    let (ours, theirs) = both(&server, &client, &address).await;
    let (_ours, _theirs) = (ours.unwrap(), theirs.unwrap());
    let refused = tokio::select! {
        refused = client.connect(&address) => refused,
        _ = server.accept() => panic!("nobody else is let in"),
    };
    assert!(matches!(refused, Err(ConnectError::Busy)), "{refused:?}");
}

#[tokio::test]
async fn a_stranger_gets_one_stream_until_admitted() {
    let identity = self_signed();
    let server = Server::open(server_config(identity.clone())).unwrap();
    let client = Client::open(ClientConfig::new(tls::provider())).unwrap();
    let (ours, theirs) = both(&server, &client, &address(&server, Some(identity.fingerprint()))).await;
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    let _control = theirs.quic().open_bi().await.unwrap();
    let mut second = std::pin::pin!(theirs.quic().open_bi());
    let mut uni = std::pin::pin!(theirs.quic().open_uni());
    let blocked = std::future::poll_fn(|context| {
        let blocked = second.as_mut().poll(context).is_pending() && uni.as_mut().poll(context).is_pending();
        std::task::Poll::Ready(blocked)
    });
    assert!(blocked.await);
    ours.admit();
    second.await.unwrap();
    uni.await.unwrap();
}

#[tokio::test]
async fn an_ipv6_server_takes_ipv4_and_a_client_moves() {
    let identity = self_signed();
    let mut config = server_config(identity.clone());
    config.listen = (Ipv6Addr::UNSPECIFIED, 0).into();
    let Ok(server) = Server::open(config) else { return };
    let client = Client::open(ClientConfig::new(tls::provider())).unwrap();
    let mut address = address(&server, Some(identity.fingerprint()));
    address.host = "127.0.0.1".parse().unwrap();
    let (ours, theirs) = both(&server, &client, &address).await;
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    let before = ours.remote_address();
    assert!(before.is_ipv4());

    client.rebind().unwrap();
    theirs.quic().send_datagram(bytes::Bytes::from_static(b"still here")).unwrap();
    assert_eq!(ours.quic().read_datagram().await.unwrap(), "still here");
    assert_ne!(ours.remote_address(), before);
}

#[tokio::test]
async fn silence_ends_in_one_clear_line() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let SocketAddr::V4(at) = silent.local_addr().unwrap() else { unreachable!("bound to IPv4") };
    let mut config = ClientConfig::new(tls::provider());
    config.connect_timeout = Duration::from_millis(50);
    let client = Client::open(config).unwrap();
    let address = format!("lightbox://{at}#{}", self_signed().fingerprint());
    let error = client.connect(&address.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout { .. }));
    assert!(error.to_string().starts_with(&format!("no answer from {at} within 0.05 s: ")));
}
