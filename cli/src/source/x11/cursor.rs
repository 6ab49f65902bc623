use lightbox_codec::geom::{Point, Size};
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{self, ConnectionExt as _};
use x11rb::rust_connection::RustConnection;

use super::super::CursorShape;
use super::fault::Fault;

/// The cursor that shows now; one that is too large loses its right and bottom.
pub(super) fn shape(conn: &RustConnection) -> Result<CursorShape, Fault> {
    let image = conn.xfixes_get_cursor_image()?.reply()?;
    let (w, h) = (usize::from(image.width), usize::from(image.height));
    if w == 0 || h == 0 || image.cursor_image.len() < w * h {
        return Ok(CursorShape { size: Size::new(1, 1), hotspot: Point::default(), bgra: vec![0; 4] });
    }
    let size = Size::new((w as u32).min(MAX_SIDE), (h as u32).min(MAX_SIDE));
    let hotspot = Point::new(u32::from(image.xhot).min(size.w - 1), u32::from(image.yhot).min(size.h - 1));
    // XFIXES gives A, R, G, B from the top bits down, already multiplied.
    let rows = image.cursor_image.chunks_exact(w).take(size.h as usize);
    let bgra = rows.flat_map(|row| &row[..size.w as usize]).flat_map(|argb| argb.to_le_bytes()).collect();
    Ok(CursorShape { size, hotspot, bgra })
}

/// Where the pointer is.
pub(super) fn place(conn: &RustConnection, root: xproto::Window, size: Size) -> Result<Point, Fault> {
    let pointer = conn.query_pointer(root)?.reply()?;
    let clamp = |v: i16, side: u32| u32::try_from(v).unwrap_or(0).min(side.saturating_sub(1));
    Ok(Point::new(clamp(pointer.root_x, size.w), clamp(pointer.root_y, size.h)))
}

/// The longest side of [`CursorShape`].
const MAX_SIDE: u32 = 256;
