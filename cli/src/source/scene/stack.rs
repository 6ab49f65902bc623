//! Stacks of deep gray images, and how they become light: a window of values, stretched over 256 levels.

use lightbox_codec::geom::{Point, Rect, Size};

use super::super::phantom::Ct;
use super::canvas::Canvas;

/// Images that can be scrolled through.
pub trait Images: Send {
    /// How many there are; at least one.
    fn count(&self) -> u32;

    /// Image `index`, below [`count`](Images::count).
    fn image(&mut self, index: u32) -> Gray<'_>;

    /// The window that image `index` is meant to be seen in.
    fn window(&self, index: u32) -> Window;

    /// The windows that a reader of the whole stack would choose among, the usual one first; at least one.
    fn presets(&self) -> Vec<Window>;

    /// What stands in the corners over image `index`: of the patient on the left, of the study on the right.
    fn captions(&self, index: u32) -> [Vec<String>; 2];

    /// How many millimetres wide each image is, if the patient's right is known to be on its left side. Then letters
    /// and a ruler are drawn; a guess would mislead.
    fn axial_width(&self) -> Option<f32> {
        None
    }
}

/// An image whose samples stand for values (Hounsfield units, or whatever a machine measures).
#[derive(Clone, Copy)]
pub struct Gray<'a> {
    /// Columns and rows; no side is 0.
    pub size: Size,
    /// One for each pixel, row by row.
    pub samples: &'a [u16],
    /// A sample's value is `sample * slope + intercept`.
    pub slope: f32,
    /// See `slope`.
    pub intercept: f32,
    /// True if low values are bright (MONOCHROME1).
    pub inverted: bool,
}

/// Which values are shown: those from `center - width / 2` to `center + width / 2`, from black to white.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// The value in the middle.
    pub center: f32,
    /// From black to white; at least 1.
    pub width: f32,
}

impl Window {
    /// Between `self` (at 0) and `other` (at 1), in whole values as a reader's display shows them.
    pub(crate) fn toward(self, other: Window, share: f32) -> Window {
        let mix = |a: f32, b: f32| (a + (b - a) * share).round();
        Window { center: mix(self.center, other.center), width: mix(self.width, other.width).max(1.0) }
    }
}

/// The generated body as a stack.
pub(crate) struct Phantom {
    ct: Ct,
}

impl Phantom {
    pub(crate) fn new(seed: u64) -> Self {
        Self { ct: Ct::new(seed, SLICES) }
    }
}

impl Images for Phantom {
    fn count(&self) -> u32 {
        self.ct.count()
    }

    fn image(&mut self, index: u32) -> Gray<'_> {
        Gray {
            size: Size::new(Ct::SIDE, Ct::SIDE),
            samples: self.ct.slice(index),
            slope: 1.0,
            intercept: -(Ct::OFFSET as f32),
            inverted: false,
        }
    }

    fn window(&self, _index: u32) -> Window {
        Window { center: 50.0, width: 400.0 }
    }

    fn presets(&self) -> Vec<Window> {
        [(50.0, 400.0), (-550.0, 1500.0), (90.0, 260.0), (350.0, 1800.0)]
            .map(|(center, width)| Window { center, width })
            .to_vec()
    }

    fn captions(&self, index: u32) -> [Vec<String>; 2] {
        let patient = ["TRIAL, Phantom A.", "ID 7740-118  M  61 y", "CT Thorax + Abdomen, venous"];
        let place = format!("SL 5.0 mm   Pos {:+.1}", 120.0 - 8.0 * index as f32);
        let study = ["St. Elsewhere Radiology".to_owned(), "24-Nov-2026  09:12".to_owned(), place];
        [patient.map(str::to_owned).to_vec(), study.to_vec()]
    }

    fn axial_width(&self) -> Option<f32> {
        Some(400.0)
    }
}

/// Paints images through a window; keeps its tables from one call to the next.
#[derive(Default)]
pub(crate) struct Light {
    levels: Vec<u8>,
    shown: Option<(Window, f32, f32, bool)>,
    columns: Vec<(u32, u32)>,
    line: Vec<u32>,
}

