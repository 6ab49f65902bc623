use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use tokio::sync::oneshot;

/// The addresses of a name. Whoever stops waiting leaves the thread to itself; it ends with the system's answer.
pub(super) async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let (answer, answered) = oneshot::channel();
    let host = host.to_owned();
    let ask = move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody waits any more where the client was dropped.
        let _ = answer.send(found);
    };
    std::thread::Builder::new().name("lbx-look-up".into()).spawn(ask)?;
    answered.await.unwrap_or_else(|_| Err(io::Error::other("the look-up failed")))
}
