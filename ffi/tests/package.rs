//! What `cargo xtask dist` installs, used as a stranger uses it: moved to another folder, found by pkg-config and by
//! CMake, linked statically and dynamically, one side alone and both.

#[path = "c_examples/picture.rs"]
mod picture;
#[path = "c_examples/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use picture::{read, same_picture, scratch, typed_picture};

/// Installed once, for all tests.
static PREFIX: LazyLock<PathBuf> = LazyLock::new(|| installed(&scratch("installed")));

#[test]
fn a_stranger_builds_the_examples() {
    let dir = scratch("package");
    let prefix = &*PREFIX;
    let examples = prefix.join("share/doc/lightbox/examples");

    let host = with_pkg_config(prefix, "lightbox", &examples.join("mini_host.c"), Link::Dynamic, &dir);
    let client = "lightbox-client";
    let terminal = with_pkg_config(prefix, client, &examples.join("mini_terminal.c"), Link::Static, &dir);
    same_picture(&host, &terminal, &dir);

    // Each side alone; this one's host is dynamic, its terminal static.
    let build = dir.join("cmake");
    let mut cmake = Command::new("cmake");
    run(cmake.arg("-S").arg(&examples).arg("-B").arg(&build).arg(option("CMAKE_PREFIX_PATH", prefix)));
    run(Command::new("cmake").arg("--build").arg(&build));
    same_picture(&build.join("mini_host"), &build.join("mini_terminal"), &dir);
    typed_picture(&build.join("mini_host"), &build.join("terminal"), &dir);
}

/// Every command of both guides, as a person types them.
#[test]
fn the_commands_of_the_guides_lead_to_a_picture() {
    for guide in ["integrating-a-hypervisor.md", "integrating-a-thin-client.md"] {
        let text = read(&PREFIX.join("share/doc/lightbox").join(guide));
        let text = String::from_utf8(text).expect("a guide is UTF-8");
        let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
        // A place of one's own, where it is installed already.
        let place = scratch(guide);
        run(Command::new("cp").arg("-R").arg(PREFIX.join(".")).arg(&place));
        let lines =
            blocks.flat_map(str::lines).filter(|line| !line.starts_with("cargo xtask dist /opt/lightbox "));
        let place_text = place.to_str().expect("cargo's target folder has a name in UTF-8");
        let script: String = lines
            .flat_map(|line| [&line.replace("/opt/lightbox", place_text), "\n"].map(str::to_owned))
            .collect();
        assert!(script.contains("./mini_terminal"), "{guide} has no commands");
        let mut shell = Command::new("sh");
        run(shell.arg("-euc").arg(&script).env_remove("LD_LIBRARY_PATH").current_dir(&place));
        let seen = read(&place.join("share/doc/lightbox/examples/seen.ppm"));
        assert!(seen.starts_with(b"P6\n640 400\n"), "{guide} leads to another picture");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Link {
    Dynamic,
    Static,
}

/// Installs with a profile and a provider that build quickly, and moves what was installed.
fn installed(dir: &Path) -> PathBuf {
    let (built, moved) = (dir.join("built"), dir.join("elsewhere"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["xtask", "dist"]).arg(&built).args(["--profile", "dev", "--provider", "ring"]);
    let test = std::env::current_exe().expect("a test knows where it is");
    let target = test.ancestors().nth(3).expect("cargo's folders are three deep");
    run(cargo.env("CARGO_TARGET_DIR", target).current_dir(env!("CARGO_MANIFEST_DIR")));
    std::fs::rename(&built, &moved).expect("a folder can be renamed");
    moved
}

/// Compiles as the guides say it, in the shell.
fn with_pkg_config(prefix: &Path, package: &str, source: &Path, link: Link, dir: &Path) -> PathBuf {
    let program = dir.join(source.file_stem().expect("a source has a name"));
    let libraries = match link {
        Link::Dynamic => format!("$(pkg-config --libs {package}) -Wl,-rpath,\"$PREFIX/lib\""),
        Link::Static => format!(
            "-Wl,-Bstatic $(pkg-config --libs {package}) -Wl,-Bdynamic $(pkg-config --variable=native_libs {package})"
        ),
    };
    let line =
        format!("cc -std=c11 $(pkg-config --cflags {package}) \"$SOURCE\" {libraries} -o \"$PROGRAM\"");
    let mut shell = Command::new("sh");
    shell.args(["-euc", &line]).env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).env("PREFIX", prefix);
    run(shell.env("SOURCE", source).env("PROGRAM", &program));
    program
}

fn option(name: &str, value: &Path) -> String {
    format!("-D{name}={}", value.display())
}

fn run(command: &mut Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}; `./x test` installs it"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{complaints}");
}
