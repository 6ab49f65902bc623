//! Text panes: an earlier report to scroll through, and the one that is being written.

use lightbox_codec::geom::Rect;

use super::Painter;
use super::layout::Layout;
use super::text::{Face, Style};
use super::theme::*;

/// The earlier report, laid out in lines.
pub(crate) struct Prior {
    lines: Vec<(String, Style)>,
}

impl Prior {
    /// Lays it out for `pane`.
    pub(crate) fn new(painter: &mut Painter, pane: Rect) -> Self {
        let room = Layout::inside(pane).w.saturating_sub(34) as f32;
        let mut lines = Vec::new();
        for (title, text) in PRIOR {
            let style = BODY.in_face(Face::Bold).in_color(ACCENT);
            lines.push(((*title).to_owned(), style));
            let wrapped = painter.fonts.wrap(text, room, BODY);
            lines.extend(wrapped.into_iter().map(|line| (line, BODY)));
            lines.push((String::new(), BODY));
        }
        Self { lines }
    }

    /// How far it can be scrolled in `pane`.
    pub(crate) fn scroll_end(&self, pane: Rect) -> u32 {
        let all = self.lines.len() as u32 * LINE_HEIGHT + 16;
        all.saturating_sub(Layout::inside(pane).h)
    }

    pub(crate) fn paint(&self, painter: &mut Painter, pane: Rect, scroll: u32) {
        painter.pane(pane, "Prior report", "CT 14-Mar-2026");
        let inside = Layout::inside(pane);
        let end = self.scroll_end(pane);
        let (canvas, fonts) = painter.parts();
        canvas.clip_to(inside);
        canvas.fill(inside, PANE);
        for (i, (line, style)) in self.lines.iter().enumerate() {
            let baseline = (inside.y + 20 + i as u32 * LINE_HEIGHT) as i32 - scroll as i32;
            if baseline > inside.y as i32 - 20 && baseline < inside.bottom() as i32 + 20 {
                fonts.draw(canvas, inside.x as i32 + 12, baseline, line, *style);
            }
        }
        let track = Rect::new(inside.right() - 8, inside.y + 3, 5, inside.h.saturating_sub(6));
        canvas.fill(track, FIELD);
        let thumb = (track.h * inside.h / (inside.h + end).max(1)).max(20).min(track.h);
        let at = (track.h - thumb) * scroll.min(end) / end.max(1);
        canvas.fill(Rect { y: track.y + at, h: thumb, ..track }, FAINT);
        canvas.unclip();
    }
}

/// What the editor shows; it is painted again only if this changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Writing {
    pub(crate) round: u32,
    pub(crate) typed: u32,
    pub(crate) caret: bool,
    /// What the person typed.
    pub(crate) addendum: String,
}

/// Paints the report that is being written.
pub(crate) fn paint_editor(painter: &mut Painter, pane: Rect, writing: &Writing) {
    painter.pane(pane, "Report", "Draft · voice + keyboard");
    let inside = Layout::inside(pane);
    let (canvas, fonts) = painter.parts();
    canvas.clip_to(inside);
    canvas.fill(inside, PANE);
    let (left, right) = (inside.x as i32 + 12, inside.right() as i32 - 12);
    let room = (right - left) as f32 - 16.0;
    let field = (inside.h / 4).clamp(52, 110);
    let (top, split) = (inside.y as i32, inside.bottom() as i32 - field as i32 - 34);
    fonts.draw(canvas, left, top + 22, "Findings", TITLE.in_color(ACCENT));

    let mut text = String::new();
    // The room is entered in the middle of a report.
    let now = writing.round + 3;
    for sentence in now / REPORT * REPORT..=now {
        let shown = if sentence == now { writing.typed as usize } else { usize::MAX };
        let sentence = SENTENCES[sentence as usize % SENTENCES.len()];
        text.extend(sentence.chars().take(shown));
        text.push(' ');
    }
    text.pop();
    let box_top = top + 32;
    let body = Rect::span(left as u32, box_top as u32, right as u32, split.max(box_top + 20) as u32);
    canvas.fill(body, FIELD);
    canvas.frame(body, LINE);
    paint_lines(painter, body, &text, room, writing.caret && writing.addendum.is_empty());

    let (canvas, fonts) = painter.parts();
    canvas.clip_to(inside);
    fonts.draw(canvas, left, split + 22, "Addendum", TITLE.in_color(ACCENT));
    let body = Rect::span(left as u32, (split + 30) as u32, right as u32, inside.bottom() - 8);
    canvas.fill(body, FIELD);
    canvas.frame(body, if writing.addendum.is_empty() { LINE } else { ACCENT });
    if writing.addendum.is_empty() {
        fonts.draw(canvas, left + 8, split + 49, "Type here", BODY.in_color(FAINT));
    } else {
        paint_lines(painter, body, &writing.addendum, room, true);
    }
    painter.canvas.unclip();
}

