use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn_proto::RandomConnectionIdGenerator;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::acks::Patient;
use super::transport::transport;
use super::{ConnectError, Connection, OpenError, Role, Settings};
use crate::congestion::{Estimates, LowDelayFactory};
use crate::os::socket;
use crate::runtime::Runtime;
use crate::tls::{self, Identity, TlsError};

/// What a [`Server`] is made of.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen. `[::]:port` takes IPv4 as well.
    pub listen: SocketAddr,
    /// All cryptography.
    pub provider: Arc<CryptoProvider>,
    /// What the server shows.
    pub identity: Arc<Identity>,
    /// Whose client certificates are believed; `None` asks for none.
    pub client_authorities: Option<Arc<RootCertStore>>,
    /// Further clients are refused. 256.
    pub max_connections: usize,
    /// Handshakes at once; further ones get no answer and try again by themselves. 64.
    pub max_handshakes: usize,
    /// From so many handshakes at once, a client must first prove that it receives at its address. 16.
    pub validate_from: usize,
    /// A handshake that takes longer is given up. 5 s.
    pub handshake_timeout: Duration,
    /// The connections' own settings.
    pub settings: Settings,
    /// Where everything runs. [`Runtime::tokio`].
    pub runtime: Runtime,
}

impl ServerConfig {
    /// Defaults around the two things that have none.
    pub fn new(listen: SocketAddr, provider: Arc<CryptoProvider>, identity: Arc<Identity>) -> Self {
        Self {
            listen,
            provider,
            identity,
            client_authorities: None,
            max_connections: 256,
            max_handshakes: 64,
            validate_from: 16,
            handshake_timeout: Duration::from_secs(5),
            settings: Settings::default(),
            runtime: Runtime::default(),
        }
    }
}

/// A listening QUIC endpoint.
pub struct Server {
    endpoint: quinn::Endpoint,
    config: ServerConfig,
    crypto: Arc<Patient<QuicServerConfig>>,
    handshakes: Arc<Semaphore>,
}

/// A client that knocks. Dropping it refuses the client.
#[must_use = "a client waits"]
pub struct Attempt {
    incoming: quinn::Incoming,
    config: Arc<quinn::ServerConfig>,
    estimates: Estimates,
    settings: Settings,
    provider: Arc<CryptoProvider>,
    timeout: Duration,
    runtime: Runtime,
    _permit: OwnedSemaphorePermit,
}

impl Server {
    /// Opens the socket and listens. Call it inside the tokio runtime, where the configuration names that.
    ///
    /// # Errors
    /// [`OpenError`]: the port is taken, or the certificate and provider do not fit.
    pub fn open(config: ServerConfig) -> Result<Self, OpenError> {
        let authorities = config.client_authorities.as_deref().cloned();
        let tls = tls::server(config.provider.clone(), &config.identity, authorities)?;
        let crypto = QuicServerConfig::try_from(tls).map_err(|_| TlsError::Provider(INITIAL_SUITE))?;
        let crypto = Arc::new(Patient(Arc::new(crypto)));
        let mut accept = quinn::ServerConfig::with_crypto(crypto.clone());
        bound(&mut accept, &config);
        let open = || -> io::Result<quinn::Endpoint> {
            let socket = socket::bind(config.listen, SOCKET_BUFFER)?;
            let mut quic = quinn::EndpointConfig::default();
            quic.cid_generator(|| Box::new(RandomConnectionIdGenerator::new(SERVER_ID)));
            quinn::Endpoint::new(quic, Some(accept), socket, config.runtime.quinn())
        };
        let endpoint = open().map_err(|source| OpenError::Socket { at: config.listen, source })?;
        let handshakes = Arc::new(Semaphore::new(config.max_handshakes));
        Ok(Self { endpoint, config, crypto, handshakes })
    }

    /// The next client that may try; `None` when the endpoint is closed. Clients beyond the limits are answered
    /// here and never seen.
    ///
    /// The caller drives [`Attempt::establish`] apart from this loop, or one slow client stops all others.
    pub async fn accept(&self) -> Option<Attempt> {
        loop {
            let incoming = self.endpoint.accept().await?;
            if self.endpoint.open_connections() >= self.config.max_connections {
                incoming.refuse();
                continue;
            }
            let under_way = self.config.max_handshakes.saturating_sub(self.handshakes.available_permits());
            if under_way >= self.config.validate_from && incoming.may_retry() {
                // `may_retry` has just said that this cannot fail.
                let _ = incoming.retry();
                continue;
            }
            let Ok(permit) = self.handshakes.clone().try_acquire_owned() else {
                incoming.ignore();
                continue;
            };
            return Some(self.attempt(incoming, permit));
        }
    }

    fn attempt(&self, incoming: quinn::Incoming, permit: OwnedSemaphorePermit) -> Attempt {
        let settings = self.config.settings.clone();
        let estimates = Estimates::default();
        let controllers =
            LowDelayFactory { config: settings.rate_of(Role::Server), estimates: estimates.clone() };
        let mut config = quinn::ServerConfig::with_crypto(self.crypto.clone());
        config.transport_config(Arc::new(transport(&settings, Role::Server, Arc::new(controllers))));
        Attempt {
            incoming,
            config: Arc::new(config),
            estimates,
            settings,
            provider: self.config.provider.clone(),
            timeout: self.config.handshake_timeout,
            runtime: self.config.runtime.clone(),
            _permit: permit,
        }
    }

    /// Where it listens, with the port the system chose.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// Connections that are open now, handshakes included.
    pub fn connections(&self) -> usize {
        self.endpoint.open_connections()
    }

    /// Closes every connection and stops listening, then waits until the peers have been told.
    pub async fn close(&self) {
        self.endpoint.close(0u32.into(), b"");
        self.endpoint.wait_idle().await;
    }
}

impl Attempt {
    /// Where the client says it is.
    pub fn remote_address(&self) -> SocketAddr {
        self.incoming.remote_address()
    }

    /// Completes the handshake.
    ///
    /// # Errors
    /// [`ConnectError`]: the client went away, was too slow, or does not fit.
    pub async fn establish(self) -> Result<Connection, ConnectError> {
        let Self { incoming, config, estimates, settings, provider, timeout, runtime, _permit } = self;
        let to = incoming.remote_address().to_string();
        let connecting = incoming.accept_with(config)?;
        let quic = runtime
            .timeout(timeout, connecting)
            .await
            .ok_or(ConnectError::Timeout { to, waited: timeout })??;
        Connection::new(quic, Role::Server, estimates, &settings, &provider, &runtime)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("listen", &self.config.listen).finish_non_exhaustive()
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("remote", &self.remote_address()).finish_non_exhaustive()
    }
}

/// What clients that nobody has looked at yet may cost.
fn bound(accept: &mut quinn::ServerConfig, config: &ServerConfig) {
    accept
        .migration(true)
        .max_incoming(config.max_handshakes)
        .incoming_buffer_size(16 << 10)
        .incoming_buffer_size_total(1 << 20);
}

const SOCKET_BUFFER: usize = 8 << 20;
/// Bytes of the connection ids that every packet of a client begins with: enough for all sessions of a host many times
/// over, and no two of them get the same.
const SERVER_ID: usize = 4;
pub(super) const INITIAL_SUITE: &str = "TLS13_AES_128_GCM_SHA256, which protects QUIC's first packets";
