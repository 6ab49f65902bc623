//! Records the reading room: how `assets/reading-room.scr.zst` is made.
//!
//! `cargo run --release -p lightbox-cli --example record_scene -- cli/assets/reading-room.scr.zst`
//!
//! A whole round of work takes most of a minute and much noise; this keeps a few steps of each activity, close
//! together, so that the file stays small.

use std::time::Duration;

use lightbox_cli::source::record::Recorder;
use lightbox_cli::source::scene::{SceneConfig, SceneSource};
use lightbox_cli::source::{Change, Source};
use lightbox_protocol::Time;
use lightbox_protocol::geom::{Rect, Size};

/// First step, how many steps to take, and how many steps of the scene (30 a second) lie between them.
const PARTS: [(u64, u64, u64); 7] = [
    (40, 24, 2),   // a sentence is typed
    (262, 3, 6),   // the stack scrolls
    (410, 4, 14),  // its window moves
    (600, 4, 1),   // the cine plays
    (810, 20, 4),  // the floating window is dragged
    (965, 12, 6),  // the earlier report scrolls
    (1200, 10, 4), // the pointer goes home, the clock ticks
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give the file to write")?;
    let size = Size::new(1280, 720);
    let mut scene = SceneSource::new(SceneConfig { size, ..SceneConfig::default() })?;
    let mut recorder = Recorder::new("reading_room", "lightbox's own scene: a short round of work", size);
    let mut at = Duration::ZERO;
    for (first, count, apart) in PARTS {
        for step in (0..count).map(|i| first + i * apart) {
            let mut changes = Vec::new();
            scene.frame_at(step, Time(0), &mut changes);
            let rects: Vec<Rect> = changes.into_iter().flat_map(rects).collect();
            recorder.push(at, scene.image(), &rects)?;
            at += Duration::from_micros(33_333);
        }
        at += Duration::from_millis(200);
    }
    let packed = recorder.finish().ok_or("nothing was recorded")?;
    println!("{path}: {} bytes", packed.len());
    Ok(std::fs::write(path, packed)?)
}

fn rects(change: Change) -> Vec<Rect> {
    match change {
        Change::Damage { rects, .. } => rects,
        _ => Vec::new(),
    }
}
