//! What QEMU shares and says, played by a peer of the test's own: shared pictures, hands over a restart, refusals.
#![cfg(feature = "qemu")]

mod qemu_peer;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use lightbox_cli::source::qemu::QemuSource;
use lightbox_cli::source::{Change, Source};
use lightbox_codec::geom::{Rect, Size};
use lightbox_protocol::msg::input::{Action, Locks, Place};
use qemu_peer::{Link, PATIENCE, Peer};
use rustix::fs::{MemfdFlags, memfd_create};

const SIZE: Size = Size::new(80, 50);
const STRIDE: u32 = 80 * 4 + 64;
const OFFSET: u32 = 4096;
const X8R8G8B8: u32 = 0x2002_0888;
const LISTENER: &str = "org.qemu.Display1.Listener";
const MAP: &str = "org.qemu.Display1.Listener.Unix.Map";

#[test]
fn a_shared_picture_is_read_when_it_is_told_of_and_never_besides() {
    let peer = Peer::start("shared");
    let memory = shared_memory(7);
    let (mut source, link) = open(&peer, |link| share(&peer, link, &memory));
    assert!(is_all(&source, 7), "the picture is there when the source is");

    // The guest writes all of its memory, and tells of a part that sticks out.
    write(&memory, 9);
    let mut changes = Vec::new();
    source.poll(Duration::ZERO, &mut changes).unwrap();
    changes.retain(|change| !matches!(change, Change::Leds(_)));
    assert_eq!((&changes[..], is_all(&source, 7)), (&[][..], true), "nobody looks at its memory");
    peer.call(&link, MAP, "UpdateMap", &(70i32, -5i32, 30i32, 10i32)).unwrap();
    let part = Rect::new(70, 0, 10, 5);
    until(&mut source, |_, change| matches!(change, Change::Damage { rects, .. } if rects[..] == [part]));
    assert!(is(&source, part, 9) && is(&source, Rect::new(0, 0, 70, 50), 7));

    // Memory that is gone is no picture; the last one stays, and the next is shown.
    memory.set_len(0).unwrap();
    peer.call(&link, MAP, "UpdateMap", &(0i32, 0i32, 80i32, 50i32)).unwrap();
    let link = polled_until(&mut source, || peer.link_now());
    assert!(is(&source, part, 9));
    let pixels = vec![5u8; 30 * 20 * 4];
    peer.call(&link, LISTENER, "Scanout", &(30u32, 20u32, 120u32, X8R8G8B8, &pixels[..])).unwrap();
    until(&mut source, |_, change| *change == Change::Resized(Size::new(30, 20)));
    assert!(is_all(&source, 5));
}

#[test]
fn hands_reach_the_guest_and_hold_nothing_over_its_restart() {
    let peer = Peer::start("hands");
    let memory = shared_memory(1);
    let (mut source, link) = open(&peer, |link| share(&peer, link, &memory));
    let num = Locks { num: true, ..Locks::default() };
    until(&mut source, |_, change| *change == Change::Leds(num));

    let act = |source: &mut QemuSource, action| source.input(&action).unwrap();
    act(&mut source, Action::Key { code: 103, pressed: true });
    peer.hears("Press(200)");
    act(&mut source, Action::Pointer(Place { output: 0, x: 500, y: 20 }));
    peer.hears("SetAbsPosition(79, 20)");
    source.want_size(Size::new(640, 480)).unwrap();
    peer.hears("SetUIInfo(0, 0, 0, 0, 640, 480)");

    // The guest unplugs its tablet, and turns a light on.
    peer.changes(&link, "org.qemu.Display1.Mouse", "IsAbsolute", false.into());
    peer.changes(&link, "org.qemu.Display1.Keyboard", "Modifiers", 6u32.into());
    until(&mut source, |_, change| *change == Change::Leds(Locks { caps: true, ..num }));
    act(&mut source, Action::Pointer(Place { output: 0, x: 70, y: 30 }));
    peer.hears("RelMotion(-9, 10)");

    peer.dies(link);
    let link = polled_until(&mut source, || peer.link_now());
    share(&peer, &link, &memory);
    until(&mut source, |_, change| matches!(change, Change::Damage { .. }));
    peer.hears("Release(200)");
    peer.hears("SetUIInfo(0, 0, 0, 0, 640, 480)");
    act(&mut source, Action::Key { code: 103, pressed: false });
    act(&mut source, Action::Key { code: 30, pressed: true });
    peer.hears("Press(30)");
    drop(source);
    peer.hears("Release(30)");
}

