//! What rects told from what is shown cost, on recorded screens: the changed tiles of each frame as one rect, coded
//! alone and over the frame before.
//!
//! ```sh
//! cargo run --release -p lightbox-cli --example inter_rects -- RECORDING.scr.zst... [--frames]
//! ```

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use lightbox_cli::source::replay::Recording;
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::lossless::{Decoder, Encoder, Method};
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat};

/// The side of the tiles that rects are made of.
const TILE: u32 = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, files): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    for file in files {
        measure(&file, flags.iter().any(|flag| flag == "--frames"))?;
    }
    Ok(())
}

/// Bytes and times of one way of coding.
#[derive(Default)]
struct Sum {
    bytes: usize,
    encode: Duration,
    decode: Duration,
}

fn measure(file: &str, each: bool) -> Result<(), Box<dyn Error>> {
    let recording = Recording::open(Path::new(file))?;
    let size = recording.header().size;
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    let mut shown = Image::new(size, PixelFormat::Bgrx8)?;
    let (mut intra, mut inter, mut frames) = (Sum::default(), Sum::default(), 0);
    for (number, frame) in recording.frames()?.enumerate() {
        let frame = frame?;
        let mut image = Image::new(size, PixelFormat::Bgrx8)?;
        image.as_mut().copy_from(shown.as_ref());
        frame.paint(&mut image.as_mut());
        let rect = if number == 0 { None } else { changed(size, shown.as_ref(), image.as_ref()) };
        if let Some(rect) = rect {
            let (new, old) = (crop(image.as_ref(), rect), crop(shown.as_ref(), rect));
            let mut times = Vec::new();
            let mut methods = Vec::new();
            for (sum, is_inter) in [(&mut intra, false), (&mut inter, true)] {
                let mut target = Image::new(rect.size(), PixelFormat::Bgrx8)?;
                target.as_mut().copy_from(old);
                let (mut bytes, start) = (Vec::new(), Instant::now());
                let method = if is_inter {
                    encoder.encode_inter(new, old, &mut bytes)
                } else {
                    encoder.encode(new, &mut bytes)
                };
                let encoded = Instant::now();
                decoder.decode_inter(&bytes, &mut target.as_mut())?;
                let decoded = Instant::now();
                let is_exact = target.as_ref().rows().zip(new.rows()).all(|(a, b)| a == b);
                if !is_exact {
                    return Err(format!("{file}: frame {number} is not exact").into());
                }
                let (encode, decode) = (encoded - start, decoded - encoded);
                sum.bytes += bytes.len();
                sum.encode += encode;
                sum.decode += decode;
                times.push((bytes.len(), encode.as_secs_f64() * 1e3, decode.as_secs_f64() * 1e3));
                methods.push(Method::name(method));
            }
            frames += 1;
            if each {
                println!("{number:4} {rect:?} {times:.2?} {methods:?}");
            }
        }
        shown = image;
    }
    let line = |name: &str, sum: &Sum| {
        let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(frames.max(1));
        println!(
            "{:>12} {name}: {:8.1} kB, {:6.2} / {:5.2} ms a frame",
            recording.header().name,
            sum.bytes as f64 / 1e3,
            each(sum.encode),
            each(sum.decode),
        );
    };
    line("alone", &intra);
    line("inter", &inter);
    Ok(())
}

fn crop(image: ImageRef<'_>, rect: Rect) -> ImageRef<'_> {
    image.crop(rect).expect("tiles of the screen are cut to it")
}

/// The rect around all tiles that differ.
fn changed(size: Size, shown: ImageRef<'_>, image: ImageRef<'_>) -> Option<Rect> {
    let tiles = (0..size.h).step_by(TILE as usize).flat_map(|y| {
        (0..size.w)
            .step_by(TILE as usize)
            .map(move |x| Rect::new(x, y, TILE.min(size.w - x), TILE.min(size.h - y)))
    });
    let differs = |rect: &Rect| crop(shown, *rect).rows().zip(crop(image, *rect).rows()).any(|(a, b)| a != b);
    tiles.filter(differs).reduce(|a, b| {
        let (x, y) = (a.x.min(b.x), a.y.min(b.y));
        Rect::new(x, y, (a.x + a.w).max(b.x + b.w) - x, (a.y + a.h).max(b.y + b.h) - y)
    })
}
