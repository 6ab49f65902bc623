//! Monitors: what the guest shows, and where it changed.
#![allow(unsafe_code)]

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use lightbox_server::geom::Size;
use lightbox_server::pixel::{ImageRef, PixelFormat};
use lightbox_server::{AccessUnit, Damage, Output, Placement, SubmitError, UnitError, clock};

use crate::error::{
    Failure, LBX_ERROR_ARGUMENT, LBX_ERROR_LIMIT, LBX_ERROR_SHAPE, LBX_ERROR_STATE, lbx_result,
};
use crate::guard;
use crate::handle::{self, Shared, lock};
use crate::scanout::{Scanout, lbx_scanout};
use crate::server::lbx_server;
use crate::sized;
use crate::video::lbx_access_unit;
use crate::vocabulary::{format_of, lbx_frame, lbx_rect, rects_of};

/// One monitor of a server's desktop. Owned: from lbx_output_new() to lbx_output_free(). All functions may be called on
/// any thread, at the same time, and do not wait for a client.
#[derive(Debug)]
pub struct lbx_output {
    pub(crate) output: Output,
    shape: Mutex<Shape>,
    /// Bytes of scanouts that were copied before they were looked at.
    pub(crate) staged: Arc<AtomicU64>,
}

/// What frames must look like, and the one that stays.
#[derive(Debug)]
struct Shape {
    size: Size,
    format: PixelFormat,
    scanout: Option<Arc<Scanout>>,
}

impl Shared for lbx_output {
    const NAME: &'static str = "output";
}

/// Plugs a monitor of this size into the desktop, to the right of those there are; black until its first frame.
/// Ownership: `*out` is the caller's, to lbx_output_free(), before or after the server's end.
/// Errors: `LBX_ERROR_LIMIT` past 16 monitors, `LBX_ERROR_ARGUMENT`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_new(
    server: *mut lbx_server,
    w: u32,
    h: u32,
    format: u32,
    out: *mut *mut lbx_output,
) -> lbx_result {
    guard::call(|| {
        if out.is_null() {
            return Err(Failure::argument("nowhere to put the output"));
        }
        let server = handle::part(server)?;
        let (size, format) = (Size::new(w, h), format_of(format)?);
        let output = server.server.add_output(size, format).map_err(refused)?;
        let shape = Mutex::new(Shape { size, format, scanout: None });
        // SAFETY: promise 3.
        unsafe { handle::give(lbx_output { output, shape, staged: Arc::default() }, out) }
    })
}

/// Unplugs the monitor; its scanout is released, before this returns unless it is called in a callback or beside another
/// call. NULL is allowed.
/// Threads: any, in callbacks too. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_free(output: *mut lbx_output) {
    guard::call(|| handle::end(output));
}

/// The monitor's number, which input events and places name. `LBX_NO_OUTPUT` for NULL.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_id(output: *const lbx_output) -> u32 {
    guard::value(crate::input::LBX_NO_OUTPUT, || Ok(handle::part(output)?.output.id()))
}

/// The monitor shows this buffer from now on; NULL takes the one there is away and leaves the last picture. A buffer of
/// another size or format than the monitor's changes the monitor. Pixels are looked at in lbx_output_damage() and
/// lbx_output_damage_unknown() alone, so call the latter next.
/// Ownership: the struct is copied. The memory behind `data` is lent until `release` is called, which for the buffer
/// before may be in this call; a descriptor is duplicated. On errors nothing is kept, and `release` is not called.
/// Errors: `LBX_ERROR_ARGUMENT`, `LBX_ERROR_SHAPE` also if the file is too short, `LBX_ERROR_SYSTEM` if it cannot be had.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_set_scanout(
    output: *mut lbx_output,
    scanout: *const lbx_scanout,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        if scanout.is_null() {
            // The lock is not held any more when what was taken is released.
            let before = lock(&output.shape).scanout.take();
            drop(before);
            return Ok(());
        }
        // SAFETY: promise 2.
        let given = unsafe { sized::read(scanout) }?;
        let (size, format) = given.shape()?;
        let scanout = Scanout::new(given, output.staged.clone())?;
        output.reshape(size, format, || Some(Arc::new(scanout)))
    })
}

