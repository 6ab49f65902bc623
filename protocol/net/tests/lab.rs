//! The workload of a remote desktop over bad lines, in virtual time. The figures are those the design asks for.
#![cfg(feature = "lab")]

use lightbox_net::lab::workload::{Config, Recovery, Report, run};
use lightbox_net::lab::{Controller, Path};

/// One direction of a line: a rate with a queue before it, a way, jitter and loss.
struct Line {
    mbit: u64,
    queue_us: u64,
    way_us: u64,
    jitter_us: u64,
    loss: u64,
    /// From when the way is longer, and by how much.
    step: (u64, u64),
    free_at: u64,
    last: u64,
    dice: u64,
}

impl Line {
    /// A county line on a bad day, one direction of it: profile NX.
    fn county(mbit: u64, seed: u64) -> Self {
        Self {
            mbit,
            queue_us: 60_000,
            way_us: 20_000,
            jitter_us: 1_000,
            loss: 1,
            step: (u64::MAX, 0),
            free_at: 0,
            last: 0,
            dice: seed,
        }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.dice >> 33) % sides
    }
}

impl Path for Line {
    fn offer(&mut self, now: u64, bytes: usize) -> Option<u64> {
        let waits = self.free_at.saturating_sub(now);
        if waits > self.queue_us {
            return None;
        }
        self.free_at = now + waits + (bytes as u64 + 28) * 8 / self.mbit;
        let lost = self.roll(100) < self.loss;
        let longer = if now >= self.step.0 { self.step.1 } else { 0 };
        let arrives = self.free_at + self.way_us + longer + self.roll(self.jitter_us + 1);
        self.last = self.last.max(arrives);
        (!lost).then_some(self.last)
    }
}

fn county(config: &Config) -> Report {
    let (mut down, mut up) = (Line::county(20, config.seed), Line::county(5, config.seed + 100));
    if let Some((at, by)) = config.step {
        (down.step, up.step) = ((at, by / 2), (at, by - by / 2));
    }
    run(config, Box::new(down), Box::new(up)).unwrap()
}

#[test]
fn pictures_are_young_and_input_is_quick_on_a_bad_line() {
    for seed in 1..=5 {
        let report = county(&Config { seed, ..Config::default() });
        assert!(report.age.p95 <= 110.0, "seed {seed}: {report:?}");
        assert!(report.input.p99 <= 80.0, "seed {seed}: {report:?}");
        assert!(report.input.count + 30 >= report.inputs, "seed {seed}: {report:?}");
        assert_eq!(report.burst.count, 12, "seed {seed}: {report:?}");
    }
}

#[test]
fn a_longer_path_is_known_within_two_seconds() {
    for seed in 1..=5 {
        let step = Some((20_000_000, 40_000));
        let report = county(&Config { seed, duration_us: 30_000_000, step, ..Config::default() });
        assert!(
            matches!(report.recovery, Recovery::After(ms) if ms <= 2000.0),
            "seed {seed}: {:?}",
            report.recovery
        );
    }
}

#[test]
fn the_stock_controller_shows_why_there_is_another() {
    let config = Config { duration_us: 20_000_000, ..Config::default() };
    let ours = county(&config);
    let stock = county(&Config { controller: Controller::Cubic, ..config });
    assert!(ours.goodput_mbit > 2.0 * stock.goodput_mbit, "{ours:?}\n{stock:?}");
}

#[test]
fn a_download_beside_it_leaves_a_share() {
    let line = |mbit, seed| Line { queue_us: 300_000, way_us: 40_000, loss: 0, ..Line::county(mbit, seed) };
    let config = Config { frame_bytes: 80_000, beside: Some(Controller::Cubic), ..Config::default() };
    let report = run(&config, Box::new(line(4, 1)), Box::new(line(4, 2))).unwrap();
    let share = report.goodput_mbit / (report.goodput_mbit + report.beside_mbit);
    assert!(share >= 0.35, "{share}: {report:?}");
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let config = Config { duration_us: 10_000_000, ..Config::default() };
    assert_eq!(county(&config), county(&config));
    assert_ne!(county(&config), county(&Config { seed: 2, ..config }));
}
