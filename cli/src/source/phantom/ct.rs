//! A computed tomography of the chest and the upper abdomen, after contrast medium, slice by slice.
//!
//! Organs are ellipses with waving outlines, painted one over another in Hounsfield units; then the slice is blurred
//! as by a scanner's aperture and gets noise with the grain of a soft kernel. A slice is made when it is first asked
//! for and kept.

use std::f32::consts::{PI, TAU};

use super::{Random, grain, smooth};

/// The stack: 12-bit samples, Hounsfield units + 1024, [`Ct::SIDE`] squared.
pub struct Ct {
    seed: u64,
    /// The texture twice, so that a slice's worth of it can begin anywhere in the first.
    noise: Vec<i16>,
    vessels: Vec<Vessel>,
    slices: Vec<Option<Vec<u16>>>,
}

impl Ct {
    /// Columns and rows of a slice.
    pub const SIDE: u32 = 512;
    /// What is added to Hounsfield units.
    pub const OFFSET: i32 = 1024;

    /// A body that is the same for the same `seed`, cut into `count` slices from the shoulders down.
    pub fn new(seed: u64, count: u32) -> Self {
        let mut random = Random::new(seed, 1);
        let noise: Vec<i16> = grain(&mut random, 9, (1, 1)).into_iter().map(|v| (v * NOISE) as i16).collect();
        let noise = noise.repeat(2);
        let vessels = (0..150).map(|_| Vessel::new(&mut random)).collect();
        Self { seed, noise, vessels, slices: vec![None; count.max(1) as usize] }
    }

    /// How many slices there are.
    pub fn count(&self) -> u32 {
        self.slices.len() as u32
    }

    /// Slice `index` (the last one for more), row by row.
    pub fn slice(&mut self, index: u32) -> &[u16] {
        let last = self.slices.len() - 1;
        let index = (index as usize).min(last);
        if self.slices[index].is_none() {
            let z = index as f32 / last.max(1) as f32;
            let made = self.make(index as u64, z);
            self.slices[index] = Some(made);
        }
        self.slices[index].as_deref().unwrap_or_default()
    }

    fn make(&self, index: u64, z: f32) -> Vec<u16> {
        let mut field = Field::new();
        paint_body(&mut field, z);
        if z < 0.68 {
            paint_chest(&mut field, z, &self.vessels);
        }
        paint_abdomen(&mut field, z, self.seed);
        paint_bones(&mut field, z);
        paint_great_vessels(&mut field, z);
        paint_table(&mut field);
        let mut random = Random::new(self.seed, 1000 + index);
        let shift = random.next() as usize;
        finish(field.blurred(), &self.noise, shift)
    }
}

/// Adds the noise, cuts the field of view to a circle, and stores Hounsfield units as samples.
fn finish(hounsfield: Vec<i16>, noise: &[i16], shift: usize) -> Vec<u16> {
    let mut samples = vec![0; N * N];
    let noise = &noise[shift % (N * N)..][..N * N];
    for y in 0..N {
        let from_middle = (y as f32 - N as f32 / 2.0).abs();
        let half = (VIEW * VIEW - from_middle * from_middle).max(0.0).sqrt() as usize;
        let row = y * N + N / 2 - half..y * N + N / 2 + half;
        let values = hounsfield[row.clone()].iter().zip(&noise[row.clone()]);
        for (sample, (value, grain)) in samples[row].iter_mut().zip(values) {
            // Detectors are quieter where less is in the way of the rays.
            let grain = if *value < -900 { grain / 2 } else { *grain };
            *sample = (value + grain + Ct::OFFSET as i16).clamp(0, 4095) as u16;
        }
    }
    samples
}

fn paint_body(field: &mut Field, z: f32) {
    let (rx, ry) = (206.0 + 8.0 * smooth(0.4, 0.9, z), 138.0 + 6.0 * smooth(0.3, 0.8, z));
    let fat = 13.0 + 9.0 * smooth(0.45, 0.9, z);
    let body = Shape { power: 2.35, wave: (3.0, 0.021, 0.4), ..ellipse(256.0, 262.0, rx, ry) };
    field.paint(body, 15);
    field.paint(Shape { rx: rx - 2.0, ry: ry - 2.0, ..body }, -102);
    field.paint(Shape { rx: rx - fat, ry: ry - fat, ..body }, 54);
    for side in [-1.0, 1.0] {
        let muscle = turned(256.0 + side * 46.0, 372.0, 40.0, 19.0, side * 0.25);
        field.paint(grown(muscle, 3.0), -90);
        field.paint(muscle, 62);
        let pectoral = turned(256.0 + side * 92.0, 152.0, 72.0, 9.0, side * 0.34);
        if z < 0.3 {
            field.paint(grown(pectoral, 3.0), -95);
            field.paint(pectoral, 58);
        }
        let breast = 26.0 * smooth(0.1, 0.25, z) * (1.0 - smooth(0.4, 0.55, z));
        if breast > 2.0 {
            field.paint(turned(256.0 + side * 105.0, 140.0, 62.0, breast, side * 0.3), -88);
        }
    }
}