impl Light {
    /// Paints all of `gray` over `target`, scaled with bilinear filtering.
    pub(crate) fn paint(&mut self, canvas: &mut Canvas, target: Rect, gray: Gray<'_>, window: Window) {
        let Some(target) = target.intersect(canvas.size().rect()) else { return };
        self.set_levels(gray, window);
        // Where each target column takes its sample from, in 1/256 of a source column.
        let place = |i: u32, target: u32, source: u32| {
            let at = (u64::from(2 * i + 1) * u64::from(source) * 128 / u64::from(target)) as i64 - 128;
            let at = at.clamp(0, i64::from(source - 1) * 256) as u32;
            (at / 256, at % 256)
        };
        self.columns.clear();
        self.columns.extend((0..target.w).map(|x| place(x, target.w, gray.size.w)));
        let width = gray.size.w as usize;
        for y in 0..target.h {
            let (row, part) = place(y, target.h, gray.size.h);
            let above = &gray.samples[row as usize * width..][..width];
            let below = gray.samples.get((row as usize + 1) * width..).filter(|rest| rest.len() >= width);
            let below = &below.unwrap_or(above)[..width];
            self.line.clear();
            self.line.extend(above.iter().zip(below).map(|(a, b)| mix((*a).into(), (*b).into(), part)));
            // A copy of the last sample stands for the one beyond it.
            self.line.extend(self.line.last().copied());
            let out = canvas.row(target.x, target.y + y, target.w);
            for (pixel, (column, part)) in out.iter_mut().zip(&self.columns) {
                let column = *column as usize;
                let sample = mix(self.line[column], self.line[column + 1], *part);
                let level = self.levels[sample as usize & 0xFFFF];
                *pixel = [level, level, level, 0xFF];
            }
        }
    }

    fn set_levels(&mut self, gray: Gray<'_>, window: Window) {
        let wanted = (window, gray.slope, gray.intercept, gray.inverted);
        if self.shown == Some(wanted) {
            return;
        }
        self.shown = Some(wanted);
        let scale = 255.0 / window.width.max(1.0);
        self.levels.clear();
        self.levels.extend((0..=u16::MAX).map(|sample| {
            let value = f32::from(sample) * gray.slope + gray.intercept;
            let level = ((value - window.center) * scale + 128.0).clamp(0.0, 255.0) as u8;
            if gray.inverted { 255 - level } else { level }
        }));
    }
}

/// The largest rect of the shape of `size` in the middle of `room`.
pub(crate) fn fit(size: Size, room: Rect) -> Rect {
    let by_height = u64::from(room.h) * u64::from(size.w) / u64::from(size.h.max(1));
    let (w, h) = if by_height <= u64::from(room.w) {
        (by_height as u32, room.h)
    } else {
        (room.w, (u64::from(room.w) * u64::from(size.h) / u64::from(size.w.max(1))) as u32)
    };
    let (w, h) = (w.max(1), h.max(1));
    Rect::new(0, 0, w, h)
        .at(Point::new(room.x + room.w.saturating_sub(w) / 2, room.y + room.h.saturating_sub(h) / 2))
}

fn mix(a: u32, b: u32, part: u32) -> u32 {
    (a * (256 - part) + b * part) >> 8
}

/// Slices of the generated body.
const SLICES: u32 = 56;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_shows_black_gray_and_white_where_it_says() {
        let samples = [0, 1000, 1100, 1200, 4095, 65535];
        let gray = Gray {
            size: Size::new(6, 1),
            samples: &samples,
            slope: 1.0,
            intercept: -1024.0,
            inverted: false,
        };
        let mut canvas = Canvas::new(Size::new(6, 1), [9; 4]);
        let window = Window { center: 76.0, width: 200.0 };
        let mut light = Light::default();
        light.paint(&mut canvas, Rect::new(0, 0, 6, 1), gray, window);
        let levels: Vec<u8> = canvas.row_from(0, 0, 6).iter().map(|p| p[1]).collect();
        assert_eq!(levels, [0, 0, 128, 255, 255, 255]);
        light.paint(&mut canvas, Rect::new(0, 0, 6, 1), Gray { inverted: true, ..gray }, window);
        assert_eq!(canvas.row_from(2, 0, 2), [[127, 127, 127, 255], [0, 0, 0, 255]]);
    }

    #[test]
    fn any_size_is_painted_into_any_room() {
        for (w, h) in [(1, 1), (1, 9), (7, 2)] {
            let samples = vec![5000; w as usize * h as usize];
            let size = Size::new(w, h);
            let gray = Gray { size, samples: &samples, slope: 2.0, intercept: 0.0, inverted: false };
            for room in [Rect::new(1, 2, 30, 10), Rect::new(0, 0, 1, 1), Rect::new(30, 10, 5, 25)] {
                let mut canvas = Canvas::new(Size::new(40, 40), [0; 4]);
                let target = fit(size, room);
                assert!(room.contains(target), "{size:?} in {room:?} gave {target:?}");
                let window = Window { center: 0.0, width: 1.0 };
                Light::default().paint(&mut canvas, target, gray, window);
                assert_eq!(canvas.row_from(target.x, target.y, 1), [[0xFF; 4]]);
            }
        }
    }
}
