//! Stories of both SDKs on a loop that the test turns: what `sessions.rs` tells of threads, without any.
#![cfg(target_os = "linux")]

#[path = "support/desk.rs"]
mod desk;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use desk::Desk;
use lightbox_client::{Client, Config as ClientConfig, Event as Seen, Held};
use lightbox_codec::geom::Rect;
use lightbox_net::address::Address;
use lightbox_net::lab::relay::Relay;
use lightbox_server::input::Action;
use lightbox_server::{Authenticate, Config, Damage, Event, Grant, Knock, Loop, Refusal, Role, close};
use support::{PATIENCE, connect};

/// A host with nothing to do but to turn its loop.
struct Host(Loop);

impl Host {
    fn new() -> Self {
        Self(Loop::new().unwrap())
    }

    fn desk(&self, config: impl FnOnce(Config) -> Config) -> Desk {
        Desk::new(|plain| config(plain.runtime(self.0.runtime())))
    }

    fn connect(&self, address: impl Into<String>) -> Client {
        Client::connect(self.config(address)).unwrap()
    }

    fn config(&self, address: impl Into<String>) -> ClientConfig {
        ClientConfig::new(address).terminal("story").runtime(self.0.runtime())
    }

    /// Turns the loop until it is so.
    fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < end, "gave up waiting: {what}");
            self.0.wait(Duration::from_millis(100)).unwrap();
            self.0.dispatch().unwrap();
        }
    }

    fn hears(&self, desk: &mut Desk, what: &str, like: impl Fn(&Event) -> bool) {
        self.until(what, || {
            desk.heard.extend(std::iter::from_fn(|| desk.server.events().try_next()));
            desk.heard.iter().any(&like)
        });
        desk.heard.clear();
    }

    fn proves(&self, desk: &Desk, client: &Client) {
        self.until("the picture is proved", || desk.server.is_settled() && client.counts().all_verified());
        desk.proves(client);
    }
}

#[test]
fn two_desktops_and_their_terminals_share_a_loop() {
    let host = Host::new();
    let mut desks = [host.desk(|config| config), host.desk(|config| config)];
    let clients = [0, 1].map(|i: usize| host.connect(desks[i].address()));
    for n in 1..20 {
        for (desk, client) in desks.iter_mut().zip(&clients) {
            desk.paint(Rect::new(n * 7 % 500, n * 13 % 300, 10 + n * 3, 40), n);
            if n % 5 == 0 {
                host.proves(desk, client);
            }
        }
    }
    let key = Action::Key { code: 30, pressed: true };
    clients[1].input(key.clone());
    host.hears(
        &mut desks[1],
        "a key arrives",
        |event| matches!(event, Event::Input { action, .. } if *action == key),
    );
}

#[test]
fn damage_from_another_thread_wakes_the_loop() {
    let host = Host::new();
    let desk = host.desk(|config| config);
    let client = connect(desk.address());
    host.until("the terminal is there", || desk.server.sessions().len() == 1);
    let (output, mut picture) = (desk.output.clone(), desk.picture.clone());
    let painter = thread::spawn(move || {
        for n in 0..2_000u32 {
            let rect = Rect::new(n * 37 % 600, n * 53 % 360, 40, 40);
            picture.as_mut().fill(rect, [n as u8, (n >> 3) as u8, 77, 0xFF]);
            output.submit(picture.as_ref(), Damage::Rects(&[rect])).unwrap();
        }
        picture
    });
    host.until("the painter is through", || painter.is_finished());
    let desk = Desk { picture: painter.join().unwrap(), ..desk };
    host.proves(&desk, &client);
    let frames = desk.server.sessions()[0].1.frames;
    assert!(frames > 1, "it was shown while it changed, in {frames} frames");
}

#[test]
fn a_door_is_opened_and_frames_that_were_taken_are_told_without_a_thread() {
    let host = Host::new();
    let mut desk = host.desk(|config| config.ask(PATIENCE));
    let client = host.connect(desk.address());
    let mut knock = None;
    host.until("somebody knocks", || {
        while let Some(event) = desk.server.events().try_next() {
            if let Event::Knock { id, .. } = event {
                knock = Some(id);
            }
        }
        knock.is_some()
    });
    assert!(desk.server.answer(knock.unwrap(), Ok(Grant::default())));
    host.hears(&mut desk, "the client is in", |event| matches!(event, Event::Joined { .. }));
    for cookie in 1..10u64 {
        desk.paint(Rect::new(0, 0, 640, 400), cookie as u32);
        desk.output.notify(cookie).unwrap();
        let taken =
            |event: &Event| matches!(event, Event::FrameDone { cookie: of, behind: 0, .. } if *of == cookie);
        host.hears(&mut desk, "the frame was taken", taken);
    }
    host.proves(&desk, &client);
}

