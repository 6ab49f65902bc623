//! Every input that was ever worth saving, and a few thousand that were not, on the stable toolchain.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use lightbox_fuzz::oracle::TARGETS;
use lightbox_sim::rng::Rng;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn saved_inputs_stay_harmless() {
    for (name, oracle) in TARGETS {
        let folder = corpus().join(name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = files.map(|file| file.expect("a file of the checkout").path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "{name} has no saved input");
        for path in paths {
            // Shown if the oracle panics.
            println!("{}", path.display());
            oracle(&fs::read(&path).expect("a file of the checkout"));
        }
    }
}

#[test]
fn every_oracle_has_a_target_and_a_folder() {
    let oracles: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).into()).collect();
    let root = corpus().join("..");
    let names = |folder: &str, ending: &str| -> BTreeSet<String> {
        let files = fs::read_dir(root.join(folder)).expect("a folder of the checkout");
        let names = files.map(|file| file.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect()
    };
    assert_eq!(names("fuzz_targets", ".rs"), oracles);
    assert_eq!(names("corpus", ""), oracles);
}

#[test]
fn noise_is_harmless() {
    for (name, oracle) in TARGETS {
        let mut rng = Rng::new(1);
        for i in 0..500 {
            let length = rng.below(200) as usize;
            let bytes: Vec<u8> = (0..length).map(|_| rng.next_u64() as u8 >> rng.below(6)).collect();
            println!("{name} {i}");
            oracle(&bytes);
        }
    }
}
