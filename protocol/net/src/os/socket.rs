//! UDP sockets with the options that std does not set.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// A UDP socket that takes IPv4 as well when it is bound to `[::]`.
pub(crate) fn bind(at: SocketAddr, buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    if at.is_ipv6() {
        // Some systems have no dual-stack sockets; IPv6 alone is better than nothing there.
        if let Err(error) = socket.set_only_v6(false) {
            tracing::debug!(%error, "socket takes IPv6 only");
        }
    }
    // A key frame arrives as one burst. The system may grant less than is asked, and says so to nobody.
    for set in [Socket::set_recv_buffer_size, Socket::set_send_buffer_size] {
        if let Err(error) = set(&socket, buffer) {
            tracing::debug!(%error, buffer, "socket buffer stays as it is");
        }
    }
    socket.bind(&at.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A socket to dial from: both families, or IPv4 where the machine has no IPv6.
pub(crate) fn bind_any(buffer: usize) -> io::Result<UdpSocket> {
    bind((Ipv6Addr::UNSPECIFIED, 0).into(), buffer)
        .or_else(|_| bind((Ipv4Addr::UNSPECIFIED, 0).into(), buffer))
}
