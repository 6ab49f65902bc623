//! A desktop of an X server: its root window's picture through MIT-SHM, changes by DAMAGE, the cursor by XFIXES,
//! input by XTEST, and sizes by RANDR.

mod capture;
mod cursor;
mod fault;
mod input;
mod keyboard;

use std::time::Duration;

use lightbox_codec::geom::{Point, Region};
use lightbox_codec::pixel::ImageRef;
use lightbox_net::clock;
use lightbox_protocol::Time;
use lightbox_protocol::msg::input::Action;
use rustix::event::{PollFd, PollFlags, Timespec};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::{self, ConnectionExt as _, CursorNotifyMask};
use x11rb::protocol::xproto::{self, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, Screen};
use x11rb::protocol::xtest;
use x11rb::rust_connection::RustConnection;

use super::{Change, CursorShape, Source, SourceError};
use capture::{Capture, Captured};
use fault::Fault;
use input::Hands;

/// A live X desktop.
///
/// Dropping it releases every key and button that it holds down.
pub struct X11Source {
    conn: RustConnection,
    root: xproto::Window,
    capture: Capture,
    damage: damage::Damage,
    region: xfixes::Region,
    hands: Hands,
    news: News,
    cursor_shape: Option<CursorShape>,
    /// Where the cursor was last seen, and when that was.
    cursor_at: Option<Point>,
    looked: Time,
    cursor_visible: bool,
}

impl X11Source {
    /// Opens `display` (such as `:1`); `None` takes `$DISPLAY`.
    ///
    /// The error says in one line what the server lacks: TrueColor pixels of 32 bits (blue, green, red, unused),
    /// DAMAGE, XFIXES or XTEST.
    pub fn open(display: Option<&str>) -> Result<Self, SourceError> {
        let (conn, number) = x11rb::connect(display).map_err(|e| {
            let name = display.map(str::to_owned).or_else(|| std::env::var("DISPLAY").ok());
            match name {
                Some(name) => SourceError(format!(
                    "cannot open the X display {name} ({e}); start it, for example with `Xvfb {name}`, or name another"
                )),
                None => SourceError("no X display is named; say x11:DISPLAY or set $DISPLAY".into()),
            }
        })?;
        let screen = conn.setup().roots[number].clone();
        capture::check_pixels(&conn, &screen)?;
        require(&conn, xfixes::X11_EXTENSION_NAME)?;
        require(&conn, damage::X11_EXTENSION_NAME)?;
        require(&conn, xtest::X11_EXTENSION_NAME)?;
        Self::start(conn, &screen)
            .map_err(|e| SourceError(format!("the X server refuses to be captured: {e}")))
    }

    fn start(conn: RustConnection, screen: &Screen) -> Result<Self, Fault> {
        let root = screen.root;
        // Both must be told our version before anything else.
        conn.xfixes_query_version(5, 0)?.reply()?;
        conn.damage_query_version(1, 1)?.reply()?;

        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        conn.change_window_attributes(root, &events)?.check()?;
        if conn.extension_information(randr::X11_EXTENSION_NAME)?.is_some() {
            conn.randr_query_version(1, 2)?.reply()?;
            conn.randr_select_input(root, randr::NotifyMask::SCREEN_CHANGE)?.check()?;
        }
        conn.xfixes_select_cursor_input(root, CursorNotifyMask::DISPLAY_CURSOR)?.check()?;
        let (damage, region) = (conn.generate_id()?, conn.generate_id()?);
        conn.xfixes_create_region(region, &[])?.check()?;
        conn.damage_create(damage, root, ReportLevel::NON_EMPTY)?.check()?;

        let capture = Capture::new(&conn, root)?;
        let hands = Hands::new(&conn, root)?;
        let news = News { damaged: Some(clock::now()), started: true, cursor: true, ..News::default() };
        Ok(Self {
            conn,
            root,
            capture,
            damage,
            region,
            hands,
            news,
            cursor_shape: None,
            cursor_at: None,
            looked: Time(0),
            cursor_visible: false,
        })
    }

    /// One round of [`Source::poll`]: what the server has said so far becomes changes.
    fn look(&mut self, changes: &mut Vec<Change>) -> Result<(), Fault> {
        self.hands.go_on(&self.conn, clock::now())?;
        while let Some(event) = self.conn.poll_for_event()? {
            self.note(event)?;
        }
        if std::mem::take(&mut self.news.size) && self.capture.resize(&self.conn)? {
            self.report_size(changes)?;
        }
        if let Some(at) = self.news.damaged.take() {
            self.report_damage(at, changes)?;
        }
        if std::mem::take(&mut self.news.cursor) {
            self.report_cursor_shape(changes)?;
        }
        if self.next_look() <= clock::now() {
            self.report_cursor_place(changes)?;
        }
        Ok(())
    }

    fn note(&mut self, event: Event) -> Result<(), Fault> {
        match event {
            Event::DamageNotify(_) => _ = self.news.damaged.get_or_insert_with(clock::now),
            Event::XfixesCursorNotify(_) => self.news.cursor = true,
            Event::RandrScreenChangeNotify(_) => self.news.size = true,
            Event::ConfigureNotify(e) if e.window == self.root => self.news.size = true,
            Event::MappingNotify(e) => self.hands.mapping_changed(&self.conn, &e)?,
            // An error of a request whose answer nobody waits for, such as a button that this server lacks.
            _ => return Ok(()),
        }
        self.news.stir = true;
        Ok(())
    }

