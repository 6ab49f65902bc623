//! What the examples have to show: the same picture at both ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::program::Program;

/// Lets the host show thirty frames to the terminal, and compares what the one had with what the other saw.
pub fn same_picture(host: &Path, terminal: &Path, dir: &Path) {
    same_picture_of([&[host.as_os_str()], &[terminal.as_os_str()]], 1, dir);
}

/// The same of programs that others run: each is the beginning of its command line. So many terminals may fail to be
/// heard in time, the last one not.
pub fn same_picture_of([host, terminal]: [&[&OsStr]; 2], tries: usize, dir: &Path) {
    let (shown, seen) = (dir.join("shown.ppm"), dir.join("seen.ppm"));
    let start = |line: &[&OsStr], arguments: &[&str]| {
        let arguments = line[1..].iter().copied().chain(arguments.iter().map(OsStr::new));
        Program::start(Path::new(line[0]), &arguments.collect::<Vec<_>>())
    };
    let mut host = start(host, &["--frames", "30", "--dump", text(&shown)]);
    let address = host.line();
    let mut seen_by = (1..tries).map(|_| start(terminal, &[&address, text(&seen)]).outcome());
    let said = seen_by.find_map(|outcome| match outcome {
        Err(complaints) if complaints.contains("no answer from") => None,
        decided => Some(decided.unwrap_or_else(|complaints| panic!("{complaints}"))),
    });
    let said = said.unwrap_or_else(|| start(terminal, &[&address, text(&seen)]).succeeds());
    host.succeeds();
    // 640x400 pixels have 10x7 tiles.
    assert_eq!(said, "70 of 70 tiles verified\n");
    let (shown, seen) = (read(&shown), read(&seen));
    assert_eq!(shown.len(), "P6\n640 400\n255\n".len() + 640 * 400 * 3);
    assert!(shown == seen, "the pictures differ; they are in {}", dir.display());
}

/// The same with a terminal that does what is typed into it.
pub fn typed_picture(host: &Path, terminal: &Path, dir: &Path) {
    let (shown, seen) = (dir.join("shown.ppm"), dir.join("seen.ppm"));
    let mut host = Program::start(host, &["--frames", "30", "--dump", text(&shown)]);
    let mut terminal = Program::start(terminal, &[&host.line()]);
    terminal.says("connected");
    terminal.says("surface 0 640x400");
    // The host's film begins with Enter, and ends with Scroll Lock.
    for line in ["pointer 10 20", "what", "layout 800 600", "key 28 1", "key 28 0"] {
        terminal.type_in(line);
    }
    terminal.says("what is \"what\"?");
    terminal.says("lamps 4");
    terminal.type_in("status");
    terminal.says("70 of 70 tiles verified");
    terminal.type_in(&format!("save {}", text(&seen)));
    terminal.says(&format!("saved {}", text(&seen)));
    terminal.type_in("quit");
    assert_eq!(terminal.succeeds(), "");
    host.succeeds();
    assert!(read(&shown) == read(&seen), "the pictures differ; they are in {}", dir.display());
}

/// A folder of this test's own, empty.
pub fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What an earlier run left must not pass for this one's.
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    dir
}

/// A file.
pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("cargo's target folder has a name in UTF-8")
}
