use std::path::Path;
use std::time::Duration;

use super::replay::{ReplayOptions, ReplaySource};
use super::scene::{SceneConfig, SceneSource};
use super::{Source, SourceError};
use crate::Failure;

/// The source that `spec` names: `scene`, `x11`, `x11:DISPLAY`, `vnc:HOST:PORT`, `qemu:QMP_SOCKET`,
/// `dicom:DIR` or `replay:FILE.scr.zst`.
/// `looped` starts a recording anew when it ends.
///
/// # Errors
/// One line that says what to do.
pub fn open(spec: &str, looped: bool) -> Result<Box<dyn Source>, Failure> {
    let (kind, rest) = spec.split_once(':').map_or((spec, None), |(kind, rest)| (kind, Some(rest)));
    match (kind, rest) {
        ("scene", None) => Ok(Box::new(SceneSource::new(SceneConfig::default())?)),
        ("x11", display) => x11(display),
        ("vnc", Some(server)) => vnc(server),
        ("qemu", Some(socket)) => qemu(socket),
        ("dicom", Some(folder)) => dicom(Path::new(folder)),
        ("replay", Some(file)) => {
            let options = ReplayOptions {
                looped,
                counter: true,
                hold: Duration::from_secs(1),
                preload: true,
                ..ReplayOptions::default()
            };
            Ok(Box::new(ReplaySource::open(Path::new(file), options)?))
        }
        _ => Err(Box::new(SourceError(format!(
            "no source {spec:?}: use scene, x11, x11:DISPLAY, vnc:HOST:PORT, qemu:QMP_SOCKET, dicom:DIR or replay:FILE.scr.zst"
        )))),
    }
}

#[cfg(feature = "x11")]
fn x11(display: Option<&str>) -> Result<Box<dyn Source>, Failure> {
    // "x11:1" and "x11::1" both mean display :1, as people write either.
    let name =
        display.map(|d| if d.starts_with(|c: char| c.is_ascii_digit()) { format!(":{d}") } else { d.into() });
    Ok(Box::new(super::x11::X11Source::open(name.as_deref())?))
}

#[cfg(not(feature = "x11"))]
fn x11(_: Option<&str>) -> Result<Box<dyn Source>, Failure> {
    Err("this build cannot capture X11: build with the feature `x11`".into())
}

/// A password has no place on a command line, which everybody on the machine can read.
#[cfg(feature = "vnc")]
fn vnc(server: &str) -> Result<Box<dyn Source>, Failure> {
    let password = std::env::var("LIGHTBOX_VNC_PASSWORD").ok();
    Ok(Box::new(super::vnc::VncSource::open(server, password)?))
}

#[cfg(not(feature = "vnc"))]
fn vnc(_: &str) -> Result<Box<dyn Source>, Failure> {
    Err("this build cannot speak VNC: build with the feature `vnc`".into())
}

#[cfg(feature = "qemu")]
fn qemu(socket: &str) -> Result<Box<dyn Source>, Failure> {
    Ok(Box::new(super::qemu::QemuSource::open(socket)?))
}

#[cfg(not(feature = "qemu"))]
fn qemu(_: &str) -> Result<Box<dyn Source>, Failure> {
    Err("this build cannot attach to QEMU: build with the feature `qemu`".into())
}

#[cfg(feature = "dicom")]
fn dicom(folder: &Path) -> Result<Box<dyn Source>, Failure> {
    Ok(Box::new(super::dicom::DicomSource::open(folder)?))
}

#[cfg(not(feature = "dicom"))]
fn dicom(_: &Path) -> Result<Box<dyn Source>, Failure> {
    Err("this build cannot read DICOM: build with the feature `dicom`".into())
}
