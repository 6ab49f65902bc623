//! A real X server, a program that draws on it and listens, and the source that captures and types.
#![cfg(feature = "x11")]

mod x11_program;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lightbox_cli::source::x11::X11Source;
use lightbox_cli::source::{Change, CursorShape, Source};
use lightbox_codec::geom::{Point, Rect, Region, Size};
use lightbox_protocol::msg::input::{Action, KeySet, Locks, Place, Touch, TouchPhase};
use x11_program::{Got, Program};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, CreateGCAux, KeyButMask, Rectangle,
};

#[test]
fn what_a_program_draws_is_captured_exactly() {
    let desktop = Desktop::start("640x480x24");
    let mut source = desktop.source();
    assert_eq!(source.image().size(), Size::new(640, 480));
    let mut seen = Seen::default();
    seen.wait(&mut source, |seen, _| seen.damaged(Size::new(640, 480).rect()));

    let program = Program::start(&desktop.display, Rect::new(100, 50, 300, 200));
    seen = Seen::default();
    program.fill(0x00_12_34_56, &[Rect::new(10, 20, 30, 40), Rect::new(200, 150, 7, 5)]);
    let (first, second) = (Rect::new(110, 70, 30, 40), Rect::new(300, 200, 7, 5));
    seen.wait(&mut source, |seen, source| {
        seen.damaged(first)
            && seen.damaged(second)
            && shows(source, first, [0x56, 0x34, 0x12, 0xff])
            && shows(source, second, [0x56, 0x34, 0x12, 0xff])
    });
    let beside = Rect::new(109, 70, 1, 40);
    assert!(shows(&source, beside, [0xff; 4]), "the window is white around it");

    // Drawn over at once and again: the last colour is what stays.
    for colour in 1..=50 {
        program.fill(colour, &[Rect::new(0, 0, 300, 200)]);
    }
    seen.wait(&mut source, |_, source| shows(source, Rect::new(100, 50, 300, 200), [50, 0, 0, 0xff]));
}

#[test]
fn keys_buttons_and_wheel_reach_the_program() {
    let desktop = Desktop::start("640x480x24");
    let mut source = desktop.source();
    let program = Program::start(&desktop.display, Rect::new(0, 0, 640, 480));
    let key = |code, pressed| Action::Key { code, pressed };
    let place = |x, y| Place { output: 0, x, y };

    // KEY_A and KEY_UP are 30 and 103; X adds 8. A second press of a key that is down says nothing.
    program.check(
        &mut source,
        &[key(30, true), key(30, true), key(30, false), key(103, true)],
        &[Got::Key(38, true), Got::Key(38, false), Got::Key(111, true)],
    );
    let mut held = KeySet::new();
    program.check(
        &mut source,
        &[key(42, true), Action::Keys(held)],
        &[Got::Key(50, true), Got::Key(50, false), Got::Key(111, false)],
    );
    held.set(29, true);
    program.check(
        &mut source,
        &[key(29, true), Action::Keys(held), key(30, true), key(30, false)],
        &[Got::Key(37, true), Got::Key(38, true), Got::Key(38, false)],
    );
    program.check(&mut source, &[key(29, false)], &[Got::Key(37, false)]);

    let right = |pressed, at| Action::Button { code: 0x111, pressed, at };
    program.check(
        &mut source,
        &[right(true, Some(place(40, 30))), right(false, None)],
        &[Got::Button(3, true, 40, 30), Got::Button(3, false, 40, 30)],
    );
    // Half a pixel more makes one; the wheel's 60 and 60 make one notch, and so does -120 back.
    let motion = Action::Motion { dx: 128, dy: -640 };
    program.check(
        &mut source,
        &[motion.clone(), motion, right(true, None), right(false, None)],
        &[Got::Button(3, true, 41, 25), Got::Button(3, false, 41, 25)],
    );
    let wheel = |dx, dy| Action::Wheel { dx, dy };
    program.check(
        &mut source,
        &[wheel(0, 60), wheel(0, 60), wheel(-120, -120)],
        &[
            Got::Button(5, true, 41, 25),
            Got::Button(5, false, 41, 25),
            Got::Button(4, true, 41, 25),
            Got::Button(4, false, 41, 25),
            Got::Button(6, true, 41, 25),
            Got::Button(6, false, 41, 25),
        ],
    );
    let touch = |id, phase, x, y| Action::Touch(Touch { id, phase, at: place(x, y), pressure: 0 });
    let strokes = [
        touch(5, TouchPhase::Down, 100, 100),
        touch(6, TouchPhase::Down, 200, 200),
        touch(5, TouchPhase::Up, 110, 100),
    ];
    program.check(&mut source, &strokes, &[Got::Button(1, true, 100, 100), Got::Button(1, false, 110, 100)]);
}

