//! The work list: people who do not exist, waiting for reports on examinations that never were.

use lightbox_codec::geom::Rect;

use super::layout::Layout;
use super::theme::*;
use super::{Painter, text::Style};
use crate::source::phantom::Random;

/// One line of the list.
struct Row {
    urgency: usize,
    name: String,
    id: String,
    age: String,
    modality: &'static str,
    study: &'static str,
    /// Minutes after midnight that it came in at.
    came: u32,
    stage: u32,
}

/// The list, the same for the same seed.
pub(crate) struct People {
    rows: Vec<Row>,
}

/// What the list shows; it is painted again only if this changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Listing {
    pub(crate) round: u32,
    pub(crate) minute: u32,
    pub(crate) selected: u32,
}

impl People {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 20);
        let mut pick = |end: usize| random.below(end as u32) as usize;
        let rows = (0..64)
            .map(|i| {
                let (modality, study) = STUDIES[pick(STUDIES.len())];
                let (given, sex) = GIVEN[pick(GIVEN.len())];
                Row {
                    urgency: [2, 2, 2, 1, 2, 0, 2, 1][(i + pick(3)) % 8],
                    name: format!("{}, {given}", FAMILY[(i * 7 + pick(5)) % FAMILY.len()]),
                    id: format!("{:04}-{:03}", 1000 + pick(8999), pick(1000)),
                    age: format!("{sex} {}", 19 + pick(71)),
                    modality,
                    study,
                    came: 9 * 60 + 38 - (i * 5 + pick(5)) as u32,
                    stage: pick(4) as u32,
                }
            })
            .collect();
        Self { rows }
    }

    /// Which row is at height `y`.
    pub(crate) fn row_at(pane: Rect, y: u32) -> Option<u32> {
        let inside = Layout::inside(pane);
        let first = inside.y + HEAD;
        (first..inside.bottom()).contains(&y).then(|| (y - first) / ROW)
    }

    pub(crate) fn paint(&self, painter: &mut Painter, pane: Rect, listing: Listing) {
        painter.pane(pane, "Worklist", "CT · MR · US · CR   today   64 studies");
        let inside = Layout::inside(pane);
        let columns = Columns::of(inside);
        let (canvas, fonts) = painter.parts();
        canvas.clip_to(inside);
        canvas.fill(Rect { h: HEAD, ..inside }, HEADER);
        canvas.fill(Rect::new(inside.x, inside.y + HEAD - 1, inside.w, 1), LINE);
        let baseline = inside.y as i32 + 15;
        let small = Style { px: 11, ..NOTE };
        for (title, (x, right)) in TITLES.iter().zip(columns.cells) {
            fonts.draw_within(canvas, (x, right), baseline, title, small);
        }
        for (i, row) in self.rows.iter().enumerate() {
            let y = inside.y + HEAD + i as u32 * ROW;
            if y >= inside.bottom() {
                break;
            }
            let chosen = i as u32 == listing.selected;
            let back = if chosen {
                SELECTED
            } else if i % 2 == 0 {
                PANE
            } else {
                PANE_ODD
            };
            canvas.fill(Rect::new(inside.x, y, inside.w, ROW), back);
            if chosen {
                canvas.fill(Rect::new(inside.x, y, 3, ROW), ACCENT);
            }
            let (state, state_color) = row.state(i as u32, listing.round);
            let waited = listing.minute.saturating_sub(row.came);
            let wait = format!("{}:{:02}", waited / 60, waited % 60);
            let urgent = [RED, AMBER, FAINT][row.urgency];
            canvas.dot(columns.cells[0].0 as f32 + 5.5, y as f32 + 12.0, 4.0, urgent);
            let name = if row.urgency == 0 { BODY.in_face(super::text::Face::Bold) } else { BODY };
            let cells: [(&str, Style); 7] = [
                (&row.name, name),
                (&row.id, MONO),
                (&row.age, NOTE),
                (row.modality, NOTE.in_color(modality_color(row.modality))),
                (row.study, BODY.in_color(if chosen { TEXT } else { DIM })),
                (state, NOTE.in_color(state_color)),
                (&wait, MONO.in_color(if waited > 90 && row.urgency < 2 { AMBER } else { DIM })),
            ];
            for ((text, style), cell) in cells.into_iter().zip(columns.cells.into_iter().skip(1)) {
                fonts.draw_within(canvas, cell, y as i32 + 17, text, style);
            }
        }
        canvas.unclip();
    }
}

