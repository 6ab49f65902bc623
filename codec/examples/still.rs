//! Codes PGM and PPM images and prints density and speed, one line an image.
//!
//! `cargo run --release -p lightbox-codec --example still -- IMAGE.pgm... [--tile N] [--batch N] [--reps N] [--fast|--dense] [--plain]`
//!
//! `--tile N` cuts images into tiles of N x N pixels, `--batch N` codes N tiles of a row of tiles together.

use std::error::Error;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use lightbox_codec::cpu::Features;
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::lossless::{Decoder, Encoder, Level};
use lightbox_codec::pixel::{ImageMut, ImageRef};

mod netpbm;

use netpbm::Netpbm;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut files, mut tile, mut batch, mut reps) = (Vec::new(), u32::MAX, 1, 3);
    let (mut level, mut features) = (Level::Default, Features::detect());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--tile" => tile = args.next().ok_or("--tile needs a number")?.parse()?,
            "--batch" => batch = args.next().ok_or("--batch needs a number")?.parse()?,
            "--reps" => reps = args.next().ok_or("--reps needs a number")?.parse()?,
            "--fast" => level = Level::Fast,
            "--dense" => level = Level::Dense,
            "--plain" => features = Features::NONE,
            _ => files.push(arg),
        }
    }
    let (mut ratio, mut enc, mut dec) = (0.0, 0.0, 0.0);
    for file in &files {
        let netpbm = Netpbm::read(&std::fs::read(file)?)?;
        let result = measure(&netpbm, (tile, batch), reps, level, features)?;
        let px = netpbm.size.area() as f64 / 1e6;
        let line = [
            netpbm.raw_bytes as f64 / result.bytes as f64,
            px / result.encode.as_secs_f64(),
            px / result.decode.as_secs_f64(),
        ];
        println!("{:7.3} @ {:6.1} / {:6.1} MPx/s {:>9} B  {file}", line[0], line[1], line[2], result.bytes);
        (ratio, enc, dec) = (ratio + line[0].ln(), enc + line[1].ln(), dec + line[2].ln());
    }
    let n = files.len().max(1) as f64;
    println!(
        "{:7.3} @ {:6.1} / {:6.1} MPx/s geometric mean",
        (ratio / n).exp(),
        (enc / n).exp(),
        (dec / n).exp()
    );
    Ok(())
}

struct Measured {
    bytes: usize,
    encode: Duration,
    decode: Duration,
}

/// Codes every batch of tiles `reps` times; the mean of the times.
fn measure(
    netpbm: &Netpbm,
    (tile, batch): (u32, usize),
    reps: u32,
    level: Level,
    features: Features,
) -> Result<Measured, Box<dyn Error>> {
    let image = ImageRef::new(&netpbm.pixels, netpbm.size, netpbm.stride(), netpbm.format)?;
    let tiles = split(netpbm.size, tile);
    let (mut encoder, mut decoder) =
        (Encoder::with_level(level).with_cpu(features), Decoder::new().with_cpu(features));
    let (mut coded, mut ends, mut images) = (Vec::new(), Vec::new(), Vec::new());
    let start = cpu_time();
    for _ in 0..reps {
        coded.clear();
        ends.clear();
        for rects in tiles.chunks(batch) {
            images.clear();
            for rect in rects {
                images.push(image.crop(*rect).ok_or("tile outside image")?);
            }
            encoder.encode_batch(&images, &mut coded);
            ends.push(coded.len());
        }
    }
    let encode = cpu_time().saturating_sub(start) / reps;

    let mut target = vec![0; netpbm.pixels.len()];
    let start = cpu_time();
    for _ in 0..reps {
        let mut into = ImageMut::new(&mut target, netpbm.size, netpbm.stride(), netpbm.format)?;
        let mut from = 0;
        for (rects, end) in tiles.chunks(batch).zip(&ends) {
            decoder.decode_batch(&coded[from..*end], &mut into, rects)?;
            from = *end;
        }
    }
    let decode = cpu_time().saturating_sub(start) / reps;
    if target != netpbm.pixels {
        return Err("decoded image differs".into());
    }
    Ok(Measured { bytes: coded.len(), encode, decode })
}

/// Time this thread has run, which other programs do not disturb; where the system does not tell, time of day.
fn cpu_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match stat.split(' ').next().and_then(|field| field.parse().ok()) {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => START.elapsed(),
    }
}

fn split(size: Size, tile: u32) -> Vec<Rect> {
    let mut tiles = Vec::new();
    for y in (0..size.h).step_by(tile.min(size.h) as usize) {
        for x in (0..size.w).step_by(tile.min(size.w) as usize) {
            tiles.push(Rect::new(x, y, tile.min(size.w - x), tile.min(size.h - y)));
        }
    }
    tiles
}
