//! How much may be sent: congestion control and the pace of frames, as values in virtual time.
//!
//! A remote desktop wants its last picture early more than it wants its bytes soon, so the controller here keeps
//! the queue at the bottleneck short and takes little notice of loss: a weak radio loses packets without being
//! full.
//!
//! - [`Estimate`]: what a congestion controller knows of a path.
//! - [`low_delay::LowDelay`]: the controller.
//! - [`pace::Pacer`]: when a frame may be made, and how large.

pub mod low_delay;
pub mod pace;
mod round;

use core::time::Duration;

/// What a congestion controller knows of a path. All zero before the first acknowledgement, but for the window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Smoothed round-trip time.
    pub srtt: Duration,
    /// Round-trip time of the empty path.
    pub min_rtt: Duration,
    /// The most that was delivered in one of the last eight rounds, bytes per second. An application that sends
    /// little makes it small.
    pub bandwidth: f64,
    /// Bytes that may be in flight.
    pub window: u64,
    /// How much longer than `min_rtt` the fastest packet of the last round took.
    pub queue_delay: Duration,
    /// The share of the last hundred packets' bytes that was lost, 0 to 1; 0 while fewer than twenty are known.
    pub loss: f64,
}
