//! Rules about the text of the code: where `unsafe` may stand, who may name an executor, what is `no_std`, how long a
//! file may be, and that nothing is left unfinished.

use super::imports::is_in_module;
use super::rust_text;
use super::tree::Tree;

/// The broken source walls.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, text) in tree.files_of(&["rs"]) {
        let code = rust_text::code(text);
        unsafe_rooms(path, &code, &mut broken);
        system_rooms(path, &code, &mut broken);
        one_executor(path, &code, &mut broken);
        length(path, text, &mut broken);
        finished(path, &code, &mut broken);
    }
    for (path, text) in tree.files_of(&["rs", "c", "h", "hpp", "sh"]) {
        marks(path, text, &mut broken);
    }
    lints(tree, &mut broken);
    no_std(tree, &mut broken);
    broken
}

/// `unsafe`, and the permission for it, only in its rooms.
fn unsafe_rooms(path: &str, code: &str, broken: &mut Vec<String>) {
    if UNSAFE_ROOMS.iter().any(|room| is_in_module(path, room)) {
        return;
    }
    let rooms = UNSAFE_ROOMS.join(", ");
    for line in rust_text::lines_with_word(code, "unsafe") {
        broken.push(format!("{path}:{line} has unsafe code; its rooms are {rooms}"));
    }
    for (line, text) in (1..).zip(code.lines()) {
        let text: String = text.split_whitespace().collect();
        if text.contains("allow(unsafe_code") || text.contains("expect(unsafe_code") {
            broken.push(format!("{path}:{line} permits unsafe code; its rooms are {rooms}"));
        }
    }
}

/// What the libraries ask of the operating system, only in the rooms for that: a port is work there and nowhere else.
fn system_rooms(path: &str, code: &str, broken: &mut Vec<String>) {
    let is_library = LIBRARIES.iter().any(|folder| path.starts_with(folder));
    if !is_library || SYSTEM_ROOMS.iter().any(|room| is_in_module(path, room)) {
        return;
    }
    let rooms = SYSTEM_ROOMS.join(", ");
    for name in SYSTEM_CRATES {
        for line in rust_text::lines_with_crate(code, name) {
            broken.push(format!(
                "{path}:{line} names {name}; the rooms for what differs by system are {rooms}"
            ));
        }
    }
    for (line, _) in (1..).zip(code.lines()).filter(|(_, text)| text.contains("std::os::")) {
        broken.push(format!("{path}:{line} names std::os; the rooms for what differs by system are {rooms}"));
    }
}

/// In what runs on the host's own loop as well, tokio's locks and channels alone: the rest of it needs its threads.
fn one_executor(path: &str, code: &str, broken: &mut Vec<String>) {
    if !EITHER_RUNTIME.iter().any(|sources| path.starts_with(sources)) || is_in_module(path, RUNTIME) {
        return;
    }
    for (line, text) in (1..).zip(code.lines()) {
        if TOKIO_S_OWN.iter().any(|name| text.contains(name)) {
            broken.push(format!("{path}:{line} names tokio's executor; ask the Runtime of {RUNTIME}"));
        }
    }
}

fn length(path: &str, text: &str, broken: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        broken.push(format!(
            "{path} has {lines} lines, over {LONGEST_FILE}: it holds more than one thought, split it"
        ));
    }
}

fn finished(path: &str, code: &str, broken: &mut Vec<String>) {
    for name in ["todo", "unimplemented"] {
        let lines = rust_text::lines_with_word(code, name).filter(|line| {
            let text = code.lines().nth(line - 1).unwrap_or_default();
            text.contains(&format!("{name}!"))
        });
        broken.extend(lines.map(|line| format!("{path}:{line} has {name}!; finish it or leave it out")));
    }
}

/// The mark for unfinished work, in comments too. Written in two halves so that this file does not carry it.
fn marks(path: &str, text: &str, broken: &mut Vec<String>) {
    let mark = concat!("FIX", "ME");
    let lines = (1..).zip(text.lines()).filter(|(_, text)| text.contains(mark));
    broken.extend(
        lines.map(|(line, _)| format!("{path}:{line} has {mark}; fix it, or file it where it is seen")),
    );
}

