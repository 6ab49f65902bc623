//! A real virtual machine in an unpatched QEMU, shown, typed into, killed, and shown again.
#![cfg(feature = "qemu")]

mod guest;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use guest::{Guest, Machine};
use lightbox_cli::host::Host;
use lightbox_cli::source;
use lightbox_client::{Client, Config as ClientConfig, Event};
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::{Image, ImageRef};
use lightbox_protocol::msg::control::{Layout, Output};
use lightbox_protocol::msg::input::{Action, Locks, Place};
use lightbox_server::{Config, Server};

#[test]
fn a_guest_is_seen_and_typed_into_and_its_restart_ends_no_session() {
    let Some(guest) = Guest::build() else { return };
    let mut machine = Machine::start(&guest, &["-device", "virtio-tablet-pci"]);
    let served = Served::start(&machine);
    let mut person = Person::connect(&served.address);

    machine.hears("ready");
    person.commands("echo seen");
    person.sees("a command and what it printed", |screen| printed(screen, "echo ", "seen"));
    person.commands("echo It is HEARD, too >/dev/ttyS0");
    machine.hears("It is HEARD, too");

    // A tablet has 32768 places either way.
    person.commands("hands");
    machine.hears("listening");
    let Size { w, h } = person.size();
    person.points(w / 2, h / 4);
    machine.hears("event 3 0 16383");
    machine.hears("event 3 1 8191");
    person.client.input(Action::Button { code: 0x110, pressed: true, at: None });
    machine.hears("event 1 272 1");
    person.client.input(Action::Button { code: 0x110, pressed: false, at: None });
    machine.hears("event 1 272 0");
    person.client.input(Action::Wheel { dx: 0, dy: -120 });
    machine.hears("event 2 8 1");

    // The guest's keyboard has its lights from the guest.
    person.taps(KEY_CAPSLOCK);
    person.hears_leds(Locks { caps: true, ..person.leds });
    person.taps(KEY_CAPSLOCK);
    person.hears_leds(Locks { caps: false, ..person.leds });

    // The guest's driver takes a new mode, which its text console follows to what is smaller than it began with.
    person.wants(Size::new(1024, 600));
    person.sees("a smaller screen", |screen| screen.size() == Size::new(1024, 600));
    person.commands("modes");
    machine.hears("modes 1024x600");

    // A key is held while the machine dies. The next has no tablet.
    person.client.input(Action::Key { code: KEY_LEFTSHIFT, pressed: true });
    machine.kill();
    let machine = Machine::start(&guest, &[]);
    machine.hears("ready");
    person.client.input(Action::Key { code: KEY_LEFTSHIFT, pressed: false });
    person.commands("echo again");
    person.sees("the new machine's screen", |screen| printed(screen, "echo ", "again"));
    person.commands("hands");
    machine.hears("listening");
    person.client.input(Action::Motion { dx: 7 * 256, dy: -5 * 256 });
    machine.hears("event 2 0 7");
    machine.hears("event 2 1 -5");
    assert_eq!(person.connections, 1, "the session went on over its one connection");
    drop(served);
}

/// A server whose desktop is the machine's screen, in a thread of its own.
struct Served {
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn start(machine: &Machine) -> Self {
        let server = Server::start(Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).unwrap();
        let source = source::open(&format!("qemu:{}", machine.qmp()), false).unwrap();
        let address = server.address("127.0.0.1").unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut host = Host::new(&server, source).unwrap();
            while !stopped.load(Ordering::Relaxed) {
                host.turn(&server, Duration::from_millis(20), |_| ()).unwrap();
            }
        });
        Self { address, stop, thread: Some(thread) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "serving failed");
    }
}

/// A client with somebody in front of it.
struct Person {
    client: Client,
    output: Option<Output>,
    leds: Locks,
    connections: u32,
}

impl Person {
    fn connect(address: &str) -> Self {
        let client = Client::connect(ClientConfig::new(address).terminal("story")).unwrap();
        let mut person = Self { client, output: None, leds: Locks::default(), connections: 0 };
        person.sees("any screen", |_| true);
        person
    }

