//! Real frames through both halves of the display channel, in any order of arrival and any pieces.

use bytes::Bytes;
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{ClientDisplay, NewFrame, Next, Paint, ServerDisplay};
use lightbox_protocol::digest::Digest;
use lightbox_protocol::exact::{Left, SlotUse, Write};
use lightbox_protocol::geom::{Point, Rect, Size, TileGrid, TileIndex, TileMask};
use lightbox_protocol::msg::control::Surface;
use lightbox_protocol::msg::display::{Feedback, Op, Terms};
use lightbox_protocol::msg::update::{Models, Update};
use lightbox_protocol::pixel::{ImageMut, PixelFormat};
use proptest::prelude::*;

use crate::abstract_tiles::surface;

const SIZE: Size = Size::new(192, 128);

struct Picture(Vec<u8>);

impl Picture {
    fn new() -> Self {
        Self(vec![0; SIZE.area() as usize])
    }

    fn image(&mut self) -> ImageMut<'_> {
        ImageMut::new(&mut self.0, SIZE, SIZE.w as usize, PixelFormat::Gray8).expect("a whole image")
    }

    /// Paints `ops` everywhere but in the tiles `keep`.
    fn paint(&mut self, ops: &[Op], keep: &[TileIndex]) {
        let mut before = Picture(self.0.clone());
        for op in ops {
            let done = match op {
                Op::Fill { rect, pixel } => self.image().fill(*rect, *pixel),
                Op::Copy { from, to } => self.image().copy_within(*from, *to),
                _ => false,
            };
            assert!(done, "{op:?}");
        }
        for tile in keep {
            let rect = TileGrid::new(SIZE).rect(*tile);
            let mut old = before.image();
            let old = old.crop_mut(rect).expect("inside");
            self.image().crop_mut(rect).expect("inside").copy_from(old.as_ref());
        }
    }
}

/// A rect inside the surface; often a whole tile.
fn rect() -> impl Strategy<Value = Rect> {
    let any = (0..SIZE.w, 0..SIZE.h, 1u32..100, 1u32..100)
        .prop_map(|(x, y, w, h)| Rect::span(x, y, (x + w).min(SIZE.w), (y + h).min(SIZE.h)));
    prop_oneof![any, (0..6u32).prop_map(|tile| TileGrid::new(SIZE).rect(tile))]
}

fn op() -> impl Strategy<Value = Op> {
    let fill = (rect(), any::<u8>()).prop_map(|(rect, gray)| Op::Fill { rect, pixel: [gray, 0, 0, 0] });
    let copy = (rect(), any::<(u32, u32)>()).prop_map(|(from, (x, y))| {
        let to = Point::new(x % (SIZE.w - from.w + 1), y % (SIZE.h - from.h + 1));
        Op::Copy { from, to }
    });
    prop_oneof![fill, copy]
}

fn new_frame(seq: u64, ops: Vec<Op>) -> NewFrame {
    let grid = TileGrid::new(SIZE);
    let is_own = |op: &Op| matches!(op, Op::Fill { .. } | Op::Update(_));
    let fills = |rect: Rect| ops.iter().any(|op| is_own(op) && op.target().contains(rect));
    let sorted = |tiles: &mut Vec<TileIndex>| {
        tiles.sort_unstable();
        tiles.dedup();
    };
    let mut reads: Vec<_> = ops
        .iter()
        .filter_map(|op| match op {
            Op::Copy { from, .. } => Some(*from),
            _ => None,
        })
        .flat_map(|from| grid.touching(from))
        .collect();
    sorted(&mut reads);
    let mut tiles: Vec<_> = ops.iter().flat_map(|op| grid.touching(op.target())).collect();
    sorted(&mut tiles);
    let write = |tile| Write { tile, whole: fills(grid.rect(tile)), left: Left::Exact(Digest([0; 16])) };
    let writes = tiles.into_iter().map(write).collect();
    let (generation, surface, capture, slots) = (1, 1, Time(seq), SlotUse::default());
    NewFrame { seq, generation, surface, capture, refines: false, ops, reads, writes, slots }
}

proptest! {
    #[test]
    fn any_arrival_ends_in_the_server_s_picture(
        frames in prop::collection::vec(prop::collection::vec(op(), 1..4), 1..10),
        shuffle in prop::collection::vec(any::<prop::sample::Index>(), 10),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut server, mut client) = (ServerDisplay::default(), ClientDisplay::new(SIZE.area()));
        server.surface(surface(1));
        client.surface(Time(0), surface(1)).unwrap();
        let (mut truth, mut shown) = (Picture::new(), Picture::new());
        let mut flying = Vec::new();
        for (i, ops) in frames.iter().enumerate() {
            truth.paint(ops, &[]);
            let bytes = server.frame(&new_frame(i as u64 + 1, ops.clone())).unwrap();
            flying.push((i as u64, bytes));
        }
        for pick in &shuffle {
            if flying.is_empty() {
                break;
            }
            let (id, bytes) = flying.remove(pick.index(flying.len()));
            let at = cut.index(bytes.len());
            client.receive(id, bytes.slice(..at), false).unwrap();
            client.receive(id, bytes.slice(at..), true).unwrap();
            while let Some(next) = client.next_step().unwrap() {
                let Next::Paint(Paint { frame, newer, .. }) = next else { panic!("void") };
                shown.paint(&frame.ops, &newer);
                client.applied(frame.header.seq);
            }
        }
        prop_assert_eq!(client.applied_to(), frames.len() as u64);
        prop_assert_eq!(
            client.feedback(0),
            Feedback { applied_to: frames.len() as u64, ..Feedback::default() }
        );
        prop_assert!(shown.0 == truth.0);
    }
}

