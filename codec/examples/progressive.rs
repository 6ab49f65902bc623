//! Codes deep gray PGM images in two passes and prints what they take of one pass, and their speed.
//!
//! `cargo run --release -p lightbox-codec --example progressive -- IMAGE.pgm... [--low-bits K]`

use std::error::Error;
use std::time::{Duration, Instant};

use lightbox_codec::lossless;
use lightbox_codec::lossless::progressive::{Decoder, Encoder};
use lightbox_codec::pixel::{Image, ImageRef};

mod netpbm;

use netpbm::Netpbm;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut files, mut low_bits) = (Vec::new(), 2);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--low-bits" => low_bits = args.next().ok_or("--low-bits needs a number")?.parse()?,
            _ => files.push(arg),
        }
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
