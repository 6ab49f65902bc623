//! Chooses ways, and writes rects that lean on what is shown.

use alloc::vec::Vec;
use core::mem;

use super::levels::{Levels, Seen};
use super::plan::Plan;
use super::take_row;
use super::ways::Way;
use crate::lossless::layout::Layout;
use crate::lossless::plane::Plane;
use crate::lossless::sheet::first;
use crate::lossless::split::Split;
use crate::lossless::wave::led::{self, Led, LedPlane, LedScratch};
use crate::lossless::{Encoder, Method, raw, wave};
use crate::pixel::{ImageRef, PixelFormat};

/// Memory of [`Encoder::encode_inter`], kept from call to call.
pub(in crate::lossless) struct InterEncoder {
    plan: Plan,
    seen: Seen,
    areas: Vec<GrayArea>,
    led: LedScratch,
}

/// A gray area: what it will hold and what it shows.
#[derive(Default)]
struct GrayArea {
    plane: Plane,
    shown: Plane,
    /// Its place among the areas of the layout.
    number: usize,
}

impl InterEncoder {
    pub(in crate::lossless) fn new() -> Self {
        Self { plan: Plan::default(), seen: Seen::new(), areas: Vec::new(), led: LedScratch::default() }
    }
}

impl Encoder {
    /// Appends the coded rect for a decoder whose target holds `shown`, for
    /// [`Decoder::decode_inter`](super::super::Decoder::decode_inter): what stays costs next to nothing, and gray
    /// photographs are told from what is shown where that is shorter. Where nothing of it helps, or `shown` is of
    /// another size or format, this is [`Encoder::encode`], as it is always for BGRX 10.
    ///
    /// Always succeeds, with at most one byte more than the raw pixels.
    pub fn encode_inter(&mut self, image: ImageRef<'_>, shown: ImageRef<'_>, out: &mut Vec<u8>) -> Method {
        let start = out.len();
        let raw_len = 1 + image.size().area() as usize * raw::pixel_bytes(image.format());
        if self.try_inter(image, shown, out) && out.len() - start <= raw_len {
            return Method::Inter;
        }
        out.truncate(start);
        self.encode(image, out)
    }

    /// Appends the rect by [`Method::Inter`]; false if that has no use.
    fn try_inter(&mut self, image: ImageRef<'_>, shown: ImageRef<'_>, out: &mut Vec<u8>) -> bool {
        let format = image.format();
        if format == PixelFormat::Bgrx10 || shown.format() != format || shown.size() != image.size() {
            return false;
        }
        let sheet = &mut first(&mut self.sheets, 1)[0];
        if format.is_colour() {
            sheet.canvas.load(image);
        }
        let InterEncoder { plan, seen, areas, led } = &mut self.inter;
        plan.see(image, shown, &sheet.canvas, &mut sheet.layout);
        let Some(count) = take_areas(image, shown, plan, &sheet.layout, areas) else { return false };
        let areas = &mut areas[..count];
        let levels = choose_ways(format, &mut plan.ways, areas, seen);
        if plan.is_fresh() {
            return false;
        }

        out.push(Method::Inter.code());
        plan.write(format, &sheet.layout, out);
        if plan.ways.contains(&Way::Level) {
            levels.write(out);
        }
        self.planes_used = 0;
        for (&area, _) in sheet.layout.areas().iter().zip(&plan.ways).filter(|(_, way)| **way == Way::Colour)
        {
            sheet.split_area(area, image, &mut self.census, (&mut self.planes, &mut self.planes_used), out);
        }
        for area in &mut *areas {
            if let Way::Fresh | Way::Drift = plan.ways[area.number] {
                if plan.ways[area.number] == Way::Drift {
                    subtract(&mut area.plane, &area.shown);
                }
                mem::swap(
                    &mut first(&mut self.planes, self.planes_used + 1)[self.planes_used],
                    &mut area.plane,
                );
                self.planes_used += 1;
            }
        }
        let planes = first(&mut self.planes, self.planes_used);
        wave::encode(self.features, self.search, planes, &mut self.wave, out);
        for (way, kind) in [(Way::Level, Led::Level), (Way::Echo, Led::Echo)] {
            let mut planes: Vec<_> = (areas.iter_mut())
                .filter(|area| plan.ways[area.number] == way)
                .map(|area| LedPlane { plane: &mut area.plane, shown: &mut area.shown })
                .collect();
            if !planes.is_empty() {
                led::encode(self.features, kind, &levels.hints(), &mut planes, led, out);
            }
        }
        sheet.has_text = format.is_colour() && sheet.layout.has_text();
        if sheet.has_text {
            self.text.encode(&mut self.sheets[..1], out);
        }
        true
    }
}

