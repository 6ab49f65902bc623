//! Stories of both SDKs over real QUIC on loopback.

#[path = "support/desk.rs"]
mod desk;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use desk::Desk;
use lightbox_client::{Client, Config as ClientConfig, Event as Seen};
use lightbox_codec::geom::{Point, Rect, Size};
use lightbox_codec::pixel::{Image, PixelFormat, SampleDepth};
use lightbox_codec::screen::scaled::Source;
use lightbox_net::address::Address;
use lightbox_net::lab::relay::Relay;
use lightbox_server::input::{Action, Place};
use lightbox_server::{Damage, Event, Kernel, Scale, ScaledError, ScaledImage, SubmitError};
use support::{connect, until};

#[test]
fn what_is_submitted_is_shown_and_proved() {
    let mut desk = Desk::new(|config| config);
    let client = connect(desk.address());
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    desk.proves(&client);
    for n in 2..40 {
        desk.paint(Rect::new(n * 7 % 500, n * 13 % 300, 10 + n * 3, 40), n);
    }
    desk.proves(&client);
}

#[test]
fn a_scaled_image_arrives_as_its_source() {
    let mut desk = Desk::new(|config| config);
    let client = connect(desk.address());
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    desk.proves(&client);
    let (rect, from) = (Rect::new(37, 11, 560, 380), Size::new(280, 190));
    let scale = Scale::fit(Kernel::SKIA, from, rect.size());
    for n in 2..6u32 {
        let mut slice = Image::new(from, PixelFormat::Gray8).unwrap();
        for y in 0..from.h {
            (0..).zip(slice.as_mut().row_mut(y)).for_each(|(x, sample)| {
                *sample = ((x * x + y * y + x * y * n) % (40 + n) + x / 4) as u8;
            });
        }
        desk.output.show_scaled(&[ScaledImage { rect, image: slice.as_ref(), scale }]).unwrap();
        let mut picture = desk.picture.as_mut();
        let source = Source::new(slice.as_ref()).unwrap();
        assert!(source.paint(&scale, &mut picture.crop_mut(rect).unwrap()));
        // A label over it; and once the host is wrong about all of it.
        picture.fill(Rect::new(50, 20, 100, 12), [n as u8, 200, 0, 0xFF]);
        if n == 4 {
            picture.copy_within(Rect::new(38, 12, 500, 300), Point::new(37, 11));
        }
        desk.output.submit(desk.picture.as_ref(), Damage::Rects(&[rect])).unwrap();
        desk.proves(&client);
    }
    let sessions = desk.server.sessions();
    assert_eq!(sessions[0].1.techniques["scaled"].rects, 3, "{:?}", sessions[0].1.techniques);
    let outside = ScaledImage { rect: Rect::new(600, 0, 41, 20), image: desk.picture.as_ref(), scale };
    assert_eq!(desk.output.show_scaled(&[outside]), Err(SubmitError::Scaled(ScaledError::Rect)));
}

#[test]
fn deep_gray_arrives_as_it_is() {
    for depth in [10, 12, 16] {
        let format = PixelFormat::Gray16(SampleDepth::new(depth).unwrap());
        let size = Size::new(512, 300);
        let mut desk = Desk::of(size, format, |config| config);
        let client = connect(desk.address());
        // Every code of the depth, as a ramp.
        let mut image = Image::new(size, format).unwrap();
        for y in 0..size.h {
            for (x, pixel) in image.as_mut().row_mut(y).chunks_exact_mut(2).enumerate() {
                let code = ((y * size.w + x as u32) % (1 << depth)) as u16;
                pixel.copy_from_slice(&code.to_le_bytes());
            }
        }
        desk.picture = image;
        desk.output.submit(desk.picture.as_ref(), Damage::Unknown).unwrap();
        desk.proves(&client);
    }
}

