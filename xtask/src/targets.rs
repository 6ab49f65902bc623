//! `cargo xtask check-targets`: whether the libraries pass the compiler for the machines that they are meant for.
//!
//! Types are checked and nothing is linked, so no target's linker or C compiler is needed: the C inside ring is left out
//! by a compiler that does nothing. What has no standard library at hand is skipped and said to be; add it with
//! `rustup target add`, or name a compiler that has it by `RUSTC`. Where `RUSTC_BOOTSTRAP` is set and the compiler has
//! the source of its standard library, that is compiled instead.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process::{self, output};
use crate::toolchain;

/// Checks all targets, or those that are named, and prints a table.
pub(crate) fn check(root: &Path, wanted: &[&str]) -> Result<()> {
    if let Some(unknown) = wanted.iter().find(|name| TARGETS.iter().all(|target| target.name != **name)) {
        eprintln!("{unknown} is none of the targets that are checked");
        return Err(Error::Usage(crate::USAGE));
    }
    let wanted = TARGETS.iter().filter(|target| wanted.is_empty() || wanted.contains(&target.name));
    let mut rows = Vec::new();
    for target in wanted {
        println!("==> {}", target.name);
        rows.push((target, target.check(root)?));
    }
    println!("| target | what | result |\n|---|---|---|");
    for (Target { name, packages }, outcome) in &rows {
        println!("| {name} | {} | {outcome} |", packages.what());
    }
    match rows.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_))).count() {
        0 => Ok(()),
        failed => Err(Error::Targets(failed)),
    }
}

/// A machine that the libraries are meant for.
struct Target {
    name: &'static str,
    packages: Packages,
}

/// What a target gets.
enum Packages {
    /// The C library with both sides, and so all of the SDKs.
    All,
    /// Codec and protocol: a browser has no sockets, and what carries the session there is not ours.
    Core,
}

enum Outcome {
    Passed { built_std: bool },
    Skipped,
    Failed(Error),
}

const TARGETS: &[Target] = &[
    Target { name: "x86_64-unknown-linux-gnu", packages: Packages::All },
    Target { name: "aarch64-unknown-linux-gnu", packages: Packages::All },
    Target { name: "armv7-unknown-linux-gnueabihf", packages: Packages::All },
    Target { name: "x86_64-unknown-linux-musl", packages: Packages::All },
    Target { name: "x86_64-pc-windows-gnu", packages: Packages::All },
    Target { name: "aarch64-apple-darwin", packages: Packages::All },
    Target { name: "aarch64-apple-ios", packages: Packages::All },
    Target { name: "aarch64-linux-android", packages: Packages::All },
    Target { name: "wasm32-unknown-unknown", packages: Packages::Core },
];

impl Target {
    fn check(&self, root: &Path) -> Result<Outcome> {
        let built_std = !toolchain::has_standard_library(self.name)?;
        if built_std && !can_build_std()? {
            return Ok(Outcome::Skipped);
        }
        for arguments in self.packages.arguments() {
            let mut cargo = Command::new("cargo");
            cargo.args(["check", "--target", self.name]).args(*arguments).current_dir(root);
            if built_std {
                cargo.arg("-Zbuild-std=std,panic_unwind");
            }
            if self.name != toolchain::host()? {
                without_c(self.name, root, &mut cargo);
            }
            if let Err(error) = process::run(&mut cargo) {
                return Ok(Outcome::Failed(error));
            }
        }
        Ok(Outcome::Passed { built_std })
    }
}

impl Packages {
    fn arguments(&self) -> &[&[&str]] {
        match self {
            Self::All => {
                &[&["-p", "lightbox-ffi", "--no-default-features", "--features", "server,client,ring"]]
            }
            Self::Core => &[
                &["-p", "lightbox-codec", "--no-default-features", "--features", "coders,std"],
                &["-p", "lightbox-protocol"],
            ],
        }
    }

    fn what(&self) -> &'static str {
        match self {
            Self::All => "both SDKs, C library",
            Self::Core => "codec, protocol",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passed { built_std: false } => f.write_str("passed"),
            Self::Passed { built_std: true } => {
                f.write_str("passed, with a standard library built from source")
            }
            Self::Skipped => f.write_str("skipped: this compiler has no standard library for it"),
            Self::Failed(error) => write!(f, "FAILED: {error}"),
        }
    }
}

/// Whether the standard library can be compiled: an unstable option of cargo, which the user has allowed, and its source.
fn can_build_std() -> Result<bool> {
    let sysroot = PathBuf::from(output(toolchain::rustc().args(["--print", "sysroot"]))?.trim());
    let has_source = sysroot.join("lib/rustlib/src/rust/library/Cargo.lock").exists();
    Ok(std::env::var_os("RUSTC_BOOTSTRAP").is_some() && has_source)
}

/// Build scripts that compile C get a compiler that says yes.
fn without_c(target: &str, root: &Path, cargo: &mut Command) {
    let target = target.replace('-', "_");
    for tool in ["CC", "CXX", "AR"] {
        cargo.env(format!("{tool}_{target}"), "true");
    }
    // For Apple's systems they ask a program of Apple's where its headers are, unless they are told.
    cargo.env("SDKROOT", root);
}
