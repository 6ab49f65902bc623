//! What QEMU calls the listener with becomes a picture of our own.
//!
//! A picture that QEMU shares stays the guest's to write at any moment, so it is read once into ours, and nobody looks
//! at it again: what is coded, hashed and proved is what was read. It is read as a file and never mapped, so that
//! whoever shrinks it meanwhile makes a read fail instead of a program end.

use std::fs::File;
use std::os::unix::fs::FileExt;

use lightbox_codec::geom::{MAX_SIDE, Point, Rect, Size};
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat};
use lightbox_protocol::Time;
use zbus::Message;

use super::bus::{LISTENER, MAP};
use super::fault::Fault;
use super::pixels::{Layout, premultiplied};
use crate::source::{Change, CursorShape};

/// Pixels of the largest picture that is taken: two screens of 8K.
const MOST_PIXELS: u64 = 1 << 26;
/// The largest side of a cursor that a client takes.
const MAX_CURSOR: u32 = 256;
/// Rects of one change; where there are more, it says one that holds them all.
const MOST_RECTS: usize = 64;

/// The guest's screen as QEMU has shown it.
pub(super) struct Screen {
    picture: Image,
    shared: Option<Shared>,
    row: Vec<u8>,
    resized: bool,
    damage: Vec<Rect>,
    /// When the first of the damage was told.
    since: Option<Time>,
}

/// A picture that QEMU shares.
struct Shared {
    file: File,
    offset: u64,
    stride: u64,
    layout: Layout,
}

impl Screen {
    pub(super) fn new(size: Size) -> Result<Self, Fault> {
        let picture = blank(size)?;
        Ok(Self { picture, shared: None, row: Vec::new(), resized: false, damage: Vec::new(), since: None })
    }

    pub(super) fn size(&self) -> Size {
        self.picture.size()
    }

    pub(super) fn image(&self) -> ImageRef<'_> {
        self.picture.as_ref()
    }

    /// What a call that came at `at` says. True if it shows a picture.
    pub(super) fn hear(
        &mut self,
        call: &Message,
        at: Time,
        changes: &mut Vec<Change>,
    ) -> Result<bool, Fault> {
        let header = call.header();
        let interface = header.interface().map_or("", |name| name.as_str());
        let member = header.member().map_or("", |name| name.as_str());
        let body = call.body();
        match (interface, member) {
            (LISTENER, "Scanout") => {
                let (w, h, stride, format, data): (u32, u32, u32, u32, &[u8]) = body.deserialize()?;
                self.show(Size::new(w, h))?;
                self.shared = None;
                self.paint(Size::new(w, h).rect(), Copied { at: (0, 0), stride, format, data })?;
            }
            (LISTENER, "Update") => {
                let (x, y, w, h, stride, format, data): (i32, i32, i32, i32, u32, u32, &[u8]) =
                    body.deserialize()?;
                if let Some((rect, at)) = self.visible(x, y, w, h) {
                    self.paint(rect, Copied { at, stride, format, data })?;
                }
            }
            (MAP, "ScanoutMap") => {
                let (file, offset, w, h, stride, format): (zbus::Fd<'_>, u32, u32, u32, u32, u32) =
                    body.deserialize()?;
                let file = std::os::fd::AsFd::as_fd(&file).try_clone_to_owned()?;
                let size = Size::new(w, h);
                let shared = Shared::new(file.into(), offset, size, stride, format)?;
                self.show(size)?;
                self.shared = Some(shared);
                self.damage.push(size.rect());
            }
            (MAP, "UpdateMap") => {
                let (x, y, w, h): (i32, i32, i32, i32) = body.deserialize()?;
                self.damage.extend(self.visible(x, y, w, h).map(|(rect, _)| rect));
            }
            (LISTENER, "Disable") => {
                self.shared = None;
                let whole = self.size().rect();
                self.picture.as_mut().fill(whole, PixelFormat::Bgrx8.black());
                self.damage.push(whole);
            }
            (LISTENER, "CursorDefine") => {
                let (w, h, x, y, data): (i32, i32, i32, i32, &[u8]) = body.deserialize()?;
                changes.extend(cursor(w, h, (x, y), data)?.map(Change::Cursor));
                return Ok(false);
            }
            (LISTENER, "MouseSet") => {
                let (x, y, on): (i32, i32, i32) = body.deserialize()?;
                let side = |at: i32| at.clamp(0, MAX_SIDE as i32) as u32;
                changes.push(Change::CursorAt { at: Point::new(side(x), side(y)), visible: on != 0 });
                return Ok(false);
            }
            (_, "ScanoutDMABUF" | "ScanoutDMABUF2") => {
                let words = "its picture is in the GPU's memory: start it with gl=off and a display adapter without -gl";
                return Err(Fault::Wrong(words.into()));
            }
            _ => return Ok(false),
        }
        self.since.get_or_insert(at);
        Ok(matches!(member, "Scanout" | "ScanoutMap"))
    }

    /// Reads what changed of a picture that is shared, and says what changed of ours.
    pub(super) fn settle(&mut self, changes: &mut Vec<Change>) -> Result<(), Fault> {
        if self.damage.len() > MOST_RECTS {
            let all = self.damage.drain(..).reduce(Rect::union);
            self.damage.extend(all);
        }
        if let Some(shared) = &self.shared {
            for rect in &self.damage {
                shared.read(*rect, &mut self.picture, &mut self.row)?;
            }
        }
        let (rects, since) = (std::mem::take(&mut self.damage), self.since.take());
        if std::mem::take(&mut self.resized) {
            changes.push(Change::Resized(self.size()));
        } else if let (false, Some(at)) = (rects.is_empty(), since) {
            changes.push(Change::Damage { rects, at });
        }
        Ok(())
    }

    /// QEMU is gone, and what it shared with it; what was read of it stays.
    pub(super) fn forget(&mut self) {
        self.shared = None;
    }

    /// A whole picture of this size comes.
    fn show(&mut self, size: Size) -> Result<(), Fault> {
        if size != self.size() {
            self.picture = blank(size)?;
            self.resized = true;
        }
        self.damage.clear();
        Ok(())
    }

    /// The part of a rect of QEMU's that is on the screen, and where in that rect it begins.
    fn visible(&self, x: i32, y: i32, w: i32, h: i32) -> Option<(Rect, (u32, u32))> {
        let within = |at: i32, side: i32, most: u32| {
            let (begin, end) = (i64::from(at), i64::from(at) + i64::from(side));
            let (from, to) = (begin.clamp(0, most.into()), end.clamp(0, most.into()));
            (from as u32, to as u32, (from - begin) as u32)
        };
        let (x0, x1, skip_x) = within(x, w, self.size().w);
        let (y0, y1, skip_y) = within(y, h, self.size().h);
        let rect = Rect::span(x0, y0, x1, y1);
        (!rect.is_empty()).then_some((rect, (skip_x, skip_y)))
    }

    fn paint(&mut self, rect: Rect, from: Copied<'_>) -> Result<(), Fault> {
        let layout = Layout::of(from.format)?;
        let (bytes, stride) = (layout.bytes(), from.stride as usize);
        let row = rect.w as usize * bytes;
        let first = from.at.0 as usize * bytes;
        let short = || Fault::Wrong("it sends fewer pixels than it says".into());
        if first + row > stride {
            return Err(short());
        }
        let mut picture = self.picture.as_mut();
        let mut target = picture.crop_mut(rect).ok_or_else(short)?;
        for y in 0..rect.h {
            let begin = (from.at.1 + y) as usize * stride + first;
            let pixels = from.data.get(begin..begin + row).ok_or_else(short)?;
            layout.row(pixels, target.row_mut(y));
        }
        self.damage.push(rect);
        Ok(())
    }
}

