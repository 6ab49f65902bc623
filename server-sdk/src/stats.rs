use std::collections::BTreeMap;

use lightbox_protocol::Time;
use lightbox_protocol::exact::Counts;
use lightbox_protocol::rate::pace::State;
use lightbox_protocol::session::Traffic;

use crate::encode::{Technique, Used};

/// What became of what one session was sent.
#[derive(Clone, Debug, Default)]
pub struct SessionStats {
    /// Frames sent.
    pub frames: u64,
    /// Bytes of those frames, before the transport's headers.
    pub frame_bytes: u64,
    /// What was sent by which technique.
    pub techniques: BTreeMap<&'static str, Used>,
    /// Tiles by state.
    pub tiles: Counts,
    /// Tiles that reached the client other than they left.
    pub mismatches: u64,
    /// Tiles that took longer than [`Contract::ExactWithin`](crate::Contract::ExactWithin) allows.
    pub late_tiles: u64,
    /// Frames acknowledged.
    pub shown: u64,
    /// The newest acknowledged frame's age when the acknowledgement came, in microseconds.
    pub age_us: u64,
    /// Time spent making frames, in microseconds.
    pub encode_us: u64,
    /// The pace of frames, and since when.
    pub pace: (State, Time),
    /// Bytes on the wire of the present connection, both ways, IP and UDP headers included.
    pub wire_bytes: u64,
    /// Packets of the present connection, sent and received.
    pub packets: (u64, u64),
    /// What the packets of all the session's connections had in them, by what it was for.
    pub traffic: Traffic,
    /// Round-trip time in microseconds.
    pub rtt_us: u64,
}

impl SessionStats {
    pub(crate) fn count(&mut self, used: &[(Technique, Used)]) {
        for (how, used) in used {
            self.techniques.entry(how.name()).or_default().add(*used);
        }
    }
}

/// What became of what one output was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputStats {
    /// Frames submitted.
    pub submitted: u64,
    /// Tiles that had changed.
    pub changed_tiles: u64,
    /// Tiles damaged by the host's word that had not changed.
    pub false_tiles: u64,
    /// Tiles that had changed without the host's word.
    pub under_reported: u64,
    /// Bytes of samples taken from frames by the host's word: each is read once, compared, and copied into the snapshot.
    pub taken_bytes: u64,
    /// The same for tiles that the sweep looked at.
    pub swept_bytes: u64,
}
