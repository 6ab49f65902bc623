use alloc::vec::Vec;

use super::*;
use crate::geom::Rect;
use crate::pixel::Image;

const KERNELS: [Kernel; 5] = [
    Kernel::Nearest,
    Kernel::SKIA,
    Kernel::MEAN,
    Kernel::Bilinear { places: 8, rounding: Rounding::Nearest },
    Kernel::Bilinear { places: 7, rounding: Rounding::Down },
];

/// An image with something of everything: ramps, edges, noise.
fn picture(size: Size, format: PixelFormat, is_gray: bool) -> Image {
    let mut image = Image::new(size, format).unwrap();
    let mut noise = 7u32;
    for y in 0..size.h {
        let bytes = format.bytes_per_pixel();
        for (x, pixel) in image.as_mut().row_mut(y).chunks_exact_mut(bytes).enumerate() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let level =
                (x as u32 * 3 + y * 2 + (noise >> 29) + if x as u32 > size.w / 2 { 90 } else { 0 }) as u8;
            pixel[0] = level;
            if bytes == 4 {
                pixel[1] = if is_gray { level } else { level.wrapping_add(x as u8) };
                pixel[2] = if is_gray { level } else { level / 2 };
            }
        }
    }
    image
}

/// A sample of the target by the text of the format alone.
fn sample(source: ImageRef<'_>, scale: &Scale, (x, y): (u32, u32), channel: usize) -> u8 {
    let at = |axis: &Axis, i: u32| i128::from(axis.origin) + i128::from(axis.step) * i128::from(i);
    let inside = |at: i128, side: u32| at.clamp(0, i128::from(side) - 1) as u32;
    let value = |x: i128, y: i128| {
        let (x, y) = (inside(x, source.size().w), inside(y, source.size().h));
        i128::from(source.row(y)[x as usize * source.format().bytes_per_pixel() + channel])
    };
    let (x, y) = (at(&scale.x, x), at(&scale.y, y));
    let Kernel::Bilinear { places, rounding } = scale.kernel else {
        return value((x + (1 << 31)) >> 32, (y + (1 << 31)) >> 32) as u8;
    };
    let unit = 1i128 << places;
    let part = |at: i128| (at & 0xffff_ffff) >> (32 - places);
    let (fx, fy, x, y) = (part(x), part(y), x >> 32, y >> 32);
    let sum = value(x, y) * (unit - fx) * (unit - fy)
        + value(x + 1, y) * fx * (unit - fy)
        + value(x, y + 1) * (unit - fx) * fy
        + value(x + 1, y + 1) * fx * fy;
    let half = if rounding == Rounding::Nearest { unit * unit / 2 } else { 0 };
    ((sum + half) >> (2 * places)) as u8
}

