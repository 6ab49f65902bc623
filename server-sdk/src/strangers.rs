//! Connections whose client has not said who it is.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use lightbox_net::driver::close;
use lightbox_net::endpoint::Connection;
use lightbox_protocol::msg::control::Close;
use lightbox_protocol::wire::ids;

use crate::session::lock;

/// Strangers at one time: where more come, the one that has said nothing for longest goes.
const MOST: usize = 64;

/// The strangers that there are. A crowd that says nothing keeps nobody else out.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    next: AtomicU64,
    of: Mutex<BTreeMap<u64, Connection>>,
}

/// A connection counts as a stranger's until this is dropped.
#[derive(Debug)]
pub(crate) struct Stranger<'a> {
    among: &'a Strangers,
    number: u64,
}

impl Strangers {
    pub(crate) fn greet(&self, connection: &Connection) -> Stranger<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut of = lock(&self.of);
        of.insert(number, connection.clone());
        if of.len() > MOST
            && let Some((_, silent)) = of.pop_first()
        {
            close(&silent, &Close::new(ids::close::BUSY, "others are waiting, and this client said nothing"));
        }
        Stranger { among: self, number }
    }
}

impl Drop for Stranger<'_> {
    fn drop(&mut self) {
        lock(&self.among.of).remove(&self.number);
    }
}
