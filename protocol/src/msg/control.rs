//! SPEC.md, "Control": admission, surfaces, layout, proofs and verdicts.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use super::capabilities::Capabilities;
pub use super::proof::{MAX_PROOF, Proof, Root, TileProof, Verdict};
use crate::geom::Size;
use crate::pixel::{PixelFormat, SampleDepth};
use crate::wire::ids::{close, control, format};
use crate::wire::{Decode, Encode, Reader, WireError, Writer};

/// The newest protocol version. ALPN already says `lightbox/1`; this counts compatible steps within it.
pub const VERSION: u64 = 1;
/// The longest ticket, in bytes.
pub const MAX_TICKET: u64 = 64;
/// The longest name or reason, in bytes of UTF-8.
pub const MAX_TEXT: u64 = 256;
/// The most surfaces a session has at one time.
pub const MAX_SURFACES: usize = 16;
/// Names a session across its connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub [u8; 16]);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// Every message of the control stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Control {
    /// See [`Hello`].
    Hello(Hello),
    /// See [`Welcome`].
    Welcome(Welcome),
    /// See [`Surface`].
    Surface(Surface),
    /// The surface of this number is no more.
    SurfaceGone(u32),
    /// See [`Layout`].
    Layout(Layout),
    /// The layout that the terminal would like; the guest decides.
    WantLayout(Layout),
    /// See [`Proof`].
    Proof(Proof),
    /// See [`Root`].
    Root(Root),
    /// See [`Verdict`].
    Verdict(Verdict),
    /// The root of this number says nothing: prove its tiles one by one.
    Singly(u64),
    /// The frame of this number could not be painted: send its tiles again.
    Nack(u64),
    /// The lock keys as the guest has them.
    Leds(super::input::Locks),
    /// See [`Close`].
    Close(Close),
}

impl Control {
    /// The message as a wire frame.
    pub fn to_frame(&self) -> bytes::Bytes {
        crate::wire::frame::write(self.kind(), self)
    }

    /// Its number in [`control`].
    pub fn kind(&self) -> u64 {
        match self {
            Control::Hello(_) => control::HELLO,
            Control::Welcome(_) => control::WELCOME,
            Control::Surface(_) => control::SURFACE,
            Control::SurfaceGone(_) => control::SURFACE_GONE,
            Control::Layout(_) => control::LAYOUT,
            Control::WantLayout(_) => control::WANT_LAYOUT,
            Control::Proof(_) => control::PROOF,
            Control::Root(_) => control::ROOT,
            Control::Verdict(_) => control::VERDICT,
            Control::Singly(_) => control::SINGLY,
            Control::Nack(_) => control::NACK,
            Control::Leds(_) => control::LEDS,
            Control::Close(_) => control::CLOSE,
        }
    }

    /// Reads the message of type `kind`; `None` where the type is not known and must be skipped.
    pub fn read(kind: u64, bytes: &[u8]) -> Result<Option<Control>, WireError> {
        Ok(Some(match kind {
            control::HELLO => Control::Hello(Hello::from_bytes(bytes)?),
            control::WELCOME => Control::Welcome(Welcome::from_bytes(bytes)?),
            control::SURFACE => Control::Surface(Surface::from_bytes(bytes)?),
            control::SURFACE_GONE => Control::SurfaceGone(SurfaceNumber::from_bytes(bytes)?.0),
            control::LAYOUT => Control::Layout(Layout::from_bytes(bytes)?),
            control::WANT_LAYOUT => Control::WantLayout(Layout::from_bytes(bytes)?),
            control::PROOF => Control::Proof(Proof::from_bytes(bytes)?),
            control::ROOT => Control::Root(Root::from_bytes(bytes)?),
            control::VERDICT => Control::Verdict(Verdict::from_bytes(bytes)?),
            control::SINGLY => Control::Singly(Number::from_bytes(bytes)?.0),
            control::NACK => Control::Nack(Number::from_bytes(bytes)?.0),
            control::LEDS => Control::Leds(Decode::from_bytes(bytes)?),
            control::CLOSE => Control::Close(Close::from_bytes(bytes)?),
            _ => return Ok(None),
        }))
    }
}

