//! Where everything stands on a desktop of a given size.

use lightbox_codec::geom::{Rect, Size};

/// The smallest desktop on which everything still has a place.
pub(crate) const MIN: Size = Size::new(800, 560);

/// The rects of the desktop's parts: disjoint, except that the floating window is wherever it was dragged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) screen: Size,
    /// The bar on top: program, user, clock.
    pub(crate) top: Rect,
    /// The work list.
    pub(crate) list: Rect,
    /// An earlier report, to scroll through.
    pub(crate) prior: Rect,
    /// The stack of images.
    pub(crate) stack: Rect,
    /// The ultrasound cine.
    pub(crate) cine: Rect,
    /// The report that is being written.
    pub(crate) editor: Rect,
    /// The line at the bottom.
    pub(crate) status: Rect,
}

impl Layout {
    /// Wide screens give the stack a column of its own; others put both image panes into one.
    pub(crate) fn of(screen: Size) -> Self {
        let Size { w, h } = screen;
        let top = Rect::new(0, 0, w, TOP);
        let status = Rect::new(0, h - STATUS, w, STATUS);
        let (y, end) = (TOP + GAP, h - STATUS - GAP);
        let height = end - y;
        let column = |x0: u32, x1: u32| Rect::span(x0, y, x1, end);
        let split = |c: Rect, share: u32| {
            let first = height * share / 100;
            (Rect { h: first, ..c }, Rect::span(c.x, y + first + GAP, c.right(), end))
        };
        if w >= 1500 {
            let (a, b) = (w * 32 / 100, w * 71 / 100);
            let (list, prior) = split(column(GAP, a), 56);
            let stack = column(a + GAP, b);
            let (cine, editor) = split(column(b + GAP, w - GAP), 52);
            return Self { screen, top, list, prior, stack, cine, editor, status };
        }
        let (a, b) = (w * 45 / 100, w * 72 / 100);
        let (list, editor) = split(column(GAP, a), 50);
        let prior = column(a + GAP, b);
        let (stack, cine) = split(column(b + GAP, w - GAP), 52);
        Self { screen, top, list, prior, stack, cine, editor, status }
    }

    /// A desktop that is all stack.
    pub(crate) fn of_stack(screen: Size) -> Self {
        let none = Rect::default();
        let stack = screen.rect();
        let [top, list, prior, cine, editor, status] = [none; 6];
        Self { screen, top, list, prior, stack, cine, editor, status }
    }

    /// What is left of a pane below its title.
    pub(crate) fn inside(pane: Rect) -> Rect {
        Rect::span(pane.x + 1, pane.y + PANE_TITLE, pane.right() - 1, pane.bottom() - 1)
    }
}

/// The height of a pane's title.
pub(crate) const PANE_TITLE: u32 = 26;
const TOP: u32 = 38;
const STATUS: u32 = 24;
const GAP: u32 = 6;