#[test]
fn a_lost_connection_resumes() {
    let host = Host::new();
    let mut desk = host.desk(|config| config.idle_timeout(Duration::from_secs(2)));
    let cut = Arc::new(AtomicBool::new(false));
    let line = || {
        let cut = cut.clone();
        Box::new(move |now: u64, _: usize| (!cut.load(Ordering::Relaxed)).then_some(now + 500))
    };
    let relay = Relay::start(desk.server.local_addr(), line(), line()).unwrap();
    let mut address: Address = desk.address().parse().unwrap();
    address.port = relay.address().port();
    let config = host.config(address.to_string()).idle_timeout(Duration::from_secs(2));
    let client = Client::connect(config).unwrap();
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    host.proves(&desk, &client);
    cut.store(true, Ordering::Relaxed);
    host.hears(&mut desk, "the line is cut", |event| matches!(event, Event::Detached { .. }));
    host.until("nothing is called verified without a lease", || client.counts().verified == 0);
    desk.paint(Rect::new(100, 100, 70, 30), 2);
    cut.store(false, Ordering::Relaxed);
    host.hears(&mut desk, "the terminal is back", |event| matches!(event, Event::Resumed(_)));
    host.proves(&desk, &client);
    assert_eq!(client.stats().resumed, 1);
}

#[test]
fn a_surface_that_is_held_still_stops_painting_and_nothing_else() {
    let host = Host::new();
    let mut desk = host.desk(|config| config);
    let client = host.connect(desk.address());
    host.proves(&desk, &client);
    let held = client.hold(desk.output.id()).unwrap();
    let rows = |held: &Held| held.image().unwrap().rows().map(<[u8]>::to_vec).collect::<Vec<_>>();
    let before = rows(&held);
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    client.input(Action::Key { code: 30, pressed: true });
    host.hears(&mut desk, "a key arrives", |event| matches!(event, Event::Input { .. }));
    host.until("the picture is on its way", || desk.server.sessions()[0].1.frames > 0);
    assert!(rows(&held) == before);
    drop(held);
    host.proves(&desk, &client);
}

#[test]
fn goodbyes_leave_with_the_turns_after_a_drop() {
    let host = Host::new();
    let desk = host.desk(|config| config);
    let client = host.connect(desk.address());
    host.proves(&desk, &client);
    drop(desk);
    let mut ended = None;
    host.until("the terminal hears of it", || {
        let events = std::iter::from_fn(|| client.events().try_next());
        ended = events.filter_map(|event| if let Seen::Ended(why) = event { Some(why) } else { None }).last();
        ended.is_some()
    });
    assert_eq!(ended.unwrap().code, close::SHUTDOWN);
}

#[test]
fn a_loop_that_is_dropped_says_goodbye_for_those_who_were() {
    let mut desk = Desk::new(|config| config);
    let host = Host::new();
    let client = host.connect(desk.address());
    host.proves(&desk, &client);
    drop(client);
    drop(host);
    let left = desk.hear(|event| matches!(event, Event::Left { .. } | Event::Detached { .. }));
    assert!(matches!(&left, Event::Left { why, .. } if why.code == close::DONE), "{left:?}");
}

#[test]
fn a_client_whose_loop_is_gone_says_that_it_has_ended() {
    let desk = Desk::new(|config| config);
    let host = Host::new();
    let client = host.connect(desk.address());
    host.proves(&desk, &client);
    drop(host);
    let last = std::iter::from_fn(|| client.events().try_next()).last();
    assert!(matches!(last, Some(Seen::Ended(_))), "{last:?}");
}

#[test]
fn who_comes_in_is_asked_on_the_thread_that_turns_the_loop() {
    struct OnThread(thread::ThreadId);
    impl Authenticate for OnThread {
        fn admit(&self, _: &Knock) -> Result<Grant, Refusal> {
            assert_eq!(thread::current().id(), self.0);
            Ok(Grant { role: Role::Control })
        }
    }
    let host = Host::new();
    let desk = host.desk(|config| config.authenticate(Arc::new(OnThread(thread::current().id()))));
    let client = host.connect(desk.address());
    host.proves(&desk, &client);
}
