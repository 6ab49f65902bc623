//! Acknowledgements that wait for company.
//!
//! A typed letter is a packet of a hundred bytes, and an acknowledgement on its own is a packet of sixty. So each side
//! tells the other, by the parameters of RFC 9000 and of the acknowledgement frequency draft, that it may wait for up
//! to [`PATIENCE`]; before that a proof or a frame nearly always leaves, and takes the acknowledgement along.
//!
//! quinn has no setting for what a side says of itself, and asks its peer for no more than the larger of 25 ms and the
//! round-trip time unless the peer says that it cannot do less. Its parameters pass through here on their way into TLS,
//! and that is said.

use std::sync::Arc;
use std::time::Duration;

use quinn_proto::coding::Codec;
use quinn_proto::crypto::{ClientConfig, Keys, ServerConfig, Session, UnsupportedVersion};
use quinn_proto::transport_parameters::TransportParameters;
use quinn_proto::{AckFrequencyConfig, ConnectError, ConnectionId, Side, VarInt};

/// How long an acknowledgement may wait. A frame that nothing follows is missed after as much more than a round trip.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);
/// So many packets may wait for one acknowledgement, when they come in order: with eight, a thin line ran a third behind.
const PACKETS: u32 = 3;

/// What a side asks of the other's acknowledgements.
pub(super) fn frequency() -> AckFrequencyConfig {
    let mut asks = AckFrequencyConfig::default();
    // What is out of order is told at once: a loss shows with the next packet.
    asks.ack_eliciting_threshold(VarInt::from_u32(PACKETS))
        .max_ack_delay(Some(PATIENCE))
        .reordering_threshold(VarInt::from_u32(1));
    asks
}

/// TLS for one side of a connection, whose parameters say how long its acknowledgements may wait.
pub(crate) struct Patient<T>(pub(crate) Arc<T>);

impl<T: ClientConfig> ClientConfig for Patient<T> {
    fn start_session(
        self: Arc<Self>,
        version: u32,
        server_name: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        match patient(params, Side::Server) {
            Some(params) => self.0.clone().start_session(version, server_name, &params),
            None => self.0.clone().start_session(version, server_name, params),
        }
    }
}

impl<T: ServerConfig> ServerConfig for Patient<T> {
    fn initial_keys(&self, version: u32, dst_cid: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.0.initial_keys(version, dst_cid)
    }

    fn retry_tag(&self, version: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.0.retry_tag(version, orig_dst_cid, packet)
    }

    fn start_session(self: Arc<Self>, version: u32, params: &TransportParameters) -> Box<dyn Session> {
        match patient(params, Side::Client) {
            Some(params) => self.0.clone().start_session(version, &params),
            None => self.0.clone().start_session(version, params),
        }
    }
}

/// `params` with our patience, as `reader` will read them; `None` if they are not what they were when this was written.
fn patient(params: &TransportParameters, reader: Side) -> Option<TransportParameters> {
    let mut written = Vec::new();
    params.write(&mut written);
    let mut rest = &written[..];
    let mut said = Vec::new();
    while !rest.is_empty() {
        let id = VarInt::decode(&mut rest).ok()?.into_inner();
        let (value, after) = rest_of(rest)?;
        if id != MAX_ACK_DELAY && id != MIN_ACK_DELAY {
            put(&mut said, id, value)?;
        }
        rest = after;
    }
    let of = |number: u128| {
        let mut value = Vec::new();
        VarInt::from_u64(number as u64).ok()?.encode(&mut value);
        Some(value)
    };
    put(&mut said, MAX_ACK_DELAY, &of(PATIENCE.as_millis())?)?;
    put(&mut said, MIN_ACK_DELAY, &of(PATIENCE.as_micros())?)?;
    TransportParameters::read(reader, &mut &said[..]).ok()
}

/// The value that a length begins, and what follows it.
fn rest_of(mut from: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = VarInt::decode(&mut from).ok()?.into_inner();
    from.split_at_checked(usize::try_from(len).ok()?)
}

fn put(said: &mut Vec<u8>, id: u64, value: &[u8]) -> Option<()> {
    VarInt::from_u64(id).ok()?.encode(said);
    VarInt::from_u64(value.len() as u64).ok()?.encode(said);
    said.extend_from_slice(value);
    Some(())
}

/// RFC 9000, 18.2: in milliseconds.
const MAX_ACK_DELAY: u64 = 0x0b;
/// draft-ietf-quic-ack-frequency-07, 3: in microseconds.
const MIN_ACK_DELAY: u64 = 0xff04_de1b;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn all(mut rest: &[u8]) -> BTreeMap<u64, Vec<u8>> {
        let mut all = BTreeMap::new();
        while !rest.is_empty() {
            let id = VarInt::decode(&mut rest).unwrap().into_inner();
            let (value, after) = rest_of(rest).unwrap();
            all.insert(id, value.to_vec());
            rest = after;
        }
        all
    }

    #[test]
    fn the_patience_is_said_and_all_else_stays() {
        let mut said = Vec::new();
        // initial_max_data 1,024, disable_active_migration, and what quinn says of its acknowledgements.
        for (id, value) in [(0x04, &[0x44, 0][..]), (0x0c, &[]), (MIN_ACK_DELAY, &[0x43, 0xe8])] {
            put(&mut said, id, value).unwrap();
        }
        let params = TransportParameters::read(Side::Client, &mut &said[..]).unwrap();
        let mut written = Vec::new();
        patient(&params, Side::Client).unwrap().write(&mut written);
        let mut expected = all(&said);
        expected.insert(MAX_ACK_DELAY, vec![0x40, 100]);
        expected.insert(MIN_ACK_DELAY, vec![0x80, 0x01, 0x86, 0xa0]);
        assert_eq!(all(&written), expected);
    }
}
