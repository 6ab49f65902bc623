//! What this crate asks of the operating system, and the only place where it does: a bell that a program's own loop can
//! wait for, and files that others share. One file a system; each has the same [`Bell`], and the same `SharedFile`.

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux.rs"]
mod bell;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
#[path = "unix.rs"]
mod bell;
#[cfg(windows)]
#[path = "windows.rs"]
mod bell;
#[cfg(not(any(unix, windows)))]
#[path = "none.rs"]
mod bell;

#[cfg(all(feature = "server", any(target_os = "linux", target_os = "android")))]
#[path = "shared_linux.rs"]
mod shared;
#[cfg(all(feature = "server", not(any(target_os = "linux", target_os = "android"))))]
#[path = "shared_none.rs"]
mod shared;

pub(crate) use bell::Bell;
#[cfg(feature = "server")]
pub(crate) use shared::{Mapping, SharedFile};