#[test]
fn whoever_shows_no_screen_is_told_of_in_a_line() {
    let check = |socket: &str, words: &str| {
        let refusal = QemuSource::open(socket).err().expect("refused").to_string();
        assert!(refusal.contains(words) && refusal.contains(socket) && !refusal.contains('\n'), "{refusal}");
    };
    let says = |name, lines| qemu_peer::says(name, lines).to_str().unwrap().to_owned();
    let greeting = r#"{"QMP": {}}"#;
    let done = r#"{"return": {}}"#;
    check("/nonexistent/qmp", "there is no such socket");
    let closed = qemu_peer::socket("closed");
    drop(std::os::unix::net::UnixListener::bind(&closed).unwrap());
    check(closed.to_str().unwrap(), "is QEMU running?");
    check(&says("ssh", &["SSH-2.0-other"]), "does not speak QMP");
    check(&says("json", &[r#"{"hello": 1}"#]), "does not speak QMP");
    let no_display = r#"{"error": {"class": "GenericError", "desc": "D-Bus display\nis not in use."}}"#;
    let lines = Box::leak(Box::new([greeting, done, done, no_display]));
    check(&says("vnc", lines), "D-Bus display is not in use; start QEMU with -display dbus,p2p=yes");
}

/// A source whose first picture `show` shows.
fn open(peer: &Peer, show: impl FnOnce(&Link)) -> (QemuSource, Link) {
    let socket = peer.socket().to_owned();
    let opening = std::thread::spawn(move || QemuSource::open(&socket));
    let link = peer.link();
    show(&link);
    (opening.join().unwrap().unwrap(), link)
}

/// As QEMU 9.2 and later do, once the listener has said that it takes shared pictures.
fn share(peer: &Peer, link: &Link, memory: &File) {
    let asked = peer.call(link, "org.freedesktop.DBus.Properties", "Get", &(LISTENER, "Interfaces")).unwrap();
    let takes: zbus::OwnedVariant = asked.body().deserialize().unwrap();
    assert_eq!(Vec::<String>::try_from(takes).unwrap(), [MAP]);
    let fd = zbus::Fd::from(memory);
    let shared = (fd, OFFSET, SIZE.w, SIZE.h, STRIDE, X8R8G8B8);
    peer.call(link, MAP, "ScanoutMap", &shared).unwrap();
}

fn shared_memory(byte: u8) -> File {
    let memory = File::from(memfd_create("picture", MemfdFlags::CLOEXEC).unwrap());
    write(&memory, byte);
    memory
}

fn write(memory: &File, byte: u8) {
    memory.write_all_at(&vec![byte; (STRIDE * SIZE.h) as usize], OFFSET.into()).unwrap();
}

fn is_all(source: &QemuSource, byte: u8) -> bool {
    is(source, source.image().size().rect(), byte)
}

fn is(source: &QemuSource, rect: Rect, byte: u8) -> bool {
    let part = source.image().crop(rect).expect("on the screen");
    part.rows().all(|row| row.as_chunks().0.iter().all(|pixel| *pixel == [byte, byte, byte, 0xff]))
}

/// Polls until the source tells of what is looked for.
fn until(source: &mut QemuSource, looked_for: impl Fn(&QemuSource, &Change) -> bool) {
    polled(source, |source, changes| changes.iter().any(|change| looked_for(source, change)).then_some(()));
}

/// Polls until `found` finds something.
fn polled_until<T>(source: &mut QemuSource, found: impl Fn() -> Option<T>) -> T {
    polled(source, |_, _| found())
}

fn polled<T>(source: &mut QemuSource, found: impl Fn(&QemuSource, &[Change]) -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "it never came");
        let mut changes = Vec::new();
        source.poll(Duration::from_millis(20), &mut changes).unwrap();
        if let Some(found) = found(source, &changes) {
            return found;
        }
    }
}