fn paint_chest(field: &mut Field, z: f32, vessels: &[Vessel]) {
    let size = 0.62 + 0.38 * smooth(-0.05, 0.22, z);
    let lungs = [-1.0, 1.0].map(|side| Shape {
        power: 2.2,
        wave: (4.0, 0.03, side),
        ..turned(256.0 + side * 92.0, 252.0, 80.0 * size, 112.0 * size, side * -0.12)
    });
    for lung in lungs {
        field.paint(grown(lung, 3.0), 40);
        field.paint(lung, -862);
    }
    for vessel in vessels {
        vessel.paint(field, z, &lungs);
    }
    let waist = 36.0 + 16.0 * smooth(0.15, 0.35, z);
    field.paint(Shape { wave: (5.0, 0.05, z * 5.0), ..ellipse(256.0, 226.0, waist, 80.0) }, -70);
    field.paint(Shape { wave: (4.0, 0.06, z * 7.0), ..ellipse(258.0, 246.0, waist - 12.0, 62.0) }, 38);
    let heart = smooth(0.22, 0.34, z) * (1.0 - smooth(0.6, 0.68, z));
    if heart > 0.05 {
        let beat = Shape { wave: (4.0, 0.045, 1.0), ..turned(284.0, 222.0, 78.0 * heart, 56.0 * heart, 0.5) };
        field.paint(grown(beat, 7.0), -80);
        field.paint(grown(beat, 2.0), 45);
        field.paint(beat, 118);
        field.paint(turned(306.0, 232.0, 32.0 * heart, 23.0 * heart, 0.6), 208);
        field.paint(turned(254.0, 206.0, 27.0 * heart, 34.0 * heart, -0.3), 176);
        field.paint(turned(262.0, 258.0, 30.0 * heart, 17.0 * heart, 0.1), 204);
        field.paint(turned(309.0, 196.0, 24.0 * heart, 13.0 * heart, 0.5), 168);
    }
    if z < 0.22 {
        field.paint(ellipse(253.0, 262.0, 14.0, 13.0), 30);
        field.paint(ellipse(253.0, 262.0, 11.5, 10.5), -985);
    } else if z < 0.36 {
        let apart = 9.0 + 170.0 * (z - 0.22);
        for side in [-1.0, 1.0] {
            field.paint(turned(253.0 + side * apart, 264.0, 11.0, 8.0, side * 0.5), 20);
            field.paint(turned(253.0 + side * apart, 264.0, 8.5, 6.0, side * 0.5), -960);
        }
    }
}

fn paint_abdomen(field: &mut Field, z: f32, seed: u64) {
    let below = smooth(0.44, 0.64, z);
    if below <= 0.02 {
        return;
    }
    if z > 0.6 {
        let cavity = smooth(0.6, 0.7, z);
        field.paint(Shape { power: 2.3, ..ellipse(256.0, 248.0, 150.0 * cavity, 102.0 * cavity) }, -98);
    }
    let shrink = 1.0 - 0.35 * smooth(0.8, 1.0, z);
    let (rx, ry) = (100.0 * below * shrink, 98.0 * below);
    let liver = Shape { wave: (6.0, 0.035, z * 3.0), ..turned(178.0, 250.0, rx, ry, 0.15) };
    field.paint(liver, 112);
    field.paint(
        Shape { wave: (5.0, 0.05, 2.0), ..turned(236.0, 196.0, 62.0 * below * shrink, 36.0 * below, 0.2) },
        112,
    );
    let mut random = Random::new(seed, 3);
    for _ in 0..26 {
        let (angle, far, size) = (random.within(0.0, TAU), random.within(0.1, 0.86), random.within(1.5, 5.0));
        let (drift, turn) = (random.within(-60.0, 60.0), random.within(0.0, PI));
        let x = 178.0 + angle.cos() * far * rx + drift * (z - 0.7);
        let y = 250.0 + angle.sin() * far * ry;
        if (Shape { rx: rx - 8.0, ry: ry - 8.0, ..liver }).holds(x, y) {
            field.paint(turned(x, y, size * 2.2, size, turn), 162);
        }
    }
    let lesion = 12.0 * (1.0 - ((z - 0.72) / 0.07).powi(2)).max(0.0).sqrt();
    if lesion > 1.0 {
        field.paint(ellipse(140.0, 226.0, lesion + 2.0, lesion + 1.0), 150);
        field.paint(ellipse(140.0, 226.0, lesion, lesion - 1.0), 66);
    }
    paint_left_side(field, z);
    if z > 0.66 {
        paint_bowel(field, z, seed);
    }
    let kidneys = smooth(0.7, 0.8, z);
    if kidneys > 0.05 {
        for (x, side) in [(172.0, -1.0), (344.0, 1.0)] {
            let kidney = turned(x, 322.0, 34.0 * kidneys, 27.0 * kidneys, side * -0.7);
            field.paint(grown(kidney, 7.0), -104);
            field.paint(kidney, 204);
            field.paint(Shape { rx: kidney.rx * 0.66, ry: kidney.ry * 0.6, ..kidney }, 148);
            field.paint(ellipse(x + side * -13.0, 320.0, 10.0 * kidneys, 7.0 * kidneys), -60);
        }
    }
}

