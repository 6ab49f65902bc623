//! `lightbox serve`: serve a desktop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lightbox_server::{Certificates, Config, Event, Server};

use crate::host::Host;
use crate::interrupt::interrupted;
use crate::{Failure, files};
use crate::{encoder, source};

/// Options of `lightbox serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where frames come from: scene, x11, x11:DISPLAY, vnc:HOST:PORT (the password in
    /// LIGHTBOX_VNC_PASSWORD), qemu:QMP_SOCKET, dicom:DIR or replay:FILE.scr.zst
    #[arg(long, default_value = "scene")]
    pub source: String,
    /// Where to listen.
    #[arg(long, default_value = "[::]:7700")]
    pub listen: SocketAddr,
    /// Also encode what changes, as a host with a GPU would: h264, in software. Who decodes it sees video while
    /// things move.
    #[arg(long)]
    pub encode: Option<String>,
    /// Start a recording anew when it ends.
    #[arg(long = "loop")]
    pub looped: bool,
    /// The ticket admits again and again: for tests and trusted networks.
    #[arg(long)]
    pub keep_ticket: bool,
    /// The name or address by which clients reach this machine, for the line that is printed.
    #[arg(long)]
    pub host: Option<String>,
    /// Keep the server's key in this file, so that the fingerprint stays; made if it is not there.
    #[arg(long)]
    pub identity: Option<PathBuf>,
    /// Admit terminals whose certificate one of these authorities signed (PEM), instead of tickets.
    #[arg(long, conflicts_with = "keep_ticket")]
    pub client_ca: Option<PathBuf>,
    /// Leave after this many seconds.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Say what became of each session when it ends.
    #[arg(long)]
    pub verbose: bool,
}

/// Runs it until it is interrupted, or its time is up.
///
/// # Errors
/// One line for the person at the keyboard.
pub fn run(options: Options) -> Result<ExitCode, Failure> {
    let mut config = Config::new(options.listen).keep_tickets(options.keep_ticket);
    if let Some(path) = &options.identity {
        config = config.identity(files::identity_or_new(path)?);
    }
    if let Some(path) = &options.client_ca {
        config = config.authorities(files::authorities(path)?).authenticate(Arc::new(Certificates));
    }
    let source = source::open(&options.source, options.looped)?;
    let server = Server::start(config)?;
    let mut host = Host::new(&server, source)?;
    if let Some(name) = &options.encode {
        host.set_encoder(encoder::open(name)?);
    }
    let reach = options.host.clone().unwrap_or_else(|| reach(server.local_addr()));
    println!("{}", server.address(&reach)?);
    let until = options.seconds.map(|s| std::time::Instant::now() + Duration::from_secs_f64(s.max(0.0)));
    while !interrupted() && until.is_none_or(|t| std::time::Instant::now() < t) {
        let mut joined = false;
        host.turn(&server, Duration::from_millis(20), |event| {
            joined |= matches!(event, Event::Joined { .. });
            say(&event, options.verbose);
        })?;
        if joined && !options.keep_ticket && options.client_ca.is_none() {
            // The ticket is used up; this is the next person's.
            println!("{}", server.address(&reach)?);
        }
    }
    if options.verbose {
        for (session, stats) in server.sessions() {
            eprintln!("session {session}: {} frames, {} bytes", stats.frames, stats.frame_bytes);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn say(event: &Event, verbose: bool) {
    match event {
        Event::Joined { session, terminal } => eprintln!("{terminal:?} joined as session {session}"),
        Event::Left { session, why } => eprintln!("session {session} ended: {why}"),
        Event::Detached { session, why } => eprintln!("session {session} lost its connection: {why}"),
        Event::Resumed(session) => eprintln!("session {session} is back"),
        Event::Mismatch { session, tiles } => {
            eprintln!("session {session}: {tiles} tiles reached the client otherwise than sent; sent again");
        }
        other if verbose => eprintln!("{other:?}"),
        _ => (),
    }
}

/// How a client on this machine reaches a server that listens there; others need `--host`.
fn reach(listen: SocketAddr) -> String {
    match listen {
        at if at.ip().is_unspecified() => "127.0.0.1".into(),
        SocketAddr::V4(at) => at.ip().to_string(),
        SocketAddr::V6(at) => format!("[{}]", at.ip()),
    }
}
