//! A client without a window: what arrives is counted, timed, and kept for the end.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use lightbox_client::{Client, Close, Event};
use lightbox_codec::pixel::Image;
use lightbox_net::clock;
use serde_json::{Value, json};

use crate::report::{Latencies, round3, techniques_json};
use crate::{Failure, counter, usage};

/// What a client saw.
pub struct Watch {
    /// The client.
    pub client: Client,
    /// From capture to painted, of every frame.
    pub latencies: Latencies,
    /// Frames painted.
    pub frames: u64,
    /// When the first was, and the last.
    pub span: Option<(Instant, Instant)>,
    /// Each counter value read from the picture and when, in microseconds of the monotonic clock.
    pub counters: Vec<(u16, u64)>,
    /// The surface of the first output.
    pub surface: Option<u32>,
    /// Why it ended, once it has.
    pub ended: Option<Close>,
    connected: bool,
    reads_counter: bool,
    counter_log: Option<BufWriter<File>>,
}

impl Watch {
    /// Watches `client`.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            latencies: Latencies::default(),
            frames: 0,
            span: None,
            counters: Vec::new(),
            surface: None,
            ended: None,
            connected: false,
            reads_counter: false,
            counter_log: None,
        }
    }

    /// Reads the counter in the picture's corner after each update and keeps its values.
    pub fn read_counter(mut self) -> Self {
        self.reads_counter = true;
        self
    }

    /// The same, and writes each new value with its time to `path`.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn log_counter(mut self, path: &Path) -> Result<Self, Failure> {
        self.counter_log = Some(BufWriter::new(File::create(path)?));
        Ok(self.read_counter())
    }

    /// Handles events until `deadline`, or until `done` says so after one or after 10 ms without any.
    ///
    /// # Errors
    /// The counter log cannot be written.
    pub fn run(&mut self, deadline: Instant, mut done: impl FnMut(&Self) -> bool) -> Result<(), Failure> {
        while self.ended.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            if let Some(event) = self.client.events().next_within(left.min(Duration::from_millis(10))) {
                self.handle(event)?;
            }
            if done(self) {
                break;
            }
        }
        if let Some(log) = &mut self.counter_log {
            log.flush()?;
        }
        Ok(())
    }

    /// True while every tile is verified and the lease lives.
    pub fn is_exact(&self) -> bool {
        self.client.counts().all_verified()
    }

    /// A copy of what the first output shows.
    pub fn picture(&self) -> Option<Image> {
        self.client.with_surface(self.surface?, |image| image.into())
    }

    /// Frames a second between the first and the last.
    pub fn fps(&self) -> f64 {
        let seconds = self.span.map_or(0.0, |(first, last)| (last - first).as_secs_f64());
        if seconds > 0.0 { self.frames.saturating_sub(1) as f64 / seconds } else { 0.0 }
    }

    /// The one object that `view --json` ends with.
    pub fn json(&self) -> Value {
        let (stats, counts) = (self.client.stats(), self.client.counts());
        json!({
            "frames_shown": self.frames,
            "fps": round3(self.fps()),
            "latency_ms": self.latencies.json(),
            "wire_bytes": stats.wire_bytes,
            "tiles_total": counts.total,
            "tiles_verified": counts.verified,
            "tiles_refining": counts.refining,
            "max_error": counts.max_error,
            "exact": counts.all_verified(),
            "codecs": techniques_json(&stats.techniques),
            "cpu_seconds": round3(usage::cpu_seconds()),
            "peak_rss_bytes": usage::peak_rss_bytes(),
        })
    }

    /// True while the server is there.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Takes an event that was read from the client.
    ///
    /// # Errors
    /// The counter log cannot be written.
    pub fn handle(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Connected { .. } => self.connected = true,
            Event::Lost(_) => self.connected = false,
            Event::Updated { surface, age, .. } => {
                let now = Instant::now();
                self.frames += 1;
                self.span = Some((self.span.map_or(now, |(first, _)| first), now));
                self.latencies.add(age.unwrap_or_default());
                if self.reads_counter && Some(surface) == self.surface {
                    self.count(surface)?;
                }
            }
            Event::Layout(layout) => self.surface = layout.outputs.first().map(|o| o.surface),
            Event::Ended(why) => self.ended = Some(why),
            _ => (),
        }
        Ok(())
    }

    fn count(&mut self, surface: u32) -> Result<(), Failure> {
        let value = self.client.with_surface(surface, counter::read).flatten();
        let Some(value) = value.filter(|v| self.counters.last().is_none_or(|(last, _)| last != v)) else {
            return Ok(());
        };
        let at = clock::now().micros();
        self.counters.push((value, at));
        if let Some(log) = &mut self.counter_log {
            // One line at a time: whoever ends this program by a signal still finds it.
            writeln!(log, "{value} {at}")?;
            log.flush()?;
        }
        Ok(())
    }
}

/// Writes the samples of `image`, row by row, as they are in memory.
///
/// # Errors
/// The file cannot be written.
pub fn write_raw(path: &Path, image: &Image) -> Result<(), Failure> {
    std::fs::write(path, image.bytes())?;
    Ok(())
}
