//! The canvas between who paints and those who look.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use lightbox_codec::pixel::ImageRef;
use lightbox_protocol::msg::control::Surface;
use tokio::sync::Notify;

use crate::client::lock;
use crate::memory::{Pixels, SurfaceError};
use crate::paint::Canvas;

/// The canvas. It is painted on while nobody holds a surface.
#[derive(Debug)]
pub(crate) struct Easel {
    /// Locked before `holds`.
    canvas: Mutex<Canvas>,
    holds: Mutex<Holds>,
    /// Somebody has let go of a surface or the canvas, or nothing is painted any more.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Holds {
    /// Surfaces that are held.
    count: usize,
    /// Nothing is painted any more.
    closed: bool,
}

impl Easel {
    pub(crate) fn new(canvas: Canvas) -> Arc<Self> {
        Arc::new(Self { canvas: Mutex::new(canvas), holds: Mutex::default(), changed: Notify::new() })
    }

    /// Shows a surface while `see` runs.
    pub(crate) fn look<R>(&self, surface: u32, see: impl FnOnce(ImageRef<'_>) -> R) -> Option<R> {
        let seen = lock(&self.canvas).get(surface).map(see);
        self.changed.notify_one();
        seen
    }

    pub(crate) fn hold(self: &Arc<Self>, surface: u32) -> Option<Held> {
        let held = self.share(surface);
        self.changed.notify_one();
        held
    }

    fn share(self: &Arc<Self>, surface: u32) -> Option<Held> {
        let canvas = lock(&self.canvas);
        let pixels = canvas.share(surface)?;
        pixels.image()?;
        lock(&self.holds).count += 1;
        Some(Held { pixels: Some(pixels), easel: self.clone() })
    }

    /// Works on the canvas when nobody holds a surface or looks; `None` once the client is over. It waits without a
    /// thread, since who holds the surface may be the very thread that this runs on.
    pub(crate) async fn paint<R>(&self, work: impl FnOnce(MutexGuard<'_, Canvas>) -> R) -> Option<R> {
        loop {
            {
                let canvas = self.try_lock();
                let holds = lock(&self.holds);
                let (free, closed) = (holds.count == 0, holds.closed);
                drop(holds);
                if closed {
                    return None;
                }
                if let Some(canvas) = canvas.filter(|_| free) {
                    return Some(work(canvas));
                }
            }
            self.changed.notified().await;
        }
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Canvas>> {
        match self.canvas.try_lock() {
            Ok(canvas) => Some(canvas),
            Err(TryLockError::Poisoned(canvas)) => Some(canvas.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// There is this surface; blank unless its samples go on. The canvas is not locked while the application gives and
    /// takes memory, so that it may look at surfaces meanwhile.
    pub(crate) fn surface(
        &self,
        mut canvas: MutexGuard<'_, Canvas>,
        surface: &Surface,
        kept: bool,
    ) -> Result<(), SurfaceError> {
        if kept && canvas.has(surface.id) {
            return Ok(());
        }
        let (memory, before) = (canvas.memory(), canvas.take(surface.id));
        drop(canvas);
        // First, so that its memory may serve again.
        drop(before);
        let pixels = Pixels::new(surface, memory.as_ref())?;
        lock(&self.canvas).put(surface.id, pixels);
        Ok(())
    }

    /// Nothing is painted from now on. What is held stays as it is.
    pub(crate) fn close(&self) {
        lock(&self.holds).closed = true;
        self.changed.notify_one();
    }
}

/// A surface's samples, held still: nothing is painted, on any surface of its client, while this lives. It may be dropped
/// on any thread, also when its client is gone; be brief all the same.
#[derive(Debug)]
pub struct Held {
    // INVARIANT: there until it is dropped, and of a surface whose memory was an image when it was held.
    pixels: Option<Arc<Pixels>>,
    easel: Arc<Easel>,
}

impl Held {
    /// The samples. `None` where memory of the application is not any more what it was.
    pub fn image(&self) -> Option<ImageRef<'_>> {
        self.pixels.as_ref()?.image()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // First, as whoever paints must be the only one who has it.
        self.pixels = None;
        lock(&self.easel.holds).count -= 1;
        self.easel.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use lightbox_codec::geom::Size;
    use lightbox_codec::pixel::PixelFormat;

    use super::*;

    fn easel() -> Arc<Easel> {
        let (size, format) = (Size::new(10, 10), PixelFormat::Gray8);
        let mut canvas = Canvas::new();
        canvas.surface(&Surface { id: 1, generation: 1, nonce: [0; 16], size, format }, false).unwrap();
        Easel::new(canvas)
    }

    #[test]
    fn who_paints_waits_for_all_that_is_held_on_whatever_thread_it_ends() {
        let easel = easel();
        assert!(easel.hold(2).is_none());
        let (one, two) = (easel.hold(1).unwrap(), easel.hold(1).unwrap());
        let mut painting = pin!(easel.paint(|mut canvas| canvas.get_mut(1).is_some()));
        let mut poll = || painting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(poll(), Poll::Pending);
        drop(one);
        assert_eq!(poll(), Poll::Pending);
        std::thread::spawn(move || drop(two)).join().unwrap();
        assert_eq!(poll(), Poll::Ready(Some(true)), "nobody else has it while it is painted on");
    }

    #[test]
    fn who_paints_waits_for_who_looks_even_on_this_thread() {
        let easel = easel();
        let mut painting = pin!(easel.paint(|_| ()));
        let mut poll = || painting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(easel.look(1, |_| poll()), Some(Poll::Pending));
        assert_eq!(poll(), Poll::Ready(Some(())));
    }

    #[test]
    fn what_is_held_outlives_the_client_and_keeps_nobody() {
        let easel = easel();
        let held = easel.hold(1).unwrap();
        easel.close();
        let painted = pin!(easel.paint(|_| ())).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(painted, Poll::Ready(None));
        drop(easel);
        assert_eq!(held.image().map(|image| image.size()), Some(Size::new(10, 10)));
    }
}
