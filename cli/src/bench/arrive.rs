//! How a picture arrives: from the change at the server to its first look, its exact samples and their proof.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lightbox_client::{Client, Config as ClientConfig, Counts, Event};
use lightbox_codec::geom::TileGrid;
use lightbox_codec::pixel::Image;
use lightbox_net::address::Address;
use lightbox_net::lab::relay::Relay;
use lightbox_server::{Config, Damage, Server};
use serde_json::{Value, json};

use super::link::{Direction, profile};
use super::{builtin, picture_at};
use crate::Failure;
use crate::picture::Still;
use crate::report::{round3, same, used_json};

/// Options of `lightbox bench arrive`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// PGM, PPM or PNG files, each optionally .zst; without any, pictures that the program draws.
    pub files: Vec<PathBuf>,
    /// Through this link of the model: N1 to N6 or NX.
    #[arg(long, default_value = "N3")]
    pub profile: String,
    /// Seed of the link.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only as clients see it that are never shown an error.
    #[arg(long)]
    pub exact_only: bool,
    /// One JSON line a picture and way, which is what there is anyway.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let mut stills = Vec::new();
    for file in &options.files {
        stills.push((file.display().to_string(), picture_at(file)?));
    }
    if stills.is_empty() {
        stills.push(("phantom radiograph".into(), builtin::radiograph()?));
    }
    let mut all_exact = true;
    for (name, still) in stills {
        for exact_only in [true, false] {
            if !exact_only && options.exact_only {
                continue;
            }
            let line = measure(&name, &still, exact_only, options).map_err(|e| format!("{name}: {e}"))?;
            all_exact &= line["exact"] == json!(true);
            println!("{line}");
        }
    }
    Ok(if all_exact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(name: &str, still: &Still, exact_only: bool, options: &Options) -> Result<Value, Failure> {
    let server = Server::start(Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
    let output = server.add_output(still.size, still.format)?;
    // A desktop before the picture is opened on it: one colour, in which no tile is right by chance.
    let mut desk = Image::new(still.size, still.format)?;
    desk.as_mut().fill(still.size.rect(), [0x5A, 0x01, 0xA5, 0xFF]);
    output.submit(desk.as_ref(), Damage::Unknown)?;
    let mut address: Address = server.address("127.0.0.1")?.parse()?;
    let (down, up) = profile(&options.profile)?.links(options.seed);
    let relay = Relay::start(server.local_addr(), Direction::path(down), Direction::path(up))?;
    address.port = relay.address().port();
    let mut config = ClientConfig::new(address.to_string()).terminal("bench");
    if exact_only {
        config = config.exact_only();
    }
    let mut arrival = Arrival::new(Client::connect(config)?, TileGrid::new(still.size));
    arrival.wait(|a| a.counts.all_verified())?;
    let before = server.sessions().into_iter().next().map(|(_, s)| s).unwrap_or_default();

    arrival.begin();
    output.submit(still.image(), Damage::Unknown)?;
    arrival.wait(|a| a.is_here && a.counts.all_verified())?;

    let stats = server.sessions().into_iter().next().map(|(_, s)| s).unwrap_or_default();
    let exact = arrival.client.with_surface(output.id(), |seen| same(seen, still.image()));
    let frame_bytes = stats.frame_bytes - before.frame_bytes;
    Ok(json!({
        "file": name,
        "profile": options.profile,
        "exact_only": exact_only,
        "here": arrival.here,
        "bounds": arrival.bounds,
        "exact_at": arrival.exact,
        "verified_ms": round3(arrival.ms()),
        "frame_bytes": frame_bytes,
        "bytes_per_pixel": round3(frame_bytes as f64 / still.size.area() as f64),
        "wire_bytes": stats.wire_bytes - before.wire_bytes,
        "encode_ms": round3((stats.encode_us - before.encode_us) as f64 / 1e3),
        "codecs": used_json(&stats.techniques),
        "exact": exact == Some(true),
        "relay_late_us": relay.latest_us(),
    }))
}

/// What of the picture the client has, and since when.
struct Arrival {
    client: Client,
    grid: TileGrid,
    counts: Counts,
    start: Instant,
    wire_bytes: u64,
    /// Tiles that some frame since the start painted.
    painted: Vec<bool>,
    is_here: bool,
    /// When the whole picture was shown first, and with which error.
    here: Value,
    /// Each smaller error that the whole picture had later.
    bounds: Vec<Value>,
    error: u32,
    exact: Value,
}

impl Arrival {
    fn new(client: Client, grid: TileGrid) -> Self {
        Self {
            client,
            grid,
            counts: Counts::default(),
            start: Instant::now(),
            wire_bytes: 0,
            painted: Vec::new(),
            is_here: false,
            here: Value::Null,
            bounds: Vec::new(),
            error: 0,
            exact: Value::Null,
        }
    }

    fn begin(&mut self) {
        self.start = Instant::now();
        self.wire_bytes = self.client.stats().wire_bytes;
        self.painted = vec![false; self.grid.len() as usize];
    }

    fn ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1e3
    }

    /// Takes events until `done`.
    fn wait(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            if Instant::now() > end {
                return Err("the picture does not arrive".into());
            }
            match self.client.events().next_within(Duration::from_millis(5)) {
                Some(Event::Updated { rects, .. }) => {
                    let tiles = rects.iter().flat_map(|rect| self.grid.touching(*rect));
                    for tile in tiles {
                        if let Some(painted) = self.painted.get_mut(tile as usize) {
                            *painted = true;
                        }
                    }
                }
                Some(Event::Ended(why)) => return Err(why.reason.into()),
                _ => (),
            }
            self.counts = self.client.counts();
            self.look();
        }
        Ok(())
    }

    /// Notes what is new.
    fn look(&mut self) {
        if self.painted.is_empty() || !self.counts.all_shown() || !self.painted.iter().all(|p| *p) {
            return;
        }
        let mark = |a: &Self| {
            let bytes = a.client.stats().wire_bytes - a.wire_bytes;
            json!({ "ms": round3(a.ms()), "error": a.counts.max_error, "wire_bytes": bytes })
        };
        if !self.is_here {
            (self.is_here, self.error) = (true, self.counts.max_error);
            self.here = mark(self);
        } else if self.counts.refining > 0 && self.counts.max_error < self.error {
            self.error = self.counts.max_error;
            let mark = mark(self);
            self.bounds.push(mark);
        }
        if self.exact.is_null() && self.counts.exact == self.counts.total {
            self.exact = mark(self);
        }
    }
}

/// No picture takes longer.
const PATIENCE: Duration = Duration::from_secs(120);
