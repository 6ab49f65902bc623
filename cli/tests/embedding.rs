//! What hosts and terminals that embed the SDKs rely on, over real QUIC on loopback: words of frames taken, contracts,
//! admission by question, surfaces in memory of their own.

#[path = "support/desk.rs"]
mod desk;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use desk::Desk;
use lightbox_client::{Allocate, Client, Config as ClientConfig, Event as Seen, Memory, Role};
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::PixelFormat;
use lightbox_server::{Contract, Event, Grant, Refusal};
use support::{PATIENCE, connect, until};

fn done(desk: &mut Desk, cookie: u64) -> usize {
    desk.output.notify(cookie).unwrap();
    let is_it = |event: &Event| matches!(event, Event::FrameDone { cookie: of, .. } if *of == cookie);
    let Event::FrameDone { output, behind, .. } = desk.hear(is_it) else { unreachable!() };
    assert_eq!(output, desk.output.id());
    behind
}

#[test]
fn a_host_hears_when_what_it_submitted_was_taken() {
    let mut desk = Desk::new(|config| config);
    // Nobody is there to wait for.
    assert_eq!(done(&mut desk, 1), 0);
    let client = connect(desk.address());
    desk.hear(|event| matches!(event, Event::Joined { .. }));
    for cookie in 2..20 {
        desk.paint(Rect::new(0, 0, 640, 400), cookie as u32);
        assert_eq!(done(&mut desk, cookie), 0);
    }
    desk.proves(&client);
    desk.output.resize(Size::new(800, 600), PixelFormat::Bgrx8).unwrap();
    assert_eq!(done(&mut desk, 20), 0);
    drop(client);
    desk.hear(|event| matches!(event, Event::Left { .. }));
    assert_eq!(done(&mut desk, 21), 0);
}

#[test]
fn what_must_be_exact_in_no_time_is_late_and_told() {
    let mut desk = Desk::new(|config| config);
    let client = connect(desk.address());
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    desk.proves(&client);
    desk.output.contract(Contract::ExactWithin(Duration::ZERO), &[Rect::new(0, 0, 64, 64)]);
    desk.output.contract(Contract::NeverLossy, &[Rect::new(0, 0, 640, 400)]);
    let id = desk.output.id();
    // A tile outside of it is nobody's promise, and the one inside takes longer than no time at all.
    desk.paint(Rect::new(300, 300, 10, 10), 2);
    desk.paint(Rect::new(0, 0, 10, 10), 3);
    let late = desk.hear(|event| matches!(event, Event::Late { .. }));
    assert!(matches!(late, Event::Late { output, tiles: 1, .. } if output == id), "{late:?}");
    assert_eq!(desk.server.sessions()[0].1.late_tiles, 1);
    desk.proves(&client);
}

/// What the client hears at the end of its session.
fn end(client: &Client) -> String {
    loop {
        match client.events().next_within(PATIENCE) {
            Some(Seen::Ended(why)) => return why.reason,
            Some(_) => (),
            None => panic!("the session goes on"),
        }
    }
}

#[test]
fn the_application_opens_the_door() {
    let mut desk = Desk::new(|config| config.ask(PATIENCE));
    let knock = |desk: &mut Desk| {
        let Event::Knock { id, knock } = desk.hear(|event| matches!(event, Event::Knock { .. })) else {
            unreachable!()
        };
        (id, knock)
    };
    let client = connect(desk.address());
    let (id, who) = knock(&mut desk);
    assert_eq!((who.terminal.as_str(), who.ticket.len(), who.certificate), ("story", 0, None));
    assert!(desk.server.answer(id, Ok(Grant { role: Role::View })));
    assert!(!desk.server.answer(id, Ok(Grant::default())), "it was answered");
    let role = loop {
        if let Some(Seen::Connected { role, .. }) = client.events().next_within(PATIENCE) {
            break role;
        }
    };
    assert_eq!(role, Role::View);

    let refused = connect(desk.address());
    let (id, _) = knock(&mut desk);
    assert!(desk.server.answer(id, Err(Refusal("visiting hours are over".into()))));
    assert_eq!(end(&refused), "visiting hours are over");
}

#[test]
fn a_door_that_nobody_opens_stays_shut() {
    let desk = Desk::new(|config| config.ask(Duration::from_millis(1)));
    assert_eq!(end(&connect(desk.address())), "nobody opened the door; try again");
}

/// Gives memory whose rows are longer than they need be, and counts what is out.
struct Wide {
    out: Arc<AtomicUsize>,
    most: usize,
}

struct Lent(Vec<u8>, Arc<AtomicUsize>);

impl Memory for Lent {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        assert!(self.0.iter().all(|byte| *byte == 0), "it comes back wiped");
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Allocate for Wide {
    fn allocate(&self, _: u32, size: Size, format: PixelFormat) -> Option<(Box<dyn Memory>, usize)> {
        if self.out.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.out.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let stride = size.w as usize * format.bytes_per_pixel() + 52;
        Some((Box::new(Lent(vec![0xAA; stride * size.h as usize], self.out.clone())), stride))
    }
}

#[test]
fn surfaces_lie_in_memory_of_the_terminal() {
    let mut desk = Desk::new(|config| config);
    let out = Arc::<AtomicUsize>::default();
    let memory = Arc::new(Wide { out: out.clone(), most: 2 });
    let client = Client::connect(ClientConfig::new(desk.address()).memory(memory)).unwrap();
    desk.paint(Rect::new(0, 0, 640, 400), 1);
    desk.proves(&client);
    // Copies, passes out of slots, and small boxes all keep to the stride.
    for n in 2..12 {
        desk.paint(Rect::new(n * 41 % 500, n * 13 % 300, 100 + n, 40), n % 3);
        desk.proves(&client);
    }
    assert_eq!(client.with_surface(0, |image| image.stride()), Some(640 * 4 + 52));
    desk.output.resize(Size::new(300, 200), PixelFormat::Gray8).unwrap();
    until("the surface is another", || client.with_surface(0, |image| image.stride()) == Some(300 + 52));
    assert_eq!(out.load(Ordering::Relaxed), 1);

    // The terminal has no memory for as many.
    let size = Size::new(64, 64);
    let more: Vec<_> = (0..2).map(|_| desk.server.add_output(size, PixelFormat::Gray8).unwrap()).collect();
    assert_eq!(end(&client), "the terminal has no memory for a surface of 64x64");
    drop((client, more));
    assert_eq!(out.load(Ordering::Relaxed), 0);
}
