//! Codes images in passes and prints what these take of one pass.
//!
//! `cargo run --release -p lightbox-codec --example progressive -- IMAGE.pgm... [--low-bits K] [--grid N] [--show DIR]`
//!
//! Deep gray comes in high and low bits; with `--grid N` all come as previews, which `--show` writes as raw samples.

use std::error::Error;
use std::time::{Duration, Instant};

use lightbox_codec::lossless;
use lightbox_codec::lossless::progressive::{Decoder, Encoder};
use lightbox_codec::pixel::{Image, ImageRef};

mod netpbm;

use netpbm::Netpbm;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut files, mut low_bits, mut grid, mut show) = (Vec::new(), 2, None, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--low-bits" => low_bits = args.next().ok_or("--low-bits needs a number")?.parse()?,
            "--grid" => grid = Some(args.next().ok_or("--grid needs a number")?.parse()?),
            "--show" => show = args.next(),
            _ => files.push(arg),
        }
    }
    if let Some(grid) = grid {
        return previews(&files, grid, show.as_deref());
    }
    let (mut shares, mut totals) = (0.0, 0.0);
    for file in &files {
        let netpbm = Netpbm::read(&std::fs::read(file)?)?;
        let image = ImageRef::new(&netpbm.pixels, netpbm.size, netpbm.stride(), netpbm.format)?;
        let mut whole = Vec::new();
        lossless::Encoder::new().encode(image, &mut whole);
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        let (mut high, mut low) = (Vec::new(), Vec::new());
        let first = encoder.encode_high(image, low_bits, &mut high).ok_or("no deep gray image")?;
        encoder.encode_low(image, low_bits, &mut low).ok_or("no deep gray image")?;
        let encode = best(|| {
            low.clear();
            encoder.encode_low(image, low_bits, &mut low);
        });
        let mut target = Image::new(netpbm.size, netpbm.format)?;
        decoder.decode(&high, &mut target.as_mut())?;
        let shown = target.clone();
        let mut decode = Duration::MAX;
        for _ in 0..5 {
            target = shown.clone();
            let start = Instant::now();
            decoder.decode(&low, &mut target.as_mut())?;
            decode = decode.min(start.elapsed());
        }
        if target.bytes() != netpbm.pixels {
            return Err("decoded image differs".into());
        }
        let share = high.len() as f64 / whole.len() as f64;
        let total = (high.len() + low.len()) as f64 / whole.len() as f64;
        let speed = |time: Duration| netpbm.size.area() as f64 / 1e6 / time.as_secs_f64();
        let one_shot = netpbm.raw_bytes as f64 / whole.len() as f64;
        println!(
            "one pass {one_shot:.2}, high {share:.3}, both {total:.4}, error {}, second pass {:.1} / {:.1} MPx/s, {file}",
            first.max_error,
            speed(encode),
            speed(decode)
        );
        (shares, totals) = (shares + share.ln(), totals + total.ln());
    }
    let n = files.len().max(1) as f64;
    println!(
        "high {:.3}, both {:.4}, geometric mean of {} images",
        (shares / n).exp(),
        (totals / n).exp(),
        files.len()
    );
    Ok(())
}

/// Codes previews, and writes what they show into the directory `show`.
fn previews(files: &[String], grid: u32, show: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut shares = 0.0;
    for file in files {
        let netpbm = Netpbm::read(&std::fs::read(file)?)?;
        let image = ImageRef::new(&netpbm.pixels, netpbm.size, netpbm.stride(), netpbm.format)?;
        let (mut whole, mut preview) = (Vec::new(), Vec::new());
        lossless::Encoder::new().encode(image, &mut whole);
        let shown = Encoder::new().encode_preview(image, grid, &mut preview).ok_or("no grid of 2 to 8")?;
        let mut target = Image::new(netpbm.size, netpbm.format)?;
        Decoder::new().decode(&preview, &mut target.as_mut())?;
        let share = preview.len() as f64 / whole.len() as f64;
        println!(
            "preview {share:.3}, {} of {} bytes, error {}, {file}",
            preview.len(),
            whole.len(),
            shown.max_error
        );
        if let Some(directory) = show {
            let name = std::path::Path::new(file).file_name().ok_or("a file without a name")?;
            std::fs::write(std::path::Path::new(directory).join(name), target.bytes())?;
        }
        shares += share.ln();
    }
    println!(
        "preview {:.3}, geometric mean of {} images",
        (shares / files.len().max(1) as f64).exp(),
        files.len()
    );
    Ok(())
}

/// The shortest of five runs.
fn best(mut run: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
    }
    best
}