#[test]
fn ten_bits_of_colour_arrive_as_they_are() {
    let size = Size::new(400, 300);
    let mut desk = Desk::of(size, PixelFormat::Bgrx10, |config| config);
    let client = connect(desk.address());
    // Ramps of every value, one of which no desktop of eight bits has; and a part that such a one would have.
    for y in 0..size.h {
        for (x, pixel) in desk.picture.as_mut().row_mut(y).as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let x = x as u32;
            let eight = x / 9 * 40 % 256;
            let grey = (eight << 2 | eight >> 6) * 0x10_0401;
            let ramps =
                [x * 3 + y, y * 5, x + y].into_iter().rev().fold(0, |px, ten| (px << 10) + ten % 1024);
            // The two bits that carry nothing are ones at the other end.
            *pixel = ((if y < 100 { grey } else { ramps }) | 3 << 30).to_le_bytes();
        }
    }
    desk.output.submit(desk.picture.as_ref(), Damage::Unknown).unwrap();
    desk.proves(&client);
}

#[test]
fn damage_that_was_not_reported_is_found() {
    let mut desk = Desk::new(|config| config.sweep(16));
    let client = connect(desk.address());
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    desk.proves(&client);
    desk.picture.as_mut().fill(Rect::new(333, 222, 2, 1), [1, 2, 3, 0xFF]);
    for _ in 0..desk.picture.size().area().div_ceil(64 * 64 * 16) + 1 {
        desk.output.submit(desk.picture.as_ref(), Damage::Rects(&[])).unwrap();
    }
    desk.hear(|event| matches!(event, Event::UnderReported { tiles: 1, .. }));
    desk.proves(&client);
    assert_eq!(desk.output.stats().under_reported, 1);
}

#[test]
fn a_ticket_admits_once_and_a_kept_one_again() {
    let mut desk = Desk::new(|config| config);
    let address = desk.address();
    let first = connect(&address);
    desk.hear(|event| matches!(event, Event::Joined { .. }));
    assert!(refusal(&connect(&address)).contains("ticket"));
    desk.paint(Rect::new(10, 10, 50, 50), 3);
    desk.proves(&first);

    let desk = Desk::new(|config| config.keep_tickets(true));
    let address = desk.address();
    let (one, two) = (connect(&address), connect(&address));
    desk.proves(&one);
    desk.proves(&two);
}

#[test]
fn another_key_than_the_address_says_is_refused_by_the_client() {
    let (desk, other) = (Desk::new(|config| config), Desk::new(|config| config));
    let mut address: Address = desk.address().parse().unwrap();
    address.fingerprint = Some(other.server.fingerprint());
    let why = refusal(&connect(address.to_string()));
    assert!(why.contains("key") || why.contains("fingerprint"), "{why}");
    assert!(desk.server.sessions().is_empty());
}

#[test]
fn keys_arrive_once_and_in_order_and_are_let_go() {
    let mut desk = Desk::new(|config| config);
    let client = connect(desk.address());
    desk.proves(&client);
    let place = |x| Place { output: 0, x, y: 5 };
    let mut sent = Vec::new();
    for i in 0..400u16 {
        let key = Action::Key { code: 2 + i % 40, pressed: i % 2 == 0 };
        client.input(key.clone());
        sent.push(key);
    }
    let click = Action::Button { code: 0x110, pressed: true, at: Some(place(77)) };
    client.input(click.clone());
    sent.push(click);
    let mut got = Vec::new();
    while got.len() < sent.len() {
        let Event::Input { action, .. } = desk.hear(|event| matches!(event, Event::Input { .. })) else {
            unreachable!("only input was looked for")
        };
        got.push(action);
    }
    assert_eq!(got, sent);
    client.unfocus();
    desk.hear(|event| {
        matches!(event, Event::Input { action: Action::Button { code: 0x110, pressed: false, .. }, .. })
    });
    // A place on a monitor that is not there goes nowhere, and one beside its monitor goes to the edge.
    client.input(Action::Button { code: 0x111, pressed: true, at: Some(Place { output: 7, x: 1, y: 1 }) });
    client.input(Action::Button { code: 0x112, pressed: true, at: Some(place(9_999)) });
    let at_the_edge = Action::Button { code: 0x112, pressed: true, at: Some(place(639)) };
    desk.hear(|event| matches!(event, Event::Input { action, .. } if *action == at_the_edge));
    assert!(
        !desk.heard.iter().any(|event| {
            matches!(event, Event::Input { action: Action::Button { code: 0x111, .. }, .. })
        }),
        "a button on a monitor that is not there"
    );
    client.input(Action::Pointer(place(99)));
    desk.hear(|event| matches!(event, Event::Input { action: Action::Pointer(at), .. } if *at == place(99)));
}

