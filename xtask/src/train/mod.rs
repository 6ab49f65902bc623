//! `cargo xtask train-codec`: makes the constants of the still codec (`codec/src/lossless/wave/trained.rs`).
//!
//! They are part of the bitstream: after a training the streams of `codec/vectors` and of `protocol/vectors` are to be
//! written again, and peers of different constants do not understand each other.
//!
//! Three steps, each a program of its own, as the second needs a coder built with the results of the first:
//! 1. [`bank`]: linear predictors.
//! 2. [`tables`]: token frequencies, and the ready maps from contexts to them.
//! 3. [`report`]: what images of both parts cost now. Run it alone before a training to compare.
//!
//! The same images give the same constants.

mod bank;
mod constants;
mod corpus;
mod report;
mod tables;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process;
use corpus::Corpus;

/// Where the coder has its constants.
const TRAINED: &str = "codec/src/lossless/wave/trained.rs";

/// Trains. The words are those of the usage, without the command.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let (mut folder, mut keep_out, mut step) = (None, Vec::new(), None);
    let mut out = root.join(TRAINED);
    let mut words_left = words.iter();
    while let Some(word) = words_left.next() {
        let mut value = || words_left.next().copied().ok_or(Error::Usage(crate::USAGE));
        match *word {
            "--corpus" => folder = Some(PathBuf::from(value()?)),
            "--keep-out" => keep_out.extend(value()?.split([',', ' ']).map(str::to_owned)),
            "--out" => out = PathBuf::from(value()?),
            "--step" => step = Some(value()?),
            _ => return Err(Error::Usage(crate::USAGE)),
        }
    }
    let folder = folder.ok_or(Error::Usage(crate::USAGE))?;
    let Some(step) = step else {
        return ["bank", "tables", "report"].iter().try_for_each(|step| rerun(words, step));
    };
    let corpus = Corpus::open(&folder, &keep_out)?;
    match step {
        "bank" => bank::train(&corpus, &out),
        "tables" => tables::train(&corpus, &out),
        "report" => report::print(&corpus),
        _ => Err(Error::Usage(crate::USAGE)),
    }
}

/// Builds the coder as it is now, and runs one step with it.
fn rerun(words: &[&str], step: &str) -> Result<()> {
    eprintln!("step {step}");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let xtask = ["run", "--quiet", "--release", "--package", "xtask", "--", "train-codec"];
    process::run(Command::new(cargo).args(xtask).args(words).args(["--step", step]))
}

/// Numbers that look random and are the same every time.
struct Random(u32);

impl Random {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % end.max(1)
    }
}
