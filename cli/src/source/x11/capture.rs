use std::fs::File;
use std::os::unix::fs::FileExt;

use lightbox_codec::geom::{MAX_SIDE, Rect, Region, Size};
use lightbox_codec::pixel::{ImageRef, PixelFormat};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyError;
use x11rb::protocol::ErrorKind;
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{self, ConnectionExt as _, ImageFormat, ImageOrder, Screen, VisualClass};
use x11rb::rust_connection::RustConnection;

use super::SourceError;
use super::fault::Fault;

/// A copy of the root window.
///
/// The server writes pixels into a file that both share, and they are read from there: one copy, and no mapped
/// memory that another process changes. A server that is not on this machine sends them.
pub(super) struct Capture {
    root: xproto::Window,
    size: Size,
    /// BGRX with X = 0xFF, rows without padding.
    pixels: Vec<u8>,
    segment: Option<Segment>,
    scratch: Vec<u8>,
}

/// Whether reading worked.
pub(super) enum Captured {
    /// All rects are in the image.
    Done,
    /// The window changed its size meanwhile and nothing is certain.
    SizeChanged,
}

struct Segment {
    id: shm::Seg,
    file: File,
    len: usize,
}

impl Capture {
    /// An image of the present size, with nothing read into it.
    pub(super) fn new(conn: &RustConnection, root: xproto::Window) -> Result<Self, Fault> {
        let mut capture = Self {
            root,
            size: Size::default(),
            pixels: Vec::new(),
            segment: None,
            // A row of the largest size fits, and the second cache level holds it.
            scratch: vec![0; MAX_SIDE as usize * 4],
        };
        capture.resize(conn)?;
        Ok(capture)
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn image(&self) -> ImageRef<'_> {
        let stride = self.size.w as usize * 4;
        ImageRef::new(&self.pixels, self.size, stride, PixelFormat::Bgrx8)
            .expect("resize makes the pixels fit the size")
    }

    /// Asks for the root window's size; true if it is a new one, and then the image is black.
    pub(super) fn resize(&mut self, conn: &RustConnection) -> Result<bool, Fault> {
        let now = conn.get_geometry(self.root)?.reply()?;
        let size = Size::new(now.width.into(), now.height.into());
        if size == self.size {
            return Ok(false);
        }
        if size.is_empty() || size.w > MAX_SIDE || size.h > MAX_SIDE {
            return Err(Fault::Refused(format!(
                "its size {}x{} is not within {MAX_SIDE}x{MAX_SIDE}; choose a smaller one",
                size.w, size.h
            )));
        }
        let bytes = size.area() as usize * 4;
        self.pixels.clear();
        self.pixels.resize(bytes, 0);
        self.pixels.as_chunks_mut::<4>().0.fill([0, 0, 0, 0xff]);
        self.size = size;
        if self.segment.as_ref().is_none_or(|s| s.len < bytes) {
            if let Some(old) = self.segment.take() {
                conn.shm_detach(old.id)?;
            }
            self.segment = Segment::new(conn, bytes)?;
        }
        Ok(true)
    }

    /// Reads `rects`, which are disjoint and inside the image.
    pub(super) fn read(&mut self, conn: &RustConnection, rects: &[Rect]) -> Result<Captured, Fault> {
        match self.segment.take() {
            Some(segment) => {
                let done = self.read_shared(conn, &segment, rects);
                self.segment = Some(segment);
                done
            }
            None => self.read_sent(conn, rects),
        }
    }

