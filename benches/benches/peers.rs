//! The still codec beside its peers, on the same pictures in the same run.
//!
//! ```text
//! cargo bench -p lightbox-benches --features peers  --bench peers
//! cargo bench -p lightbox-benches --features libjxl --bench peers
//! LIGHTBOX_STILLS=FOLDER cargo bench -p lightbox-benches --features libjxl --bench peers -- decode/screen
//! ```
//!
//! `LIGHTBOX_STILLS` names files or folders of PGM, PPM or PNG, several with `:` between them; without it the
//! generated pictures are measured. Throughput counts pixels (an "element" is a pixel). A coder that is not exact on a
//! picture is named on stderr and left out. The tables of benches/README.md are made by `still_table`.
#![allow(missing_docs, reason = "criterion's macros make public items without documentation")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lightbox_benches::peers::{self, Coder, KERNELS, Ours, Part};
use lightbox_benches::stills::{self, Class};
use lightbox_codec::lossless::Level;

fn still(c: &mut Criterion) {
    let paths = std::env::var_os("LIGHTBOX_STILLS").unwrap_or_default();
    let paths: Vec<_> = std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()).collect();
    let parts: Vec<(String, Part)> = stills::load(&paths)
        .expect("the pictures that LIGHTBOX_STILLS names can be read")
        .iter()
        .map(|named| {
            (
                format!("{}/{}", Class::of(named.still.image()).name(), named.name),
                Part::new(named.still.image()),
            )
        })
        .collect();
    for (picture, part) in &parts {
        for mut coder in coders().into_iter().filter(|coder| coder.takes(part)) {
            let (mut coded, mut decoded) = (Vec::new(), Vec::new());
            let tried =
                coder.encode(part, &mut coded).and_then(|()| coder.decode(&coded, part, &mut decoded));
            if tried.is_err() || decoded != coder.expected(part) {
                eprintln!("{} is not exact on {picture}", coder.name());
                continue;
            }
            time(c, picture, part, coder.as_mut(), &mut coded, &mut decoded);
        }
    }
}

fn coders() -> Vec<Box<dyn Coder>> {
    let ours = KERNELS.iter().filter_map(|kernel| Ours::new(Level::Default, *kernel));
    ours.map(|ours| Box::new(ours) as Box<dyn Coder>).chain(peers::all(true)).collect()
}

fn time(
    c: &mut Criterion,
    picture: &str,
    part: &Part,
    coder: &mut dyn Coder,
    coded: &mut Vec<u8>,
    decoded: &mut Vec<u8>,
) {
    let name = coder.name();
    let throughput = Throughput::Elements(part.size().area());
    let mut group = c.benchmark_group("encode");
    group.throughput(throughput.clone());
    group.bench_function(BenchmarkId::new(picture, &name), |b| {
        b.iter(|| coder.encode(part, coded).expect("it coded the same picture before"));
    });
    group.finish();
    let mut group = c.benchmark_group("decode");
    group.throughput(throughput);
    group.bench_function(BenchmarkId::new(picture, &name), |b| {
        b.iter(|| coder.decode(coded, part, decoded).expect("it decoded the same picture before"));
    });
    group.finish();
}

criterion_group!(benches, still);
criterion_main!(benches);