/// Stomach with its level of fluid, spleen, pancreas.
fn paint_left_side(field: &mut Field, z: f32) {
    let spleen = smooth(0.5, 0.6, z) * (1.0 - smooth(0.82, 0.92, z));
    if spleen > 0.05 {
        field.paint(turned(378.0, 286.0, 29.0 * spleen, 58.0 * spleen, 0.35), 126);
    }
    let stomach = smooth(0.5, 0.58, z) * (1.0 - smooth(0.78, 0.88, z));
    if stomach > 0.05 {
        let wall =
            Shape { wave: (4.0, 0.06, 1.0), ..turned(320.0, 206.0, 62.0 * stomach, 44.0 * stomach, 0.3) };
        field.paint(wall, 74);
        let inside = grown(wall, -5.0);
        field.paint(inside, 18);
        field.paint_above(inside, 198.0, -970);
    }
    if (0.72..0.88).contains(&z) {
        field.paint(Shape { wave: (5.0, 0.09, 0.0), ..turned(268.0, 262.0, 58.0, 12.0, -0.25) }, 92);
    }
}

fn paint_bowel(field: &mut Field, z: f32, seed: u64) {
    let mut random = Random::new(seed, 4);
    let size = smooth(0.66, 0.8, z);
    for _ in 0..16 {
        let (x, y) = (random.within(170.0, 392.0), random.within(168.0, 262.0));
        let (rx, ry, turn) = (random.within(10.0, 22.0), random.within(9.0, 15.0), random.within(0.0, PI));
        let (air, phase) = (random.below(3) == 0, random.within(0.0, TAU));
        let liver = x < 250.0 && z < 0.86;
        if liver {
            continue;
        }
        let wander = (z * 30.0 + phase).sin() * 9.0;
        let wall = turned(x + wander, y, rx * size, ry * size, turn);
        field.paint(wall, 86);
        let inside = grown(wall, -2.5);
        field.paint(inside, 24);
        if air {
            field.paint_above(inside, y - 1.0, -940);
        }
    }
}

fn paint_bones(field: &mut Field, z: f32) {
    // Discs between the bodies: less bone, once every few slices.
    let disc = (z * 12.0 * TAU).cos() > 0.72;
    let bone = |field: &mut Field, shape: Shape, marrow: i16| {
        field.paint(shape, 620);
        field.paint(grown(shape, -2.5), marrow);
    };
    if disc {
        field.paint(ellipse(256.0, 332.0, 27.0, 20.0), 95);
    } else {
        bone(field, Shape { power: 2.3, ..ellipse(256.0, 332.0, 28.0, 21.0) }, 210);
    }
    field.paint(ellipse(256.0, 362.0, 19.0, 17.0), 460);
    for side in [-1.0, 1.0] {
        bone(field, turned(256.0 + side * 34.0, 358.0, 20.0, 6.0, side * 0.3), 300);
    }
    bone(field, ellipse(256.0, 388.0, 5.5, 18.0), 340);
    field.paint(ellipse(256.0, 361.0, 12.0, 11.0), 22);
    field.paint(ellipse(256.0, 361.0, 6.5, 6.0), 42);
    if z < 0.5 {
        bone(field, Shape { power: 2.6, ..ellipse(256.0, 143.0 + 6.0 * z, 22.0, 7.5) }, 170);
    }
    for rib in 0..12 {
        let angle = rib as f32 * PI / 6.0 + 0.26 + z * 4.4;
        let (sin, cos) = angle.sin_cos();
        let open = sin < -0.55 && z > 0.55;
        let behind = sin > 0.8;
        if !open && !behind {
            let (x, y) = (256.0 + 186.0 * cos, 262.0 + 121.0 * sin);
            bone(field, turned(x, y, 15.0, 5.5, (121.0 * cos).atan2(-186.0 * sin)), 260);
        }
    }
    if z < 0.3 {
        for side in [-1.0, 1.0] {
            bone(
                field,
                turned(256.0 + side * 142.0, 330.0 + 20.0 * z, 44.0 - 60.0 * z, 5.0, side * -0.62),
                300,
            );
        }
    }
}

