//! A reading room that exists only as software: the desktop that demonstrations and benches show.
//!
//! Everything in it is a function of a seed and the time, plus what input did. Each step works out the state of the
//! room (`script`), paints the panes whose state changed, and reports tight rects around what is different.

mod canvas;
mod cursor;
mod damage;
mod furniture;
mod hands;
mod keys;
mod layout;
mod people;
mod report;
mod script;
mod stack;
mod text;
mod theme;
mod viewer;
mod viewers;

use std::time::Duration;

use lightbox_codec::geom::{MAX_SIDE, Point, Rect, Size};
use lightbox_codec::pixel::ImageRef;
use lightbox_net::clock;
use lightbox_protocol::Time;
use lightbox_protocol::msg::input::Action;

use super::{Change, Source, SourceError};
use canvas::Canvas;
use cursor::Pointer;
use furniture::{FLOATING, FLOATING_TITLE};
use hands::{Hands, Room};
use layout::Layout;
use people::{Listing, People};
use report::{Prior, Writing};
use script::{Moment, Stage};
pub use stack::{Gray, Images, Window};
use stack::{Light, Phantom};
use text::Fonts;
pub use viewer::StackViewer;
use viewers::{Beat, Echo, Slice};

/// What a scene is made of.
pub struct SceneConfig {
    /// Columns and rows of the desktop, from 800x560 on. Default 1920x1080.
    pub size: Size,
    /// Chooses names, anatomy, noise and the course of the work. Default 1.
    pub seed: u64,
    /// Steps in a second, 1 to 240. Default 30. What happens when does not depend on it.
    pub fps: u32,
    /// Shown instead of the generated body.
    pub stack: Option<Box<dyn Images>>,
}

impl Default for SceneConfig {
    fn default() -> Self {
        Self { size: Size::new(1920, 1080), seed: 1, fps: 30, stack: None }
    }
}

/// Why there is no such scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// Too small for the room's panes, or too large for an image.
    #[error("a scene of {w}x{h} pixels is not possible: choose from 800x560 to 16384x16384")]
    Size {
        /// Columns asked for.
        w: u32,
        /// Rows asked for.
        h: u32,
    },
    /// No step rate.
    #[error("{fps} steps a second are not possible: choose from 1 to 240")]
    Rate {
        /// Steps a second asked for.
        fps: u32,
    },
}

/// The reading room, live.
///
/// As a [`Source`] it follows the clock: its `poll` sleeps until something changes. [`SceneSource::frame_at`] shows
/// any step at once instead, for tests, benches and recordings.
pub struct SceneSource {
    fps: u32,
    seed: u64,
    layout: Layout,
    painter: Painter,
    front: Canvas,
    floating: Canvas,
    images: Box<dyn Images>,
    presets: Vec<Window>,
    light: Light,
    echo: Echo,
    people: People,
    prior: Prior,
    hands: Hands,
    shown: Option<Shown>,
    /// The step and the time of the last input: the pointer is the person's for a while after it.
    step: u64,
    touched_at: Option<u64>,
    origin: Option<Time>,
    pending: bool,
}

/// The state that the picture shows.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    clock: u32,
    round: u32,
    listing: Listing,
    scroll: u32,
    slice: Slice,
    beat: Beat,
    writing: Writing,
    floating: Point,
    pointer: Point,
    shape: Pointer,
}

impl SceneSource {
    /// Furnishes the room; nothing is shown before the first step.
    pub fn new(config: SceneConfig) -> Result<Self, SceneError> {
        let SceneConfig { size, seed, fps, stack } = config;
        let Size { w, h } = size;
        if w < layout::MIN.w || h < layout::MIN.h || w > MAX_SIDE || h > MAX_SIDE {
            return Err(SceneError::Size { w, h });
        }
        if !(1..=240).contains(&fps) {
            return Err(SceneError::Rate { fps });
        }
        let layout = Layout::of(size);
        let images = stack.unwrap_or_else(|| Box::new(Phantom::new(seed)));
        let mut painter = Painter { canvas: Canvas::new(size, theme::DESKTOP), fonts: Fonts::new() };
        Ok(Self {
            fps,
            seed,
            front: Canvas::new(size, theme::DESKTOP),
            floating: furniture::floating(&mut painter.fonts),
            presets: images.presets(),
            images,
            light: Light::default(),
            echo: Echo::new(seed, layout.cine),
            people: People::new(seed),
            prior: Prior::new(&mut painter, layout.prior),
            hands: Hands::default(),
            shown: None,
            step: 0,
            touched_at: None,
            origin: None,
            pending: false,
            layout,
            painter,
        })
    }

