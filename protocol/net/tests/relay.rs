//! A real client and a real server with a bad network between them.
#![cfg(feature = "lab")]

use std::sync::Arc;

use bytes::Bytes;
use lightbox_net::address::{Address, Host};
use lightbox_net::endpoint::{Client, ClientConfig, Server, ServerConfig};
use lightbox_net::lab::relay::Relay;
use lightbox_net::tls::{self, Identity};

#[tokio::test]
async fn bytes_cross_a_relay_that_loses_every_seventh_packet() {
    let identity = Arc::new(Identity::self_signed(&["localhost"], &tls::provider()).unwrap());
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = Server::open(ServerConfig::new(listen, tls::provider(), identity.clone())).unwrap();
    let path = || {
        let mut count = 0;
        Box::new(move |now: u64, _: usize| {
            count += 1;
            (count % 7 != 0).then_some(now + 2_000)
        })
    };
    let relay = Relay::start(server.local_addr().unwrap(), path(), path()).unwrap();
    let at = relay.address();
    let address = Address {
        host: Host::Ip(at.ip()),
        port: at.port(),
        ticket: None,
        fingerprint: Some(identity.fingerprint()),
    };
    let client = Client::open(ClientConfig::new(tls::provider())).unwrap();
    let (ours, theirs) =
        tokio::join!(async { server.accept().await.unwrap().establish().await }, client.connect(&address));
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());

    let sent = Bytes::from_iter((0..100_000u32).map(|i| i as u8));
    let mut stream = ours.quic().open_uni().await.unwrap();
    stream.write_chunk(sent.clone()).await.unwrap();
    stream.finish().unwrap();
    let mut stream = theirs.quic().accept_uni().await.unwrap();
    assert_eq!(stream.read_to_end(1 << 20).await.unwrap(), sent);
    assert!(theirs.quic().rtt().as_micros() >= 4_000);
}
