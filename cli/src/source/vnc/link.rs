//! The connection: handshake, security, and numbers off the wire.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use lightbox_codec::geom::{MAX_SIDE, Size};

use super::auth;

/// What a server may take to go on with a message that it began, or with the handshake.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest reason or name that is read.
const MAX_TEXT: u32 = 65_536;

/// Why there is no more to be had of a server.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Wrong(String),
}

/// A connection past its handshake, its pixels agreed on: blue, green, red and an unused byte.
pub(super) struct Link {
    stream: BufReader<TcpStream>,
    size: Size,
    /// The server takes the places of keys, not only what stands on them.
    pub(super) has_scancodes: bool,
}

impl Link {
    pub(super) fn open(server: &str, password: Option<&str>) -> Result<Self, Fault> {
        let mut last = None;
        for address in server.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return Self::greet(stream, password),
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(|| Fault::Wrong("its name has no address".into()), Fault::Io))
    }

    fn greet(stream: TcpStream, password: Option<&str>) -> Result<Self, Fault> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut link = Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            size: Size::new(1, 1),
            has_scancodes: false,
        };
        let version = link.version()?;
        link.security(version, password)?;
        // Others may look at the same desktop.
        link.send(&[1])?;
        link.size = link.read_size()?;
        link.skip(16)?;
        let name = link.u32()?;
        link.text(name)?;
        link.send(&PIXELS)?;
        let mut encodings = vec![2, 0];
        encodings.extend((ENCODINGS.len() as u16).to_be_bytes());
        encodings.extend(ENCODINGS.iter().flat_map(|encoding| encoding.to_be_bytes()));
        link.send(&encodings)?;
        Ok(link)
    }

    /// The minor number of the version that both speak.
    fn version(&mut self) -> Result<u8, Fault> {
        let said: [u8; 12] = self.array()?;
        let minor = std::str::from_utf8(&said[8..11]).ok().and_then(|digits| digits.parse().ok());
        let Some(minor) = minor.filter(|_: &u32| said.starts_with(b"RFB ") && said[11] == b'\n') else {
            return Err(Fault::Wrong("it does not speak RFB: is this a VNC port?".into()));
        };
        // Apple's and others' higher numbers are 3.8 for us; 3.4 to 3.6 never were.
        let minor = match minor {
            8.. => 8,
            7 => 7,
            _ => 3,
        };
        self.send(format!("RFB 003.{minor:03}\n").as_bytes())?;
        Ok(minor)
    }

    fn security(&mut self, version: u8, password: Option<&str>) -> Result<(), Fault> {
        let kind =
            if version == 3 { self.u32()?.try_into().unwrap_or(u8::MAX) } else { self.choose(password)? };
        match kind {
            0 => return Err(self.refused("it refuses connections")),
            NONE if version < 8 => return Ok(()),
            NONE => (),
            PASSWORD => {
                let challenge = self.array()?;
                let Some(password) = password else {
                    return Err(Fault::Wrong(
                        "it asks for a password: set LIGHTBOX_VNC_PASSWORD in the environment".into(),
                    ));
                };
                self.send(&auth::answer(password, challenge))?;
            }
            other => {
                return Err(Fault::Wrong(format!(
                    "it wants security type {other}; only none and password are known"
                )));
            }
        }
        match self.u32()? {
            0 => Ok(()),
            _ if version == 8 => Err(self.refused("it refuses the password")),
            _ => Err(Fault::Wrong("it refuses the password".into())),
        }
    }

    fn choose(&mut self, password: Option<&str>) -> Result<u8, Fault> {
        let count = self.u8()?;
        let mut kinds = vec![0; usize::from(count)];
        self.stream.read_exact(&mut kinds)?;
        let wanted = if password.is_some() { [PASSWORD, NONE] } else { [NONE, PASSWORD] };
        let Some(kind) = wanted.into_iter().find(|kind| kinds.contains(kind)) else {
            if kinds.is_empty() {
                return Ok(0);
            }
            return Err(Fault::Wrong(format!(
                "it wants security of the types {kinds:?}; only none (1) and password (2) are known"
            )));
        };
        self.send(&[kind])?;
        Ok(kind)
    }

    fn refused(&mut self, what: &str) -> Fault {
        let reason = self.u32().and_then(|length| self.text(length)).unwrap_or_default();
        Fault::Wrong(if reason.is_empty() { what.into() } else { format!("{what}: {reason}") })
    }

    /// The desktop's size at the start.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Asks for a picture of this size: for what changes in it, or for all of it.
    pub(super) fn ask(&mut self, size: Size, incremental: bool) -> Result<(), Fault> {
        let mut message = vec![3, u8::from(incremental), 0, 0, 0, 0];
        message.extend((size.w as u16).to_be_bytes());
        message.extend((size.h as u16).to_be_bytes());
        self.send(&message)
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        Ok(self.stream.get_mut().write_all(bytes)?)
    }

    /// True if a message has begun by the end of `wait`.
    pub(super) fn wait(&mut self, wait: Duration) -> Result<bool, Fault> {
        if !self.stream.buffer().is_empty() {
            return Ok(true);
        }
        self.stream.get_ref().set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        let outcome = match self.stream.fill_buf() {
            Ok([]) => Err(Fault::Wrong("it closed the connection".into())),
            Ok(_) => Ok(true),
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                Ok(false)
            }
            Err(e) => Err(e.into()),
        };
        self.stream.get_ref().set_read_timeout(Some(PATIENCE))?;
        outcome
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn read_size(&mut self) -> Result<Size, Fault> {
        size_of(self.u16()?, self.u16()?)
    }

    /// Fills `into`.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<(), Fault> {
        Ok(self.stream.read_exact(into)?)
    }

    /// Reads and forgets.
    pub(super) fn skip(&mut self, bytes: u64) -> Result<(), Fault> {
        let skipped = std::io::copy(&mut self.stream.by_ref().take(bytes), &mut std::io::sink())?;
        if skipped < bytes { Err(Fault::Wrong("it closed the connection".into())) } else { Ok(()) }
    }

    fn text(&mut self, length: u32) -> Result<String, Fault> {
        if length > MAX_TEXT {
            return Err(Fault::Wrong(format!("it sends a text of {length} bytes")));
        }
        let mut bytes = vec![0; length as usize];
        self.stream.read_exact(&mut bytes)?;
        // It goes to a terminal.
        Ok(String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect())
    }
}