/// Pixels that came with a call.
struct Copied<'a> {
    /// The first that is wanted.
    at: (u32, u32),
    stride: u32,
    format: u32,
    data: &'a [u8],
}

impl Shared {
    fn new(file: File, offset: u32, size: Size, stride: u32, format: u32) -> Result<Self, Fault> {
        // Only memory can be asked for its seals. Of a file elsewhere, a read might never return.
        if rustix::fs::fcntl_get_seals(&file).is_err() {
            return Err(Fault::Wrong("it shares a picture that is no shared memory".into()));
        }
        let layout = Layout::of(format)?;
        let (offset, stride) = (u64::from(offset), u64::from(stride));
        if u64::from(size.w) * layout.bytes() as u64 > stride {
            return Err(Fault::Wrong(format!("its rows of {} pixels take {stride} bytes", size.w)));
        }
        Ok(Self { file, offset, stride, layout })
    }

    /// Reads `rect` into `picture`.
    fn read(&self, rect: Rect, picture: &mut Image, row: &mut Vec<u8>) -> Result<(), Fault> {
        let bytes = self.layout.bytes();
        row.resize(rect.w as usize * bytes, 0);
        let mut picture = picture.as_mut();
        let Some(mut target) = picture.crop_mut(rect) else { return Ok(()) };
        for y in 0..rect.h {
            let begin = u64::from(rect.y + y) * self.stride + u64::from(rect.x) * bytes as u64;
            let to = target.row_mut(y);
            if self.layout.is_ours() {
                self.file.read_exact_at(to, self.offset + begin)?;
                to.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = 0xff);
            } else {
                self.file.read_exact_at(row, self.offset + begin)?;
                self.layout.row(row, to);
            }
        }
        Ok(())
    }
}

fn blank(size: Size) -> Result<Image, Fault> {
    if size.area() > MOST_PIXELS {
        return Err(Fault::Wrong(format!("its picture of {}x{} is too large", size.w, size.h)));
    }
    Image::new(size, PixelFormat::Bgrx8).map_err(|error| Fault::Wrong(error.to_string()))
}

/// `None` for one that no client takes.
fn cursor(w: i32, h: i32, hotspot: (i32, i32), data: &[u8]) -> Result<Option<CursorShape>, Fault> {
    let side = |side: i32| u32::try_from(side).ok().filter(|side| (1..=MAX_CURSOR).contains(side));
    let (Some(w), Some(h)) = (side(w), side(h)) else { return Ok(None) };
    let size = Size::new(w, h);
    let Some(data) = data.get(..size.area() as usize * 4) else {
        return Err(Fault::Wrong(format!("its cursor of {w}x{h} has {} bytes", data.len())));
    };
    let inside = |at: i32, side: u32| at.clamp(0, side as i32 - 1) as u32;
    let hotspot = Point::new(inside(hotspot.0, w), inside(hotspot.1, h));
    Ok(Some(CursorShape { size, hotspot, bgra: premultiplied(data) }))
}
