//! What a view does with access units: who gets them, and what is exact afterwards.

use std::sync::Arc;

use bytes::Bytes;
use lightbox_codec::geom::{Rect, Size, TileIndex};
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{Agreed, Begin, Passes};
use lightbox_protocol::digest::DigestContext;
use lightbox_protocol::exact::{Left, Write};
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::msg::video::{Colour, Unit, VideoCodecs};
use lightbox_protocol::session::server::{Repair, Why};
use lightbox_protocol::wire::ids::codec;

use super::super::{Contract, Contracts, Keep, Made, Pool, SubmittedUnit, View};

/// Five columns and three rows of tiles.
const SIZE: Size = Size::new(320, 192);

struct Scene {
    picture: Image,
    view: View,
    pool: Pool,
    keep: Keep,
    now: Time,
    seq: u64,
    number: u64,
    connection: u64,
    codecs: Vec<u64>,
}

impl Scene {
    /// A client that decodes H.264 and has everything.
    fn new() -> Self {
        let picture = Image::new(SIZE, PixelFormat::Bgrx8).unwrap();
        let view = View::new(0, &picture, Time(0));
        let mut scene = Self {
            picture,
            view,
            pool: Pool::new(0),
            keep: Keep::new([7; 32]),
            now: Time(0),
            seq: 0,
            number: 0,
            connection: 1,
            codecs: vec![codec::H264],
        };
        while scene.frame().is_some() {}
        scene
    }

    /// The source changes in `rect`, and its encoder has a unit of that.
    fn play(&mut self, rect: Rect, key: bool) {
        self.paint(rect);
        self.unit(SIZE.rect(), key);
    }

    fn paint(&mut self, rect: Rect) {
        self.now.0 += 1_000;
        let level = self.now.0 as u8;
        self.picture.as_mut().fill(rect, [level, level / 3, 7, 0xFF]);
        let tiles: Vec<_> = self.view.grid.touching(rect).collect();
        self.view.damage(tiles, self.now);
    }

    fn unit(&mut self, rect: Rect, key: bool) {
        self.number += 1;
        let data = Bytes::from_static(b"unit");
        let unit = Unit { rect, codec: codec::H264, key, colour: Colour::default(), data };
        self.view.unit(&Arc::new(SubmittedUnit { number: self.number, at: self.now, unit }));
    }

    fn frame(&mut self) -> Option<Made> {
        self.seq += 1;
        let begin = Begin {
            seq: self.seq,
            context: DigestContext { nonce: [1; 16], surface: 0, generation: 1 },
            budget: 1 << 20,
            size: SIZE,
            at: self.now,
            carries: 1 << 20,
            passes: Passes { video: VideoCodecs::of(&self.codecs), ..Passes::default() },
            acked_to: self.seq - 1,
            slots: Agreed { connection: self.connection, cells: 0, models: 0 },
        };
        let picture = &self.picture;
        self.view.frame(|show| show(picture.as_ref()), &begin, &mut self.pool, &mut self.keep)
    }

    /// What the next frame shows as video, and what exactly.
    fn sends(&mut self) -> Option<(Vec<TileIndex>, Vec<TileIndex>)> {
        let made = self.frame()?;
        let is_video = made.frame.ops.iter().any(|op| matches!(op, Op::Video(_)));
        let (video, exact): (Vec<&Write>, Vec<&Write>) =
            made.frame.writes.iter().partition(|write| write.left == Left::First);
        assert!(video.is_empty() || is_video && video.iter().all(|write| write.whole));
        let tiles = |writes: Vec<&Write>| writes.iter().map(|w| w.tile).collect();
        Some((tiles(video), tiles(exact)))
    }

    fn rest(&mut self) {
        self.now.0 += 300_000;
    }
}

#[test]
fn a_unit_takes_the_changes_that_it_covers_and_they_become_exact_once_they_rest() {
    let mut scene = Scene::new();
    scene.play(Rect::new(70, 70, 10, 10), true);
    assert_eq!(scene.sends(), Some((vec![6], vec![])));
    assert_eq!((scene.view.since(), scene.sends()), (None, None), "it moves still");
    scene.play(Rect::new(70, 70, 100, 10), false);
    assert_eq!(scene.sends(), Some((vec![6, 7], vec![])));
    assert_eq!(scene.view.refines_from(), Some(Time(scene.now.0 + 200_000)));
    scene.rest();
    assert_eq!(scene.sends(), Some((vec![], vec![6, 7])));
    assert!(!scene.view.is_coarse() && scene.sends().is_none());
    // A unit in which nothing changed is sent all the same: the next builds on it.
    scene.unit(SIZE.rect(), false);
    assert_eq!(scene.sends(), Some((vec![], vec![])));
}

