//! The congestion controller of `lightbox-protocol`, dressed as quinn's.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lightbox_protocol::Time;
use lightbox_protocol::rate::Estimate;
use lightbox_protocol::rate::low_delay::{Config, LowDelay};
use quinn_proto::RttEstimator;
use quinn_proto::congestion::{Controller, ControllerFactory};

/// The newest [`Estimate`] of one connection: the controller writes it, anyone reads it.
///
/// It stays good over a migration, when quinn replaces the controller.
#[derive(Clone, Debug, Default)]
pub struct Estimates(Arc<Mutex<Estimate>>);

impl Estimates {
    /// The newest estimate; all zeros before the first acknowledgement.
    pub fn latest(&self) -> Estimate {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, estimate: Estimate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = estimate;
    }
}

/// Makes the controllers of one connection, one a path, all publishing to the same [`Estimates`].
#[derive(Clone, Debug)]
pub struct LowDelayFactory {
    /// What they aim at.
    pub config: Config,
    /// Where they tell what they learn.
    pub estimates: Estimates,
}

impl ControllerFactory for LowDelayFactory {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Adapter {
            inner: LowDelay::new(self.config, Time(0), current_mtu),
            origin: now,
            initial_window: self.config.initial_window,
            estimates: self.estimates.clone(),
            smoothed: None,
            newest: Time(0),
        })
    }
}

#[derive(Clone)]
struct Adapter {
    inner: LowDelay,
    /// Time zero of `inner`.
    origin: Instant,
    initial_window: u64,
    estimates: Estimates,
    /// quinn's smoothed round-trip time before the newest acknowledgement it has taken into it.
    smoothed: Option<Duration>,
    /// When the newest packet acknowledged so far was sent.
    newest: Time,
}

impl Adapter {
    /// The sample of the acknowledgement before this one: a packet's round-trip time, without the time for which its
    /// acknowledgement waited at the peer.
    ///
    /// quinn knows how long that was and tells nobody; but each sample moves its smoothed value by an eighth.
    fn sample(&mut self, now: Instant, smoothed: Duration) {
        if let Some(before) = self.smoothed.replace(smoothed).filter(|before| *before != smoothed)
            && let Some(rtt) = (8 * smoothed).checked_sub(7 * before)
        {
            self.inner.on_sample(self.time(now), self.newest, rtt);
        }
    }

    fn time(&self, at: Instant) -> Time {
        Time(0) + at.saturating_duration_since(self.origin)
    }
}

impl Controller for Adapter {
    /// `_app_limited` is false in the middle of any paced burst, so it says nothing.
    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, _app_limited: bool, rtt: &RttEstimator) {
        // After a migration, packets of the old path are still acknowledged. They say nothing about this one.
        if sent >= self.origin {
            self.sample(now, rtt.get());
            self.newest = self.newest.max(self.time(sent));
            self.inner.on_ack(self.time(now), self.time(sent), bytes, rtt.get());
        }
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, _app_limited: bool, _largest: Option<u64>) {
        self.inner.on_end_acks(self.time(now), in_flight);
        self.estimates.publish(self.inner.estimate());
    }

    fn on_congestion_event(&mut self, now: Instant, _sent: Instant, is_persistent: bool, lost_bytes: u64) {
        // quinn's way of saying that a router set the ECN mark.
        if lost_bytes == 0 {
            self.inner.on_ecn();
        } else {
            self.inner.on_loss(self.time(now), lost_bytes, is_persistent);
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.inner.on_mtu(new_mtu);
    }

    fn window(&self) -> u64 {
        self.inner.window()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.initial_window
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
