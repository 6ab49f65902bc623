//! Recorded screens through a server, real QUIC and a client.

mod counted;
mod explain;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lightbox_client::{Client, Config as ClientConfig};
use lightbox_net::address::Address;
use lightbox_net::lab::relay::Relay;
use lightbox_server::{Config, Server};
use serde_json::{Value, json};

use counted::Counted;

use super::builtin;
use super::link::{Direction, profile};
use super::turner::Turner;
use crate::Failure;
use crate::host::Host;
use crate::report::{Latencies, round3, same};
use crate::source::replay::{Recording, ReplayOptions, ReplaySource};
use crate::watch::Watch;

/// A relay that was later than this measured the machine, not the link.
const TOO_LATE_US: u64 = 5_000;

/// How long the last verdict may take.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Options of `lightbox bench screen`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Recorded sequences, .scr.zst; without any, the one that comes with the program.
    pub files: Vec<PathBuf>,
    /// Through this link of the model: N1 to N6 or NX. Default: loopback alone.
    #[arg(long, conflicts_with = "wire")]
    pub profile: Option<String>,
    /// `loopback`: real QUIC, no link model. What there is without --profile.
    #[arg(long, value_parser = ["loopback"])]
    pub wire: Option<String>,
    /// Seed of the link.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Nothing lossy may be sent; nothing is, so far.
    #[arg(long)]
    pub lossless: bool,
    /// Server and client each on a loop of the host's, turned by one thread, instead of on threads of their own.
    #[arg(long)]
    pub own_loop: bool,
    /// One JSON line a file, which is what there is anyway.
    #[arg(long, conflicts_with = "explain")]
    pub json: bool,
    /// Tables for people: what was coded how, and what the bytes on the wire were for.
    #[arg(long)]
    pub explain: bool,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let mut all_exact = true;
    let open = |file: &PathBuf| {
        let recording = Recording::open(file).map_err(|e| format!("{}: {e}", file.display()))?;
        Ok((file.display().to_string(), recording))
    };
    let mut recordings = options.files.iter().map(open).collect::<Result<Vec<_>, Failure>>()?;
    if recordings.is_empty() {
        recordings.push(("reading-room".into(), builtin::recording()?));
    }
    for (name, recording) in recordings {
        let line = measure(&name, recording, options).map_err(|e| format!("{name}: {e}"))?;
        all_exact &= line["exact"] == json!(true);
        if options.explain {
            println!("{}", explain::text(&line));
        } else {
            println!("{line}");
        }
    }
    Ok(if all_exact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(name: &str, recording: Recording, options: &Options) -> Result<Value, Failure> {
    // The first frame is there before the recording's clock starts: what follows is what is measured.
    let hold = Duration::from_secs(if options.profile.is_some() { 8 } else { 2 });
    let replay = ReplayOptions { counter: true, preload: true, hold, ..ReplayOptions::default() };
    let source = ReplaySource::new(recording, replay)?;
    // Named as the threads are that do the same, so that their time is counted alike.
    let turner = |name| options.own_loop.then(|| Turner::start(name)).transpose();
    let (serving, viewing) = (turner("lbx-server-loop")?, turner("lbx-client-loop")?);
    let runtime_of = |turner: &Option<Turner>| turner.as_ref().map(Turner::runtime).unwrap_or_default();
    let config = Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = Server::start(config.runtime(runtime_of(&serving)))?;
    let mut host = Host::new(&server, Box::new(source))?;
    let mut address: Address = server.address("127.0.0.1")?.parse()?;
    let relay = match &options.profile {
        None => None,
        Some(name) => {
            let (down, up) = profile(name)?.links(options.seed);
            let relay = Relay::start(server.local_addr(), Direction::path(down), Direction::path(up))?;
            address.port = relay.address().port();
            Some(relay)
        }
    };
    let config = ClientConfig::new(address.to_string()).terminal("bench");
    let client = Client::connect(config.runtime(runtime_of(&viewing)))?;
    let stop = Arc::new(AtomicBool::new(false));
    let (watch, stopped) = (Watch::new(client).read_counter(), stop.clone());
    // What the client has counted once the first picture is proved.
    let (begun, painted) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
    let (to_begin, to_paint) = (begun.clone(), painted.clone());
    let watching = std::thread::Builder::new().name("bench-watch".into()).spawn(move || {
        let mut watch = watch;
        let end = Instant::now() + Duration::from_secs(600);
        watch.run(end, |watch| {
            if to_begin.load(Ordering::Relaxed) {
                to_paint.get_or_init(|| watch.client.stats());
            }
            stopped.load(Ordering::Relaxed)
        })?;
        // The server has its proof; its word of it is still under way.
        watch.run(Instant::now() + LAST_WORD, Watch::is_exact)?;
        Ok::<_, Failure>(watch)
    })?;
    let mut drawn = Vec::new();
    let mut first: Option<Counted> = None;
    let mut last = Instant::now();
    while !host.is_ended() && !watching.is_finished() {
        let before = host.frames;
        host.turn(&server, Duration::from_millis(50), |_| ())?;
        if host.frames > before {
            drawn.push((host.frames as u16, host.last_frame.micros()));
            last = Instant::now();
        }
        if first.is_none() && !server.sessions().is_empty() && server.is_settled() {
            first = Some(Counted::now(&server, &host));
            begun.store(true, Ordering::Relaxed);
        }
    }
    while !server.is_settled() && last.elapsed() < Duration::from_secs(60) && !watching.is_finished() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let settled = last.elapsed();
    // What the threads used is read while they live.
    let used = Counted::now(&server, &host).since(&first.unwrap_or_default());
    stop.store(true, Ordering::Relaxed);
    let watch = watching.join().map_err(|_| "the watching thread failed")??;
    if let Some(why) = &watch.ended {
        return Err(why.reason.clone().into());
    }
    let (before, stats) = (painted.get().cloned().unwrap_or_default(), watch.client.stats());
    let paint_us = (stats.paint_us - before.paint_us) as f64 / (stats.frames - before.frames).max(1) as f64;
    let source = host.source().image();
    let exact = watch.is_exact() && watch.picture().is_some_and(|seen| same(seen.as_ref(), source));
    let (latencies, shown) = latencies(&drawn, &watch.counters);
    let late = relay.map(|relay| relay.latest_us());
    Ok(json!({
        "file": name,
        "runtime": if options.own_loop { "loop" } else { "threads" },
        "wire": options.profile.as_deref().unwrap_or("loopback"),
        "bytes": stats.wire_bytes.saturating_sub(before.wire_bytes),
        "first_paint_bytes": before.wire_bytes,
        "wire_parts": used.parts(),
        "codec_bytes": used.frame_bytes,
        "frames": drawn.len(),
        "shown": shown,
        "latency_ms": latencies.json(),
        "time_to_verified_ms": round3(settled.as_secs_f64() * 1e3),
        "exact": exact,
        "server_cpu_s": round3(used.server_cpu),
        "client_cpu_s": round3(used.client_cpu),
        "encode_ms_mean": round3(used.encode_us as f64 / 1e3 / used.frames.max(1) as f64),
        "paint_ms_mean": round3(paint_us / 1e3),
        "codecs": used.techniques(),
        "relay_late_us": late,
        "valid": late.is_none_or(|us| us <= TOO_LATE_US),
    }))
}

/// From each drawn frame after the first to the first picture that shows it or a later one; and how many frames were
/// shown themselves.
fn latencies(drawn: &[(u16, u64)], seen: &[(u16, u64)]) -> (Latencies, usize) {
    let mut all = Latencies::default();
    let mut shown = 0;
    let mut at = 0;
    for (value, drawn_us) in drawn.iter().skip(1) {
        // Counters wrap; what is at most half a round ahead is later.
        while seen.get(at).is_some_and(|(s, _)| s.wrapping_sub(*value) > u16::MAX / 2) {
            at += 1;
        }
        let Some((s, seen_us)) = seen.get(at) else { break };
        shown += usize::from(s == value);
        all.add(Duration::from_micros(seen_us.saturating_sub(*drawn_us)));
    }
    (all, shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_frame_counts_until_a_later_one_is_shown() {
        let drawn = [(1, 0), (2, 1_000), (3, 2_000), (4, 3_000)];
        let seen = [(1, 500), (2, 1_400), (4, 3_500)];
        let (all, shown) = latencies(&drawn, &seen);
        assert_eq!((all.len(), shown), (3, 2));
        assert_eq!(all.percentile(0.0), Some(0.4));
        assert_eq!(all.percentile(100.0), Some(1.5));
    }
}
