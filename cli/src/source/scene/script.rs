//! What happens in the room: one reader's work in turns, as a pure function of the seed and the time.

use lightbox_codec::geom::{Point, Rect};

use super::layout::Layout;
use super::stack::Window;
use crate::source::phantom::{Random, smooth};

/// The state of the room at an instant, as far as the script decides it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment {
    /// How many rounds of work went before.
    pub(crate) round: u32,
    /// The clock on the wall, in seconds of the day.
    pub(crate) clock: u32,
    /// Characters of this round's sentence that are typed.
    pub(crate) typed: u32,
    /// Whether the caret shows.
    pub(crate) caret: bool,
    pub(crate) slice: u32,
    pub(crate) window: Window,
    /// The cine's frame, counted on without end.
    pub(crate) frame: u32,
    pub(crate) playing: bool,
    /// How far the earlier report is scrolled, in pixels.
    pub(crate) scroll: u32,
    /// Where the floating window's corner is.
    pub(crate) floating: Point,
    pub(crate) pointer: Point,
}

/// What the script must know of the room.
pub(crate) struct Stage<'a> {
    pub(crate) seed: u64,
    pub(crate) layout: &'a Layout,
    pub(crate) slices: u32,
    pub(crate) presets: &'a [Window],
    /// The furthest that the earlier report scrolls.
    pub(crate) scroll_end: u32,
    /// The floating window.
    pub(crate) floating: Rect,
}

#[derive(Clone, Copy, PartialEq)]
enum Act {
    Type,
    Scroll,
    Level,
    Play,
    Drag,
    Read,
    /// The pointer goes from the act before to the one after.
    Move,
    /// Nothing moves, and the picture settles.
    Rest,
}

/// A round: what is done, and for how many milliseconds.
const ROUND: [(Act, u64); 13] = [
    (Act::Type, 6500),
    (Act::Move, 900),
    (Act::Scroll, 5000),
    (Act::Rest, 1600),
    (Act::Level, 4000),
    (Act::Move, 1500),
    (Act::Play, 6000),
    (Act::Move, 1000),
    (Act::Drag, 4500),
    (Act::Move, 900),
    (Act::Read, 3600),
    (Act::Rest, 3500),
    (Act::Move, 1000),
];

impl Moment {
    /// The moment `millis` after the begin.
    pub(crate) fn at(stage: &Stage<'_>, millis: u64) -> Self {
        let length: u64 = ROUND.iter().map(|(_, ms)| ms).sum();
        let round = (millis / length) as u32;
        let within = millis % length;
        let progress = |act: Act| {
            let before: u64 = ROUND.iter().take_while(|(a, _)| *a != act).map(|(_, ms)| ms).sum();
            let (_, lasts) = ROUND.iter().find(|(a, _)| *a == act).copied().unwrap_or((act, 1));
            (within.saturating_sub(before) as f32 / lasts as f32).min(1.0)
        };
        let [before, after] = [round, round + 1].map(|round| Targets::of(stage, round));
        let play = progress(Act::Play);
        let typing = progress(Act::Type);
        Self {
            round,
            clock: (START_OF_WORK + millis / 1000).rem_euclid(86_400) as u32,
            typed: if typing < 1.0 { keys_until(stage.seed, round, within) } else { u32::MAX },
            caret: typing >= 1.0 || (within / 530).is_multiple_of(2),
            slice: slice(before.slice, after.slice, stage.slices, progress(Act::Scroll)),
            window: before.window.toward(after.window, smooth(0.0, 1.0, progress(Act::Level))),
            frame: round * PLAYED + (play * PLAYED as f32) as u32,
            playing: play > 0.0 && play < 1.0,
            scroll: scroll(before.scroll, after.scroll, progress(Act::Read)),
            floating: drag(before.floating, after.floating, progress(Act::Drag)),
            pointer: pointer(stage, &before, &after, within),
        }
    }
}

/// Where things are when a round begins.
struct Targets {
    slice: u32,
    window: Window,
    scroll: u32,
    floating: Point,
}

impl Targets {
    fn of(stage: &Stage<'_>, round: u32) -> Self {
        let mut random = Random::new(stage.seed, 0x5C21 + u64::from(round));
        let share = random.within(0.15, 0.85);
        let screen = stage.layout.screen;
        let free = |all: u32, taken: u32| all.saturating_sub(taken + 100);
        let (w, h) = (free(screen.w, stage.floating.w), free(screen.h, stage.floating.h));
        let floating = if round == 0 {
            stage.floating.origin()
        } else {
            Point::new(40 + random.below(w.max(1)), 60 + random.below(h.max(1)))
        };
        Self {
            slice: (share * stage.slices as f32) as u32,
            window: stage.presets[round as usize % stage.presets.len()],
            scroll: random.below(stage.scroll_end + 1) / SCROLL * SCROLL,
            floating,
        }
    }
}

