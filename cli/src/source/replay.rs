//! A recorded screen, played again: the same damage at the same pace, for benches and demonstrations.

mod read;

use std::path::Path;
use std::time::Duration;

use lightbox_codec::geom::Rect;
use lightbox_codec::pixel::{ImageMut, ImageRef, PixelFormat};
use lightbox_net::clock;
use lightbox_protocol::Time;
use lightbox_protocol::msg::input::Action;

pub(crate) use read::bgr;
pub use read::{Frame, Frames, Header, Recording, ReplayError};

use super::{Change, Source, SourceError};
use crate::counter;

/// How a recording is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayOptions {
    /// When the next frame comes.
    pub pace: Pace,
    /// Begins again after the last frame, without end.
    pub looped: bool,
    /// Draws the number of frames so far over [`counter::AREA`], which is then part of each frame's damage.
    pub counter: bool,
    /// How long the first frame stands before the recording's clock starts, so that a client can join.
    pub hold: Duration,
    /// Decodes everything before it starts, so that playing costs no more than a copy. Takes the memory of all
    /// frames, at most 1 GiB.
    pub preload: bool,
}

/// When the next frame of a recording comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// When it was recorded. A late frame comes at once; none is left out.
    #[default]
    Recorded,
    /// With each `poll`.
    AsAsked,
}

/// Plays a [`Recording`]: each `poll` gives at most one frame. Ignores all input.
pub struct ReplaySource {
    recording: Recording,
    options: ReplayOptions,
    supply: Supply,
    /// Decoded while there is time, so that it can be shown at once when it is due.
    ahead: Option<Frame>,
    pixels: Vec<u8>,
    shown: u64,
    /// What the recording's own time 0 is on the clock, in this round; none before the first frame.
    origin: Option<Time>,
    last: Duration,
    ended: bool,
}

impl ReplaySource {
    /// Makes `recording` ready: its first frame comes with the first `poll`.
    pub fn new(recording: Recording, options: ReplayOptions) -> Result<Self, ReplayError> {
        let mut supply = if options.preload {
            Supply::Loaded { frames: load(&recording)?, next: 0 }
        } else {
            Supply::Decoding(recording.frames()?)
        };
        let ahead = supply.next()?;
        let pixels = [0, 0, 0, 0xFF].repeat(recording.header().size.area() as usize);
        let (shown, origin, last) = (0, None, Duration::ZERO);
        Ok(Self { recording, options, supply, ahead, pixels, shown, origin, last, ended: false })
    }

    /// Opens the file at `path` and makes it ready.
    pub fn open(path: &Path, options: ReplayOptions) -> Result<Self, ReplayError> {
        Self::new(Recording::open(path)?, options)
    }

    /// What the recording says of itself.
    pub fn header(&self) -> &Header {
        self.recording.header()
    }

    /// How many frames were shown. The counter in the picture is its lowest 16 bits: the first frame is 1.
    pub fn shown(&self) -> u64 {
        self.shown
    }

    /// When the frame ahead is due; `None` if that is at once.
    fn due(&self) -> Option<Time> {
        match (self.options.pace, self.origin, &self.ahead) {
            (Pace::Recorded, Some(origin), Some(frame)) => Some(origin + frame.at),
            _ => None,
        }
    }

    fn show(&mut self, frame: &Frame, now: Time) -> Change {
        self.shown += 1;
        self.last = frame.at;
        if self.origin.is_none() {
            self.origin = Some(now + self.options.hold);
        }
        let size = self.recording.header().size;
        let mut image = ImageMut::new(&mut self.pixels, size, size.w as usize * 4, PixelFormat::Bgrx8)
            .expect("the picture was made for the header's size");
        frame.paint(&mut image);
        let mut rects = frame.rects.clone();
        if self.options.counter && counter::draw(&mut image, self.shown as u16) {
            add_counter(&mut rects);
        }
        Change::Damage { rects, at: now }
    }

    /// Decodes the next frame, or the first one of the next round.
    fn look_ahead(&mut self) -> Result<(), ReplayError> {
        self.ahead = self.supply.next()?;
        if self.ahead.is_none() && self.options.looped {
            self.supply.rewind(&self.recording)?;
            self.ahead = self.supply.next()?;
            self.origin = self.origin.map(|origin| origin + self.last + ROUND_GAP);
        }
        Ok(())
    }
}

impl Source for ReplaySource {
    fn poll(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), SourceError> {
        if self.ahead.is_none() {
            if self.ended {
                std::thread::sleep(wait);
            } else {
                self.ended = true;
                changes.push(Change::Ended);
            }
            return Ok(());
        }
        if let Some(due) = self.due() {
            let early = due.since(clock::now());
            std::thread::sleep(early.min(wait));
            if early > wait {
                return Ok(());
            }
        }
        if let Some(frame) = self.ahead.take() {
            // The time is taken before the pixels change, as the latency of a capture counts from there.
            let change = self.show(&frame, clock::now());
            changes.push(change);
        }
        self.look_ahead().map_err(|e| SourceError(e.to_string()))
    }

    fn image(&self) -> ImageRef<'_> {
        let size = self.recording.header().size;
        ImageRef::new(&self.pixels, size, size.w as usize * 4, PixelFormat::Bgrx8)
            .expect("the picture was made for the header's size")
    }

    fn input(&mut self, _action: &Action) -> Result<(), SourceError> {
        Ok(())
    }
}

/// Where frames come from.
enum Supply {
    Decoding(Frames),
    Loaded { frames: Vec<Frame>, next: usize },
}

impl Supply {
    fn next(&mut self) -> Result<Option<Frame>, ReplayError> {
        match self {
            Supply::Decoding(frames) => frames.next().transpose(),
            Supply::Loaded { frames, next } => {
                let frame = frames.get(*next).cloned();
                *next += 1;
                Ok(frame)
            }
        }
    }

    fn rewind(&mut self, recording: &Recording) -> Result<(), ReplayError> {
        match self {
            Supply::Decoding(frames) => *frames = recording.frames()?,
            Supply::Loaded { next, .. } => *next = 0,
        }
        Ok(())
    }
}

fn load(recording: &Recording) -> Result<Vec<Frame>, ReplayError> {
    let mut left = MAX_PRELOAD;
    let mut frames = Vec::new();
    for frame in recording.frames()? {
        let frame = frame?;
        left = left
            .checked_sub(frame.pixels.len() + frame.rects.len() * size_of::<Rect>() + size_of::<Frame>())
            .ok_or(ReplayError::Preload { limit: MAX_PRELOAD as u64 })?;
        frames.push(frame);
    }
    Ok(frames)
}

/// Adds the counter's place unless a rect holds it already.
fn add_counter(rects: &mut Vec<Rect>) {
    if !rects.iter().any(|r| r.contains(counter::AREA)) {
        rects.push(counter::AREA);
    }
}

/// The most memory that decoded frames may take.
const MAX_PRELOAD: usize = 1 << 30;
/// Between the last frame of a round and the first of the next: one step of the 30 Hz recorder.
const ROUND_GAP: Duration = Duration::from_micros(33_333);

#[cfg(test)]
mod tests;
