//! A real VNC server, a program that draws on its desktop and listens, and the source that shows and types.
#![cfg(all(feature = "vnc", feature = "x11"))]

mod x11_program;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lightbox_cli::source::vnc::VncSource;
use lightbox_cli::source::{Change, Source};
use lightbox_codec::geom::{Rect, Size};
use lightbox_protocol::msg::input::{Action, Place};
use x11_program::{Got, Program};

const SIZE: Size = Size::new(400, 300);

#[test]
fn what_a_program_draws_is_shown_exactly_and_what_a_person_does_reaches_it() {
    let desktop = Desktop::start(free_port(), SIZE, &[]);
    let program = program(&desktop, SIZE);
    let mut source = desktop.source(None);
    assert_eq!(source.image().size(), SIZE);
    until(&mut source, |source| shows(source, SIZE.rect(), 0xff_ffff));

    // Stripes of many colours and of few: palettes, runs and raw pixels all come by.
    let stripes: Vec<(Rect, u32)> = (0..300)
        .map(|y| (Rect::new(y, y, 100, 1), y * 0x01_02_03))
        .chain([(Rect::new(5, 200, 9, 50), 7)])
        .collect();
    stripes.iter().for_each(|(rect, colour)| program.fill(*colour, &[*rect]));
    until(&mut source, |source| stripes[300..].iter().all(|(rect, colour)| shows(source, *rect, *colour)));
    until(&mut source, |source| stripes[..200].iter().all(|(rect, colour)| shows(source, *rect, *colour)));

    let act = |source: &mut VncSource, action| source.input(&action).expect("input is taken");
    // KEY_LEFTSHIFT and KEY_A: X adds 8. The pointer presses where it is.
    for (code, pressed) in [(42, true), (30, true), (30, false), (42, false)] {
        act(&mut source, Action::Key { code, pressed });
        assert_eq!(program.next(), Got::Key(code as u8 + 8, pressed));
    }
    let at = Some(Place { output: 0, x: 33, y: 44 });
    act(&mut source, Action::Button { code: 0x110, pressed: true, at });
    assert_eq!(program.next(), Got::Button(1, true, 33, 44));
    act(&mut source, Action::Button { code: 0x110, pressed: false, at: None });
    assert_eq!(program.next(), Got::Button(1, false, 33, 44));
    act(&mut source, Action::Wheel { dx: 0, dy: 120 });
    assert_eq!(
        (program.next(), program.next()),
        (Got::Button(5, true, 33, 44), Got::Button(5, false, 33, 44))
    );

    let wish = Size::new(640, 480);
    source.want_size(wish).expect("the server hears of it");
    let mut resized = false;
    until_told(&mut source, |source, change| {
        resized |= *change == Change::Resized(wish);
        resized && source.image().size() == wish
    });
}

#[test]
fn a_server_that_comes_back_is_shown_again() {
    let port = free_port();
    let desktop = Desktop::start(port, SIZE, &[]);
    let mut source = desktop.source(None);
    drop(desktop);
    let later = Size::new(320, 200);
    let desktop = Desktop::start(port, later, &[]);
    let program = program(&desktop, later);
    program.fill(0x12_3456, &[Rect::new(10, 10, 20, 20)]);
    until(&mut source, |source| {
        source.image().size() == later && shows(source, Rect::new(10, 10, 20, 20), 0x12_3456)
    });
}

#[test]
fn a_server_that_asks_for_a_password_gets_it() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vnc-password");
    let mut store = Command::new("tigervncpasswd");
    store.arg(&file).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut store = store.spawn().expect("tigervncpasswd is missing: run `./x test`, which installs it");
    let mut typed = store.stdin.take().expect("stdin is piped");
    typed.write_all(b"secret\nsecret\nn\n").expect("it asks twice, and for a second password");
    drop(typed);
    assert!(store.wait().expect("a child").success());
    let file = file.to_str().expect("a name in UTF-8");
    let desktop = Desktop::start(free_port(), SIZE, &["-SecurityTypes", "VncAuth", "-PasswordFile", file]);
    assert_eq!(desktop.source(Some("secret")).image().size(), SIZE);
    for (password, words) in [(None, "LIGHTBOX_VNC_PASSWORD"), (Some("guess"), "password")] {
        let refusal = VncSource::open(&desktop.name(), password.map(str::to_owned)).err().expect("refused");
        let refusal = refusal.to_string();
        assert!(refusal.contains(words) && !refusal.contains('\n'), "{refusal}");
    }
}

