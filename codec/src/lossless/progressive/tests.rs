use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::geom::Size;
use crate::pixel::{Image, SampleDepth};

/// A gray image of `bits` bits: a slope with noise of `rough` bits.
fn picture(w: u32, h: u32, bits: u8, rough: u32, seed: u32) -> Image {
    let format = PixelFormat::Gray16(SampleDepth::new(bits).unwrap());
    let mut image = Image::new(Size::new(w, h), format).unwrap();
    let mut state = seed | 1;
    let mut target = image.as_mut();
    for y in 0..h {
        for (x, sample) in target.row_mut(y).as_chunks_mut::<2>().0.iter_mut().enumerate() {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let noise = state & ((1 << rough) - 1);
            let value = x as u32 * (seed % 9) + y * (seed % 5) + noise + 700 * (x as u32 / 40 % 2);
            *sample = ((value & ((1 << bits) - 1)) as u16).to_le_bytes();
        }
    }
    image
}

fn samples(image: &Image) -> impl Iterator<Item = u16> {
    image.bytes().as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair))
}

fn levels() -> [Level; 3] {
    [Level::Fast, Level::Default, Level::Dense]
}

/// Both passes: within the bound after the first, exact after the second.
fn check(image: &Image, low_bits: u32) {
    for level in levels() {
        let (mut high, mut low) = (Vec::new(), Vec::new());
        let first = Encoder::with_level(level).encode_high(image.as_ref(), low_bits, &mut high).unwrap();
        let second = Encoder::with_level(level).encode_low(image.as_ref(), low_bits, &mut low).unwrap();
        let mut target = Image::new(image.size(), image.format()).unwrap();
        let mut decoder = Decoder::new();
        assert_eq!(decoder.decode(&high, &mut target.as_mut()), Ok(first));
        let half = 1 << (low_bits - 1);
        assert!(first.pass == Pass::High && (first.max_error == half || high[1] & 0x80 != 0));
        assert!(first.max_error <= 2 * half);
        let error = samples(image).zip(samples(&target)).map(|(a, b)| a.abs_diff(b)).max();
        assert!(error <= Some(first.max_error), "{error:?} after {first:?}");
        assert_eq!(decoder.decode(&low, &mut target.as_mut()), Ok(second));
        assert!(target == *image && second == Shown { pass: Pass::Low, max_error: 0 });
    }
}

/// Any pixels as an image of any format.
fn previews() -> impl Strategy<Value = Image> {
    let formats = prop_oneof![
        Just(PixelFormat::Bgrx8),
        Just(PixelFormat::Bgrx10),
        Just(PixelFormat::Gray8),
        Just(PixelFormat::Gray16(SampleDepth::new(16).unwrap())),
    ];
    (1..90u32, 1..90u32, formats, any::<bool>(), any::<u32>()).prop_map(|(w, h, format, is_gray, seed)| {
        let mut image = Image::new(Size::new(w, h), format).unwrap();
        let bytes = format.bytes_per_pixel();
        for y in 0..h {
            for (x, pixel) in image.as_mut().row_mut(y).chunks_mut(bytes).enumerate() {
                let value = (x as u32 * 3 + y * (seed % 7)) ^ (seed >> (x % 29)) & 15;
                let common = (value & 0xff) * 0x01_0101;
                let own = if format == PixelFormat::Bgrx8 && is_gray {
                    common
                } else {
                    value.wrapping_mul(0x0201_0503)
                };
                let spare = u32::from_le_bytes(format.black());
                pixel.copy_from_slice(&(own | spare).to_le_bytes()[..bytes]);
            }
        }
        image
    })
}

/// The components of all pixels.
fn components(image: &Image) -> Vec<u32> {
    let (bits, bytes) = (u32::from(image.format().depth()), image.format().bytes_per_pixel());
    let channels = if image.format().is_colour() { 3 } else { 1 };
    let component = |pixel: &[u8], channel: u32| {
        let number = pixel.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
        number >> (channel * bits) & ((1 << bits) - 1)
    };
    image.bytes().chunks(bytes).flat_map(|pixel| (0..channels).map(move |c| component(pixel, c))).collect()
}

