//! Hostile peers of either role over real QUIC on loopback: each misdeed gets the close code that SPEC.md gives, or is
//! dropped, and honest sessions beside it go on, exact.

mod client;
#[path = "../support/desk.rs"]
mod desk;
mod server;
#[path = "../support/mod.rs"]
mod support;

use bytes::Bytes;
use lightbox_net::endpoint::Connection;
use lightbox_protocol::wire::{Encode, Writer, frame};

/// What a hostile peer does on a connection that is established.
#[derive(Clone, Debug)]
enum Misdeed {
    /// Bytes on the control stream.
    Control(Vec<u8>),
    /// A one-way stream; it is ended if the flag is set, and left open otherwise.
    Stream(Vec<u8>, bool),
    /// A one-way stream that is reset after these bytes.
    Reset(Vec<u8>),
    /// A second stream that goes both ways.
    Both(Vec<u8>),
    Datagram(Vec<u8>),
    /// The end of the control stream.
    End,
}

impl Misdeed {
    /// A message of any bytes.
    fn message(kind: u64, body: &[u8]) -> Self {
        Self::Control(frame::write(kind, &Raw(body)).to_vec())
    }
}

/// Bytes as they are.
struct Raw<'a>(&'a [u8]);

impl Encode for Raw<'_> {
    fn encode(&self, out: &mut Writer) {
        out.bytes(self.0);
    }
}

/// Does `misdeeds` in turn. `control` is the control stream's way out; what comes after the victim closed is lost.
macro_rules! misbehave {
    ($connection:expr, $control:expr, $misdeeds:expr) => {{
        let quic = $connection.quic();
        // Streams that are left open must not be ended by going out of scope.
        let mut open = Vec::new();
        let mut both = Vec::new();
        for misdeed in $misdeeds {
            match misdeed {
                crate::Misdeed::Control(bytes) => drop($control.write_all(&bytes).await),
                crate::Misdeed::End => drop($control.finish()),
                crate::Misdeed::Datagram(bytes) => drop(quic.send_datagram(bytes.into())),
                crate::Misdeed::Stream(bytes, end) => {
                    let Ok(mut stream) = quic.open_uni().await else { break };
                    let _ = stream.write_all(&bytes).await;
                    if end {
                        let _ = stream.finish();
                    } else {
                        open.push(stream);
                    }
                }
                crate::Misdeed::Reset(bytes) => {
                    let Ok(mut stream) = quic.open_uni().await else { break };
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.reset(0u32.into());
                }
                crate::Misdeed::Both(bytes) => {
                    let Ok((mut send, recv)) = quic.open_bi().await else { break };
                    let _ = send.write_all(&bytes).await;
                    both.push((send, recv));
                }
            }
        }
        (open, both)
    }};
}
use misbehave;

/// The code and the words with which the peer closed the connection.
async fn closed(name: &str, connection: &Connection) -> (u64, String) {
    let closed = tokio::time::timeout(support::PATIENCE, connection.quic().closed()).await;
    let text = closed.unwrap_or_else(|_| panic!("{name}: the peer does not close")).to_string();
    // "closed by peer: the words (code 3)", or the code alone where there are no words.
    let (words, code) =
        text.rsplit_once("(code ").unwrap_or(("", text.trim_start_matches("closed by peer: ")));
    let code = code.trim_end_matches(')').parse();
    (code.unwrap_or_else(|_| panic!("no code of the peer: {text}")), words.to_string())
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A message as the bytes of its wire frame, for a control stream.
fn control(message: &lightbox_protocol::msg::control::Control) -> Misdeed {
    let bytes: Bytes = message.to_frame();
    Misdeed::Control(bytes.to_vec())
}
