//! SPEC.md 5.3: any order that `base` permits ends in the picture of the order by number.

use lightbox_protocol::digest::Digest;
use lightbox_protocol::exact::{ClientLedger, ServerLedger};
use lightbox_protocol::geom::TileIndex;
use proptest::prelude::*;

use crate::abstract_tiles::{Picture, Step, TILES, paint, reads, steps, surface, writes};

/// A frame as it is on its way.
#[derive(Clone, Debug)]
struct Flying {
    base: u64,
    steps: Vec<Step>,
    reads: Vec<TileIndex>,
    tiles: Vec<TileIndex>,
}

/// Frames 1, 2, ... with the bases that the server's ledger gives them.
fn send(all: &[Vec<Step>]) -> Vec<Flying> {
    let mut ledger = ServerLedger::new(surface(1));
    let send = |(i, steps): (usize, &Vec<Step>)| {
        let (reads, writes) = (reads(steps), writes(steps, |_| Digest([0; 16])));
        let base = ledger.base(&reads, &writes);
        ledger.sent(i as u64 + 1, &reads, &writes);
        Flying { base, steps: steps.clone(), reads, tiles: writes.iter().map(|w| w.tile).collect() }
    };
    all.iter().enumerate().map(send).collect()
}

/// The picture before the first frame and after each, by number.
fn history(all: &[Flying]) -> Vec<Picture> {
    let mut pictures = vec![Picture::default()];
    for (i, frame) in all.iter().enumerate() {
        let mut next = pictures[i];
        paint(&mut next, i as u64 + 1, &frame.steps, &[]);
        pictures.push(next);
    }
    pictures
}

/// A client after some of the frames.
#[derive(Clone)]
struct Client {
    ledger: ClientLedger,
    picture: Picture,
    epochs: [u64; TILES],
    /// Bit `i`: frame `i + 1` was begun.
    begun: u32,
}

/// Whether a client keeps tiles that later frames painted. Only the rule as it is holds; the other shows why.
#[derive(Clone, Copy, PartialEq)]
enum Newer {
    Kept,
    PaintedOver,
}

/// Tries every order. The number of orders; or the order in which a tile did not show what it shows by number.
fn try_all(all: &[Flying], newer: Newer) -> Result<usize, Vec<u64>> {
    let client = Client {
        ledger: ClientLedger::new(surface(1)),
        picture: Picture::default(),
        epochs: [0; TILES],
        begun: 0,
    };
    explore(&client, all, &history(all), newer, &mut Vec::new())
}

fn explore(
    client: &Client,
    all: &[Flying],
    history: &[Picture],
    newer: Newer,
    order: &mut Vec<u64>,
) -> Result<usize, Vec<u64>> {
    if order.len() == all.len() {
        return Ok(1);
    }
    let mut orders = 0;
    for (i, frame) in all.iter().enumerate() {
        let before = (1u32 << frame.base) - 1;
        if client.begun >> i & 1 == 1 || client.begun & before != before {
            continue;
        }
        order.push(i as u64 + 1);
        let mut next = client.clone();
        if !begin(&mut next, i as u64 + 1, frame, history, newer) {
            return Err(order.clone());
        }
        orders += explore(&next, all, history, newer, order)?;
        order.pop();
    }
    Ok(orders)
}

/// Begins and paints a frame. False if a tile then shows anything but what its epoch says.
fn begin(client: &mut Client, seq: u64, frame: &Flying, history: &[Picture], newer: Newer) -> bool {
    let keep = client.ledger.begin(seq, frame.tiles.iter().copied());
    for tile in &frame.tiles {
        let epoch = &mut client.epochs[*tile as usize];
        assert_eq!(*epoch > seq, keep.contains(tile), "the ledger has another epoch");
        *epoch = seq.max(*epoch);
    }
    let keep = if newer == Newer::Kept { keep } else { Vec::new() };
    assert!(frame.reads.iter().all(|tile| !keep.contains(tile)), "a source was painted over");
    paint(&mut client.picture, seq, &frame.steps, &keep);
    client.begun |= 1 << (seq - 1);
    (0..TILES).all(|tile| client.picture[tile] == history[client.epochs[tile] as usize][tile])
}

proptest! {
    /// Not only the last picture: after each frame every tile shows what its epoch says, or digests would differ.
    #[test]
    fn every_permitted_order_ends_in_the_same_picture(all in prop::collection::vec(steps(), 1..=6)) {
        let frames = send(&all);
        let orders = try_all(&frames, Newer::Kept);
        prop_assert!(orders.is_ok(), "{:?} breaks {:?}", orders, frames);
    }
}

#[test]
fn independent_frames_go_in_any_order() {
    let all: Vec<_> = (0..5).map(|tile| vec![Step::PaintWhole(tile)]).collect();
    assert_eq!(try_all(&send(&all), Newer::Kept), Ok(120));
}

#[test]
fn a_kept_or_copied_tile_must_be_there() {
    let all =
        [vec![Step::PaintWhole(0)], vec![Step::Paint((0, 1))], vec![Step::Copy { from: (0, 0), to: (1, 0) }]];
    let mut frames = send(&all);
    assert_eq!([frames[1].base, frames[2].base], [1, 2]);
    assert_eq!(try_all(&frames, Newer::Kept), Ok(1));
    frames[1].base = 0;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![2]));
    frames[1].base = 1;
    frames[2].base = 0;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![3]));
}

#[test]
fn a_tile_that_is_still_copied_from_must_not_be_painted_over() {
    let all =
        [vec![Step::PaintWhole(0)], vec![Step::Copy { from: (0, 0), to: (1, 0) }], vec![Step::PaintWhole(0)]];
    let mut frames = send(&all);
    assert_eq!(frames[2].base, 2);
    frames[2].base = 0;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![1, 3, 2]));
}

#[test]
fn a_later_frame_s_tiles_are_kept() {
    let all = [vec![Step::PaintWhole(0), Step::PaintWhole(1)], vec![Step::PaintWhole(0)]];
    let frames = send(&all);
    assert_eq!(try_all(&frames, Newer::Kept), Ok(2));
    assert_eq!(try_all(&frames, Newer::PaintedOver), Err(vec![2, 1]));
}
