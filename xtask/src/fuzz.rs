//! The long hunts: the soak of the exactness oracle and coverage-guided fuzzing. CI runs their short forms as ordinary
//! tests of `lightbox-fuzz`, which also replay every input that was ever found.

use std::path::Path;
use std::process::Command;

use crate::error::{Error, Result};
use crate::process::run;

/// `cargo xtask soak --updates N --seed S`: the arguments go to the `soak` program of `lightbox-fuzz`.
pub(crate) fn soak(root: &Path, arguments: &[&str]) -> Result<()> {
    let soak = ["run", "--release", "-p", "lightbox-fuzz", "--bin", "soak", "--"];
    run(Command::new("cargo").args(soak).args(arguments).current_dir(root))
}

/// `cargo xtask fuzz TARGET [SECONDS]`: cargo-fuzz, which only the nightly toolchain can build for.
///
/// It starts from the saved inputs. What it finds on the way goes to `target/fuzz`, and what breaks the target to
/// `fuzz/fuzz_targets/artifacts`; an input worth keeping is copied to `fuzz/corpus` by hand.
pub(crate) fn hunt(root: &Path, target: &str, seconds: Option<&str>) -> Result<()> {
    let build = root.join("target/fuzz");
    let found = build.join("corpus").join(target);
    let saved = root.join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&found).map_err(|source| Error::File { path: found.clone(), source })?;
    let mut fuzz = Command::new("cargo");
    fuzz.args(["+nightly", "fuzz", "run", "--fuzz-dir", "fuzz/fuzz_targets", "--target-dir"]).arg(&build);
    fuzz.arg(target).args([found, saved]).current_dir(root);
    if let Some(seconds) = seconds {
        fuzz.args(["--", &format!("-max_total_time={seconds}")]);
    }
    run(&mut fuzz)
}
