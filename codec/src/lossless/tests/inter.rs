//! Rects told from what is shown.

use super::*;
use crate::geom::Rect;

/// What is shown, and what comes in its place.
#[derive(Clone, Debug)]
struct Change {
    shown: Picture,
    image: Picture,
}

/// How a picture becomes the next.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Another picture altogether.
    Other,
    /// Each level becomes another.
    Levels,
    /// The same with noise.
    Noise,
    /// Blocks of equal pixels get new values.
    Blocks,
}

impl Change {
    fn new(mut shown: Picture, kind: Kind, content: Content, seed: u32, part: Option<Rect>) -> Self {
        let bytes = shown.format.bytes_per_pixel();
        let w = shown.size.w as usize;
        let mut random = seed | 1;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            random >> 9
        };
        let mut image = match kind {
            Kind::Other => Picture::new(shown.size, shown.format, content, seed ^ 2),
            _ => shown.clone(),
        };
        let gray = |picture: &mut Picture, pixel: usize, value: u32| {
            let max = (1u32 << picture.format.depth()) - 1;
            let bytes_of = &mut picture.pixels[pixel * bytes..][..bytes];
            match picture.format {
                PixelFormat::Gray8 => bytes_of[0] = value as u8,
                PixelFormat::Gray16(_) => {
                    bytes_of.copy_from_slice(&((value & max) as u16).to_le_bytes());
                }
                _ => bytes_of.copy_from_slice(&[value as u8, value as u8, value as u8, 0xff]),
            }
        };
        for pixel in 0..shown.pixels.len() / bytes {
            let old = match shown.format {
                PixelFormat::Gray16(_) => {
                    u32::from(u16::from_le_bytes([shown.pixels[2 * pixel], shown.pixels[2 * pixel + 1]]))
                }
                _ => u32::from(shown.pixels[pixel * bytes]),
            };
            let cell = ((pixel % w / 2) as u32).wrapping_mul(0x9e37_79b1) ^ (pixel / w / 3) as u32;
            match kind {
                Kind::Other => {}
                Kind::Levels => gray(&mut image, pixel, old * 2 / 3 + 40 + u32::from(next() % 16 == 0)),
                Kind::Noise => gray(&mut image, pixel, old + next() % 4),
                Kind::Blocks => {
                    gray(&mut shown, pixel, 90 + (cell.wrapping_mul(0x85eb_ca6b) >> 28));
                    gray(&mut image, pixel, 90 + ((cell ^ seed << 8).wrapping_mul(0xc2b2_ae35) >> 28));
                }
            }
        }
        if let Some(part) = part {
            let mut whole = shown.clone();
            whole.pixels.clone_from(&shown.pixels);
            let changed = image.image().crop(part).unwrap();
            let mut into =
                ImageMut::new(&mut whole.pixels, shown.size, shown.stride(), shown.format).unwrap();
            into.crop_mut(part).unwrap().copy_from(changed);
            image = whole;
        }
        Self { shown, image }
    }

    fn encode(&self, features: Features) -> (Method, Vec<u8>) {
        let mut coded = Vec::new();
        let method = Encoder::new().with_cpu(features).encode_inter(
            self.image.image(),
            self.shown.image(),
            &mut coded,
        );
        (method, coded)
    }

    fn decode(&self, features: Features, coded: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut target = self.shown.pixels.clone();
        let Picture { size, format, .. } = self.shown;
        let mut into = ImageMut::new(&mut target, size, self.shown.stride(), format).unwrap();
        Decoder::new().with_cpu(features).decode_inter(coded, &mut into)?;
        Ok(target)
    }

    /// Codes it with every kernel.
    fn check(&self) -> (Method, usize) {
        let (method, coded) = self.encode(Features::detect());
        let raw = self.image.size.area() as usize * raw::pixel_bytes(self.image.format);
        assert!(coded.len() <= raw + 1, "{} bytes for {raw}", coded.len());
        assert!(self.encode(Features::NONE).1 == coded, "kernels disagree on {method:?}");
        for features in Features::detect().levels() {
            let decoded = self.decode(features, &coded).unwrap();
            assert!(decoded == self.image.pixels, "{method:?} on {features:?} is not exact");
        }
        (method, coded.len())
    }
}

