//! The three libraries, and how each is built.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{Options, System};
use crate::error::{self, Error, Result};
use crate::process;
use crate::toolchain;

/// One of the libraries that are installed.
pub(super) struct Library {
    /// Without `lib` in front and what comes behind.
    pub(super) name: &'static str,
    /// Features of the ffi crate.
    features: &'static str,
    /// CMake's target, within `Lightbox::`.
    pub(super) component: &'static str,
    pub(super) description: &'static str,
}

/// A library as cargo left it, until the next one is built.
pub(super) struct Built {
    pub(super) shared: PathBuf,
    pub(super) fixed: PathBuf,
    /// What a program links beside the static one, as its linker wants it said.
    pub(super) native: String,
}

impl Library {
    pub(super) const ALL: &'static [Self] = &[
        Self {
            name: "lightbox",
            features: "server,client",
            component: "lightbox",
            description: "A desktop from a hypervisor to a thin client: both sides",
        },
        Self {
            name: "lightbox-server",
            features: "server",
            component: "server",
            description: "A desktop from a hypervisor to a thin client: the hypervisor's side",
        },
        Self {
            name: "lightbox-client",
            features: "client",
            component: "client",
            description: "A desktop from a hypervisor to a thin client: the thin client's side",
        },
    ];

    /// The name that programs keep of the shared library. It changes when they must be built again.
    pub(super) fn soname(&self) -> String {
        format!("lib{}.so.{}", self.name, abi_numbers().collect::<Vec<_>>().join("."))
    }

    /// Whether it has both sides.
    pub(super) fn is_whole(&self) -> bool {
        self.features.contains(',')
    }

    /// Builds the crate with this library's features.
    ///
    /// All three are the same crate, so cargo writes them to the same files, and does not see that what lies there is
    /// another one's: each build begins without them. Naming the target, also that of this machine, keeps them apart
    /// from what tests are linked to.
    pub(super) fn build(&self, root: &Path, options: &Options) -> Result<Built> {
        let folder = target_folder(root)?.join(&options.target).join(profile_folder(&options.profile));
        remove_libraries(&folder.join("deps"))?;
        let native = folder.join("native-static-libs");
        let mut cargo = Command::new("cargo");
        // Without the crate type for Rust programs, for which link-time optimisation would be left out.
        cargo.args(["rustc", "-p", "lightbox-ffi", "--lib", "--crate-type", "cdylib,staticlib"]);
        cargo.args(["--profile", &options.profile, "--target", &options.target]);
        cargo.args(["--no-default-features", "--features"]);
        cargo.arg(format!("{},{}", self.features, options.provider.feature()));
        cargo.arg("--").arg(format!("--print=native-static-libs={}", native.display()));
        cargo.env("LIGHTBOX_SONAME", self.soname()).current_dir(root);
        toolchain::link_for(&options.target, &mut cargo);
        process::run(&mut cargo)?;
        let shared = match options.system()? {
            System::Elf => "liblightbox.so",
            System::Windows => "lightbox.dll",
        };
        let native = error::read(&native)?.trim().to_owned();
        Ok(Built { shared: folder.join(shared), fixed: folder.join("liblightbox.a"), native })
    }
}

/// The version of the library, which is that of all packages.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The front of the version that a program must find again. While the major number is 0 each minor one may change the
/// ABI, and is part of it.
pub(super) fn abi_numbers() -> impl Iterator<Item = &'static str> {
    VERSION.split('.').take(if VERSION.starts_with("0.") { 2 } else { 1 })
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder(root: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    let metadata =
        process::output(cargo.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root))?;
    let metadata: Option<Value> = serde_json::from_str(&metadata).ok();
    let folder = metadata.as_ref().and_then(|metadata| metadata["target_directory"].as_str());
    let unknown = || Error::Output { command: process::line(&cargo), what: "no target_directory".into() };
    folder.map(PathBuf::from).ok_or_else(unknown)
}

/// Where cargo puts what it builds with a profile.
fn profile_folder(profile: &str) -> &str {
    match profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        other => other,
    }
}

fn remove_libraries(folder: &Path) -> Result<()> {
    // Before the first build there is no folder.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = |name: &str| name.starts_with("liblightbox.") || name.starts_with("lightbox.dll");
        if name.to_str().is_some_and(is_ours) {
            std::fs::remove_file(entry.path())
                .map_err(|source| Error::File { path: entry.path(), source })?;
        }
    }
    Ok(())
}
