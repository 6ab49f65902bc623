use lightbox_codec::cpu::Features;
use lightbox_codec::geom::{Point, Rect, Size};
use lightbox_codec::lossless::progressive::{self, Shown};
use lightbox_codec::lossless::{DecodeError, Decoder, Encoder, Level, Method};
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_codec::screen::motion::{Finder, MAX_MOVES, Move};

use super::script::Script;
use super::wire::spare_bits_are_as_defined;

/// Bytes as a coded rect of up to 128x128; size and format come first. Every CPU level reads the same.
pub fn lossless_decode(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (size, format) = (script.size(), script.still_format());
    let coded = script.rest();
    let plain = decode(coded, size, format, Features::NONE);
    for features in Features::detect().levels() {
        let fast = decode(coded, size, format, features);
        assert!(plain == fast, "{features:?} differs on {coded:02x?}");
    }
    // Raw and flat samples are bytes; whoever keeps them in a surface clears what its format does not have.
    if let (Ok(plain), false) = (&plain, matches!(Method::of(coded), Some(Method::Raw | Method::Flat))) {
        spare_bits_are_as_defined(plain.as_ref());
    }
}

/// Pixels made from bytes come back exactly, from every level and kernel.
pub fn lossless_round_trip(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (size, format) = (script.size(), script.still_format());
    let level = [Level::Fast, Level::Default, Level::Dense][script.below(3) as usize];
    let image = picture(&mut script, size, format);
    let mut coded = Vec::new();
    Encoder::with_level(level).with_cpu(Features::NONE).encode(image.as_ref(), &mut coded);
    let mut fast = Vec::new();
    Encoder::with_level(level).encode(image.as_ref(), &mut fast);
    assert_eq!(coded, fast, "the kernels write the same");
    assert!(coded.len() <= image.bytes().len() + 1);
    for features in Features::detect().levels() {
        assert!(decode(&coded, size, format, features).as_ref() == Ok(&image), "{size:?} {format:?}");
    }
}

/// Bytes as a batch of rects, and rects of a picture as a batch: what comes back is what went in, from every kernel.
pub fn lossless_batch(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (size, format) = (script.size(), script.still_format());
    let rects: Vec<_> = (0..1 + script.below(6)).map(|_| script.rect(size)).collect();
    if script.chance() {
        let coded = script.rest();
        let outcomes = levels()
            .into_iter()
            .map(|cpu| decode_batch(coded, size, format, &rects, cpu))
            .collect::<Vec<_>>();
        assert!(outcomes.windows(2).all(|two| two[0] == two[1]), "the kernels differ on {coded:02x?}");
        return;
    }
    let image = picture(&mut script, size, format);
    let parts: Vec<_> = rects.iter().filter_map(|rect| image.as_ref().crop(*rect)).collect();
    let rects: Vec<_> = rects.into_iter().filter(|rect| image.as_ref().crop(*rect).is_some()).collect();
    let mut coded = Vec::new();
    let methods = Encoder::new().encode_batch(&parts, &mut coded).len();
    assert_eq!(methods, parts.len());
    for cpu in levels() {
        let painted = decode_batch(&coded, size, format, &rects, cpu).expect("the encoder's own batch");
        for rect in &rects {
            let (got, expected) = (painted.as_ref().crop(*rect), image.as_ref().crop(*rect));
            assert!(
                got.expect("inside").rows().eq(expected.expect("inside").rows()),
                "{rect:?} of {format:?}"
            );
        }
    }
}

/// Bytes as a rect over a picture, and a picture over another: what comes back is what went in, from every kernel, and
/// damage gives the same to all.
pub fn lossless_inter(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (size, format) = (script.size(), script.still_format());
    let shown = picture(&mut script, size, format);
    let coded = if script.chance() {
        script.rest().to_vec()
    } else {
        let image = next_picture(&mut script, &shown);
        let (mut coded, mut fast) = (Vec::new(), Vec::new());
        Encoder::new().with_cpu(Features::NONE).encode_inter(image.as_ref(), shown.as_ref(), &mut coded);
        Encoder::new().encode_inter(image.as_ref(), shown.as_ref(), &mut fast);
        assert_eq!(coded, fast, "the kernels write the same");
        assert!(coded.len() <= image.bytes().len() + 1);
        for cpu in levels() {
            assert!(decode_inter(&coded, &shown, cpu).as_ref() == Ok(&image), "{size:?} {format:?}");
        }
        let at = script.below(coded.len() as u32) as usize;
        coded[at] ^= script.u8();
        coded
    };
    let outcomes = levels().into_iter().map(|cpu| decode_inter(&coded, &shown, cpu)).collect::<Vec<_>>();
    assert!(outcomes.windows(2).all(|two| two[0] == two[1]), "the kernels differ on {coded:02x?}");
}

