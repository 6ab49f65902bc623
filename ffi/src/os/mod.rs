//! What this crate asks of the operating system, and the only place where it does: a bell that a program's own loop can
//! wait for. One file a system; each has the same [`Bell`].

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

pub(crate) use bell::Bell;
