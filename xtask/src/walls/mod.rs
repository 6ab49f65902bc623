//! The walls: rules about the tree that no compiler checks. Each broken one is one line that says what to do.
//!
//! * [`imports`]: who may depend on whom, and which package may name which outside crate.
//! * [`source`]: where `unsafe` may stand, where the operating system is asked, what is `no_std`, how long a file may be, what counts as unfinished.
//! * [`coverage`]: every public operation of the SDKs stands with its C name in `docs/c-coverage.md`.
//! * [`documents`]: every package is named in ARCHITECTURE.md, every document is indexed, every link leads somewhere.

mod coverage;
mod documents;
mod imports;
mod rust_text;
mod source;
mod tree;

use std::path::Path;

use crate::error::{Error, Result};
use tree::Tree;

/// Checks all walls of the checkout at `root` and prints each that is broken.
pub(crate) fn run(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    let broken: Vec<String> =
        [imports::check(&tree), source::check(&tree), documents::check(&tree), coverage::check(&tree)]
            .into_iter()
            .flatten()
            .collect();
    for line in &broken {
        eprintln!("wall: {line}");
    }
    if broken.is_empty() {
        println!("{} packages and {} files keep the walls", tree.packages.len(), tree.files.len());
        return Ok(());
    }
    Err(Error::Walls(broken.len()))
}
