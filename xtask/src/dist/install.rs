//! Where each file goes.

use std::path::{Path, PathBuf};

use super::library::{Built, Library, VERSION};
use super::{Options, System, describe};
use crate::error::{self, Error, Result};
use crate::process;
use crate::{abi, toolchain};

/// The folder that is filled.
pub(super) struct Place {
    dir: PathBuf,
    system: System,
    target: String,
}

impl Place {
    pub(super) fn new(options: &Options) -> Result<Self> {
        let (dir, system, target) = (options.dir.clone(), options.system()?, options.target.clone());
        Ok(Self { dir, system, target })
    }

    /// Puts a library there, with what pkg-config and CMake want to know of it.
    pub(super) fn library(&self, library: &Library, built: &Built) -> Result<()> {
        self.copy(&built.shared, &self.shared(library))?;
        self.copy(&built.fixed, &self.fixed(library))?;
        match self.system {
            System::Elf => {
                self.link(&self.shared(library), &self.lib(&library.soname()))?;
                self.link(&self.lib(&library.soname()), &self.lib(&format!("lib{}.so", library.name)))?;
            }
            System::Windows => self.import_library(library, built)?,
        }
        self.strip(library)?;
        let pkgconfig = self.dir.join("lib/pkgconfig").join(format!("{}.pc", library.name));
        error::write(&pkgconfig, &describe::pkgconfig(library, &built.native))?;
        let cmake = self.dir.join("lib/cmake/Lightbox").join(format!("{}.cmake", library.name));
        error::write(&cmake, &describe::cmake_target(library, self, &built.native))
    }

    /// Puts the headers, the guides and the examples there.
    pub(super) fn documents(&self, root: &Path) -> Result<()> {
        let cmake = self.dir.join("lib/cmake/Lightbox");
        error::write(&cmake.join("LightboxConfig.cmake"), &describe::cmake_config())?;
        error::write(&cmake.join("LightboxConfigVersion.cmake"), &describe::cmake_version())?;
        for header in ["lightbox.h", "lightbox.hpp"] {
            self.copy(&root.join("ffi/include").join(header), &self.dir.join("include").join(header))?;
        }
        let documents = self.dir.join("share/doc/lightbox");
        for document in DOCUMENTS {
            let name = Path::new(document).file_name().unwrap_or_default();
            self.copy(&root.join(document), &documents.join(name))?;
        }
        let examples = root.join("ffi/examples");
        let entries =
            std::fs::read_dir(&examples).map_err(|source| Error::File { path: examples, source })?;
        for entry in entries.flatten() {
            self.copy(&entry.path(), &documents.join("examples").join(entry.file_name()))?;
        }
        Ok(())
    }

    /// The shared library itself.
    pub(super) fn shared(&self, library: &Library) -> PathBuf {
        match self.system {
            System::Elf => self.lib(&format!("lib{}.so.{VERSION}", library.name)),
            System::Windows => self.dir.join("bin").join(format!("{}.dll", library.name)),
        }
    }

    /// The static library.
    pub(super) fn fixed(&self, library: &Library) -> PathBuf {
        self.lib(&format!("lib{}.a", library.name))
    }

    /// What a linker reads of a DLL; none where it reads the shared library itself.
    pub(super) fn import(&self, library: &Library) -> Option<PathBuf> {
        let is_windows = self.system == System::Windows;
        is_windows.then(|| self.lib(&format!("lib{}.dll.a", library.name)))
    }

    /// A file of the folder, as a path from there.
    pub(super) fn within(&self, file: &Path) -> String {
        file.strip_prefix(&self.dir).unwrap_or(file).display().to_string()
    }

    fn lib(&self, name: &str) -> PathBuf {
        self.dir.join("lib").join(name)
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        let copied =
            to.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::copy(from, to));
        copied.map(|_| ()).map_err(|source| Error::File { path: from.into(), source })
    }

    /// Makes `name`, beside `to`, another name for it.
    fn link(&self, to: &Path, name: &Path) -> Result<()> {
        // What an earlier run left there.
        let _ = std::fs::remove_file(name);
        std::os::unix::fs::symlink(to.file_name().unwrap_or_default(), name)
            .map_err(|source| Error::File { path: name.into(), source })
    }

    /// The import library names the DLL, and cargo's names the file that cargo wrote: so another one is made.
    fn import_library(&self, library: &Library, built: &Built) -> Result<()> {
        let theirs = built.shared.with_file_name("liblightbox.dll.a");
        let list = built.shared.with_file_name(format!("{}.def", library.name));
        error::write(&list, &format!("EXPORTS\n{}", abi::lines(&abi::offered_by(&theirs)?)))?;
        let mut tool = toolchain::binutil(&self.target, "dlltool");
        tool.arg("-d").arg(&list).args(["-D", &format!("{}.dll", library.name), "-l"]);
        process::run(tool.args(self.import(library)))
    }

    /// Takes debugging information out of the static library; cargo has done it with the shared one. Symbols stay:
    /// programs are linked by them.
    fn strip(&self, library: &Library) -> Result<()> {
        process::run(toolchain::binutil(&self.target, "strip").arg("--strip-debug").arg(self.fixed(library)))
    }
}

const DOCUMENTS: [&str; 6] = [
    "README.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "docs/integrating-a-hypervisor.md",
    "docs/integrating-a-thin-client.md",
];