fn decode_inter(coded: &[u8], shown: &Image, cpu: Features) -> Result<Image, DecodeError> {
    let mut image = shown.clone();
    Decoder::new().with_cpu(cpu).decode_inter(coded, &mut image.as_mut())?;
    Ok(image)
}

/// A picture of its own, or `shown` with each byte another, the same for all that are equal, and with noise.
fn next_picture(script: &mut Script<'_>, shown: &Image) -> Image {
    let (size, format) = (shown.size(), shown.format());
    let mut image = picture(script, size, format);
    let (turn, noise, every) = (script.u8(), script.u8() & 3, 1 + script.below(4));
    if turn < 64 || format == PixelFormat::Bgrx10 {
        return image;
    }
    // The high bytes of deep samples stay within their depth.
    let moving = if let PixelFormat::Gray16(_) = format { 1 } else { 4 };
    let bytes = format.bytes_per_pixel();
    for y in (0..size.h).filter(|y| y % every == 0) {
        let (mut into, from) = (image.as_mut(), shown.as_ref());
        let row = into.row_mut(y).chunks_exact_mut(bytes).zip(from.row(y).chunks_exact(bytes));
        for (x, (new, old)) in row.enumerate() {
            let moved = |byte: u8| (byte / 2 + turn / 2).wrapping_add((x as u8 ^ y as u8) % (noise + 1));
            new.iter_mut().zip(old).take(moving).for_each(|(new, old)| *new = moved(*old));
            if bytes == 4 {
                new[3] = 0xff;
            }
        }
    }
    image
}

/// Bytes as passes, and a picture in passes: each is within the error that it states, and the last one is exact.
pub fn progressive(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (size, format) = (script.size(), script.still_format());
    let (low_bits, grid) = (script.below(6), script.below(10));
    if script.chance() {
        let before = picture(&mut script, size, format);
        let coded = script.rest();
        let outcomes = levels().into_iter().map(|cpu| paint(coded, before.clone(), cpu)).collect::<Vec<_>>();
        assert!(outcomes.windows(2).all(|two| two[0] == two[1]), "the kernels differ on {coded:02x?}");
        return;
    }
    let image = picture(&mut script, size, format);
    let mut encoder = progressive::Encoder::new();
    let (mut preview, mut high, mut low) = (Vec::new(), Vec::new(), Vec::new());
    let stated = encoder.encode_preview(image.as_ref(), grid, &mut preview);
    assert_eq!(stated.is_some(), (2..=progressive::MAX_GRID).contains(&grid));
    let halves = (
        encoder.encode_high(image.as_ref(), low_bits, &mut high),
        encoder.encode_low(image.as_ref(), low_bits, &mut low),
    );
    for cpu in levels() {
        let blank = Image::new(size, format).expect("a size of an image");
        if let Some(stated) = stated {
            let (painted, shown) = paint(&preview, blank.clone(), cpu).expect("the encoder's own preview");
            assert_eq!(shown, stated);
            assert!(furthest(&painted, &image) <= shown.max_error, "a preview states its error");
        }
        if let (Some(first), Some(second)) = halves {
            let (painted, shown) = paint(&high, blank, cpu).expect("the encoder's own high pass");
            assert_eq!(shown, first);
            assert!(furthest(&painted, &image) <= shown.max_error, "a high pass states its error");
            let (painted, shown) = paint(&low, painted, cpu).expect("the encoder's own low pass");
            assert_eq!((shown, shown.max_error), (second, 0));
            assert!(painted == image, "{low_bits} low bits of {format:?}");
        }
    }
}

/// A picture and the next one, made from it by copies and fills: every move that is found is exact.
pub fn motion(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let size = Size::new(64 + u32::from(script.u8()), 64 + u32::from(script.u8()));
    let format = script.format();
    let old = picture(&mut script, size, format);
    let mut new = old.clone();
    while !script.is_empty() {
        let rect = script.rect(size);
        if script.chance() {
            new.as_mut().fill(rect, [script.u8(), script.u8() & 1, 3, 0xFF]);
        } else {
            let to = Point::new(script.u8().into(), script.u8().into());
            new.as_mut().copy_within(rect, to);
        }
    }
    let moves = Finder::new().find(old.as_ref(), new.as_ref(), &[size.rect()]);
    assert!(moves.len() <= MAX_MOVES);
    let mut painted = old;
    for Move { from, to } in moves {
        assert!(painted.as_mut().copy_within(from, to), "{from:?} to {to:?} sticks out");
        let target = from.at(to);
        let (got, expected) = (painted.as_ref().crop(target), new.as_ref().crop(target));
        let (got, expected) = (got.expect("inside"), expected.expect("inside"));
        assert!(got.rows().eq(expected.rows()), "{from:?} to {to:?} is not what the new picture has");
    }
}