fn paint_great_vessels(field: &mut Field, z: f32) {
    let mut vessel = |x: f32, y: f32, rx: f32, ry: f32, value: i16| {
        field.paint(ellipse(x, y, rx + 2.0, ry + 2.0), 20);
        field.paint(ellipse(x, y, rx, ry), value);
    };
    if (0.06..0.14).contains(&z) {
        vessel(268.0, 240.0, 36.0, 14.0, 236);
    } else if (0.14..0.34).contains(&z) {
        vessel(246.0, 212.0, 17.0, 17.0, 236);
    }
    if (0.2..0.3).contains(&z) {
        vessel(278.0, 222.0, 26.0, 13.0, 224);
    }
    if z < 0.06 {
        for (x, y) in [(232.0, 226.0), (262.0, 222.0), (284.0, 236.0)] {
            vessel(x, y, 8.0, 8.0, 232);
        }
    }
    if z < 0.34 {
        vessel(220.0, 226.0, 9.5, 11.0, 244);
    }
    if z > 0.1 {
        let middle = smooth(0.35, 0.75, z);
        vessel(292.0 - 26.0 * middle, 312.0 - 12.0 * middle, 13.0, 13.0, 230);
    }
    if z > 0.44 {
        vessel(226.0, 292.0, 15.0, 11.0, 140);
    }
    if (0.22..0.7).contains(&z) {
        field.paint(ellipse(266.0, 294.0, 7.0, 5.0), 36);
    }
}

/// The couch: two thin shells below the back.
fn paint_table(field: &mut Field) {
    for (depth, thick, value) in [(0.0, 3.0, -180), (16.0, 2.0, -260)] {
        for x in 40..472 {
            let dx = x as f32 - 256.0;
            let y = 421.0 + depth - dx * dx / (2100.0 + depth * 30.0);
            field.column(x, y, thick, value);
        }
    }
}

/// A vessel of the lung, which a slice cuts somewhere.
struct Vessel {
    right: bool,
    angle: f32,
    far: f32,
    drift: f32,
    size: f32,
    begin: f32,
    length: f32,
}

impl Vessel {
    fn new(random: &mut Random) -> Self {
        let far = random.within(0.12, 0.93);
        Self {
            right: random.below(2) == 0,
            angle: random.within(0.0, TAU),
            far,
            drift: random.within(-0.5, 0.9),
            size: (4.6 * (1.0 - far) + 0.8) * random.within(0.7, 1.3),
            begin: random.within(-0.25, 0.62),
            length: random.within(0.08, 0.35),
        }
    }

    fn paint(&self, field: &mut Field, z: f32, lungs: &[Shape; 2]) {
        let along = (z - self.begin) / self.length;
        if !(0.0..1.0).contains(&along) {
            return;
        }
        let lung = &lungs[usize::from(!self.right)];
        let hilum = if self.right { 30.0 } else { -30.0 };
        let far = (self.far + self.drift * (along - 0.5) * 0.4).clamp(0.05, 0.95);
        let (sin, cos) = self.angle.sin_cos();
        let x = lung.cx + hilum * (1.0 - far) + cos * far * lung.rx;
        let y = lung.cy + sin * far * lung.ry;
        let size = self.size * (1.0 - 0.5 * along);
        if grown(*lung, -size - 2.0).holds(x, y) {
            let stretch = 1.0 + 1.6 * self.drift.abs();
            field.paint(turned(x, y, size * stretch, size, self.angle), 70);
        }
    }
}

/// An ellipse (or, with a `power` above 2, something more like a box), turned, its outline waving along y.
#[derive(Clone, Copy)]
struct Shape {
    cx: f32,
    cy: f32,
    rx: f32,
    ry: f32,
    turn: f32,
    power: f32,
    wave: (f32, f32, f32),
}

fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> Shape {
    turned(cx, cy, rx, ry, 0.0)
}

fn turned(cx: f32, cy: f32, rx: f32, ry: f32, turn: f32) -> Shape {
    Shape { cx, cy, rx, ry, turn, power: 2.0, wave: (0.0, 0.0, 0.0) }
}

fn grown(shape: Shape, by: f32) -> Shape {
    Shape { rx: shape.rx + by, ry: shape.ry + by, ..shape }
}

impl Shape {
    /// The columns that row `y` has of it.
    fn span(&self, y: f32) -> Option<(f32, f32)> {
        if self.rx < 0.5 || self.ry < 0.5 {
            return None;
        }
        let dy = y - self.cy;
        let (middle, half) = if self.power > 2.0 {
            let t = (dy / self.ry).abs();
            let half = self.rx * (1.0 - t.powf(self.power)).max(0.0).powf(1.0 / self.power);
            (dy * self.turn.tan() * -0.3, half)
        } else {
            // In the ellipse's own axes, a x^2 + 2 b x + c <= 1 along the row.
            let (sin, cos) = self.turn.sin_cos();
            let (p, q) = (1.0 / (self.rx * self.rx), 1.0 / (self.ry * self.ry));
            let a = cos * cos * p + sin * sin * q;
            let b = sin * cos * (p - q) * dy;
            let c = (sin * sin * p + cos * cos * q) * dy * dy - 1.0;
            (-b / a, (b * b - a * c).max(0.0).sqrt() / a)
        };
        let (height, pace, phase) = self.wave;
        let x = self.cx + middle + height * (dy * pace + phase).sin();
        let swell = height * 0.5 * (dy * pace * 1.7 + phase * 2.0).sin();
        (half > 0.0).then_some((x - half - swell.min(half), x + half))
    }

    fn holds(&self, x: f32, y: f32) -> bool {
        self.span(y).is_some_and(|(from, to)| x > from && x < to)
    }
}

/// A slice in Hounsfield units, as it is painted.
struct Field(Vec<i16>);

impl Field {
    fn new() -> Self {
        Self(vec![-1000; N * N])
    }

    fn paint(&mut self, shape: Shape, value: i16) {
        self.paint_above(shape, f32::MAX, value);
    }

    /// Paints the part of `shape` above row `end`.
    fn paint_above(&mut self, shape: Shape, end: f32, value: i16) {
        let reach = shape.rx.max(shape.ry);
        let last = (shape.cy + reach).min(end).clamp(0.0, (N - 1) as f32) as usize;
        let first = (shape.cy - reach).clamp(0.0, (N - 1) as f32) as usize;
        for y in first..=last {
            if let Some((from, to)) = shape.span(y as f32) {
                let edge = |x: f32| x.round().clamp(0.0, N as f32) as usize;
                let (from, to) = (edge(from), edge(to));
                if from < to {
                    self.0[y * N + from..y * N + to].fill(value);
                }
            }
        }
    }

    fn column(&mut self, x: usize, y: f32, thick: f32, value: i16) {
        for y in y as usize..(y + thick) as usize {
            if let Some(cell) = self.0.get_mut(y * N + x)
                && *cell < -900
            {
                *cell = value;
            }
        }
    }

    /// The mean with the neighbours, weighted 1 2 1 in both directions.
    fn blurred(self) -> Vec<i16> {
        let line = |a: i16, b: i16, c: i16| ((i32::from(a) + 2 * i32::from(b) + i32::from(c)) / 4) as i16;
        let mut rows = self.0.clone();
        for (from, to) in self.0.chunks_exact(N).zip(rows.chunks_exact_mut(N)) {
            for (three, out) in from.windows(3).zip(&mut to[1..]) {
                *out = line(three[0], three[1], three[2]);
            }
        }
        let mut all = rows.clone();
        for y in 1..N - 1 {
            let (above, here, below) = (&rows[(y - 1) * N..], &rows[y * N..], &rows[(y + 1) * N..]);
            for (x, out) in all[y * N..][..N].iter_mut().enumerate() {
                *out = line(above[x], here[x], below[x]);
            }
        }
        all
    }
}

const N: usize = Ct::SIDE as usize;
/// The radius of the field of view.
const VIEW: f32 = 252.0;
/// The noise's standard deviation in Hounsfield units: an abdomen at a usual dose.
const NOISE: f32 = 13.0;
