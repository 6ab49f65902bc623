//! Documents that lag the tree mislead, so what can be checked is: ARCHITECTURE.md names every package, README.md or
//! ARCHITECTURE.md names every file of `docs/`, and every relative link in a document leads to something.

use super::tree::{Package, Tree};

/// The broken document walls.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    packages(tree, &mut broken);
    index(tree, &mut broken);
    links(tree, &mut broken);
    broken
}

fn packages(tree: &Tree, broken: &mut Vec<String>) {
    let architecture = text(tree, ARCHITECTURE);
    for package in &tree.packages {
        let Package { name, folder, .. } = package;
        if !names(architecture, name) || !names(architecture, folder) {
            broken.push(format!("{ARCHITECTURE} does not name {name} and its folder {folder}; add the row"));
        }
    }
}

fn index(tree: &Tree, broken: &mut Vec<String>) {
    let indexes = [text(tree, "README.md"), text(tree, ARCHITECTURE)];
    for (path, _) in tree.files_of(&["md"]).filter(|(path, _)| path.starts_with("docs/")) {
        if !indexes.iter().any(|index| names(index, path)) {
            broken.push(format!("{path} stands in no index; link it from README.md or {ARCHITECTURE}"));
        }
    }
}

fn links(tree: &Tree, broken: &mut Vec<String>) {
    for (path, text) in tree.files_of(&["md"]) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in targets(text).filter(|link| !link.contains(':') && !link.starts_with('#')) {
            let target = link.split('#').next().unwrap_or_default();
            if !resolve(folder, target).is_some_and(|place| exists(tree, &place)) {
                broken.push(format!("{path} links to {link}, which is not there"));
            }
        }
    }
}

/// Whether `text` has `name` not merely as part of a longer path or name.
fn names(text: &str, name: &str) -> bool {
    let goes_on = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-');
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        !before.ends_with(goes_on) && !before.ends_with('/') && !after.starts_with(goes_on)
    })
}

/// The targets of inline links, `[words](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// The path from the root that `target` means in a document of `folder`; nothing if it leaves the checkout.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()?),
            _ => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

/// Whether a file, or a folder that holds one, is at `place`.
fn exists(tree: &Tree, place: &str) -> bool {
    tree.files.contains_key(place) || tree.files.keys().any(|path| path.starts_with(&format!("{place}/")))
}

fn text<'a>(tree: &'a Tree, path: &str) -> &'a str {
    tree.files.get(path).map(String::as_str).unwrap_or_default()
}

const ARCHITECTURE: &str = "ARCHITECTURE.md";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], packages: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|&(path, text)| (path.into(), text.into())).collect();
        let package = |&(name, folder): &(&str, &str)| Package {
            name: name.into(),
            folder: folder.into(),
            ..Package::default()
        };
        super::check(&Tree { files, packages: packages.iter().map(package).collect() })
    }

    #[test]
    fn every_package_is_named_with_its_folder() {
        let architecture = ("ARCHITECTURE.md", "| `protocol/net` | `lightbox-net` |");
        assert!(check(&[architecture], &[("lightbox-net", "protocol/net")]).is_empty());
        // "net" stands only inside "protocol/net" and "lightbox-net".
        assert_eq!(check(&[architecture], &[("net", "net")]).len(), 1);
    }

    #[test]
    fn every_document_is_indexed() {
        let record = ("docs/decisions/0001-records.md", "");
        assert_eq!(check(&[record], &[]).len(), 1);
        assert!(check(&[record, ("README.md", "[why](docs/decisions/0001-records.md)")], &[]).is_empty());
    }

    #[test]
    fn every_link_leads_somewhere() {
        let check = |link: &str| {
            let readme = format!("[docs](docs/a.md) [x]({link})");
            let page = format!("[x](../{link})");
            check(
                &[("README.md", readme.as_str()), ("docs/a.md", page.as_str()), ("codec/src/lib.rs", "")],
                &[],
            )
            .len()
        };
        assert_eq!(check("codec"), 0);
        assert_eq!(check("docs/a.md#top"), 0);
        assert_eq!(check("codec/src/main.rs"), 2);
        assert_eq!(check("../codec"), 2);
        assert!(
            targets("[web](https://example.org) [here](#top)")
                .all(|link| link.contains(':') || link == "#top")
        );
    }
}
