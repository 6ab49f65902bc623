//! Keys and certificates in files.

use std::path::Path;

use lightbox_net::tls::{self, Authorities, Identity};

use crate::Failure;

/// The certificate and key in the PEM file at `path`.
///
/// # Errors
/// One line that names the file.
pub fn identity(path: &Path) -> Result<Identity, Failure> {
    Identity::load(path, &tls::provider()).map_err(|e| named(path, &e))
}

/// The same; made, and kept there, if the file is not there.
///
/// # Errors
/// One line that names the file.
pub fn identity_or_new(path: &Path) -> Result<Identity, Failure> {
    if path.exists() {
        return identity(path);
    }
    let new = Identity::self_signed(&["lightbox"], &tls::provider())?;
    new.save(path).map_err(|e| named(path, &e))?;
    Ok(new)
}

/// The authorities in the PEM file at `path`.
///
/// # Errors
/// One line that names the file.
pub fn authorities(path: &Path) -> Result<Authorities, Failure> {
    let pem = std::fs::read_to_string(path).map_err(|e| named(path, &e))?;
    tls::roots_from_pem(&pem).map_err(|e| named(path, &e))
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    format!("{}: {error}", path.display()).into()
}
