//! Measuring without waiting: QUIC connections on a virtual clock, and a bad path in front of real sockets.
//!
//! - [`pair`]: connections with real TLS and real congestion control, whose packets take the [`Path`]s you give.
//!   A minute of session takes about a second, and the same seed gives the same packets.
//! - [`workload`]: a remote desktop's traffic over a pair, and what it felt like.
//! - [`relay`]: the same paths in real time, between two programs on one machine.

pub mod pair;
pub mod relay;
pub mod workload;

mod client;
mod measure;
mod server;

pub use measure::Percentiles;

/// One direction of a network.
pub trait Path: Send {
    /// A packet with `bytes` of UDP payload is sent at `now_us`, microseconds since the path's beginning. Returns
    /// when it arrives, not before `now_us`, or `None` if it is lost. `now_us` never goes back.
    fn offer(&mut self, now_us: u64, bytes: usize) -> Option<u64>;
}

impl<F: FnMut(u64, usize) -> Option<u64> + Send> Path for F {
    fn offer(&mut self, now_us: u64, bytes: usize) -> Option<u64> {
        self(now_us, bytes)
    }
}

/// A congestion controller to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Controller {
    /// Ours.
    LowDelay,
    /// quinn's default: what everyone else's traffic looks like.
    Cubic,
}
