mod batch;
mod deep;
mod inter;

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::cpu::Features;
use crate::geom::Size;
use crate::pixel::{ImageMut, ImageRef, PixelFormat, SampleDepth};

/// Pixels that make every method and every border case appear.
#[derive(Clone, Debug)]
struct Picture {
    size: Size,
    format: PixelFormat,
    pixels: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Content {
    Flat,
    Noise,
    Ramp,
    NoisyRamp,
    Letters,
    /// Ramps inside letters.
    Desktop,
    /// A noisy ramp of few values far apart.
    Steps,
}

impl Picture {
    fn new(size: Size, format: PixelFormat, content: Content, seed: u32) -> Self {
        let mut state = seed | 1;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let max = (1u32 << format.depth()) - 1;
        let mut pixels = Vec::new();
        for y in 0..size.h {
            for x in 0..size.w {
                let letters = if (x / 3 * 7 + y / 2 * 5 + seed) % 11 < 3 { seed } else { max };
                let ramp = x.wrapping_mul(seed % 7) + y * 3;
                let value = match content {
                    Content::Flat => seed,
                    Content::Noise => random(),
                    Content::Ramp => ramp,
                    Content::NoisyRamp => ramp + random() % 9,
                    Content::Letters => letters,
                    Content::Steps => (ramp + random() % 9) % 61 * (max / 61),
                    Content::Desktop if (x / 48 + y / 40) % 3 == 0 => ramp + random() % 5,
                    Content::Desktop => letters,
                };
                let coloured = seed.is_multiple_of(2);
                match format {
                    PixelFormat::Gray8 => pixels.push((value & max) as u8),
                    PixelFormat::Gray16(_) => pixels.extend(((value & max) as u16).to_le_bytes()),
                    PixelFormat::Bgrx8 if coloured => {
                        let colour = value ^ (value.wrapping_mul(3) + seed % 5) << 8 ^ (value + x / 9) << 16;
                        pixels.extend(colour.to_le_bytes()[..3].iter().chain(&[0xff]));
                    }
                    PixelFormat::Bgrx8 => pixels.extend([value as u8, value as u8, value as u8, 0xff]),
                    PixelFormat::Bgrx10 => {
                        // Letters are eight-bit colours expanded, photographs have ten bits of their own or not.
                        let expand = |v: u32| (v & 0xff) << 2 | (v & 0xff) >> 6;
                        let own = |v: u32| if seed.is_multiple_of(3) { expand(v) } else { v & max };
                        let component = |v| if value == letters { expand(v) } else { own(v) };
                        let (g, r) = if coloured {
                            (value.wrapping_mul(3) + seed % 5, value.wrapping_add(x / 9))
                        } else {
                            (value, value)
                        };
                        let pixel = component(value) | component(g) << 10 | component(r) << 20 | 3 << 30;
                        pixels.extend(pixel.to_le_bytes());
                    }
                }
            }
        }
        Self { size, format, pixels }
    }

    fn image(&self) -> ImageRef<'_> {
        ImageRef::new(&self.pixels, self.size, self.stride(), self.format).unwrap()
    }

    fn stride(&self) -> usize {
        self.size.w as usize * self.format.bytes_per_pixel()
    }

    /// Paints another picture over it, with its top left corner at (`x`, `y`).
    fn paste(&mut self, other: &Picture, x: usize, y: usize) {
        let bytes = self.format.bytes_per_pixel();
        let stride = self.stride();
        for (i, row) in other.image().rows().enumerate() {
            self.pixels[(y + i) * stride + x * bytes..][..row.len()].copy_from_slice(row);
        }
    }

    fn decode(&self, features: Features, coded: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut target = vec![0x55; self.pixels.len()];
        let mut into = ImageMut::new(&mut target, self.size, self.stride(), self.format).unwrap();
        Decoder::new().with_cpu(features).decode(coded, &mut into)?;
        Ok(target)
    }
}

