//! What paints: one queue, in order, so that a digest is taken of exactly what was painted before it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use lightbox_net::clock;
use lightbox_net::driver::Shared;
use lightbox_net::runtime::Runtime;
use lightbox_protocol::channel::display::Paint;
use lightbox_protocol::digest::DigestContext;
use lightbox_protocol::exact::DueTile;
use lightbox_protocol::msg::control::{Close, Surface};
use lightbox_protocol::session::client::{ClientSession, Command};
use lightbox_protocol::wire::ids::close;
use tokio::sync::mpsc::Receiver;

use crate::client::lock;
use crate::easel::Easel;
use crate::event::{Event, Teller};
use crate::paint::Canvas;
use crate::stats::Stats;

/// Something for the painter to do.
#[derive(Debug)]
pub(crate) enum Job {
    Surface {
        surface: Surface,
        kept: bool,
    },
    SurfaceGone(u32),
    /// Forget all surfaces, slots and models.
    Clear,
    /// Forget all slots and models; so many cells and registers may be filled from now on.
    Agreed {
        slots: u64,
        models: u8,
    },
    Paint(Paint),
    Digest {
        context: DigestContext,
        tiles: Vec<DueTile>,
    },
}

/// The most rects an event tells of; where there are more, it tells of the whole surface. A frame may have 65,536, and
/// thousands of events may wait.
const MAX_RECTS: usize = 1_024;

pub(crate) struct Painter {
    pub(crate) runtime: Runtime,
    pub(crate) link: Arc<Shared<ClientSession>>,
    pub(crate) easel: Arc<Easel>,
    pub(crate) stats: Arc<Mutex<Stats>>,
    pub(crate) tell: Teller,
}

impl Painter {
    /// Works until nobody can have a job for it any more, or the client is over.
    pub(crate) async fn run(self, mut jobs: Receiver<Job>) {
        while let Some(job) = jobs.recv().await {
            if self.easel.paint(|canvas| self.work(job, canvas)).await.is_none() {
                return;
            }
            self.runtime.give_way().await;
        }
    }

    fn work(&self, job: Job, mut canvas: MutexGuard<'_, Canvas>) {
        match job {
            Job::Surface { surface, kept } => match self.easel.surface(canvas, &surface, kept) {
                Ok(()) => self.tell.tell(Event::Surface(surface)),
                Err(why) => self.link.command(Command::Close(Close::new(close::LIMIT, why))),
            },
            Job::SurfaceGone(id) => {
                let gone = canvas.take(id);
                drop(canvas);
                drop(gone);
                self.tell.tell(Event::SurfaceGone(id));
            }
            Job::Clear => {
                canvas.agree(0, 0);
                let gone = canvas.take_all();
                drop(canvas);
                drop(gone);
            }
            Job::Agreed { slots, models } => canvas.agree(slots, models),
            Job::Paint(paint) => self.paint(paint, canvas),
            Job::Digest { context, tiles } => {
                let tiles = canvas.digest(&context, &tiles);
                drop(canvas);
                let (surface, generation) = (context.surface, context.generation);
                self.link.command(Command::Digests { surface, generation, tiles });
            }
        }
    }

    fn paint(&self, paint: Paint, mut canvas: MutexGuard<'_, Canvas>) {
        let header = paint.frame.header;
        let (seq, surface) = (header.seq, paint.surface);
        let start = Instant::now();
        let outcome = canvas.paint(&paint);
        let techniques = canvas.used().clone();
        let whole = canvas.get(surface).map(|image| image.size().rect());
        drop(canvas);
        let took = start.elapsed();
        let tiles = outcome.is_ok().then_some(paint.tiles);
        self.link.command(Command::Painted { seq, surface, tiles, took });
        let at = clock::now();
        let capture_us = header.capture_us;
        let age = capture_us.and_then(|us| self.link.lock().lease().age(at, us));
        {
            let mut stats = lock(&self.stats);
            stats.techniques = techniques;
            stats.paint_us += took.as_micros() as u64;
            match &outcome {
                Ok(_) => stats.frames += 1,
                Err(_) => stats.failed += 1,
            }
        }
        match outcome {
            Ok(mut rects) => {
                if rects.len() > MAX_RECTS {
                    rects = whole.into_iter().collect();
                }
                self.tell.tell(Event::Updated { surface, rects, frame: seq, capture_us, at, age });
            }
            Err(error) => tracing::warn!(frame = seq, %error, "frame not painted; its tiles come again"),
        }
    }
}