#[test]
fn text_arrives_as_the_characters_it_is() {
    let desktop = Desktop::start("320x200x24");
    let mut source = desktop.source();
    let program = Program::start(&desktop.display, Rect::new(0, 0, 320, 200));
    let text = "é中 x中\n";
    source.input(&Action::Text(text.into())).expect("text is taken");
    source.input(&Action::Key { code: 30, pressed: true }).expect("a key is taken");
    let expect = [0xe9, 0x0100_4e2d, 0x20, 0x78, 0x0100_4e2d, 0xff0d, 0x61];
    let mut typed = Vec::new();
    desktop.until("the text has arrived", || {
        source.poll(Duration::ZERO, &mut Vec::new()).expect("the server lives");
        typed.extend(program.typed());
        typed.len() >= expect.len()
    });
    assert_eq!(typed, expect);

    let spare = |program: &Program| {
        let mapping = program.conn.get_keyboard_mapping(8, 248).expect("alive").reply().expect("a mapping");
        mapping.keysyms.contains(&0x0100_4e2d)
    };
    assert!(spare(&program));
    drop(source);
    assert!(!spare(&program), "the keyboard is as it was");
}

#[test]
fn lock_keys_follow_the_terminals() {
    let desktop = Desktop::start("320x200x24");
    let mut source = desktop.source();
    let program = Program::start(&desktop.display, Rect::new(0, 0, 320, 200));
    let mut check = |caps, num| {
        source.input(&Action::Locks(Locks { caps, num, scroll: false })).expect("locks are taken");
        desktop.until("the locks are as at the terminal", || {
            source.poll(Duration::ZERO, &mut Vec::new()).expect("the server lives");
            let state = program.pointer_mask();
            (state & 0x2 != 0, state & 0x10 != 0) == (caps, num)
        });
    };
    check(true, false);
    check(true, true);
    check(true, true);
    check(false, false);
}

#[test]
fn what_was_held_is_released_at_the_end() {
    let desktop = Desktop::start("320x200x24");
    let mut source = desktop.source();
    let program = Program::start(&desktop.display, Rect::new(0, 0, 320, 200));
    let press = [
        Action::Key { code: 42, pressed: true },
        Action::Button { code: 0x110, pressed: true, at: Some(Place { output: 0, x: 5, y: 6 }) },
    ];
    program.check(&mut source, &press, &[Got::Key(50, true), Got::Button(1, true, 5, 6)]);
    drop(source);
    let mask = program.pointer_mask();
    assert_eq!(mask & u16::from(KeyButMask::SHIFT | KeyButMask::BUTTON1), 0, "{mask:#x}");
}

