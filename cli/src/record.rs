//! `lightbox record`: keeps what a desktop shows, for `bench screen` and `serve --source replay`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lightbox_codec::geom::Rect;
use lightbox_codec::pixel::{Image, ImageRef};

use crate::Failure;
use crate::interrupt::interrupted;
use crate::source::record::Recorder;
use crate::source::{self, Change, Source};

/// Options of `lightbox record`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where frames come from, as for `serve`.
    #[arg(long, default_value = "x11")]
    pub source: String,
    /// The desktop is looked at so often a second.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=240))]
    pub rate: u32,
    /// Stop after this many seconds; without it, and without --frames, when interrupted.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Stop after this many frames. Looks that find nothing new make none.
    #[arg(long)]
    pub frames: Option<u32>,
    /// What it shows, in a few words, for the file's header.
    #[arg(long, default_value = "")]
    pub description: String,
    /// The file to write. One named .scr.zst is packed quickly; any other name gets the plain form, for
    /// `zstd -19 --long=27`.
    pub file: PathBuf,
}

/// Runs it until it is interrupted, or it has what was asked for.
///
/// # Errors
/// One line for the person at the keyboard.
pub fn run(options: Options) -> Result<ExitCode, Failure> {
    let mut source = source::open(&options.source, false)?;
    let mut camera = Camera::start(source.as_mut(), &options)?;
    let start = Instant::now();
    let end = options.seconds.map(|s| start + Duration::from_secs_f64(s.clamp(0.0, MAX_SECONDS)));
    let enough = |camera: &Camera| options.frames.is_some_and(|n| camera.frames >= n);
    let mut look = 0;
    while !interrupted() && !enough(&camera) && end.is_none_or(|end| Instant::now() < end) {
        // A look that comes too late takes no other one with it: they stay on one beat.
        let beats = (start.elapsed().as_secs_f64() * f64::from(options.rate)) as u32;
        look = beats.max(look) + 1;
        let due = start + Duration::from_secs_f64(f64::from(look) / f64::from(options.rate));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if !camera.look(source.as_mut(), start.elapsed())? {
            break;
        }
    }
    let (frames, damaged) = (camera.frames, camera.damaged);
    let packed = options.file.extension().is_some_and(|e| e == "zst");
    let bytes = if packed { camera.recorder.finish() } else { camera.recorder.plain() };
    let bytes = bytes.ok_or("the desktop ended before it showed anything")?;
    std::fs::write(&options.file, &bytes).map_err(|e| format!("{}: {e}", options.file.display()))?;
    eprintln!("{frames} frames, {:.1} Mpx changed after the first", damaged as f64 / 1e6);
    Ok(ExitCode::SUCCESS)
}

/// What records: it compares, so that only what really changed is kept, whatever the desktop calls damaged.
struct Camera {
    recorder: Recorder,
    /// What the recording shows so far.
    shown: Image,
    frames: u32,
    /// Pixels after the first frame.
    damaged: u64,
}

impl Camera {
    /// Records the first frame, once there is one.
    fn start(source: &mut dyn Source, options: &Options) -> Result<Self, Failure> {
        let mut changes = Vec::new();
        while !changes.iter().any(|c| matches!(c, Change::Damage { .. } | Change::Ended)) && !interrupted() {
            source.poll(Duration::from_millis(100), &mut changes)?;
        }
        let image = source.image();
        let name = name_of(&options.file);
        let mut recorder = Recorder::new(&name, &options.description, image.size());
        recorder.push(Duration::ZERO, image, &[])?;
        Ok(Self { recorder, shown: image.into(), frames: 1, damaged: 0 })
    }