    /// Shows step `step` (the scene's time is `step / fps` seconds) and appends what changed since the last one
    /// shown, as damage at `at`. Steps may be left out or go back.
    ///
    /// The first call reports the whole picture and the cursor.
    pub fn frame_at(&mut self, step: u64, at: Time, changes: &mut Vec<Change>) {
        self.step = step;
        let next = self.state(step);
        let last = self.shown.replace(next.clone());
        let damage = self.paint(last.as_ref(), &next);
        if !damage.is_empty() {
            changes.push(Change::Damage { rects: damage, at });
        }
        if last.as_ref().map(|s| s.shape) != Some(next.shape) {
            changes.push(Change::Cursor(next.shape.shape()));
        }
        if last.as_ref().map(|s| s.pointer) != Some(next.pointer) {
            changes.push(Change::CursorAt { at: next.pointer, visible: true });
        }
    }

    /// The step that is shown.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// What was typed into the report's addendum so far.
    pub fn typed(&self) -> &str {
        &self.hands.text
    }

    /// What is to be seen at a step: the script, and on top of it what hands did.
    fn state(&self, step: u64) -> Shown {
        let layout = &self.layout;
        let scroll_end = self.prior.scroll_end(layout.prior);
        let count = self.images.count();
        let stage = Stage {
            seed: self.seed,
            layout,
            slices: count,
            presets: &self.presets,
            scroll_end,
            floating: FLOATING.rect().at(self.start()),
        };
        let moment = Moment::at(&stage, step.saturating_mul(1000) / u64::from(self.fps));
        let hands = &self.hands;
        let window = Window {
            center: moment.window.center + hands.window.0,
            width: (moment.window.width + hands.window.1).max(1.0),
        };
        let move_by = |at: u32, by: i32, end: u32| at.saturating_add_signed(by).min(end);
        let floating = Point::new(
            move_by(moment.floating.x, hands.floating.0, layout.screen.w - FLOATING.w),
            move_by(moment.floating.y, hands.floating.1, layout.screen.h - FLOATING.h),
        );
        let theirs =
            self.touched_at.is_some_and(|at| step.saturating_sub(at) < HANDS_OFF * u64::from(self.fps));
        let pointer = hands.pointer.filter(|_| theirs).unwrap_or(moment.pointer);
        Shown {
            clock: moment.clock,
            round: moment.round,
            listing: Listing {
                round: moment.round,
                minute: moment.clock / 60,
                selected: hands.row.unwrap_or(moment.round % 9),
            },
            scroll: move_by(moment.scroll, hands.scroll, scroll_end),
            slice: Slice { index: move_by(moment.slice, hands.slices, count.saturating_sub(1)), window },
            beat: Beat { frame: moment.frame, playing: moment.playing },
            writing: Writing {
                round: moment.round,
                typed: moment.typed,
                caret: moment.caret,
                addendum: hands.text.clone(),
            },
            floating,
            pointer,
            shape: self.shape_at(pointer, floating),
        }
    }

    /// Where the floating window is at first.
    fn start(&self) -> Point {
        let list = self.layout.list;
        let right = self.layout.screen.w - FLOATING.w;
        let bottom = self.layout.screen.h - FLOATING.h;
        Point::new(list.right().saturating_sub(300).min(right), (list.bottom() - 90).min(bottom))
    }

    fn shape_at(&self, at: Point, floating: Point) -> Pointer {
        let over = |r: Rect| Layout::inside(r).contains_point(at);
        if FLOATING.rect().at(floating).contains_point(at) {
            Pointer::Arrow
        } else if over(self.layout.editor) {
            Pointer::Text
        } else if over(self.layout.list) {
            Pointer::Hand
        } else if over(self.layout.stack) {
            Pointer::Cross
        } else {
            Pointer::Arrow
        }
    }

