//! The soak as CI runs it: 20,000 updates over a few seeds. `cargo xtask soak` runs as many as one likes.

use lightbox_fuzz::soak::{Config, Report, run};

/// What a violation prints is enough to get there again.
fn soak(seed: u64) -> Report {
    match run(Config { updates: 4_000, seed }, |_| ()) {
        Ok(report) => report,
        Err(violation) => panic!("{violation}"),
    }
}

#[test]
fn what_is_verified_is_the_source_s_picture() {
    let workers = (1..=5).map(|seed| std::thread::spawn(move || soak(seed)));
    // All are started before the first is waited for.
    for worker in workers.collect::<Vec<_>>() {
        let report = worker.join().expect("a violation");
        assert_eq!(report.false_verified, 0);
        // A run in which nothing happens proves nothing.
        let Report { faults, resumes, lost, verified, coarse, units, settled, .. } = report;
        assert!(faults.found > 0 && faults.overwritten > 0 && faults.refused > 0, "{report}");
        assert_eq!(faults.injected, faults.found + faults.overwritten, "{report}");
        assert!(coarse > 100 && units > 100, "{report}");
        assert!(resumes > 0 && lost.1 > 0 && verified > 1_000 && settled > 5, "{report}");
    }
}

#[test]
fn a_seed_is_a_run() {
    let short = |seed| format!("{:?}", run(Config { updates: 300, seed }, |_| ()).map_err(|v| v.to_string()));
    assert_eq!(short(77), short(77));
    assert_ne!(short(77), short(78));
}
