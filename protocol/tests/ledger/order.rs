//! SPEC.md 5.3: any order that `base` permits ends in the picture of the order by number.

use std::collections::BTreeSet;

use lightbox_protocol::Time;
use lightbox_protocol::digest::Digest;
use lightbox_protocol::exact::{ClientLedger, ModelLedger, Registers, ServerLedger, SlotLedger, TileState};
use lightbox_protocol::geom::TileIndex;
use lightbox_protocol::msg::update::Models;
use proptest::prelude::*;

use crate::abstract_tiles::{
    Aside, CELLS, ERRORS, Kind, Passes, Picture, REGISTERS, Step, TILES, change, lawful, number, ops, paint,
    reads, slots, start, steps, surface, writes,
};

/// A frame as it is on its way.
#[derive(Clone, Debug)]
struct Flying {
    base: u64,
    steps: Vec<Step>,
    reads: Vec<TileIndex>,
    tiles: Vec<TileIndex>,
    /// The server's snapshot after it.
    source: Picture,
    /// What it and those before it leave in each tile.
    passes: Passes,
}

/// Frames 1, 2, ... with the bases that the server's ledger gives them.
fn send(all: &[Vec<Step>]) -> Vec<Flying> {
    let (mut ledger, mut kept) = (ServerLedger::new(surface(1)), SlotLedger::new(CELLS));
    let (mut passes, mut source) = (Passes::default(), Picture::default());
    let (mut models, mut sure) = (ModelLedger::new(REGISTERS), BTreeSet::new());
    let (mut next, mut aside) = (0, Aside::default());
    let send = |(i, steps): (usize, &Vec<Step>)| {
        let seq = i as u64 + 1;
        let mut steps = lawful(steps.clone(), &mut passes, &BTreeSet::new());
        number(&mut steps, &mut next, 0);
        start(&mut steps, &mut sure);
        change(&mut source, &mut aside, seq, &mut steps);
        let (reads, slots, ops) = (reads(&steps), slots(&steps), ops(&steps));
        let writes = writes(&steps, &passes, |_| Digest([0; 16]));
        let base = [ledger.base(&reads, &writes), kept.base(&slots), models.base(&ops)];
        let base = base.into_iter().max().unwrap_or(0);
        ledger.sent(seq, &reads, &writes);
        kept.sent(seq, &slots);
        models.sent(seq, &ops);
        let tiles = writes.iter().map(|w| w.tile).collect();
        Flying { base, steps, reads, tiles, source, passes }
    };
    all.iter().enumerate().map(send).collect()
}

/// The picture before the first frame and after each, by number, and what is kept beside it in the end.
fn history(all: &[Flying]) -> (Vec<Picture>, Aside) {
    let (mut pictures, mut aside) = (vec![Picture::default()], Aside::default());
    for (i, frame) in all.iter().enumerate() {
        let mut next = pictures[i];
        paint(&mut next, &mut aside, i as u64 + 1, &frame.steps, &frame.source, &[]);
        pictures.push(next);
    }
    (pictures, aside)
}

/// A client after some of the frames.
#[derive(Clone)]
struct Client {
    ledger: ClientLedger,
    registers: Registers,
    picture: Picture,
    aside: Aside,
    epochs: [u64; TILES],
    passes: Passes,
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
        registers: Registers::default(),
        picture: Picture::default(),
        aside: Aside::default(),
        epochs: [0; TILES],
        passes: Passes::default(),
        begun: 0,
    };
    explore(&client, all, &history(all), newer, &mut Vec::new())
}

fn explore(
    client: &Client,
    all: &[Flying],
    history: &(Vec<Picture>, Aside),
    newer: Newer,
    order: &mut Vec<u64>,
) -> Result<usize, Vec<u64>> {
    if order.len() == all.len() {
        return if client.aside == history.1 { Ok(1) } else { Err(order.clone()) };
    }
    let mut orders = 0;
    for (i, frame) in all.iter().enumerate() {
        let before = (1u32 << frame.base) - 1;
        if client.begun >> i & 1 == 1 || client.begun & before != before {
            continue;
        }
        order.push(i as u64 + 1);
        let mut next = client.clone();
        if !begin(&mut next, i as u64 + 1, frame, &history.0, newer) {
            return Err(order.clone());
        }
        orders += explore(&next, all, history, newer, order)?;
        order.pop();
    }
    Ok(orders)
}