/// Every package takes the workspace's lints, which forbid `unsafe`; those with a room for it deny it elsewhere.
fn lints(tree: &Tree, broken: &mut Vec<String>) {
    for package in &tree.packages {
        let manifest = format!("{}/Cargo.toml", package.folder);
        let text = tree.files.get(&manifest).map(String::as_str).unwrap_or_default();
        let has_room = UNSAFE_ROOMS.iter().any(|room| room.split('/').next() == Some(&package.folder));
        let rule = if has_room { "unsafe_code = \"deny\"" } else { "[lints]\nworkspace = true" };
        if !text.contains(rule) {
            broken.push(format!("{manifest} must say `{}`", rule.replace('\n', " ")));
        }
    }
}

/// The compiler is the wall around protocol as long as it is `no_std`; tests alone may bring std back.
fn no_std(tree: &Tree, broken: &mut Vec<String>) {
    for (path, attribute) in NO_STD {
        let text = tree.files.get(path).map(String::as_str).unwrap_or_default();
        let code = rust_text::code(text);
        // The attribute's own text: `rust_text` would blank the feature's name.
        if !text.lines().any(|line| line.trim() == attribute) {
            broken.push(format!("{path} must say {attribute}"));
        }
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        for (index, _) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("extern crate std")) {
            let gate = text.lines().nth(index.wrapping_sub(1)).unwrap_or_default().trim();
            if gate != "#[cfg(test)]" && gate != "#[cfg(feature = \"std\")]" {
                broken
                    .push(format!("{path}:{} brings std back; only tests or the feature std may", index + 1));
            }
        }
    }
}

/// Modules, as paths without extension, that may hold unsafe code: kernels for one CPU, foreign codecs, the C ABI, and
/// the one peer of the benches that is a C library.
const UNSAFE_ROOMS: [&str; 4] =
    ["codec/src/lossless/kernel", "codec/src/video", "ffi", "benches/src/peers/jxl"];

/// The folders of code that runs on whatever system a hypervisor or a terminal has.
const LIBRARIES: [&str; 6] =
    ["codec/src/", "protocol/src/", "protocol/net/src/", "server-sdk/src/", "client-sdk/src/", "ffi/src/"];

/// Modules in which these may ask the system. The laboratory is a tool for developers, and runs on Unix alone.
const SYSTEM_ROOMS: [&str; 4] =
    ["protocol/net/src/os", "protocol/net/src/runtime/manual/set", "protocol/net/src/lab", "ffi/src/os"];

/// What asks it.
const SYSTEM_CRATES: [&str; 4] = ["rustix", "libc", "socket2", "windows_sys"];

/// Sources that run on tokio and on the host's own loop, by the module that knows which.
const EITHER_RUNTIME: [&str; 3] = ["protocol/net/src/", "server-sdk/src/", "client-sdk/src/"];
const RUNTIME: &str = "protocol/net/src/runtime";
const TOKIO_S_OWN: [&str; 5] = ["tokio::spawn", "tokio::task", "tokio::time", "tokio::net", "tokio::runtime"];

/// The crates that must compile without std, and how their first file says so.
const NO_STD: [(&str, &str); 2] = [
    ("protocol/src/lib.rs", "#![no_std]"),
    ("codec/src/lib.rs", "#![cfg_attr(not(feature = \"std\"), no_std)]"),
];

/// 150 to 400 lines are the habit; past this a file is certainly two.
const LONGEST_FILE: usize = 600;

#[cfg(test)]
mod tests {
    use super::super::tree::Package;
    use super::*;

    /// What the walls say of one file in a tree that is otherwise sound.
    fn check(path: &str, text: &str) -> Vec<String> {
        let mut tree = Tree::default();
        tree.files.extend(NO_STD.map(|(path, attribute)| (path.into(), format!("{attribute}\n"))));
        tree.files.insert(path.into(), text.into());
        super::check(&tree)
    }

