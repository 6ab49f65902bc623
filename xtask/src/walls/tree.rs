//! The checkout as the walls see it: the packages that cargo knows, and the text of every source file and document.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::error::{self, Error, Result};
use crate::process::output;

/// Packages and files of one checkout.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) packages: Vec<Package>,
    /// Every file by its path, which is relative to the root and uses `/`; the text of those that [`TEXTS`] names.
    pub(super) files: BTreeMap<String, String>,
}

/// A workspace member.
#[derive(Default)]
pub(super) struct Package {
    pub(super) name: String,
    /// Its folder, relative to the root.
    pub(super) folder: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// One line of a `[dependencies]`, `[dev-dependencies]` or `[build-dependencies]` table.
#[derive(Default)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) default_features: bool,
    pub(super) features: Vec<String>,
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root);
        let metadata = output(&mut cargo)?;
        let packages = packages_in(&metadata).ok_or_else(|| Error::Output {
            command: crate::process::line(&cargo),
            what: "a package without the fields of format version 1".into(),
        })?;
        let mut files = BTreeMap::new();
        collect(root, "", &mut files)?;
        Ok(Self { packages, files })
    }

    /// The files whose name ends in `.` and one of `extensions`.
    pub(super) fn files_of(&self, extensions: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        let wanted =
            |path: &str| path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension));
        let files = self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        files.filter(move |(path, _)| wanted(path))
    }
}

fn packages_in(metadata: &str) -> Option<Vec<Package>> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    let root = metadata["workspace_root"].as_str()?;
    let packages = metadata["packages"].as_array()?.iter();
    packages.map(|package| package_in(package, root)).collect()
}

fn package_in(package: &Value, root: &str) -> Option<Package> {
    let manifest = package["manifest_path"].as_str()?.strip_prefix(root)?;
    let dependencies = package["dependencies"].as_array()?.iter();
    Some(Package {
        name: package["name"].as_str()?.into(),
        folder: manifest.strip_suffix("Cargo.toml")?.trim_matches('/').into(),
        dependencies: dependencies.map(dependency_in).collect::<Option<_>>()?,
    })
}

fn dependency_in(dependency: &Value) -> Option<Dependency> {
    let features = dependency["features"].as_array()?.iter();
    Some(Dependency {
        name: dependency["name"].as_str()?.into(),
        default_features: dependency["uses_default_features"].as_bool()?,
        features: features.map(|feature| feature.as_str().map(String::from)).collect::<Option<_>>()?,
    })
}

/// Finds the files below `folder`. Hidden folders and those that cargo marks as its own hold nothing of ours.
fn collect(root: &Path, folder: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    let path = root.join(folder);
    let entries = std::fs::read_dir(&path).map_err(|source| Error::File { path: path.clone(), source })?;
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        let place = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if kind.is_dir() && !name.starts_with('.') && !entry.path().join("CACHEDIR.TAG").exists() {
            collect(root, &place, files)?;
        } else if kind.is_file() {
            let is_text = name.rsplit_once('.').is_some_and(|(_, extension)| TEXTS.contains(&extension));
            let text = if is_text { error::read(&entry.path())? } else { String::new() };
            files.insert(place, text);
        }
    }
    Ok(())
}

const TEXTS: [&str; 7] = ["rs", "md", "toml", "c", "h", "hpp", "sh"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_read_from_cargos_metadata() {
        let metadata = r#"{
            "workspace_root": "/home/me/lightbox",
            "packages": [{
                "name": "lightbox-net",
                "manifest_path": "/home/me/lightbox/protocol/net/Cargo.toml",
                "dependencies": [
                    {"name": "quinn", "uses_default_features": false, "features": ["runtime-tokio"], "kind": null}
                ]
            }]
        }"#;
        let packages = packages_in(metadata).expect("well formed");
        assert_eq!(
            (packages[0].name.as_str(), packages[0].folder.as_str()),
            ("lightbox-net", "protocol/net")
        );
        let quinn = &packages[0].dependencies[0];
        assert_eq!((quinn.name.as_str(), quinn.default_features), ("quinn", false));
        assert_eq!(quinn.features, ["runtime-tokio"]);
        assert!(packages_in("{}").is_none());
    }
}
