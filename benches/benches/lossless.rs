//! The still codec.
//!
//! ```text
//! cargo bench -p lightbox-benches --bench lossless
//! cargo bench -p lightbox-benches --bench lossless -- decode/desktop
//! ```
//!
//! Throughput counts pixels (an "element" is a pixel). `slice` is 12-bit gray, `viewport` 8-bit gray, `desktop`
//! 1920x1080 BGRX with an image window in it, `letter` the 10x16 rect of a typed letter. `plain` runs the plain
//! Rust kernels, `fast` the best that this CPU has.
#![allow(missing_docs, reason = "criterion's macros make public items without documentation")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lightbox_benches::Picture;
use lightbox_codec::cpu::Features;
use lightbox_codec::geom::Size;
use lightbox_codec::lossless::{Decoder, Encoder, Level};
use lightbox_codec::pixel::ImageMut;

fn pictures() -> [Picture; 5] {
    [
        Picture::slice(Size::new(512, 512), 60),
        Picture::slice(Size::new(64, 64), 60),
        Picture::viewport(Size::new(900, 900), 60),
        Picture::desktop(Size::new(1920, 1080)),
        Picture::letter(),
    ]
}

fn kernels() -> [(&'static str, Features); 2] {
    [("plain", Features::NONE), ("fast", Features::detect())]
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    for picture in pictures() {
        let image = picture.image().expect("generated pictures have pixels");
        group.throughput(Throughput::Elements(picture.size().area()));
        for (kernel, features) in kernels() {
            for (level, name) in [(Level::Fast, "fast-level"), (Level::Default, "default-level")] {
                let mut encoder = Encoder::with_level(level).with_cpu(features);
                let mut coded = Vec::new();
                let id = BenchmarkId::new(format!("{}/{kernel}/{name}", picture.name()), picture.size().w);
                group.bench_function(id, |b| {
                    b.iter(|| {
                        coded.clear();
                        black_box(encoder.encode(black_box(image), &mut coded))
                    });
                });
            }
        }
    }
    group.finish();
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for picture in pictures() {
        let image = picture.image().expect("generated pictures have pixels");
        let (mut coded, mut target) = (Vec::new(), vec![0; picture.stride() * picture.size().h as usize]);
        Encoder::new().encode(image, &mut coded);
        group.throughput(Throughput::Elements(picture.size().area()));
        for (kernel, features) in kernels() {
            let mut decoder = Decoder::new().with_cpu(features);
            let id = BenchmarkId::new(format!("{}/{kernel}", picture.name()), picture.size().w);
            group.bench_function(id, |b| {
                b.iter(|| {
                    let mut into =
                        ImageMut::new(&mut target, picture.size(), picture.stride(), picture.format())
                            .expect("the memory fits the picture");
                    decoder.decode(black_box(&coded), &mut into).expect("the encoder's own stream")
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
