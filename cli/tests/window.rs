//! `lightbox view` in a window under a real X server: what it shows is captured, and what is done to it is heard by the
//! server.
#![cfg(all(feature = "window", feature = "x11"))]

#[path = "support/desk.rs"]
mod desk;
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use desk::Desk;
use lightbox_cli::source::Source;
use lightbox_cli::source::x11::X11Source;
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::PixelFormat;
use lightbox_protocol::wire::ids::close;
use lightbox_server::Event;
use lightbox_server::input::{Action, Place};
use support::{connect, until};

/// Without a window manager the window stands at the screen's corner and has the size that it asked for.
const PICTURE: Rect = Rect { x: 0, y: 0, w: 640, h: 400 };

#[test]
fn the_window_shows_every_pixel_and_carries_all_input() {
    let (mut desk, mut screen) = (Desk::new(|config| config), Screen::start());
    desk.paint(PICTURE, 1);
    let mut viewer = screen.view(&desk);
    screen.shows(&desk);
    for n in 2..6 {
        desk.paint(Rect::new(n * 90, n * 31, 37 + n, 50), n);
        screen.shows(&desk);
    }

    // Without a window manager the program sees to it that the keyboard follows the pointer.
    let place = |x, y| Place { output: 0, x, y };
    screen.does(Action::Pointer(place(123, 77)));
    desk.hear(|event| input(event) == Some(&Action::Pointer(place(123, 77))));
    for (code, pressed) in [(30, true), (30, false), (103, true), (103, false)] {
        let key = Action::Key { code, pressed };
        screen.does(key.clone());
        desk.hear(|event| input(event) == Some(&key));
    }
    for (code, pressed) in [(0x110, true), (0x110, false), (0x111, true), (0x111, false)] {
        let at = Some(place(639, 399));
        screen.does(Action::Button { code, pressed, at });
        desk.hear(|event| input(event) == Some(&Action::Button { code, pressed, at }));
    }
    for wheel in [Action::Wheel { dx: 0, dy: 120 }, Action::Wheel { dx: -120, dy: 0 }] {
        screen.does(wheel.clone());
        desk.hear(|event| input(event) == Some(&wheel));
    }
    screen.shows(&desk);

    viewer.terminate();
    let left = desk.hear(|event| matches!(event, Event::Left { .. }));
    let Event::Left { why, .. } = left else { unreachable!("only that was looked for") };
    assert_eq!(why.code, close::DONE, "{}", why.reason);
    assert!(viewer.0.wait().unwrap().success());
}

#[test]
fn the_window_follows_the_desktop_when_its_size_changes() {
    let (mut desk, mut screen) = (Desk::new(|config| config), Screen::start());
    desk.paint(PICTURE, 1);
    let _viewer = screen.view(&desk);
    screen.shows(&desk);
    for size in [Size::new(300, 500), Size::new(801, 333)] {
        desk.output.resize(size, PixelFormat::Bgrx8).unwrap();
        desk.picture = lightbox_codec::pixel::Image::new(size, PixelFormat::Bgrx8).unwrap();
        desk.paint(size.rect(), size.w);
        screen.shows(&desk);
        // Who only follows has no wish of its own.
        assert!(!desk.heard.iter().any(|event| matches!(event, Event::WantLayout { .. })));
    }
}

#[test]
fn a_window_that_comes_late_shows_what_is_there() {
    let (mut desk, mut screen) = (Desk::new(|config| config.keep_tickets(true)), Screen::start());
    let first = connect(desk.address());
    desk.paint(PICTURE, 7);
    desk.proves(&first);
    let _viewer = screen.view(&desk);
    screen.shows(&desk);
    desk.proves(&first);
}

fn input(event: &Event) -> Option<&Action> {
    match event {
        Event::Input { action, .. } => Some(action),
        _ => None,
    }
}

/// An X server, and what its screen shows.
struct Screen {
    display: String,
    source: X11Source,
    _server: Running,
}

impl Screen {
    fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "900x600x24", "-nolisten", "tcp", "-noreset"]);
        let mut server = Running::start(command.stdout(Stdio::piped()), "Xvfb");
        let mut number = String::new();
        let out = server.0.stdout.take().expect("its output is piped");
        BufReader::new(out).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let source = X11Source::open(Some(&display)).unwrap();
        Self { display, source, _server: server }
    }

    /// `lightbox view` of the desk's server.
    fn view(&self, desk: &Desk) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lightbox"));
        command.args(["view", &desk.address()]).env("DISPLAY", &self.display).env_remove("WAYLAND_DISPLAY");
        Running::start(command.stdout(Stdio::null()), "lightbox view")
    }

    /// Waits until the screen has every pixel of the desk's picture where the window is.
    fn shows(&mut self, desk: &Desk) {
        let size = desk.picture.size();
        until("the window shows the picture", || {
            self.source.poll(Duration::from_millis(2), &mut Vec::new()).unwrap();
            let screen = self.source.image();
            let Some(window) = screen.crop(size.rect()) else { return false };
            window.rows().zip(desk.picture.as_ref().rows()).all(|(shown, source)| {
                let (shown, source) = (shown.as_chunks::<4>().0, source.as_chunks::<4>().0);
                shown.iter().zip(source).all(|(shown, source)| shown[..3] == source[..3])
            })
        });
    }

    fn does(&mut self, action: Action) {
        self.source.input(&action).unwrap();
        // The server sends out what it was told when it is next looked at.
        self.source.poll(Duration::ZERO, &mut Vec::new()).unwrap();
    }
}

/// Ends its process when it goes out of scope.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, what: &str) -> Self {
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|e| panic!("{what}: {e}; `./x test` installs what the tests need")))
    }

    /// Asks it to end, as `kill` does.
    fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
