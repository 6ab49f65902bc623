//! Byte streams of a session under fuzz: what a peer may say on them, and what an application may do with them.

use bytes::Bytes;
use lightbox_protocol::channel::stream::{Carrier, Read, StreamId, Streams, WINDOW};
use lightbox_protocol::msg::control::Close;
use lightbox_protocol::msg::stream::{Open, StreamMessage, Urgency};
use lightbox_protocol::session::Cause;
use lightbox_protocol::wire::ids;

use super::script::Script;

/// Bytes of some stream: a message in or out of its place, several, or garbage.
pub(super) fn cause<C>(script: &mut Script<'_>) -> Cause<C> {
    let carrier = Carrier { ours: script.below(4) == 0, number: u64::from(script.below(16)) };
    let mut bytes = Vec::new();
    if script.chance() {
        bytes.push(if script.below(16) == 1 { script.u8() } else { ids::stream::BYTES as u8 });
    }
    match script.below(8) {
        0 => bytes.extend(script.bytes(64)),
        n => (0..n % 4).for_each(|_| bytes.extend(message(script).to_frame())),
    }
    let cut = if script.below(8) == 1 { usize::from(script.u8()) } else { bytes.len() };
    bytes.truncate(cut);
    Cause::Both { carrier, bytes: Bytes::from(bytes), fin: script.below(4) == 1 }
}

fn message(script: &mut Script<'_>) -> StreamMessage {
    let credit = |script: &mut Script<'_>| script.number() as u32;
    match script.below(8) {
        0 | 1 => {
            let name = ["usb.0", "files", "agent"][script.below(3) as usize].parse().expect("a name");
            StreamMessage::Open(Open { name, urgency: urgency(script), credit: credit(script) })
        }
        2 => StreamMessage::Accept(credit(script)),
        3 | 4 => StreamMessage::Data(vec![script.u8(); 1 + usize::from(script.u16()) % 16_384].into()),
        5 => StreamMessage::Credit(credit(script)),
        6 => StreamMessage::End,
        _ => StreamMessage::Close(Close::new(script.number(), "bye")),
    }
}

/// An application's step, with any number that events may have told.
pub(super) fn application(script: &mut Script<'_>, streams: &mut Streams) {
    let id = StreamId(u64::from(script.below(16)));
    match script.below(8) {
        0 => drop(streams.open("usb.0".parse().expect("a name"), urgency(script))),
        1 | 2 => drop(streams.accept(id)),
        3 => {
            let given = vec![7; usize::from(script.u16())];
            if let Ok(taken) = streams.write(id, &given) {
                assert!(taken <= given.len());
            }
        }
        4 | 5 => {
            let mut all = 0;
            let mut piece = [0; 4_096];
            while let Ok(Read::Bytes(len)) = streams.read(id, &mut piece) {
                assert!(len > 0 && len <= piece.len());
                all += len;
            }
            assert!(all <= WINDOW as usize, "{all} bytes were held for one stream");
        }
        6 => drop(streams.end(id)),
        _ => streams.close(id, Close::new(ids::close::DONE, "")),
    }
}

fn urgency(script: &mut Script<'_>) -> Urgency {
    [Urgency::Urgent, Urgency::Normal, Urgency::Bulk][script.below(3) as usize]
}
