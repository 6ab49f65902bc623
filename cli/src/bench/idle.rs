use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lightbox_client::{Client, Config as ClientConfig};
use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_server::{Config, Damage, Server};
use serde_json::json;

use crate::report::round3;
use crate::{Failure, usage};

/// Options of `lightbox bench idle`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How many sessions.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub sessions: u32,
    /// For how long they are watched.
    #[arg(long, default_value_t = 20.0)]
    pub seconds: f64,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let (size, format) = (Size::new(1920, 1080), PixelFormat::Bgrx8);
    let bare = usage::rss_bytes();
    let config = Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = Server::start(config.max_sessions(options.sessions as usize))?;
    let output = server.add_output(size, format)?;
    let picture = Image::new(size, format)?;
    output.submit(picture.as_ref(), Damage::Unknown)?;
    let with_server = usage::rss_bytes();
    let clients: Vec<_> = (0..options.sessions)
        .map(|_| Ok(Client::connect(ClientConfig::new(server.address("127.0.0.1")?))?))
        .collect::<Result<_, Failure>>()?;
    let patience = Instant::now() + Duration::from_secs(60);
    while !clients.iter().all(|c| c.counts().all_verified()) {
        if Instant::now() > patience {
            return Err("the sessions did not come up within a minute".into());
        }
        while server.events().try_next().is_some() {}
        std::thread::sleep(Duration::from_millis(20));
    }
    // What start-up leaves behind is not idleness.
    std::thread::sleep(Duration::from_secs(2));
    let wire = |clients: &[Client]| clients.iter().map(|c| c.stats().wire_bytes).sum::<u64>();
    let cpu = || (usage::thread_cpu_seconds("lbx-server"), usage::thread_cpu_seconds("lbx-client"));
    let (bytes, (server_cpu, client_cpu), start) = (wire(&clients), cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs_f64(options.seconds.clamp(1.0, 3_600.0)));
    let seconds = start.elapsed().as_secs_f64();
    let n = f64::from(options.sessions);
    let (server_after, client_after) = cpu();
    let kbit = (wire(&clients) - bytes) as f64 * 8.0 / 1e3 / seconds / n;
    let framebuffer = size.area() * 4;
    let line = json!({
        "sessions": options.sessions,
        "seconds": round3(seconds),
        "server_core_percent_a_session": round3((server_after - server_cpu) / seconds / n * 100.0),
        "client_core_percent_a_session": round3((client_after - client_cpu) / seconds / n * 100.0),
        "wire_kbit_s_a_session_both_ways": round3(kbit),
        "framebuffer_bytes": framebuffer,
        "server_rss_bytes_before_clients": with_server.saturating_sub(bare),
        "rss_bytes_a_session_both_ends": (usage::rss_bytes().saturating_sub(with_server)) / u64::from(options.sessions),
        "all_verified": clients.iter().all(|c| c.counts().all_verified()),
    });
    println!("{line}");
    Ok(ExitCode::SUCCESS)
}
