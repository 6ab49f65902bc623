//! A private copy of a scanout that cannot be looked at in place: a file that may shrink, memory of a GPU.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;

use lightbox_server::Damage;
use lightbox_server::geom::Rect;
use lightbox_server::pixel::{Image, ImageMut, ImageRef};

use super::memory::Layout;
use crate::error::Failure;
use crate::handle::lock;

/// The copy. It is out while somebody looks at it.
#[derive(Debug)]
pub(super) struct Staging {
    state: Mutex<State>,
    back: Condvar,
}

#[derive(Debug)]
struct State {
    /// `None` while it is out.
    copy: Option<Copy>,
    /// Who has it.
    holder: Option<ThreadId>,
}

#[derive(Debug)]
struct Copy {
    image: Image,
    /// It holds a whole picture.
    is_whole: bool,
    /// Where the next rows are read that nobody reported.
    next_row: u32,
}

impl Staging {
    pub(super) fn new(layout: Layout) -> Result<Self, Failure> {
        let image = Image::new(layout.size, layout.format).map_err(Failure::argument)?;
        let copy = Some(Copy { image, is_whole: false, next_row: 0 });
        Ok(Self { state: Mutex::new(State { copy, holder: None }), back: Condvar::new() })
    }

    /// Brings the copy up to date where it is damaged, and shows it. `read` fills the part of the copy that it is given,
    /// which is of this rect; where it is `cheap`, some rows beside the damage are read as well, so that the sweep finds
    /// what was not reported. Returns the bytes read beside what `see` gives.
    pub(super) fn look<R>(
        &self,
        damage: Damage<'_>,
        cheap: bool,
        mut read: impl FnMut(Rect, &mut ImageMut<'_>) -> Result<(), Failure>,
        see: impl FnOnce(ImageRef<'_>) -> Result<R, Failure>,
    ) -> Result<(R, u64), Failure> {
        let mut out = self.take()?;
        let Some(copy) = &mut out.copy else { return Err(busy()) };
        let all = copy.image.size().rect();
        let mut rects: Vec<Rect> = match damage {
            Damage::Rects(rects) if copy.is_whole => {
                rects.iter().filter_map(|rect| rect.intersect(all)).collect()
            }
            _ => vec![all],
        };
        if rects.iter().map(|rect| rect.area()).sum::<u64>() > all.area() {
            // Whoever repeats himself is not read twice.
            rects = vec![all];
        }
        if cheap && rects != [all] {
            let rows = SWEEP_ROWS.min(all.h - copy.next_row);
            rects.push(Rect::new(0, copy.next_row, all.w, rows));
            copy.next_row = (copy.next_row + rows) % all.h;
        }
        let mut bytes = 0;
        for rect in &rects {
            let mut image = copy.image.as_mut();
            let Some(mut part) = image.crop_mut(*rect) else { continue };
            read(*rect, &mut part)?;
            bytes += rect.area() * part.format().bytes_per_pixel() as u64;
        }
        copy.is_whole |= rects.contains(&all);
        let seen = see(copy.image.as_ref())?;
        Ok((seen, bytes))
    }

    /// Takes the copy out; waits while another thread has it.
    fn take(&self) -> Result<Out<'_>, Failure> {
        let me = std::thread::current().id();
        let mut state = lock(&self.state);
        loop {
            if let Some(copy) = state.copy.take() {
                state.holder = Some(me);
                return Ok(Out { copy: Some(copy), staging: self });
            }
            // A callback of this very look: to wait would be for ever.
            if state.holder == Some(me) {
                return Err(busy());
            }
            state = self.back.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The copy while it is out; it goes back whatever happens.
struct Out<'a> {
    copy: Option<Copy>,
    staging: &'a Staging,
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.staging.state);
        (state.copy, state.holder) = (self.copy.take(), None);
        self.staging.back.notify_one();
    }
}

fn busy() -> Failure {
    Failure::state("the scanout is being read by a callback of this thread")
}

/// Rows read beside the damage at each look: all of a screen within some seconds of frames, for a few hundred kilobytes.
const SWEEP_ROWS: u32 = 16;

#[cfg(test)]
mod tests {
    use lightbox_server::geom::Size;
    use lightbox_server::pixel::PixelFormat;

    use super::*;

    fn staging() -> Staging {
        Staging::new(Layout::new(100, Size::new(100, 64), PixelFormat::Gray8).unwrap()).unwrap()
    }

    /// What is read for this damage.
    fn reads(staging: &Staging, damage: Damage<'_>, cheap: bool) -> Vec<Rect> {
        let mut all = Vec::new();
        let read = |rect, _: &mut ImageMut<'_>| {
            all.push(rect);
            Ok(())
        };
        let ((), bytes) = staging.look(damage, cheap, read, |_| Ok(())).unwrap();
        assert_eq!(bytes, all.iter().map(|rect| rect.area()).sum::<u64>());
        all
    }

    #[test]
    fn all_is_read_once_and_then_what_is_damaged() {
        let (staging, all) = (staging(), Rect::new(0, 0, 100, 64));
        let one = Rect::new(90, 10, 50, 2);
        assert_eq!(reads(&staging, Damage::Rects(&[one]), false), [all], "nothing is known yet");
        assert_eq!(reads(&staging, Damage::Rects(&[one]), false), [Rect::new(90, 10, 10, 2)]);
        assert_eq!(reads(&staging, Damage::Rects(&[all, one]), false), [all]);
        assert_eq!(reads(&staging, Damage::Unknown, true), [all]);
        for row in [0, 16, 32, 48, 0] {
            assert_eq!(reads(&staging, Damage::Rects(&[]), true), [Rect::new(0, row, 100, 16)]);
        }
    }

    #[test]
    fn a_look_inside_a_look_is_refused_and_one_that_fails_leaves_the_copy() {
        let staging = staging();
        let again = |_, _: &mut ImageMut<'_>| {
            let inner = staging.look(Damage::Unknown, false, |_, _| Ok(()), |_| Ok(()));
            inner.map(|_| ())
        };
        assert!(staging.look(Damage::Unknown, false, again, |_| Ok(())).is_err());
        assert_eq!(reads(&staging, Damage::Rects(&[]), false).len(), 1);
    }
}
