//! Which version this is, when compiled and when run.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};

/// Changes when programs must be changed; while it is 0, the minor number plays its part.
pub const LBX_VERSION_MAJOR: u32 = 0;
/// Changes when something is added.
pub const LBX_VERSION_MINOR: u32 = 1;
/// Changes when something is mended.
pub const LBX_VERSION_PATCH: u32 = 0;
/// The three in one number that compares as versions do, as lbx_version() gives it.
pub const LBX_VERSION: u32 = LBX_VERSION_MAJOR << 24 | LBX_VERSION_MINOR << 12 | LBX_VERSION_PATCH;

/// The version of the library that runs; `LBX_VERSION` is that of the header.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn lbx_version() -> u32 {
    LBX_VERSION
}

/// The same for people, as "0.1.0". Static; never NULL.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn lbx_version_text() -> *const c_char {
    TEXT.as_ptr()
}

const TEXT: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(text) => text,
    Err(_) => c"",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_package_s() {
        let numbers = format!("{LBX_VERSION_MAJOR}.{LBX_VERSION_MINOR}.{LBX_VERSION_PATCH}");
        assert_eq!(numbers, env!("CARGO_PKG_VERSION"));
        assert_eq!(TEXT.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    }
}