/// Paints the last lines of `text` that fit into `body`, and a caret behind them.
fn paint_lines(painter: &mut Painter, body: Rect, text: &str, room: f32, caret: bool) {
    let (canvas, fonts) = painter.parts();
    canvas.clip_to(body);
    let lines = fonts.wrap(text, room, BODY);
    let fit = (body.h.saturating_sub(8) / LINE_HEIGHT).max(1) as usize;
    let shown = &lines[lines.len().saturating_sub(fit)..];
    let mut end = (body.x as i32 + 8, body.y as i32 + 19);
    for (i, line) in shown.iter().enumerate() {
        let baseline = body.y as i32 + 19 + (i as u32 * LINE_HEIGHT) as i32;
        end = (fonts.draw(canvas, body.x as i32 + 8, baseline, line, BODY), baseline);
    }
    if caret {
        canvas.fill_at(end.0 + 1, end.1 - 12, 1, 16, TEXT);
    }
}

const LINE_HEIGHT: u32 = 18;
/// Rounds after which a new report begins.
const REPORT: u32 = 6;
const SENTENCES: [&str; 12] = [
    "No focal consolidation, no pleural effusion on either side.",
    "Heart size within normal limits, no pericardial effusion.",
    "Mediastinal lymph nodes up to 8 mm short axis, unchanged.",
    "Well-defined hypodense lesion in liver segment VII, 14 mm.",
    "Spleen, pancreas and both adrenals without pathology.",
    "Kidneys enhance symmetrically, no hydronephrosis.",
    "Aorta of normal calibre with mild calcified plaque.",
    "No free air, no free fluid in the upper abdomen.",
    "Degenerative change of the thoracic spine, no fracture.",
    "Small hiatal hernia. Stomach otherwise unremarkable.",
    "No suspicious pulmonary nodule above 4 mm.",
    "Portal and hepatic veins patent. Gallbladder without stones.",
];
const PRIOR: &[(&str, &str)] = &[
    (
        "Examination",
        "CT thorax and abdomen, portal venous phase, 120 kVp, 90 ml iodinated contrast medium. Reconstruction 5.0 mm axial, 3.0 mm coronal. Comparison: CT of 02-Sep-2025.",
    ),
    (
        "Clinical information",
        "Follow-up of a liver lesion seen on ultrasound. No fever. Laboratory without signs of inflammation. Status after appendectomy in childhood.",
    ),
    (
        "Thorax",
        "Normal aeration of both lungs. Minimal dependent atelectasis on the right. Trachea and main bronchi are clear. No enlarged hilar or axillary lymph nodes. The pulmonary arteries are of normal calibre without a central filling defect. Coronary calcification, mild.",
    ),
    (
        "Liver and biliary system",
        "Liver of normal size with smooth contour. In segment VII there is a sharply delineated hypodense lesion of 13 mm with peripheral nodular enhancement, consistent with a hemangioma. No further focal lesion. Intrahepatic and extrahepatic bile ducts are not dilated.",
    ),
    (
        "Upper abdominal organs",
        "Spleen homogeneous, 10.4 cm. Pancreas of normal structure, the duct is not dilated. Adrenal glands slender. Both kidneys of normal size and position with regular excretion; a simple cyst of 11 mm at the lower pole on the left.",
    ),
    (
        "Vessels and lymph nodes",
        "Aorta and its branches regular for age. Inferior vena cava and portal vein patent. No pathologically enlarged lymph nodes in the retroperitoneum or the mesentery.",
    ),
    (
        "Skeleton",
        "Moderate osteochondrosis T8 to T11 with anterior osteophytes. No suspicious lytic or sclerotic lesion. Old healed fracture of the seventh rib on the left.",
    ),
    (
        "Impression",
        "1. Unchanged hemangioma in liver segment VII. 2. No evidence of malignancy in thorax and upper abdomen. 3. Mild coronary calcification. 4. Recommendation: sonographic control in twelve months, sooner if symptoms occur.",
    ),
    ("Dose", "DLP 612 mGy cm, CTDIvol 8.9 mGy. Report dictated 14-Mar-2026 11:26, signed 14-Mar-2026 13:02."),
];