/// Every level on every kernel: the same pixels back, and the same bytes from every kernel.
fn check(picture: &Picture) {
    for level in [Level::Fast, Level::Default, Level::Dense] {
        let mut coded = Vec::new();
        let method = Encoder::with_level(level).encode(picture.image(), &mut coded);
        assert_eq!(Method::of(&coded), Some(method));
        let raw = picture.size.area() as usize * raw::pixel_bytes(picture.format);
        assert!(coded.len() <= raw + 1, "{} bytes for {raw}", coded.len());

        let mut plain = Vec::new();
        Encoder::with_level(level).with_cpu(Features::NONE).encode(picture.image(), &mut plain);
        assert!(coded == plain, "kernels disagree on {method:?}");
        for features in Features::detect().levels() {
            let decoded = picture.decode(features, &coded).unwrap();
            assert!(decoded == picture.pixels, "{method:?} on {features:?} is not exact");
        }
    }
}

fn formats() -> impl Strategy<Value = PixelFormat> {
    prop_oneof![
        Just(PixelFormat::Bgrx8),
        Just(PixelFormat::Bgrx10),
        Just(PixelFormat::Gray8),
        (9..=16u8).prop_map(|bits| PixelFormat::Gray16(SampleDepth::new(bits).unwrap())),
    ]
}

fn contents() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Flat),
        Just(Content::Noise),
        Just(Content::Ramp),
        Just(Content::NoisyRamp),
        Just(Content::Letters),
        Just(Content::Desktop),
        Just(Content::Steps),
    ]
}

