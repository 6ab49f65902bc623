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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rustix::fs::{MemfdFlags, memfd_create};

    use super::*;

    const X8R8G8B8: u32 = 0x2002_0888;

    macro_rules! call {
        ($interface:expr, $member:expr, $body:expr) => {
            Message::method_call("/org/qemu/Display1/Listener", $member)
                .interface($interface)
                .build(&$body)
                .unwrap()
        };
    }

    fn scanout(w: u32, h: u32, stride: u32, format: u32, data: &[u8]) -> Message {
        call!(LISTENER, "Scanout", (w, h, stride, format, data))
    }

    fn shared(file: &File, offset: u32, w: u32, h: u32, stride: u32) -> Message {
        call!(MAP, "ScanoutMap", (zbus::Fd::from(file), offset, w, h, stride, X8R8G8B8))
    }

    fn memory(bytes: usize) -> File {
        let mut file = File::from(memfd_create("picture", MemfdFlags::CLOEXEC).unwrap());
        file.write_all(&vec![1; bytes]).unwrap();
        file
    }

    /// What a screen of 10x10 makes of a call.
    fn hear(call: &Message) -> Result<Vec<Change>, Fault> {
        let (mut screen, mut changes) = (Screen::new(Size::new(10, 10)).unwrap(), Vec::new());
        screen.hear(call, Time(1), &mut changes)?;
        screen.settle(&mut changes)?;
        Ok(changes)
    }

    #[test]
    fn pictures_that_are_not_what_they_say_are_refused() {
        let pixels = vec![0; 4 * 100];
        let check = |call: Message, words: &str| {
            let fault = hear(&call).expect_err(words).to_string();
            assert!(fault.contains(words), "{fault}");
        };
        check(scanout(0, 10, 40, X8R8G8B8, &pixels), "outside 1x1");
        check(scanout(10, u32::MAX, 40, X8R8G8B8, &pixels), "too large");
        check(scanout(16_384, 16_384, 65_536, X8R8G8B8, &pixels), "too large");
        check(scanout(10, 11, 40, X8R8G8B8, &pixels), "fewer pixels");
        check(scanout(10, 10, 39, X8R8G8B8, &pixels), "fewer pixels");
        check(scanout(10, 10, u32::MAX, X8R8G8B8, &pixels), "fewer pixels");
        check(scanout(10, 10, 40, 7, &pixels), "not known");
        let update = (0i32, 0i32, i32::MAX, i32::MAX, 40u32, X8R8G8B8, &pixels[..399]);
        check(call!(LISTENER, "Update", update), "fewer pixels");
        check(call!(LISTENER, "Update", (1u32,)), "ignature");
        check(shared(&memory(399), 0, 10, 10, 40), "fill whole buffer");
        check(shared(&memory(400), u32::MAX, 10, 10, 40), "fill whole buffer");
        check(shared(&memory(400), 0, 10, 10, 39), "39 bytes");
        let elsewhere = File::open("/dev/zero").unwrap();
        check(shared(&elsewhere, 0, 10, 10, 40), "no shared memory");
        check(call!(LISTENER, "ScanoutDMABUF", ()), "gl=off");
        check(call!(LISTENER, "CursorDefine", (8i32, 8i32, 0i32, 0i32, &pixels[..255])), "its cursor of 8x8");
    }

    #[test]
    fn what_sticks_out_is_cut_and_a_cursor_points_inside() {
        let pixels: Vec<u8> = (0..400u32).map(|i| (i / 4) as u8).collect();
        let mut screen = Screen::new(Size::new(10, 10)).unwrap();
        let mut changes = Vec::new();
        let update = (-8i32, -9i32, 10i32, 10i32, 40u32, X8R8G8B8, &pixels[..]);
        screen.hear(&call!(LISTENER, "Update", update), Time(1), &mut changes).unwrap();
        let nowhere = (10i32, 0i32, 10i32, i32::MIN, 40u32, X8R8G8B8, &pixels[..]);
        screen.hear(&call!(LISTENER, "Update", nowhere), Time(2), &mut changes).unwrap();
        screen.settle(&mut changes).unwrap();
        assert_eq!(changes, [Change::Damage { rects: vec![Rect::new(0, 0, 2, 1)], at: Time(1) }]);
        assert_eq!(screen.image().row(0)[..12], [98, 98, 98, 255, 99, 99, 99, 255, 0, 0, 0, 255]);

        let define = call!(LISTENER, "CursorDefine", (2i32, 1i32, 99i32, -1i32, &pixels[..8]));
        let defined = hear(&define).unwrap();
        let [Change::Cursor(shape)] = &defined[..] else { panic!("no cursor") };
        assert_eq!((shape.size, shape.hotspot), (Size::new(2, 1), Point::new(1, 0)));
        let set = call!(LISTENER, "MouseSet", (-7i32, i32::MAX, 1i32));
        let at = Point::new(0, MAX_SIDE);
        assert_eq!(hear(&set).unwrap(), [Change::CursorAt { at, visible: true }]);
        for none in [(0, 1), (257, 1), (i32::MIN, i32::MAX)] {
            let define = call!(LISTENER, "CursorDefine", (none.0, none.1, 0i32, 0i32, &pixels[..]));
            assert!(hear(&define).unwrap().is_empty(), "{none:?}");
        }
    }

    #[test]
    fn a_screen_that_is_off_is_black() {
        let mut screen = Screen::new(Size::new(10, 10)).unwrap();
        let mut changes = Vec::new();
        screen.hear(&scanout(10, 10, 40, X8R8G8B8, &[7; 400]), Time(1), &mut changes).unwrap();
        screen.hear(&call!(LISTENER, "Disable", ()), Time(2), &mut changes).unwrap();
        screen.settle(&mut changes).unwrap();
        assert!(screen.image().rows().all(|row| row.as_chunks().0.iter().all(|px| *px == [0, 0, 0, 255])));
    }
}
