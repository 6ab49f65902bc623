//! Compiles C and C++ against the libraries of this build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Which compiler, at which standard.
#[derive(Clone, Copy)]
pub enum Language {
    C,
    Cpp,
}

/// How the library is linked.
#[derive(Clone, Copy)]
pub enum Link {
    Dynamic,
    Static,
    /// Statically, with sanitizers in the C code and around the library's allocations.
    StaticSanitized,
}

/// Compiles a source of this package into `dir`, and returns the program.
pub fn compile(source: &str, dir: &Path, language: Language, link: Link) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = package.join(source);
    let program = dir.join(source.file_stem().expect("a source has a name"));
    let (variable, compiler, standard) = match language {
        Language::C => ("CC", "cc", "-std=c11"),
        Language::Cpp => ("CXX", "c++", "-std=c++17"),
    };
    let compiler = std::env::var(variable).unwrap_or_else(|_| compiler.into());
    let mut command = Command::new(&compiler);
    command.arg(standard).args(WARNINGS).arg("-g").arg("-I").arg(package.join("include"));
    if let Link::StaticSanitized = link {
        command.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    }
    command.arg(&source).arg("-o").arg(&program);
    let libraries = libraries();
    match link {
        Link::Dynamic => command.arg(&libraries.shared).arg(rpath(&libraries.shared)),
        Link::Static | Link::StaticSanitized => command.arg(&libraries.fixed).args(SYSTEM),
    };
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{compiler}: {error}; `./x test` installs it"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{complaints}");
    program
}

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// What `rustc --print native-static-libs` says of this library on Linux; the first is for OpenH264, which is in it where
/// the program is built beside it.
const SYSTEM: [&str; 7] = ["-lstdc++", "-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

fn rpath(library: &Path) -> String {
    format!("-Wl,-rpath,{}", library.parent().expect("a library is in a folder").display())
}

/// The libraries that this build made.
struct Libraries {
    shared: PathBuf,
    fixed: PathBuf,
}

/// Cargo leaves them beside the test, as what it depends on. Where some cargo does not, they are built, into the same
/// folders and once for all tests.
fn libraries() -> &'static Libraries {
    static LIBRARIES: OnceLock<Libraries> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let test = std::env::current_exe().expect("a test knows where it is");
        let beside = test.parent().expect("a test is in a folder");
        let profile = beside.parent().expect("cargo's folders are two deep");
        find(beside).unwrap_or_else(|| {
            build(profile);
            find(profile).unwrap_or_else(|| panic!("no liblightbox in {}", profile.display()))
        })
    })
}

fn find(dir: &Path) -> Option<Libraries> {
    let libraries = Libraries { shared: dir.join("liblightbox.so"), fixed: dir.join("liblightbox.a") };
    (libraries.shared.exists() && libraries.fixed.exists()).then_some(libraries)
}

fn build(profile: &Path) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "-p", "lightbox-ffi", "--lib", "--target-dir"]).arg(profile.with_file_name(""));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(status.is_ok_and(|status| status.success()), "{cargo:?} failed");
}
