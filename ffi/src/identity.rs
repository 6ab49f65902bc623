//! The certificate by which a side is known, in a file.

use std::path::Path;

use lightbox_net::tls::{self, Identity, IdentityError};

use crate::error::{Failure, LBX_ERROR_IDENTITY};

/// The identity of a file, which is made if it is not there.
pub(crate) fn identity_at(path: &Path) -> Result<Identity, IdentityError> {
    let provider = tls::provider();
    if path.exists() {
        return Identity::load(path, &provider);
    }
    let identity = Identity::self_signed(&["lightbox"], &provider)?;
    identity.save(path)?;
    Ok(identity)
}

pub(crate) fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::new(LBX_ERROR_IDENTITY, error)
}
