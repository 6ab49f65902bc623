//! `cargo xtask COMMAND`: what CI runs, one step at a time or all of them.
//!
//! * [`ci`] is the whole of CI; `./x test` installs what it needs and runs it.
//! * [`walls`] checks what no compiler checks: who may import whom, where `unsafe` may stand, which documents are
//!   indexed.
//! * [`header`] and [`abi`] keep the committed C header and the list of exported symbols equal to the code.
//! * [`dist`] builds and installs what C programs link.
//! * [`targets`] checks that the libraries compile for other systems.
//! * [`aarch64`] runs the codec's tests and the C examples on that architecture, in an emulator.
//! * [`fuzz`] starts the long hunts, which CI does not run.
//! * [`train`] makes the constants of the still codec from images.

mod aarch64;
mod abi;
mod ci;
mod dist;
mod error;
mod fuzz;
mod header;
mod process;
mod targets;
mod toolchain;
mod train;
mod walls;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use error::{Error, Result};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&root(), &words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(root: &Path, words: &[&str]) -> Result<()> {
    match words {
        ["ci"] => ci::run(root),
        ["walls"] => walls::run(root),
        ["header"] => header::write(root),
        ["header", "--check"] => header::check(root),
        ["abi"] => abi::write(root),
        ["abi", "--check"] => abi::check(root, &abi::build(root)?),
        ["dist", rest @ ..] => dist::run(root, rest),
        ["check-targets", rest @ ..] => targets::check(root, rest),
        ["test-aarch64", rest @ ..] => aarch64::test(root, rest),
        ["soak", rest @ ..] => fuzz::soak(root, rest),
        ["fuzz", target] => fuzz::hunt(root, target, None),
        ["fuzz", target, seconds] => fuzz::hunt(root, target, Some(seconds)),
        ["train-codec", rest @ ..] => train::run(root, rest),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Error::Usage(USAGE)),
    }
}

/// The checkout: this package's folder's parent, wherever cargo was called from.
fn root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(Path::to_path_buf).unwrap_or(package)
}

const USAGE: &str = "\
usage: cargo xtask COMMAND
  ci                            everything CI checks, in order; the first failure stops it
  walls                         layering, unsafe rooms, file sizes, documents
  header [--check]              write ffi/include/lightbox.h from the code, or compare
  abi [--check]                 write ffi/abi.txt from the built library, or compare
  dist DIR [--profile NAME] [--target TRIPLE] [--provider aws-lc|ring] [--sizes]
                                install libraries, headers, pkg-config and CMake files, documents below DIR
  check-targets [TRIPLE...]     type-check the libraries for other systems, as far as this compiler can
  test-aarch64 [TEST ARGS]      the codec's tests and the C examples on that architecture, in QEMU
  soak [--updates N] [--seed S] the exactness oracle for as long as you like
  fuzz TARGET [SECONDS]         cargo-fuzz on one target (needs the nightly toolchain and cargo-fuzz)
  train-codec --corpus DIR [--keep-out LIST] [--out FILE] [--step bank|tables|report]
                                make the still codec's constants from the PGM and PPM images below DIR";
