//! Where pixels are: points, sizes, rects, regions, and the tile grid of a surface.
//!
//! Coordinates count pixels from the top left corner; y grows downwards. No side is ever longer than
//! [`MAX_SIDE`], so sums of coordinates never overflow a `u32`.

mod mask;
mod region;
mod tiles;

pub use mask::TileMask;
pub use region::Region;
pub use tiles::{TileGrid, TileIndex};

/// The longest side of a surface in pixels. A wall of four 4K monitors fits; a resize bomb does not.
pub const MAX_SIDE: u32 = 16_384;
/// The side of a tile, the cell that is accounted and verified alone.
pub const TILE: u32 = 64;

/// A position in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Point {
    /// Columns from the left edge.
    pub x: u32,
    /// Rows from the top edge.
    pub y: u32,
}

impl Point {
    /// The point at column `x`, row `y`.
    pub const fn new(x: u32, y: u32) -> Self {
        Self { x, y }
    }
}

/// A width and a height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
}

impl Size {
    /// `w` columns by `h` rows.
    pub const fn new(w: u32, h: u32) -> Self {
        Self { w, h }
    }

    /// How many pixels it holds.
    pub const fn area(self) -> u64 {
        self.w as u64 * self.h as u64
    }

    /// True if a side is zero.
    pub const fn is_empty(self) -> bool {
        self.w == 0 || self.h == 0
    }

    /// The rect of this size at the origin.
    pub const fn rect(self) -> Rect {
        Rect { x: 0, y: 0, w: self.w, h: self.h }
    }
}

/// A half-open rectangle: columns `x..x+w`, rows `y..y+h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Leftmost column.
    pub x: u32,
    /// Topmost row.
    pub y: u32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
}

impl Rect {
    /// The rect with its top left corner at (`x`, `y`).
    pub const fn new(x: u32, y: u32, w: u32, h: u32) -> Self {
        Self { x, y, w, h }
    }

    /// The rect that spans columns `x0..x1` and rows `y0..y1`; empty where the end is not after the start.
    pub const fn span(x0: u32, y0: u32, x1: u32, y1: u32) -> Self {
        Self { x: x0, y: y0, w: x1.saturating_sub(x0), h: y1.saturating_sub(y0) }
    }

    /// The first column after it.
    pub const fn right(self) -> u32 {
        self.x.saturating_add(self.w)
    }

    /// The first row after it.
    pub const fn bottom(self) -> u32 {
        self.y.saturating_add(self.h)
    }

    /// Its top left corner.
    pub const fn origin(self) -> Point {
        Point { x: self.x, y: self.y }
    }

    /// Its size.
    pub const fn size(self) -> Size {
        Size { w: self.w, h: self.h }
    }

    /// How many pixels it covers.
    pub const fn area(self) -> u64 {
        self.size().area()
    }

    /// True if it covers no pixel.
    pub const fn is_empty(self) -> bool {
        self.w == 0 || self.h == 0
    }

    /// What both cover; `None` if they share no pixel.
    pub fn intersect(self, other: Rect) -> Option<Rect> {
        let r = Rect::span(
            self.x.max(other.x),
            self.y.max(other.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        );
        (!r.is_empty()).then_some(r)
    }

    /// The smallest rect that covers both; an empty one adds nothing.
    pub fn union(self, other: Rect) -> Rect {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Rect::span(
            self.x.min(other.x),
            self.y.min(other.y),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// True if every pixel of `other` is inside; an empty `other` always is.
    pub const fn contains(self, other: Rect) -> bool {
        other.is_empty()
            || (other.x >= self.x
                && other.y >= self.y
                && other.right() <= self.right()
                && other.bottom() <= self.bottom())
    }

    /// True if the pixel at `p` is inside.
    pub const fn contains_point(self, p: Point) -> bool {
        p.x >= self.x && p.y >= self.y && p.x < self.right() && p.y < self.bottom()
    }

    /// The same size at another place.
    pub const fn at(self, origin: Point) -> Rect {
        Rect { x: origin.x, y: origin.y, w: self.w, h: self.h }
    }
}