#[test]
fn the_cursors_shape_and_place_are_seen() {
    let desktop = Desktop::start("320x200x24");
    let mut source = desktop.source();
    let program = Program::start(&desktop.display, Rect::new(0, 0, 320, 200));
    program.set_red_cursor(Size::new(16, 12), Point::new(3, 4));
    source.input(&Action::Pointer(Place { output: 0, x: 33, y: 44 })).expect("a place is taken");
    let mut seen = Seen::default();
    seen.wait(&mut source, |seen, _| {
        let red = |c: &CursorShape| c.bgra.as_chunks().0.iter().all(|px| *px == [0, 0, 0xff, 0xff]);
        seen.at == Some((Point::new(33, 44), true))
            && seen
                .cursor
                .as_ref()
                .is_some_and(|c| (c.size, c.hotspot) == (Size::new(16, 12), Point::new(3, 4)) && red(c))
    });
    // A program may move it too.
    program.conn.warp_pointer(x11rb::NONE, program.root(), 0, 0, 0, 0, 70, 80).expect("alive");
    program.conn.flush().expect("alive");
    seen.wait(&mut source, |seen, _| seen.at == Some((Point::new(70, 80), true)));
}

#[test]
fn the_screen_changes_its_size() {
    let desktop = Desktop::start("640x480x24");
    let mut source = desktop.source();
    let program = Program::start(&desktop.display, Rect::new(0, 0, 100, 100));
    for size in [Size::new(500, 300), Size::new(640, 400)] {
        program.resize_screen(size);
        let mut seen = Seen::default();
        seen.wait(&mut source, |seen, _| seen.size == Some(size));
        assert_eq!(source.image().size(), size);
        program.fill(size.w, &[Rect::new(0, 0, 50, 50)]);
        let colour = size.w.to_le_bytes();
        seen.wait(&mut source, |_, source| {
            shows(source, Rect::new(0, 0, 50, 50), [colour[0], colour[1], 0, 0xff])
        });
    }
}

#[test]
fn what_cannot_be_captured_is_said_in_a_line() {
    let desktop = Desktop::start("320x200x8");
    let refusal = X11Source::open(Some(&desktop.display)).err().expect("8 bits are refused").to_string();
    assert!(refusal.contains("depth 24") && !refusal.contains('\n'), "{refusal}");
    let display = desktop.display.clone();
    drop(desktop);
    let refusal = X11Source::open(Some(&display)).err().expect("nobody is there").to_string();
    assert!(refusal.contains(&display) && !refusal.contains('\n'), "{refusal}");
}

#[test]
fn the_end_of_the_server_is_the_end_of_the_source() {
    let desktop = Desktop::start("320x200x24");
    let mut source = desktop.source();
    drop(desktop);
    let mut changes = Vec::new();
    while !changes.contains(&Change::Ended) {
        source.poll(Duration::from_millis(10), &mut changes).expect("an end is no error");
    }
}

/// An X server of its own for one test.
struct Desktop {
    server: Child,
    display: String,
}

