use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn_proto::RandomConnectionIdGenerator;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use tokio::sync::mpsc;

use super::acks::Patient;
use super::server::INITIAL_SUITE;
use super::transport::transport;
use super::{ConnectError, Connection, OpenError, Role, Settings};
use crate::address::{Address, Host};
use crate::congestion::{Estimates, LowDelayFactory};
use crate::os::socket;
use crate::runtime::{Runtime, Tasks};
use crate::tls::{self, Identity, Pin, TlsError, Trust};

/// What a [`Client`] is made of.
#[derive(Clone)]
pub struct ClientConfig {
    /// All cryptography.
    pub provider: Arc<CryptoProvider>,
    /// Who vouches for servers whose address names no key.
    pub authorities: Option<Arc<RootCertStore>>,
    /// What the client shows to a server that asks.
    pub identity: Option<Arc<Identity>>,
    /// How long [`Client::connect`] tries, name resolution included. 5 s.
    pub connect_timeout: Duration,
    /// The connections' own settings.
    pub settings: Settings,
    /// Where everything runs. [`Runtime::tokio`].
    pub runtime: Runtime,
}

impl ClientConfig {
    /// Defaults: believes only addresses that name the server's key, shows no certificate.
    pub fn new(provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider,
            authorities: None,
            identity: None,
            connect_timeout: Duration::from_secs(5),
            settings: Settings::default(),
            runtime: Runtime::default(),
        }
    }
}

/// A QUIC endpoint to dial from.
pub struct Client {
    endpoint: quinn::Endpoint,
    config: ClientConfig,
}

impl Client {
    /// Opens a socket for both IP families. Call it inside the tokio runtime, where the configuration names that.
    ///
    /// # Errors
    /// [`OpenError::Socket`].
    pub fn open(config: ClientConfig) -> Result<Self, OpenError> {
        let open = || -> io::Result<quinn::Endpoint> {
            let socket = socket::bind_any(SOCKET_BUFFER)?;
            let mut quic = quinn::EndpointConfig::default();
            quic.cid_generator(|| Box::new(RandomConnectionIdGenerator::new(CLIENT_ID)));
            quinn::Endpoint::new(quic, None, socket, config.runtime.quinn())
        };
        let at = (Ipv6Addr::UNSPECIFIED, 0).into();
        let endpoint = open().map_err(|source| OpenError::Socket { at, source })?;
        Ok(Self { endpoint, config })
    }

    /// Connects to a server: resolves its name and tries all its addresses, each a little after the one before,
    /// until one answers.
    ///
    /// # Errors
    /// [`ConnectError`], of the last address that failed.
    pub async fn connect(&self, address: &Address) -> Result<Connection, ConnectError> {
        let waited = self.config.connect_timeout;
        let to = || format!("{}:{}", address.host, address.port);
        match self.config.runtime.timeout(waited, self.try_all(address)).await {
            None => Err(ConnectError::Timeout { to: to(), waited }),
            // A connection that never was is lost as one that fell silent.
            Some(Err(ConnectError::Quic(quinn::ConnectionError::TimedOut))) => {
                let waited = waited.min(self.config.settings.idle_timeout);
                Err(ConnectError::Timeout { to: to(), waited })
            }
            Some(tried) => tried,
        }
    }

