//! The cursor's channel at the server: its newest picture and place, and when they leave.

use core::time::Duration;

use bytes::Bytes;

use crate::Time;
use crate::msg::display::{CursorPosition, CursorShape};
use crate::rate::Estimate;
use crate::wire::Encode;

/// Shapes leave at most this often: an animated cursor must not hold up frames.
const SHAPE_GAP: Duration = Duration::from_millis(50);
/// The next shape waits until the path could have carried so many times the one before.
const SHARE: u64 = 4;

/// The server's half. Of several shapes between two turns only the newest leaves.
#[derive(Debug, Default)]
pub struct ServerCursor {
    shape: Option<CursorShape>,
    at: Option<CursorPosition>,
    is_due: bool,
    next_shape: Time,
}

impl ServerCursor {
    /// No cursor yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The cursor's picture; an older one than is known changes nothing.
    pub fn set_shape(&mut self, shape: CursorShape) {
        if self.shape.as_ref().is_none_or(|known| known.seq < shape.seq) {
            self.shape = Some(shape);
            self.is_due = true;
        }
    }

    /// Where the cursor is. True if that is news.
    pub fn set_at(&mut self, at: CursorPosition) -> bool {
        let is_news = self.at.is_none_or(|known| known.seq < at.seq);
        if is_news {
            self.at = Some(at);
        }
        is_news
    }

    /// A client is there that knows nothing yet.
    pub fn attach(&mut self) {
        self.is_due = self.shape.is_some();
        self.next_shape = Time(0);
    }

    /// The place, to be said again now and then: the last datagram of a movement may have been lost.
    pub fn place(&self) -> Option<Bytes> {
        self.at.map(|at| at.to_bytes().into())
    }

    /// When [`Self::take_shape`] has something to give.
    pub fn next_tick(&self) -> Option<Time> {
        self.is_due.then_some(self.next_shape)
    }

    /// The shape that is to leave by `now`, with its number.
    pub fn take_shape(&mut self, now: Time, path: &Estimate) -> Option<(u64, Bytes)> {
        if !self.is_due || now < self.next_shape {
            return None;
        }
        let shape = self.shape.as_ref()?;
        let bytes = Bytes::from(shape.to_bytes());
        self.is_due = false;
        // Round trips that the path needs for four times as much, so that shapes take a quarter of it at the most.
        let rounds = (SHARE * bytes.len() as u64).div_ceil(path.window.max(1)).min(64) as u32;
        self.next_shape = now + SHAPE_GAP.max(path.srtt * rounds);
        Some((shape.seq, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geom::{Point, Size};

    fn shape(seq: u64) -> CursorShape {
        let bgra = Bytes::from_static(&[0; 16]);
        CursorShape { seq, size: Size::new(2, 2), hotspot: Point::new(0, 0), bgra }
    }

    #[test]
    fn an_animated_cursor_leaves_out_pictures_and_ends_at_the_newest() {
        let (mut cursor, path) = (ServerCursor::new(), Estimate::default());
        let mut left = alloc::vec::Vec::new();
        for i in 0..100 {
            let now = Time(i * 10_000);
            cursor.set_shape(shape(i + 1));
            left.extend(cursor.take_shape(now, &path).map(|(seq, _)| seq));
        }
        left.extend(cursor.next_tick().and_then(|at| cursor.take_shape(at, &path)).map(|(seq, _)| seq));
        assert_eq!((left.len(), left.first(), left.last()), (21, Some(&1), Some(&100)));
        cursor.set_shape(shape(7));
        assert_eq!(cursor.next_tick(), None, "an old picture is no news");
        cursor.attach();
        assert_eq!(cursor.take_shape(Time(0), &path).map(|(seq, _)| seq), Some(100));
    }
}