    /// Waits until the screen is proved and shows what is looked for.
    fn sees(&mut self, what: &str, looked_for: impl Fn(ImageRef<'_>) -> bool) {
        let end = Instant::now() + guest::PATIENCE;
        while !self.proved(&looked_for) {
            if Instant::now() > end {
                let seen = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seen.png");
                let picture = self.picture().expect("a screen was seen");
                lightbox_cli::picture::write_png(&seen, picture.as_ref()).unwrap();
                panic!("gave up looking for {what}; {} is what was seen", seen.display());
            }
            self.listen();
        }
    }

    /// What is looked for is there, and was proved both before and after that was seen.
    fn proved(&self, looked_for: impl Fn(ImageRef<'_>) -> bool) -> bool {
        let verified = || self.client.counts().all_verified();
        let shown = |output: &Output| self.client.with_surface(output.surface, &looked_for);
        verified() && self.output.as_ref().and_then(shown) == Some(true) && verified()
    }

    /// Reads one event, if one comes soon.
    fn listen(&mut self) {
        match self.client.events().next_within(Duration::from_millis(20)) {
            Some(Event::Layout(layout)) => self.output = layout.outputs.first().cloned(),
            Some(Event::Connected { .. }) => self.connections += 1,
            Some(Event::Leds(leds)) => self.leds = leds,
            Some(Event::Ended(why)) => panic!("the session ended: {why}"),
            _ => (),
        }
    }

    fn hears_leds(&mut self, leds: Locks) {
        let end = Instant::now() + guest::PATIENCE;
        while self.leds != leds {
            assert!(Instant::now() < end, "the lights are {:?}, not {leds:?}", self.leds);
            self.listen();
        }
    }

    /// Types a line once the guest asks for one, as fast as it shows the letters: a PC's keyboard remembers five keys, and
    /// forgets what comes after.
    fn commands(&mut self, line: &str) {
        self.sees("a prompt", is_prompted);
        for c in line.chars().chain(['\n']) {
            let before = self.picture();
            let (code, shift) = key_of(c);
            let hold = |pressed| {
                if shift {
                    self.client.input(Action::Key { code: KEY_LEFTSHIFT, pressed });
                }
            };
            hold(true);
            self.taps(code);
            hold(false);
            // A blank shows nothing.
            let end = Instant::now() + guest::PATIENCE;
            while c != ' ' && self.picture() == before {
                assert!(Instant::now() < end, "the guest does not show {c:?}");
                self.listen();
            }
        }
    }

    fn picture(&self) -> Option<Image> {
        self.client.with_surface(self.output.as_ref()?.surface, |surface| surface.into())
    }

    fn taps(&self, code: u16) {
        for pressed in [true, false] {
            self.client.input(Action::Key { code, pressed });
        }
    }

    fn points(&self, x: u32, y: u32) {
        self.client.input(Action::Pointer(Place { output: 0, x, y }));
    }

    fn wants(&self, size: Size) {
        let output = self.output.as_ref().expect("a screen was seen");
        self.client.want_layout(Layout { outputs: vec![Output { size, ..*output }] });
    }

    fn size(&self) -> Size {
        self.output.as_ref().expect("a screen was seen").size
    }
}

/// Whether the last line on the text console is a prompt alone.
fn is_prompted(screen: ImageRef<'_>) -> bool {
    let inked = |column: u32, row: u32| {
        let letter = Rect::new(column * LETTER.w, row * LETTER.h, LETTER.w, LETTER.h);
        let letter = screen.crop(letter).expect("a letter on the screen");
        letter.rows().any(|row| row.as_chunks::<4>().0.iter().any(|pixel| pixel[..3] != [0; 3]))
    };
    let (columns, rows) = (screen.size().w / LETTER.w, screen.size().h / LETTER.h);
    let line = |row| (0..columns).rev().find(|column| inked(*column, row));
    (0..rows).rev().find_map(line) == Some(guest::PROMPT.trim_end().len() as u32 - 1)
}

/// Whether the text console shows `command` with `words`, and these words alone on the next line: letter for letter the
/// same pixels, and not blank.
fn printed(screen: ImageRef<'_>, command: &str, words: &str) -> bool {
    let column = guest::PROMPT.len() + command.len();
    let letters = |row: u32, column: usize| {
        let [x, y, w] = [column as u32 * LETTER.w, row * LETTER.h, words.len() as u32 * LETTER.w];
        screen
            .crop(Rect::new(x, y, w, LETTER.h))
            .map(|part| part.rows().flatten().copied().collect::<Vec<_>>())
    };
    (0..screen.size().h / LETTER.h).any(|row| {
        let (typed, printed) = (letters(row, column), letters(row + 1, 0));
        let blank = letters(row, column + words.len());
        typed.is_some() && typed == printed && typed != blank
    })
}

/// A letter of the Linux console.
const LETTER: Size = Size::new(8, 16);

/// The key of a US keyboard that types `c`, and whether with Shift.
fn key_of(c: char) -> (u16, bool) {
    let (plain, shift) = match c {
        '>' => ('.', true),
        _ => (c.to_ascii_lowercase(), c.is_ascii_uppercase()),
    };
    let keysym = lightbox_cli::keymap::keysym_of(plain).expect("a character");
    let key = lightbox_cli::keymap::KEYS.iter().find(|key| key.keysym == keysym);
    (key.unwrap_or_else(|| panic!("no key types {c:?}")).evdev, shift)
}

const KEY_LEFTSHIFT: u16 = 42;
const KEY_CAPSLOCK: u16 = 58;