impl Encode for Control {
    fn encode(&self, out: &mut Writer) {
        match self {
            Control::Hello(m) => m.encode(out),
            Control::Welcome(m) => m.encode(out),
            Control::Surface(m) => m.encode(out),
            Control::SurfaceGone(id) => out.varint(u64::from(*id)),
            Control::Layout(m) | Control::WantLayout(m) => m.encode(out),
            Control::Proof(m) => m.encode(out),
            Control::Root(m) => m.encode(out),
            Control::Verdict(m) => m.encode(out),
            Control::Nack(number) | Control::Singly(number) => out.varint(*number),
            Control::Leds(m) => m.encode(out),
            Control::Close(m) => m.encode(out),
        }
    }
}

struct SurfaceNumber(u32);
impl Decode for SurfaceNumber {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        input.u32v("surface").map(SurfaceNumber)
    }
}

struct Number(u64);
impl Decode for Number {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        input.varint().map(Number)
    }
}

/// Client, first message: who I am and what I can do.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The newest version the client speaks.
    pub version: u64,
    /// What it can do.
    pub capabilities: Capabilities,
    /// The terminal's name, for people to read.
    pub terminal: String,
    /// The one-use admission; empty where a certificate or a resume proof admits.
    pub ticket: Vec<u8>,
    /// The session to go on with.
    pub resume: Option<Resume>,
}

/// Going on with a session after its connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Which.
    pub session: SessionId,
    /// BLAKE3 keyed with the session's resume secret, over the new connection's TLS exporter value.
    pub proof: [u8; 32],
    /// Every frame up to this one was applied.
    pub applied_to: u64,
}

impl Encode for Hello {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.version);
        self.capabilities.encode(out);
        out.blob(self.terminal.as_bytes());
        out.blob(&self.ticket);
        out.flag(self.resume.is_some());
        if let Some(resume) = &self.resume {
            out.bytes(&resume.session.0);
            out.bytes(&resume.proof);
            out.varint(resume.applied_to);
        }
    }
}

impl Decode for Hello {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Hello {
            version: input.varint()?,
            capabilities: Decode::decode(input)?,
            terminal: input.text("terminal name", MAX_TEXT)?,
            ticket: input.blob("ticket length", MAX_TICKET)?.into(),
            resume: match input.flag("resume flag")? {
                false => None,
                true => Some(Resume {
                    session: SessionId(input.array()?),
                    proof: input.array()?,
                    applied_to: input.varint()?,
                }),
            },
        })
    }
}

/// Server: you are in.
#[derive(Clone, Debug, PartialEq)]
pub struct Welcome {
    /// The version both speak.
    pub version: u64,
    /// What the server will use.
    pub capabilities: Capabilities,
    /// The session's name.
    pub session: SessionId,
    /// With it the client proves, over another connection, that it is the same.
    pub resume_secret: [u8; 32],
    /// How long a lost session waits for its client, in milliseconds.
    pub resume_ms: u64,
    /// True where the session goes on; the client forgets all its surfaces otherwise.
    pub resumed: bool,
    /// Every frame up to this one will not come any more.
    pub void_to: u64,
    /// What the person may do.
    pub role: Role,
}

/// What the person may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// See, and give input.
    #[default]
    Control,
    /// See only: the server drops input.
    View,
}

impl Encode for Welcome {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.version);
        self.capabilities.encode(out);
        out.bytes(&self.session.0);
        out.bytes(&self.resume_secret);
        out.varint(self.resume_ms);
        out.flag(self.resumed);
        out.varint(self.void_to);
        out.u8(match self.role {
            Role::Control => 0,
            Role::View => 1,
        });
    }
}

impl Decode for Welcome {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Welcome {
            version: input.varint()?,
            capabilities: Decode::decode(input)?,
            session: SessionId(input.array()?),
            resume_secret: input.array()?,
            resume_ms: input.varint()?,
            resumed: input.flag("resumed flag")?,
            void_to: input.varint()?,
            role: match input.u8()? {
                0 => Role::Control,
                1 => Role::View,
                got => return Err(WireError::Value { what: "role", got: got.into() }),
            },
        })
    }
}

