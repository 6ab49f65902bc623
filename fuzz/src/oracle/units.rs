use lightbox_codec::geom::{Point, Rect, Size, TILE, TileMask};
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_codec::screen::update::{Decoder, Encoder, Model};

use super::codec::picture;
use super::script::Script;
use super::wire::spare_bits_are_as_defined;

/// Units of the screen codec in a row, each from the model that the one before left: what was coded comes back exactly,
/// from a unit that is alone whatever was shown; and no bytes paint beside their tiles.
pub fn units(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let size = Size::new(1 + u32::from(script.u8()), 1 + u32::from(script.u8()));
    let mut source = picture(&mut script, size, PixelFormat::Bgrx8);
    let mut shown = Image::new(size, PixelFormat::Bgrx8).expect("a size of an image");
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    let (mut here, mut there) = (Model::new(), Model::new());
    let mut spoilt = Model::new();
    for _ in 0..MOST {
        if script.is_empty() {
            return;
        }
        change(&mut script, &mut source);
        let (tiles, alone) = (some_tiles(&mut script, size), script.chance());
        if tiles.is_empty() {
            continue;
        }
        if script.chance() {
            // What nobody coded spoils a model, which must be no danger either, whatever it was spoilt by before.
            let coded = script.bytes(200);
            if script.chance() {
                spoilt.copy_from(&there);
            }
            let mut painted = shown.clone();
            let _ = decoder.decode(&mut spoilt, &tiles, &mut painted.as_mut(), alone, &coded);
            assert_beside(&tiles, &painted, &shown);
            spare_bits_are_as_defined(painted.as_ref());
            continue;
        }
        let before = shown.clone();
        let mut coded = Vec::new();
        assert!(encoder.encode(&mut here, &tiles, &mut shown.as_mut(), source.as_ref(), alone, &mut coded));
        assert_within(&tiles, &shown, &source);
        assert_beside(&tiles, &shown, &before);
        let mut damaged = coded.clone();
        if let Some(byte) = damaged.get_mut(usize::from(script.u8())) {
            *byte ^= script.u8();
            let mut painted = before.clone();
            let _ = decoder.decode(&mut there.clone(), &tiles, &mut painted.as_mut(), alone, &damaged);
            assert_beside(&tiles, &painted, &before);
        }
        let mut painted = if alone { picture(&mut script, size, PixelFormat::Bgrx8) } else { before };
        let outcome = decoder.decode(&mut there, &tiles, &mut painted.as_mut(), alone, &coded);
        assert_eq!(outcome, Ok(()), "the encoder's own unit, {size:?} {tiles:?}");
        assert_within(&tiles, &painted, &source);
        assert!(here == there, "the models part, {size:?} {tiles:?}");
    }
}

/// A fill, a copy, or a few other pixels.
fn change(script: &mut Script<'_>, image: &mut Image) {
    let rect = script.rect(image.size());
    match script.below(4) {
        0 => _ = image.as_mut().fill(rect, [script.u8(), script.u8() & 1, 3, 0xFF]),
        1 => {
            let to = Point::new(script.u8().into(), script.u8().into());
            image.as_mut().copy_within(rect, to);
        }
        2 => {
            let Some(rect) = rect.intersect(image.size().rect()) else { return };
            let other = picture(script, rect.size(), PixelFormat::Bgrx8);
            if let Some(mut part) = image.as_mut().crop_mut(rect) {
                part.copy_from(other.as_ref());
            }
        }
        _ => (),
    }
}

/// Tiles of a picture of at most 4x4 of them; some lie beside it.
fn some_tiles(script: &mut Script<'_>, size: Size) -> TileMask {
    let (columns, rows) = (size.w.div_ceil(TILE), size.h.div_ceil(TILE));
    let (x, y) = (script.below(columns), script.below(rows));
    let area = Rect::new(x, y, 1 + script.below(columns - x), 1 + script.below(rows - y));
    let mut tiles = TileMask::empty(area);
    let bits = script.u16();
    for tile in 0..area.area() as u32 {
        if bits >> tile & 1 == 0 {
            tiles.insert(area.x + tile % area.w, area.y + tile / area.w);
        }
    }
    tiles
}

fn assert_within(tiles: &TileMask, got: &Image, expected: &Image) {
    compare(got, expected, |column, row| tiles.contains(column, row), "a tile differs");
}

fn assert_beside(tiles: &TileMask, got: &Image, expected: &Image) {
    compare(
        got,
        expected,
        |column, row| !tiles.contains(column, row),
        "a pixel beside the tiles has changed",
    );
}

fn compare(got: &Image, expected: &Image, is_meant: impl Fn(u32, u32) -> bool, what: &str) {
    for y in 0..got.size().h {
        let rows = [got, expected].map(|image| image.as_ref().row(y).as_chunks::<4>().0);
        for (x, (got, expected)) in rows[0].iter().zip(rows[1]).enumerate() {
            if is_meant(x as u32 / TILE, y / TILE) {
                assert_eq!(got[..3], expected[..3], "{what} at {x}, {y}");
            }
        }
    }
}

/// Units of one run.
const MOST: usize = 12;
