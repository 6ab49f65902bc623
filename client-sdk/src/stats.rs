use std::collections::BTreeMap;

use lightbox_protocol::exact::Counts;

/// What a client received.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Frames painted.
    pub frames: u64,
    /// Frames that could not be painted.
    pub failed: u64,
    /// Bytes of coded rects by the still codec's method, and `fill` and `copy` by their steps' size.
    pub techniques: BTreeMap<&'static str, (u64, u64)>,
    /// Time spent decoding and painting, in microseconds.
    pub paint_us: u64,
    /// Tiles by state.
    pub tiles: Counts,
    /// Whether "verified" stands.
    pub lease_lives: bool,
    /// Bytes on the wire so far, both ways, over all connections, IP and UDP headers included.
    pub wire_bytes: u64,
    /// Round-trip time in microseconds.
    pub rtt_us: u64,
    /// How often the session went on over another connection.
    pub resumed: u64,
}