/// The scanout changed in these rects at most; they may overlap, claim too much and stick out. What did not change costs
/// a comparison and no bytes; what changed is copied, and the scanout is free to change again when this returns.
/// `*changed` becomes the number of 64x64 tiles that changed; NULL if nobody asks. No rects is allowed: the sweep looks
/// for changes that were not reported.
/// Errors: `LBX_ERROR_STATE` without a scanout or if its `read` failed, `LBX_ERROR_SYSTEM` if its file became too short:
/// nothing was taken then.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_damage(
    output: *mut lbx_output,
    rects: *const lbx_rect,
    rects_len: usize,
    changed: *mut u32,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        // SAFETY: promise 2.
        let rects = unsafe { handle::array(rects, rects_len, "rects")? };
        let tiles = output.damage(Damage::Rects(&rects_of(rects)))?;
        // SAFETY: promise 3.
        unsafe { put_changed(changed, tiles) }
    })
}

/// The scanout changed, and nobody knows where: all of it is compared. For hosts without damage, and after
/// lbx_output_set_scanout().
/// Errors: `LBX_ERROR_STATE` without a scanout.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_damage_unknown(output: *mut lbx_output, changed: *mut u32) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        let tiles = output.damage(Damage::Unknown)?;
        // SAFETY: promise 3.
        unsafe { put_changed(changed, tiles) }
    })
}

/// Shows a frame that is not kept, for hosts without a lasting buffer. It changed in these rects at most; NULL means that
/// nobody knows where. `*changed` is as with lbx_output_damage().
/// Ownership: the frame's memory is free when this returns.
/// Errors: `LBX_ERROR_SHAPE` if the frame is not of the monitor's size and format.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_submit(
    output: *mut lbx_output,
    frame: *const lbx_frame,
    rects: *const lbx_rect,
    rects_len: usize,
    changed: *mut u32,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        // SAFETY: promise 2.
        let frame = unsafe { sized::read(frame)? };
        // SAFETY: promise 2.
        let known = unsafe { handle::array(rects, rects_len, "rects") }?;
        let known = rects_of(known);
        let damage = if rects.is_null() { Damage::Unknown } else { Damage::Rects(&known) };
        // SAFETY: promise 2; the image does not outlive the call.
        let image = unsafe { frame.memory()?.image() }?;
        let tiles = output.submit(image, damage, frame.captured_us)?;
        // SAFETY: promise 3.
        unsafe { put_changed(changed, tiles) }
    })
}

/// Shows a frame, and hands on how the host's own encoder has it. `frame` NULL takes the scanout. It changed in these
/// rects at most; `rects` NULL means that nobody knows where. The unit goes to every client that decodes its codec and
/// has had all units since a key frame; what it shows is lossy, and becomes exact from the frame as soon as it rests.
/// All others get the frame as if there were no unit, and so do tiles of 64x64 that the unit's rect has only a part of.
/// Units are submitted one after the other, in the order in which they are decoded, each with the frame that it is of.
/// `LBX_SERVER_WANT_KEY_FRAME` asks for a key frame. Costs a copy of the unit.
/// Ownership: the frame's and the unit's memory are free when this returns.
/// Errors: `LBX_ERROR_SHAPE` if the frame is not of the monitor's size and format, or that is not LBX_FORMAT_BGRX8;
/// `LBX_ERROR_STATE` without a scanout, or for a unit that is no key frame and continues none; `LBX_ERROR_ARGUMENT`.
/// Nothing is taken then.
/// Threads: any, but one at a time for a monitor. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_submit_coded(
    output: *mut lbx_output,
    frame: *const lbx_frame,
    rects: *const lbx_rect,
    rects_len: usize,
    unit: *const lbx_access_unit,
    changed: *mut u32,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        // SAFETY: promise 2.
        let known = unsafe { handle::array(rects, rects_len, "rects") }?;
        let known = rects_of(known);
        let damage = if rects.is_null() { Damage::Unknown } else { Damage::Rects(&known) };
        // SAFETY: promise 2; the unit does not outlive the call.
        let unit = unsafe { sized::read(unit)?.parsed() }?;
        let tiles = if frame.is_null() {
            output.look(damage, |image| output.submit_coded(image, damage, &unit, 0))
        } else {
            // SAFETY: promise 2.
            let frame = unsafe { sized::read(frame)? };
            // SAFETY: promise 2; the image does not outlive the call.
            let image = unsafe { frame.memory()?.image() }?;
            output.submit_coded(image, damage, &unit, frame.captured_us)
        }?;
        // SAFETY: promise 3.
        unsafe { put_changed(changed, tiles) }
    })
}