    #[test]
    fn unsafe_has_rooms() {
        let kernel = "#![allow(unsafe_code)]\nunsafe fn f() {}\n";
        for room in ["codec/src/lossless/kernel/x86.rs", "codec/src/video.rs", "ffi/src/handle.rs"] {
            assert!(check(room, kernel).is_empty(), "{room}");
        }
        assert_eq!(check("codec/src/geom.rs", kernel).len(), 2);
        assert_eq!(check("codec/src/lossless/kernels.rs", "unsafe {}").len(), 1);
        assert!(check("cli/src/main.rs", "#![forbid(unsafe_code)] // unsafe is elsewhere").is_empty());
    }

    #[test]
    fn what_differs_by_system_has_rooms() {
        let code = "use std::os::fd::OwnedFd;\nuse rustix::event::eventfd;\n";
        for room in ["ffi/src/os/linux.rs", "protocol/net/src/os.rs", "cli/src/usage.rs", "ffi/tests/c.rs"] {
            assert!(check(room, code).is_empty(), "{room}");
        }
        assert_eq!(check("ffi/src/event/mod.rs", code).len(), 2);
        assert!(check("server-sdk/src/pump.rs", "// rustix::event::eventfd").is_empty());
    }

    #[test]
    fn an_executor_is_named_by_the_runtime_alone() {
        for path in ["protocol/net/src/driver.rs", "server-sdk/src/server.rs", "client-sdk/src/network.rs"] {
            assert_eq!(check(path, "tokio::spawn(work)").len(), 1, "{path}");
            assert!(check(path, "use tokio::sync::Notify;\ntokio::select! {}").is_empty(), "{path}");
        }
        assert!(check("protocol/net/src/runtime/tasks.rs", "use tokio::task::JoinSet;").is_empty());
        assert!(check("protocol/net/tests/connect.rs", "tokio::spawn(work)").is_empty());
    }

    #[test]
    fn a_file_ends_before_it_is_two() {
        assert!(check("cli/src/main.rs", &"\n".repeat(600)).is_empty());
        assert_eq!(check("cli/src/main.rs", &"\n".repeat(601)).len(), 1);
    }

    #[test]
    fn nothing_is_left_unfinished() {
        assert_eq!(
            check("cli/src/main.rs", "fn f() {\n    todo!()\n}"),
            ["cli/src/main.rs:2 has todo!; finish it or leave it out"]
        );
        assert_eq!(check("ffi/examples/a.c", concat!("/* FIX", "ME */")).len(), 1);
        assert!(check("cli/src/main.rs", "let todo = \"todo!\";").is_empty());
    }

    #[test]
    fn protocol_stays_without_std() {
        assert_eq!(
            check("protocol/src/lib.rs", "extern crate alloc;"),
            ["protocol/src/lib.rs must say #![no_std]"]
        );
        assert_eq!(check("protocol/src/lib.rs", "#![no_std]\nextern crate std;\n").len(), 1);
        assert!(check("protocol/src/lib.rs", "#![no_std]\n#[cfg(test)]\nextern crate std;\n").is_empty());
    }

    #[test]
    fn every_package_takes_the_lints() {
        let check = |folder: &str, manifest: &str| {
            let mut tree = Tree::default();
            tree.files.insert(format!("{folder}/Cargo.toml"), manifest.into());
            tree.packages.push(Package { folder: folder.into(), ..Package::default() });
            let mut broken = Vec::new();
            lints(&tree, &mut broken);
            broken.len()
        };
        assert_eq!(check("protocol/net", "[lints]\nworkspace = true\n"), 0);
        assert_eq!(check("protocol/net", "[lints.rust]\nunsafe_code = \"deny\"\n"), 1);
        assert_eq!(check("codec", "[lints.rust]\nunsafe_code = \"deny\"\n"), 0);
        assert_eq!(check("codec", "[lints.rust]\n"), 1);
    }
}
