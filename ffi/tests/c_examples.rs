//! The C ABI, tested as C: the header and the examples are compiled with every warning an error, linked dynamically and
//! statically, and run against each other, also under AddressSanitizer and UBSan.

#[path = "c_examples/compile.rs"]
mod compile;
#[path = "c_examples/picture.rs"]
mod picture;
#[path = "c_examples/program.rs"]
mod program;

use std::path::Path;
use std::time::Duration;

use compile::{Language, Link, compile};
use lightbox_client::geom::Size;
use lightbox_client::input::Action;
use lightbox_client::{Client, Config, Event, Layout, Output};
use picture::{read, same_picture, scratch, typed_picture};
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
fn a_virtual_machine_s_display_agrees_with_its_terminal_watched_by_sanitizers() {
    let dir = scratch("machine");
    let host = compile("examples/host_vm.c", &dir, Language::C, Link::StaticSanitized);
    let terminal = compile("examples/mini_terminal.c", &dir, Language::C, Link::StaticSanitized);
    same_picture(&host, &terminal, &dir);
}

/// For programs that take no arguments.
const NOTHING: &[&str] = &[];

#[test]
fn a_virtual_machine_takes_the_size_that_its_terminal_wishes_and_outlives_it() {
    let dir = scratch("outlives");
    let machine = compile("examples/host_vm.c", &dir, Language::C, Link::StaticSanitized);
    let mut machine = Program::start(&machine, NOTHING);
    let address = machine.line();
    let client = Client::connect(Config::new(&address)).expect("a client starts");
    shows(&client, Size::new(320, 200));
    for pressed in [true, false] {
        client.input(Action::Key { code: KEY_ENTER, pressed });
    }
    shows(&client, Size::new(640, 400));
    let size = Size::new(1000, 700);
    let wish = Output { id: 0, surface: 0, x: 0, y: 0, size, width_mm: 500, scale: 120 };
    client.want_layout(Layout { outputs: vec![wish] });
    shows(&client, size);
    // The person goes, and comes back by the same address.
    drop(client);
    shows(&Client::connect(Config::new(&address)).expect("a client starts"), size);
}

/// Waits until the client was told of a surface of this size, and that something was painted on it.
fn shows(client: &Client, size: Size) {
    let mut seen = false;
    loop {
        match client.events().next_within(Duration::from_secs(60)) {
            Some(Event::Surface(surface)) => seen = surface.size == size,
            Some(Event::Updated { .. }) if seen => return,
            Some(Event::Ended(why)) => panic!("the session is over: {why}"),
            Some(_) => (),
            None => panic!("nothing of {}x{} is shown", size.w, size.h),
        }
    }
}

const KEY_ENTER: u16 = 28;

#[test]
fn the_header_alone_is_cpp() {
    let dir = scratch("header");
    let source = dir.join("alone.cpp");
    std::fs::write(
        &source,
        "#include <lightbox.h>\nint main() { return lbx_version() == LBX_VERSION ? 0 : 1; }\n",
    )
    .expect("a file can be written");
    let program = compile(source.to_str().expect("UTF-8"), &dir, Language::Cpp, Link::Dynamic);
    Program::start(&program, NOTHING).succeeds();
}

#[test]
fn a_terminal_with_a_loop_of_its_own_shows_what_the_host_has() {
    let dir = scratch("terminal");
    let host = compile("examples/mini_host.c", &dir, Language::C, Link::StaticSanitized);
    let terminal = compile("examples/terminal.c", &dir, Language::C, Link::StaticSanitized);
    typed_picture(&host, &terminal, &dir);
}

#[test]
fn both_sides_share_a_loop_and_no_thread() {
    let dir = scratch("one-loop");
    let both = compile("tests/c/one_loop.c", &dir, Language::C, Link::StaticSanitized);
    Program::start(&both, NOTHING).succeeds();
}

#[test]
fn the_header_keeps_its_promises() {
    let dir = scratch("contract");
    for test in ["tests/c/contract.c", "tests/c/promises.c", "tests/c/scanouts.c"] {
        Program::start(&compile(test, &dir, Language::C, Link::StaticSanitized), NOTHING).succeeds();
    }
}

#[test]
fn byte_streams_cross_and_misuse_of_them_is_told() {
    let dir = scratch("streams");
    let streams = compile("tests/c/streams.c", &dir, Language::C, Link::StaticSanitized);
    Program::start(&streams, NOTHING).succeeds();
}

#[test]
fn video_goes_from_an_encoder_in_c_to_a_decoder_in_c() {
    let dir = scratch("video");
    let video = compile("tests/c/video.c", &dir, Language::C, Link::StaticSanitized);
    Program::start(&video, NOTHING).succeeds();
}

#[test]
fn the_guides_quote_what_compiles() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = [
        ("../docs/integrating-a-hypervisor.md", ["examples/mini_host.c", "tests/c/one_loop.c"]),
        ("../docs/integrating-a-thin-client.md", ["examples/mini_terminal.c", "examples/terminal.c"]),
    ];
    for (guide, examples) in guides {
        let source = |example| String::from_utf8(read(&package.join(example))).expect("C in UTF-8");
        let sources: Vec<_> = examples.iter().map(source).collect();
        let prose = String::from_utf8(read(&package.join(guide))).expect("prose in UTF-8");
        let quotes: Vec<&str> =
            prose.split("```c\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(!quotes.is_empty(), "{guide} quotes nothing");
        for quote in quotes {
            let said = sources.iter().any(|source| source.contains(quote));
            assert!(said, "{guide} quotes what none of {examples:?} says:\n{quote}");
        }
    }
}
