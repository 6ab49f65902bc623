//! Contracts against everything that could break them: thin paths, changes, and contracts that change meanwhile.

use std::collections::BTreeMap;

use lightbox_codec::geom::{Size, TileGrid};
use lightbox_codec::pixel::{Image, PixelFormat, SampleDepth};
use lightbox_protocol::channel::display::{Agreed, Begin, Passes};
use lightbox_protocol::digest::DigestContext;
use lightbox_protocol::exact::Left;
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::wire::ids::codec;
use proptest::prelude::*;

use super::super::{Keep, Made, Patience, Pool, View};
use super::*;

const SIZE: Size = Size::new(640, 320);

/// What happens between two frames.
#[derive(Clone, Debug)]
enum Step {
    Paint(Rect),
    Contract(Contract, Vec<Rect>),
    Frame(usize),
}

fn rect() -> impl Strategy<Value = Rect> {
    (0..SIZE.w, 0..SIZE.h, 1..300u32, 1..200u32).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
}

fn step() -> impl Strategy<Value = Step> {
    let contract =
        prop_oneof![Just(Contract::NeverLossy), Just(Contract::ExactWithin(Duration::from_millis(5)))];
    prop_oneof![
        rect().prop_map(Step::Paint),
        (contract, prop::collection::vec(rect(), 0..3)).prop_map(|(one, rects)| Step::Contract(one, rects)),
        (1usize..40_000).prop_map(Step::Frame),
        (1usize..4_000).prop_map(Step::Frame),
    ]
}

/// A view, its source, and what its client shows.
struct Scene {
    picture: Image,
    view: View,
    pool: Pool,
    keep: Keep,
    contracts: Contracts,
    never_lossy: Vec<Rect>,
    left: BTreeMap<TileIndex, Left>,
    seq: u64,
    noise: u32,
}

impl Scene {
    fn new() -> Self {
        let format = PixelFormat::Gray16(SampleDepth::new(12).unwrap());
        let picture = Image::new(SIZE, format).unwrap();
        let mut view = View::new(0, &picture, Time(0));
        // Everything that may be shown with an error is.
        view.set_patience(Patience { high: 0.0, first: 0.5 });
        let mut scene = Self {
            picture,
            view,
            pool: Pool::new(0),
            keep: Keep::new([7; 32]),
            contracts: Contracts::default(),
            never_lossy: Vec::new(),
            left: BTreeMap::new(),
            seq: 0,
            noise: 1,
        };
        scene.paint(SIZE.rect());
        scene
    }

    fn paint(&mut self, rect: Rect) {
        let Some(rect) = rect.intersect(SIZE.rect()) else { return };
        let mut all = self.picture.as_mut();
        let mut part = all.crop_mut(rect).unwrap();
        for y in 0..rect.h {
            for (x, sample) in part.row_mut(y).as_chunks_mut::<2>().0.iter_mut().enumerate() {
                self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *sample = (300 + x as u16 * 3 + (self.noise >> 26) as u16).to_le_bytes();
            }
        }
        let tiles: Vec<_> = TileGrid::new(SIZE).touching(rect).collect();
        self.view.damage(tiles, Time(self.seq * 1_000));
    }

    fn contract(&mut self, contract: Contract, rects: &[Rect]) {
        self.contracts.set(contract, rects);
        if contract == Contract::NeverLossy {
            self.never_lossy = rects.into();
        }
        self.view.set_contracts(&self.contracts, Time(self.seq * 1_000));
    }

