//! The C ABI, tested as C: the header and the examples are compiled with every warning an error, linked dynamically and
//! statically, and run against each other, also under AddressSanitizer and UBSan.

#[path = "c_examples/compile.rs"]
mod compile;
#[path = "c_examples/program.rs"]
mod program;

use std::path::{Path, PathBuf};

use compile::{Language, Link, compile};
use program::Program;

#[test]
fn the_examples_agree_when_linked_dynamically() {
    let dir = scratch("dynamic");
    let host = compile("examples/mini_host.c", &dir, Language::C, Link::Dynamic);
    let terminal = compile("examples/mini_terminal.c", &dir, Language::C, Link::Dynamic);
    same_picture(&host, &terminal, &dir);
}

#[test]
fn the_examples_agree_when_linked_statically_and_watched_by_sanitizers() {
    let dir = scratch("sanitized");
    let host = compile("examples/mini_host.c", &dir, Language::C, Link::StaticSanitized);
    let terminal = compile("examples/mini_terminal.c", &dir, Language::C, Link::StaticSanitized);
    same_picture(&host, &terminal, &dir);
}

#[test]
fn a_terminal_in_cpp_agrees_with_a_host_in_c() {
    let dir = scratch("cpp");
    let host = compile("examples/mini_host.c", &dir, Language::C, Link::Static);
    let terminal = compile("examples/mini_terminal.cpp", &dir, Language::Cpp, Link::Static);
    same_picture(&host, &terminal, &dir);
}

#[test]
fn the_header_keeps_its_promises() {
    let dir = scratch("contract");
    let contract = compile("tests/c/contract.c", &dir, Language::C, Link::StaticSanitized);
    Program::start(&contract, &[]).succeeds();
}

#[test]
fn the_guides_quote_what_compiles() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = [
        ("../docs/integrating-a-hypervisor.md", "examples/mini_host.c"),
        ("../docs/integrating-a-thin-client.md", "examples/mini_terminal.c"),
    ];
    for (guide, example) in guides {
        let source = String::from_utf8(read(&package.join(example))).expect("C in UTF-8");
        let prose = String::from_utf8(read(&package.join(guide))).expect("prose in UTF-8");
        let quotes: Vec<&str> =
            prose.split("```c\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(!quotes.is_empty(), "{guide} quotes nothing");
        for quote in quotes {
            assert!(source.contains(quote), "{guide} quotes what {example} does not say:\n{quote}");
        }
    }
}

/// Lets the host show thirty frames to the terminal, and compares what the one had with what the other saw.
fn same_picture(host: &Path, terminal: &Path, dir: &Path) {
    let (shown, seen) = (dir.join("shown.ppm"), dir.join("seen.ppm"));
    let mut host = Program::start(host, &["--frames", "30", "--dump", text(&shown)]);
    let address = host.line();
    let said = Program::start(terminal, &[&address, text(&seen)]).succeeds();
    host.succeeds();
    // 640x400 pixels have 10x7 tiles.
    assert_eq!(said, "70 of 70 tiles verified\n");
    let (shown, seen) = (read(&shown), read(&seen));
    assert_eq!(shown.len(), "P6\n640 400\n255\n".len() + 640 * 400 * 3);
    assert!(shown == seen, "the pictures differ; they are in {}", dir.display());
}

/// A folder of this test's own, empty.
fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What an earlier run left must not pass for this one's.
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    dir
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("cargo's target folder has a name in UTF-8")
}
