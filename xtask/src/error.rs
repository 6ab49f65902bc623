//! Why a command failed, in words a person can act on.

use std::path::{Path, PathBuf};

/// The result of every command.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    #[error("unknown command\n{0}")]
    Usage(&'static str),
    #[error("`{tool}` cannot be started ({source}); {advice}")]
    Missing { tool: String, source: std::io::Error, advice: &'static str },
    #[error("{what} is missing: {advice}")]
    Absent { what: &'static str, advice: &'static str },
    #[error("`{command}` failed ({status})")]
    Failed { command: String, status: std::process::ExitStatus },
    #[error(
        "`{command}` did not end within {minutes} min and was killed; the last output above says where it hangs"
    )]
    Hangs { command: String, minutes: u64 },
    #[error("`{command}` printed what xtask does not understand: {what}")]
    Output { command: String, what: String },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("cbindgen cannot read the ffi crate: {0}")]
    Header(String),
    #[error(
        "{file} differs from the code; run `cargo xtask {command}` and commit it with the change that caused it"
    )]
    Drift { file: &'static str, command: &'static str },
    #[error("{library} exports other symbols than ffi/abi.txt says: {what} {symbols}")]
    Symbols { library: &'static str, what: &'static str, symbols: String },
    #[error("{0} targets do not compile, each named above")]
    Targets(usize),
    #[error("{0} walls are broken, each named above")]
    Walls(usize),
    #[error("step `{step}` failed: {source}")]
    Step { step: &'static str, source: Box<Error> },
}

/// Reads a text file; the error names it.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })
}

/// Writes a text file and its folder; the error names it.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| std::fs::write(path, text))
        .map_err(|source| Error::File { path: path.into(), source })
}

/// Compares a committed, generated file with what the code generates now.
pub(crate) fn compare(root: &Path, file: &'static str, expected: &str, command: &'static str) -> Result<()> {
    let committed = std::fs::read_to_string(root.join(file)).unwrap_or_default();
    if committed == expected {
        return Ok(());
    }
    for line in changed_lines(&committed, expected).take(20) {
        eprintln!("{file}: {line}");
    }
    Err(Error::Drift { file, command })
}

/// The lines that only one of the two texts has: enough to see what moved, without a diff program.
fn changed_lines<'a>(committed: &'a str, generated: &'a str) -> impl Iterator<Item = String> + 'a {
    let gone = committed.lines().filter(|line| !generated.lines().any(|other| other == *line));
    let new = generated.lines().filter(|line| !committed.lines().any(|other| other == *line));
    gone.map(|line| format!("- {line}")).chain(new.map(|line| format!("+ {line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_shows_only_the_lines_that_moved() {
        let lines: Vec<String> = changed_lines("a\nb\nc\n", "a\nc\nd\n").collect();
        assert_eq!(lines, ["- b", "+ d"]);
    }
}
