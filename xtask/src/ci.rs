//! Everything CI checks, in the order in which a person wants to hear of it: the quick complaints first.
//!
//! One target folder, one profile and as few feature sets as possible: the checks without features look at three
//! small crates, everything else takes the whole workspace, and the shared library whose symbols are compared is the
//! one that the tests run with.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::process;
use crate::{abi, header, walls};

/// Runs all steps; the first that fails ends the run.
pub(crate) fn run(root: &Path) -> Result<()> {
    let cargo = |arguments: &str| {
        let mut cargo = Command::new("cargo");
        cargo.args(arguments.split_whitespace()).current_dir(root);
        cargo
    };
    let mut steps = Steps::default();

    steps.run("format", || process::run(&mut cargo("fmt --all --check")))?;
    steps.run("walls", || walls::run(root))?;
    steps.run("header", || header::check(root))?;
    steps.run("clippy", || {
        process::run(&mut cargo(
            "clippy --workspace --all-targets --features lightbox-net/ring -- -D warnings",
        ))
    })?;
    steps.run("no_std", || {
        process::run(&mut cargo("check -p lightbox-codec --no-default-features"))?;
        process::run(&mut cargo("check -p lightbox-codec --no-default-features --features coders"))?;
        process::run(&mut cargo("check -p lightbox-protocol"))
    })?;
    steps.run("documentation", || {
        process::run(cargo("doc --workspace --lib --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let library =
        steps.run("test build", || abi::built_by(cargo(TESTS).args(["--no-run", abi::MESSAGES])))?;
    steps.run("abi", || abi::check(root, &library))?;
    steps.run("tests", || process::run_within(TEST_MINUTES, &mut cargo(TESTS)))?;

    steps.print();
    Ok(())
}

/// What has passed so far and how long each step took.
#[derive(Default)]
struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn run<T>(&mut self, step: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("==> {step}");
        let start = Instant::now();
        let made = work().map_err(|error| Error::Step { step, source: Box::new(error) })?;
        let took = start.elapsed();
        println!("<== {step}: {}", in_words(took));
        self.0.push((step, took));
        Ok(made)
    }

    fn print(&self) {
        for (step, took) in &self.0 {
            println!("{step:16}{:>10}", in_words(*took));
        }
        let total = self.0.iter().map(|(_, took)| *took).sum();
        println!("ci: all {} steps passed in {}", self.0.len(), in_words(total));
    }
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs_f32();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:.0} s", time.as_secs() / 60, seconds % 60.0)
    }
}

/// With both providers of cryptography, so that they are tried against each other.
const TESTS: &str = "test --workspace --features lightbox-net/ring";

/// Several times what all tests take together on two cores; only a test that hangs reaches it, and libtest has named
/// that test by then ("has been running for over 60 seconds").
const TEST_MINUTES: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_a_person_says_them() {
        assert_eq!(in_words(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(in_words(Duration::from_secs(125)), "2 min 5 s");
    }

    #[test]
    fn a_failed_step_says_which_it_was() {
        let error = Steps::default().run("walls", || Err::<(), _>(Error::Walls(2))).expect_err("it failed");
        assert_eq!(error.to_string(), "step `walls` failed: 2 walls are broken, each named above");
    }
}
