//! The host's own loop: what it promises to a host, and QUIC inside it.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lightbox_net::address::{Address, Host};
use lightbox_net::endpoint::{Client, ClientConfig, Server, ServerConfig};
use lightbox_net::runtime::{DispatchError, Loop, Tasks};
use lightbox_net::tls::{self, Identity};
use tokio::sync::Notify;

/// Only a loop that stands still takes as long, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Turns the loop as a host does, until `done`.
fn turn(host: &Loop, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(host.wait(end.saturating_duration_since(Instant::now())).unwrap(), "the loop stands still");
        host.dispatch().unwrap();
    }
}

/// Turns the loop until `work` is done, and gives what it gives.
fn run<T: Send + 'static>(host: &Loop, work: impl Future<Output = T> + Send + 'static) -> T {
    let (told, result) = channel();
    let mut tasks = Tasks::new(&host.runtime());
    tasks.spawn(async move { told.send(work.await).unwrap() });
    let mut given = None;
    turn(host, || {
        given = result.try_recv().ok();
        given.is_some()
    });
    given.unwrap()
}

fn is_readable(host: &Loop) -> bool {
    host.wait(Duration::ZERO).unwrap()
}

#[test]
fn the_descriptor_is_readable_when_something_is_due_and_only_then() {
    let host = Loop::new().unwrap();
    assert!(!is_readable(&host) && host.timeout().is_none());
    let bell = Arc::new(Notify::new());
    let rung = Arc::new(AtomicUsize::new(0));
    let mut tasks = Tasks::new(&host.runtime());
    let (heard, count) = (bell.clone(), rung.clone());
    tasks.spawn(async move {
        loop {
            heard.notified().await;
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert!(is_readable(&host) && host.timeout() == Some(Duration::ZERO), "it has not begun yet");
    assert!(!host.dispatch().unwrap() && !is_readable(&host));

    std::thread::scope(|scope| scope.spawn(|| bell.notify_one()).join().unwrap());
    assert!(is_readable(&host) && host.timeout() == Some(Duration::ZERO), "another thread has woken it");
    assert!(!host.dispatch().unwrap() && !is_readable(&host));
    assert_eq!(rung.load(Ordering::Relaxed), 1);

    let runtime = host.runtime();
    tasks.spawn(async move { runtime.sleep(Duration::from_millis(30)).await });
    host.dispatch().unwrap();
    let left = host.timeout().unwrap();
    assert!(left <= Duration::from_millis(30));
    let before = Instant::now();
    assert!(host.wait(PATIENCE).unwrap(), "the deadline makes it readable");
    assert!(before.elapsed() + Duration::from_millis(5) >= left, "not long before its time");
    turn(&host, || host.timeout().is_none());
    drop(tasks);
    turn(&host, || Arc::strong_count(&rung) == 1);
}

#[test]
fn deadlines_come_in_their_order_and_can_be_given_up() {
    let host = Loop::new().unwrap();
    let (told, order) = channel();
    let mut tasks = Tasks::new(&host.runtime());
    for wait in [30, 10, 20, 10] {
        let (runtime, told) = (host.runtime(), told.clone());
        tasks.spawn(async move {
            runtime.sleep(Duration::from_millis(wait)).await;
            told.send(wait).unwrap();
        });
    }
    drop(told);
    let runtime = host.runtime();
    let late =
        run(
            &host,
            async move { runtime.timeout(Duration::from_millis(40), std::future::pending::<()>()).await },
        );
    assert_eq!(late, None);
    let runtime = host.runtime();
    assert_eq!(run(&host, async move { runtime.timeout(PATIENCE, async { 7 }).await }), Some(7));
    assert_eq!(order.iter().collect::<Vec<_>>(), [10, 10, 20, 30]);
    host.dispatch().unwrap();
    assert_eq!(host.timeout(), None, "what was given up leaves no deadline");
}

#[test]
fn a_turn_ends_although_somebody_is_always_ready() {
    let host = Loop::new().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Tasks::new(&host.runtime());
    let (busy, greedy) = (Arc::new(Notify::new()), stop.clone());
    tasks.spawn(async move {
        while !greedy.load(Ordering::Relaxed) {
            busy.notify_one();
            busy.notified().await;
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                std::task::Poll::<()>::Pending
            })
            .await;
        }
    });
    let (told, heard) = channel();
    assert!(host.dispatch().unwrap(), "more is waiting");
    assert!(is_readable(&host) && host.timeout() == Some(Duration::ZERO));
    tasks.spawn(async move { told.send(()).unwrap() });
    turn(&host, || heard.try_recv().is_ok());
}

#[test]
fn misuse_is_an_error() {
    let host = Arc::new(Loop::new().unwrap());
    let mut tasks = Tasks::new(&host.runtime());
    let (told, heard) = channel();
    let inner = host.clone();
    tasks.spawn(async move {
        let inside = inner.dispatch();
        let other = std::thread::scope(|scope| scope.spawn(|| inner.dispatch()).join().unwrap());
        told.send((inside, other)).unwrap();
    });
    host.dispatch().unwrap();
    let (inside, other) = heard.try_recv().unwrap();
    assert!(matches!(inside, Err(DispatchError::Inside)), "{inside:?}");
    assert!(matches!(other, Err(DispatchError::Elsewhere)), "{other:?}");
    host.dispatch().unwrap();
}

#[test]
fn a_panic_ends_what_panicked_and_nothing_else() {
    let host = Loop::new().unwrap();
    let mut tasks = Tasks::new(&host.runtime());
    tasks.spawn(async { panic!("for the test") });
    assert_eq!(run(&host, async { 7 }), 7);
    let runtime = host.runtime();
    assert_eq!(run(&host, async move { runtime.ask(|| panic!("for the test")).await }), None::<()>);
}

#[test]
fn what_still_runs_ends_with_the_loop() {
    let host = Loop::new().unwrap();
    let kept = Arc::new(());
    let mut tasks = Tasks::new(&host.runtime());
    let (held, runtime) = (kept.clone(), host.runtime());
    tasks.spawn(async move {
        runtime.sleep(PATIENCE).await;
        drop(held);
    });
    host.dispatch().unwrap();
    drop(host);
    assert_eq!(Arc::strong_count(&kept), 1);
    let late = kept.clone();
    tasks.spawn(async move { drop(late) });
    assert_eq!(Arc::strong_count(&kept), 1, "nothing begins on a loop that is gone");
}

#[test]
fn quic_runs_in_it() {
    let host = Loop::new().unwrap();
    let identity = Arc::new(Identity::self_signed(&["localhost"], &tls::provider()).unwrap());
    let mut config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), tls::provider(), identity.clone());
    config.runtime = host.runtime();
    let server = Server::open(config).unwrap();
    let mut config = ClientConfig::new(tls::provider());
    config.runtime = host.runtime();
    let client = Client::open(config).unwrap();
    // A name: looking it up must not stop the loop.
    let name = Host::Name("localhost".parse().unwrap());
    let port = server.local_addr().unwrap().port();
    let address = Address { host: name, port, ticket: None, fingerprint: Some(identity.fingerprint()) };

    let sent: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let mut tasks = Tasks::new(&host.runtime());
    tasks.spawn(async move {
        let connection = server.accept().await.unwrap().establish().await.unwrap();
        connection.admit();
        let mut stream = connection.quic().open_uni().await.unwrap();
        stream.write_all(&sent).await.unwrap();
        stream.finish().unwrap();
        connection.quic().closed().await;
    });
    let got = run(&host, async move {
        let connection = client.connect(&address).await.unwrap();
        client.rebind().unwrap();
        let mut stream = connection.quic().accept_uni().await.unwrap();
        let got = stream.read_to_end(4_000_000).await.unwrap();
        client.close().await;
        got
    });
    assert!(got == expected, "what arrived differs");
}
