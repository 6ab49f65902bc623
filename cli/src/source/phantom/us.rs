//! An echocardiogram: a beating heart seen through the ribs, with the speckle of coherent waves.
//!
//! Each frame is made in the machine's own terms, beam by beam, and then turned into a sector. The speckle is carried
//! along by the tissue that it belongs to.

use std::f32::consts::TAU;

use lightbox_codec::geom::Size;

use super::{Random, grain, smooth};

/// How many frames the loop has: one heart beat at 30 frames a second.
pub const FRAMES: u32 = 36;

/// A loop of [`FRAMES`] frames, each made when asked for.
pub struct Cine {
    speckle: Vec<f32>,
    places: Vec<Place>,
    /// The echoes of each frame that was shown so far.
    frames: Vec<Option<Vec<u8>>>,
}

/// A place on a beam, in units of the depth, and how rough surfaces are there.
#[derive(Clone, Copy)]
struct Place {
    x: f32,
    y: f32,
    rough: f32,
}

/// Which echoes a pixel of the sector is made of; none outside of it.
#[derive(Clone, Copy)]
struct Tap {
    /// The first of four samples; `u32::MAX` where the sector is not.
    index: u32,
    across: u16,
    along: u16,
}

/// How a sector of one size is made from beams.
pub struct Sector {
    size: Size,
    taps: Vec<Tap>,
}

impl Cine {
    /// A heart that is the same for the same `seed`.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 2);
        let (real, imaginary) = (grain(&mut random, TEXTURE, (1, 2)), grain(&mut random, TEXTURE, (1, 2)));
        // The magnitude of a complex bell-shaped field, in dB: what is seen of many small scatterers.
        let speckle = real.iter().zip(imaginary).map(|(a, b)| 20.0 * a.hypot(b).max(0.03).log10()).collect();
        let places = (0..BEAMS * KNOTS)
            .map(|i| {
                let angle = ((i / KNOTS) as f32 / (BEAMS - 1) as f32 - 0.5) * OPENING;
                let depth = (i % KNOTS) as f32 / (KNOTS - 1) as f32;
                let (x, y) = (depth * angle.sin(), depth * angle.cos());
                let rough = 0.035 * (y * 61.0 + x * 23.0).sin() + 0.02 * (y * 140.0 - x * 90.0).sin();
                Place { x, y, rough }
            })
            .collect();
        Self { speckle, places, frames: vec![None; FRAMES as usize] }
    }

    /// Makes frame `index` modulo [`FRAMES`] and gives its gray levels to `put`, with the column and row, for each
    /// pixel inside the sector.
    pub fn frame(&mut self, index: u32, sector: &Sector, mut put: impl FnMut(u32, u32, &[u8])) {
        let index = index % FRAMES;
        if self.frames[index as usize].is_none() {
            self.frames[index as usize] = Some(self.beat(index));
        }
        let echoes = self.frames[index as usize].as_deref().unwrap_or_default();
        let mut line = Vec::with_capacity(sector.size.w as usize);
        for (y, taps) in sector.taps.chunks_exact(sector.size.w as usize).enumerate() {
            let inside = |tap: &Tap| tap.index != u32::MAX;
            let Some(first) = taps.iter().position(inside) else { continue };
            let end = taps.iter().rposition(inside).map_or(first, |last| last + 1);
            line.clear();
            line.extend(taps[first..end].iter().map(|tap| tap.level(echoes)));
            put(first as u32, y as u32, &line);
        }
    }

    /// The echoes of a frame, beam by beam.
    fn beat(&self, index: u32) -> Vec<u8> {
        let phase = index as f32 / FRAMES as f32;
        // Contraction takes a third of a beat, filling the rest, with the kick of the atria at its end.
        let squeeze =
            smooth(0.0, 0.3, phase) * (1.0 - smooth(0.36, 0.7, phase)) - 0.15 * bump(phase, 0.9, 0.07);
        let valve = smooth(0.4, 0.5, phase) * (1.0 - smooth(0.92, 1.0, phase));
        let heart = Heart { squeeze, valve, sway: 0.008 * (phase * TAU).sin() };
        let mask = (1usize << TEXTURE) - 1;
        let mut echoes = Vec::with_capacity(BEAMS * SAMPLES);
        for (beam, places) in self.places.chunks_exact(KNOTS).enumerate() {
            let tissues = places.iter().map(|place| heart.at(*place));
            let tissues: Vec<(f32, f32)> = tissues.collect();
            for (sample, pair) in tissues.windows(2).flat_map(|pair| [pair; STEP]).enumerate() {
                let share = (sample % STEP) as f32 / STEP as f32;
                let between = |a: f32, b: f32| a + (b - a) * share;
                let (tissue, pull) = (between(pair[0].0, pair[1].0), between(pair[0].1, pair[1].1));
                let row = (sample as f32 + pull * SAMPLES as f32) as usize & mask;
                let column = (beam * 3 + if tissue < -36.0 { index as usize * 7 } else { 0 }) & mask;
                let faint = 7.0 * sample as f32 / SAMPLES as f32;
                let level = tissue + self.speckle[column << TEXTURE | row] - faint;
                echoes.push(((level + RANGE) * (255.0 / RANGE)).clamp(0.0, 255.0) as u8);
            }
        }
        echoes
    }
}

