//! The codec's tests on the other architecture that has kernels: cross-built, and run in an emulator. CI does not run
//! them, since the standard library for aarch64 comes from rustup and not from a distribution's packages.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::process::run_within;
use crate::toolchain;

/// `cargo xtask test-aarch64 [ARGS]`: the arguments go to the test program.
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
    run_within(TEST_MINUTES, cargo.current_dir(root))
}

fn need(tool: &'static str, advice: &'static str) -> Result<()> {
    let version = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if version.is_ok() { Ok(()) } else { Err(Error::Absent { what: tool, advice }) }
}

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64-static";

/// Building takes one or two minutes and the tests as long; only a test that hangs reaches it.
const TEST_MINUTES: u64 = 30;