/// Begins and paints a frame. False if a tile then shows anything but what its epoch says.
fn begin(client: &mut Client, seq: u64, frame: &Flying, history: &[Picture], newer: Newer) -> bool {
    let begun = client.ledger.begin(seq, &ops(&frame.steps));
    if begun.is_unfounded || !client.registers.begin(seq, &ops(&frame.steps)) {
        return false;
    }
    assert_eq!(begun.tiles, frame.tiles);
    for tile in &frame.tiles {
        let epoch = &mut client.epochs[*tile as usize];
        assert_eq!(*epoch > seq, begun.newer.contains(tile), "the ledger has another epoch");
        if *epoch <= seq {
            (*epoch, client.passes[*tile as usize]) = (seq, frame.passes[*tile as usize]);
        }
    }
    let keep = if newer == Newer::Kept { begun.newer } else { Vec::new() };
    assert!(frame.reads.iter().all(|tile| !keep.contains(tile)), "a source was painted over");
    let all_there = paint(&mut client.picture, &mut client.aside, seq, &frame.steps, &frame.source, &keep);
    client.begun |= 1 << (seq - 1);
    client.ledger.painted(Time(0), seq, begun.tiles.into_iter());
    for tile in (0..TILES).filter(|tile| client.epochs[*tile] > 0) {
        let state = match client.passes[tile] {
            Kind::Blank | Kind::Exact => TileState::Exact,
            Kind::First => TileState::Painted,
            Kind::High => TileState::Refining,
        };
        assert_eq!(client.ledger.state(tile as TileIndex), state, "tile {tile}");
    }
    all_there && (0..TILES).all(|tile| client.picture[tile] == history[client.epochs[tile] as usize][tile])
}

proptest! {
    /// Not only the last picture: after each frame every tile shows what its epoch says, or digests would differ.
    #[test]
    fn every_permitted_order_ends_in_the_same_picture(
        all in prop::collection::vec(steps(), 1..=6),
        is_painted in any::<bool>(),
    ) {
        // Units read many tiles, and are alone where these were never painted.
        let first = is_painted.then(|| (0..TILES).map(Step::PaintWhole).collect());
        let all: Vec<_> = first.into_iter().chain(all).collect();
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
fn low_bits_wait_for_the_high_bits_and_a_new_picture_for_the_low_ones() {
    let all = [vec![Step::High(0)], vec![Step::Low(0)], vec![Step::High(0)], vec![Step::Low(0)]];
    let frames = send(&all);
    assert_eq!(frames.iter().map(|f| f.base).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(try_all(&frames, Newer::Kept), Ok(1));
}

#[test]
fn low_bits_without_high_ones_paint_nothing_that_is_called_exact() {
    let mut ledger = ClientLedger::new(surface(1));
    let mut begin = |seq, step| {
        let begun = ledger.begin(seq, &ops(&[step]));
        ledger.painted(Time(0), seq, begun.tiles.into_iter());
        (begun.is_unfounded, ledger.state(0), ledger.error(0))
    };
    let [first, high] = ERRORS;
    assert_eq!(begin(1, Step::Low(0)), (true, TileState::Dirty, None));
    assert_eq!(begin(2, Step::High(0)), (false, TileState::Refining, Some(high)));
    assert_eq!(begin(3, Step::Low(0)), (false, TileState::Exact, Some(0)));
    assert_eq!(begin(4, Step::Low(0)), (true, TileState::Dirty, None));
    assert_eq!(begin(5, Step::First(0)), (false, TileState::Painted, Some(first)));
    assert_eq!(begin(6, Step::Low(0)), (true, TileState::Dirty, None));
}

#[test]
fn what_a_lawless_server_spreads_is_not_called_exact() {
    let mut ledger = ClientLedger::new(surface(1));
    let mut paint = |seq, step| {
        let tiles = ledger.begin(seq, &ops(&[step])).tiles;
        ledger.painted(Time(0), seq, tiles.into_iter());
    };
    paint(1, Step::PaintWhole(0));
    paint(2, Step::PaintWhole(1));
    paint(3, Step::High(2));
    paint(4, Step::Copy { from: (2, 0), to: (0, 0) });
    paint(5, Step::Paint((2, 0)));
    let painted = (TileState::Painted, Some(ERRORS[1]));
    let exact = (TileState::Exact, Some(0));
    for (tile, state) in [(0, painted), (1, exact), (2, painted)] {
        assert_eq!((ledger.state(tile), ledger.error(tile)), state, "tile {tile}");
    }
    let counts = ledger.counts();
    assert_eq!((counts.exact, counts.refining, counts.max_error), (1, 2, ERRORS[1]));
}

#[test]
fn a_slot_must_be_filled_before_it_is_shown_and_shown_before_it_is_displaced() {
    let store = |tile| Step::Store { tile, slot: 0 };
    let all = [
        vec![Step::PaintWhole(0), store(0)],
        vec![Step::Show { slot: 0, tile: 1 }],
        vec![Step::PaintWhole(2), store(2), store(2), store(2)],
    ];
    let mut frames = send(&all);
    assert_eq!(frames.iter().map(|f| f.base).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(try_all(&frames, Newer::Kept), Ok(1));
    frames[1].base = 0;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![2]));
    frames[1].base = 1;
    frames[2].base = 0;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![1, 3, 2]));
}

