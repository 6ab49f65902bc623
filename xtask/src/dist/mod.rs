//! `cargo xtask dist DIR`: what a C programmer installs, below a folder that may be moved anywhere.
//!
//! * [`library`] names the three libraries and builds them: one crate, each time with other features.
//! * [`symbols`] sees to it that they export what `ffi/abi.txt` says and nothing else.
//! * [`install`] lays them out as the target's programs look for them.
//! * [`describe`] writes what pkg-config and CMake read.
//! * [`sizes`] prints how large they became.

mod describe;
mod install;
mod library;
mod sizes;
mod symbols;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::toolchain;
use library::Library;
pub(crate) use library::target_folder;

/// What is asked for.
pub(crate) struct Options {
    /// Where it is installed.
    dir: PathBuf,
    /// Cargo's profile.
    profile: String,
    target: String,
    provider: Provider,
    /// Whether a table of sizes is printed.
    sizes: bool,
}

/// Builds and installs. The words are those of the usage, without the command.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let options = Options::read(words)?;
    let place = install::Place::new(&options)?;
    for library in Library::ALL {
        println!("==> {}", library.name);
        let built = library.build(root, &options)?;
        place.library(library, &built)?;
    }
    place.documents(root)?;
    symbols::check(root, &place)?;
    if options.sizes {
        sizes::print(&place, options.provider)?;
    }
    Ok(())
}

impl Options {
    fn read(words: &[&str]) -> Result<Self> {
        let (mut dir, mut profile, mut target, mut sizes) = (None, "dist".to_owned(), None, false);
        let mut provider = Provider::AwsLc;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().copied().ok_or(Error::Usage(crate::USAGE));
            match *word {
                "--profile" => profile = value()?.to_owned(),
                "--target" => target = Some(value()?.to_owned()),
                "--provider" => provider = Provider::named(value()?)?,
                "--sizes" => sizes = true,
                word if dir.is_none() && !word.starts_with('-') => dir = Some(PathBuf::from(word)),
                _ => return Err(Error::Usage(crate::USAGE)),
            }
        }
        let target = target.map_or_else(toolchain::host, Ok)?;
        Ok(Self { dir: dir.ok_or(Error::Usage(crate::USAGE))?, profile, target, provider, sizes })
    }

    /// How the target's system names and finds libraries.
    fn system(&self) -> Result<System> {
        let is = |name: &str| self.target.split('-').any(|part| part == name);
        match () {
            () if is("linux") => Ok(System::Elf),
            () if is("windows") && is("gnu") => Ok(System::Windows),
            () => Err(Error::Absent {
                what: "a layout for this target",
                advice: "`dist` lays out libraries for Linux and for Windows with MinGW; `cargo build -p lightbox-ffi` builds for others",
            }),
        }
    }
}

/// Whose cryptography the libraries carry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Provider {
    AwsLc,
    Ring,
}

impl Provider {
    /// By the name of the feature.
    fn named(name: &str) -> Result<Self> {
        [Self::AwsLc, Self::Ring]
            .into_iter()
            .find(|it| it.feature() == name)
            .ok_or(Error::Usage(crate::USAGE))
    }

    /// The ffi crate's feature.
    fn feature(self) -> &'static str {
        match self {
            Self::AwsLc => "aws-lc",
            Self::Ring => "ring",
        }
    }

    /// How two ends agree on keys, what is preferred first.
    fn key_exchange(self) -> &'static str {
        match self {
            Self::AwsLc => "X25519MLKEM768, X25519, P-256, P-384 (aws-lc)",
            Self::Ring => "X25519MLKEM768, X25519, P-256, P-384 (ring, ml-kem)",
        }
    }
}

/// How shared libraries are named and found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum System {
    /// A file with its whole version, a link by the name that programs keep, a link by the name that linkers look for.
    Elf,
    /// A DLL among the programs, and an import library for linkers.
    Windows,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_may_come_in_any_order() {
        let options = Options::read(&["--target", "aarch64-unknown-linux-musl", "out", "--sizes"]).unwrap();
        assert_eq!((options.dir.to_str(), options.profile.as_str()), (Some("out"), "dist"));
        assert!(options.sizes && options.system().is_ok_and(|system| system == System::Elf));
        assert!(Options::read(&[]).is_err());
        assert!(Options::read(&["out", "--target"]).is_err());
        assert!(Options::read(&["out", "--target", "aarch64-apple-darwin"]).unwrap().system().is_err());
    }
}
