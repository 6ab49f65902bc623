//! The shared library knows its own name, so that programs look for that and not for the path it was linked by.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,liblightbox.so");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