fn pictures() -> impl Strategy<Value = Image> {
    (1..120u32, 1..90u32, 9..=16u8, 0..10u32, any::<u32>())
        .prop_map(|(w, h, bits, rough, seed)| picture(w, h, bits, rough, seed))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_passes_are_exact(image in pictures(), low_bits in 1..=MAX_LOW_BITS) {
        check(&image, low_bits);
    }

    #[test]
    fn damaged_passes_are_refused_or_wrong_but_never_fatal(
        image in pictures(),
        low_bits in 1..=MAX_LOW_BITS,
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let (mut high, mut low) = (Vec::new(), Vec::new());
        Encoder::new().encode_high(image.as_ref(), low_bits, &mut high);
        Encoder::new().encode_low(image.as_ref(), low_bits, &mut low);
        for mut coded in [high, low] {
            let mut target = image.clone();
            let shorter = &coded[..cut.index(coded.len())];
            prop_assert!(Decoder::new().decode(shorter, &mut target.as_mut()).is_err());
            let bit = flip.index(coded.len() * 8);
            coded[bit / 8] ^= 1 << (bit % 8);
            let _ = Decoder::new().decode(&coded, &mut target.as_mut());
            let max = (1u32 << image.format().depth()) - 1;
            prop_assert!(samples(&target).all(|sample| u32::from(sample) <= max));
        }
    }

    #[test]
    fn previews_are_off_by_as_much_as_they_say(
        image in previews(),
        grid in 2..=MAX_GRID,
        flip in any::<prop::sample::Index>(),
    ) {
        let mut coded = Vec::new();
        let shown = Encoder::new().encode_preview(image.as_ref(), grid, &mut coded).unwrap();
        let mut target = Image::new(image.size(), image.format()).unwrap();
        prop_assert_eq!(Decoder::new().decode(&coded, &mut target.as_mut()), Ok(shown));
        let errors = components(&image).into_iter().zip(components(&target)).map(|(a, b)| a.abs_diff(b));
        prop_assert_eq!(errors.max(), Some(u32::from(shown.max_error)));
        let spare = u32::from_le_bytes(image.format().black()).to_le_bytes();
        let pixels = target.bytes().chunks(image.format().bytes_per_pixel());
        prop_assert!(pixels.clone().all(|pixel| pixel.last().is_none_or(|top| top & spare[3] == spare[3])));

        let bit = flip.index(coded.len() * 8);
        coded[bit / 8] ^= 1 << (bit % 8);
        let _ = Decoder::new().decode(&coded, &mut target.as_mut());
    }

    #[test]
    fn random_bytes_are_never_fatal(
        image in pictures(),
        pass in 0x1e..0x26u8,
        low_bits in prop_oneof![0..6u8, 0x80..0x86u8],
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [&[pass, low_bits], &rest[..]].concat();
        let mut target = image.clone();
        let _ = Decoder::new().decode(&bytes, &mut target.as_mut());
    }
}

#[test]
fn borders_of_lanes_blocks_and_units() {
    for (w, h) in [(1, 1), (1, 40), (300, 1), (2, 5), (31, 4), (32, 16), (33, 17), (64, 64), (4200, 70)] {
        for low_bits in 1..=MAX_LOW_BITS {
            check(&picture(w, h, 12, 5, w * 31 + h), low_bits);
        }
    }
}

/// Values that leave gaps are numbered; a jump of thousands still does not make a cell wide.
#[test]
fn samples_with_gaps_come_as_numbers() {
    let mut image = picture(160, 130, 12, 7, 5);
    for y in 0..130 {
        for sample in image.as_mut().row_mut(y).as_chunks_mut::<2>().0 {
            let value = u16::from_le_bytes(*sample) / 4 * 3;
            *sample = if y < 20 { value } else { value / 5 * 16 % 4096 }.to_le_bytes();
        }
    }
    for low_bits in 1..=MAX_LOW_BITS {
        check(&image, low_bits);
        let mut high = Vec::new();
        Encoder::new().encode_high(image.as_ref(), low_bits, &mut high);
        assert_eq!(u32::from(high[1]), low_bits | 0x80);
    }
}

