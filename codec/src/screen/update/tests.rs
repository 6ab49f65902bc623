use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::geom::{Size, TileGrid};
use crate::pixel::Image;

/// One change of a desktop.
#[derive(Clone, Copy, Debug)]
enum Edit {
    Letters,
    Fill,
    Noise,
}

fn apply(image: &mut Image, rect: Rect, edit: Edit, seed: u32) {
    let Some(rect) = rect.intersect(image.size().rect()) else { return };
    let mut state = seed | 1;
    for y in rect.y..rect.bottom() {
        let mut all = image.as_mut();
        for (x, pixel) in (0..).zip(all.row_mut(y).as_chunks_mut::<4>().0) {
            if (rect.x..rect.right()).contains(&x) {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let colour = match edit {
                    Edit::Letters if (x / 3 * 7 + y / 2 * 5 + seed) % 11 < 3 => seed,
                    Edit::Letters => 0xff_ffff,
                    Edit::Fill => seed.wrapping_mul(0x9e37_79b1),
                    Edit::Noise => state,
                };
                *pixel = (colour | 0xff00_0000).to_le_bytes();
            }
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<(Rect, Edit, u32, bool)>> {
    let rect = (0u32..200, 0u32..150, 1u32..130, 1u32..90).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h));
    let edit = prop_oneof![Just(Edit::Letters), Just(Edit::Fill), Just(Edit::Noise)];
    prop::collection::vec((rect, edit, any::<u32>(), any::<bool>()), 1..6)
}

/// A peer: what it shows, and its model.
struct Peer {
    shown: Image,
    model: Model,
}

impl Peer {
    fn new(size: Size) -> Self {
        Self { shown: Image::new(size, PixelFormat::Bgrx8).unwrap(), model: Model::new() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn both_sides_show_the_source_after_each_unit((w, h) in (1u32..200, 1u32..150), edits in edits()) {
        let (size, grid) = (Size::new(w, h), TileGrid::new(Size::new(w, h)));
        let mut source = Image::new(size, PixelFormat::Bgrx8).unwrap();
        let (mut server, mut client) = (Peer::new(size), Peer::new(size));
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        for (rect, edit, seed, alone) in edits {
            apply(&mut source, rect, edit, seed);
            let touched: Vec<_> = grid.touching(rect).collect();
            if touched.is_empty() {
                continue;
            }
            let tiles = TileMask::of(grid, touched.iter().copied());
            if alone {
                // Whatever was there does not matter.
                for rect in touched.iter().map(|tile| grid.rect(*tile)) {
                    client.shown.as_mut().fill(rect, [1, 2, 3, 4]);
                }
            }
            let mut bytes = Vec::new();
            let shown = &mut server.shown.as_mut();
            prop_assert!(encoder.encode(&mut server.model, &tiles, shown, source.as_ref(), alone, &mut bytes));
            decoder.decode(&mut client.model, &tiles, &mut client.shown.as_mut(), alone, &bytes).unwrap();
            prop_assert!(server.shown.bytes() == source.bytes());
            prop_assert!(client.shown.bytes() == source.bytes());
            prop_assert!(server.model == client.model);
        }
    }

    #[test]
    fn a_unit_alone_takes_nothing_from_around_it(seed in any::<u32>(), around in any::<u32>()) {
        let size = Size::new(192, 192);
        let mut source = Image::new(size, PixelFormat::Bgrx8).unwrap();
        apply(&mut source, size.rect(), Edit::Letters, seed);
        let (mut server, mut client) = (Peer::new(size), Peer::new(size));
        apply(&mut client.shown, size.rect(), Edit::Noise, around);
        let (tiles, mut bytes) = (TileMask::all(Rect::new(1, 1, 1, 1)), Vec::new());
        let (model, shown) = (&mut server.model, &mut server.shown.as_mut());
        Encoder::default().encode(model, &tiles, shown, source.as_ref(), true, &mut bytes);
        let shown = &mut client.shown.as_mut();
        Decoder::default().decode(&mut client.model, &tiles, shown, true, &bytes).unwrap();
        let tile = Rect::new(64, 64, 64, 64);
        let (a, b) = (client.shown.as_ref().crop(tile).unwrap(), source.as_ref().crop(tile).unwrap());
        prop_assert!(a.rows().eq(b.rows()));
    }

    #[test]
    fn any_bytes_end_in_a_picture_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400), alone in any::<bool>()) {
        let size = Size::new(150, 100);
        let mut peer = Peer::new(size);
        let tiles = TileMask::all(Rect::new(0, 0, 3, 2));
        for _ in 0..2 {
            let _ = Decoder::default().decode(&mut peer.model, &tiles, &mut peer.shown.as_mut(), alone, &bytes);
        }
    }
}

#[test]
fn what_was_seen_once_costs_little_again() {
    let size = Size::new(128, 128);
    let (mut peer, mut encoder) = (Peer::new(size), Encoder::default());
    let tiles = TileMask::all(Rect::new(0, 0, 2, 2));
    let mut cost = |image: &Image, peer: &mut Peer| {
        let mut bytes = Vec::new();
        let shown = &mut peer.shown.as_mut();
        encoder.encode(&mut peer.model, &tiles, shown, image.as_ref(), false, &mut bytes);
        bytes.len()
    };
    let blank = peer.shown.clone();
    let mut page = blank.clone();
    apply(&mut page, Rect::new(10, 10, 30, 12), Edit::Noise, 3);
    let first = cost(&page, &mut peer);
    cost(&blank, &mut peer);
    let again = cost(&page, &mut peer);
    assert!(again * 3 < first, "{again} of {first}");
    assert!(cost(&page, &mut peer) <= 2, "nothing changed");
}

#[test]
fn units_of_the_text_are_what_they_are_named_for() {
    // A page with letters, a unit alone; then a bar through it, a patch.
    let size = Size::new(80, 70);
    let mut source = Image::new(size, PixelFormat::Bgrx8).unwrap();
    apply(&mut source, size.rect(), Edit::Letters, 5);
    let (mut server, mut client) = (Peer::new(size), Peer::new(size));
    let units: [(&str, &[u8], bool, TileMask); 2] = [
        (
            "update-alone",
            include_bytes!("../../../vectors/update-alone.bin"),
            true,
            TileMask::all(Rect::new(0, 0, 2, 2)),
        ),
        (
            "update-patch",
            include_bytes!("../../../vectors/update-patch.bin"),
            false,
            TileMask::all(Rect::new(0, 0, 1, 1)),
        ),
    ];
    for (name, unit, alone, tiles) in units {
        if !alone {
            apply(&mut source, Rect::new(10, 20, 40, 3), Edit::Fill, 9);
        }
        let mut bytes = Vec::new();
        let (model, shown) = (&mut server.model, &mut server.shown.as_mut());
        Encoder::default().encode(model, &tiles, shown, source.as_ref(), alone, &mut bytes);
        if std::env::var_os("LIGHTBOX_WRITE_VECTORS").is_some() {
            let path = alloc::format!("{}/vectors/{name}.bin", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, &bytes).unwrap();
            continue;
        }
        assert_eq!(bytes, unit, "{name}");
        let shown = &mut client.shown.as_mut();
        Decoder::default().decode(&mut client.model, &tiles, shown, alone, unit).unwrap();
        assert!(client.shown.bytes() == source.bytes(), "{name}");
    }
    let mut spoilt = vec![0x55; 3];
    spoilt.resize(4000, 0xaa);
    let tiles = TileMask::all(Rect::new(0, 0, 2, 2));
    let outcome =
        Decoder::default().decode(&mut client.model, &tiles, &mut client.shown.as_mut(), false, &spoilt);
    assert!(matches!(outcome, Err(DecodeError::Trailing { .. })), "{outcome:?}");
}
