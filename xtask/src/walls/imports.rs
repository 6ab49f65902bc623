//! Who may import whom: two tables and what follows from them. ARCHITECTURE.md draws the same as a picture.
//!
//! All kinds of dependencies count, also those of tests and build scripts: a name that only a test uses still ties
//! two rooms together.

use super::rust_text;
use super::tree::{Package, Tree};

/// The broken import walls.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for package in &tree.packages {
        ours(package, &mut broken);
        outside(package, &mut broken);
    }
    vocabulary_only(tree, &mut broken);
    modules(tree, &mut broken);
    broken
}

/// Our packages among each other.
fn ours(package: &Package, broken: &mut Vec<String>) {
    let Some((_, allowed)) = OURS.iter().find(|(name, _)| *name == package.name) else {
        let rule = "add it to the table in xtask/src/walls/imports.rs and to ARCHITECTURE.md";
        broken.push(format!("package {} has no row in the import table; {rule}", package.name));
        return;
    };
    for dependency in &package.dependencies {
        let is_ours =
            OURS.iter().any(|(name, _)| *name == dependency.name) || dependency.name.starts_with("lightbox-");
        let permitted = allowed.contains(&dependency.name.as_str());
        if is_ours && !permitted {
            let allowed = if allowed.is_empty() { "no package of ours".into() } else { allowed.join(", ") };
            broken.push(format!("{} imports {}; it may import {allowed}", package.name, dependency.name));
        }
    }
}

/// Outside crates that have one room.
fn outside(package: &Package, broken: &mut Vec<String>) {
    for dependency in &package.dependencies {
        let Some(room) = OUTSIDE.iter().find(|room| room.holds(&dependency.name)) else { continue };
        if !room.packages.contains(&package.name.as_str()) {
            let packages = room.packages.join(", ");
            broken.push(format!("{} names {}; only {packages} may", package.name, dependency.name));
        }
    }
}

/// A wire parser links no coder: protocol takes codec's words and nothing else.
fn vocabulary_only(tree: &Tree, broken: &mut Vec<String>) {
    let Some(protocol) = tree.packages.iter().find(|package| package.name == "lightbox-protocol") else {
        return;
    };
    for codec in protocol.dependencies.iter().filter(|dependency| dependency.name == "lightbox-codec") {
        if codec.default_features || !codec.features.is_empty() {
            broken.push(
                "lightbox-protocol must import lightbox-codec with default-features = false and no features"
                    .into(),
            );
        }
    }
}

/// Outside crates that only one module of their package may name.
fn modules(tree: &Tree, broken: &mut Vec<String>) {
    let rooms = OUTSIDE.iter().filter_map(|room| Some((room, room.module?)));
    for (room, module) in rooms {
        for (path, text) in tree.files_of(&["rs"]).filter(|(path, _)| !is_in_module(path, module)) {
            let code = rust_text::code(text);
            for name in room.crates.iter().map(|name| name.replace('-', "_")) {
                if let Some(line) = rust_text::lines_with_crate(&code, &name).next() {
                    broken.push(format!("{path}:{line} names {name}; only {module} may"));
                }
            }
        }
    }
}

/// Whether a file is the module `place` (`codec/src/video` is `video.rs` or the folder `video/`).
pub(super) fn is_in_module(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// An outside crate, or several of one kind, and the only packages that may name it.
struct Room {
    /// Crate names; one that ends in `-` stands for all that begin so.
    crates: &'static [&'static str],
    packages: &'static [&'static str],
    /// The one module, as a path without extension, if the wall stands inside the package.
    module: Option<&'static str>,
}

impl Room {
    fn holds(&self, name: &str) -> bool {
        self.crates.iter().any(|own| *own == name || own.ends_with('-') && name.starts_with(own))
    }
}

/// Which packages of ours each package may import.
const OURS: &[(&str, &[&str])] = &[
    ("lightbox-codec", &[]),
    ("lightbox-protocol", &["lightbox-codec"]),
    ("lightbox-net", &["lightbox-protocol"]),
    ("lightbox-sim", &["lightbox-protocol"]),
    ("lightbox-server", &["lightbox-codec", "lightbox-protocol", "lightbox-net"]),
    ("lightbox-client", &["lightbox-codec", "lightbox-protocol", "lightbox-net"]),
    (
        "lightbox-ffi",
        &["lightbox-codec", "lightbox-protocol", "lightbox-net", "lightbox-server", "lightbox-client"],
    ),
    ("lightbox-cli", BELOW_THE_PROGRAM),
    ("lightbox-benches", ANYTHING),
    ("lightbox-fuzz", ANYTHING),
    ("xtask", ANYTHING),
];

const BELOW_THE_PROGRAM: &[&str] = &[
    "lightbox-codec",
    "lightbox-protocol",
    "lightbox-net",
    "lightbox-sim",
    "lightbox-server",
    "lightbox-client",
];

/// What the packages that nothing imports may import.
const ANYTHING: &[&str] = &[
    "lightbox-codec",
    "lightbox-protocol",
    "lightbox-net",
    "lightbox-sim",
    "lightbox-server",
    "lightbox-client",
    "lightbox-ffi",
    "lightbox-cli",
    "lightbox-fuzz",
];