impl Tap {
    /// The gray level in between its four samples.
    fn level(&self, echoes: &[u8]) -> u8 {
        if self.index == u32::MAX {
            return 0;
        }
        let at = self.index as usize;
        let (across, along) = (u32::from(self.across), u32::from(self.along));
        let two = |at: usize| u32::from(echoes[at]) * (256 - along) + u32::from(echoes[at + 1]) * along;
        ((two(at) * (256 - across) + two(at + SAMPLES) * across) >> 16) as u8
    }
}

impl Sector {
    /// The sector that fills `size`, its apex at the top in the middle.
    pub fn new(size: Size) -> Self {
        let (w, h) = (size.w as f32, size.h as f32);
        let depth = h.min(w / (2.0 * (OPENING / 2.0).sin())) - 1.0;
        let pixels = (0..size.h).flat_map(|y| (0..size.w).map(move |x| (x, y)));
        let taps = pixels
            .map(|(x, y)| {
                let (dx, dy) = (x as f32 + 0.5 - w / 2.0, y as f32 + 0.5);
                let along = dx.hypot(dy) / depth * (SAMPLES - 1) as f32;
                let across = (dx.atan2(dy) / OPENING + 0.5) * (BEAMS - 1) as f32;
                let inside = along >= 8.0 && along < (SAMPLES - 1) as f32 && across >= 0.0;
                if !inside || across >= (BEAMS - 1) as f32 {
                    return Tap { index: u32::MAX, across: 0, along: 0 };
                }
                let index = across as u32 * SAMPLES as u32 + along as u32;
                Tap { index, across: (across.fract() * 256.0) as u16, along: (along.fract() * 256.0) as u16 }
            })
            .collect();
        Self { size, taps }
    }
}

/// The heart at an instant, in units of the depth: x to the right, y away from the probe.
struct Heart {
    squeeze: f32,
    valve: f32,
    sway: f32,
}

impl Heart {
    /// How strongly the tissue at a place answers, in dB, and how far it was pulled away from the probe.
    fn at(&self, Place { x, y, rough }: Place) -> (f32, f32) {
        let x = x + self.sway + 0.03 * (y - 0.5);
        let s = 1.0 - 0.2 * self.squeeze;
        let base = 0.62 - 0.05 * self.squeeze;
        let pull = 0.05 * self.squeeze * smooth(0.15, 0.65, y);
        if y < 0.11 {
            return (-6.0 - 110.0 * y, 0.0);
        }
        if self.leaflet(x - 0.075, y - base, 0.085) || self.leaflet(x + 0.15, y - base, 0.065) {
            return (-9.0, pull);
        }
        // Distances from the chambers' middles: below 1 is inside. Ventricles taper towards the apex, and the
        // muscle's inner surface is rough.
        let far = |cx: f32, cy: f32, rx: f32, ry: f32| {
            let (x, y) = ((x - cx) / rx, (y - cy) / ry);
            (x * x + y * y).sqrt() + rough
        };
        let taper = |y: f32| 0.55 + 0.45 * smooth(0.12, 0.46, y);
        let left = far(0.075, (0.19 + base) / 2.0, 0.118 * s * taper(y), (base - 0.17) / 2.0);
        let right = far(-0.15, 0.47, 0.072 * s * taper(y), 0.155);
        let left_atrium = far(0.095, 0.75, 0.105 / s, 0.11 / s);
        let right_atrium = far(-0.15, 0.73, 0.098 / s, 0.1 / s);
        let chamber = left.min(right).min(left_atrium).min(right_atrium);
        let blood = -47.0 + 5.0 * smooth(0.5, 0.9, chamber);
        let muscle = far(-0.02, 0.44, 0.32, 0.37).min(far(-0.02, 0.72, 0.3, 0.17));
        // The pericardium answers strongly where the beam meets it head on, that is in the depth.
        let sac = 13.0 * bump(muscle, 1.0, 0.035) * smooth(0.35, 0.85, y);
        let around = -17.0 - 13.0 * smooth(0.96, 1.3, muscle) + sac;
        let lining = 4.0 * bump(chamber, 1.06, 0.05);
        let inside = smooth(0.9, 1.04, chamber);
        (blood + (around + lining - blood) * inside, pull * (1.0 - 0.7 * smooth(1.0, 1.3, muscle)))
    }

    /// Whether one of a valve's two leaflets is at (`x`, `y`) from its middle; they fold away from each other.
    fn leaflet(&self, x: f32, y: f32, reach: f32) -> bool {
        let from_ring = reach - x.abs();
        let closed = 0.018 - 0.25 * from_ring * (1.0 - self.valve);
        let line = closed - 1.1 * from_ring * self.valve;
        let length = reach * (1.0 - 0.35 * self.valve);
        (0.0..length).contains(&from_ring) && (y - line).abs() < 0.008
    }
}

/// 1 at `at`, falling off over `width` on both sides.
fn bump(x: f32, at: f32, width: f32) -> f32 {
    let t = (x - at) / width;
    1.0 / (1.0 + t * t).powi(2)
}

const BEAMS: usize = 160;
const SAMPLES: usize = (KNOTS - 1) * STEP;
/// Places on a beam where the tissue is worked out; in between it is interpolated.
const KNOTS: usize = 111;
/// Samples from one of these places to the next.
const STEP: usize = 4;
/// The sector's angle.
const OPENING: f32 = 1.4;
/// The texture has 2^9 x 2^9 values.
const TEXTURE: u32 = 9;
/// From black to white, in dB.
const RANGE: f32 = 52.0;
