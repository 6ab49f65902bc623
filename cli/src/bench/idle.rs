use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use lightbox_client::{Client, Config as ClientConfig};
use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_server::{Config, Damage, Server};
use serde_json::{Value, json};

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
    /// Be the clients: read an address a line, connect to each, and say what that costs.
    #[arg(long, hide = true)]
    pub clients: bool,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let line = if options.clients { clients(options) } else { server(options) };
    println!("{}", line?);
    Ok(ExitCode::SUCCESS)
}

/// The server's process. The clients have one of their own, so that each side's memory is told alone.
fn server(options: &Options) -> Result<Value, Failure> {
    let (size, format) = (Size::new(1920, 1080), PixelFormat::Bgrx8);
    let bare = usage::rss_bytes();
    let config = Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let server = Server::start(config.max_sessions(options.sessions as usize))?;
    let output = server.add_output(size, format)?;
    let picture = Image::new(size, format)?;
    output.submit(picture.as_ref(), Damage::Unknown)?;
    drop(picture);
    let before = usage::rss_bytes();
    let mut clients = Clients::start(options)?;
    let mut addresses = clients.process.stdin.take().ok_or("the clients do not listen")?;
    for _ in 0..options.sessions {
        writeln!(addresses, "{}", server.address("127.0.0.1")?)?;
    }
    drop(addresses);
    clients.line("were up")?;
    while server.events().try_next().is_some() {}
    let (cpu, start) = (usage::thread_cpu_seconds("lbx-server"), Instant::now());
    let theirs: Value = serde_json::from_str(&clients.line("measured")?)?;
    let seconds = start.elapsed().as_secs_f64();
    let mut line = json!({
        "sessions": options.sessions,
        "seconds": round3(seconds),
        "framebuffer_bytes": size.area() * 4,
        "server_core_percent_a_session":
            percent(usage::thread_cpu_seconds("lbx-server") - cpu, seconds, options.sessions),
        "server_rss_bytes_before_clients": before.saturating_sub(bare),
        "server_rss_bytes_a_session": usage::rss_bytes().saturating_sub(before) / u64::from(options.sessions),
    });
    if let (Some(all), Value::Object(theirs)) = (line.as_object_mut(), theirs) {
        all.extend(theirs);
    }
    Ok(line)
}

/// The clients' process.
fn clients(options: &Options) -> Result<Value, Failure> {
    let before = usage::rss_bytes();
    let addresses = std::io::stdin().lock().lines();
    let clients: Vec<Client> = addresses
        .map(|line| Ok(Client::connect(ClientConfig::new(line?))?))
        .collect::<Result<_, Failure>>()?;
    let patience = Instant::now() + Duration::from_secs(60);
    while !clients.iter().all(|client| client.counts().all_verified()) {
        if Instant::now() > patience {
            return Err("the sessions did not come up within a minute".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    // What start-up leaves behind is not idleness.
    std::thread::sleep(Duration::from_secs(2));
    println!("up");
    let wire = || clients.iter().map(|client| client.stats().wire_bytes).sum::<u64>();
    let (bytes, cpu, start) = (wire(), usage::thread_cpu_seconds("lbx-client"), Instant::now());
    std::thread::sleep(Duration::from_secs_f64(options.seconds.clamp(1.0, 3_600.0)));
    let seconds = start.elapsed().as_secs_f64();
    let kbit = (wire() - bytes) as f64 * 8.0 / 1e3 / seconds / f64::from(options.sessions);
    Ok(json!({
        "client_core_percent_a_session":
            percent(usage::thread_cpu_seconds("lbx-client") - cpu, seconds, options.sessions),
        "client_rss_bytes_a_session": usage::rss_bytes().saturating_sub(before) / u64::from(options.sessions),
        "wire_kbit_s_a_session_both_ways": round3(kbit),
        "all_verified": clients.iter().all(|client| client.counts().all_verified()),
    }))
}

fn percent(cpu: f64, seconds: f64, sessions: u32) -> f64 {
    round3(cpu / seconds / f64::from(sessions) * 100.0)
}

/// The clients' process, as the server's sees it. It ends with this.
struct Clients {
    process: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Clients {
    fn start(options: &Options) -> Result<Self, Failure> {
        let (sessions, seconds) = (options.sessions.to_string(), options.seconds.to_string());
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "idle", "--clients", "--sessions", &sessions, "--seconds", &seconds]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = process.stdout.take().ok_or("the clients do not speak")?;
        Ok(Self { process, said: BufReader::new(said) })
    }

    fn line(&mut self, what: &str) -> Result<String, Failure> {
        let mut line = String::new();
        match self.said.read_line(&mut line)? {
            0 => Err(format!("the clients ended before they {what}").into()),
            _ => Ok(line),
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // It has mostly ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