#[test]
fn what_cannot_be_split_is_left_to_one_pass() {
    let mut out = Vec::new();
    let pixels = vec![0xff; 64];
    for format in [PixelFormat::Gray8, PixelFormat::Bgrx8] {
        let image = ImageRef::new(&pixels, Size::new(4, 4), 16, format).unwrap();
        assert_eq!(Encoder::new().encode_high(image, 2, &mut out), None);
    }
    let image = picture(8, 8, 12, 4, 3);
    for low_bits in [0, MAX_LOW_BITS + 1, 40] {
        assert_eq!(Encoder::new().encode_high(image.as_ref(), low_bits, &mut out), None);
        assert_eq!(Encoder::new().encode_low(image.as_ref(), low_bits, &mut out), None);
    }
    let ten = PixelFormat::Gray16(SampleDepth::new(10).unwrap());
    let beyond = ImageRef::new(&pixels, Size::new(4, 4), 8, ten).unwrap();
    assert_eq!(Encoder::new().encode_high(beyond, 2, &mut out), None);
    assert!(out.is_empty());
}

#[test]
fn no_pass_is_taken_for_an_exact_rect() {
    let image = picture(40, 40, 12, 4, 3);
    let mut coded = Vec::new();
    Encoder::new().encode_high(image.as_ref(), 2, &mut coded);
    let mut target = image.clone();
    assert_eq!(
        crate::lossless::Decoder::new().decode(&coded, &mut target.as_mut()),
        Err(DecodeError::UnknownMethod(0x20))
    );
}

#[test]
fn the_second_pass_on_another_picture_is_wrong_and_no_worse() {
    let image = picture(90, 50, 12, 6, 3);
    let mut low = Vec::new();
    Encoder::new().encode_low(image.as_ref(), 3, &mut low);
    let mut target = Image::new(image.size(), image.format()).unwrap();
    target.as_mut().fill(image.size().rect(), [0xff, 0x0f, 0, 0]);
    let _ = Decoder::new().decode(&low, &mut target.as_mut());
    assert!(target != image && samples(&target).all(|sample| sample < 1 << 12));
}

/// The passes of `vectors/gray-gray12.bin`: both written, and read by whoever reads passes.
#[cfg(feature = "std")]
#[test]
fn the_vectors_hold_what_they_are_named_for() {
    let format = PixelFormat::Gray16(SampleDepth::new(12).unwrap());
    let mut image = Image::new(Size::new(70, 40), format).unwrap();
    for y in 0..40 {
        for (x, sample) in (0..).zip(image.as_mut().row_mut(y).as_chunks_mut::<2>().0) {
            *sample = (((9 * x + 17 * y + x * y % 7 + 900 * (x / 35)) & 0xfff) as u16).to_le_bytes();
        }
    }
    let (mut high, mut low, mut preview) = (Vec::new(), Vec::new(), Vec::new());
    Encoder::new().encode_high(image.as_ref(), 2, &mut high);
    Encoder::new().encode_low(image.as_ref(), 2, &mut low);
    Encoder::new().encode_preview(image.as_ref(), 4, &mut preview);
    if std::env::var_os("LIGHTBOX_WRITE_VECTORS").is_some() {
        let path = |name| alloc::format!("{}/vectors/{name}-gray12.bin", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path("high"), high).unwrap();
        std::fs::write(path("low"), low).unwrap();
        std::fs::write(path("preview"), preview).unwrap();
        return;
    }
    let named: [&[u8]; 3] = [
        include_bytes!("../../../vectors/high-gray12.bin"),
        include_bytes!("../../../vectors/low-gray12.bin"),
        include_bytes!("../../../vectors/preview-gray12.bin"),
    ];
    assert_eq!([&high[..], &low[..], &preview[..]], named);
    let mut target = Image::new(image.size(), format).unwrap();
    Decoder::new().decode(named[0], &mut target.as_mut()).unwrap();
    assert!(samples(&target).eq(samples(&image).map(|sample| sample & !3 | 2)));
    Decoder::new().decode(named[1], &mut target.as_mut()).unwrap();
    assert_eq!(target, image);
    // The vectors' README tells these samples.
    Decoder::new().decode(named[2], &mut target.as_mut()).unwrap();
    let shown: Vec<_> = samples(&target).collect();
    assert_eq!([0, 33, 34, 35, 36, 69].map(|x| shown[20 * 70 + x]), [356, 764, 904, 1115, 1378, 1860]);
}
