//! Who may come in.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lightbox_net::address::Ticket;
use lightbox_net::clock;
use lightbox_net::runtime::Runtime;
use lightbox_net::tls::Peer;
use lightbox_protocol::Time;
use lightbox_protocol::msg::control::Role;
use tokio::sync::oneshot;

use crate::event::{Event, EventSink};
use crate::session::lock;

/// A client at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

/// Who decides.
#[derive(Clone, Default)]
pub(crate) enum Admission {
    #[default]
    Tickets,
    By(Arc<dyn Authenticate>),
    /// The application, within this time.
    Ask(Duration),
}

/// Admission by one-use codes.
#[derive(Debug, Default)]
pub struct Tickets {
    open: Mutex<HashMap<String, Issued>>,
    keep: bool,
}

/// What a ticket is good for.
#[derive(Clone, Debug)]
struct Issued {
    grant: Grant,
    until: Option<Time>,
}

impl Tickets {
    /// No ticket is out; each will admit once, or for ever where they are kept.
    pub fn new(keep: bool) -> Self {
        Self { open: Mutex::default(), keep }
    }

    /// From now on `ticket` admits a person who may do everything, whenever it comes.
    pub fn issue(&self, ticket: &Ticket) {
        self.issue_for(ticket, Grant::default(), None);
    }

    /// The same for what `grant` says, until this long has passed.
    pub fn issue_for(&self, ticket: &Ticket, grant: Grant, life: Option<Duration>) {
        let now = clock::now();
        let mut open = lock(&self.open);
        // What nobody used in time takes no memory for ever.
        open.retain(|_, issued| issued.is_good(now));
        open.insert(ticket.to_string(), Issued { grant, until: life.map(|life| now + life) });
    }

    /// No ticket given out so far admits any more.
    pub fn revoke_all(&self) {
        lock(&self.open).clear();
    }
}

impl Issued {
    fn is_good(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Authenticate for Tickets {
    fn admit(&self, knock: &Knock) -> Result<Grant, Refusal> {
        let refused = || Refusal("this ticket is not valid or was used: ask for a new address".into());
        let ticket = std::str::from_utf8(&knock.ticket).map_err(|_| refused())?;
        let mut open = lock(&self.open);
        // A lookup in a hash map seeded at random tells a guesser nothing about 100 random bits.
        let issued = if self.keep { open.get(ticket).cloned() } else { open.remove(ticket) };
        issued.filter(|issued| issued.is_good(clock::now())).map(|issued| issued.grant).ok_or_else(refused)
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

/// Admission by question: [`Config::ask`](crate::Config::ask).
#[derive(Debug, Default)]
pub(crate) struct Questions {
    next: AtomicU64,
    open: Mutex<BTreeMap<u64, oneshot::Sender<Result<Grant, Refusal>>>>,
}

impl Questions {
    /// Asks the application, and waits so long for [`Self::answer`].
    pub(crate) async fn ask(
        &self,
        knock: Knock,
        patience: Duration,
        runtime: &Runtime,
        tell: &EventSink,
    ) -> Result<Grant, Refusal> {
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let (answer, answered) = oneshot::channel();
        {
            let mut open = lock(&self.open);
            if open.len() >= MOST_QUESTIONS {
                return Err(Refusal("too many are at the door; try again".into()));
            }
            open.insert(id, answer);
        }
        let answer = match tell.tell(Event::Knock { id, knock }) {
            true => runtime.timeout(patience, answered).await,
            false => None,
        };
        lock(&self.open).remove(&id);
        let unanswered = || Refusal("nobody opened the door; try again".into());
        answer.and_then(Result::ok).ok_or_else(unanswered)?
    }

    /// False if nobody waits for this answer any more.
    pub(crate) fn answer(&self, id: u64, answer: Result<Grant, Refusal>) -> bool {
        let asked = lock(&self.open).remove(&id);
        asked.is_some_and(|asked| asked.send(answer).is_ok())
    }
}

/// Clients that wait for an answer at one time.
const MOST_QUESTIONS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(tickets: &Tickets, ticket: &Ticket) -> Result<Grant, Refusal> {
        tickets.admit(&Knock {
            ticket: ticket.to_string().into_bytes(),
            certificate: None,
            terminal: "t".into(),
            address: ([127, 0, 0, 1], 1).into(),
        })
    }

    #[test]
    fn a_ticket_admits_once_as_what_it_says_and_in_its_time() {
        let tickets = Tickets::new(false);
        let [used, old, gone] = [1, 2, 3].map(|n| Ticket::from_entropy([n; Ticket::BYTES]));
        let looks = Grant { role: Role::View };
        tickets.issue_for(&used, looks.clone(), Some(Duration::from_secs(3_600)));
        assert_eq!(admits(&tickets, &used), Ok(looks));
        assert!(admits(&tickets, &used).is_err());
        tickets.issue_for(&old, Grant::default(), Some(Duration::ZERO));
        assert!(admits(&tickets, &old).is_err());
        tickets.issue(&gone);
        tickets.revoke_all();
        assert!(admits(&tickets, &gone).is_err());
    }
}