    /// Paints what differs between two states, and says where the picture changed.
    fn paint(&mut self, last: Option<&Shown>, next: &Shown) -> Vec<Rect> {
        let layout = self.layout;
        let painter = &mut self.painter;
        let mut touched = Vec::new();
        if last.map(|s| s.clock) != Some(next.clock) {
            furniture::paint_top(painter, layout.top, next.clock);
            touched.push(layout.top);
        }
        if last.map(|s| s.round) != Some(next.round) {
            furniture::paint_status(painter, layout.status, next.round);
            touched.push(layout.status);
        }
        if last.map(|s| s.listing) != Some(next.listing) {
            self.people.paint(painter, layout.list, next.listing);
            touched.push(layout.list);
        }
        if last.map(|s| s.scroll) != Some(next.scroll) {
            self.prior.paint(painter, layout.prior, next.scroll);
            touched.push(layout.prior);
        }
        if last.map(|s| s.slice) != Some(next.slice) {
            viewers::paint_stack(painter, &mut self.light, layout.stack, &mut *self.images, next.slice);
            touched.push(layout.stack);
        }
        if last.map(|s| s.beat) != Some(next.beat) {
            self.echo.paint(painter, layout.cine, next.beat);
            touched.push(layout.cine);
        }
        if last.map(|s| &s.writing) != Some(&next.writing) {
            report::paint_editor(painter, layout.editor, &next.writing);
            touched.push(layout.editor);
        }
        let Some(last) = last else {
            touched = vec![layout.screen.rect()];
            self.compose(&touched, next.floating);
            return touched;
        };
        if last.floating != next.floating {
            touched.extend([last.floating, next.floating].map(|at| FLOATING.rect().at(at)));
        }
        self.compose(&touched, next.floating)
    }

    fn compose(&mut self, touched: &[Rect], floating: Point) -> Vec<Rect> {
        let mut damage = Vec::new();
        let window = Some((&self.floating, floating));
        for rect in touched {
            damage::compose(&mut self.front, &self.painter.canvas, window, *rect, &mut damage);
        }
        damage
    }

    fn period(&self, steps: u64) -> Duration {
        Duration::from_micros(steps.saturating_mul(1_000_000) / u64::from(self.fps))
    }
}

impl Source for SceneSource {
    fn poll(&mut self, wait: Duration, changes: &mut Vec<Change>) -> Result<(), SourceError> {
        let end = clock::now() + wait;
        let origin = *self.origin.get_or_insert_with(clock::now);
        let before = changes.len();
        loop {
            let now = clock::now();
            let due = origin + self.period(self.step + 1);
            if self.shown.is_some() && !self.pending && now < due {
                let until = due.min(end);
                std::thread::sleep(until.since(now));
                if until < due {
                    return Ok(());
                }
            }
            // A step that came too late to be shown is left out: the room does not wait for its viewers.
            let step = clock::now().since(origin).as_micros() as u64 * u64::from(self.fps) / 1_000_000;
            self.pending = false;
            self.frame_at(step.max(self.step), clock::now(), changes);
            if changes.len() > before {
                return Ok(());
            }
        }
    }

    fn image(&self) -> ImageRef<'_> {
        self.front.image()
    }

    fn input(&mut self, action: &Action) -> Result<(), SourceError> {
        let state = self.state(self.step);
        let list = self.layout.list;
        let widest = self.presets.first().map_or(400.0, |w| w.width);
        let room = Room {
            layout: &self.layout,
            pointer: state.pointer,
            title: Rect { h: FLOATING_TITLE, ..FLOATING.rect().at(state.floating) },
            row_at: &|y| People::row_at(list, y),
            speed: (widest / 300.0).max(0.01),
        };
        self.hands.act(action, &room);
        if self.hands.pointer.is_some() {
            self.touched_at = Some(self.step);
        }
        self.pending = true;
        Ok(())
    }
}

/// A canvas and the fonts to write on it with.
pub(crate) struct Painter {
    canvas: Canvas,
    fonts: Fonts,
}

impl Painter {
    fn parts(&mut self) -> (&mut Canvas, &mut Fonts) {
        (&mut self.canvas, &mut self.fonts)
    }

    /// A pane's border and title; what is inside is left to the pane.
    fn pane(&mut self, pane: Rect, title: &str, note: &str) {
        let (canvas, fonts) = self.parts();
        canvas.clip_to(pane);
        canvas.fill(Rect { h: layout::PANE_TITLE, ..pane }, theme::HEADER);
        let baseline = pane.y as i32 + 17;
        let end = fonts.draw(canvas, pane.x as i32 + 10, baseline, title, theme::TITLE);
        let room = pane.right() as i32 - 10 - end;
        if fonts.width(note, theme::NOTE) < (room - 12) as f32 {
            fonts.draw_right(canvas, pane.right() as i32 - 10, baseline, note, theme::NOTE);
        }
        canvas.frame(pane, theme::LINE);
        canvas.unclip();
    }
}

/// How many seconds after an input the pointer stays where the person put it.
const HANDS_OFF: u64 = 5;

#[cfg(test)]
mod tests;