#[test]
fn monitors_come_and_go_and_change_their_size() {
    let mut desk = Desk::new(|config| config);
    let client = connect(desk.address());
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    desk.proves(&client);
    let gray = PixelFormat::Gray16(SampleDepth::new(12).unwrap());
    let second = desk.server.add_output(Size::new(300, 500), gray).unwrap();
    let mut shot = Image::new(Size::new(300, 500), gray).unwrap();
    shot.as_mut().fill(Rect::new(20, 30, 200, 100), [0xCD, 0x0A, 0, 0]);
    second.submit(shot.as_ref(), Damage::Unknown).unwrap();
    until("both monitors are proved", || desk.server.is_settled() && client.counts().all_verified());
    assert_eq!(client.with_surface(second.id(), |image| image.rows().eq(shot.as_ref().rows())), Some(true));
    let layout = loop {
        if let Some(Seen::Layout(layout)) = client.events().next_within(support::PATIENCE)
            && layout.outputs.len() == 2
        {
            break layout;
        }
    };
    assert_eq!(layout.outputs[1].x, 640, "the second stands to the right of the first");

    let id = second.id();
    drop(second);
    until("the second is gone", || client.with_surface(id, |_| ()).is_none());
    desk.output.resize(Size::new(800, 600), PixelFormat::Bgrx8).unwrap();
    desk.picture = Image::new(Size::new(800, 600), PixelFormat::Bgrx8).unwrap();
    desk.paint(Rect::new(0, 0, 800, 600), 9);
    desk.proves(&client);
}

#[test]
fn a_client_with_another_address_stays() {
    let mut desk = Desk::new(|config| config);
    let client = connect(desk.address());
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    desk.proves(&client);
    for n in 0..5 {
        client.rebind();
        desk.paint(Rect::new(0, 0, 640, 400), 2 + n);
        desk.proves(&client);
    }
    assert_eq!(client.stats().resumed, 0, "it is the same connection");
    assert_eq!(desk.server.sessions().len(), 1);
}

#[test]
fn a_lost_connection_resumes_with_what_both_sides_have() {
    let mut desk = Desk::new(|config| config.idle_timeout(Duration::from_secs(2)));
    let cut = Arc::new(AtomicBool::new(false));
    let line = || {
        let cut = cut.clone();
        Box::new(move |now: u64, _: usize| (!cut.load(Ordering::Relaxed)).then_some(now + 500))
    };
    let relay = Relay::start(desk.server.local_addr(), line(), line()).unwrap();
    let mut address: Address = desk.address().parse().unwrap();
    address.port = relay.address().port();
    let config = ClientConfig::new(address.to_string()).idle_timeout(Duration::from_secs(2));
    let client = Client::connect(config).unwrap();
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    desk.proves(&client);
    client.input(Action::Key { code: 42, pressed: true });
    desk.hear(|event| matches!(event, Event::Input { action: Action::Key { code: 42, pressed: true }, .. }));

    cut.store(true, Ordering::Relaxed);
    desk.hear(|event| matches!(event, Event::Input { action: Action::Key { code: 42, pressed: false }, .. }));
    desk.hear(|event| matches!(event, Event::Detached { .. }));
    until("nothing is called verified without a lease", || client.counts().verified == 0);
    until("the person hears what is wrong", || {
        let told = client.events().next_within(Duration::from_millis(20));
        matches!(told, Some(Seen::Lost(why)) if why.reason.contains("no answer from"))
    });
    desk.paint(Rect::new(100, 100, 70, 30), 2);
    let before = desk.server.sessions()[0].1.frame_bytes;
    cut.store(false, Ordering::Relaxed);
    desk.hear(|event| matches!(event, Event::Resumed(_)));
    desk.proves(&client);
    assert_eq!(client.stats().resumed, 1);
    let after = desk.server.sessions()[0].1.frame_bytes;
    assert!(after - before < before / 2, "only what changed was sent: {} of {before} bytes", after - before);
}

fn refusal(client: &Client) -> String {
    loop {
        match client.events().next_within(support::PATIENCE) {
            Some(Seen::Ended(why)) => return why.reason,
            Some(_) => (),
            None => panic!("no refusal came"),
        }
    }
}
