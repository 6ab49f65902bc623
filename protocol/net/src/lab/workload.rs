//! A remote desktop's traffic, and what it felt like.
//!
//! A server makes 30 frames a second, each on a stream of its own with a priority below the one before; each five
//! seconds a burst of refinement follows behind them all. A client sends 62.5 inputs a second in datagrams, each
//! in three copies, and the server echoes them.

use super::client::Terminal;
use super::measure::{self, Percentiles};
use super::pair::Network;
use super::server::{Bulk, Desktop};
use super::{Controller, Path};
use crate::endpoint::Settings;
use crate::tls::IdentityError;

/// What to run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Everything random of QUIC. The paths have seeds of their own.
    pub seed: u64,
    /// How long, microseconds.
    pub duration_us: u64,
    /// What the server sends with.
    pub controller: Controller,
    /// Its aims and limits.
    pub settings: Settings,
    /// A full-size frame. 40 kB.
    pub frame_bytes: usize,
    /// Whether frames are cut to what the path takes.
    pub adapt: bool,
    /// No frame is made while more than this is not acknowledged. 120 kB.
    pub gate_bytes: usize,
    /// The burst each five seconds; 0 for none. 1 MB.
    pub burst_bytes: usize,
    /// When the path becomes longer and by how much, microseconds there and back. The paths do it; this says
    /// where to look for the recovery.
    pub step: Option<(u64, u64)>,
    /// A second connection's download over the same paths, without end.
    pub beside: Option<Controller>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            duration_us: 60_000_000,
            controller: Controller::LowDelay,
            settings: Settings::default(),
            frame_bytes: 40_000,
            adapt: true,
            gate_bytes: 120_000,
            burst_bytes: 1_000_000,
            step: None,
            beside: None,
        }
    }
}

/// What came of it. Times in milliseconds; the first second is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// Frames made, and not made because of the gate.
    pub made: usize,
    /// See `made`.
    pub skipped: usize,
    /// From a frame's making to its last byte.
    pub frame: Percentiles,
    /// Of the newest shown frame, looked at each 5 ms.
    pub age: Percentiles,
    /// From a burst's begin to its last byte.
    pub burst: Percentiles,
    /// Inputs sent.
    pub inputs: usize,
    /// From input to its first echo.
    pub input: Percentiles,
    /// What packets from the server took longer than the fastest.
    pub queue: Percentiles,
    /// Bits per second that the client's application received, in millions.
    pub goodput_mbit: f64,
    /// The same of the connection beside.
    pub beside_mbit: f64,
    /// The share of the server's packets that were taken for lost.
    pub lost: f64,
    /// What the path's change did.
    pub recovery: Recovery,
}

/// How a session took the path's becoming longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recovery {
    /// The path did not change.
    NotAsked,
    /// Age, queue and throughput did not come back.
    Never,
    /// They came back after so many milliseconds.
    After(f64),
}

/// Runs the workload from server to client over `down` and back over `up`. The same configuration over paths that
/// do the same gives the same report.
///
/// # Errors
/// [`IdentityError`], never by the network's doing.
pub fn run(config: &Config, down: Box<dyn Path>, up: Box<dyn Path>) -> Result<Report, IdentityError> {
    let mut network = Network::new(down, up);
    let desk = network.connect(config.seed, config.controller, &config.settings)?;
    let beside = match config.beside {
        Some(other) => Some(network.connect(config.seed, other, &Settings::default())?),
        None => None,
    };
    let (mut desktop, mut terminal) = (Desktop::new(config.clone()), Terminal::new(true));
    let (mut bulk, mut sink) = (Bulk::default(), Terminal::new(false));
    loop {
        let now = network.now_us();
        // An end's application sees all its events before it acts.
        while let Some(event) = network.server(desk).poll() {
            desktop.handle(now, &event);
        }
        if let Some(connection) = network.server(desk).connection() {
            desktop.act(now, connection);
        }
        take(&mut terminal, &mut network, desk);
        if let Some(other) = beside {
            while network.server(other).poll().is_some() {}
            if let Some(connection) = network.server(other).connection()
                && !connection.is_handshaking()
            {
                bulk.act(connection);
            }
            take(&mut sink, &mut network, other);
        }
        network.flush();
        let next = network.next_us().unwrap_or(u64::MAX).min(desktop.next_us()).min(terminal.next_us());
        if next >= config.duration_us {
            break;
        }
        network.advance(next);
    }
    Ok(report(config, &desktop, terminal, sink.received, &mut network, desk))
}

fn take(terminal: &mut Terminal, network: &mut Network, flow: usize) {
    let now = network.now_us();
    let end = network.client(flow);
    while let Some(event) = end.poll() {
        if let Some(connection) = end.connection() {
            terminal.handle(now, &event, connection);
        }
    }
    if let Some(connection) = end.connection() {
        terminal.act(now, connection);
    }
}

fn report(
    config: &Config,
    desktop: &Desktop,
    terminal: Terminal,
    beside: u64,
    network: &mut Network,
    desk: usize,
) -> Report {
    let end = config.duration_us;
    let mbit = |bytes: u64| bytes as f64 * 8.0 / end.max(1) as f64;
    let lost = network.server(desk).connection().map_or(0.0, |connection| {
        let path = connection.stats().path;
        path.lost_packets as f64 / path.sent_packets.max(1) as f64
    });
    let (inputs, received) = (terminal.inputs(), terminal.received);
    let shown = terminal.shown;
    let delays = network.down_delays();
    let late = shown.iter().filter(|frame| frame.made_us >= WARM_UP);
    let recovery = match config.step {
        None => Recovery::NotAsked,
        Some((at, by)) => match measure::recovery(&shown, delays, at, by, end) {
            None => Recovery::Never,
            Some(us) => Recovery::After(us as f64 / 1000.0),
        },
    };
    let least = measure::least(delays, 0, end);
    Report {
        made: desktop.made,
        skipped: desktop.skipped,
        frame: Percentiles::of_us(late.map(|frame| frame.arrived_us - frame.made_us).collect()),
        age: Percentiles::of_us(measure::ages(&shown, WARM_UP, end).into_iter().map(|it| it.1).collect()),
        burst: Percentiles::of_us(terminal.burst_us),
        inputs,
        input: Percentiles::of_us(terminal.input_us),
        queue: Percentiles::of_us(measure::queueing(delays, WARM_UP, end, least)),
        goodput_mbit: mbit(received),
        beside_mbit: mbit(beside),
        lost,
        recovery,
    }
}

/// What a stream or an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Frame = 1,
    Burst = 2,
    Input = 3,
}

/// Kind, number, time and length: what opens a stream, and all of an input.
pub(super) fn header(kind: Kind, number: u32, at_us: u64, length: usize) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[0] = kind as u8;
    bytes[1..5].copy_from_slice(&number.to_be_bytes());
    bytes[5..13].copy_from_slice(&at_us.to_be_bytes());
    bytes[13..].copy_from_slice(&(length as u32).to_be_bytes());
    bytes
}

pub(super) fn parse(bytes: &[u8]) -> Option<(Kind, u32, u64, usize)> {
    let (&kind, rest) = bytes.split_first()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (at_us, rest) = rest.split_first_chunk()?;
    let kind = [Kind::Frame, Kind::Burst, Kind::Input].into_iter().find(|it| *it as u8 == kind)?;
    let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
    Some((kind, u32::from_be_bytes(*number), u64::from_be_bytes(*at_us), length))
}

pub(super) const HEADER: usize = 1 + 4 + 8 + 4;
const WARM_UP: u64 = 1_000_000;
