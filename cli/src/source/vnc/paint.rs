//! A framebuffer update becomes pixels and damage.

use lightbox_codec::geom::{Point, Rect, Size};
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat};

use super::link::{
    COPY_RECT, CURSOR, DESKTOP_SIZE, EXTENDED_SIZE, Fault, LAST_RECT, Link, QEMU_KEYS, RAW, ZRLE, size_of,
};
use super::zrle::Zrle;
use crate::source::CursorShape;

/// The largest side of a cursor that a client takes.
const MAX_CURSOR: u32 = 256;

/// The desktop as the server has painted it.
pub(super) struct Picture {
    image: Image,
    zrle: Zrle,
    row: Vec<u8>,
    /// The server lets its clients resize the desktop; its one screen, as it named it.
    screen: Option<[u8; 16]>,
}

/// What an update changed.
#[derive(Default)]
pub(super) struct Update {
    pub(super) rects: Vec<Rect>,
    pub(super) cursor: Option<CursorShape>,
}

impl Picture {
    pub(super) fn new(size: Size) -> Result<Self, Fault> {
        Ok(Self { image: blank(size)?, zrle: Zrle::new(), row: Vec::new(), screen: None })
    }

    pub(super) fn size(&self) -> Size {
        self.image.size()
    }

    pub(super) fn image(&self) -> ImageRef<'_> {
        self.image.as_ref()
    }

    /// Another connection begins: its compressed stream is a new one.
    pub(super) fn forget_stream(&mut self) {
        (self.zrle, self.screen) = (Zrle::new(), None);
    }

    /// Asks for another size of the desktop; `None` if the server does not let its clients decide.
    pub(super) fn resize_message(&self, size: Size) -> Option<Vec<u8>> {
        let mut screen = self.screen?;
        let side = |side: u32| u16::try_from(side).ok().map(u16::to_be_bytes);
        let (w, h) = (side(size.w)?, side(size.h)?);
        screen[4..8].fill(0);
        screen[8..10].copy_from_slice(&w);
        screen[10..12].copy_from_slice(&h);
        let mut message = vec![251, 0];
        message.extend([w, h].concat());
        message.extend([1, 0]);
        message.extend(screen);
        Some(message)
    }

    /// Reads an update whose first byte has been read.
    pub(super) fn update(&mut self, link: &mut Link) -> Result<Update, Fault> {
        let mut update = Update::default();
        link.skip(1)?;
        let count = link.u16()?;
        for _ in 0..count {
            let [x, y, w, h] = [link.u16()?, link.u16()?, link.u16()?, link.u16()?];
            let encoding = link.u32()? as i32;
            let rect = Rect::new(x.into(), y.into(), w.into(), h.into());
            match encoding {
                LAST_RECT => break,
                QEMU_KEYS => link.has_scancodes = true,
                CURSOR => update.cursor = cursor(link, rect)?,
                DESKTOP_SIZE => self.resize(size_of(w, h)?)?,
                EXTENDED_SIZE => {
                    self.read_screens(link)?;
                    // x is who asked, y is 0 unless that was refused.
                    if y == 0 {
                        self.resize(size_of(w, h)?)?;
                    }
                }
                RAW | COPY_RECT | ZRLE => {
                    if rect.is_empty() && encoding != ZRLE {
                        continue;
                    }
                    if !self.size().rect().contains(rect) {
                        return Err(Fault::Wrong(format!(
                            "it paints {rect:?} of a desktop of {:?}",
                            self.size()
                        )));
                    }
                    self.paint(link, rect, encoding)?;
                    update.rects.push(rect);
                }
                other => {
                    return Err(Fault::Wrong(format!("it uses encoding {other}, which was not asked for")));
                }
            }
        }
        Ok(update)
    }

    fn paint(&mut self, link: &mut Link, rect: Rect, encoding: i32) -> Result<(), Fault> {
        let mut image = self.image.as_mut();
        match encoding {
            COPY_RECT => {
                let from = Rect::new(link.u16()?.into(), link.u16()?.into(), rect.w, rect.h);
                if !image.copy_within(from, Point::new(rect.x, rect.y)) {
                    return Err(Fault::Wrong("it copies from outside the desktop".into()));
                }
            }
            ZRLE => {
                let length = link.u32()?;
                self.zrle.paint(link, length, &mut image, rect)?;
            }
            _ => {
                self.row.resize(rect.w as usize * 4, 0);
                let mut part = image.crop_mut(rect).ok_or_else(outside)?;
                for y in 0..rect.h {
                    link.read(&mut self.row)?;
                    for (pixel, read) in
                        part.row_mut(y).as_chunks_mut::<4>().0.iter_mut().zip(self.row.as_chunks::<4>().0)
                    {
                        *pixel = [read[0], read[1], read[2], 0xff];
                    }
                }
            }
        }
        Ok(())
    }

    fn resize(&mut self, size: Size) -> Result<(), Fault> {
        if size != self.size() {
            self.image = blank(size)?;
        }
        Ok(())
    }

    fn read_screens(&mut self, link: &mut Link) -> Result<(), Fault> {
        let count = link.u8()?;
        link.skip(3)?;
        let mut first = None;
        for _ in 0..count {
            let screen = link.array()?;
            first.get_or_insert(screen);
        }
        self.screen = first;
        Ok(())
    }
}

fn blank(size: Size) -> Result<Image, Fault> {
    let mut image = Image::new(size, PixelFormat::Bgrx8).map_err(|error| Fault::Wrong(error.to_string()))?;
    image.as_mut().fill(size.rect(), [0, 0, 0, 0xff]);
    Ok(image)
}

fn outside() -> Fault {
    Fault::Wrong("it paints outside the desktop".into())
}

/// Colours row by row, then one bit a pixel that says whether it shows. `None` for one that no client takes.
fn cursor(link: &mut Link, rect: Rect) -> Result<Option<CursorShape>, Fault> {
    let stride = rect.w.div_ceil(8) as usize;
    if rect.w > MAX_CURSOR || rect.h > MAX_CURSOR {
        // Nor does one of four billion pixels get memory.
        link.skip(rect.area() * 4 + stride as u64 * u64::from(rect.h))?;
        return Ok(None);
    }
    let mut bgra = vec![0; rect.area() as usize * 4];
    let mut mask = vec![0; stride * rect.h as usize];
    link.read(&mut bgra)?;
    link.read(&mut mask)?;
    if rect.is_empty() {
        // No cursor is one that nobody sees.
        return Ok(Some(CursorShape { size: Size::new(1, 1), hotspot: Point::new(0, 0), bgra: vec![0; 4] }));
    }
    for (y, row) in bgra.chunks_exact_mut(rect.w as usize * 4).enumerate() {
        for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let shows = mask[y * stride + x / 8] >> (7 - x % 8) & 1 == 1;
            *pixel = if shows { [pixel[0], pixel[1], pixel[2], 0xff] } else { [0; 4] };
        }
    }
    let hotspot = Point::new(rect.x.min(rect.w - 1), rect.y.min(rect.h - 1));
    Ok(Some(CursorShape { size: rect.size(), hotspot, bgra }))
}
