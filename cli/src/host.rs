//! A source handed to a server, and the server's input handed back: what a hypervisor does.

use std::time::Duration;

use lightbox_codec::geom::Rect;
use lightbox_codec::pixel::PixelFormat;
use lightbox_protocol::Time;
use lightbox_server::input::Action;
use lightbox_server::{AccessUnit, Colour, Cursor, Damage, Event, Output, Server};

use crate::encoder::Encode;
use crate::source::{Change, Source};
use crate::{Failure, usage};

/// A desktop with one output, fed by a source.
pub struct Host {
    source: Box<dyn Source>,
    output: Output,
    encoder: Option<Box<dyn Encode>>,
    wants_key: bool,
    changes: Vec<Change>,
    /// Frames submitted.
    pub frames: u64,
    /// When the newest frame was taken.
    pub last_frame: Time,
    /// CPU time spent handing frames to the server.
    pub submit_seconds: f64,
    ended: bool,
}

impl Host {
    /// Plugs an output for `source` into `server`.
    ///
    /// # Errors
    /// The source's picture has a size that no output takes.
    pub fn new(server: &Server, source: Box<dyn Source>) -> Result<Self, Failure> {
        let image = source.image();
        let output = server.add_output(image.size(), image.format())?;
        output.submit(image, Damage::Unknown)?;
        Ok(Self {
            source,
            output,
            encoder: None,
            wants_key: true,
            changes: Vec::new(),
            frames: 0,
            last_frame: Time(0),
            submit_seconds: 0.0,
            ended: false,
        })
    }

    /// From now on what it shows goes to the server as this encoder has it, too.
    pub fn set_encoder(&mut self, encoder: Box<dyn Encode>) {
        (self.encoder, self.wants_key) = (Some(encoder), true);
    }

    /// Passes on what the source does within `wait`, and what the people at the clients did. `told` hears of every
    /// other event of the server.
    ///
    /// # Errors
    /// The source cannot go on.
    pub fn turn(
        &mut self,
        server: &Server,
        wait: Duration,
        mut told: impl FnMut(Event),
    ) -> Result<(), Failure> {
        while let Some(event) = server.events().try_next() {
            match event {
                Event::Input { action, .. } => self.input(&action)?,
                Event::WantLayout { layout, .. } => {
                    if let Some(first) = layout.outputs.first() {
                        self.source.want_size(first.size)?;
                    }
                }
                Event::WantKeyFrame { .. } => self.wants_key = true,
                other => told(other),
            }
        }
        self.source.poll(wait, &mut self.changes)?;
        for change in std::mem::take(&mut self.changes) {
            self.change(server, change)?;
        }
        Ok(())
    }

    /// True once the source has nothing more.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// The picture as it is now.
    pub fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// The output that shows it.
    pub fn output(&self) -> &Output {
        &self.output
    }

    fn submit(&mut self, rects: &[Rect], at: Time) -> Result<(), Failure> {
        let (image, damage) = (self.source.image(), Damage::Rects(rects));
        match &mut self.encoder {
            Some(encoder) if image.format() == PixelFormat::Bgrx8 => {
                let (bytes, key) = encoder.encode(image, std::mem::take(&mut self.wants_key))?;
                let (codec, rect, colour) = (encoder.codec(), image.size().rect(), Colour::default());
                let unit = AccessUnit { codec, key, rect, colour, bytes: &bytes };
                self.output.submit_coded_at(image, damage, &unit, at)?;
            }
            _ => drop(self.output.submit_at(image, damage, at)?),
        }
        Ok(())
    }

    fn input(&mut self, action: &Action) -> Result<(), Failure> {
        self.source.input(action)?;
        Ok(())
    }

    fn change(&mut self, server: &Server, change: Change) -> Result<(), Failure> {
        match change {
            Change::Damage { rects, at } => {
                let start = usage::own_cpu_seconds();
                self.submit(&rects, at)?;
                self.submit_seconds += usage::own_cpu_seconds() - start;
                self.frames += 1;
                self.last_frame = at;
            }
            Change::Resized(size) => {
                self.output.resize(size, PixelFormat::Bgrx8)?;
                self.wants_key = true;
                self.output.submit(self.source.image(), Damage::Unknown)?;
            }
            Change::Cursor(shape) => {
                let crate::source::CursorShape { size, hotspot, bgra } = shape;
                self.output.set_cursor(Cursor { size, hotspot, bgra })?;
            }
            Change::CursorAt { at, visible } => self.output.move_cursor(at, visible),
            Change::Leds(locks) => server.set_leds(locks),
            Change::Ended => self.ended = true,
        }
        Ok(())
    }
}
