//! `lightbox view`: show a desktop that is served, in a window or without one.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lightbox_client::{Client, Config};

use crate::interrupt::interrupted;
use crate::watch::{Watch, write_raw};
use crate::{Failure, files, overlay, picture};

/// Options of `lightbox view`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The line the server printed: lightbox://host:port/TICKET#FINGERPRINT
    pub address: String,
    /// No window: count and verify what arrives.
    #[arg(long)]
    pub headless: bool,
    /// Leave after this many seconds. Without it a window stays until closed, a headless view until every tile is
    /// verified for the first time.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// End with one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
    /// Write what is shown at the end as a PNG.
    #[arg(long)]
    pub png: Option<PathBuf>,
    /// Draw the tile states thinly over that PNG.
    #[arg(long)]
    pub overlay: bool,
    /// For benches: log the counter that the source draws at the top left, with microseconds of the monotonic clock.
    #[arg(long)]
    pub counter_log: Option<PathBuf>,
    /// For benches: write the last picture's samples as they are in memory.
    #[arg(long = "final")]
    pub last: Option<PathBuf>,
    /// Believe servers whose certificate one of these authorities signed (PEM), where the address has no fingerprint.
    #[arg(long)]
    pub ca: Option<PathBuf>,
    /// The certificate and key (PEM) to show to a server that admits by certificate.
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// Decode no video: moving pictures come as everything else does, and no C code reads what the server sends.
    #[arg(long)]
    pub no_video: bool,
    /// What the terminal calls itself.
    #[arg(long, default_value = "lightbox view")]
    pub terminal: String,
}

/// Runs it.
///
/// # Errors
/// One line for the person at the keyboard.
pub fn run(options: Options) -> Result<ExitCode, Failure> {
    let mut config = Config::new(&options.address).terminal(&options.terminal);
    #[cfg(feature = "video")]
    if !options.no_video {
        config = config.software_video();
    }
    if let Some(path) = &options.ca {
        config = config.authorities(files::authorities(path)?);
    }
    if let Some(path) = &options.identity {
        config = config.identity(files::identity(path)?);
    }
    let client = Client::connect(config)?;
    if !options.headless {
        return windowed(client, options);
    }
    let mut watch = Watch::new(client);
    if let Some(path) = &options.counter_log {
        watch = watch.log_counter(path)?;
    }
    let start = Instant::now();
    // A headless view that nobody bounds still ends: with the proof, or after a day.
    let patience = options.seconds.unwrap_or(86_400.0).clamp(0.0, 31_536_000.0);
    let ends_when_exact = options.seconds.is_none() && options.counter_log.is_none();
    watch.run(start + Duration::from_secs_f64(patience), |w| {
        (ends_when_exact && w.frames > 0 && w.is_exact()) || interrupted()
    })?;
    finish(&watch, &options)
}

/// What was asked for at the end.
pub(crate) fn finish(watch: &Watch, options: &Options) -> Result<ExitCode, Failure> {
    if let (Some(path), Some(mut image)) = (&options.png, watch.picture()) {
        if let (true, Some(surface)) = (options.overlay, watch.surface) {
            overlay::draw(&watch.client, surface, &mut image);
        }
        picture::write_png(path, image.as_ref())?;
    }
    if let (Some(path), Some(image)) = (&options.last, watch.picture()) {
        write_raw(path, &image)?;
    }
    if options.json {
        println!("{}", watch.json());
    } else if options.headless {
        let counts = watch.client.counts();
        println!("{} frames, {} of {} tiles verified", watch.frames, counts.verified, counts.total);
    }
    match &watch.ended {
        Some(why) if why.code != lightbox_client::close::DONE => Err(why.reason.clone().into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

#[cfg(not(feature = "window"))]
fn windowed(_: Client, _: Options) -> Result<ExitCode, Failure> {
    Err("this build has no window: use --headless, or build with the feature `window`".into())
}

#[cfg(feature = "window")]
fn windowed(client: Client, options: Options) -> Result<ExitCode, Failure> {
    crate::window::run(client, options)
}