/// Copies the gray areas and says how many there are; `None` if a sample has more bits than the format says.
fn take_areas(
    image: ImageRef<'_>,
    shown: ImageRef<'_>,
    plan: &Plan,
    layout: &Layout,
    areas: &mut Vec<GrayArea>,
) -> Option<usize> {
    let mut count = 0;
    for (number, area) in layout.areas().iter().enumerate().take(plan.ways.len()) {
        if plan.ways[number] == Way::Colour {
            continue;
        }
        let at = layout.pixels(*area);
        let gray = &mut first(areas, count + 1)[count];
        count += 1;
        gray.number = number;
        for (source, plane) in [(image, &mut gray.plane), (shown, &mut gray.shown)] {
            plane.reset(at.end_x - at.x, at.end_y - at.y, image.format().depth().into());
            (plane.place, plane.split) = (None, Split::Gray);
            for y in at.y..at.end_y {
                take_row(source, (at.x, y), plane, y - at.y);
            }
        }
        if let PixelFormat::Gray16(depth) = image.format() {
            let has_more = |y: usize| {
                let (pairs, _) = image.row(y as u32)[2 * at.x..2 * at.end_x].as_chunks::<2>();
                pairs.iter().any(|pair| u16::from_le_bytes(*pair) > depth.max())
            };
            if (at.y..at.end_y).any(has_more) {
                return None;
            }
        }
    }
    Some(count)
}

/// Chooses the ways of the gray areas, and gives the levels for those that are told by levels.
fn choose_ways(format: PixelFormat, ways: &mut [Way], areas: &[GrayArea], seen: &mut Seen) -> Levels {
    if format.depth() != 8 {
        areas.iter().for_each(|area| ways[area.number] = Way::choose(&area.plane, &area.shown, None));
        return Levels::NONE;
    }
    seen.clear();
    areas.iter().for_each(|area| count_levels(area, seen));
    let mut levels = Levels::leads_of(seen);
    areas.iter().for_each(|area| ways[area.number] = Way::choose(&area.plane, &area.shown, Some(&levels)));
    let is_level = |area: &&GrayArea| ways[area.number] == Way::Level;
    let count = areas.iter().filter(is_level).count();
    if count > 0 {
        if count < areas.len() {
            seen.clear();
            areas.iter().filter(is_level).for_each(|area| count_levels(area, seen));
            levels = Levels::leads_of(seen);
        }
        levels.classify(seen);
    }
    levels
}

/// Every second row says enough.
fn count_levels(area: &GrayArea, seen: &mut Seen) {
    for y in (0..area.plane.h()).step_by(2) {
        seen.count(area.shown.row(y), area.plane.row(y));
    }
}

/// Leaves the difference to what is shown, around the middle of the range.
fn subtract(plane: &mut Plane, shown: &Plane) {
    let (max, middle) = (((1u32 << plane.bits()) - 1) as u16, 1 << (plane.bits() - 1));
    for y in 0..plane.h() {
        for (sample, shown) in plane.row_mut(y).iter_mut().zip(shown.row(y)) {
            *sample = sample.wrapping_sub(*shown).wrapping_add(middle) & max;
        }
    }
}
