//! A desktop behind a VNC server (RFC 6143): the console of any hypervisor that has one.
//!
//! `link` is the connection and its handshake, `paint` and `zrle` turn rectangles into pixels, `hands` turns
//! what a person does into the server's messages. A server that goes away is tried again each second, and the picture
//! stays what it was: a virtual machine that restarts does not end a session.

mod auth;
mod hands;
mod link;
mod paint;
mod zrle;

use std::time::{Duration, Instant};

use lightbox_codec::geom::Size;
use lightbox_codec::pixel::ImageRef;
use lightbox_net::clock;
use lightbox_protocol::msg::input::Action;

use super::{Change, Source, SourceError};
use hands::Hands;
use link::{Fault, Link};
use paint::{Picture, Update};

/// Between two tries to get a lost server back.
const RETRY: Duration = Duration::from_secs(1);

/// A desktop that a VNC server shows.
pub struct VncSource {
    server: String,
    password: Option<String>,
    link: Option<Link>,
    lost: Instant,
    picture: Picture,
    hands: Hands,
}

impl VncSource {
    /// Connects to `server`, as in `host:5900`; `password` is for servers that ask for one.
    ///
    /// # Errors
    /// One line that says why there is no such desktop.
    pub fn open(server: &str, password: Option<String>) -> Result<Self, SourceError> {
        let start = || {
            let link = connect(server, password.as_deref())?;
            let picture = Picture::new(link.size())?;
            Ok((link, picture))
        };
        let (link, picture) = start().map_err(|fault: Fault| {
            SourceError(format!("no desktop from the VNC server {server}: {fault}"))
        })?;
        Ok(Self {
            server: server.into(),
            password,
            link: Some(link),
            lost: Instant::now(),
            picture,
            hands: Hands::default(),
        })
    }

    /// Reads one message, if one comes within `wait`.
    fn hear(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), Fault> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if !link.wait(wait)? {
            return Ok(());
        }
        let at = clock::now();
        match link.u8()? {
            // FramebufferUpdate
            0 => {
                let before = self.picture.size();
                let Update { rects, cursor } = self.picture.update(link)?;
                self.hands.knows_scancodes |= link.has_scancodes;
                let size = self.picture.size();
                if size != before {
                    changes.push(Change::Resized(size));
                } else if !rects.is_empty() {
                    changes.push(Change::Damage { rects, at });
                }
                changes.extend(cursor.map(Change::Cursor));
                link.ask(size, size == before)
            }
            // SetColourMapEntries: for palettes, which were not asked for.
            1 => {
                link.skip(3)?;
                let entries = link.u16()?;
                link.skip(6 * u64::from(entries))
            }
            // Bell
            2 => Ok(()),
            // ServerCutText
            3 => {
                link.skip(3)?;
                let length = link.u32()?;
                link.skip(u64::from(length))
            }
            other => Err(Fault::Wrong(format!("it says message {other}, which was not asked for"))),
        }
    }

    /// Tries to get a lost server back.
    fn return_to(&mut self, wait: Duration, changes: &mut Vec<Change>) {
        let left = RETRY.saturating_sub(self.lost.elapsed());
        if left > Duration::ZERO {
            return std::thread::sleep(left.min(wait));
        }
        self.lost = Instant::now();
        let back = connect(&self.server, self.password.as_deref()).and_then(|link| {
            let size = link.size();
            if size != self.picture.size() {
                self.picture = Picture::new(size)?;
                changes.push(Change::Resized(size));
            }
            Ok(link)
        });
        if let Ok(link) = back {
            eprintln!("the VNC server {} is back", self.server);
            self.link = Some(link);
        }
    }

    /// Whoever cannot be talked to is gone.
    fn drop_link(&mut self, fault: &Fault) {
        eprintln!("the VNC server {} is gone ({fault}); trying again each second", self.server);
        self.link = None;
        self.lost = Instant::now();
        self.hands = Hands::default();
        self.picture.forget_stream();
    }
}

/// A connection that has been asked for its whole picture.
fn connect(server: &str, password: Option<&str>) -> Result<Link, Fault> {
    let mut link = Link::open(server, password)?;
    link.ask(link.size(), false)?;
    Ok(link)
}

impl Source for VncSource {
    fn poll(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), SourceError> {
        if self.link.is_none() {
            self.return_to(wait, changes);
        } else if let Err(fault) = self.hear(wait, changes) {
            self.drop_link(&fault);
        }
        Ok(())
    }

    fn image(&self) -> ImageRef<'_> {
        self.picture.image()
    }

    fn input(&mut self, action: &Action) -> Result<(), SourceError> {
        let size = self.picture.size();
        let Some(link) = &mut self.link else { return Ok(()) };
        if let Err(fault) = link.send(&self.hands.take(action, size)) {
            self.drop_link(&fault);
        }
        Ok(())
    }

    fn want_size(&mut self, size: Size) -> Result<(), SourceError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let Some(message) = self.picture.resize_message(size) else { return Ok(()) };
        if let Err(fault) = link.send(&message) {
            self.drop_link(&fault);
        }
        Ok(())
    }
}
