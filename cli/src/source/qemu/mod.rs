//! The screen of a virtual machine, taken from an unpatched QEMU's D-Bus display (`-display dbus,p2p=yes`).
//!
//! `qmp` is the way in, `bus` the thread that talks D-Bus and answers QEMU at once, `screen` and `pixels` turn what
//! QEMU shows into a picture of our own, `hands` turns what a person does into calls. A QEMU that goes away is tried
//! again each second, and the picture stays what it was: a virtual machine that restarts does not end a session.
//!
//! Only damage is copied. Of a picture that QEMU shares (9.2 and later, with a display adapter that can), each sample is
//! read once into ours and taken once into the output's private snapshot; where QEMU sends it along with the call, it
//! comes through the socket before. `lightbox bench console` counts what is taken.

mod bus;
mod fault;
mod hands;
mod pixels;
mod qmp;
mod screen;

use std::path::Path;
use std::time::{Duration, Instant};

use lightbox_codec::geom::Size;
use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::msg::input::{Action, Locks};

use super::{Change, Source, SourceError};
use bus::{Bus, News};
use fault::Fault;
use hands::{Call, Hands};
use screen::Screen;

/// What QEMU may take to show its first picture.
const FIRST_PICTURE: Duration = Duration::from_secs(10);
/// News that are read before the host has its turn again.
const MOST_NEWS: usize = 256;

/// The screen of a virtual machine in QEMU.
pub struct QemuSource {
    socket: String,
    bus: Bus,
    screen: Screen,
    hands: Hands,
    /// The turn in which QEMU is heard; `None` while it is gone.
    turn: Option<u64>,
    /// The size of the person's window.
    wanted: Option<Size>,
    /// What was told before anybody polled.
    early: Vec<Change>,
    /// Why QEMU is gone, as the log has it; `None` once it shows a picture.
    gone: Option<String>,
}

impl QemuSource {
    /// Attaches by the QMP socket at the path `socket`.
    ///
    /// # Errors
    /// One line that says why there is no such screen.
    pub fn open(socket: &str) -> Result<Self, SourceError> {
        let refusal = |fault: Fault| SourceError(format!("no screen from QEMU at {socket}: {fault}"));
        let bus = Bus::start(Path::new(socket).into()).map_err(|error| refusal(error.into()))?;
        let mut source = Self {
            socket: socket.into(),
            bus,
            screen: Screen::new(Size::new(1, 1)).map_err(refusal)?,
            hands: Hands::default(),
            turn: None,
            wanted: None,
            early: Vec::new(),
            gone: None,
        };
        source.first_picture().map_err(refusal)?;
        Ok(source)
    }

    fn first_picture(&mut self) -> Result<(), Fault> {
        let (begun, mut early) = (Instant::now(), Vec::new());
        let mut shown = false;
        while !shown {
            let Some(news) = self.bus.next(FIRST_PICTURE.saturating_sub(begun.elapsed())) else {
                return Err(Fault::Wrong("it shows no picture".into()));
            };
            shown = self.hear(news, &mut early)?;
        }
        self.early = early;
        // Whoever opens this sees the whole picture first.
        self.screen.settle(&mut Vec::new())
    }

    /// Hears what there is within `wait`.
    fn hear_all(&mut self, mut wait: Duration, changes: &mut Vec<Change>) -> Result<(), Fault> {
        for _ in 0..MOST_NEWS {
            let Some(news) = self.bus.next(wait) else { break };
            wait = Duration::ZERO;
            if self.hear(news, changes)? && self.gone.take().is_some() {
                eprintln!("QEMU at {} is back", self.socket);
            }
        }
        self.screen.settle(changes)
    }

    /// True if the news are a picture.
    fn hear(&mut self, news: News, changes: &mut Vec<Change>) -> Result<bool, Fault> {
        match news {
            News::Up { turn, absolute, leds } => {
                self.turn = Some(turn);
                self.hands.absolute = absolute;
                self.learn(leds, changes);
                // What was held is down no longer: in a guest that starts anew, nothing is; in one that went on, the
                // person may have let go unheard.
                let calls = self.hands.let_go();
                self.call(calls.into_iter().chain(self.wanted.map(Call::Size)));
            }
            News::Down(fault) => return Err(fault),
            // What was said before QEMU was left does not count.
            _ if self.turn.is_none() => (),
            News::Called(call, at) => return self.screen.hear(&call, at, changes),
            News::Absolute(absolute) => self.hands.absolute = absolute,
            News::Leds(leds) => self.learn(leds, changes),
        }
        Ok(false)
    }

    fn learn(&mut self, leds: Locks, changes: &mut Vec<Change>) {
        self.hands.leds = leds;
        changes.push(Change::Leds(leds));
    }

    fn call(&mut self, calls: impl IntoIterator<Item = Call>) {
        if self.turn.is_some() && !calls.into_iter().all(|call| self.bus.call(call)) {
            self.lose(&Fault::Wrong("it does not read what it is sent".into()));
        }
    }

    /// Whoever cannot be talked to is gone.
    fn lose(&mut self, fault: &Fault) {
        let Some(turn) = self.turn.take() else { return };
        self.bus.leave(turn);
        self.screen.forget();
        // One that is lost again before it showed anything is told of if the reason is another.
        let why = fault.to_string();
        if self.gone.as_ref() != Some(&why) {
            eprintln!("QEMU at {} is gone ({why}); trying again each second", self.socket);
        }
        self.gone = Some(why);
    }
}

impl Source for QemuSource {
    fn poll(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), SourceError> {
        changes.append(&mut self.early);
        let wait = if changes.is_empty() { wait } else { Duration::ZERO };
        if let Err(fault) = self.hear_all(wait, changes) {
            self.lose(&fault);
            // What it had shown until then is shown.
            self.screen.settle(changes).map_err(|fault| SourceError(fault.to_string()))?;
        }
        Ok(())
    }

    fn image(&self) -> ImageRef<'_> {
        self.screen.image()
    }

    fn input(&mut self, action: &Action) -> Result<(), SourceError> {
        if self.turn.is_some() {
            let calls = self.hands.take(action, self.screen.size());
            self.call(calls);
        }
        Ok(())
    }

    fn want_size(&mut self, size: Size) -> Result<(), SourceError> {
        self.wanted = Some(size);
        self.call([Call::Size(size)]);
        Ok(())
    }
}

impl Drop for QemuSource {
    /// The guest goes on without anybody's hands on it.
    fn drop(&mut self) {
        let calls = self.hands.let_go();
        self.call(calls);
    }
}