    /// The next frame, which keeps the contracts.
    fn frame(&mut self, budget: usize) -> Option<Made> {
        self.seq += 1;
        let begin = Begin {
            seq: self.seq,
            context: DigestContext { nonce: [1; 16], surface: 0, generation: 1 },
            budget,
            size: SIZE,
            at: Time(self.seq * 1_000),
            carries: budget.min(3_000),
            passes: Passes { first: true, high_low: true, ..Passes::default() },
            acked_to: self.seq - 1,
            slots: Agreed::default(),
        };
        let (picture, pool, keep) = (&self.picture, &mut self.pool, &mut self.keep);
        let made = self.view.frame(|show| show(picture.as_ref()), &begin, pool, keep)?;
        let grid = TileGrid::new(SIZE);
        for op in &made.frame.ops {
            let Op::Coded { rect, codec: codec::FIRST | codec::HIGH, .. } = op else { continue };
            for tile in grid.touching(*rect).map(|tile| grid.rect(tile)) {
                let broken = self.never_lossy.iter().find(|pinned| pinned.intersect(tile).is_some());
                assert_eq!(broken, None, "a tile at {},{} is lossy", tile.x, tile.y);
            }
        }
        self.left.extend(made.frame.writes.iter().map(|write| (write.tile, write.left)));
        Some(made)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_coarse_operation_meets_a_rect_that_is_never_lossy(steps in prop::collection::vec(step(), 1..24)) {
        let mut scene = Scene::new();
        for step in steps {
            match step {
                Step::Paint(rect) => scene.paint(rect),
                Step::Contract(contract, rects) => scene.contract(contract, &rects),
                Step::Frame(budget) => drop(scene.frame(budget)),
            }
        }
        while scene.frame(20_000).is_some() {}
        prop_assert_eq!(scene.left.len() as u32, TileGrid::new(SIZE).len());
        prop_assert!(scene.left.values().all(|left| matches!(left, Left::Exact(_))));
        prop_assert_eq!(scene.view.late_at(), None);
    }
}

#[test]
fn what_is_shown_with_an_error_is_made_exact_as_soon_as_it_must_be() {
    let mut scene = Scene::new();
    scene.frame(1);
    while scene.view.since().is_some() {
        scene.frame(60_000);
    }
    let grid = TileGrid::new(SIZE);
    assert!(scene.left.values().filter(|left| !matches!(left, Left::Exact(_))).count() > 20);
    // Changes elsewhere do not keep it waiting.
    scene.contract(Contract::NeverLossy, &[Rect::new(300, 100, 200, 100)]);
    scene.paint(Rect::new(0, 0, 64, 64));
    scene.frame(400_000);
    let pinned = grid.touching(Rect::new(300, 100, 200, 100));
    assert!(pinned.into_iter().all(|tile| matches!(scene.left[&tile], Left::Exact(_))));
}

#[test]
fn what_must_be_exact_soon_goes_first_and_is_late_when_the_path_is_too_thin() {
    let mut scene = Scene::new();
    while scene.frame(60_000).is_some() {}
    let soon = Rect::new(576, 256, 64, 64);
    scene.contract(Contract::ExactWithin(Duration::from_millis(2)), &[soon]);
    scene.paint(SIZE.rect());
    let tile = TileGrid::new(SIZE).touching(soon).next().unwrap();
    scene.left.clear();
    let made = scene.frame(100).unwrap();
    assert!(made.frame.writes.iter().any(|write| write.tile == tile), "it goes first");
    // Others have not even been shown, and it is refined.
    let made = scene.frame(100).unwrap();
    assert!(made.frame.refines && matches!(scene.left[&tile], Left::Exact(_)));
    assert!(scene.view.since().is_some() && scene.view.late(Time((scene.seq + 9) * 1_000)) == 0);
    scene.paint(soon);
    assert_eq!(scene.view.late_at(), Some(Time(scene.seq * 1_000 + 2_001)));
    assert_eq!(scene.view.late(Time((scene.seq + 3) * 1_000)), 1);
}

#[test]
fn a_tile_is_late_once_until_it_is_exact() {
    let mut contracts = Contracts::default();
    contracts.set(Contract::ExactWithin(Duration::from_micros(100)), &[Rect::new(60, 0, 10, 10)]);
    let mut terms = Terms::new(&TileGrid::new(Size::new(256, 64)), &contracts);
    for tile in 0..4 {
        terms.changed(tile, Time(1_000));
    }
    assert_eq!((terms.late(Time(1_100)), terms.late_at()), (0, Some(Time(1_101))));
    terms.changed(0, Time(1_050));
    assert_eq!((terms.late(Time(1_101)), terms.late(Time(1_200)), terms.late_at()), (2, 0, None));
    terms.settle(|tile| tile == 0);
    terms.changed(0, Time(1_300));
    assert_eq!(terms.late_at(), Some(Time(1_401)));
}