    async fn try_all(&self, address: &Address) -> Result<Connection, ConnectError> {
        let dial = self.dial(address)?;
        let name = match &address.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.as_str().to_owned(),
        };
        let mut failed = ConnectError::Unreachable { host: address.host.to_string() };
        let ClientConfig { settings, provider, runtime, .. } = &self.config;
        let mut tries = Tasks::new(runtime);
        let (tell, mut told) = mpsc::unbounded_channel();
        for (i, at) in self.resolve(address).await?.into_iter().take(MOST_ADDRESSES).enumerate() {
            let (endpoint, dial, name) = (self.endpoint.clone(), dial.clone(), name.clone());
            let (runtime, tell) = (runtime.clone(), tell.clone());
            tries.spawn(async move {
                runtime.sleep(STAGGER * i as u32).await;
                // Where another try was quicker nobody listens.
                let _ = tell.send(dial.connect(&endpoint, at, &name).await);
            });
        }
        // The last try that ends closes the channel.
        drop(tell);
        while let Some(tried) = told.recv().await {
            match tried {
                Ok(Some((quic, estimates))) => {
                    return Connection::new(quic, Role::Client, estimates, settings, provider, runtime);
                }
                Ok(None) => {}
                Err(error) => failed = error,
            }
        }
        match dial.pin.as_ref().and_then(|pin| pin.mismatch()) {
            Some((expected, shown)) => Err(ConnectError::WrongServer { expected, shown }),
            None => Err(failed),
        }
    }

    fn dial(&self, address: &Address) -> Result<Dial, ConnectError> {
        let ClientConfig { provider, authorities, identity, settings, .. } = &self.config;
        let pin = address.fingerprint.map(|expected| Arc::new(Pin::new(expected, provider.clone())));
        let verifier = match (&pin, authorities) {
            (Some(pin), _) => pin.clone(),
            (None, Some(roots)) => tls::verifier(provider.clone(), &Trust::Roots(roots.clone()))?,
            (None, None) => return Err(ConnectError::NoTrust),
        };
        let tls = tls::client_with(provider.clone(), verifier, identity.as_deref())?;
        let crypto = QuicClientConfig::try_from(tls).map_err(|_| TlsError::Provider(INITIAL_SUITE))?;
        Ok(Dial { crypto: Arc::new(Patient(Arc::new(crypto))), pin, settings: settings.clone() })
    }

    /// The addresses to try, IPv6 and IPv4 in turn, so that a family that leads nowhere costs one step.
    async fn resolve(&self, address: &Address) -> Result<Vec<SocketAddr>, ConnectError> {
        let name = match &address.host {
            Host::Ip(ip) => return Ok(vec![SocketAddr::new(*ip, address.port)]),
            Host::Name(name) => name.as_str(),
        };
        let found = self.config.runtime.look_up(name, address.port).await;
        let found = found.map_err(|source| ConnectError::Resolve { host: name.to_owned(), source })?;
        let (six, four): (Vec<_>, Vec<_>) = found.into_iter().partition(SocketAddr::is_ipv6);
        let most = six.len().max(four.len());
        Ok((0..most).flat_map(|i| [six.get(i), four.get(i)]).flatten().copied().collect())
    }

    /// Goes on from a new socket: the machine has changed its network. The connections move over.
    ///
    /// # Errors
    /// What the system says; the old socket stays in use.
    pub fn rebind(&self) -> io::Result<()> {
        self.endpoint.rebind(socket::bind_any(SOCKET_BUFFER)?)
    }

    /// The address dialled from, with the port the system chose.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// Closes every connection, then waits until the peers have been told.
    pub async fn close(&self) {
        self.endpoint.close(0u32.into(), b"");
        self.endpoint.wait_idle().await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("local", &self.local_addr().ok()).finish_non_exhaustive()
    }
}

/// All that the tries of one connect have in common.
#[derive(Clone)]
struct Dial {
    crypto: Arc<Patient<QuicClientConfig>>,
    pin: Option<Arc<Pin>>,
    settings: Settings,
}

impl Dial {
    /// `None` if this machine has no way to that family of addresses.
    async fn connect(
        &self,
        endpoint: &quinn::Endpoint,
        to: SocketAddr,
        name: &str,
    ) -> Result<Option<(quinn::Connection, Estimates)>, ConnectError> {
        let estimates = Estimates::default();
        let controllers =
            LowDelayFactory { config: self.settings.rate_of(Role::Client), estimates: estimates.clone() };
        let mut config = quinn::ClientConfig::new(self.crypto.clone());
        config.transport_config(Arc::new(transport(&self.settings, Role::Client, Arc::new(controllers))));
        match endpoint.connect_with(config, to, name) {
            Ok(connecting) => Ok(Some((connecting.await?, estimates))),
            Err(quinn::ConnectError::EndpointStopping) => Err(ConnectError::Closed),
            Err(error) => {
                tracing::debug!(%error, %to, "address left out");
                Ok(None)
            }
        }
    }
}

const SOCKET_BUFFER: usize = 2 << 20;
/// Bytes of the connection ids that every packet of a server begins with. A client has few connections; without any id,
/// what is late for one that is gone could not be told from what is for the next.
const CLIENT_ID: usize = 2;
/// RFC 8305 section 8, Connection Attempt Delay.
const STAGGER: Duration = Duration::from_millis(250);
/// Who has more addresses than this has them for other reasons than being reached.
const MOST_ADDRESSES: usize = 8;
