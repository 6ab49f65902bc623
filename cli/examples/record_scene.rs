//! Records the reading room: how `assets/reading-room.scr.zst` is made.
//!
//! ```sh
//! cargo run --release -p lightbox-cli --example record_scene -- reading-room.scr
//! zstd -19 --long=27 reading-room.scr -o cli/assets/reading-room.scr.zst
//! ```
//!
//! A file named `.scr.zst` is packed at once, but not as tightly.
//!
//! A whole round of work takes 40 seconds and much noise; this keeps a few steps of each activity, close together, so
//! that the file stays below 300 kB. The fourth round is taken: it begins in the bone window, where
//! noise hardly shows.

use std::time::Duration;

use lightbox_cli::source::record::Recorder;
use lightbox_cli::source::scene::{SceneConfig, SceneSource};
use lightbox_cli::source::{Change, Source};
use lightbox_protocol::Time;
use lightbox_protocol::geom::{Rect, Size};

/// First step, how many steps to take, and how many steps of the scene (30 a second) lie between them.
const PARTS: [(u64, u64, u64); 7] = [
    (3630, 32, 2), // a sentence is typed
    (3860, 5, 4),  // the stack scrolls
    (4018, 4, 8),  // its window moves
    (4050, 4, 1),  // and rests
    (4230, 2, 1),  // the cine plays
    (4410, 20, 4), // the floating window is dragged
    (4565, 10, 6), // the earlier report scrolls
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give the file to write")?;
    let size = Size::new(1024, 640);
    let mut scene = SceneSource::new(SceneConfig { size, seed: 6, ..SceneConfig::default() })?;
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
    let bytes = if path.ends_with(".zst") { recorder.finish() } else { recorder.plain() };
    Ok(std::fs::write(path, bytes.ok_or("nothing was recorded")?)?)
}

fn rects(change: Change) -> Vec<Rect> {
    match change {
        Change::Damage { rects, .. } => rects,
        _ => Vec::new(),
    }
}