#[test]
fn a_tile_that_is_put_aside_as_it_was_must_be_there_and_one_painted_whole_need_not() {
    let store = Step::Store { tile: 0, slot: 0 };
    let all = [vec![Step::PaintWhole(0)], vec![store, Step::PaintWhole(0)], vec![Step::PaintWhole(0), store]];
    assert_eq!(send(&all).iter().map(|f| f.base).collect::<Vec<_>>(), [0, 1, 2]);
    let all = [vec![Step::PaintWhole(0), store], vec![Step::PaintWhole(0)]];
    assert_eq!(try_all(&send(&all), Newer::Kept), Ok(2));
}

/// A unit over the tiles whose bits are set.
fn unit(tiles: u8, alone: bool, from: u8, into: u8) -> Step {
    Step::Unit { tiles, alone, models: Models { from, into }, saw: 0 }
}

#[test]
fn a_register_must_be_written_before_it_is_started_from_and_started_from_before_it_is_overwritten() {
    let all = [
        vec![unit(0b00_0001, true, 0, 1)],
        vec![unit(0b00_0010, true, 1, 2)],
        vec![unit(0b00_0100, true, 1, 0)],
        vec![unit(0b10_0000, true, 0, 1)],
    ];
    let mut frames = send(&all);
    assert_eq!(frames.iter().map(|f| f.base).collect::<Vec<_>>(), [0, 1, 1, 3]);
    assert_eq!(try_all(&frames, Newer::Kept), Ok(2));
    frames[1].base = 0;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![2]));
    frames[1].base = 1;
    frames[3].base = 2;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![1, 2, 4, 3]));
}

#[test]
fn what_is_built_on_must_be_there_and_stay_until_it_was_read() {
    let all = [
        (0..TILES).map(Step::PaintWhole).collect(),
        vec![unit(0b00_0001, false, 0, 0)],
        // Beside it, and so read.
        vec![Step::PaintWhole(4)],
        // Not beside it.
        vec![Step::PaintWhole(2)],
        vec![Step::Inter { at: (2, 1), saw: 0 }],
    ];
    let mut frames = send(&all);
    assert_eq!(frames.iter().map(|f| f.base).collect::<Vec<_>>(), [0, 1, 2, 0, 4]);
    assert!(try_all(&frames, Newer::Kept).is_ok());
    frames[2].base = 0;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![1, 3, 2]));
    frames[2].base = 2;
    frames[1].base = 0;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![2]));
    frames[1].base = 1;
    frames[4].base = 1;
    assert_eq!(try_all(&frames, Newer::Kept), Err(vec![1, 2, 3, 5]));
}

#[test]
fn nothing_is_built_on_what_is_not_exact() {
    let mut ledger = ClientLedger::new(surface(1));
    let mut begin = |seq, steps: &[Step]| {
        let begun = ledger.begin(seq, &ops(steps));
        if begun.is_unfounded {
            ledger.failed(seq);
        } else {
            ledger.painted(Time(0), seq, begun.tiles.into_iter());
        }
        (begun.is_unfounded, ledger.state(0))
    };
    let inter = Step::Inter { at: (0, 0), saw: 0 };
    let near = unit(0b00_0001, false, 0, 0);
    let whole: Vec<_> = (0..TILES).map(Step::PaintWhole).collect();
    assert_eq!(begin(1, &[inter]), (true, TileState::Dirty));
    assert_eq!(begin(2, &whole), (false, TileState::Exact));
    assert_eq!(begin(3, &[inter, near]), (false, TileState::Exact));
    assert_eq!(begin(4, &[Step::High(4)]), (false, TileState::Exact));
    assert_eq!(begin(5, &[near]), (true, TileState::Dirty));
    // Also not on what a frame was to leave that could not be painted.
    assert_eq!(begin(6, &[Step::PaintWhole(4), near]), (true, TileState::Dirty));
    assert_eq!(
        begin(7, &[unit(0b00_0001, true, 0, 0), Step::PaintWhole(4), near]),
        (false, TileState::Exact)
    );
    // Nor on what a later frame painted.
    assert_eq!(begin(9, &[Step::PaintWhole(4)]), (false, TileState::Exact));
    assert_eq!(begin(8, &[near]), (true, TileState::Dirty));
    // Nor on a tile of which a part, or of whose copy the source, is what that frame left, until it comes whole.
    assert_eq!(begin(10, &[Step::Paint((0, 1))]), (false, TileState::Exact));
    let other = Step::Inter { at: (1, 0), saw: 0 };
    assert!(begin(11, &[Step::Copy { from: (0, 0), to: (1, 0) }, other]).0 && begin(12, &[inter]).0);
    assert_eq!(begin(13, &[Step::PaintWhole(0), inter]), (false, TileState::Exact));
}

#[test]
fn a_later_frame_s_tiles_are_kept() {
    let all = [vec![Step::PaintWhole(0), Step::PaintWhole(1)], vec![Step::PaintWhole(0)]];
    let frames = send(&all);
    assert_eq!(try_all(&frames, Newer::Kept), Ok(2));
    assert_eq!(try_all(&frames, Newer::PaintedOver), Err(vec![2, 1]));
}