#[test]
fn what_a_unit_covers_in_part_and_what_has_a_contract_goes_exactly() {
    let mut scene = Scene::new();
    let mut contracts = Contracts::default();
    contracts.set(Contract::NeverLossy, &[Rect::new(0, 64, 1, 1)]);
    scene.view.set_contracts(&contracts, scene.now);
    scene.paint(Rect::new(0, 64, 320, 64));
    scene.unit(Rect::new(0, 64, 250, 64), true);
    assert_eq!(scene.sends(), Some((vec![6, 7], vec![])));
    assert_eq!(scene.sends(), Some((vec![], vec![5, 8, 9])));
    // And what is video already, once it has one.
    contracts.set(Contract::NeverLossy, &[Rect::new(64, 64, 1, 1)]);
    scene.view.set_contracts(&contracts, scene.now);
    assert_eq!(scene.sends(), Some((vec![], vec![6])));
}

#[test]
fn a_client_without_the_run_or_the_codec_is_served_without_video() {
    let mut scene = Scene::new();
    let all = SIZE.rect();
    scene.play(Rect::new(0, 0, 64, 64), false);
    assert_eq!(scene.sends(), Some((vec![], vec![0])), "no key frame yet");
    assert!(scene.view.take_want_of_key() && !scene.view.take_want_of_key());
    scene.play(Rect::new(0, 0, 64, 64), true);
    assert_eq!(scene.sends(), Some((vec![0], vec![])));
    assert!(!scene.view.take_want_of_key());
    // Another connection has another decoder.
    scene.play(Rect::new(0, 0, 64, 64), false);
    scene.connection += 1;
    assert_eq!(scene.sends(), Some((vec![], vec![0])));
    scene.unit(all, true);
    assert_eq!(scene.sends(), Some((vec![], vec![])));
    scene.connection += 1;
    scene.codecs.clear();
    scene.play(Rect::new(0, 0, 64, 64), false);
    assert_eq!(scene.sends(), Some((vec![], vec![0])));
    scene.play(Rect::new(0, 0, 64, 64), true);
    assert_eq!(scene.sends(), Some((vec![], vec![0])));
    scene.view.take_want_of_key();
    scene.play(Rect::new(0, 0, 64, 64), false);
    assert!(!scene.view.take_want_of_key(), "who decodes nothing asks for nothing");
}

#[test]
fn too_many_units_that_wait_end_the_run_and_a_key_frame_stands_for_all_before_it() {
    let mut scene = Scene::new();
    scene.unit(SIZE.rect(), true);
    for _ in 0..7 {
        scene.play(Rect::new(0, 0, 64, 64), false);
    }
    assert!(scene.view.since().is_some());
    scene.play(Rect::new(64, 0, 64, 64), true);
    assert_eq!(scene.sends(), Some((vec![0, 1], vec![])));
    assert_eq!(scene.sends(), None, "the others need not be sent");
    for _ in 0..9 {
        scene.play(Rect::new(0, 0, 64, 64), false);
    }
    assert_eq!(scene.sends(), Some((vec![], vec![0])));
}

#[test]
fn a_decoder_that_fails_again_and_again_is_left_alone_for_a_while() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        scene.play(Rect::new(0, 0, 64, 64), true);
        assert_eq!(scene.sends(), Some((vec![0], vec![])));
        let repair = Repair { surface: 0, tiles: vec![0], why: Why::Unpainted, ends_run: true };
        scene.view.repair(&repair, scene.now);
        scene.play(Rect::new(0, 0, 64, 64), false);
        assert_eq!(scene.sends(), Some((vec![], vec![0])));
    }
    assert!(scene.view.take_want_of_key());
    scene.play(Rect::new(0, 0, 64, 64), true);
    assert_eq!(scene.sends(), Some((vec![], vec![0])));
    scene.play(Rect::new(0, 0, 64, 64), false);
    assert!(!scene.view.take_want_of_key());
    scene.now.0 += 60_000_000;
    scene.play(Rect::new(0, 0, 64, 64), true);
    assert_eq!(scene.sends(), Some((vec![0], vec![])));
}
