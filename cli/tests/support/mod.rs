//! What the stories share: a client, and patience with it.

use std::time::{Duration, Instant};

use lightbox_client::{Client, Config};

/// Far more than anything here takes; only a failure waits for so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn connect(address: impl Into<String>) -> Client {
    Client::connect(Config::new(address).terminal("story")).unwrap()
}

pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "gave up waiting: {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
