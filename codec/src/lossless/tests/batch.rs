use super::*;
use crate::geom::Rect;

/// Tiles of `side` pixels, row by row; those on the right and below are cut.
fn tiles(size: Size, side: u32) -> Vec<Rect> {
    let mut tiles = Vec::new();
    for y in (0..size.h).step_by(side as usize) {
        for x in (0..size.w).step_by(side as usize) {
            tiles.push(Rect::new(x, y, side.min(size.w - x), side.min(size.h - y)));
        }
    }
    tiles
}

fn encode(encoder: &mut Encoder, picture: &Picture, rects: &[Rect]) -> (Vec<u8>, Vec<Method>) {
    let images: Vec<_> = rects.iter().map(|rect| picture.image().crop(*rect).unwrap()).collect();
    let mut coded = Vec::new();
    let methods = encoder.encode_batch(&images, &mut coded).to_vec();
    (coded, methods)
}

fn decode(
    features: Features,
    picture: &Picture,
    coded: &[u8],
    rects: &[Rect],
) -> Result<Vec<u8>, DecodeError> {
    let mut target = vec![0xff; picture.pixels.len()];
    let mut into = ImageMut::new(&mut target, picture.size, picture.stride(), picture.format).unwrap();
    Decoder::new().with_cpu(features).decode_batch(coded, &mut into, rects)?;
    Ok(target)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_come_back_from_every_kernel(picture in pictures(150), side in 1..80u32) {
        let side = side.max(picture.size.w.max(picture.size.h) / 12);
        let rects = tiles(picture.size, side);
        let (coded, methods) = encode(&mut Encoder::new(), &picture, &rects);
        let (plain, _) = encode(&mut Encoder::new().with_cpu(Features::NONE), &picture, &rects);
        prop_assert!(coded == plain, "kernels disagree on {methods:?}");
        let raw = picture.size.area() as usize * raw::pixel_bytes(picture.format);
        prop_assert!(coded.len() <= raw + rects.len());
        for features in Features::detect().levels() {
            prop_assert!(decode(features, &picture, &coded, &rects).as_ref() == Ok(&picture.pixels));
        }
    }

    #[test]
    fn damaged_batches_are_refused_or_wrong_but_never_fatal(
        picture in pictures(70),
        side in 8..80u32,
        flip in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let rects = tiles(picture.size, side);
        let (mut coded, _) = encode(&mut Encoder::new(), &picture, &rects);
        let bit = flip.index(coded.len() * 8);
        coded[bit / 8] ^= 1 << (bit % 8);
        for bytes in [&coded[..], &coded[..cut.index(coded.len())]] {
            let plain = decode(Features::NONE, &picture, bytes, &rects);
            prop_assert_eq!(plain, decode(Features::detect(), &picture, bytes, &rects));
        }
    }
}

#[test]
fn a_batch_holds_every_method_and_costs_less_than_its_parts() {
    let mut picture = Picture::new(Size::new(512, 192), PixelFormat::Bgrx8, Content::Desktop, 10);
    let gray = Picture::new(Size::new(64, 64), PixelFormat::Bgrx8, Content::NoisyRamp, 9);
    picture.paste(&gray, 64, 0);
    let colour = Picture::new(Size::new(64, 64), PixelFormat::Bgrx8, Content::NoisyRamp, 10);
    picture.paste(&colour, 256, 64);
    let half = Picture::new(Size::new(64, 32), PixelFormat::Bgrx8, Content::NoisyRamp, 9);
    picture.paste(&half, 0, 64);
    let flat = Picture::new(Size::new(64, 64), PixelFormat::Bgrx8, Content::Flat, 9);
    picture.paste(&flat, 0, 128);
    let rects = tiles(picture.size, 64);
    let (coded, methods) = encode(&mut Encoder::new(), &picture, &rects);
    for method in [Method::Flat, Method::Text, Method::Gray, Method::Colour, Method::Mixed] {
        assert!(methods.contains(&method), "{method:?} in {methods:?}");
    }
    let alone: usize = rects.iter().map(|rect| encode(&mut Encoder::new(), &picture, &[*rect]).0.len()).sum();
    assert!(coded.len() + 48 * rects.len() < alone, "{} bytes together, {alone} alone", coded.len());
    assert_eq!(decode(Features::detect(), &picture, &coded, &rects).unwrap(), picture.pixels);
}

#[test]
fn a_batch_of_one_is_a_coded_rect_and_of_none_is_nothing() {
    let picture = Picture::new(Size::new(100, 70), PixelFormat::Bgrx8, Content::Desktop, 10);
    let mut alone = Vec::new();
    Encoder::new().encode(picture.image(), &mut alone);
    assert_eq!(encode(&mut Encoder::new(), &picture, &[picture.size.rect()]).0, alone);

    assert_eq!(encode(&mut Encoder::new(), &picture, &[]).0, []);
    assert!(decode(Features::detect(), &picture, &[], &[]).is_ok());
    let trailing = decode(Features::detect(), &picture, &[0], &[]);
    assert_eq!(trailing, Err(DecodeError::Trailing { extra: 1 }));
}

#[test]
fn noise_in_batches_stays_within_the_bound() {
    let picture = Picture::new(Size::new(128, 128), PixelFormat::Gray8, Content::Noise, 5);
    let rects = tiles(picture.size, 32);
    let (coded, methods) = encode(&mut Encoder::new(), &picture, &rects);
    assert_eq!(methods, [Method::Raw; 16]);
    assert_eq!(coded.len(), 16 * (1 + 32 * 32));
    assert_eq!(decode(Features::detect(), &picture, &coded, &rects).unwrap(), picture.pixels);
}

#[test]
fn rects_that_stick_out_are_refused() {
    let picture = Picture::new(Size::new(70, 40), PixelFormat::Gray8, Content::Flat, 5);
    for rect in [Rect::new(0, 0, 71, 40), Rect::new(70, 0, 1, 1), Rect::new(3, 3, 0, 4)] {
        let refused = decode(Features::detect(), &picture, &[1, 5], &[rect]);
        assert_eq!(refused, Err(DecodeError::Outside), "{rect:?}");
    }
}
