//! `cargo xtask soak --updates N --seed S [--faults false]`: the oracle of "verified" for as long as one likes.
//!
//! Prints how far it is every few seconds, and at the end what it did. Ends with 1 if something happened that must
//! never happen; the line says which seed gets there again.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use lightbox_fuzz::soak::{Config, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(config) = read(&arguments) else {
        eprintln!("usage: soak [--updates N] [--seed S] [--faults true|false]");
        return ExitCode::from(2);
    };
    let start = Instant::now();
    let mut told = start;
    let outcome = run(config, |report| {
        if told.elapsed() > EVERY {
            told = Instant::now();
            println!("{:.0} s: {report}", start.elapsed().as_secs_f64());
        }
    });
    let took = start.elapsed().as_secs_f64();
    match outcome {
        Ok(report) => {
            println!("seed {}, {took:.0} s: {report}", config.seed);
            ExitCode::SUCCESS
        }
        Err(violation) => {
            eprintln!("{violation}");
            ExitCode::FAILURE
        }
    }
}

fn read(arguments: &[String]) -> Option<Config> {
    let mut config = Config { updates: 20_000, seed: 1, faults: true };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        match name.as_str() {
            "--updates" => config.updates = value.parse().ok()?,
            "--seed" => config.seed = value.parse().ok()?,
            "--faults" => config.faults = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(config)
}

/// Between two lines of progress.
const EVERY: Duration = Duration::from_secs(5);
