//! Links libjxl for the peers, where the feature `libjxl` asks for it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "libjxl")]
    link_libjxl();
}

/// Compiles the C side of `peers::jxl` against the headers that pkg-config finds.
#[cfg(feature = "libjxl")]
fn link_libjxl() {
    println!("cargo:rerun-if-changed={JXL_C}");
    let probe = |tell_cargo| {
        // 0.8 is the first to take samples of 9 to 15 bits as they are.
        let mut config = pkg_config::Config::new();
        config.atleast_version("0.8").cargo_metadata(tell_cargo);
        config.probe("libjxl").expect("the feature `libjxl` needs libjxl 0.8 or later with its headers")
    };
    let headers = probe(false).include_paths;
    cc::Build::new().file(JXL_C).includes(headers).warnings_into_errors(true).compile("lightbox_peer_jxl");
    // Told to cargo last: a linker wants a library behind what uses it.
    probe(true);
}

#[cfg(feature = "libjxl")]
const JXL_C: &str = "src/peers/jxl.c";