/// Which packages may name which outside crates. A crate that is not here has no wall.
const OUTSIDE: &[Room] = &[
    Room {
        crates: &["openh264", "openh264-sys2", "dav1d", "dav1d-sys", "libdav1d-sys", "libaom-sys"],
        packages: &["lightbox-codec"],
        module: Some("codec/src/video"),
    },
    Room { crates: &["opus"], packages: &["lightbox-codec"], module: Some("codec/src/audio") },
    Room {
        crates: &["bytes"],
        packages: &[
            "lightbox-protocol",
            "lightbox-net",
            "lightbox-sim",
            "lightbox-server",
            "lightbox-client",
            "lightbox-ffi",
            "lightbox-cli",
            "lightbox-benches",
            "lightbox-fuzz",
        ],
        module: None,
    },
    Room {
        crates: &[
            "quinn",
            "quinn-proto",
            "quinn-udp",
            "rustls",
            "rustls-pki-types",
            "rcgen",
            "ml-kem",
            "tokio-util",
        ],
        packages: &["lightbox-net"],
        module: None,
    },
    Room {
        crates: &["tokio"],
        packages: &["lightbox-net", "lightbox-server", "lightbox-client", "lightbox-ffi", "lightbox-cli"],
        module: None,
    },
    Room { crates: &["cpal"], packages: &["lightbox-client"], module: Some("client-sdk/src/audio") },
    Room { crates: &["nusb"], packages: &["lightbox-client"], module: Some("client-sdk/src/usb") },
    Room { crates: &["arboard"], packages: &["lightbox-client"], module: Some("client-sdk/src/clipboard") },
    Room {
        crates: &["x11rb", "zbus", "winit", "softbuffer", "clap", "dicom-"],
        packages: &["lightbox-cli"],
        module: None,
    },
    Room { crates: &["libc", "cbindgen"], packages: &["lightbox-ffi", "xtask"], module: None },
    Room { crates: &["criterion"], packages: &["lightbox-benches"], module: None },
];

#[cfg(test)]
mod tests {
    use super::super::tree::Dependency;
    use super::*;

    /// Checks one package that has these dependencies, each a name, with `+` in front if its default features are on.
    fn check(package: &str, dependencies: &[&str]) -> Vec<String> {
        let dependency = |name: &&str| Dependency {
            name: name.trim_start_matches('+').into(),
            default_features: name.starts_with('+'),
            features: Vec::new(),
        };
        let package = Package {
            name: package.into(),
            dependencies: dependencies.iter().map(dependency).collect(),
            ..Package::default()
        };
        super::check(&Tree { packages: vec![package], ..Tree::default() })
    }

    /// What the walls say of one file.
    fn check_file(path: &str, text: &str) -> Vec<String> {
        super::check(&Tree { files: [(path.into(), text.into())].into(), ..Tree::default() })
    }

    #[test]
    fn the_way_down_is_free() {
        assert!(check("lightbox-codec", &["thiserror"]).is_empty());
        assert!(check("lightbox-protocol", &["lightbox-codec", "bytes"]).is_empty());
        assert!(check("lightbox-net", &["lightbox-protocol", "quinn", "+rustls", "tokio"]).is_empty());
        assert!(check("lightbox-ffi", &["+lightbox-client", "+lightbox-server", "libc"]).is_empty());
        assert!(check("lightbox-cli", &["lightbox-sim", "dicom-object", "winit"]).is_empty());
    }

    #[test]
    fn every_way_up_or_across_is_named() {
        let walls = [
            ("lightbox-codec", "lightbox-protocol"),
            ("lightbox-codec", "bytes"),
            ("lightbox-protocol", "tokio"),
            ("lightbox-net", "lightbox-codec"),
            ("lightbox-server", "lightbox-client"),
            ("lightbox-client", "lightbox-server"),
            ("lightbox-client", "lightbox-sim"),
            ("lightbox-ffi", "lightbox-sim"),
            ("lightbox-server", "quinn"),
            ("lightbox-server", "libc"),
            ("lightbox-client", "dicom-object"),
            ("lightbox-cli", "lightbox-fuzz"),
            ("lightbox-cli", "xtask"),
            ("lightbox-cli", "criterion"),
        ];
        for (package, dependency) in walls {
            let broken = check(package, &[dependency]);
            assert_eq!(broken.len(), 1, "{package} -> {dependency}: {broken:?}");
            assert!(broken[0].contains(package) && broken[0].contains(dependency), "{broken:?}");
        }
    }

    #[test]
    fn a_package_without_a_row_is_named() {
        assert!(check("lightbox-util", &[])[0].starts_with("package lightbox-util has no row"));
    }

    #[test]
    fn protocol_takes_no_coder() {
        assert_eq!(check("lightbox-protocol", &["+lightbox-codec"]).len(), 1);
    }

    #[test]
    fn a_crate_with_a_module_of_its_own_is_named_nowhere_else() {
        assert!(check_file("codec/src/video/openh264.rs", "use openh264::encoder::Encoder;").is_empty());
        assert!(check_file("codec/src/video.rs", "use openh264::encoder::Encoder;").is_empty());
        assert!(check_file("codec/src/content.rs", "// as openh264 does").is_empty());
        let broken = check_file("codec/src/content.rs", "\nuse openh264::encoder::Encoder;");
        assert_eq!(broken, ["codec/src/content.rs:2 names openh264; only codec/src/video may"]);
    }
}
