//! QMP, as far as it takes to be let onto QEMU's D-Bus.

use std::io::{BufRead, BufReader, ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde_json::{Value, json};

use super::fault::{Fault, one_line};

/// What QEMU may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest line that is read. Answers to what is asked here are far shorter.
const LONGEST_LINE: u64 = 1 << 20;
/// Events that QEMU may tell before it answers.
const MOST_EVENTS: usize = 1_000;

/// One end of a socket whose other end QEMU serves as a D-Bus. The QMP socket, which takes one program at a time, is
/// free again.
pub(super) fn attach(path: &Path) -> Result<UnixStream, Fault> {
    let mut qmp = Qmp::connect(path)?;
    let (ours, theirs) = UnixStream::pair()?;
    qmp.run(&json!({ "execute": "qmp_capabilities" }), None)?;
    qmp.run(&json!({ "execute": "getfd", "arguments": { "fdname": FD } }), Some(&theirs))?;
    let add = json!({ "execute": "add_client", "arguments": { "protocol": "@dbus-display", "fdname": FD } });
    qmp.run(&add, None).map_err(|fault| match fault {
        Fault::Wrong(said) => Fault::Wrong(format!("{said}; start QEMU with -display dbus,p2p=yes")),
        other => other,
    })?;
    Ok(ours)
}

const FD: &str = "lightbox";

struct Qmp {
    stream: BufReader<UnixStream>,
}

impl Qmp {
    fn connect(path: &Path) -> Result<Self, Fault> {
        let stream = UnixStream::connect(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Fault::Wrong(
                "there is no such socket: start QEMU with -qmp unix:PATH,server=on,wait=off".into(),
            ),
            ErrorKind::ConnectionRefused => Fault::Wrong("nobody listens there: is QEMU running?".into()),
            ErrorKind::PermissionDenied => {
                Fault::Wrong("this user may not open the socket: run as the user QEMU runs as".into())
            }
            _ => Fault::Io(error),
        })?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut qmp = Self { stream: BufReader::new(stream) };
        let greeting = qmp.line().map_err(|fault| match fault {
            Fault::Io(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Fault::Wrong("it says nothing: does another program hold this QMP socket?".into())
            }
            other => other,
        })?;
        match greeting.get("QMP") {
            Some(_) => Ok(qmp),
            None => Err(no_qmp()),
        }
    }

    /// Runs a command, whose answer must be that it was done. `with` goes along.
    fn run(&mut self, command: &Value, with: Option<&UnixStream>) -> Result<(), Fault> {
        let line = format!("{command}\n");
        let stream = self.stream.get_mut();
        let sent = match with {
            Some(fd) => send_with(stream, line.as_bytes(), fd)?,
            None => 0,
        };
        stream.write_all(&line.as_bytes()[sent..])?;
        for _ in 0..MOST_EVENTS {
            let answer = self.line()?;
            if answer.get("return").is_some() {
                return Ok(());
            }
            if let Some(error) = answer.get("error") {
                let said = error.get("desc").and_then(Value::as_str).unwrap_or("an error without words");
                return Err(Fault::Wrong(format!("QEMU says: {}", one_line(said.trim_end_matches('.')))));
            }
        }
        Err(Fault::Wrong("it tells events and never answers".into()))
    }

    fn line(&mut self) -> Result<Value, Fault> {
        let mut line = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(Fault::Wrong("it closed the connection".into()));
        }
        serde_json::from_slice(&line).map_err(|_| no_qmp())
    }
}

fn no_qmp() -> Fault {
    Fault::Wrong("it does not speak QMP: is this the socket of QEMU's -qmp?".into())
}

/// Writes `bytes` or their beginning, and `fd` along with them. How many were written.
fn send_with(stream: &UnixStream, bytes: &[u8], fd: &UnixStream) -> Result<usize, Fault> {
    let fds = [fd.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut along = SendAncillaryBuffer::new(&mut space);
    along.push(SendAncillaryMessage::ScmRights(&fds));
    rustix::net::sendmsg(stream, &[IoSlice::new(bytes)], &mut along, SendFlags::NOSIGNAL)
        .map_err(|error| Fault::Io(error.into()))
}
