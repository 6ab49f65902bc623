//! The compiler at hand, and which targets it can build for: rustup's, or the one that `RUSTC` names.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::error::{Error, Result};
use crate::process::output;

/// The compiler that cargo uses.
pub(crate) fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")))
}

/// The target of this machine.
pub(crate) fn host() -> Result<String> {
    let mut rustc = rustc();
    let version = output(rustc.arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let unknown = || Error::Output { command: crate::process::line(&rustc), what: "no line `host:`".into() };
    host.map(String::from).ok_or_else(unknown)
}

/// Whether the compiler has the standard library of a target.
pub(crate) fn has_standard_library(target: &str) -> Result<bool> {
    let libraries =
        PathBuf::from(output(rustc().args(["--print", "target-libdir", "--target", target]))?.trim());
    Ok(std::fs::read_dir(libraries).is_ok_and(|mut files| files.next().is_some()))
}

/// Tells cargo which program links for a target, where neither rustc knows that by itself nor the user has said it.
pub(crate) fn link_for(target: &str, cargo: &mut Command) {
    let variable = format!("CARGO_TARGET_{}_LINKER", target.replace('-', "_").to_uppercase());
    if let (Some(prefix), None) = (tools_of(target), std::env::var_os(&variable)) {
        cargo.env(variable, format!("{prefix}gcc"));
    }
}

/// One of the binary utilities for a target: the cross compiler's, or else this machine's.
pub(crate) fn binutil(target: &str, name: &str) -> Command {
    Command::new(format!("{}{name}", tools_of(target).unwrap_or_default()))
}

/// What the names of Debian's cross tools for a target begin with.
fn tools_of(target: &str) -> Option<&'static str> {
    CROSS_TOOLS.iter().find(|(known, _)| *known == target).map(|(_, prefix)| *prefix)
}

const CROSS_TOOLS: &[(&str, &str)] = &[
    ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-"),
    ("armv7-unknown-linux-gnueabihf", "arm-linux-gnueabihf-"),
    ("x86_64-pc-windows-gnu", "x86_64-w64-mingw32-"),
];
