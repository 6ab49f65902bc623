use std::path::PathBuf;
use std::process::ExitCode;

use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::lossless::{Decoder, Encoder};
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat, SampleDepth};
use serde_json::json;

use super::{builtin, picture_at};
use crate::picture::Still;
use crate::{Failure, usage};

/// Options of `lightbox bench still`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// PGM, PPM or PNG files, each optionally .zst; without any, two pictures that the program draws.
    pub files: Vec<PathBuf>,
    /// Cut images into tiles of this side, each coded alone. Default: whole images.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=16384))]
    pub tile: Option<u32>,
    /// Passes; the best counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub reps: u32,
    /// One JSON line a file, which is what there is anyway.
    #[arg(long)]
    pub json: bool,
    /// Take four arguments instead, IMAGE BITS REPS TILE, as harnesses call a coder: BITS are the bits of a deep gray
    /// sample, whatever the file's maximum says; TILE 0 is the whole image.
    #[arg(long, conflicts_with_all = ["tile", "reps"])]
    pub external: bool,
}

/// What to do with a picture.
#[derive(Clone, Copy)]
struct Job {
    tile: Option<u32>,
    reps: u32,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let mut all_exact = true;
    if options.external {
        all_exact = external(&options.files)?;
    } else {
        let job = Job { tile: options.tile, reps: options.reps };
        for file in &options.files {
            all_exact &= measure(&file.display().to_string(), &picture_at(file)?, job)?;
        }
        if options.files.is_empty() {
            for (name, still) in builtin::stills()? {
                all_exact &= measure(name, &still, job)?;
            }
        }
    }
    Ok(if all_exact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The arguments `IMAGE BITS REPS TILE`.
fn external(arguments: &[PathBuf]) -> Result<bool, Failure> {
    let [image, bits, reps, tile] = arguments else { return Err(EXTERNAL.into()) };
    let number = |argument: &PathBuf, max| {
        let number = argument.to_str().and_then(|text| text.parse::<u32>().ok());
        number.filter(|number| *number <= max).ok_or(EXTERNAL)
    };
    let (bits, reps, tile) = (number(bits, 16)?, number(reps, 1000)?, number(tile, 16384)?);
    let mut still = picture_at(image)?;
    if let PixelFormat::Gray16(_) = still.format {
        still.format = SampleDepth::new(bits as u8).map(PixelFormat::Gray16).ok_or(EXTERNAL)?;
    }
    let job = Job { tile: (tile > 0).then_some(tile), reps: reps.max(1) };
    measure(&image.display().to_string(), &still, job)
}

const EXTERNAL: &str = "--external takes IMAGE BITS REPS TILE: deep gray has 9 to 16 bits, REPS are at most 1000, TILE \
                        is 0 for the whole image and at most 16384";

fn measure(name: &str, still: &Still, job: Job) -> Result<bool, Failure> {
    let image = still.image();
    let parts = parts(image.size(), job.tile);
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    let mut coded: Vec<Vec<u8>> = vec![Vec::new(); parts.len()];
    let mut decoded = Image::new(image.size(), image.format())?;
    let (mut encode, mut decode) = (f64::MAX, f64::MAX);
    for _ in 0..job.reps {
        let start = usage::own_cpu_seconds();
        for (rect, out) in parts.iter().zip(&mut coded) {
            out.clear();
            if let Some(part) = image.crop(*rect) {
                encoder.encode(part, out);
            }
        }
        let middle = usage::own_cpu_seconds();
        for (rect, bytes) in parts.iter().zip(&coded) {
            if let Some(mut part) = decoded.as_mut().crop_mut(*rect) {
                decoder.decode(bytes, &mut part)?;
            }
        }
        encode = encode.min(middle - start);
        decode = decode.min(usage::own_cpu_seconds() - middle);
    }
    let ok = equal(image, decoded.as_ref());
    // As the peers are measured: 16-bit samples are 2 bytes, colour is 3.
    let sample_bytes = match image.format() {
        PixelFormat::Bgrx8 => 3,
        gray => gray.bytes_per_pixel() as u64,
    };
    let pixels = image.size().area();
    let line = json!({
        "file": name,
        "pixels": pixels,
        "raw": pixels * sample_bytes,
        "bytes": coded.iter().map(Vec::len).sum::<usize>(),
        "enc_s": encode,
        "dec_s": decode,
        "ok": ok,
    });
    println!("{line}");
    Ok(ok)
}

fn parts(size: Size, tile: Option<u32>) -> Vec<Rect> {
    let Some(side) = tile else { return vec![size.rect()] };
    let rows = (0..size.h).step_by(side as usize);
    let rects =
        rows.flat_map(|y| (0..size.w).step_by(side as usize).map(move |x| Rect::new(x, y, side, side)));
    rects.filter_map(|r| r.intersect(size.rect())).collect()
}

fn equal(a: ImageRef<'_>, b: ImageRef<'_>) -> bool {
    match a.format() {
        PixelFormat::Bgrx8 => a.rows().zip(b.rows()).all(|(a, b)| {
            let pixels = a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0);
            pixels.into_iter().all(|(a, b)| a[..3] == b[..3])
        }),
        _ => a.rows().eq(b.rows()),
    }
}