#[test]
fn every_kernel_is_what_its_formula_says() {
    let (small, large) = (Size::new(37, 29), Size::new(65, 80));
    for kernel in KERNELS {
        for (from, to) in [(small, large), (large, small), (Size::new(1, 1), small), (small, small)] {
            let mut scale = Scale::fit(kernel, from, to);
            for beyond in [0, -(5 << 32), 9 << 32] {
                scale.x.origin += beyond;
                for (format, is_gray) in
                    [(PixelFormat::Gray8, true), (PixelFormat::Bgrx8, true), (PixelFormat::Bgrx8, false)]
                {
                    let image = picture(from, format, is_gray);
                    let source = Source::new(image.as_ref()).unwrap();
                    assert_eq!(source.format() == PixelFormat::Gray8, is_gray);
                    let mut target = Image::new(to, format).unwrap();
                    assert!(source.paint(&scale, &mut target.as_mut()));
                    let bytes = format.bytes_per_pixel();
                    for (i, pixel) in target.bytes().chunks_exact(bytes).enumerate() {
                        let at = (i as u32 % to.w, i as u32 / to.w);
                        for (channel, got) in pixel.iter().enumerate() {
                            let expect =
                                if channel == 3 { 0xFF } else { sample(image.as_ref(), &scale, at, channel) };
                            assert_eq!(
                                *got, expect,
                                "{kernel:?} {from:?} {to:?} {format:?} {at:?} {channel}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_fitted_scale_shows_an_image_edge_to_edge() {
    // Halved, each pixel is the mean of four.
    let axis = Axis::fit(64, 32);
    assert_eq!((axis.origin, axis.step), (1 << 31, 2 << 32));
    // Positions that are whole sixteenths are not cut to the one before.
    let axis = Axis::fit(512, 900);
    let x = 31i128; // (31 + 1/2) * 512 / 900 - 1/2 = 17 + 42 / 100
    let at = i128::from(axis.origin) + x * i128::from(axis.step);
    let exact = ((2 * x + 1) * 512 - 900) * (1i128 << 32) / 1800;
    assert!((0..=32).contains(&(at - exact)), "{at} {exact}");
    assert_eq!(Axis::fit(512, 900).skip(31).origin as i128, at);
}

#[test]
fn what_is_not_shown_of_a_source_is_not_kept() {
    let image = picture(Size::new(200, 150), PixelFormat::Gray8, true);
    for kernel in KERNELS {
        let all = Scale::fit(kernel, image.size(), Size::new(512, 400));
        for part in [Rect::new(101, 33, 90, 77), Rect::new(0, 0, 512, 400), Rect::new(500, 390, 12, 10)] {
            let scale = all.crop(part);
            let (source, from) = Source::visible(image.as_ref(), &scale, part.size()).unwrap();
            assert!(source.size().area() <= part.area() / 4 || part.area() < 1000, "{:?}", source.size());
            let paint = |source: &Source, scale: &Scale| {
                let mut target = Image::new(part.size(), PixelFormat::Gray8).unwrap();
                assert!(source.paint(scale, &mut target.as_mut()));
                target
            };
            let whole = Source::new(image.as_ref()).unwrap();
            assert!(paint(&source, &from) == paint(&whole, &scale), "{kernel:?} {part:?}");
        }
    }
}

#[test]
fn numbers_of_kernels_name_them() {
    for code in 0..=255 {
        match Kernel::of(code) {
            Some(kernel) => assert_eq!(kernel.code(), code),
            None => assert!(!(1..=8).contains(&(code & !16)) && code != 0, "{code}"),
        }
    }
    assert!(KERNELS.iter().all(|kernel| Kernel::of(kernel.code()) == Some(*kernel)));
}

#[test]
fn a_target_is_exact_whatever_lies_over_its_image() {
    let size = Size::new(300, 211);
    for format in [PixelFormat::Bgrx8, PixelFormat::Gray8] {
        for (kernel, is_gray) in KERNELS.iter().flat_map(|kernel| [(*kernel, true), (*kernel, false)]) {
            let image = picture(Size::new(120, 90), format, is_gray);
            let source = Source::new(image.as_ref()).unwrap();
            let scale = Scale::fit(kernel, image.size(), size);
            let mut target = Image::new(size, format).unwrap();
            assert!(source.paint(&scale, &mut target.as_mut()));
            let mut encoder = Encoder::new();
            let mut check = |target: &Image, wrong: u64| {
                let mut coded = Vec::new();
                let fit = encoder.encode(&scale, &source, target.as_ref(), &mut coded).unwrap();
                assert_eq!((fit.pixels, fit.wrong), (size.area(), wrong));
                assert_eq!(encoder.fit(&scale, &source, target.as_ref(), 1), Some(fit));
                let mut painted = Image::new(size, format).unwrap();
                Decoder::new().decode(&coded, &mut painted.as_mut()).unwrap();
                assert!(painted == *target, "{format:?} {kernel:?}");
                coded.len()
            };
            let least = check(&target, 0);
            // A label, and a few samples that another's arithmetic made.
            let wrong: Vec<_> = [(0, 0), (299, 210), (299, 0), (7, 99), (8, 99), (150, 60)].into();
            for (x, y) in &wrong {
                let at = *x as usize * format.bytes_per_pixel();
                let mut over = target.as_mut();
                let pixel = &mut over.row_mut(*y)[at..];
                let samples = if format == PixelFormat::Bgrx8 { 3 } else { 1 };
                pixel[..samples].iter_mut().for_each(|sample| *sample = sample.wrapping_add(1));
            }
            assert!(check(&target, wrong.len() as u64) < least + 60);
            let label = Rect::new(20, 150, 31, 9);
            let mut over = target.as_mut();
            let mut pixels = over.crop_mut(label).unwrap();
            for y in 0..label.h {
                // No sample is what it was.
                pixels
                    .row_mut(y)
                    .iter_mut()
                    .enumerate()
                    .filter(|(i, _)| i % 4 != 3 || format == PixelFormat::Gray8)
                    .for_each(|(i, sample)| *sample ^= 1 + (i as u8 & 0x7e));
            }
            check(&target, wrong.len() as u64 + label.area());
        }
    }
}

#[test]
fn what_is_none_is_refused() {
    let deep = PixelFormat::Bgrx10;
    let image = Image::new(Size::new(8, 8), PixelFormat::Gray8).unwrap();
    let source = Source::new(image.as_ref()).unwrap();
    assert_eq!(Source::new(Image::new(Size::new(8, 8), deep).unwrap().as_ref()), None);
    assert_eq!(Source::black(Size::new(2048, 513), PixelFormat::Gray8), None);
    let scale = Scale::fit(Kernel::SKIA, image.size(), Size::new(16, 16));
    let mut target = Image::new(Size::new(16, 16), deep).unwrap();
    assert!(!source.paint(&scale, &mut target.as_mut()));
    let far = Scale { x: Axis { origin: Axis::LIMIT + 1, step: 1 }, ..scale };
    let wide = Scale { y: Axis { origin: 0, step: Axis::LIMIT as u64 + 1 }, ..scale };
    let odd = Scale { kernel: Kernel::Bilinear { places: 9, rounding: Rounding::Down }, ..scale };
    let mut target = Image::new(Size::new(16, 16), PixelFormat::Gray8).unwrap();
    let (mut coded, mut decoder) = (Vec::new(), Decoder::new());
    for bad in [far, wide, odd] {
        assert!(!source.paint(&bad, &mut target.as_mut()), "{bad:?}");
        assert_eq!(Encoder::new().encode(&bad, &source, target.as_ref(), &mut coded), None);
        assert!(coded.is_empty());
    }
    target.as_mut().fill(Rect::new(3, 3, 1, 1), [9, 0, 0, 0]);
    Encoder::new().encode(&scale, &source, target.as_ref(), &mut coded).unwrap();
    let mut decode = |bytes: &[u8]| decoder.decode(bytes, &mut target.as_mut());
    assert_eq!(decode(&coded), Ok(()));
    let with = |at: usize, byte: u8| {
        let mut coded = coded.clone();
        coded[at] = byte;
        coded
    };
    assert_eq!(decode(&with(0, 9)), Err(DecodeError::Corrupt("kernel")));
    assert_eq!(decode(&with(1, 0)), Err(DecodeError::Corrupt("source size")));
    assert_eq!(decode(&[4, 0xFF, 0xFF, 0xFF, 0x7F, 8]), Err(DecodeError::Corrupt("source size")));
    assert_eq!(decode(&[4, 8]), Err(DecodeError::Truncated));
    assert_eq!(decode(&[&[4], &[0xFF; 8][..]].concat()), Err(DecodeError::Corrupt("number")));
    // A scaled rect without its corrections is another one; cut anywhere before, it is none.
    let corrections = (0..coded.len()).find(|end| decode(&coded[..*end]).is_ok()).unwrap();
    assert!(corrections + 12 > coded.len(), "{corrections} of {}", coded.len());
    let noise = [&coded[..corrections], &[0x5a; 999]].concat();
    assert!(matches!(decode(&noise), Err(DecodeError::Trailing { .. })));
}

/// What `vectors/README.md` says of `scaled-bgrx.bin`.
#[test]
fn the_stream_holds_what_it_is_named_for() {
    let (from, to) = (Size::new(64, 48), Size::new(112, 84));
    let mut image = Image::new(from, PixelFormat::Gray8).unwrap();
    for y in 0..from.h {
        (0..)
            .zip(image.as_mut().row_mut(y))
            .for_each(|(x, sample)| *sample = (3 * x + 2 * y + x * y % 7) as u8);
    }
    let source = Source::new(image.as_ref()).unwrap();
    let scale = Scale::fit(Kernel::SKIA, from, to);
    let mut target = Image::new(to, PixelFormat::Bgrx8).unwrap();
    assert!(source.paint(&scale, &mut target.as_mut()));
    for y in 0..to.h {
        for (x, pixel) in (0..).zip(target.as_mut().row_mut(y).as_chunks_mut::<4>().0) {
            if (x + 5 * y) % 97 == 0 {
                pixel[..3].iter_mut().for_each(|sample| *sample = sample.wrapping_sub(1));
            }
            if Rect::new(16, 60, 12, 3).contains_point(crate::geom::Point::new(x, y)) {
                *pixel = [0, 200, 255, 0xFF];
            }
        }
    }
    let mut coded = Vec::new();
    Encoder::new().encode(&scale, &source, target.as_ref(), &mut coded).unwrap();
    if std::env::var_os("LIGHTBOX_WRITE_VECTORS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/scaled-bgrx.bin");
        std::fs::write(path, &coded).unwrap();
        return;
    }
    let stream = include_bytes!("../../../vectors/scaled-bgrx.bin");
    assert_eq!(coded, stream);
    let mut painted = Image::new(to, PixelFormat::Bgrx8).unwrap();
    Decoder::new().decode(stream, &mut painted.as_mut()).unwrap();
    assert!(painted == target);
}