    fn read_shared(
        &mut self,
        conn: &RustConnection,
        segment: &Segment,
        rects: &[Rect],
    ) -> Result<Captured, Fault> {
        // All are asked for at once and lie behind each other in the file; together they are no larger than it.
        let mut offset = 0;
        let mut asked = Vec::with_capacity(rects.len());
        for r in rects {
            let cookie = conn.shm_get_image(
                self.root,
                r.x as i16,
                r.y as i16,
                r.w as u16,
                r.h as u16,
                ALL_PLANES,
                ImageFormat::Z_PIXMAP.into(),
                segment.id,
                offset as u32,
            )?;
            asked.push((*r, offset, cookie));
            offset += r.area() as usize * 4;
        }
        for (r, offset, cookie) in asked {
            match cookie.reply() {
                Ok(_) => self.copy_from_file(&segment.file, offset as u64, r)?,
                Err(e) if is_mismatch(&e) => return Ok(Captured::SizeChanged),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(Captured::Done)
    }

    fn copy_from_file(&mut self, file: &File, mut offset: u64, r: Rect) -> Result<(), Fault> {
        let row = r.w as usize * 4;
        let mut scratch = std::mem::take(&mut self.scratch);
        let at_once = (scratch.len() / row).max(1);
        let mut y = r.y;
        while y < r.bottom() {
            let rows = at_once.min((r.bottom() - y) as usize);
            let part = &mut scratch[..rows * row];
            let read = file.read_exact_at(part, offset);
            read.map_err(|e| Fault::Refused(format!("its shared memory cannot be read: {e}")))?;
            self.copy_rows(Rect::new(r.x, y, r.w, rows as u32), part);
            offset += part.len() as u64;
            y += rows as u32;
        }
        self.scratch = scratch;
        Ok(())
    }

    fn read_sent(&mut self, conn: &RustConnection, rects: &[Rect]) -> Result<Captured, Fault> {
        for r in rects {
            let format = ImageFormat::Z_PIXMAP;
            let (x, y, w, h) = (r.x as i16, r.y as i16, r.w as u16, r.h as u16);
            let reply = match conn.get_image(format, self.root, x, y, w, h, ALL_PLANES)?.reply() {
                Ok(reply) => reply,
                Err(e) if is_mismatch(&e) => return Ok(Captured::SizeChanged),
                Err(e) => return Err(e.into()),
            };
            if reply.data.len() < r.area() as usize * 4 {
                return Err(Fault::Refused("its image is shorter than asked for".into()));
            }
            self.copy_rows(*r, &reply.data);
        }
        Ok(Captured::Done)
    }

    /// Puts the pixels of `r`, row by row without padding, into the image.
    fn copy_rows(&mut self, r: Rect, pixels: &[u8]) {
        let (row, stride) = (r.w as usize * 4, self.size.w as usize * 4);
        for (y, source) in (r.y..r.bottom()).zip(pixels.chunks_exact(row)) {
            let start = y as usize * stride + r.x as usize * 4;
            let target = self.pixels[start..start + row].as_chunks_mut::<4>().0;
            for (to, from) in target.iter_mut().zip(source.as_chunks::<4>().0) {
                *to = (u32::from_le_bytes(*from) | X_BYTE).to_le_bytes();
            }
        }
    }
}

impl Segment {
    /// Memory shared with the server; `None` where it is not on this machine or lacks MIT-SHM 1.2.
    fn new(conn: &RustConnection, len: usize) -> Result<Option<Self>, Fault> {
        if conn.extension_information(shm::X11_EXTENSION_NAME)?.is_none() {
            return Ok(None);
        }
        let version = conn.shm_query_version()?.reply()?;
        let Ok(size) = u32::try_from(len) else { return Ok(None) };
        if (version.major_version, version.minor_version) < (1, 2) {
            return Ok(None);
        }
        let id = conn.generate_id()?;
        match conn.shm_create_segment(id, size, false)?.reply() {
            Ok(reply) => Ok(Some(Self { id, file: File::from(reply.shm_fd), len })),
            Err(ReplyError::X11Error(_)) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

/// Refuses a screen whose pixels are not blue, green, red and an unused byte in memory.
pub(super) fn check_pixels(conn: &RustConnection, screen: &Screen) -> Result<(), SourceError> {
    let setup = conn.setup();
    let visuals = screen.allowed_depths.iter().flat_map(|d| &d.visuals);
    let visual = visuals.into_iter().find(|v| v.visual_id == screen.root_visual);
    let masks = visual
        .filter(|v| v.class == VisualClass::TRUE_COLOR)
        .map(|v| (v.red_mask, v.green_mask, v.blue_mask));
    let format = setup.pixmap_formats.iter().find(|f| f.depth == screen.root_depth);
    let fits = matches!(screen.root_depth, 24 | 32)
        && format.is_some_and(|f| f.bits_per_pixel == 32)
        && setup.image_byte_order == ImageOrder::LSB_FIRST
        && masks == Some((0xff_0000, 0xff00, 0xff));
    if fits {
        return Ok(());
    }
    Err(SourceError(format!(
        "the X screen has {} bits of colour in a layout that is not captured; start the server with depth 24, as `Xvfb -screen 0 1920x1080x24`",
        screen.root_depth
    )))
}

/// The X rect as ours, without what lies left of or above the origin.
pub(super) fn rect_of(r: xproto::Rectangle) -> Rect {
    let (x, y) = (i32::from(r.x), i32::from(r.y));
    let (right, bottom) = (x + i32::from(r.width), y + i32::from(r.height));
    let positive = |v: i32| u32::try_from(v).unwrap_or(0);
    Rect::span(positive(x), positive(y), positive(right), positive(bottom))
}

/// The rects to read for `damaged`: many small ones cost more than the pixels between them.
pub(super) fn worth_reading(damaged: &Region) -> Vec<Rect> {
    let bounds = damaged.bounds();
    let crowded = damaged.rects().len() > MANY_RECTS || damaged.area() * 4 >= bounds.area() * 3;
    if crowded && !bounds.is_empty() { vec![bounds] } else { damaged.rects().to_vec() }
}

/// True for what the server answers when a rect sticks out of a window that has shrunk.
fn is_mismatch(e: &ReplyError) -> bool {
    matches!(e, ReplyError::X11Error(e) if e.error_kind == ErrorKind::Match)
}

const ALL_PLANES: u32 = !0;

/// The byte of a pixel that carries nothing.
const X_BYTE: u32 = 0xff00_0000;

/// Above this many rects their bounds are read instead.
const MANY_RECTS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowded_damage_is_read_in_one_piece() {
        let check = |rects: &[Rect], expect: usize| {
            assert_eq!(worth_reading(&rects.iter().copied().collect()).len(), expect, "{rects:?}");
        };
        check(&[], 0);
        check(&[Rect::new(0, 0, 10, 10), Rect::new(500, 500, 10, 10)], 2);
        check(&[Rect::new(0, 0, 10, 10), Rect::new(11, 0, 10, 10)], 1);
        let many: Vec<_> = (0..40).map(|i| Rect::new(i * 20, i * 20, 1, 1)).collect();
        check(&many, 1);
    }

    #[test]
    fn rects_are_cut_at_the_origin() {
        let rect = |x, y, width, height| rect_of(xproto::Rectangle { x, y, width, height });
        assert_eq!(rect(-5, 2, 10, 3), Rect::new(0, 2, 5, 3));
        assert!(rect(-20, 0, 10, 3).is_empty());
    }
}
