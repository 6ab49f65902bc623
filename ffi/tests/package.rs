//! What `cargo xtask dist` installs, used as a stranger uses it: moved to another folder, found by pkg-config and by
//! CMake, linked statically and dynamically, one side alone and both.

#[path = "c_examples/picture.rs"]
mod picture;
#[path = "c_examples/program.rs"]
mod program;

use std::path::{Path, PathBuf};
use std::process::Command;

use picture::{same_picture, scratch};

#[test]
fn a_stranger_builds_the_examples() {
    let dir = scratch("package");
    let prefix = installed(&dir);
    let examples = prefix.join("share/doc/lightbox/examples");

    let host = with_pkg_config(&prefix, "lightbox", &examples.join("mini_host.c"), Link::Dynamic, &dir);
    let client = "lightbox-client";
    let terminal = with_pkg_config(&prefix, client, &examples.join("mini_terminal.c"), Link::Static, &dir);
    same_picture(&host, &terminal, &dir);

    // Each side alone; this one's host is dynamic, its terminal static.
    let build = dir.join("cmake");
    let mut cmake = Command::new("cmake");
    run(cmake.arg("-S").arg(&examples).arg("-B").arg(&build).arg(option("CMAKE_PREFIX_PATH", &prefix)));
    run(Command::new("cmake").arg("--build").arg(&build));
    same_picture(&build.join("mini_host"), &build.join("mini_terminal"), &dir);
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
