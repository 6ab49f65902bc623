//! How large the libraries are: what a firmware image has to hold.

use std::path::Path;

use super::Provider;
use super::install::Place;
use super::library::Library;
use crate::error::{Error, Result};

/// Prints a table in Markdown, as `benches/README.md` has it.
pub(super) fn print(place: &Place, provider: Provider) -> Result<()> {
    println!("| library | key exchange | shared, stripped | static, without debugging information |");
    println!("|---|---|---|---|");
    for library in Library::ALL {
        let (shared, fixed) = (bytes(&place.shared(library))?, bytes(&place.fixed(library))?);
        let exchange = provider.key_exchange();
        println!("| {} | {exchange} | {} | {} |", library.name, megabytes(shared), megabytes(fixed));
    }
    Ok(())
}

fn bytes(file: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(file).map_err(|source| Error::File { path: file.into(), source })?;
    Ok(metadata.len())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