/// Server: keep a rectangle of samples, painted by frames. A known number of the same size and format, in the same
/// generation or a later one, keeps its samples, which are proved anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surface {
    /// Its number.
    pub id: u32,
    /// Counts up with each new nonce.
    pub generation: u32,
    /// Salts the digests of this generation.
    pub nonce: [u8; 16],
    /// Columns and rows.
    pub size: Size,
    /// The layout of its samples.
    pub format: PixelFormat,
}

/// The number of a pixel format on the wire.
pub fn format_id(of: PixelFormat) -> u64 {
    match of {
        PixelFormat::Bgrx8 => format::BGRX8,
        PixelFormat::Gray8 => format::GRAY8,
        PixelFormat::Gray16(_) => format::GRAY16,
        PixelFormat::Bgrx10 => format::BGRX10,
    }
}

impl Encode for Surface {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.id.into());
        out.varint(self.generation.into());
        out.bytes(&self.nonce);
        self.size.encode(out);
        out.varint(format_id(self.format));
        out.u8(self.format.depth());
    }
}

impl Decode for Surface {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Surface {
            id: input.u32v("surface")?,
            generation: input.u32v("generation")?,
            nonce: input.array()?,
            size: Decode::decode(input)?,
            format: {
                let (code, depth) = (input.varint()?, input.u8()?);
                match (code, depth) {
                    (format::BGRX8, 8) => PixelFormat::Bgrx8,
                    (format::BGRX10, 10) => PixelFormat::Bgrx10,
                    (format::GRAY8, 8) => PixelFormat::Gray8,
                    (format::GRAY16, _) => PixelFormat::Gray16(
                        SampleDepth::new(depth)
                            .ok_or(WireError::Value { what: "sample depth", got: depth.into() })?,
                    ),
                    _ => return Err(WireError::Value { what: "pixel format", got: code }),
                }
            },
        })
    }
}

/// The arrangement of outputs, and the surface each shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// At most [`MAX_SURFACES`].
    pub outputs: Vec<Output>,
}

/// A monitor as the guest sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its number, kept while it stays plugged.
    pub id: u32,
    /// The surface it shows, whole and unscaled.
    pub surface: u32,
    /// Its left edge on the desktop, in pixels.
    pub x: i32,
    /// Its top edge on the desktop, in pixels.
    pub y: i32,
    /// Columns and rows.
    pub size: Size,
    /// Its width in millimetres; 0 where not known.
    pub width_mm: u32,
    /// The guest's scale in 1/120: 120 is 1:1.
    pub scale: u32,
}

impl Encode for Layout {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.outputs.len() as u64);
        for o in &self.outputs {
            out.varint(o.id.into());
            out.varint(o.surface.into());
            out.i32v(o.x);
            out.i32v(o.y);
            o.size.encode(out);
            out.varint(o.width_mm.into());
            out.varint(o.scale.into());
        }
    }
}

impl Decode for Layout {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        let n = input.count("outputs", MAX_SURFACES as u64, 8)?;
        let mut outputs = Vec::with_capacity(n);
        for _ in 0..n {
            outputs.push(Output {
                id: input.u32v("output")?,
                surface: input.u32v("surface")?,
                x: input.i32v("output x")?,
                y: input.i32v("output y")?,
                size: Decode::decode(input)?,
                width_mm: input.number("output width in mm", 100_000)? as u32,
                scale: input.number("output scale", 120 * 16)? as u32,
            });
        }
        Ok(Layout { outputs })
    }
}

/// Either: why the connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// A number of [`close`].
    pub code: u64,
    /// One line for people: what happened and what to do. At most [`MAX_TEXT`] bytes.
    pub reason: String,
}

impl Close {
    /// A close with `code` and the text of `reason`, cut to what the wire takes.
    pub fn new(code: u64, reason: impl fmt::Display) -> Self {
        let mut reason = alloc::format!("{reason}");
        while reason.len() > MAX_TEXT as usize {
            reason.pop();
        }
        Self { code, reason }
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", close::name(self.code), self.reason)
    }
}

impl Encode for Close {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.code);
        out.blob(self.reason.as_bytes());
    }
}

impl Decode for Close {
    fn decode(input: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Close { code: input.varint()?, reason: input.text("close reason", MAX_TEXT)? })
    }
}