fn changes(side: u32) -> impl Strategy<Value = Change> {
    let kinds = prop_oneof![Just(Kind::Other), Just(Kind::Levels), Just(Kind::Noise), Just(Kind::Blocks)];
    let formats = prop_oneof![
        4 => Just(PixelFormat::Bgrx8),
        2 => Just(PixelFormat::Gray8),
        2 => (9..=16u8).prop_map(|bits| PixelFormat::Gray16(SampleDepth::new(bits).unwrap())),
        1 => Just(PixelFormat::Bgrx10),
    ];
    (
        1..=side,
        1..=side,
        formats,
        contents(),
        kinds,
        contents(),
        any::<u32>(),
        any::<[prop::sample::Index; 4]>(),
        any::<bool>(),
    )
        .prop_map(|(w, h, format, content, kind, other, seed, [x, y, end_x, end_y], partly)| {
            let shown = Picture::new(Size::new(w, h), format, content, seed);
            let kind = if format == PixelFormat::Bgrx10 { Kind::Other } else { kind };
            let span = |a: prop::sample::Index, b: prop::sample::Index, len: u32| {
                let (a, b) = (a.index(len as usize) as u32, b.index(len as usize) as u32);
                (a.min(b), a.max(b) + 1)
            };
            let ((x, end_x), (y, end_y)) = (span(x, end_x, w), span(y, end_y, h));
            let part = partly.then_some(Rect::new(x, y, end_x - x, end_y - y));
            Change::new(shown, kind, other, seed, part)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_change_comes_back(change in changes(150)) {
        change.check();
    }

    #[test]
    fn damaged_changes_are_refused_or_wrong_but_never_fatal(
        change in changes(100),
        cut in any::<prop::sample::Index>(),
        flips in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let (_, mut coded) = change.encode(Features::detect());
        let shorter = coded[..cut.index(coded.len())].to_vec();
        for flip in flips {
            let bit = flip.index(coded.len() * 8);
            coded[bit / 8] ^= 1 << (bit % 8);
        }
        for bytes in [&shorter, &coded] {
            let plain = change.decode(Features::NONE, bytes);
            prop_assert_eq!(plain, change.decode(Features::detect(), bytes));
        }
    }

    #[test]
    fn random_bytes_over_anything_are_never_fatal(
        change in changes(100),
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        areas in 0..3u8,
    ) {
        bytes.splice(0..0, [7, areas]);
        let plain = change.decode(Features::NONE, &bytes);
        prop_assert_eq!(plain, change.decode(Features::detect(), &bytes));
    }
}

fn gray(content: Content, seed: u32) -> Picture {
    Picture::new(Size::new(256, 256), PixelFormat::Bgrx8, content, seed)
}

#[test]
fn what_stays_costs_next_to_nothing() {
    let shown = gray(Content::NoisyRamp, 9);
    let (_, alone) = {
        let mut coded = Vec::new();
        (Encoder::new().encode(shown.image(), &mut coded), coded)
    };
    let change = Change { image: shown.clone(), shown };
    let (method, len) = change.check();
    assert_eq!(method, Method::Inter);
    assert!(len < 20 && alone.len() > 1000, "{len} bytes for no change, {} alone", alone.len());
}

#[test]
fn levels_and_blocks_are_told_from_what_is_shown() {
    for kind in [Kind::Levels, Kind::Blocks, Kind::Noise] {
        let change = Change::new(gray(Content::Noise, 9), kind, Content::Flat, 5, None);
        let mut alone = Vec::new();
        Encoder::new().encode(change.image.image(), &mut alone);
        let (method, len) = change.check();
        assert_eq!(method, Method::Inter, "{kind:?}");
        assert!(len * 4 < alone.len() * 3, "{kind:?}: {len} bytes, {} alone", alone.len());
    }
}

#[test]
fn colours_over_a_gray_photograph_stay() {
    let mut change = Change::new(gray(Content::NoisyRamp, 9), Kind::Levels, Content::Flat, 5, None);
    for pixel in (40..60_000).step_by(97) {
        for picture in [&mut change.shown, &mut change.image] {
            picture.pixels[4 * pixel..][..3].copy_from_slice(&[10, 200, 30]);
        }
    }
    let (method, _) = change.check();
    assert_eq!(method, Method::Inter);
    // One that changes as well.
    change.image.pixels[4 * 137] = 11;
    change.check();
}

#[test]
fn an_intra_decoder_refuses_it_and_so_does_one_of_ten_bits() {
    let change = Change::new(gray(Content::NoisyRamp, 9), Kind::Levels, Content::Flat, 5, None);
    let (_, coded) = change.encode(Features::detect());
    let mut target = change.shown.pixels.clone();
    let mut into = ImageMut::new(&mut target, change.shown.size, 1024, PixelFormat::Bgrx8).unwrap();
    assert_eq!(Decoder::new().decode(&coded, &mut into), Err(DecodeError::UnknownMethod(7)));
    let mut into = ImageMut::new(&mut target, change.shown.size, 1024, PixelFormat::Bgrx10).unwrap();
    assert_eq!(Decoder::new().decode_inter(&coded, &mut into), Err(DecodeError::WrongFormat(7)));
}
