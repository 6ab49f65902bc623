//! Density against speed as an SVG picture, one panel a class.

use std::fmt::Write;

use crate::peers::KERNELS;
use crate::stills::Class;
use crate::table::{Mean, Results};

/// Draws `results`: a line a coder from its encoder (disc) to its decoder (ring), further right is faster, further up
/// is denser; ours in colour. Of the plain Rust kernels only the default level is drawn.
pub fn svg(results: &Results) -> String {
    let drawn = |coder: &&String| !coder.ends_with(KERNELS[0].0) || coder.contains("default");
    let panels: Vec<(Class, Vec<(&str, Mean)>)> = Class::ALL
        .into_iter()
        .map(|class| {
            let coders = results.coders().iter().filter(drawn);
            (class, coders.filter_map(|coder| Some((coder.as_str(), results.mean(coder, class)?))).collect())
        })
        .filter(|(_, means): &(_, Vec<_>)| !means.is_empty())
        .collect();
    let (columns, rows) = (2.min(panels.len()), panels.len().div_ceil(2));
    let (width, height) = (columns as f64 * PANEL_W, rows as f64 * PANEL_H + LEGEND);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (index, (class, means)) in panels.iter().enumerate() {
        let (x, y) = ((index % 2) as f64 * PANEL_W, (index / 2) as f64 * PANEL_H);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        panel(&mut svg, *class, means);
        svg.push_str("</g>\n");
    }
    let _ = writeln!(
        svg,
        "<g transform=\"translate({LEFT} {})\"><circle r=\"4\" fill=\"{PEER}\"/><text x=\"8\" y=\"4\">encoder\
         </text><circle cx=\"70\" r=\"3.5\" fill=\"#fff\" stroke=\"{PEER}\"/><text x=\"78\" y=\"4\">decoder\
         </text><text x=\"140\" y=\"4\" fill=\"{OURS}\" font-weight=\"bold\">ours</text><text x=\"180\" y=\"4\">\
         right: faster; up: denser; geometric means, one thread, CPU time</text></g>",
        height - LEGEND / 2.0
    );
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, class: Class, means: &[(&str, Mean)]) {
    let of = |value: fn(&Mean) -> f64| means.iter().map(move |(_, mean)| value(mean));
    let slowest = of(|m| m.encode.min(m.decode)).fold(f64::MAX, f64::min).log10().floor();
    let fastest = of(|m| m.encode.max(m.decode)).fold(0.0, f64::max).log10().ceil().max(slowest + 1.0);
    let (least, most) = (of(|m| m.ratio).fold(f64::MAX, f64::min), of(|m| m.ratio).fold(0.0, f64::max));
    let step = nice((most - least).max(0.1) / 5.0);
    let (floor, top) = ((least / step).floor() * step, (most / step).ceil() * step);
    let x = |mpx: f64| LEFT + (mpx.log10() - slowest) / (fastest - slowest) * (PANEL_W - LEFT - RIGHT);
    let y = |ratio: f64| BASE - (ratio - floor) / (top - floor).max(step) * (BASE - TOP);

    text(svg, [LEFT, 22.0], "font: bold 14px sans-serif", class.name());
    text(svg, [LEFT - 6.0, TOP - 10.0], END, "ratio");
    text(svg, [(LEFT + PANEL_W - RIGHT) / 2.0, BASE + 30.0], MIDDLE, "MPx/s");
    for decade in slowest as i32..=fastest as i32 {
        let mpx = 10f64.powi(decade);
        line(svg, [x(mpx), BASE, x(mpx), TOP], GRID);
        text(svg, [x(mpx), BASE + 15.0], MIDDLE, &mpx.to_string());
    }
    let digits = if step < 1.0 { 1 } else { 0 };
    for index in 0..=((top - floor) / step).round() as u32 {
        let ratio = floor + step * f64::from(index);
        line(svg, [LEFT, y(ratio), PANEL_W - RIGHT, y(ratio)], GRID);
        text(svg, [LEFT - 6.0, y(ratio) + 4.0], END, &format!("{ratio:.digits$}"));
    }

    let mut sorted: Vec<_> = means.iter().collect();
    sorted.sort_by(|a, b| b.1.ratio.total_cmp(&a.1.ratio));
    let labels = apart(sorted.iter().map(|(_, mean)| y(mean.ratio)).collect());
    for ((coder, mean), label) in sorted.iter().zip(labels) {
        let colour = if coder.starts_with("ours") { OURS } else { PEER };
        let (encode, decode, at) = (x(mean.encode), x(mean.decode), y(mean.ratio));
        line(svg, [encode.max(decode), at, PANEL_W - RIGHT + 8.0, label], LEADER);
        line(svg, [encode, at, decode, at], colour);
        let _ = writeln!(svg, "<circle cx=\"{encode:.1}\" cy=\"{at:.1}\" r=\"4\" fill=\"{colour}\"/>");
        let ring = format!("fill=\"#fff\" stroke=\"{colour}\" stroke-width=\"1.4\"");
        let _ = writeln!(svg, "<circle cx=\"{decode:.1}\" cy=\"{at:.1}\" r=\"3.5\" {ring}/>");
        text(svg, [PANEL_W - RIGHT + 12.0, label + 4.0], &format!("fill: {colour}"), coder);
    }
}

/// Moves labels that stand at `places`, from the top down, so far from each other that all can be read.
fn apart(mut places: Vec<f64>) -> Vec<f64> {
    for index in 1..places.len() {
        places[index] = places[index].max(places[index - 1] + LINE);
    }
    let mut below = BASE + LINE;
    for place in places.iter_mut().rev() {
        *place = place.min(below - LINE);
        below = *place;
    }
    places
}

/// The next number above `value` that counts well.
fn nice(value: f64) -> f64 {
    let unit = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|step| step * unit);
    steps.into_iter().find(|step| *step >= value).unwrap_or(10.0 * unit)
}

fn line(svg: &mut String, [x1, y1, x2, y2]: [f64; 4], colour: &str) {
    let ends = format!("x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"");
    let _ = writeln!(svg, "<line {ends} stroke=\"{colour}\"/>");
}

fn text(svg: &mut String, [x, y]: [f64; 2], style: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" style=\"{style}\">{words}</text>");
}

const PANEL_W: f64 = 640.0;
const PANEL_H: f64 = 430.0;
const LEGEND: f64 = 36.0;
const LEFT: f64 = 50.0;
/// The column of names.
const RIGHT: f64 = 170.0;
const TOP: f64 = 48.0;
/// Where the axis of speeds lies.
const BASE: f64 = PANEL_H - 48.0;
/// From one name to the next.
const LINE: f64 = 13.0;

const END: &str = "text-anchor: end";
const MIDDLE: &str = "text-anchor: middle";

const OURS: &str = "#c2410c";
const PEER: &str = "#475569";
const GRID: &str = "#e2e8f0";
const LEADER: &str = "#cbd5e1";
