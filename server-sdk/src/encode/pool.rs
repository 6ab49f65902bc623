//! Coding rects, on this thread or on several.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use lightbox_codec::pixel::{Image, ImageRef};
use lightbox_codec::screen::scaled;

use super::boxes::{CodedBox, How};
use super::coder::{Coded, Coder};

/// Below this many pixels handing work to other threads costs more than it saves.
const WORTH_SHARING: u64 = 128 * 128;

/// Encoders: one here, and one in each worker.
pub struct Pool {
    coder: Coder,
    pub(super) scaled: scaled::Encoder,
    workers: Option<Workers>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let workers = self.workers.as_ref().map_or(0, |w| w.threads.len());
        f.debug_struct("Pool").field("workers", &workers).finish_non_exhaustive()
    }
}

struct Workers {
    /// Dropped first: the workers end when nobody can send any more.
    jobs: Sender<Job>,
    threads: Vec<JoinHandle<()>>,
}

struct Job {
    index: usize,
    what: CodedBox,
    pixels: Image,
    shown: Option<Image>,
    done: Sender<(usize, Coded)>,
}

impl Pool {
    /// With `workers` threads beside the caller's; with none everything is coded by the caller.
    pub fn new(workers: usize) -> Self {
        Self {
            coder: Coder::default(),
            scaled: scaled::Encoder::new(),
            workers: (workers > 0).then(|| Workers::start(workers)),
        }
    }

    /// Codes the `boxes` of `image`, in their order. Where the client shows exactly what `shown` has, and may decode what
    /// is told from it, it is.
    pub(crate) fn encode(
        &mut self,
        image: ImageRef<'_>,
        shown: Option<ImageRef<'_>>,
        boxes: &[CodedBox],
    ) -> Vec<Coded> {
        let area: u64 = boxes.iter().map(|b| b.rect.area()).sum();
        let share = area >= WORTH_SHARING && boxes.len() > 1;
        let workers = if share { self.workers.take() } else { None };
        let Some(workers) = workers else {
            return boxes.iter().filter_map(|b| self.encode_here(image, shown, b)).collect();
        };
        let mut coded: Vec<Option<Coded>> = boxes.iter().map(|_| None).collect();
        let (done, results) = channel();
        for (index, b) in boxes.iter().enumerate() {
            // Every second rect stays here, so that this thread is never idle; plain ones are rare and quick.
            let pixels = (!stays_here(index, b)).then(|| image.crop(b.rect).map(Image::from)).flatten();
            if let Some(pixels) = pixels {
                // Where nobody takes it, it is coded below.
                let shown = shown_in(shown, b).map(Image::from);
                let _ = workers.jobs.send(Job { index, what: *b, pixels, shown, done: done.clone() });
            }
        }
        for (index, b) in boxes.iter().enumerate().filter(|(i, b)| stays_here(*i, b)) {
            coded[index] = self.encode_here(image, shown, b);
        }
        // Ends when every job was done or dropped, by a worker that died too.
        drop(done);
        for (index, one) in results {
            coded[index] = Some(one);
        }
        self.workers = Some(workers);
        // A worker that died leaves its rects to this thread.
        let all = coded.into_iter().zip(boxes);
        all.filter_map(|(one, b)| one.or_else(|| self.encode_here(image, shown, b))).collect()
    }

    /// `None` for a box outside the image; there is none.
    fn encode_here(
        &mut self,
        image: ImageRef<'_>,
        shown: Option<ImageRef<'_>>,
        b: &CodedBox,
    ) -> Option<Coded> {
        image.crop(b.rect).map(|part| self.coder.code(part, shown_in(shown, b), *b))
    }
}

/// What the client shows in this box, where something may be told from it.
fn shown_in<'a>(shown: Option<ImageRef<'a>>, b: &CodedBox) -> Option<ImageRef<'a>> {
    shown.filter(|_| b.is_known && b.how == How::Exact)?.crop(b.rect)
}

fn stays_here(index: usize, b: &CodedBox) -> bool {
    index % 2 == 1 || b.how == How::Plain
}

impl Workers {
    fn start(count: usize) -> Self {
        let (jobs, queue) = channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let start = |i| {
            let queue = queue.clone();
            let work = move || {
                let mut coder = Coder::default();
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    let coded =
                        coder.code(job.pixels.as_ref(), job.shown.as_ref().map(Image::as_ref), job.what);
                    // Nobody waits any more where the pool was dropped.
                    let _ = job.done.send((job.index, coded));
                }
            };
            std::thread::Builder::new().name(format!("lbx-encode-{i}")).spawn(work)
        };
        // Without threads to be had everything is coded by the caller.
        Self { jobs, threads: (0..count).map_while(|i| start(i).ok()).collect() }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let (closed, _) = channel();
        self.jobs = closed;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