    fn report_size(&mut self, changes: &mut Vec<Change>) -> Result<(), Fault> {
        self.conn.damage_subtract(self.damage, x11rb::NONE, x11rb::NONE)?;
        self.news.damaged = None;
        let size = self.capture.size();
        match self.capture.read(&self.conn, &[size.rect()])? {
            Captured::Done => changes.push(Change::Resized(size)),
            Captured::SizeChanged => {
                changes.push(Change::Resized(size));
                self.news.size = true;
            }
        }
        Ok(())
    }

    /// Reads what was damaged since the last time.
    fn report_damage(&mut self, at: Time, changes: &mut Vec<Change>) -> Result<(), Fault> {
        // First the damage is taken, then the pixels are read: what is drawn between is damage again.
        self.conn.damage_subtract(self.damage, x11rb::NONE, self.region)?;
        let region = self.conn.xfixes_fetch_region(self.region)?.reply()?;
        let size = self.capture.size();
        let mut damaged: Region =
            region.rectangles.iter().filter_map(|r| capture::rect_of(*r).intersect(size.rect())).collect();
        if std::mem::take(&mut self.news.started) {
            damaged.add(size.rect());
        }
        let rects = capture::worth_reading(&damaged);
        if rects.is_empty() {
            return Ok(());
        }
        match self.capture.read(&self.conn, &rects)? {
            Captured::Done => changes.push(Change::Damage { rects, at }),
            Captured::SizeChanged => self.news.size = true,
        }
        Ok(())
    }

    fn report_cursor_shape(&mut self, changes: &mut Vec<Change>) -> Result<(), Fault> {
        let shape = cursor::shape(&self.conn)?;
        // XFIXES does not tell a hidden cursor from a transparent one.
        let visible = shape.bgra.iter().any(|byte| *byte != 0);
        if self.cursor_visible != visible {
            self.cursor_visible = visible;
            self.cursor_at = None;
        }
        // A program that hides the cursor while one types tells more changes than are left to see.
        if self.cursor_shape.as_ref() != Some(&shape) {
            self.cursor_shape = Some(shape.clone());
            changes.push(Change::Cursor(shape));
        }
        Ok(())
    }

    fn report_cursor_place(&mut self, changes: &mut Vec<Change>) -> Result<(), Fault> {
        let at = cursor::place(&self.conn, self.root, self.capture.size())?;
        self.looked = clock::now();
        self.news.stir = false;
        if self.cursor_at != Some(at) {
            self.cursor_at = Some(at);
            changes.push(Change::CursorAt { at, visible: self.cursor_visible });
        }
        Ok(())
    }

    /// When to ask where the cursor is: nothing tells when a program moves it, so soon after anything happened,
    /// and now and then.
    fn next_look(&self) -> Time {
        match self.cursor_at {
            None => Time(0),
            Some(_) if self.news.stir => self.looked + LOOK_AFTER_STIR,
            Some(_) => self.looked + LOOK_IDLE,
        }
    }

    /// Sleeps until the server says something, at most to `until`.
    fn sleep(&self, until: Time) -> Result<(), Fault> {
        self.conn.flush()?;
        let until = self.hands.next().map_or(until, |t| t.min(until)).min(self.next_look());
        let wait = until.since(clock::now());
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        let mut fds = [PollFd::new(self.conn.stream(), PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(e) => Err(Fault::Refused(format!("waiting for it failed: {e}"))),
        }
    }
}

impl Source for X11Source {
    fn poll(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), SourceError> {
        let until = clock::now() + wait;
        let before = changes.len();
        let mut round = || loop {
            self.look(changes)?;
            if changes.len() > before || clock::now() >= until {
                return self.conn.flush().map_err(Fault::from);
            }
            self.sleep(until)?;
        };
        match round() {
            Ok(()) => Ok(()),
            Err(Fault::Gone) => {
                changes.push(Change::Ended);
                Ok(())
            }
            Err(e) => Err(SourceError(format!("the X server can no longer be captured: {e}"))),
        }
    }

    fn image(&self) -> ImageRef<'_> {
        self.capture.image()
    }

    fn input(&mut self, action: &Action) -> Result<(), SourceError> {
        self.news.stir = true;
        let done = self
            .hands
            .take(&self.conn, action, self.capture.size(), clock::now())
            .and_then(|()| self.conn.flush().map_err(Fault::from));
        match done {
            // The next poll tells it.
            Ok(()) | Err(Fault::Gone) => Ok(()),
            Err(e) => Err(SourceError(format!("the X server takes no more input: {e}"))),
        }
    }
}

impl Drop for X11Source {
    fn drop(&mut self) {
        let released = self.hands.let_go(&self.conn);
        // The answer to any question shows that all before it is done; a closed connection would drop it.
        if released.is_ok()
            && let Ok(question) = self.conn.get_input_focus()
        {
            let _ = question.reply();
        }
    }
}

/// What the server told since the last round.
#[derive(Default)]
struct News {
    /// When the first damage was told.
    damaged: Option<Time>,
    /// Nothing was read yet, so all of it is damaged.
    started: bool,
    size: bool,
    cursor: bool,
    /// Anything that may have moved the cursor.
    stir: bool,
}

fn require(conn: &RustConnection, extension: &'static str) -> Result<(), SourceError> {
    match conn.extension_information(extension) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            Err(SourceError(format!("the X server lacks the extension {extension}; start it with it")))
        }
        Err(e) => Err(SourceError(format!("the X server went away: {e}"))),
    }
}

const LOOK_AFTER_STIR: Duration = Duration::from_millis(10);
const LOOK_IDLE: Duration = Duration::from_millis(100);