/// The monitor has this size and format from now on, and is black until its next frame. Its scanout is released.
/// Errors: `LBX_ERROR_ARGUMENT`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_resize(
    output: *mut lbx_output,
    w: u32,
    h: u32,
    format: u32,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        let format = format_of(format)?;
        output.reshape(Size::new(w, h), format, || None)
    })
}

/// Where the monitor stands on the desktop: its top left corner in desktop pixels, its width in millimetres (0 if not
/// known), and the guest's scale in 1/120 (0 and 120 mean 1:1).
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_place(
    output: *mut lbx_output,
    x: i32,
    y: i32,
    width_mm: u32,
    scale: u32,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        let scale = if scale == 0 { Placement::default().scale } else { scale };
        output.output.place(Placement { x, y, width_mm, scale });
        Ok(())
    })
}

impl lbx_output {
    /// Submits the scanout.
    fn damage(&self, damage: Damage<'_>) -> Result<u32, Failure> {
        self.look(damage, |image| self.submit(image, damage, 0))
    }

    /// Shows the scanout. The lock on the shape is not held meanwhile, as callbacks run.
    fn look<R>(
        &self,
        damage: Damage<'_>,
        see: impl FnOnce(ImageRef<'_>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let scanout = lock(&self.shape).scanout.clone();
        let scanout = scanout.ok_or_else(|| Failure::state("no scanout is set: lbx_output_set_scanout"))?;
        scanout.look(damage, see)
    }

    fn submit_coded(
        &self,
        image: ImageRef<'_>,
        damage: Damage<'_>,
        unit: &AccessUnit<'_>,
        captured_us: u64,
    ) -> Result<u32, Failure> {
        let submitted = match captured_us {
            0 => self.output.submit_coded(image, damage, unit),
            at => self.output.submit_coded_at(image, damage, unit, clock::monotonic(at)),
        };
        Ok(submitted.map_err(refused)?.tiles)
    }

    fn submit(&self, image: ImageRef<'_>, damage: Damage<'_>, captured_us: u64) -> Result<u32, Failure> {
        let submitted = match captured_us {
            0 => self.output.submit(image, damage),
            at => self.output.submit_at(image, damage, clock::monotonic(at)),
        };
        Ok(submitted.map_err(refused)?.tiles)
    }

    /// Takes a new scanout, or none, of this shape; the one before goes when the lock is not held any more.
    fn reshape(
        &self,
        size: Size,
        format: PixelFormat,
        scanout: impl FnOnce() -> Option<Arc<Scanout>>,
    ) -> Result<(), Failure> {
        let mut shape = lock(&self.shape);
        if (shape.size, shape.format) != (size, format) {
            self.output.resize(size, format).map_err(refused)?;
        }
        let before = std::mem::replace(&mut *shape, Shape { size, format, scanout: scanout() });
        drop(shape);
        drop(before);
        Ok(())
    }
}

pub(crate) fn refused(error: SubmitError) -> Failure {
    let code = match error {
        SubmitError::Size { .. } | SubmitError::Format { .. } => LBX_ERROR_SHAPE,
        SubmitError::Unit(UnitError::Format(_)) => LBX_ERROR_SHAPE,
        SubmitError::Unit(UnitError::NoRun) => LBX_ERROR_STATE,
        SubmitError::TooMany { .. } => LBX_ERROR_LIMIT,
        _ => LBX_ERROR_ARGUMENT,
    };
    Failure::new(code, error)
}

/// # Safety
/// Promise 3.
unsafe fn put_changed(changed: *mut u32, tiles: u32) -> Result<(), Failure> {
    if changed.is_null() {
        return Ok(());
    }
    // SAFETY: promise 3.
    unsafe { handle::put(changed, tiles, "number of changed tiles") }
}
