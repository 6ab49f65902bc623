//! `lightbox demo`: both ends over real QUIC on loopback, and what came of it.

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lightbox_client::{Client, Config as ClientConfig};
use lightbox_server::{Config, Server};
use serde_json::json;

use crate::host::Host;
use crate::interrupt::interrupted;
use crate::report::{bytes_text, round3, table, techniques_json};
use crate::source::scene::{Images, SceneConfig, SceneSource};
use crate::watch::Watch;
use crate::{Failure, overlay, picture, usage};

/// After the last frame the picture is given this long to be proved exact.
const SETTLE: Duration = Duration::from_secs(10);

/// Options of `lightbox demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How long the reading room is busy.
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
    /// End with one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Write what the client saw at the end as a PNG.
    #[arg(long)]
    pub png: Option<PathBuf>,
    /// Draw the tile states thinly over that PNG.
    #[arg(long)]
    pub overlay: bool,
    /// Show the DICOM images of this folder instead of generated ones.
    #[arg(long)]
    pub dicom: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// One line for the person at the keyboard.
pub fn run(options: Options) -> Result<ExitCode, Failure> {
    let mut scene = SceneConfig::default();
    if let Some(folder) = &options.dicom {
        scene.stack = Some(dicom(folder)?);
    }
    let server = Server::start(Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
    let mut host = Host::new(&server, Box::new(SceneSource::new(scene)?))?;
    let address = server.address("127.0.0.1")?;
    let client = Client::connect(ClientConfig::new(address).terminal("demo"))?;
    let viewer = std::thread::Builder::new().name("demo-watch".into());
    let seconds = Duration::from_secs_f64(options.seconds.clamp(0.0, 86_400.0));
    let end = Instant::now() + seconds;
    let watching = viewer.spawn(move || watch(client, end + SETTLE, end))?;
    let progress = !options.json && std::io::stderr().is_terminal();
    let mut next_line = Instant::now();
    while Instant::now() < end && !interrupted() && !watching.is_finished() {
        host.turn(&server, Duration::from_millis(20), |_| ())?;
        if progress && Instant::now() >= next_line {
            next_line += Duration::from_millis(250);
            line(&server, end);
        }
    }
    let last = Instant::now();
    while !server.is_settled() && last.elapsed() < SETTLE && !watching.is_finished() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let settled = last.elapsed();
    if progress {
        eprintln!();
    }
    let watch = watching.join().map_err(|_| "the watching thread failed")??;
    let seen = watch.picture();
    let equal = seen.as_ref().is_some_and(|image| crate::report::same(image.as_ref(), host.source().image()));
    if let (Some(path), Some(mut image)) = (&options.png, seen) {
        if let (true, Some(surface)) = (options.overlay, watch.surface) {
            overlay::draw(&watch.client, surface, &mut image);
        }
        picture::write_png(path, image.as_ref())?;
    }
    report(&options, &server, &host, &watch, settled, equal);
    let exact = watch.is_exact() && equal;
    Ok(if exact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Watches until everything is proved after `busy_until`, or time is up.
fn watch(client: Client, deadline: Instant, busy_until: Instant) -> Result<Watch, Failure> {
    let mut watch = Watch::new(client);
    watch.run(deadline, |w| Instant::now() > busy_until + Duration::from_millis(100) && w.is_exact())?;
    Ok(watch)
}

fn line(server: &Server, end: Instant) {
    let left = end.saturating_duration_since(Instant::now()).as_secs_f64();
    if let Some((_, stats)) = server.sessions().first() {
        let tiles = stats.tiles;
        eprint!(
            "\r{left:5.1} s left  {:5} frames  {:>9}  {:4}/{} tiles verified  {:.1} ms behind ",
            stats.shown,
            bytes_text(stats.frame_bytes),
            tiles.verified,
            tiles.total,
            stats.age_us as f64 / 1e3,
        );
        // A progress line that does not show harms nobody.
        let _ = std::io::stderr().flush();
    }
}

fn report(options: &Options, server: &Server, host: &Host, watch: &Watch, settled: Duration, equal: bool) {
    let sent = server.sessions().into_iter().next().map(|(_, stats)| stats).unwrap_or_default();
    let (stats, counts) = (watch.client.stats(), watch.client.counts());
    let encode_ms = sent.encode_us as f64 / 1e3 / sent.frames.max(1) as f64;
    let paint_ms = stats.paint_us as f64 / 1e3 / stats.frames.max(1) as f64;
    if options.json {
        let report = json!({
            "frames_submitted": host.frames,
            "frames_shown": watch.frames,
            "fps": round3(watch.fps()),
            "latency_ms": watch.latencies.json(),
            "wire_bytes": stats.wire_bytes,
            "codecs": techniques_json(&stats.techniques),
            "encode_ms": round3(encode_ms),
            "paint_ms": round3(paint_ms),
            "tiles_total": counts.total,
            "tiles_verified": counts.verified,
            "exact": counts.all_verified(),
            "equal_to_source": equal,
            "settled_ms": round3(settled.as_secs_f64() * 1e3),
            "mismatches": sent.mismatches,
            "cpu_seconds": round3(usage::cpu_seconds()),
            "peak_rss_bytes": usage::peak_rss_bytes(),
        });
        println!("{report}");
        return;
    }
    let used = stats
        .techniques
        .iter()
        .map(|(name, (px, bytes))| format!("{name} {:.1} Mpx in {}", *px as f64 / 1e6, bytes_text(*bytes)));
    let proved = if counts.all_verified() { "the whole picture is proved exact" } else { "NOT all proved" };
    let rows = [
        ("frames", format!("{} submitted, {} shown, {:.1} fps", host.frames, watch.frames, watch.fps())),
        ("latency p50/p95/p99", format!("{}, capture to painted", watch.latencies.text())),
        ("on the wire", format!("{}, both ways, headers included", bytes_text(stats.wire_bytes))),
        ("codecs", used.collect::<Vec<_>>().join(", ")),
        ("a frame's cost", format!("{encode_ms:.2} ms to make, {paint_ms:.2} ms to paint")),
        ("tiles verified", format!("{} of {}: {proved}", counts.verified, counts.total)),
        ("settled", format!("{:.0} ms after the last change", settled.as_secs_f64() * 1e3)),
        ("compared with the source", if equal { "equal, byte for byte".into() } else { "DIFFERENT".into() }),
        ("memory", format!("{} at most, both ends", bytes_text(usage::peak_rss_bytes()))),
    ];
    print!("{}", table(&rows));
    if let Some(path) = &options.png {
        println!("  what the client saw       {}", path.display());
    }
}

#[cfg(feature = "dicom")]
fn dicom(folder: &Path) -> Result<Box<dyn Images>, Failure> {
    Ok(Box::new(crate::source::dicom::Stack::open(folder)?))
}

#[cfg(not(feature = "dicom"))]
fn dicom(_: &Path) -> Result<Box<dyn Images>, Failure> {
    Err("this build cannot read DICOM: build with the feature `dicom`".into())
}
