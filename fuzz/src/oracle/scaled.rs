use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_codec::screen::scaled::{Axis, Decoder, Encoder, Kernel, MAX_SHARE, Scale, Source};

use super::script::Script;

/// Bytes as a scaled rect; and a picture over any source, which comes back exactly.
pub fn scaled(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (from, to) = (script.size(), script.size());
    let format = if script.chance() { PixelFormat::Bgrx8 } else { PixelFormat::Gray8 };
    let scale = any_scale(&mut script, from, to);
    let mut decoder = Decoder::new();
    let mut target = Image::new(to, format).expect("a size of an image");
    if script.chance() {
        let _ = decoder.decode(script.rest(), &mut target.as_mut());
        let spare = |pixel: &[u8]| format == PixelFormat::Gray8 || pixel[3] == 0xFF;
        assert!(target.bytes().chunks_exact(4).all(spare));
        return;
    }
    let mut image = Image::new(from, format).expect("a size of an image");
    for picture in [&mut image, &mut target] {
        for _ in 0..script.below(5) {
            let rect = script.rect(picture.size());
            picture.as_mut().fill(rect, [script.u8(), script.u8(), script.u8() & 3, 0xFF]);
        }
    }
    let source = Source::new(image.as_ref()).expect("small, and of eight bits");
    let mut coded = Vec::new();
    let fit = Encoder::new().encode(&scale, &source, target.as_ref(), &mut coded);
    let is_small = from.area() <= to.area() * MAX_SHARE;
    assert_eq!(fit.is_some(), scale.is_valid() && source.is_for(format) && is_small);
    if fit.is_some() {
        let mut painted = Image::new(to, format).expect("a size of an image");
        decoder.decode(&coded, &mut painted.as_mut()).expect("what was written");
        assert!(painted == target, "{scale:?} {format:?}");
    }
}

fn any_scale(script: &mut Script<'_>, from: Size, to: Size) -> Scale {
    let kernel = Kernel::of(script.u8()).unwrap_or(Kernel::SKIA);
    if script.chance() {
        return Scale::fit(kernel, from, to);
    }
    let mut axis = || {
        let mut number = || (0..6).fold(0u64, |number, _| number << 8 | u64::from(script.u8()));
        Axis { origin: number() as i64 - (1 << 47), step: number() }
    };
    Scale { kernel, x: axis(), y: axis() }
}
