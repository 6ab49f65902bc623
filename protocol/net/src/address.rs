//! The line a person pastes to reach a desktop: `lightbox://host:port/TICKET#FINGERPRINT`.
//!
//! The host is an IPv4 address, an IPv6 address in brackets, or a name. The ticket is left out where the client's
//! certificate admits it, the fingerprint where an authority vouches for the server.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::base32;
use crate::tls::Fingerprint;

/// Where a server is, what admits a client, and which key the server must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The machine.
    pub host: Host,
    /// The UDP port; never 0.
    pub port: u16,
    /// The admission, if it is by ticket.
    pub ticket: Option<Ticket>,
    /// The server's key, if it is not vouched for by an authority.
    pub fingerprint: Option<Fingerprint>,
}

/// The machine part of an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An IP address, dialled as it stands.
    Ip(IpAddr),
    /// A name to be resolved.
    Name(HostName),
}

/// A host name: ASCII letters, digits, `-`, `_` and dots, at most 253 characters, labels of 1 to 63.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

/// A one-use code that admits a client: 100 random bits, 20 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// INVARIANT: the last four bits are zero.
    bits: [u8; Ticket::BYTES],
}

/// Why a line is no address, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The line does not start with `lightbox://`.
    #[error("an address starts with lightbox://")]
    Scheme,
    /// There is no machine in it.
    #[error("the address names no host: lightbox://host:port/TICKET#FINGERPRINT")]
    NoHost,
    /// The host is neither an IP address nor a name.
    #[error(
        "the host is neither a name nor an IP address: write a name, 192.0.2.1, or [2001:db8::1] in brackets"
    )]
    Host,
    /// There is no port.
    #[error("the port is missing: write it behind the host, as in host:4433")]
    NoPort,
    /// The port is no number of 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// The ticket is not as long as it should be, or has strange characters.
    #[error(
        "the ticket is {} characters of A-Z and 2-7: copy the whole address again, or ask for a new one",
        Ticket::CHARS
    )]
    Ticket,
    /// The fingerprint is not as long as it should be, or has strange characters.
    #[error("{}", crate::tls::FingerprintError)]
    Fingerprint,
}

impl Ticket {
    /// Length of the text form.
    pub const CHARS: usize = 20;
    /// How much entropy [`Ticket::from_entropy`] takes, in bytes.
    pub const BYTES: usize = 13;

    /// The ticket of 100 of the given 104 bits, which must be unpredictable (see [`crate::tls::random`]).
    pub fn from_entropy(mut bits: [u8; Self::BYTES]) -> Self {
        bits[Self::BYTES - 1] &= 0b1111_0000;
        Self { bits }
    }
}

impl Address {
    /// What starts every address.
    pub const SCHEME: &str = "lightbox://";
}

impl HostName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let rest = text
            .get(..Self::SCHEME.len())
            .filter(|scheme| scheme.eq_ignore_ascii_case(Self::SCHEME))
            .map(|scheme| &text[scheme.len()..])
            .ok_or(AddressError::Scheme)?;
        let (rest, fingerprint) = match rest.split_once('#') {
            None => (rest, None),
            Some((rest, text)) => (rest, Some(text.parse().map_err(|_| AddressError::Fingerprint)?)),
        };
        let (authority, ticket) = match rest.split_once('/') {
            None | Some((_, "")) => (rest.trim_end_matches('/'), None),
            Some((authority, text)) => (authority, Some(text.parse()?)),
        };
        let (host, port) = split_port(authority)?;
        if host.is_empty() {
            return Err(AddressError::NoHost);
        }
        // `u16::from_str` takes a leading `+`; an address does not.
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|&port| digits && port != 0).ok_or(AddressError::Port)?;
        Ok(Self { host: host.parse()?, port, ticket, fingerprint })
    }
}

impl FromStr for Host {
    type Err = AddressError;

    /// Takes an IPv6 address in brackets only.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(AddressError::Host)?;
            let address: Ipv6Addr = inner.parse().map_err(|_| AddressError::Host)?;
            return Ok(Self::Ip(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Ip(address.into()));
        }
        text.parse().map(Self::Name)
    }
}

impl FromStr for HostName {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(allowed);
        // A last label of digits alone is a mistyped IPv4 address, never a name.
        let numeric = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if text.len() <= 253 && text.split('.').all(label) && !numeric {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(AddressError::Host)
        }
    }
}

impl FromStr for Ticket {
    type Err = AddressError;

