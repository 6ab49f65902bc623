use std::sync::Arc;
use std::time::Duration;

use lightbox_codec::geom::{Rect, TileIndex};
use lightbox_net::driver::Shared;
use lightbox_net::events::Merge;
use lightbox_protocol::Time;
use lightbox_protocol::channel::stream::{MAX_STREAMS, StreamEvent};
use lightbox_protocol::msg::control::{Close, Layout, Role, SessionId, Surface};
use lightbox_protocol::msg::display::{CursorPosition, CursorShape};
use lightbox_protocol::msg::input::Locks;
use lightbox_protocol::session::client::{ClientSession, Command};
use lightbox_protocol::wire::ids::close;

/// What a client tells its application.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The server let the client in.
    Connected {
        /// The session's name.
        session: SessionId,
        /// It goes on where it was before the connection was lost.
        resumed: bool,
        /// What the person may do.
        role: Role,
    },
    /// There is a surface of this size; blank unless it goes on from before.
    Surface(Surface),
    /// The surface of this number is no more.
    SurfaceGone(u32),
    /// Where outputs are, and which surface each shows.
    Layout(Layout),
    /// Samples of a surface changed.
    Updated {
        /// Which surface.
        surface: u32,
        /// Where. They may overlap.
        rects: Vec<Rect>,
        /// The frame's number.
        frame: u64,
        /// When the picture was taken, on the server's clock in microseconds, if the frame says so: small ones do a few
        /// times in a second.
        capture_us: Option<u64>,
        /// When it was painted, on this machine's monotonic clock.
        at: Time,
        /// How long after the picture was taken that was, with an error of half a round trip; `None` before the first
        /// heartbeat, and where `capture_us` is.
        age: Option<Duration>,
    },
    /// Tiles are proved to show the source's samples.
    Verified {
        /// Of which surface.
        surface: u32,
        /// Which.
        tiles: Vec<TileIndex>,
    },
    /// The cursor's picture.
    CursorShape(CursorShape),
    /// Where the cursor is, if the server moved it.
    CursorAt(CursorPosition),
    /// The guest's lock keys.
    Leds(Locks),
    /// Something happened to a byte stream.
    Stream(StreamEvent),
    /// The connection is gone, and the client tries to get it back; told again when another reason keeps it from that.
    Lost(Close),
    /// The session is over. Nothing follows.
    Ended(Close),
}

/// Room for events that wait for the application; most weigh 1.
const ROOM: usize = 4_096;
/// Events beyond that, merged: one for each surface and kind, and what can be told of all byte streams.
const MAX_LATE: usize = 64 + 4 * 2 * MAX_STREAMS;
/// Rects of an update that is merged from several; where there are more, it says one that holds them all.
const MAX_RECTS: usize = 64;
/// Bytes of an event that weigh as much as a small event.
const UNIT: usize = 1_024;

/// The application's end of the events.
pub type Events = lightbox_net::events::Events<Event>;

/// The client's end.
pub(crate) type EventSink = lightbox_net::events::Sink<Event>;

pub(crate) fn channel() -> (EventSink, Events) {
    lightbox_net::events::channel(ROOM)
}

/// Tells the application of a client's session, and ends a session whose events it cannot be told.
#[derive(Clone)]
pub(crate) struct Teller {
    to: EventSink,
    link: Arc<Shared<ClientSession>>,
}

impl Teller {
    pub(crate) fn new(to: EventSink, link: Arc<Shared<ClientSession>>) -> Self {
        Self { to, link }
    }

    pub(crate) fn tell(&self, event: Event) {
        if !self.to.tell(event) {
            let why = "the server changes surfaces faster than the application reads its events";
            self.link.command(Command::Close(Close::new(close::LIMIT, why)));
        }
    }

    /// The session is over, whether there is room for it or not.
    pub(crate) fn ended(&self, why: Close) {
        self.to.tell_last(Event::Ended(why));
    }
}

/// An application that does not keep up loses nothing but repetitions: it hears the newest of each kind, and of
/// updates where samples changed meanwhile.
impl Merge for Event {
    fn weight(&self) -> usize {
        let bytes = match self {
            Event::Updated { rects, .. } => size_of_val(&rects[..]),
            Event::Verified { tiles, .. } => size_of_val(&tiles[..]),
            Event::CursorShape(shape) => shape.bgra.len(),
            _ => 0,
        };
        1 + bytes / UNIT
    }

