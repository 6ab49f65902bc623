use std::sync::Arc;
use std::time::Duration;

use lightbox_protocol::rate::low_delay;
use quinn::congestion::ControllerFactory;
use quinn::{TransportConfig, VarInt};

use super::{Role, acks};

/// What of a connection's behaviour is for the site to decide. The rest is in the source, with its reasons.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The most bytes an admitted peer may have sent that nobody has read: the connection's memory limit.
    /// 32 MiB, and never less than 64 KiB.
    pub receive_window: u32,
    /// A connection from which nothing came for so long is over. 30 s.
    pub idle_timeout: Duration,
    /// How often a client proves that it is there when it has nothing else to send. 5 s; `None` lets quiet
    /// connections end, and their way through a firewall close.
    pub keep_alive: Option<Duration>,
    /// What the congestion controller aims at. A client's floor is raised to 256 KiB.
    pub rate: low_delay::Config,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            receive_window: 32 << 20,
            idle_timeout: Duration::from_secs(30),
            keep_alive: Some(Duration::from_secs(5)),
            rate: low_delay::Config::default(),
        }
    }
}

impl Settings {
    /// The controller's aims, with the floor of `role`.
    ///
    /// quinn withholds acknowledgements while the window is full, so a client whose window its own lost packets
    /// had filled would not answer the server's probes: 2.7 s more silence after an outage. It sends so little
    /// that a high floor does nobody harm.
    pub(crate) fn rate_of(&self, role: Role) -> low_delay::Config {
        let mut rate = self.rate;
        if role == Role::Client {
            rate.floor = rate.floor.max(256 << 10);
        }
        rate
    }
}

/// quinn's settings for one side of a connection.
pub(crate) fn transport(
    settings: &Settings,
    role: Role,
    controllers: Arc<dyn ControllerFactory + Send + Sync>,
) -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .congestion_controller_factory(controllers)
        // Fair streams are pre-emptible ones: without it a started low-priority stream is sent to its end first,
        // and the age of the newest picture more than doubles. Priorities are unique, so nothing is shared.
        .send_fairness(true)
        .stream_receive_window(VarInt::from_u32(4 << 20))
        .ack_frequency_config(Some(acks::frequency()))
        .max_idle_timeout(settings.idle_timeout.try_into().ok())
        // One FIFO serves all datagrams: deep, it would put seconds before a key press.
        .datagram_send_buffer_size(32 << 10)
        .datagram_receive_buffer_size(Some(256 << 10));
    match role {
        Role::Server => config
            .send_window(8 << 20)
            // A stranger may open the control stream and say hello; `Connection::admit` raises these.
            .receive_window(VarInt::from_u32(HELLO_WINDOW))
            .max_concurrent_bidi_streams(VarInt::from_u32(1))
            .max_concurrent_uni_streams(VarInt::from_u32(0)),
        Role::Client => config
            .send_window(2 << 20)
            .receive_window(VarInt::from_u32(settings.receive_window.max(HELLO_WINDOW)))
            .keep_alive_interval(settings.keep_alive)
            .max_concurrent_bidi_streams(VarInt::from_u32(BIDI_STREAMS))
            // One a frame and one a batch of refinement: 100 stall at 30 frames a second and 600 ms.
            .max_concurrent_uni_streams(VarInt::from_u32(2048)),
    };
    config
}

/// What a peer may have sent unread before it is admitted, bytes.
const HELLO_WINDOW: u32 = 64 << 10;
/// Control, input, and a stream per USB device or request.
pub(super) const BIDI_STREAMS: u32 = 64;
/// Clipboard, reports and the like, from an admitted client.
pub(super) const CLIENT_UNI_STREAMS: u32 = 64;