    /// Takes either case.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        base32::decode(text, Self::CHARS).map(|bits| Self { bits }).ok_or(AddressError::Ticket)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", Self::SCHEME, self.host, self.port)?;
        if let Some(ticket) = self.ticket {
            write!(f, "/{ticket}")?;
        }
        if let Some(fingerprint) = self.fingerprint {
            write!(f, "#{fingerprint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(HostName(name)) => f.write_str(name),
        }
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.bits, Self::CHARS))
    }
}

impl fmt::Debug for Ticket {
    /// A ticket is a secret while it is good, and logs are read by many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(..)")
    }
}

/// Host, with its brackets, and port.
fn split_port(authority: &str) -> Result<(&str, &str), AddressError> {
    let end_of_host = match authority.strip_prefix('[') {
        Some(_) => authority.find(']').ok_or(AddressError::Host)? + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end_of_host);
    match port.strip_prefix(':') {
        Some(port) if !port.is_empty() => Ok((host, port)),
        _ if host.is_empty() => Err(AddressError::NoHost),
        _ => Err(AddressError::NoPort),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: Result<&str, AddressError>) {
        assert_eq!(
            text.parse::<Address>().map(|it| it.to_string()).as_deref(),
            expect.as_ref().copied(),
            "{text}"
        );
    }

    const TICKET: &str = "ABCDEFGHIJKLMNOP2345";
    const KEY: &str = "XJ4BNP4PAHH6UQKBIDPF3LRCEO";

    #[test]
    fn reads_every_form() {
        let full = format!("lightbox://ward-7.example.org:4433/{TICKET}#{KEY}");
        check(&full, Ok(&full));
        check(&format!("  LightBox://Ward-7.Example.org:4433/{TICKET}#{KEY}\n"), Ok(&full));
        check("lightbox://192.0.2.1:1", Ok("lightbox://192.0.2.1:1"));
        check("lightbox://192.0.2.1:1/", Ok("lightbox://192.0.2.1:1"));
        let v6 = format!("lightbox://[2001:db8::1]:65535#{KEY}");
        check(&v6, Ok(&v6));
    }

    #[test]
    fn says_what_is_wrong() {
        check("", Err(AddressError::Scheme));
        check("https://host:1", Err(AddressError::Scheme));
        check("lightbox://", Err(AddressError::NoHost));
        check("lightbox://:1", Err(AddressError::NoHost));
        check("lightbox://host", Err(AddressError::NoPort));
        check("lightbox://host:", Err(AddressError::NoPort));
        check("lightbox://[::1]", Err(AddressError::NoPort));
        check("lightbox://host:0", Err(AddressError::Port));
        check("lightbox://host:+1", Err(AddressError::Port));
        check("lightbox://host:65536", Err(AddressError::Port));
        check("lightbox://::1:4433", Err(AddressError::NoHost));
        check("lightbox://[fe80::1%eth0]:1", Err(AddressError::Host));
        check("lightbox://300.0.2.1:1", Err(AddressError::Host));
        check("lightbox://a..b:1", Err(AddressError::Host));
        check("lightbox://hôte:1", Err(AddressError::Host));
        check("lightbox://host:1/ABC", Err(AddressError::Ticket));
        check(&format!("lightbox://host:1/{TICKET}/"), Err(AddressError::Ticket));
        check("lightbox://host:1#", Err(AddressError::Fingerprint));
        check(&format!("lightbox://host:1/{TICKET}#{KEY}A"), Err(AddressError::Fingerprint));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}", tail in "[a-z0-9:/#\\[\\].%]{0,60}") {
            let _ = text.parse::<Address>();
            let _ = format!("lightbox://{tail}").parse::<Address>();
        }

        #[test]
        fn what_is_written_is_read_back(
            host in prop_oneof![
                any::<[u8; 4]>().prop_map(|it| Host::Ip(IpAddr::from(it))),
                any::<[u8; 16]>().prop_map(|it| Host::Ip(IpAddr::from(it))),
                "[a-z0-9_-]{1,20}(\\.[a-z][a-z0-9-]{0,10}){0,3}\\.[a-z]{1,5}".prop_map(|it| it.parse().unwrap()),
            ],
            port in 1..=u16::MAX,
            entropy in any::<Option<[u8; Ticket::BYTES]>>(),
            key in any::<Option<[u8; 8]>>(),
        ) {
            let fingerprint = key.map(|key| {
                Fingerprint::of_public_key(&key, &crate::tls::provider()).unwrap()
            });
            let address = Address { host, port, ticket: entropy.map(Ticket::from_entropy), fingerprint };
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