fn pictures(side: u32) -> impl Strategy<Value = Picture> {
    (1..=side, 1..=side, formats(), contents(), any::<u32>())
        .prop_map(|(w, h, format, content, seed)| Picture::new(Size::new(w, h), format, content, seed))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_picture_comes_back(picture in pictures(150)) {
        check(&picture);
    }

    #[test]
    fn damaged_streams_are_refused_or_wrong_but_never_fatal(
        picture in pictures(70),
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let mut coded = Vec::new();
        Encoder::new().encode(picture.image(), &mut coded);
        let shorter = &coded[..cut.index(coded.len())];
        let mut flipped = coded.clone();
        let bit = flip.index(coded.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        for features in Features::detect().levels() {
            let _ = picture.decode(features, shorter);
            let _ = picture.decode(features, &flipped);
        }
        coded.push(0);
        // The number that ends a text stream goes on with zeros for ever.
        let open_ended = matches!(Method::of(&coded), Some(Method::Text | Method::Mixed));
        prop_assert!(open_ended || picture.decode(Features::detect(), &coded).is_err());
    }

    #[test]
    fn random_bytes_are_never_fatal(
        picture in pictures(70),
        method in 0..9u8,
        mut bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        bytes.insert(0, method);
        let plain = picture.decode(Features::NONE, &bytes);
        let fast = picture.decode(Features::detect(), &bytes);
        prop_assert_eq!(plain, fast);
    }
}

#[test]
fn sizes_at_the_borders_of_lanes_cells_and_units() {
    let deep = PixelFormat::Gray16(SampleDepth::new(12).unwrap());
    for (w, h) in
        [(1, 1), (1, 40), (300, 1), (2, 2), (16, 16), (31, 33), (63, 65), (64, 64), (65, 17), (4200, 70)]
    {
        for format in [PixelFormat::Bgrx8, PixelFormat::Bgrx10, PixelFormat::Gray8, deep] {
            for content in
                [Content::Noise, Content::NoisyRamp, Content::Letters, Content::Desktop, Content::Steps]
            {
                check(&Picture::new(Size::new(w, h), format, content, w * 31 + h));
            }
        }
    }
}

#[test]
fn methods_follow_the_content() {
    let size = Size::new(128, 128);
    for (format, content, seed, method) in [
        (PixelFormat::Bgrx8, Content::Flat, 7, Method::Flat),
        (PixelFormat::Bgrx8, Content::Letters, 8, Method::Text),
        (PixelFormat::Bgrx8, Content::NoisyRamp, 9, Method::Gray),
        (PixelFormat::Bgrx8, Content::NoisyRamp, 10, Method::Colour),
        (PixelFormat::Bgrx8, Content::Desktop, 11, Method::Mixed),
        (PixelFormat::Gray8, Content::NoisyRamp, 13, Method::Gray),
        (PixelFormat::Gray8, Content::Noise, 14, Method::Raw),
        (PixelFormat::Gray8, Content::Steps, 3, Method::Palette),
    ] {
        let picture = Picture::new(size, format, content, seed);
        assert_eq!(Encoder::new().encode(picture.image(), &mut Vec::new()), method, "{content:?}");
    }
}

#[test]
fn a_letter_costs_tens_of_bytes() {
    let picture = Picture::new(Size::new(10, 16), PixelFormat::Bgrx8, Content::Letters, 0x20);
    let mut coded = Vec::new();
    Encoder::new().encode(picture.image(), &mut coded);
    assert!(coded.len() < 60, "{} bytes", coded.len());
}

#[test]
fn the_x_byte_is_neither_coded_nor_kept() {
    let mut picture = Picture::new(Size::new(40, 40), PixelFormat::Bgrx8, Content::Letters, 4);
    let mut expected = Vec::new();
    Encoder::new().encode(picture.image(), &mut expected);
    let painted = picture.pixels.clone();
    picture.pixels.iter_mut().skip(3).step_by(4).enumerate().for_each(|(i, x)| *x = i as u8);
    let mut coded = Vec::new();
    Encoder::new().encode(picture.image(), &mut coded);
    assert_eq!(coded, expected);
    assert_eq!(picture.decode(Features::detect(), &coded).unwrap(), painted);
}

#[test]
fn samples_beyond_their_depth_go_raw_and_come_back() {
    let format = PixelFormat::Gray16(SampleDepth::new(10).unwrap());
    let mut picture = Picture::new(Size::new(64, 64), format, Content::NoisyRamp, 3);
    picture.pixels[101] = 0xff;
    let mut coded = Vec::new();
    assert_eq!(Encoder::new().encode(picture.image(), &mut coded), Method::Raw);
    assert_eq!(picture.decode(Features::detect(), &coded).unwrap(), picture.pixels);
}

#[test]
fn one_coloured_pixel_in_a_gray_photograph_survives() {
    for at in [0, 1, 64, 65, 2000, 4095] {
        let mut picture = Picture::new(Size::new(64, 64), PixelFormat::Bgrx8, Content::NoisyRamp, 9);
        picture.pixels[4 * at] ^= 1;
        check(&picture);
    }
}

#[test]
fn the_plain_path_is_raw() {
    let picture = Picture::new(Size::new(33, 9), PixelFormat::Bgrx8, Content::Flat, 3);
    let mut coded = Vec::new();
    Encoder::new().encode_plain(picture.image(), &mut coded);
    assert_eq!(Method::of(&coded), Some(Method::Raw));
    assert_eq!(coded.len(), 1 + 33 * 9 * 3);
    assert_eq!(picture.decode(Features::NONE, &coded).unwrap(), picture.pixels);
}

#[test]
fn work_memory_of_a_big_rect_does_not_leak_into_a_small_one() {
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    for (w, h, content) in
        [(200, 200, Content::Noise), (70, 3, Content::Desktop), (200, 120, Content::Desktop)]
    {
        let picture = Picture::new(Size::new(w, h), PixelFormat::Bgrx8, content, 10);
        let (mut coded, mut fresh) = (Vec::new(), Vec::new());
        encoder.encode(picture.image(), &mut coded);
        Encoder::new().encode(picture.image(), &mut fresh);
        assert_eq!(coded, fresh);
        let mut target = vec![0; picture.pixels.len()];
        let mut into = ImageMut::new(&mut target, picture.size, picture.stride(), picture.format).unwrap();
        decoder.decode(&coded, &mut into).unwrap();
        assert_eq!(target, picture.pixels);
    }
}
