//! Peers that break the rules, in tables: each misdeed closes the connection with the code that SPEC.md gives, or is
//! dropped; what is held meanwhile stays within SPEC.md 14.2; and a victim that goes on still serves honest peers.

mod client;
mod server;

use bytes::Bytes;
use lightbox_protocol::Time;
use lightbox_protocol::session::{Cause, Effect, Session};
use lightbox_protocol::wire::{Encode, Writer, frame};

use crate::pair::effects;

/// What a victim must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Close with this code.
    Closes(u64),
    /// Go on as if nothing had happened.
    GoesOn,
}

/// Bytes as they are.
struct Raw<'a>(&'a [u8]);

impl Encode for Raw<'_> {
    fn encode(&self, out: &mut Writer) {
        out.bytes(self.0);
    }
}

/// A wire frame of type `kind` on the control stream.
fn control<C>(kind: u64, body: &[u8]) -> Cause<C> {
    Cause::Control(frame::write(kind, &Raw(body)))
}

/// Bytes on the control stream.
fn raw<C>(bytes: &[u8]) -> Cause<C> {
    Cause::Control(Bytes::copy_from_slice(bytes))
}

/// A whole stream.
fn stream<C>(id: u64, bytes: &[u8]) -> Cause<C> {
    Cause::Stream { id, bytes: Bytes::copy_from_slice(bytes), fin: true }
}

/// A part of a stream.
fn part<C>(id: u64, bytes: &[u8]) -> Cause<C> {
    Cause::Stream { id, bytes: Bytes::copy_from_slice(bytes), fin: false }
}

fn datagram<C>(bytes: &[u8]) -> Cause<C> {
    Cause::Datagram(Bytes::copy_from_slice(bytes))
}

/// Lets `misdeeds` happen to `victim`. The code that it closes with and how many it took before; its other effects.
fn suffer<S: Session>(
    victim: &mut S,
    misdeeds: impl IntoIterator<Item = Cause<S::Command>>,
) -> (Option<u64>, usize, Vec<Effect<S::Event>>) {
    let mut seen = Vec::new();
    for (taken, misdeed) in misdeeds.into_iter().enumerate() {
        victim.handle(NOW, misdeed);
        for effect in effects(victim) {
            if let Effect::Close(why) = effect {
                return (Some(why.code), taken, seen);
            }
            seen.push(effect);
        }
    }
    (None, usize::MAX, seen)
}

const NOW: Time = Time(1_000_000);