#[test]
fn what_is_no_vnc_server_is_said_in_a_line() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let name = listener.local_addr().expect("an address").to_string();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.write_all(b"SSH-2.0-other").expect("sent");
    });
    let refusal = VncSource::open(&name, None).err().expect("refused").to_string();
    assert!(refusal.contains("does not speak RFB") && !refusal.contains('\n'), "{refusal}");
    other.join().expect("the other program ends");
}

/// One whose window is the whole desktop.
fn program(desktop: &Desktop, size: Size) -> Program {
    Program::start(&desktop.display, size.rect())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

/// A VNC server with a desktop of its own.
struct Desktop {
    server: Child,
    display: String,
    port: u16,
}

impl Desktop {
    fn start(port: u16, size: Size, more: &[&str]) -> Self {
        let geometry = format!("{}x{}", size.w, size.h);
        let security = if more.is_empty() { &["-SecurityTypes", "None"][..] } else { more };
        // Any display whose number nobody has; the server takes none that is taken.
        let mut number = 100 + u32::from(port) % 10_000;
        loop {
            let display = format!(":{number}");
            let server = Command::new("Xtigervnc")
                .args([&display, "-geometry", &geometry, "-rfbport", &port.to_string(), "-localhost"])
                .args(["-nolisten", "tcp", "-AcceptSetDesktopSize=1"])
                .args(security)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("Xtigervnc is missing: run `./x test`, which installs it");
            let mut desktop = Self { server, display, port };
            if desktop.comes_up() {
                return desktop;
            }
            number += 1;
        }
    }

    fn comes_up(&mut self) -> bool {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err()
            || x11rb::connect(Some(&self.display)).is_err()
        {
            assert!(begun.elapsed() < HANGS, "Xtigervnc does not start");
            if self.server.try_wait().expect("a child").is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn source(&self, password: Option<&str>) -> VncSource {
        VncSource::open(&self.name(), password.map(str::to_owned)).expect("the desktop is shown")
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        // What a server that was killed leaves behind.
        let number = self.display.trim_start_matches(':');
        for left in [format!("/tmp/.X{number}-lock"), format!("/tmp/.X11-unix/X{number}")] {
            let _ = std::fs::remove_file(left);
        }
    }
}

fn shows(source: &VncSource, rect: Rect, colour: u32) -> bool {
    let pixel = (colour | 0xff00_0000).to_le_bytes();
    source
        .image()
        .crop(rect)
        .is_some_and(|part| part.rows().all(|row| row.as_chunks().0.iter().all(|px| *px == pixel)))
}

/// Polls until `done`.
fn until(source: &mut VncSource, mut done: impl FnMut(&VncSource) -> bool) {
    let begun = Instant::now();
    while !done(source) {
        assert!(begun.elapsed() < HANGS, "it was never shown");
        source.poll(Duration::from_millis(50), &mut Vec::new()).expect("the server lives");
    }
}

/// The same, looking at each change.
fn until_told(source: &mut VncSource, mut done: impl FnMut(&VncSource, &Change) -> bool) {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < HANGS, "it was never told");
        let mut changes = Vec::new();
        source.poll(Duration::from_millis(50), &mut changes).expect("the server lives");
        if changes.iter().any(|change| done(source, change)) {
            return;
        }
    }
}

/// Nothing here takes so long unless it hangs.
const HANGS: Duration = Duration::from_secs(60);
