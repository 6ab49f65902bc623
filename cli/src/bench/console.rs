//! From a key to proof of what it did: a real desktop behind a source, its server, and a client in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lightbox_client::{Client, Config as ClientConfig, Event};
use lightbox_protocol::msg::input::Action;
use lightbox_server::{Config, Output, Server};
use serde_json::{Value, json};

use crate::host::Host;
use crate::report::{Latencies, bytes_text, round3, table};
use crate::{Failure, source, usage};

/// How long a desktop may take to show what a key does, and to be proved.
const PATIENCE: Duration = Duration::from_secs(20);
/// A desktop at which nothing happened for so long waits for the next key.
const QUIET: Duration = Duration::from_millis(50);

/// Options of `lightbox bench console`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// A desktop that shows the letters that are typed, as `lightbox serve` takes it: qemu:QMP_SOCKET, vnc:HOST:PORT, x11:DISPLAY.
    #[arg(long)]
    pub source: String,
    /// How often to type a letter. What blinks by itself is taken for an answer.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub keys: u32,
    /// One JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let source = source::open(&options.source, false)?;
    let server = Server::start(Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
    let address = server.address("127.0.0.1")?;
    let mut host = Host::new(&server, source)?;
    let output = host.output().clone();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let serving = std::thread::Builder::new().name(HOST.into()).spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            host.turn(&server, Duration::from_millis(20), |_| ())?;
        }
        Ok::<_, Failure>(())
    })?;
    let measured = Client::connect(ClientConfig::new(address).terminal("bench"))
        .map_err(Failure::from)
        .and_then(|client| Desk { client, output, updates: 0 }.measure(options));
    stop.store(true, Ordering::Relaxed);
    serving.join().map_err(|_| "the serving thread failed")??;
    report(options, &measured?);
    Ok(ExitCode::SUCCESS)
}

/// A person at the desktop.
struct Desk {
    client: Client,
    output: Output,
    /// Frames painted.
    updates: u64,
}

/// What came of all keys.
struct Measured {
    painted: Latencies,
    verified: Latencies,
    used: Counters,
}

/// What has been used so far.
#[derive(Clone, Copy)]
struct Counters {
    /// Frames that the desktop had, and bytes of samples that the server took of them.
    frames: u64,
    taken_bytes: u64,
    wire_bytes: u64,
    bridge_cpu: f64,
    client_cpu: f64,
}

impl Desk {
    fn measure(mut self, options: &Options) -> Result<Measured, Failure> {
        self.until("its first picture", |desk| desk.updates > 0 && desk.client.counts().all_verified())?;
        let (mut painted, mut verified) = (Latencies::default(), Latencies::default());
        let begin = self.counters();
        for _ in 0..options.keys {
            self.rest()?;
            let (before, begin) = (self.updates, Instant::now());
            for pressed in [true, false] {
                self.client.input(Action::Key { code: KEY_A, pressed });
            }
            self.until("what a key does", |desk| desk.updates > before)?;
            painted.add(begin.elapsed());
            self.until("proof of it", |desk| desk.client.counts().all_verified())?;
            verified.add(begin.elapsed());
        }
        let end = self.counters();
        let used = Counters {
            frames: end.frames - begin.frames,
            taken_bytes: end.taken_bytes - begin.taken_bytes,
            wire_bytes: end.wire_bytes - begin.wire_bytes,
            bridge_cpu: end.bridge_cpu - begin.bridge_cpu,
            client_cpu: end.client_cpu - begin.client_cpu,
        };
        Ok(Measured { painted, verified, used })
    }

    /// Waits until nothing happens, and all of it is proved.
    fn rest(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while self.listen(QUIET)? || !self.client.counts().all_verified() {
            if Instant::now() > end {
                return Err("the desktop is never quiet: use one on which nothing moves by itself".into());
            }
        }
        Ok(())
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            if Instant::now() > end {
                return Err(format!("the client waits for {what}, which does not come").into());
            }
            self.listen(Duration::from_millis(5))?;
        }
        Ok(())
    }

    /// Reads one event, if one comes within `wait`. True if there was one.
    fn listen(&mut self, wait: Duration) -> Result<bool, Failure> {
        match self.client.events().next_within(wait) {
            Some(Event::Ended(why)) => return Err(why.reason.into()),
            Some(Event::Updated { .. }) => self.updates += 1,
            Some(_) => (),
            None => return Ok(false),
        }
        Ok(true)
    }

    fn counters(&self) -> Counters {
        let stats = self.output.stats();
        let bridge = [HOST, "lbx-server", "lbx-encode", "lbx-qemu"];
        Counters {
            frames: stats.submitted,
            taken_bytes: stats.taken_bytes,
            wire_bytes: self.client.stats().wire_bytes,
            bridge_cpu: bridge.into_iter().map(usage::thread_cpu_seconds).sum(),
            client_cpu: usage::thread_cpu_seconds("lbx-client"),
        }
    }
}

fn report(options: &Options, Measured { painted, verified, used }: &Measured) {
    let frames = used.frames.max(1);
    let a_frame = |cpu: f64| cpu * 1e3 / frames as f64;
    let (bridge, client) = (a_frame(used.bridge_cpu), a_frame(used.client_cpu));
    let (taken, wire) = (used.taken_bytes / frames, used.wire_bytes / u64::from(options.keys));
    if options.json {
        let line = json!({
            "source": options.source,
            "keys": options.keys,
            "press_to_painted_ms": quantiles(painted),
            "press_to_verified_ms": quantiles(verified),
            "updates": used.frames,
            "bridge_cpu_ms_an_update": round3(bridge),
            "client_cpu_ms_an_update": round3(client),
            "bytes_taken_an_update": taken,
            "wire_bytes_a_key": wire,
        });
        println!("{line}");
        return;
    }
    let rows = [
        ("keys", format!("{}, which made {} updates", options.keys, used.frames)),
        ("press to painted", text(painted)),
        ("press to verified", text(verified)),
        ("CPU of the bridge", format!("{bridge:.2} ms an update; of the client {client:.2} ms")),
        ("taken of the desktop", format!("{} an update", bytes_text(taken))),
        ("on the wire", format!("{} a key, both ways, proofs and headers included", bytes_text(wire))),
    ];
    print!("{}", table(&rows));
}

fn quantiles(all: &Latencies) -> Value {
    let p = |p| all.percentile(p).map(round3);
    json!({ "p50": p(50.0), "p95": p(95.0), "max": p(100.0) })
}

fn text(all: &Latencies) -> String {
    let p = |p| all.percentile(p).unwrap_or_default();
    format!("p50 {:.1}, p95 {:.1}, max {:.1} ms", p(50.0), p(95.0), p(100.0))
}

/// The thread that serves.
const HOST: &str = "bench-host";
const KEY_A: u16 = 30;
