//! The soak as CI runs it: 20,000 updates over a few seeds. `cargo xtask soak` runs as many as one likes.

use lightbox_fuzz::soak::{Config, Report, run};

/// What a violation prints is enough to get there again.
fn soak(seed: u64, faults: bool) -> Report {
    match run(Config { updates: 4_000, seed, faults }, |_| ()) {
        Ok(report) => report,
        Err(violation) => panic!("{violation}"),
    }
}

#[test]
fn what_is_verified_is_the_source_s_picture() {
    let workers = (1..=5).map(|seed| std::thread::spawn(move || soak(seed, true)));
    // All are started before the first is waited for.
    for worker in workers.collect::<Vec<_>>() {
        let report = worker.join().expect("a violation");
        assert_eq!(report.false_verified, 0);
        // A run in which nothing happens proves nothing.
        let Report { faults, resumes, lost, verified, coarse, units, updates_by_model, settled, .. } = report;
        assert!(faults.found > 0 && faults.overwritten > 0 && faults.refused > 0, "{report}");
        assert_eq!(faults.injected, faults.found + faults.overwritten, "{report}");
        assert!(faults.models > 0, "{report}");
        assert!(coarse > 100 && units > 100 && updates_by_model.1 > 100, "{report}");
        assert!(resumes > 0 && lost.1 > 0 && verified > 1_000 && settled > 5, "{report}");
    }
}

#[test]
fn nothing_is_wrong_where_nothing_is_spoiled() {
    let report = soak(6, false);
    let none = (report.faults.injected, report.faults.mismatches, report.false_verified);
    assert_eq!(none, (0, 0, 0), "{report}");
    assert!(report.resumes > 0 && report.updates_by_model.1 > 100, "{report}");
}

#[test]
fn a_seed_is_a_run() {
    let short = |seed| {
        format!("{:?}", run(Config { updates: 300, seed, faults: true }, |_| ()).map_err(|v| v.to_string()))
    };
    assert_eq!(short(77), short(77));
    assert_ne!(short(77), short(78));
}
