//! `ffi/abi.txt`: the `lbx_*` symbols that the built shared library exports, sorted, one a line. A symbol that comes
//! or goes shows in the diff of the commit that does it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::error::{self, Error, Result};
use crate::process::output;

/// Builds the library and writes the list.
pub(crate) fn write(root: &Path) -> Result<()> {
    error::write(&root.join(FILE), &exported(&build(root)?)?)
}

/// Fails if the committed list is not what `library` exports.
pub(crate) fn check(root: &Path, library: &Path) -> Result<()> {
    error::compare(root, FILE, &exported(library)?, "abi")
}

/// Builds the shared library alone.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "-p", "lightbox-ffi", "--lib", MESSAGES]).current_dir(root);
    built_by(&mut cargo)
}

/// Runs a cargo build that includes the ffi crate and returns the shared library it made.
///
/// The build must ask for [`MESSAGES`].
pub(crate) fn built_by(cargo: &mut Command) -> Result<PathBuf> {
    library_in(&output(cargo)?).ok_or_else(|| Error::Output {
        command: crate::process::line(cargo),
        what: "no shared library of lightbox-ffi among the artifacts".into(),
    })
}

/// The argument with which cargo tells on standard output what it built; its diagnostics stay on standard error.
pub(crate) const MESSAGES: &str = "--message-format=json-render-diagnostics";

fn library_in(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut artifacts = messages.filter(|message| message["reason"] == "compiler-artifact");
    artifacts.find_map(|artifact| {
        let is_ffi = artifact["manifest_path"].as_str()?.ends_with("ffi/Cargo.toml");
        let mut files = artifact["filenames"].as_array()?.iter().filter_map(Value::as_str);
        files.find(|file| is_ffi && file.ends_with(".so")).map(PathBuf::from)
    })
}

fn exported(library: &Path) -> Result<String> {
    let names = exports(library)?;
    Ok(lines(&names.into_iter().filter(|name| name.starts_with("lbx_")).collect()))
}

/// Every symbol that a shared library defines for others.
pub(crate) fn exports(library: &Path) -> Result<BTreeSet<String>> {
    let table = output(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(library))?;
    Ok(names_in(&table))
}

/// The symbols of ours that an archive offers: a static library, or the import library of a DLL.
pub(crate) fn offered_by(archive: &Path) -> Result<BTreeSet<String>> {
    let table =
        output(Command::new("nm").args(["-g", "--defined-only", "--format=posix", "--quiet"]).arg(archive))?;
    Ok(names_in(&table).into_iter().filter(|name| name.starts_with("lbx_")).collect())
}

/// The committed list.
pub(crate) fn committed(root: &Path) -> Result<BTreeSet<String>> {
    Ok(error::read(&root.join(FILE))?.lines().map(String::from).collect())
}

/// Names as the committed list has them.
pub(crate) fn lines(names: &BTreeSet<String>) -> String {
    names.iter().flat_map(|name| [name, "\n"]).collect()
}

fn names_in(table: &str) -> BTreeSet<String> {
    table.lines().filter_map(|line| line.split_whitespace().next()).map(String::from).collect()
}

const FILE: &str = "ffi/abi.txt";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_listed_in_order() {
        let table = "lbx_session_new T 30 5\nlbx_client_new T 20 5\n\n";
        assert_eq!(lines(&names_in(table)), "lbx_client_new\nlbx_session_new\n");
    }

    #[test]
    fn the_shared_library_is_found_among_the_artifacts() {
        let messages = r#"
            {"reason":"build-script-executed"}
            {"reason":"compiler-artifact","manifest_path":"/a/codec/Cargo.toml","filenames":["/t/libcodec.so"]}
            {"reason":"compiler-artifact","manifest_path":"/a/ffi/Cargo.toml","filenames":["/t/ffi-test"]}
            {"reason":"compiler-artifact","manifest_path":"/a/ffi/Cargo.toml","filenames":["/t/liblightbox.a","/t/liblightbox.so"]}
        "#;
        assert_eq!(library_in(messages), Some(PathBuf::from("/t/liblightbox.so")));
    }
}
