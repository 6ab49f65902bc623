//! Stories of a host that has an encoder of its own: who decodes sees video while it moves, and everybody the exact
//! picture once it rests.

#[path = "../support/desk.rs"]
mod desk;
mod film;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use desk::Desk;
use film::{Blocks, Film, Viewer};
use lightbox_cli::encoder::Encode;
use lightbox_client::{Client, Codec, Config, OpenDecoder, TileState, UNSTATED};
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::PixelFormat;
use lightbox_server::{AccessUnit, Colour, Damage, Event, SubmitError, UnitError};
use support::{connect, until};

#[test]
fn video_is_shown_while_it_moves_and_proved_once_it_rests() {
    story(Box::new(Blocks::default()), |config| config.decoder(&[Codec::Hevc], blocks()));
}

/// The same with a codec that the world knows, in software on both sides.
#[cfg(feature = "video")]
#[test]
fn h264_is_shown_while_it_moves_and_proved_once_it_rests() {
    story(lightbox_cli::encoder::open("h264").unwrap(), Config::software_video);
}

fn story(encoder: Box<dyn Encode>, with_decoder: fn(Config) -> Config) {
    let mut desk = Desk::new(|config| config);
    let viewer = Client::connect(with_decoder(Config::new(desk.address()))).unwrap();
    let plain = connect(desk.address());
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    let mut film = Film::new(&desk, encoder);
    until("video is shown", || {
        film.play(&mut desk);
        film.is_shown_by(&viewer)
    });
    // Far from the film nothing changes, and what is proved there stays proved while the film goes on.
    until("the rest is proved", || {
        film.play(&mut desk);
        [&viewer, &plain].iter().all(|client| client.tile_state(0, 69) == TileState::Verified)
    });
    desk.proves(&viewer);
    desk.proves(&plain);
    let has_video = |client: &Client| client.stats().techniques.contains_key("unit");
    assert!(has_video(&viewer) && !has_video(&plain));
    assert_eq!((viewer.stats().failed, plain.stats().failed), (0, 0));
}

#[test]
fn who_comes_in_the_middle_gets_a_key_frame() {
    let mut desk = Desk::new(|config| config);
    let first = watch(&mut desk, blocks());
    let mut film = Film::new(&desk, Box::new(Blocks::default()));
    until("video is shown", || {
        film.play(&mut desk);
        film.is_shown_by(&first)
    });
    let keys = film.keys;
    let second = watch(&mut desk, blocks());
    until("video is shown to the second as well", || {
        film.play(&mut desk);
        film.is_shown_by(&second)
    });
    assert!(film.keys > keys, "a key frame was asked for");
    desk.proves(&first);
    desk.proves(&second);
}

#[test]
fn a_unit_that_cannot_be_decoded_costs_a_key_frame_and_nothing_else() {
    let mut desk = Desk::new(|config| config);
    let fails = Arc::new(AtomicU32::new(1));
    let failing = fails.clone();
    let open: Arc<OpenDecoder> = Arc::new(move |_| Some(Box::new(Viewer::failing(failing.clone()))));
    let client = watch(&mut desk, open);
    let mut film = Film::new(&desk, Box::new(Blocks::default()));
    until("video is shown", || {
        film.play(&mut desk);
        film.is_shown_by(&client)
    });
    fails.store(0, Ordering::Relaxed);
    until("a unit fails", || {
        film.play(&mut desk);
        client.stats().failed > 0
    });
    let units = |client: &Client| client.stats().techniques.get("unit").map_or(0, |(pixels, _)| *pixels);
    let before = units(&client);
    until("video goes on", || {
        film.play(&mut desk);
        units(&client) > before
    });
    desk.proves(&client);
}

#[test]
fn units_that_an_output_cannot_have_are_refused_and_nothing_is_taken() {
    let mut desk = Desk::new(|config| config);
    let rect = Rect::new(0, 0, 640, 400);
    let unit = AccessUnit { codec: Codec::H264, key: true, rect, colour: Colour::default(), bytes: &[1] };
    desk.picture.as_mut().fill(rect, [1, 2, 3, 4]);
    let submit = |unit: &AccessUnit<'_>| {
        let outcome = desk.output.submit_coded(desk.picture.as_ref(), Damage::Unknown, unit);
        assert_eq!(desk.output.stats().submitted, u64::from(outcome.is_ok()));
        outcome.map(|took| took.tiles)
    };
    let refused = |error: UnitError| Err(SubmitError::Unit(error));
    assert_eq!(submit(&AccessUnit { key: false, ..unit }), refused(UnitError::NoRun));
    assert_eq!(submit(&AccessUnit { rect: Rect::new(1, 0, 640, 400), ..unit }), refused(UnitError::Rect));
    assert_eq!(submit(&AccessUnit { rect: Rect::default(), ..unit }), refused(UnitError::Rect));
    let length = UnitError::Length { limit: lightbox_protocol::msg::video::MAX_UNIT, got: 0 };
    assert_eq!(submit(&AccessUnit { bytes: &[], ..unit }), refused(length));
    assert_eq!(submit(&unit), Ok(70));
    let another = AccessUnit { key: false, codec: Codec::Hevc, ..unit };
    let outcome = desk.output.submit_coded(desk.picture.as_ref(), Damage::Unknown, &another);
    assert_eq!(outcome, refused(UnitError::NoRun).map(|_: u32| Default::default()));

    let gray = Desk::of(Size::new(64, 64), PixelFormat::Gray8, |config| config);
    let unit = AccessUnit { rect: Rect::new(0, 0, 64, 64), ..unit };
    let outcome = gray.output.submit_coded(gray.picture.as_ref(), Damage::Unknown, &unit);
    assert_eq!(outcome, Err(SubmitError::Unit(UnitError::Format(PixelFormat::Gray8))));
}

/// A client that decodes, connected.
fn watch(desk: &mut Desk, open: Arc<OpenDecoder>) -> Client {
    let config = Config::new(desk.address()).terminal("video").decoder(&[Codec::H264, Codec::Hevc], open);
    let client = Client::connect(config).unwrap();
    desk.hear(|event| matches!(event, Event::Joined { .. }));
    client
}

fn blocks() -> Arc<OpenDecoder> {
    Arc::new(|_| Some(Box::new(Viewer::default())))
}

/// Whether the host heard that somebody waits for a key frame.
fn wants_key(desk: &mut Desk) -> bool {
    while let Some(event) = desk.server.events().next_within(Duration::ZERO) {
        desk.heard.push(event);
    }
    let wants = desk.heard.iter().any(|event| *event == Event::WantKeyFrame { output: desk.output.id() });
    desk.heard.retain(|event| !matches!(event, Event::WantKeyFrame { .. }));
    wants
}

impl Film {
    /// The next picture of the film, as the host's GPU and framebuffer have it.
    fn play(&mut self, desk: &mut Desk) {
        let wants_key = wants_key(desk) || self.is_new();
        let damage = self.turn(&mut desk.picture);
        let (bytes, key) = self.encode(&desk.picture, wants_key);
        let rect = desk.picture.size().rect();
        let unit = AccessUnit { codec: self.codec(), key, rect, colour: Colour::default(), bytes: &bytes };
        desk.output.submit_coded(desk.picture.as_ref(), Damage::Rects(&damage), &unit).unwrap();
        std::thread::park_timeout(Duration::from_millis(8));
    }

    fn is_shown_by(&self, client: &Client) -> bool {
        client.tile_error(0, self.tile()) == Some(UNSTATED)
    }
}