impl Row {
    /// How far its report is, which goes on from round to round.
    fn state(&self, row: u32, round: u32) -> (&'static str, Color) {
        let step = self.stage + (round + row * 5) / 7;
        [("New", TEXT), ("Reading", ACCENT), ("Dictated", AMBER), ("Signed", GREEN)][step as usize % 4]
    }
}

/// Where the cells begin and end.
struct Columns {
    cells: [(i32, i32); 8],
}

impl Columns {
    fn of(inside: Rect) -> Self {
        let mut x = inside.x as i32 + 8;
        let room = inside.w as i32 - 16;
        let cells = SHARES.map(|share| {
            let from = x;
            x += room * share / 1000;
            (from, x - 8)
        });
        Self { cells }
    }
}

fn modality_color(modality: &str) -> Color {
    match modality {
        "CT" => ACCENT,
        "MR" => VIOLET,
        "US" => GREEN,
        _ => AMBER,
    }
}

const HEAD: u32 = 22;
const ROW: u32 = 24;
const TITLES: [&str; 8] = ["", "Patient", "ID", "Age", "Mod", "Study", "Status", "Wait"];
/// The columns' widths in thousandths.
const SHARES: [i32; 8] = [36, 248, 122, 86, 62, 252, 112, 82];
const FAMILY: [&str; 31] = [
    "Okonkwo",
    "Lindqvist",
    "Mori",
    "Alvarez",
    "Petrov",
    "Nakamura",
    "Öztürk",
    "Novák",
    "Haddad",
    "Silva",
    "Jansen",
    "Kowalska",
    "Mbeki",
    "Ferrari",
    "Larsen",
    "Chaudhry",
    "Dubois",
    "Fischer",
    "Ito",
    "Brennan",
    "Papadakis",
    "Rossi",
    "Yilmaz",
    "Andersson",
    "Moreau",
    "Castillo",
    "Nguyen",
    "Weber",
    "Santos",
    "Kimani",
    "Hoffmann",
];
const GIVEN: [(&str, &str); 20] = [
    ("Adaeze", "F"),
    ("Mats", "M"),
    ("Haruka", "F"),
    ("Lucía", "F"),
    ("Ivan", "M"),
    ("Ayşe", "F"),
    ("Tomáš", "M"),
    ("Layla", "F"),
    ("João", "M"),
    ("Sanne", "F"),
    ("Zofia", "F"),
    ("Thabo", "M"),
    ("Giulia", "F"),
    ("Erik", "M"),
    ("Imran", "M"),
    ("Chloé", "F"),
    ("Jonas", "M"),
    ("Kenji", "M"),
    ("Maeve", "F"),
    ("Nikos", "M"),
];
const STUDIES: [(&str, &str); 16] = [
    ("CT", "Thorax + Abdomen"),
    ("CT", "Head, non-contrast"),
    ("CT", "Pulmonary angio"),
    ("CT", "Abdomen, venous"),
    ("CT", "Cervical spine"),
    ("MR", "Brain + contrast"),
    ("MR", "Knee left"),
    ("MR", "Lumbar spine"),
    ("MR", "Prostate mp"),
    ("US", "Echo, transthoracic"),
    ("US", "Abdomen"),
    ("US", "Carotid duplex"),
    ("CR", "Chest pa + lat"),
    ("CR", "Hand right 2 pl"),
    ("CR", "Pelvis ap"),
    ("CT", "Staging, follow-up"),
];
