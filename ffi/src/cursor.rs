//! The cursor: a picture with a hotspot, and a place.
#![allow(unsafe_code)]

use lightbox_server::Cursor;
use lightbox_server::geom::{Point, Size};

use crate::error::{Failure, lbx_result};
use crate::guard;
use crate::handle;
use crate::output::{lbx_output, refused};

/// The longest side of a cursor.
pub const LBX_CURSOR_MAX: u32 = 256;

/// The cursor's picture, on every monitor of the desktop: w*h pixels of blue, green, red and alpha, colour already
/// multiplied by alpha, row by row without padding. (hot_x, hot_y) is the pixel that points.
/// Ownership: the picture is copied.
/// Errors: `LBX_ERROR_ARGUMENT` if it is empty or longer than `LBX_CURSOR_MAX`, or the hotspot is outside.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_cursor_define(
    output: *mut lbx_output,
    w: u32,
    h: u32,
    hot_x: u32,
    hot_y: u32,
    bgra: *const u8,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        if w.max(h) > LBX_CURSOR_MAX {
            return Err(Failure::argument(format_args!(
                "a cursor of {w}x{h} is longer than {LBX_CURSOR_MAX}"
            )));
        }
        // SAFETY: promise 2; both sides are small, so the product is exact.
        let bgra = unsafe { handle::array(bgra, w as usize * h as usize * 4, "bgra") }?;
        let cursor = Cursor { size: Size::new(w, h), hotspot: Point::new(hot_x, hot_y), bgra: bgra.into() };
        output.output.set_cursor(cursor).map_err(refused)
    })
}

/// The guest moved the cursor: its hotspot is at this pixel of the monitor, or it is hidden (`visible` is 0).
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_cursor_move(
    output: *mut lbx_output,
    x: u32,
    y: u32,
    visible: u32,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        output.output.move_cursor(Point::new(x, y), visible != 0);
        Ok(())
    })
}
