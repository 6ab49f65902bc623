//! Who may come in.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use lightbox_net::address::Ticket;
use lightbox_net::tls::Peer;
use lightbox_protocol::msg::control::Role;

/// A client at the door.
#[derive(Clone, Debug)]
pub struct Knock {
    /// The ticket it brought; empty if none.
    pub ticket: Vec<u8>,
    /// Its certificate, if one of the configured authorities signed it.
    pub certificate: Option<Peer>,
    /// What the terminal calls itself. Nobody vouches for it.
    pub terminal: String,
    /// Where it is now.
    pub address: SocketAddr,
}

/// What an admitted client gets.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// What the person may do.
    pub role: Role,
}

/// Why a client is not let in: one line that it may read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Decides who comes in. Called once a connection, on a thread that may block; a client that resumes its session
/// has proved itself and is not asked again.
pub trait Authenticate: Send + Sync {
    /// Lets the client in, or says why not.
    fn admit(&self, knock: &Knock) -> Result<Grant, Refusal>;
}

/// Admission by one-use codes.
#[derive(Debug, Default)]
pub struct Tickets {
    open: Mutex<HashSet<String>>,
    keep: bool,
}

impl Tickets {
    /// No ticket is out; each will admit once, or for ever where they are kept.
    pub fn new(keep: bool) -> Self {
        Self { open: Mutex::default(), keep }
    }

    /// From now on `ticket` admits.
    pub fn issue(&self, ticket: &Ticket) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket.to_string());
    }

    /// No ticket given out so far admits any more.
    pub fn revoke_all(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Authenticate for Tickets {
    fn admit(&self, knock: &Knock) -> Result<Grant, Refusal> {
        let refused = || Refusal("this ticket is not valid or was used: ask for a new address".into());
        let ticket = std::str::from_utf8(&knock.ticket).map_err(|_| refused())?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // A lookup in a hash set seeded at random tells a guesser nothing about 100 random bits.
        let known = if self.keep { open.contains(ticket) } else { open.remove(ticket) };
        known.then(Grant::default).ok_or_else(refused)
    }
}

/// Admission by a certificate of the configured authorities.
#[derive(Clone, Copy, Debug, Default)]
pub struct Certificates;

impl Authenticate for Certificates {
    fn admit(&self, knock: &Knock) -> Result<Grant, Refusal> {
        match knock.certificate {
            Some(_) => Ok(Grant::default()),
            None => Err(Refusal("this server admits terminals with a certificate of its site only".into())),
        }
    }
}
