//! What a server has counted, so that a first picture can be taken off.

use std::collections::BTreeMap;

use lightbox_protocol::session::{Purpose, Traffic};
use lightbox_server::Server;
use lightbox_server::encode::Used;
use serde_json::{Value, json};

use crate::host::Host;
use crate::report::used_json;
use crate::usage;

/// The counters of a server with one session; or, of two readings, what lies between.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) frames: u64,
    pub(super) frame_bytes: u64,
    pub(super) encode_us: u64,
    /// Seconds of the server's threads, submitting included.
    pub(super) server_cpu: f64,
    /// Seconds of the client's threads.
    pub(super) client_cpu: f64,
    wire_bytes: u64,
    packets: (u64, u64),
    /// Messages and bytes, in the order of [`Purpose::ALL`].
    traffic: Vec<(u64, u64)>,
    techniques: BTreeMap<&'static str, Used>,
}

impl Counted {
    /// The counters as they are now.
    pub(super) fn now(server: &Server, host: &Host) -> Self {
        let session = server.sessions().into_iter().next().map(|(_, s)| s).unwrap_or_default();
        let traffic = |traffic: Traffic| Purpose::ALL.map(|purpose| traffic.of(purpose)).to_vec();
        Self {
            frames: session.frames,
            frame_bytes: session.frame_bytes,
            encode_us: session.encode_us,
            server_cpu: usage::thread_cpu_seconds("lbx-server")
                + usage::thread_cpu_seconds("lbx-encode")
                + host.submit_seconds,
            client_cpu: usage::thread_cpu_seconds("lbx-client"),
            wire_bytes: session.wire_bytes,
            packets: session.packets,
            traffic: traffic(session.traffic),
            techniques: session.techniques,
        }
    }

    /// What was counted since `before`. A connection that was lost takes its packets with it: then there are none.
    pub(super) fn since(self, before: &Self) -> Self {
        let pair =
            |now: (u64, u64), then: (u64, u64)| (now.0.saturating_sub(then.0), now.1.saturating_sub(then.1));
        let then = |at| before.traffic.get(at).copied().unwrap_or_default();
        let less = |(name, now): (&'static str, Used)| {
            let then = before.techniques.get(name).copied().unwrap_or_default();
            let (rects, pixels, bytes) =
                (now.rects - then.rects, now.pixels - then.pixels, now.bytes - then.bytes);
            (rects > 0).then_some((name, Used { rects, pixels, bytes }))
        };
        Self {
            frames: self.frames - before.frames,
            frame_bytes: self.frame_bytes - before.frame_bytes,
            encode_us: self.encode_us - before.encode_us,
            server_cpu: self.server_cpu - before.server_cpu,
            client_cpu: self.client_cpu - before.client_cpu,
            wire_bytes: self.wire_bytes.saturating_sub(before.wire_bytes),
            packets: pair(self.packets, before.packets),
            traffic: self.traffic.iter().enumerate().map(|(at, now)| pair(*now, then(at))).collect(),
            techniques: self.techniques.into_iter().filter_map(less).collect(),
        }
    }

    /// Where the bytes went: packets each way, messages and their bytes by purpose; the rest is what QUIC, UDP and IP
    /// wrap them in.
    pub(super) fn parts(&self) -> Value {
        let mut parts = json!({ "packets_down": self.packets.0, "packets_up": self.packets.1 });
        let mut rest = self.wire_bytes;
        for (purpose, (messages, bytes)) in Purpose::ALL.iter().zip(&self.traffic) {
            rest = rest.saturating_sub(*bytes);
            parts[purpose.name()] = json!([messages, bytes]);
        }
        parts["wrapping"] = json!(rest);
        parts
    }

    /// What was sent by which technique.
    pub(super) fn techniques(&self) -> Value {
        used_json(&self.techniques)
    }
}
