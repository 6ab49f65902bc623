use std::process::ExitCode;
use std::time::Duration;

use lightbox_net::lab::workload::{self, Recovery, Report};
use lightbox_net::lab::{Controller, Path, Percentiles};
use lightbox_protocol::Time;
use lightbox_sim::link::{Link, Verdict};
use lightbox_sim::profile::Profile;
use serde_json::{Value, json};

use crate::Failure;
use crate::report::round3;

/// Options of `lightbox bench link`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// N1 to N6 or NX.
    #[arg(long, default_value = "NX")]
    pub profile: String,
    /// One seed, or a range: 1-5
    #[arg(long, default_value = "1-5")]
    pub seeds: String,
    /// Measure this controller beside ours.
    #[arg(long, value_parser = ["cubic"])]
    pub against: Option<String>,
    /// Seconds of session, in virtual time.
    #[arg(long, default_value_t = 60.0)]
    pub seconds: f64,
    /// The path becomes 40 ms longer (there and back) after half the time; says how long the recovery took.
    #[arg(long)]
    pub step: bool,
    /// A second connection downloads without end over the same link: what it leaves us.
    #[arg(long, value_parser = ["cubic"])]
    pub beside: Option<String>,
}

/// One direction of the link model as the transport's laboratory takes it.
pub(crate) struct Direction(Link);

impl Direction {
    pub(crate) fn path(link: Link) -> Box<dyn Path> {
        Box::new(Self(link))
    }
}

impl Path for Direction {
    fn offer(&mut self, now_us: u64, bytes: usize) -> Option<u64> {
        match self.0.offer(Time(now_us), bytes) {
            Verdict::Arrive(at) => Some(at.micros()),
            Verdict::Lost(_) => None,
        }
    }
}

/// The profile of this name.
pub(crate) fn profile(name: &str) -> Result<Profile, Failure> {
    Profile::named(name).ok_or_else(|| format!("no profile {name:?}: use N1 to N6 or NX").into())
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let mut controllers = vec![(Controller::LowDelay, "low-delay")];
    if options.against.is_some() {
        controllers.push((Controller::Cubic, "cubic"));
    }
    for seed in seeds(&options.seeds)? {
        for (controller, name) in &controllers {
            let duration_us = (options.seconds.clamp(2.0, 3_600.0) * 1e6) as u64;
            let mut profile = profile(&options.profile)?;
            let mut config =
                workload::Config { seed, duration_us, controller: *controller, ..Default::default() };
            if options.step {
                let by = Duration::from_millis(40);
                profile = profile.step_rtt(Time(duration_us / 2), by);
                config.step = Some((duration_us / 2, by.as_micros() as u64));
            }
            config.beside = options.beside.as_ref().map(|_| Controller::Cubic);
            let (down, up) = profile.links(seed);
            let report = workload::run(&config, Direction::path(down), Direction::path(up))?;
            println!("{}", line(&options.profile, seed, name, &report));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(profile: &str, seed: u64, controller: &str, r: &Report) -> Value {
    let p = |p: &Percentiles| json!({ "p50": round3(p.p50), "p95": round3(p.p95), "p99": round3(p.p99) });
    json!({
        "profile": profile,
        "seed": seed,
        "controller": controller,
        "frame_ms": p(&r.frame),
        "age_ms": p(&r.age),
        "input_ms": p(&r.input),
        "burst_ms": p(&r.burst),
        "queue_ms": p(&r.queue),
        "frames": r.made,
        "gated": r.skipped,
        "inputs": r.inputs,
        "goodput_mbit": round3(r.goodput_mbit),
        "beside_mbit": round3(r.beside_mbit),
        "lost": round3(r.lost),
        "recovery_ms": match r.recovery {
            Recovery::NotAsked => Value::Null,
            Recovery::Never => json!("never"),
            Recovery::After(ms) => json!(round3(ms)),
        },
    })
}

fn seeds(text: &str) -> Result<Vec<u64>, Failure> {
    let wrong = || format!("no seeds {text:?}: use one number, or a range like 1-5");
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to): (u64, u64) = (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?);
    if from > to || to - from > 1_000 { Err(wrong().into()) } else { Ok((from..=to).collect()) }
}
