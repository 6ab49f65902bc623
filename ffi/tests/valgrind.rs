//! The host's side under Valgrind: no byte is read before it was written, and no memory is left that nobody can reach. A
//! terminal under it would be too slow to be heard: a connection is to stand within five seconds.
//!
//! Alone in its program, so that no other test makes what is slow already slower.

// Other tests compile and compare in more ways than this one.
#[allow(dead_code)]
#[path = "c_examples/compile.rs"]
mod compile;
#[allow(dead_code)]
#[path = "c_examples/picture.rs"]
mod picture;
#[path = "c_examples/program.rs"]
mod program;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use compile::{Language, Link, compile};
use picture::{same_picture_of, scratch};
use program::Program;

#[test]
fn it_finds_nothing() {
    if !valgrind_is_there() {
        return;
    }
    let dir = scratch("valgrind");
    let host = compile("examples/host_vm.c", &dir, Language::C, Link::Dynamic);
    let terminal = compile("examples/mini_terminal.c", &dir, Language::C, Link::Static);
    let watched: Vec<_> = VALGRIND.iter().map(OsStr::new).chain([host.as_os_str()]).collect();
    same_picture_of([&watched, &[terminal.as_os_str()]], TRIES, &dir);

    let scanouts = compile("tests/c/scanouts.c", &dir, Language::C, Link::Dynamic);
    let arguments: Vec<_> = VALGRIND[1..].iter().map(OsStr::new).chain([scanouts.as_os_str()]).collect();
    Program::start(Path::new(VALGRIND[0]), &arguments).succeeds();
}

/// Where it is missing the test says so and passes, but not in CI.
fn valgrind_is_there() -> bool {
    let there = Command::new(VALGRIND[0]).arg("--version").output().is_ok();
    let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(there || !is_ci, "valgrind is missing; `./x test` installs it");
    if !there {
        eprintln!("skipped: valgrind is missing; `./x test` installs it");
    }
    there
}

const VALGRIND: [&str; 6] = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
];

/// Terminals that may give up on a slow machine before one is heard.
const TRIES: usize = 10;
