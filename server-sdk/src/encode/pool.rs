//! Coding rects, on this thread or on several.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use lightbox_codec::geom::Rect;
use lightbox_codec::lossless::{Encoder, Method};
use lightbox_codec::pixel::{Image, ImageRef};

use super::boxes::CodedBox;

/// Below this many pixels handing work to other threads costs more than it saves.
const WORTH_SHARING: u64 = 128 * 128;

/// A coded rect.
#[derive(Debug)]
pub(crate) struct Coded {
    pub(crate) rect: Rect,
    pub(crate) method: Method,
    pub(crate) data: Bytes,
}

/// Encoders: one here, and one in each worker.
pub struct Pool {
    encoder: Box<Encoder>,
    scratch: Vec<u8>,
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
    rect: Rect,
    pixels: Image,
    done: Sender<(usize, Coded)>,
}

impl Pool {
    /// With `workers` threads beside the caller's; with none everything is coded by the caller.
    pub fn new(workers: usize) -> Self {
        Self {
            encoder: Box::new(Encoder::new()),
            scratch: Vec::new(),
            workers: (workers > 0).then(|| Workers::start(workers)),
        }
    }

    /// Codes the `boxes` of `image`, in their order.
    pub(crate) fn encode(&mut self, image: ImageRef<'_>, boxes: &[CodedBox]) -> Vec<Coded> {
        let area: u64 = boxes.iter().map(|b| b.rect.area()).sum();
        let share = area >= WORTH_SHARING && boxes.len() > 1;
        let workers = if share { self.workers.take() } else { None };
        let Some(workers) = workers else {
            return boxes.iter().map(|b| self.encode_here(image, b)).collect();
        };
        let mut coded: Vec<Option<Coded>> = boxes.iter().map(|_| None).collect();
        let (done, results) = channel();
        for (index, b) in boxes.iter().enumerate() {
            // Every second rect stays here, so that this thread is never idle; plain ones are rare and quick.
            let pixels = (index % 2 == 0 && !b.plain).then(|| copy_of(image, b.rect)).flatten();
            if let Some(pixels) = pixels {
                // Where nobody takes it, it is coded below.
                let _ = workers.jobs.send(Job { index, rect: b.rect, pixels, done: done.clone() });
            }
        }
        for (index, b) in boxes.iter().enumerate().filter(|(i, b)| i % 2 == 1 || b.plain) {
            coded[index] = Some(self.encode_here(image, b));
        }
        // Ends when every job was done or dropped, by a worker that died too.
        drop(done);
        for (index, one) in results {
            coded[index] = Some(one);
        }
        self.workers = Some(workers);
        // A worker that died leaves its rects to this thread.
        let all = coded.into_iter().zip(boxes);
        all.map(|(one, b)| one.unwrap_or_else(|| self.encode_here(image, b))).collect()
    }

    fn encode_here(&mut self, image: ImageRef<'_>, b: &CodedBox) -> Coded {
        self.scratch.clear();
        let mut method = Method::Raw;
        if let Some(part) = image.crop(b.rect) {
            if b.plain {
                self.encoder.encode_plain(part, &mut self.scratch);
            } else {
                method = self.encoder.encode(part, &mut self.scratch);
            }
        }
        Coded { rect: b.rect, method, data: Bytes::copy_from_slice(&self.scratch) }
    }
}

impl Workers {
    fn start(count: usize) -> Self {
        let (jobs, queue) = channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let start = |i| {
            let queue = queue.clone();
            let work = move || {
                let mut encoder = Encoder::new();
                let mut out = Vec::new();
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    out.clear();
                    let method = encoder.encode(job.pixels.as_ref(), &mut out);
                    let data = Bytes::copy_from_slice(&out);
                    // Nobody waits any more where the pool was dropped.
                    let _ = job.done.send((job.index, Coded { rect: job.rect, method, data }));
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

fn copy_of(image: ImageRef<'_>, rect: Rect) -> Option<Image> {
    let part = image.crop(rect)?;
    let mut copy = Image::new(rect.size(), image.format()).ok()?;
    copy.as_mut().copy_from(part);
    Some(copy)
}