/// A desktop's size, if a surface can have it.
pub(super) fn size_of(w: u16, h: u16) -> Result<Size, Fault> {
    let (w, h) = (u32::from(w), u32::from(h));
    if (1..=MAX_SIDE).contains(&w) && (1..=MAX_SIDE).contains(&h) {
        Ok(Size::new(w, h))
    } else {
        Err(Fault::Wrong(format!("it shows a desktop of {w}x{h}; sides of 1 to {MAX_SIDE} can be served")))
    }
}

const NONE: u8 = 1;
const PASSWORD: u8 = 2;

/// SetPixelFormat: 32 bits, depth 24, little-endian, red at bit 16, green at 8, blue at 0.
const PIXELS: [u8; 20] = [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];

pub(super) const RAW: i32 = 0;
pub(super) const COPY_RECT: i32 = 1;
pub(super) const ZRLE: i32 = 16;
pub(super) const CURSOR: i32 = -239;
pub(super) const DESKTOP_SIZE: i32 = -223;
pub(super) const LAST_RECT: i32 = -224;
pub(super) const QEMU_KEYS: i32 = -258;
pub(super) const EXTENDED_SIZE: i32 = -308;

/// What the server may use; the first it likes best.
const ENCODINGS: [i32; 8] = [ZRLE, COPY_RECT, RAW, CURSOR, DESKTOP_SIZE, LAST_RECT, QEMU_KEYS, EXTENDED_SIZE];