    /// Records what has changed, `at` after the first frame; false once the desktop has ended.
    fn look(&mut self, source: &mut dyn Source, at: Duration) -> Result<bool, Failure> {
        let mut changes = Vec::new();
        source.poll(Duration::ZERO, &mut changes)?;
        let mut alive = true;
        let mut damage = Vec::new();
        for change in changes {
            match change {
                Change::Damage { rects, .. } => damage.extend(rects),
                Change::Resized(size) if size != self.shown.size() => {
                    return Err("the desktop changed its size, and a recording has one: begin another".into());
                }
                Change::Ended => alive = false,
                _ => (),
            }
        }
        let changed = changed_cells(self.shown.as_ref(), source.image(), &damage);
        if !changed.is_empty() {
            self.recorder.push(at, source.image(), &changed)?;
            self.frames += 1;
        }
        for rect in changed {
            self.damaged += rect.area();
            if let (Some(from), Some(mut to)) =
                (source.image().crop(rect), self.shown.as_mut().crop_mut(rect))
            {
                to.copy_from(from);
            }
        }
        Ok(alive)
    }
}

/// Where `after` differs from `before` in cells of [`CELL`] pixels that `damage` touches: runs of such cells in a
/// row, and equal runs below one another as one rect.
fn changed_cells(before: ImageRef<'_>, after: ImageRef<'_>, damage: &[Rect]) -> Vec<Rect> {
    let size = after.size();
    let (mut done, mut above): (Vec<Rect>, Vec<Rect>) = (Vec::new(), Vec::new());
    for y in (0..size.h).step_by(CELL as usize) {
        let line = Rect::new(0, y, size.w, CELL.min(size.h - y));
        let touching: Vec<Rect> = damage.iter().filter_map(|d| d.intersect(line)).collect();
        let mut runs: Vec<Rect> = Vec::new();
        for cell in cells_of(line).filter(|cell| touching.iter().any(|d| d.intersect(*cell).is_some())) {
            if !differs(before, after, cell) {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.right() == cell.x => run.w += cell.w,
                _ => runs.push(cell),
            }
        }
        let mut going_on = Vec::new();
        for run in runs {
            let same = above.iter().position(|a| (a.x, a.w) == (run.x, run.w));
            going_on.push(same.map_or(run, |i| above.swap_remove(i).union(run)));
        }
        done.append(&mut above);
        above = going_on;
    }
    done.append(&mut above);
    done
}

fn cells_of(line: Rect) -> impl Iterator<Item = Rect> {
    let end = line.right();
    (line.x..end)
        .step_by(CELL as usize)
        .map(move |x| Rect::span(x, line.y, (x + CELL).min(end), line.bottom()))
}

fn differs(before: ImageRef<'_>, after: ImageRef<'_>, cell: Rect) -> bool {
    match (before.crop(cell), after.crop(cell)) {
        (Some(before), Some(after)) => !before.rows().eq(after.rows()),
        _ => true,
    }
}

/// The file's name without its endings.
fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The side of the squares that are compared.
const CELL: u32 = 16;
/// The format's clock ends after 71 minutes.
const MAX_SECONDS: f64 = 71.0 * 60.0;

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;
    use lightbox_codec::pixel::PixelFormat;

    use super::*;

    #[test]
    fn only_cells_that_changed_inside_the_damage_are_kept() {
        let size = Size::new(100, 50);
        let before = Image::new(size, PixelFormat::Bgrx8).unwrap();
        let mut after = before.clone();
        for rect in [Rect::new(20, 20, 40, 20), Rect::new(99, 49, 1, 1), Rect::new(0, 0, 1, 1)] {
            after.as_mut().fill(rect, [1, 2, 3, 0xFF]);
        }
        let check = |damage: &[Rect], expect: &[Rect]| {
            assert_eq!(changed_cells(before.as_ref(), after.as_ref(), damage), expect);
        };
        let (middle, corner) = (Rect::new(16, 16, 48, 32), Rect::new(96, 48, 4, 2));
        check(&[size.rect()], &[Rect::new(0, 0, 16, 16), middle, corner]);
        check(&[Rect::new(5, 17, 90, 33)], &[middle, corner][..1]);
        check(&[Rect::new(64, 0, 32, 50)], &[]);
        check(&[], &[]);
    }
}