fn decode(coded: &[u8], size: Size, format: PixelFormat, cpu: Features) -> Result<Image, DecodeError> {
    let mut image = Image::new(size, format).expect("a size of an image");
    Decoder::new().with_cpu(cpu).decode(coded, &mut image.as_mut())?;
    Ok(image)
}

fn decode_batch(
    coded: &[u8],
    size: Size,
    format: PixelFormat,
    rects: &[Rect],
    cpu: Features,
) -> Result<Image, DecodeError> {
    let mut image = Image::new(size, format).expect("a size of an image");
    Decoder::new().with_cpu(cpu).decode_batch(coded, &mut image.as_mut(), rects)?;
    Ok(image)
}

fn paint(coded: &[u8], mut onto: Image, cpu: Features) -> Result<(Image, Shown), DecodeError> {
    let shown = progressive::Decoder::new().with_cpu(cpu).decode(coded, &mut onto.as_mut())?;
    Ok((onto, shown))
}

/// The furthest that a sample or a component of a colour lies from its place.
fn furthest(a: &Image, b: &Image) -> u16 {
    let samples = |image: &Image| -> Vec<u16> {
        let rows = (0..image.size().h).flat_map(|y| image.as_ref().row(y).to_vec()).collect::<Vec<u8>>();
        match image.format() {
            PixelFormat::Gray8 => rows.into_iter().map(u16::from).collect(),
            PixelFormat::Gray16(_) => rows.as_chunks().0.iter().map(|two| u16::from_le_bytes(*two)).collect(),
            PixelFormat::Bgrx8 => {
                rows.as_chunks::<4>().0.iter().flat_map(|px| px[..3].to_vec()).map(u16::from).collect()
            }
            PixelFormat::Bgrx10 => {
                let pixels = rows.as_chunks().0.iter().map(|px| u32::from_le_bytes(*px));
                pixels.flat_map(|px| [0, 10, 20].map(|bit| (px >> bit & 0x3ff) as u16)).collect()
            }
        }
    };
    samples(a).iter().zip(samples(b)).map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
}

/// The kernels that this CPU has, the plain ones first.
fn levels() -> Vec<Features> {
    Features::detect().levels().collect()
}

/// A picture of runs, slopes and noise, as the next bytes say.
pub(super) fn picture(script: &mut Script<'_>, size: Size, format: PixelFormat) -> Image {
    let mut image = Image::new(size, format).expect("a size of an image");
    let pattern = script.bytes(200);
    let at = |i: usize| pattern.get(i % pattern.len().max(1)).copied().unwrap_or(0);
    let mut noise = u32::from_le_bytes([at(0), at(1), at(2), at(3)]) | 1;
    let bytes = format.bytes_per_pixel();
    let mut target = image.as_mut();
    for y in 0..size.h {
        let kind = at(y as usize / 8);
        for (x, pixel) in target.row_mut(y).chunks_exact_mut(bytes).enumerate() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let level = match kind & 3 {
                0 => u16::from(at(x / 4 + usize::from(kind >> 4))) << 8,
                1 => (x as u32 * u32::from(kind) + y * 3 + (noise >> 30)) as u16,
                2 => (noise >> 16) as u16,
                _ => u16::from(at(x + y as usize * 5)) * 0x101,
            };
            match format {
                PixelFormat::Bgrx8 => {
                    let [low, high] = level.to_le_bytes();
                    pixel.copy_from_slice(&[low, high, low ^ (kind & 0x10), 0xFF]);
                }
                PixelFormat::Bgrx10 => {
                    let [low, high] = level.to_le_bytes();
                    pixel.copy_from_slice(&[low, high, low ^ (kind & 0x10), high | 0xC0]);
                }
                PixelFormat::Gray8 => pixel[0] = level as u8,
                PixelFormat::Gray16(depth) => pixel.copy_from_slice(&(level & depth.max()).to_le_bytes()),
            }
        }
    }
    image
}
