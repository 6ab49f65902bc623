//! The canvas between the thread that paints and those that look.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use lightbox_codec::pixel::ImageRef;

use crate::client::lock;
use crate::memory::Pixels;
use crate::paint::Canvas;

/// The canvas. It is painted on while nobody holds a surface.
#[derive(Debug)]
pub(crate) struct Easel {
    /// Locked before `holds`.
    canvas: Mutex<Canvas>,
    holds: Mutex<Holds>,
    changed: Condvar,
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
        Arc::new(Self { canvas: Mutex::new(canvas), holds: Mutex::default(), changed: Condvar::new() })
    }

    /// Shows a surface while `see` runs.
    pub(crate) fn look<R>(&self, surface: u32, see: impl FnOnce(ImageRef<'_>) -> R) -> Option<R> {
        lock(&self.canvas).get(surface).map(see)
    }

    pub(crate) fn hold(self: &Arc<Self>, surface: u32) -> Option<Held> {
        let canvas = lock(&self.canvas);
        let pixels = canvas.share(surface)?;
        pixels.image()?;
        lock(&self.holds).count += 1;
        Some(Held { pixels: Some(pixels), easel: self.clone() })
    }

    /// The canvas, to paint on; waits while a surface is held. `None` once the client is over.
    pub(crate) fn paint(&self) -> Option<MutexGuard<'_, Canvas>> {
        loop {
            let canvas = lock(&self.canvas);
            let mut holds = lock(&self.holds);
            if holds.closed {
                return None;
            }
            if holds.count == 0 {
                return Some(canvas);
            }
            // Others may look and hold meanwhile.
            drop(canvas);
            while holds.count > 0 && !holds.closed {
                holds = self.changed.wait(holds).unwrap_or_else(std::sync::PoisonError::into_inner);
            }
        }
    }

    /// Nothing is painted from now on. What is held stays as it is.
    pub(crate) fn close(&self) {
        lock(&self.holds).closed = true;
        self.changed.notify_all();
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
        self.easel.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use lightbox_codec::geom::Size;
    use lightbox_codec::pixel::PixelFormat;
    use lightbox_protocol::msg::control::Surface;

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
        let (told, tell) = channel();
        let painter = easel.clone();
        let thread = std::thread::spawn(move || {
            let mut canvas = painter.paint().unwrap();
            told.send(canvas.get_mut(1).is_some()).unwrap();
        });
        drop(one);
        std::thread::spawn(move || {
            assert!(tell.try_recv().is_err());
            drop(two);
            assert_eq!(tell.recv(), Ok(true), "nobody else has it while it is painted on");
        })
        .join()
        .unwrap();
        thread.join().unwrap();
    }

    #[test]
    fn what_is_held_outlives_the_client_and_keeps_nobody() {
        let easel = easel();
        let held = easel.hold(1).unwrap();
        easel.close();
        assert!(easel.paint().is_none());
        drop(easel);
        assert_eq!(held.image().map(|image| image.size()), Some(Size::new(10, 10)));
    }
}
