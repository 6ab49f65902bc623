//! The other architecture that has kernels: the codec's tests, and the C examples against each other, cross-built and
//! run in an emulator. CI does not run them, since the standard library for aarch64 comes from rustup and not from a
//! distribution's packages.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::dist;
use crate::error::{Error, Result};
use crate::process::{run, run_within};
use crate::toolchain;

/// `cargo xtask test-aarch64 [ARGS]`: the arguments go to the codec's test program.
///
/// `RUSTC` may name a compiler that has the target's standard library, as for every call of cargo.
pub(crate) fn test(root: &Path, arguments: &[&str]) -> Result<()> {
    let advice = "`rustup target add aarch64-unknown-linux-gnu`, or RUSTC=a compiler that has it";
    if !toolchain::has_standard_library(TARGET)? {
        return Err(Error::Absent { what: "the standard library for aarch64", advice });
    }
    need(LINKER, "apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross")?;
    need(EMULATOR, "apt-get install qemu-user-static")?;
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "-p", "lightbox-codec", "--lib", "--target", TARGET, "--"]).args(arguments);
    // Static, so that the emulator needs no folder of foreign libraries.
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-C target-feature=+crt-static");
    toolchain::link_for(TARGET, &mut cargo);
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", EMULATOR);
    run_within(TEST_MINUTES, cargo.current_dir(root))?;
    examples(root)
}

/// The smallest host and the smallest terminal, linked to the shared library: a film ends in the same picture on both.
fn examples(root: &Path) -> Result<()> {
    let dir = dist::target_folder(root)?.join(TARGET).join("installed");
    dist::run(root, &[&dir.to_string_lossy(), "--target", TARGET, "--provider", "ring", "--profile", "dev"])?;
    for program in ["mini_host", "mini_terminal"] {
        let mut compiler = Command::new(LINKER);
        compiler.arg(root.join("ffi/examples").join(program).with_extension("c"));
        compiler.arg("-I").arg(dir.join("include")).arg("-L").arg(dir.join("lib")).arg("-llightbox");
        run(compiler.arg(format!("-Wl,-rpath,{}/lib", dir.display())).arg("-o").arg(dir.join(program)))?;
    }
    let (shown, seen) = (dir.join("shown.ppm"), dir.join("seen.ppm"));
    let mut host = emulated(&dir.join("mini_host"));
    host.args(["--frames", "30", "--dump"]).arg(&shown).stdout(Stdio::piped());
    let missing = |source| Error::File { path: EMULATOR.into(), source };
    let mut host = host.spawn().map_err(missing)?;
    let outcome = first_line(&mut host).map_err(missing).and_then(|address| {
        let mut terminal = emulated(&dir.join("mini_terminal"));
        run_within(EXAMPLE_MINUTES, terminal.arg(address.trim()).arg(&seen))
    });
    if outcome.is_err() {
        // It waits for somebody to connect.
        host.kill().map_err(missing)?;
    }
    let status = host.wait().map_err(missing)?;
    outcome?;
    if !status.success() {
        return Err(Error::Failed { command: "mini_host".into(), status });
    }
    run(Command::new("cmp").arg(shown).arg(seen))
}

/// A program of the other architecture, with that architecture's C library.
fn emulated(program: &Path) -> Command {
    let mut emulator = Command::new(EMULATOR);
    emulator.args(["-L", LIBRARIES]).arg(program);
    emulator
}

/// What a program whose output is piped prints first.
fn first_line(program: &mut Child) -> std::io::Result<String> {
    let mut line = String::new();
    if let Some(printed) = program.stdout.take() {
        BufReader::new(printed).read_line(&mut line)?;
    }
    Ok(line)
}

fn need(tool: &'static str, advice: &'static str) -> Result<()> {
    let version = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if version.is_ok() { Ok(()) } else { Err(Error::Absent { what: tool, advice }) }
}

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64-static";
/// Where Debian's cross compiler has the C library.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// Building takes one or two minutes and the tests as long; only a test that hangs reaches it.
const TEST_MINUTES: u64 = 30;

/// The film is half a second.
const EXAMPLE_MINUTES: u64 = 2;