impl Desktop {
    fn start(screen: &str) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is missing: run `./x test`, which installs it");
        let mut number = String::new();
        let output = server.stdout.take().expect("stdout is piped");
        BufReader::new(output).read_line(&mut number).expect("Xvfb says its number");
        assert!(!number.trim().is_empty(), "Xvfb did not start; try `Xvfb -displayfd 1`");
        Self { server, display: format!(":{}", number.trim()) }
    }

    fn source(&self) -> X11Source {
        X11Source::open(Some(&self.display)).expect("the display can be captured")
    }

    /// Goes on until `done`; gives up only after so long that something must hang.
    fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < HANGS, "it never happened: {what}");
        }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Program {
    fn root(&self) -> u32 {
        self.conn.setup().roots[0].root
    }

    /// Gives `actions` to the source; the program must get exactly `expect`.
    fn check(&self, source: &mut X11Source, actions: &[Action], expect: &[Got]) {
        for action in actions {
            source.input(action).expect("input is taken");
        }
        let got: Vec<_> = (0..expect.len()).map(|_| self.next()).collect();
        assert_eq!(got, expect, "{actions:?}");
    }

    /// The keysyms of the keys pressed so far, looked up as they come.
    fn typed(&self) -> Vec<u32> {
        let mut typed = Vec::new();
        while let Some(event) = self.conn.poll_for_event().expect("alive") {
            if let Event::KeyPress(e) = event {
                let meaning = self.conn.get_keyboard_mapping(e.detail, 1).expect("alive").reply();
                typed.push(meaning.expect("a mapping").keysyms[0]);
            }
        }
        typed
    }

    fn pointer_mask(&self) -> u16 {
        self.conn.query_pointer(self.root()).expect("alive").reply().expect("a pointer").mask.into()
    }

    fn set_red_cursor(&self, size: Size, hotspot: Point) {
        let conn = &self.conn;
        let (bits, gc, cursor) = (
            conn.generate_id().expect("an id"),
            conn.generate_id().expect("an id"),
            conn.generate_id().expect("an id"),
        );
        conn.create_pixmap(1, bits, self.window, size.w as u16, size.h as u16).expect("alive");
        conn.create_gc(gc, bits, &CreateGCAux::new().foreground(1)).expect("alive");
        let all = Rectangle { x: 0, y: 0, width: size.w as u16, height: size.h as u16 };
        conn.poly_fill_rectangle(bits, gc, &[all]).expect("alive");
        let (x, y) = (hotspot.x as u16, hotspot.y as u16);
        conn.create_cursor(cursor, bits, bits, u16::MAX, 0, 0, 0, 0, 0, x, y).expect("alive");
        let change = ChangeWindowAttributesAux::new().cursor(cursor);
        conn.change_window_attributes(self.window, &change).expect("alive").check().expect("a cursor");
    }

    /// A screen may not be smaller than what a monitor shows of it, so the monitor is switched off first.
    fn resize_screen(&self, size: Size) {
        let conn = &self.conn;
        let screen = conn.randr_get_screen_resources(self.root()).expect("alive").reply().expect("RandR");
        for crtc in screen.crtcs {
            let (now, off) = (x11rb::CURRENT_TIME, randr::Rotation::ROTATE0);
            let done = conn.randr_set_crtc_config(crtc, now, screen.config_timestamp, 0, 0, 0, off, &[]);
            done.expect("alive").reply().expect("the monitor goes off");
        }
        conn.randr_set_screen_size(self.root(), size.w as u16, size.h as u16, 200, 100)
            .expect("alive")
            .check()
            .expect("the screen takes the size");
    }
}

/// What a source has told.
#[derive(Default)]
struct Seen {
    damage: Region,
    size: Option<Size>,
    cursor: Option<CursorShape>,
    at: Option<(Point, bool)>,
}

impl Seen {
    /// Polls until `done`.
    fn wait(&mut self, source: &mut X11Source, mut done: impl FnMut(&Self, &X11Source) -> bool) {
        let begun = Instant::now();
        while !done(self, source) {
            assert!(begun.elapsed() < HANGS, "the source never told it");
            let mut changes = Vec::new();
            source.poll(Duration::from_millis(50), &mut changes).expect("the server lives");
            for change in changes {
                match change {
                    Change::Damage { rects, .. } => rects.into_iter().for_each(|r| self.damage.add(r)),
                    Change::Resized(size) => self.size = Some(size),
                    Change::Cursor(shape) => self.cursor = Some(shape),
                    Change::CursorAt { at, visible } => self.at = Some((at, visible)),
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
    }

    fn damaged(&self, rect: Rect) -> bool {
        let mut rest: Region = [rect].into_iter().collect();
        self.damage.rects().iter().for_each(|r| rest.subtract(*r));
        rest.is_empty()
    }
}

/// True if every pixel of `rect` is `bgrx`.
fn shows(source: &X11Source, rect: Rect, bgrx: [u8; 4]) -> bool {
    let part = source.image().crop(rect).expect("a rect of the image");
    part.rows().all(|row| row.as_chunks().0.iter().all(|px| *px == bgrx))
}

/// Nothing here takes a hundredth of this, on any machine.
const HANGS: Duration = Duration::from_secs(120);
