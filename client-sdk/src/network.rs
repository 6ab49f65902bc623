//! What connects, and connects again while there is a session to go on with.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lightbox_net::address::Address;
use lightbox_net::driver::{ControlStream, Shared, drive};
use lightbox_net::endpoint::{Client as Endpoint, ClientConfig};
use lightbox_net::runtime::Runtime;
use lightbox_net::tls::{self, Authorities, Identity};
use lightbox_protocol::msg::control::Close;
use lightbox_protocol::session::client::{self, ClientSession, Command};
use lightbox_protocol::wire::ids::close;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::client::{Control, RETRY, lock};
use crate::event::{Event, Teller};
use crate::painter::Job;
use crate::stats::Stats;

pub(crate) struct Network {
    pub(crate) runtime: Runtime,
    pub(crate) address: Address,
    pub(crate) authorities: Option<Arc<Authorities>>,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) idle_timeout: Duration,
    pub(crate) link: Arc<Shared<ClientSession>>,
    pub(crate) stats: Arc<Mutex<Stats>>,
    pub(crate) control: Arc<Control>,
    pub(crate) tell: Teller,
    pub(crate) jobs: Sender<Job>,
}

impl Network {
    pub(crate) async fn run(self) {
        let unfinished = Unfinished(Some(self.tell.clone()));
        self.stay_connected().await;
        unfinished.end();
    }

    async fn stay_connected(&self) {
        let mut config = ClientConfig::new(tls::provider());
        config.authorities = self.authorities.clone();
        config.identity = self.identity.clone();
        config.settings.idle_timeout = self.idle_timeout;
        config.runtime = self.runtime.clone();
        let endpoint = match Endpoint::open(config) {
            Ok(endpoint) => endpoint,
            Err(error) => return self.tell.ended(Close::new(close::TIMEOUT, error)),
        };
        let mut told = None;
        loop {
            let why = tokio::select! {
                why = self.connect(&endpoint) => why,
                () = self.stopped() => None,
            };
            if self.is_stopped() || !self.link.lock().can_resume() {
                // A session that never was cannot tell of its own end.
                if let Some(why) = why {
                    self.tell.ended(why);
                }
                break;
            }
            // What keeps the session from coming back may be for the person to mend: each reason is said once.
            if why != told {
                why.iter().for_each(|why| self.tell.tell(Event::Lost(why.clone())));
                told = why;
            }
            tokio::select! {
                () = self.runtime.sleep(RETRY) => (),
                () = self.control.wake.notified() => (),
            }
        }
        // Whoever drops a client does not wait for a server that is gone.
        let _ = self.runtime.timeout(RETRY, endpoint.close()).await;
    }

    /// Waits until the application is through with the client, and what was left to say has had its time.
    async fn stopped(&self) {
        while !self.is_stopped() {
            self.control.stopped.notified().await;
        }
        // The session's own close leaves first; this only bounds the wait for it.
        self.runtime.sleep(RETRY).await;
    }

    /// One connection, from its first packet to its last. The reason where there was none.
    async fn connect(&self, endpoint: &Endpoint) -> Option<Close> {
        let connection = match endpoint.connect(&self.address).await {
            Ok(connection) => connection,
            Err(error) => return Some(Close::new(close::TIMEOUT, error)),
        };
        let control = match ControlStream::open(&connection).await {
            Ok(control) => control,
            Err(why) => return Some(why),
        };
        let connect = Command::Connect { binding: *connection.binding() };
        tokio::select! {
            _ = drive(&connection, control, &self.link, connect, |event| self.event(event)) => (),
            () = self.obey(endpoint) => (),
        }
        None
    }

    /// Does what the application wants of the socket, for as long as the connection lasts.
    async fn obey(&self, endpoint: &Endpoint) {
        loop {
            if self.control.rebind.swap(false, Ordering::Relaxed)
                && let Err(error) = endpoint.rebind()
            {
                tracing::warn!(%error, "no new socket to be had, the old one stays");
            }
            self.control.wake.notified().await;
        }
    }

    fn event(&self, event: client::Event) {
        let job = match event {
            client::Event::Paint(paint) => Job::Paint(paint),
            client::Event::Digest { context, tiles, .. } => Job::Digest { context, tiles },
            client::Event::Surface { surface, kept } => Job::Surface { surface, kept },
            client::Event::SurfaceGone(id) => Job::SurfaceGone(id),
            client::Event::Welcome { session, resumed, role, slots, models } => {
                if resumed {
                    lock(&self.stats).resumed += 1;
                } else {
                    self.job(Job::Clear);
                }
                self.job(Job::Agreed { slots, models });
                return self.tell.tell(Event::Connected { session, resumed, role });
            }
            client::Event::Layout(layout) => return self.tell.tell(Event::Layout(layout)),
            client::Event::Verified { surface, tiles } => {
                return self.tell.tell(Event::Verified { surface, tiles });
            }
            client::Event::CursorShape(shape) => return self.tell.tell(Event::CursorShape(shape)),
            client::Event::CursorAt(at) => return self.tell.tell(Event::CursorAt(at)),
            client::Event::Stream(event) => return self.tell.tell(Event::Stream(event)),
            client::Event::Leds(locks) => return self.tell.tell(Event::Leds(locks)),
            client::Event::Lost(why) => return self.tell.tell(Event::Lost(why)),
            client::Event::Ended(why) => return self.tell.ended(why),
        };
        self.job(job);
    }

    fn job(&self, job: Job) {
        // The painter outlives the network; without it there is nothing to paint for.
        if let Err(TrySendError::Full(_)) = self.jobs.try_send(job) {
            let why = "the server changes surfaces faster than a terminal can follow";
            self.link.command(Command::Close(Close::new(close::LIMIT, why)));
        }
    }

    fn is_stopped(&self) -> bool {
        self.control.stop.load(Ordering::Relaxed)
    }
}

/// Whoever waits for the session's end hears of it even if the network fails, or the loop that it runs on is gone.
struct Unfinished(Option<Teller>);

impl Unfinished {
    fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(tell) = &self.0 {
            tell.ended(Close::new(close::SHUTDOWN, "nothing runs this client any more"));
        }
    }
}