    fn merge(mut self, late: &mut Vec<Self>) -> bool {
        late.retain(|older| !self.absorbs(older));
        let room = late.len() < MAX_LATE || matches!(self, Event::Ended(_));
        if room {
            late.push(self);
        }
        room
    }
}

impl Event {
    /// True if an older event need not be told, because this one now says as much.
    fn absorbs(&mut self, older: &Event) -> bool {
        match (self, older) {
            (Event::Updated { surface, rects, .. }, Event::Updated { surface: of, rects: before, .. })
                if surface == of =>
            {
                rects.extend_from_slice(before);
                if rects.len() > MAX_RECTS {
                    *rects = rects.iter().copied().reduce(Rect::union).into_iter().collect();
                }
                true
            }
            (Event::Verified { surface, tiles }, Event::Verified { surface: of, tiles: before })
                if surface == of =>
            {
                tiles.extend_from_slice(before);
                tiles.sort_unstable();
                tiles.dedup();
                true
            }
            // A surface that begins anew or ends takes along what was said of it.
            (new @ (Event::Surface(_) | Event::SurfaceGone(_)), old) => {
                new.surface().is_some() && new.surface() == old.surface()
            }
            (Event::Connected { .. } | Event::Lost(_), Event::Connected { .. } | Event::Lost(_))
            | (Event::Layout(_), Event::Layout(_))
            | (Event::CursorShape(_), Event::CursorShape(_))
            | (Event::CursorAt(_), Event::CursorAt(_))
            | (Event::Leds(_), Event::Leds(_)) => true,
            _ => false,
        }
    }

    /// The surface it speaks of.
    fn surface(&self) -> Option<u32> {
        match self {
            Event::Surface(surface) => Some(surface.id),
            Event::SurfaceGone(surface)
            | Event::Updated { surface, .. }
            | Event::Verified { surface, .. } => Some(*surface),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;
    use lightbox_codec::pixel::PixelFormat;

    use super::*;

    fn updated(surface: u32, frame: u64, rect: Rect) -> Event {
        Event::Updated { surface, rects: vec![rect], frame, capture_us: None, at: Time(0), age: None }
    }

    #[test]
    fn who_does_not_read_misses_no_rect_and_no_end() {
        let (sink, events) = channel();
        for frame in 0..10_000u64 {
            assert!(sink.tell(updated(1, frame, Rect::new(frame as u32 % 100 * 10, 0, 10, 10))));
            assert!(sink.tell(updated(2, frame, Rect::new(0, 0, 1, 1))));
            assert!(sink.tell(Event::Verified { surface: 1, tiles: vec![frame as u32 % 7] }));
        }
        sink.tell_last(Event::Ended(Close::new(0, "done")));
        let all: Vec<_> = std::iter::from_fn(|| events.try_next()).collect();
        assert!(all.len() <= ROOM + 4);
        assert!(matches!(all.last(), Some(Event::Ended(_))));
        let newest = all
            .iter()
            .rev()
            .find(|event| event.surface() == Some(1) && !matches!(event, Event::Verified { .. }));
        let Some(Event::Updated { rects, frame: 9_999, .. }) = newest else { panic!("{newest:?}") };
        assert_eq!(rects.iter().copied().reduce(Rect::union), Some(Rect::new(0, 0, 1000, 10)));
    }

    #[test]
    fn a_surface_that_begins_anew_takes_along_what_was_said_of_it() {
        let surface = |w| Surface {
            id: 1,
            generation: 1,
            nonce: [0; 16],
            size: Size::new(w, 10),
            format: PixelFormat::Gray8,
        };
        let mut late = Vec::new();
        for event in [
            Event::Surface(surface(100)),
            updated(1, 1, Rect::new(90, 0, 10, 10)),
            updated(2, 2, Rect::new(0, 0, 1, 1)),
            Event::Verified { surface: 1, tiles: vec![1] },
            Event::Surface(surface(50)),
        ] {
            assert!(event.merge(&mut late));
        }
        assert_eq!(late, [updated(2, 2, Rect::new(0, 0, 1, 1)), Event::Surface(surface(50))]);
    }

    #[test]
    fn a_server_that_invents_surfaces_fills_no_memory() {
        let mut late = Vec::new();
        let told = (0..1_000).filter(|id| Event::SurfaceGone(*id).merge(&mut late)).count();
        assert_eq!((told, late.len()), (MAX_LATE, MAX_LATE));
        assert!(Event::Ended(Close::new(0, "done")).merge(&mut late));
    }
}
