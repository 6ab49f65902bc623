use super::*;

const SIZE: Size = Size::new(160, 96);

/// The ten-bit picture that shows what an eight-bit one shows.
fn expanded(picture: &Picture) -> Picture {
    let mut pixels = Vec::new();
    for [b, g, r, _] in picture.pixels.as_chunks::<4>().0 {
        let [b, g, r] = [b, g, r].map(|v| u32::from(*v) << 2 | u32::from(*v) >> 6);
        pixels.extend((b | g << 10 | r << 20 | 3 << 30).to_le_bytes());
    }
    Picture { size: picture.size, format: PixelFormat::Bgrx10, pixels }
}

fn encode(picture: &Picture) -> (Method, usize) {
    let mut coded = Vec::new();
    let method = Encoder::new().encode(picture.image(), &mut coded);
    (method, coded.len())
}

#[test]
fn an_expanded_desktop_costs_what_the_desktop_costs() {
    for (content, seed) in [
        (Content::Flat, 7),
        (Content::Letters, 8),
        (Content::Desktop, 9),
        (Content::Desktop, 10),
        (Content::NoisyRamp, 9),
        (Content::NoisyRamp, 10),
    ] {
        let narrow = Picture::new(SIZE, PixelFormat::Bgrx8, content, seed);
        let deep = expanded(&narrow);
        check(&deep);
        let ((_, eight), (_, ten)) = (encode(&narrow), encode(&deep));
        // A whole photograph becomes an area, which says where it is.
        assert!(ten <= eight + 8, "{content:?}: {ten} bytes for {eight}");
    }
}

#[test]
fn one_pixel_of_ten_bits_in_an_expanded_desktop_survives() {
    for at in [0, 31, 160 * 40 + 77, 160 * 96 - 1] {
        for bit in [0, 11, 20] {
            let mut picture = expanded(&Picture::new(SIZE, PixelFormat::Bgrx8, Content::Letters, 8));
            picture.pixels[4 * at + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(encode(&picture).0, Method::Mixed);
            check(&picture);
        }
    }
}

#[test]
fn whole_photographs_of_ten_bits_are_gray_or_colour() {
    for (seed, method) in [(11, Method::Gray), (10, Method::Colour)] {
        let picture = Picture::new(SIZE, PixelFormat::Bgrx10, Content::NoisyRamp, seed);
        assert_eq!(encode(&picture).0, method);
        check(&picture);
    }
}

#[test]
fn the_two_bits_on_top_are_neither_coded_nor_kept() {
    for content in [Content::Flat, Content::Letters, Content::NoisyRamp, Content::Noise] {
        let mut picture = Picture::new(SIZE, PixelFormat::Bgrx10, content, 10);
        let painted = picture.pixels.clone();
        let mut expected = Vec::new();
        Encoder::new().encode(picture.image(), &mut expected);
        picture.pixels.iter_mut().skip(3).step_by(4).enumerate().for_each(|(i, top)| *top ^= (i as u8) << 6);
        let mut coded = Vec::new();
        Encoder::new().encode(picture.image(), &mut coded);
        assert_eq!(coded, expected);
        assert_eq!(picture.decode(Features::detect(), &coded).unwrap(), painted);
    }
}
