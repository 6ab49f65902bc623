//! What this crate asks of the operating system beyond what std and tokio ask for it. What else differs by system is the
//! loop's set of descriptors, in `runtime::manual::set`.

pub(crate) mod socket;

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

#[cfg(unix)]
use rustix::time::ClockId;

/// What CLOCK_MONOTONIC says, by which hosts date their frames. On Linux it stands still while the machine sleeps.
#[cfg(unix)]
pub(crate) fn monotonic() -> Duration {
    read(ClockId::Monotonic)
}

/// How long the machine is on, its sleep included.
#[cfg(unix)]
pub(crate) fn since_boot() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return read(ClockId::Boottime);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    read(ClockId::Monotonic)
}

#[cfg(unix)]
fn read(clock: ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How long ago this process asked for the first time: std has no other clock here.
#[cfg(not(unix))]
pub(crate) fn monotonic() -> Duration {
    static FIRST: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    FIRST.elapsed()
}

/// The same.
#[cfg(not(unix))]
pub(crate) fn since_boot() -> Duration {
    monotonic()
}

/// A new file that only its owner may read; elsewhere than on Unix, who may read its folder.
///
/// # Errors
/// What the system says; also if there is such a file.
pub(crate) fn new_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
