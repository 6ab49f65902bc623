//! A session outlives its connections: what both sides still have is kept and proved anew, what is not is sent again.

use std::time::Duration;

use lightbox_protocol::exact::TileState;
use lightbox_protocol::geom::{Rect, TileGrid};
use lightbox_protocol::msg::control::Layout;
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::msg::input::Action;
use lightbox_protocol::pixel::PixelFormat;
use lightbox_protocol::session::client::{Command, Event};
use lightbox_protocol::session::server::{self, Why};
use lightbox_protocol::session::{Cause, Session};

use crate::pair::{Pair, SIZE, new_frame};

const SECOND: Duration = Duration::from_secs(1);

fn fill(rect: Rect, gray: u8) -> Vec<Op> {
    vec![Op::Fill { rect, pixel: [gray, 0, 0, 0] }]
}

fn tile(index: u32) -> Rect {
    TileGrid::new(SIZE).rect(index)
}

/// A pair that shows a picture, all of it verified.
fn verified() -> Pair {
    let mut pair = Pair::new();
    pair.connect();
    pair.paint(fill(SIZE.rect(), 9));
    pair.wait(SECOND);
    assert!(pair.client.counts().all_verified() && pair.server.counts().all_verified());
    pair.take_repairs();
    pair.client_events.clear();
    pair
}

#[test]
fn what_both_have_is_verified_again_and_not_sent_again() {
    let mut pair = verified();
    pair.lose();
    pair.wait(Duration::from_secs(3));
    assert_eq!(pair.client.tile_state(pair.now, 1, 0), TileState::Stale);
    pair.connect();
    pair.wait(SECOND);
    let verified = |event: &Event| matches!(event, Event::Verified { tiles, .. } if tiles.len() == 6);
    assert!(pair.client_events.iter().any(verified), "all is proved anew");
    assert_eq!(pair.take_repairs(), []);
    assert!(!pair.client_events.iter().any(|event| matches!(event, Event::Paint(_))));
    assert!(pair.client.counts().all_verified() && pair.server.counts().all_verified());
    assert_eq!(pair.client.tile_state(pair.now, 1, 0), TileState::Verified);
}

#[test]
fn a_frame_that_was_under_way_is_sent_again() {
    let mut pair = verified();
    pair.hold_frames = true;
    pair.paint(fill(tile(2), 50));
    pair.lose();
    pair.hold_frames = false;
    pair.connect();
    let repairs = pair.take_repairs();
    assert_eq!(repairs.len(), 1);
    assert_eq!((&repairs[0].tiles[..], repairs[0].why), (&[2][..], Why::Lost));
    pair.repair(&[2]);
    pair.wait(SECOND);
    assert_eq!(pair.take_repairs(), []);
    assert!(pair.client.counts().all_verified());
    assert!(pair.shown[&1] == pair.truth);
}

/// The client's word that it could not paint is lost with the connection: its `applied_to` says it again.
#[test]
fn a_frame_that_failed_is_sent_again_even_if_its_nack_was_lost() {
    let mut pair = verified();
    (pair.broken, pair.hold_client) = (true, true);
    pair.paint(fill(tile(3), 60));
    pair.lose();
    (pair.broken, pair.hold_client) = (false, false);
    pair.connect();
    let repairs = pair.take_repairs();
    assert_eq!(repairs.iter().map(|r| &r.tiles[..]).collect::<Vec<_>>(), [&[3][..]]);
    pair.repair(&[3]);
    pair.wait(SECOND);
    assert!(pair.client.counts().all_verified());
    assert!(pair.shown[&1] == pair.truth);
}

#[test]
fn a_surface_that_went_meanwhile_is_forgotten() {
    let mut pair = verified();
    let command = |pair: &mut Pair, command| pair.server.handle(pair.now, Cause::Command(command));
    let second = server::Command::Surface { id: 2, size: SIZE, format: PixelFormat::Gray8 };
    command(&mut pair, second);
    pair.run();
    assert_eq!(pair.client.counts().total, 12);
    pair.lose();
    command(&mut pair, server::Command::SurfaceGone(2));
    command(&mut pair, server::Command::Layout(Layout::default()));
    pair.connect();
    assert!(pair.client_events.contains(&Event::SurfaceGone(2)));
    assert_eq!(pair.client.counts().total, 6);
    pair.wait(SECOND);
    assert!(pair.client.counts().all_verified());
}

/// The frame was made for the old connection: the new one's client does not have what it builds on.
#[test]
fn a_frame_made_for_the_lost_connection_does_not_go_out_on_the_next() {
    let mut pair = verified();
    let begin = pair.server.begin(pair.now, 1).unwrap();
    let frame = new_frame(begin.seq, &begin.context, fill(tile(0), 1), &pair.truth);
    pair.lose();
    assert!(!pair.server.frame(pair.now, &frame));
    pair.connect();
    assert!(!pair.server.frame(pair.now, &frame));
}

#[test]
fn keys_are_up_after_a_loss_and_nothing_is_replayed() {
    let mut pair = verified();
    let key = |code, pressed| Action::Key { code, pressed };
    pair.tell_client(Command::Input(key(42, true)));
    pair.run();
    pair.hold_client = true;
    pair.tell_client(Command::Input(key(30, true)));
    pair.lose();
    pair.hold_client = false;
    pair.connect();
    pair.wait(SECOND);
    let input = pair.server_events.iter().filter_map(|event| match event {
        server::Event::Input(action) => Some(action.clone()),
        _ => None,
    });
    assert_eq!(input.collect::<Vec<_>>(), [key(42, true), key(42, false)]);
}

#[test]
fn keys_are_let_go_when_their_client_falls_silent() {
    let released = server::Event::Input(Action::Key { code: 42, pressed: false });
    let mut pair = verified();
    pair.tell_client(Command::Input(Action::Key { code: 42, pressed: true }));
    pair.wait(Duration::from_secs(10));
    assert!(!pair.server_events.contains(&released), "the client confirms what it holds");
    pair.hold_client = true;
    pair.wait(Duration::from_secs(4));
    assert!(pair.server_events.contains(&released));
}

/// Small heartbeats may pass where large frames do not: what is under way is not shown yet.
#[test]
fn a_frame_that_does_not_arrive_ends_the_lease_though_heartbeats_do() {
    let mut pair = verified();
    pair.hold_frames = true;
    pair.paint(fill(tile(0), 77));
    pair.wait(Duration::from_secs(4));
    assert_eq!(pair.client.tile_state(pair.now, 1, 0), TileState::Stale);
    pair.hold_frames = false;
    pair.run();
    pair.wait(SECOND);
    assert_eq!(pair.client.tile_state(pair.now, 1, 0), TileState::Verified);
}