/// Characters typed after `millis`: a key every 80 to 150 ms, with a hesitation now and then.
fn keys_until(seed: u64, round: u32, millis: u64) -> u32 {
    let mut random = Random::new(seed, 0x7E0 + u64::from(round));
    let (mut time, mut keys) = (250, 0);
    while time <= millis {
        time += 80 + u64::from(random.below(70)) + if random.below(14) == 0 { 260 } else { 0 };
        keys += 1;
    }
    keys
}

/// First far away to one end of the stack, then back to where the next round begins.
fn slice(from: u32, to: u32, count: u32, progress: f32) -> u32 {
    let far = if from < count / 2 { count.saturating_sub(count / 8) } else { count / 8 } as f32;
    let (from, to) = (from as f32, to as f32);
    let at = match progress {
        p if p < 0.6 => from + (far - from) * smooth(0.0, 0.6, p),
        p => far + (to - far) * smooth(0.6, 1.0, p),
    };
    (at.round() as u32).min(count.saturating_sub(1))
}

fn scroll(from: u32, to: u32, progress: f32) -> u32 {
    let at = from as f32 + (to as f32 - from as f32) * smooth(0.0, 1.0, progress);
    at as u32 / SCROLL * SCROLL
}

/// A curve, as a hand draws it.
fn drag(from: Point, to: Point, progress: f32) -> Point {
    let share = smooth(0.0, 1.0, progress);
    let bow = (share * std::f32::consts::PI).sin() * 60.0;
    let mix = |a: u32, b: u32, off: f32| (a as f32 + (b as f32 - a as f32) * share + off).max(0.0) as u32;
    Point::new(mix(from.x, to.x, 0.0), mix(from.y, to.y, bow).max(40))
}

fn pointer(stage: &Stage<'_>, before: &Targets, after: &Targets, within: u64) -> Point {
    let mut begin = 0;
    for (i, (act, lasts)) in ROUND.iter().enumerate() {
        if within < begin + lasts {
            let progress = (within - begin) as f32 / *lasts as f32;
            return match act {
                Act::Move | Act::Rest => {
                    let doing = |j: usize| ROUND[j % ROUND.len()].0;
                    let next = (i + 1..).map(doing).find(|a| !matches!(a, Act::Move | Act::Rest));
                    let last = (0..i).rev().map(doing).find(|a| !matches!(a, Act::Move | Act::Rest));
                    let from = place(stage, before, after, last.unwrap_or(Act::Read), 1.0);
                    // A rest that a move follows stands still; any other one is the way itself.
                    let waits = *act == Act::Rest && doing(i + 1) == Act::Move;
                    let went =
                        *act == Act::Move && i > 0 && doing(i - 1) == Act::Rest && i + 1 == ROUND.len();
                    let to = place(
                        stage,
                        if went { after } else { before },
                        after,
                        next.unwrap_or(Act::Type),
                        0.0,
                    );
                    if waits { from } else { between(from, to, smooth(0.0, 1.0, progress)) }
                }
                act => place(stage, before, after, *act, progress),
            };
        }
        begin += lasts;
    }
    stage.layout.editor.origin()
}

/// Where the pointer is while something is done.
fn place(stage: &Stage<'_>, before: &Targets, after: &Targets, act: Act, progress: f32) -> Point {
    let layout = stage.layout;
    let inside =
        |r: Rect, x: f32, y: f32| Point::new(r.x + (r.w as f32 * x) as u32, r.y + (r.h as f32 * y) as u32);
    match act {
        Act::Scroll => inside(layout.stack, 0.56, 0.47),
        Act::Level => {
            let share = smooth(0.0, 1.0, progress);
            inside(layout.stack, 0.56 + 0.18 * share, 0.47 + 0.12 * (share * 3.0).sin())
        }
        Act::Play => inside(layout.cine, 0.9, 0.06),
        Act::Drag => {
            let at = drag(before.floating, after.floating, progress);
            Point::new(at.x + stage.floating.w / 3, at.y + 12)
        }
        Act::Read => inside(layout.prior, 0.6, 0.5),
        _ => inside(layout.editor, 0.52, 0.3),
    }
}

fn between(from: Point, to: Point, share: f32) -> Point {
    let mix = |a: u32, b: u32| (a as f32 + (b as f32 - a as f32) * share).round() as u32;
    Point::new(mix(from.x, to.x), mix(from.y, to.y))
}

/// 09:41:20.
const START_OF_WORK: u64 = 9 * 3600 + 41 * 60 + 20;
/// Frames of the cine that a round plays: its six seconds at 30 a second.
const PLAYED: u32 = 180;
/// Pixels that one step of scrolling moves text by.
const SCROLL: u32 = 6;
