//! The program as a person uses it: its output is read, its pictures are compared, a real X server and a real
//! terminal stand behind it.
#![cfg(feature = "x11")]

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use lightbox_cli::source::Source;
use lightbox_cli::source::replay::Recording;
use lightbox_cli::source::x11::X11Source;
use lightbox_client::input::{Action, Place};
use serde_json::Value;
use support::{connect, until};

#[test]
fn the_demo_ends_with_everything_proved() {
    let png = scratch("demo.png");
    let out = lightbox(&["demo", "--seconds", "1.5", "--json", "--overlay", "--png", &text(&png)]);
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(out.status.success(), "{report}");
    assert_eq!((&report["exact"], &report["equal_to_source"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(report["tiles_verified"], report["tiles_total"]);
    assert!(report["frames_shown"].as_u64().unwrap() > 0);
    assert!(png.metadata().unwrap().len() > 10_000);
}

#[test]
fn what_is_typed_reaches_a_terminal_and_its_screen_comes_back_exact() {
    let (display, _x) = xvfb();
    let typed = scratch("typed.txt");
    let _ = std::fs::remove_file(&typed);
    let _xterm = Running::start(
        Command::new("xterm").env("DISPLAY", &display).args([
            "-geometry",
            "80x24+10+10",
            "-e",
            "sh",
            "-c",
            &format!("cat > {}", text(&typed)),
        ]),
        "xterm",
    );
    let (address, _server) = serve(&["--source", &format!("x11:{display}"), "--keep-ticket"]);

    let client = connect(&address);
    until("the terminal's window shows", || {
        typed.exists() && client.counts().all_verified() && {
            let white = |image: lightbox_codec::pixel::ImageRef<'_>| {
                image.row(100)[400..800].iter().all(|byte| *byte == 0xFF)
            };
            client.with_surface(0, white) == Some(true)
        }
    });
    // Without a window manager the keyboard follows the pointer.
    client.input(Action::Pointer(Place { output: 0, x: 100, y: 100 }));
    // evdev: l i g h t b o x Enter
    for code in [38, 23, 34, 35, 20, 48, 24, 45, 28] {
        client.input(Action::Key { code, pressed: true });
        client.input(Action::Key { code, pressed: false });
    }
    client.input(Action::Text("é中\n".into()));
    // Ctrl and D end the input.
    for (code, pressed) in [(29, true), (32, true), (32, false), (29, false)] {
        client.input(Action::Key { code, pressed });
    }
    until("what was typed is in the file", || {
        std::fs::read_to_string(&typed).is_ok_and(|all| all.starts_with("lightbox\n") && all.ends_with('\n'))
    });

    let (png, last) = (scratch("x11.png"), scratch("x11.raw"));
    let out =
        lightbox(&["view", &address, "--headless", "--json", "--png", &text(&png), "--final", &text(&last)]);
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(out.status.success() && report["exact"] == Value::Bool(true), "{report}");
    let mut source = X11Source::open(Some(&display)).unwrap();
    let seen = std::fs::read(&last).unwrap();
    until("the picture is the X server's", || {
        source.poll(std::time::Duration::ZERO, &mut Vec::new()).unwrap();
        source.image().rows().flatten().copied().eq(seen.iter().copied())
    });
}

#[test]
fn what_a_desktop_shows_is_kept_and_plays_again() {
    let (display, _x) = xvfb();
    let _clock = Running::start(
        Command::new("xterm").env("DISPLAY", &display).args(["-e", "while date +%N; do sleep 0.05; done"]),
        "xterm",
    );
    let file = scratch("kept.scr.zst");
    let source = format!("x11:{display}");
    let out = lightbox(&["record", "--source", &source, "--frames", "5", "--rate", "60", &text(&file)]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let kept = Recording::open(&file).unwrap();
    assert_eq!((kept.header().name.as_str(), kept.header().frames), ("kept", 5));
    kept.verify().unwrap();
}

#[test]
fn bad_input_gets_one_line_that_says_what_to_do() {
    let check = |arguments: &[&str], says: &str| {
        let out = lightbox(arguments);
        let error = String::from_utf8(out.stderr).unwrap();
        assert!(!out.status.success() && error.contains(says), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    };
    check(&["view", "http://somewhere", "--headless"], "lightbox://");
    check(&["view", "lightbox://127.0.0.1:9/ABC#D", "--headless"], "characters");
    check(&["serve", "--source", "camera"], "x11");
    check(&["serve", "--source", "replay:/nonexistent.scr.zst"], "No such file");
    check(&["bench", "link", "--profile", "N9"], "NX");
    check(&["bench", "still", "/nonexistent.pgm"], "No such file");
    let (address, _server) = serve(&["--source", "scene"]);
    let (start, key) = address.split_once('#').unwrap();
    let (host, _) = start.rsplit_once('/').unwrap();
    check(&["view", &format!("{host}/AAAAAAAAAAAAAAAAAAAA#{key}"), "--headless"], "ticket");
}

/// Ends its process when it goes out of scope.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, what: &str) -> Self {
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|e| panic!("{what}: {e}; `./x test` installs what the tests need")))
    }

    fn first_line(&mut self) -> String {
        let out = self.0.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).unwrap();
        line.trim().to_string()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn xvfb() -> (String, Running) {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "900x600x24", "-nolisten", "tcp"]);
    let mut running = Running::start(command.stdout(Stdio::piped()), "Xvfb");
    let number = running.first_line();
    (format!(":{number}"), running)
}

fn serve(arguments: &[&str]) -> (String, Running) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lightbox"));
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
    let mut running = Running::start(command.stdout(Stdio::piped()), "lightbox serve");
    let address = running.first_line();
    assert!(address.starts_with("lightbox://127.0.0.1:"), "{address:?}");
    (address, running)
}

fn lightbox(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_lightbox")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
