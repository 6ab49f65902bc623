//! The long hunts: the soak of the exactness oracle and coverage-guided fuzzing. CI runs their short forms as ordinary
//! tests of `lightbox-fuzz`, which also replay every input that was ever found.

use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::process::run;

/// `cargo xtask soak --updates N --seed S`: the arguments go to the `soak` program of `lightbox-fuzz`.
pub(crate) fn soak(root: &Path, arguments: &[&str]) -> Result<()> {
    let soak = ["run", "--release", "-p", "lightbox-fuzz", "--bin", "soak", "--"];
    run(Command::new("cargo").args(soak).args(arguments).current_dir(root))
}

/// `cargo xtask fuzz TARGET [SECONDS]`: cargo-fuzz, which only the nightly toolchain can build for.
pub(crate) fn hunt(root: &Path, target: &str, seconds: Option<&str>) -> Result<()> {
    let mut fuzz = Command::new("cargo");
    fuzz.args(["+nightly", "fuzz", "run", "--fuzz-dir", "fuzz", target]).current_dir(root);
    if let Some(seconds) = seconds {
        fuzz.args(["--", &format!("-max_total_time={seconds}")]);
    }
    run(&mut fuzz)
}