#[test]
fn a_frame_waits_for_its_surface_and_is_void_without_it() {
    let mut server = ServerDisplay::default();
    server.surface(surface(1));
    let fill = || vec![Op::Fill { rect: SIZE.rect(), pixel: [7, 0, 0, 0] }];
    let mut send = |seq| server.frame(&new_frame(seq, fill())).unwrap();
    let (first, second) = (send(1), send(2));
    let mut client = ClientDisplay::new(SIZE.area());
    let receive = |client: &mut ClientDisplay, bytes: &Bytes| client.receive(1, bytes.clone(), true).unwrap();
    receive(&mut client, &first);
    assert_eq!(client.next_step(), Ok(None));
    client.surface(Time(0), surface(1)).unwrap();
    assert!(client.surface_gone(1));
    assert_eq!(client.next_step(), Ok(Some(Next::Void(1))));
    assert_eq!(client.applied_to(), 1);
    // Of another generation: void as well.
    client.surface(Time(0), surface(2)).unwrap();
    receive(&mut client, &second);
    assert_eq!(client.next_step(), Ok(Some(Next::Void(2))));
    assert_eq!(client.applied_to(), 2);
}

#[test]
fn registers_are_shared_by_surfaces_and_a_void_frame_leaves_none_that_it_may_have_written() {
    let of = |id| Surface { id, generation: id, format: PixelFormat::Bgrx8, ..surface(1) };
    let (mut server, mut client) = (ServerDisplay::default(), ClientDisplay::new(3 * SIZE.area()));
    server.agree(0, 3);
    client.agree(Terms { models: 3, ..Terms::default() });
    for id in [1, 2, 3] {
        server.surface(of(id));
        client.surface(Time(0), of(id)).unwrap();
    }
    let mut seq = 0;
    let mut send = |id, from, into| {
        seq += 1;
        let grid = TileGrid::new(SIZE);
        let tiles = TileMask::of(grid, [0].into_iter());
        let unit = Update::new(grid, tiles, true, Models { from, into }, Bytes::from_static(&[1]));
        let frame = new_frame(seq, vec![Op::Update(Box::new(unit))]);
        server.frame(&NewFrame { surface: id, generation: id, ..frame }).unwrap()
    };
    let fresh = [send(1, 0, 1), send(2, 1, 2), send(3, 1, 3), send(1, 0, 1), send(2, 2, 2), send(2, 1, 1)];
    let arrive = |client: &mut ClientDisplay, i: usize| {
        client.receive(i as u64, fresh[i].clone(), true).unwrap();
        match client.next_step().unwrap() {
            Some(Next::Paint(paint)) => format!("{} is painted", paint.frame.header.seq),
            other => format!("{other:?}"),
        }
    };
    // By a register that another surface's frame writes, which is not there yet.
    assert_eq!(arrive(&mut client, 1), "None");
    assert_eq!(arrive(&mut client, 0), "1 is painted");
    assert_eq!(client.next_step().map(|next| next.is_some()), Ok(true));
    client.surface_gone(3);
    // It is not known to have written the third register alone.
    assert_eq!(arrive(&mut client, 2), "Some(Void(3))");
    assert_eq!(arrive(&mut client, 4), "Some(Unfounded(5))");
    // But what a later frame wrote is there.
    assert_eq!(arrive(&mut client, 3), "4 is painted");
    assert_eq!(arrive(&mut client, 5), "6 is painted");
    assert_eq!(client.applied_to(), 0);
    assert_eq!(client.feedback(0).beyond, 0b1010);
}

#[test]
fn numbers_are_told_apart_however_many_there_were() {
    let (mut server, mut client) = (ServerDisplay::default(), ClientDisplay::new(SIZE.area()));
    server.surface(surface(1));
    client.surface(Time(0), surface(1)).unwrap();
    for round in 0..9 {
        let mut flying: Vec<_> = (1..=128)
            .map(|i| {
                let fill = Op::Fill { rect: SIZE.rect(), pixel: [7, 0, 0, 0] };
                server.frame(&new_frame(round * 128 + i, vec![fill])).unwrap()
            })
            .collect();
        while let Some(bytes) = flying.pop() {
            client.receive(1, bytes, true).unwrap();
            while let Some(Next::Paint(Paint { frame, .. })) = client.next_step().unwrap() {
                assert_eq!(frame.header.seq, round * 128 + flying.len() as u64 + 1);
                client.applied(frame.header.seq);
            }
        }
        assert_eq!(client.applied_to(), (round + 1) * 128);
    }
}
