use lightbox_codec::geom::{Point, Rect};
use lightbox_codec::pixel::PixelFormat;
use lightbox_codec::screen::scaled::{Kernel, Scale, Source};
use lightbox_protocol::channel::display::{Agreed, Begin, Passes};
use lightbox_protocol::digest::DigestContext;
use lightbox_protocol::wire::ids::codec;

use super::boxes::difference;
use super::*;

const SIZE: Size = Size::new(1024, 1024);

fn begin(seq: u64, budget: usize) -> Begin {
    let context = DigestContext { nonce: [1; 16], surface: 0, generation: 1 };
    let passes = Passes::default();
    let (at, acked_to, slots) = (Time(0), seq - 1, Agreed { connection: 1, cells: 16_384, models: 4 });
    Begin { seq, context, budget, size: SIZE, at, carries: budget, passes, acked_to, slots }
}

#[test]
fn a_change_that_copies_bring_leaves_with_their_frame_and_its_age() {
    let mut picture = Image::new(SIZE, PixelFormat::Gray8).unwrap();
    let mut noise = 1u32;
    for y in 0..SIZE.h {
        picture.as_mut().row_mut(y).fill_with(|| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        });
    }
    let (mut view, mut pool) = (View::new(0, &picture, Time(0)), Pool::new(0));
    let mut keep = Keep::new([7; 32]);
    while view.frame(|show| show(picture.as_ref()), &begin(1, 1 << 20), &mut pool, &mut keep).is_some() {}
    picture.as_mut().copy_within(Rect::new(300, 500, 400, 400), Point::new(310, 490));
    view.damage(0..view.grid.len(), Time(7));
    let made = view.frame(|show| show(picture.as_ref()), &begin(2, 1 << 20), &mut pool, &mut keep).unwrap();
    assert!(made.frame.ops.iter().any(|op| matches!(op, Op::Copy { .. })));
    assert_eq!((made.frame.capture, view.since()), (Time(7), None));
    assert_eq!(view.sent, picture);
}

#[test]
fn a_frame_that_is_cut_short_leaves_no_tile_half_copied() {
    let mut noise = 1u32;
    let mut picture = Image::new(SIZE, PixelFormat::Gray8).unwrap();
    let mut paint = |picture: &mut Image, rect: Rect| {
        let mut all = picture.as_mut();
        let mut part = all.crop_mut(rect).unwrap();
        for y in 0..rect.h {
            part.row_mut(y).fill_with(|| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            });
        }
    };
    paint(&mut picture, SIZE.rect());
    let (mut view, mut pool) = (View::new(0, &picture, Time(0)), Pool::new(0));
    let mut keep = Keep::new([7; 32]);
    while view.frame(|show| show(picture.as_ref()), &begin(1, 1 << 20), &mut pool, &mut keep).is_some() {}
    // A window is dragged by less than a tile, everything around it changes, and the budget is for little of it.
    let window = Rect::new(300, 500, 400, 400);
    picture.as_mut().copy_within(window, Point::new(310, 490));
    paint(&mut picture, Rect::new(0, 0, 1024, 480));
    paint(&mut picture, Rect::new(0, 480, 305, 544));
    view.damage(0..view.grid.len(), Time(1));
    let made = view.frame(|show| show(picture.as_ref()), &begin(2, 12 << 10), &mut pool, &mut keep).unwrap();
    assert!(made.frame.ops.iter().any(|op| matches!(op, Op::Copy { .. })));
    assert!(view.since().is_some(), "the budget was for all of it");
    for write in &made.frame.writes {
        let tile = view.grid.rect(write.tile);
        assert_eq!(difference(view.sent.as_ref(), picture.as_ref(), tile), None, "tile {}", write.tile);
    }
}

#[test]
fn a_scaled_image_is_sent_as_its_source_and_what_lies_over_it_is_exact() {
    let (rect, from) = (Rect::new(100, 75, 800, 700), Size::new(400, 350));
    let mut noise = 1u32;
    let mut slice = || {
        let mut slice = Image::new(from, PixelFormat::Gray8).unwrap();
        for y in 0..from.h {
            slice.as_mut().row_mut(y).fill_with(|| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 26) as u8 + 90
            });
        }
        slice
    };
    let scale = Scale::fit(Kernel::SKIA, from, rect.size());
    let mut picture = Image::new(SIZE, PixelFormat::Bgrx8).unwrap();
    let (mut view, mut pool) = (View::new(0, &picture, Time(0)), Pool::new(0));
    let mut keep = Keep::new([7; 32]);
    let mut begin = begin(1, 1 << 20);
    while view.frame(|show| show(picture.as_ref()), &begin, &mut pool, &mut keep).is_some() {}
    let mut bytes = Vec::new();
    for (scaled, is_said) in [(true, false), (true, true), (false, true)] {
        let slice = slice();
        begin.passes.scaled = scaled;
        let shown = Shown::new(slice.as_ref(), &scale, rect, SIZE, PixelFormat::Bgrx8).unwrap();
        view.set_shown(&if is_said { [shown].into() } else { Arc::default() });
        let mut all = picture.as_mut();
        assert!(Source::new(slice.as_ref()).unwrap().paint(&scale, &mut all.crop_mut(rect).unwrap()));
        // A label over the image, and a line around it.
        all.fill(Rect::new(140, 110, 90, 12), [0, 0xFF, begin.seq as u8, 0xFF]);
        all.fill(Rect::new(90, 60, 900, 2), [9, begin.seq as u8, 0, 0xFF]);
        begin.seq += 1;
        view.damage(0..view.grid.len(), Time(begin.seq));
        let made = view.frame(|show| show(picture.as_ref()), &begin, &mut pool, &mut keep).unwrap();
        assert_eq!((view.since(), &view.sent), (None, &picture));
        let data = |op: &Op| if let Op::Coded { data, .. } = op { data.len() } else { 0 };
        bytes.push(made.frame.ops.iter().map(data).sum::<usize>());
        let is_scaled = |op: &Op| matches!(op, Op::Coded { codec: codec::SCALED, .. });
        assert_eq!(made.frame.ops.iter().any(is_scaled), scaled && is_said);
    }
    assert!(bytes[1] * 5 < bytes[0] * 3 && bytes[1] * 5 < bytes[2] * 3, "{bytes:?}");
}
