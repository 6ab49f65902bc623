//! Systems without epoll, timerfd and eventfd have no one descriptor behind which everything can stand.

use std::convert::Infallible;
use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use super::socket::Ready;

/// There is none.
#[derive(Debug)]
pub(super) struct Set(Infallible);

pub(super) type Found = ();

impl Set {
    pub(super) fn new() -> io::Result<Self> {
        let why = "a loop of the application's own needs Linux; elsewhere this library has threads";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    pub(super) fn add(&self, _: &UdpSocket, _: u64, _: Ready) -> io::Result<()> {
        match self.0 {}
    }

    pub(super) fn change(&self, _: &UdpSocket, _: u64, _: Ready) -> io::Result<()> {
        match self.0 {}
    }

    pub(super) fn remove(&self, _: &UdpSocket) {
        match self.0 {}
    }

    pub(super) fn arm(&self, _: Duration) -> io::Result<()> {
        match self.0 {}
    }

    pub(super) fn ring(&self) {
        match self.0 {}
    }

    pub(super) fn number(&self) -> i32 {
        match self.0 {}
    }

    pub(super) fn wait(&self, _: Duration) -> io::Result<bool> {
        match self.0 {}
    }

    pub(super) fn look(&self, _: &mut Found, _: impl FnMut(u64, Ready)) -> io::Result<bool> {
        match self.0 {}
    }
}
