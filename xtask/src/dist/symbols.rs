//! What the libraries export: `ffi/abi.txt` and nothing else, and each side its part of it. The C and the Rust that is
//! bundled keeps its names to itself, so that a host may link another copy of it.

use std::collections::BTreeSet;
use std::path::Path;

use super::install::Place;
use super::library::Library;
use crate::abi;
use crate::error::{Error, Result};

/// Compares what was installed with the committed list.
pub(super) fn check(root: &Path, place: &Place) -> Result<()> {
    let committed = abi::committed(root)?;
    let mut sides = BTreeSet::new();
    for library in Library::ALL {
        let exported = match place.import(library) {
            Some(import) => abi::offered_by(&import)?,
            None => abi::exports(&place.shared(library))?,
        };
        let fixed = abi::offered_by(&place.fixed(library))?;
        compare(library.name, "its static form lacks or adds", &exported, &fixed)?;
        match library.is_whole() {
            true => compare(library.name, "it lacks or adds", &committed, &exported)?,
            false => {
                sides.extend(exported.iter().cloned());
                let strange: BTreeSet<String> = exported.difference(&committed).cloned().collect();
                compare(library.name, "it adds", &BTreeSet::new(), &strange)?;
            }
        }
    }
    compare("the two sides", "together they lack", &committed, &sides)
}

fn compare(
    library: &'static str,
    what: &'static str,
    expected: &BTreeSet<String>,
    found: &BTreeSet<String>,
) -> Result<()> {
    let differ: Vec<&str> = expected.symmetric_difference(found).map(String::as_str).collect();
    match differ.is_empty() {
        true => Ok(()),
        false => Err(Error::Symbols { library, what, symbols: differ.join(", ") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_too_many_or_too_few_is_named() {
        let set = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        assert!(compare("a", "it lacks", &set(&["x"]), &set(&["x"])).is_ok());
        let error = compare("a", "it lacks or adds", &set(&["x"]), &set(&["x", "deflate"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a exports other symbols than ffi/abi.txt says: it lacks or adds deflate"
        );
    }
}
