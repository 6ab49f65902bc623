//! The shared library knows its own name, so that programs look for that and not for the path it was linked by.
//! `LIGHTBOX_SONAME` gives the name with a version in it that `cargo xtask dist` installs; what cargo leaves in its
//! own folders is `liblightbox.so`.

const SONAME: &str = "LIGHTBOX_SONAME";

fn main() {
    let is_elf =
        std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| ["linux", "android", "freebsd"].contains(&&*os));
    if is_elf {
        let name = std::env::var(SONAME).unwrap_or_else(|_| "liblightbox.so".into());
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{name}");
    }
    println!("cargo:rerun-if-env-changed={SONAME}");
    println!("cargo:rerun-if-changed=build.rs");
}
