//! The still codec beside its peers on the same pictures: tables as Markdown on stdout, a plot as SVG.
//!
//! ```text
//! cargo run --release -p lightbox-benches --features libjxl --bin still_table -- \
//!     [--rounds N] [--tiles N,N] [--quick] [--svg FILE] [PICTURE|FOLDER...]
//! ```
//!
//! One thread, pinned to the core on which it starts; CPU time of that thread, best of N rounds; every round trip is
//! compared first. `--features peers` does without JPEG XL, `--quick` without the slow peers.

use std::io::Write;
use std::path::PathBuf;

use lightbox_benches::measure::measure;
use lightbox_benches::peers::{self, Coder, Error, KERNELS, Ours, Part};
use lightbox_benches::plot;
use lightbox_benches::stills::{self, Class, Named};
use lightbox_benches::table::Results;
use lightbox_codec::lossless::Level;
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};

struct Options {
    rounds: u32,
    tiles: Vec<u32>,
    quick: bool,
    svg: Option<PathBuf>,
    pictures: Vec<PathBuf>,
}

fn main() -> Result<(), Error> {
    let options = Options::parse(std::env::args().skip(1))?;
    stay_on_this_core()?;
    let stills = stills::load(&options.pictures)?;

    let mut coders = ours(&[Level::Dense, Level::Default, Level::Fast]);
    coders.append(&mut peers::all(options.quick));
    let whole = run(&stills, 0, &mut coders, options.rounds);
    println!("Whole pictures, ratio @ encode / decode in MPx/s:\n\n{}", whole.absolute());
    println!("Against CharLS, bytes and speeds:\n\n{}", whole.relative());
    if let Some(file) = &options.svg {
        std::fs::write(file, plot::svg(&whole))?;
    }

    for &side in &options.tiles {
        let mut coders = ours(&[Level::Default]);
        // As many tiles as one coded rect of the wire may have.
        for tiles in [16, 64].into_iter().filter(|tiles| side * side * tiles <= 64 * 64 * 64) {
            for kernel in KERNELS.iter().rev() {
                let ours = Ours::new(Level::Default, *kernel).map(|ours| ours.in_batches_of(tiles as usize));
                coders.extend(ours.map(|ours| Box::new(ours) as Box<dyn Coder>));
            }
        }
        coders.append(&mut peers::all(true));
        let tiles = run(&stills, side, &mut coders, options.rounds);
        println!("Tiles of {side}x{side}, each coded alone:\n\n{}", tiles.absolute());
    }
    Ok(())
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        let (rounds, tiles) = (5, vec![256, 64]);
        let mut options = Self { rounds, tiles, quick: false, svg: None, pictures: Vec::new() };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--rounds" => options.rounds = value()?.parse()?,
                "--tiles" => {
                    let sides = value()?;
                    let sides = sides.split(',').filter(|side| !side.is_empty()).map(str::parse);
                    options.tiles = sides.collect::<Result<_, _>>()?;
                }
                "--quick" => options.quick = true,
                "--svg" => options.svg = Some(value()?.into()),
                _ if argument.starts_with("--") => return Err(format!("{argument} is no option").into()),
                _ => options.pictures.push(argument.into()),
            }
        }
        Ok(options)
    }
}

/// A thread that moves to another core finds cold caches there.
fn stay_on_this_core() -> Result<(), Error> {
    let mut core = CpuSet::new();
    core.set(sched_getcpu());
    Ok(sched_setaffinity(None, &core)?)
}

fn ours(levels: &[Level]) -> Vec<Box<dyn Coder>> {
    let each = KERNELS.iter().rev().flat_map(|kernel| levels.iter().map(|level| Ours::new(*level, *kernel)));
    each.flatten().map(|ours| Box::new(ours) as Box<dyn Coder>).collect()
}

fn run(stills: &[Named], side: u32, coders: &mut [Box<dyn Coder>], rounds: u32) -> Results {
    let mut results = Results::default();
    for Named { name, still } in stills {
        let image = still.image();
        let parts = Part::tiles(image, side);
        let raw = parts.iter().map(|part| part.samples().len()).sum();
        let costs = measure(&parts, coders, rounds);
        for (coder, cost) in coders.iter().zip(costs) {
            match cost {
                Some(Ok(cost)) => {
                    results.add(&coder.name(), Class::of(image), image.size().area(), raw, cost)
                }
                Some(Err(complaint)) => results.fail(&coder.name(), name, &complaint.to_string()),
                None => {}
            }
        }
        let _ = writeln!(std::io::stderr(), "{name} done");
    }
    results
}
