use alloc::vec;
use alloc::vec::Vec;

use super::token::Vector;
use super::*;
use crate::geom::Size;
use crate::lossless::bytes::{Reader, put_number};
use crate::lossless::{Encoder, Method};
use crate::pixel::{ImageRef, PixelFormat};

const SIDE: usize = 64;

/// A sheet of 64x64 pixels, of which the last 32 rows have a photograph on the right if it is mixed.
fn sheet(method: Method) -> Sheet {
    let mut areas = Vec::new();
    // One area: in column 1 of kind 0, in row 1, one cell wide and high.
    [1, 2, 1, 1, 1].into_iter().for_each(|number| put_number(&mut areas, number));
    let mut sheet = Sheet::default();
    sheet.expect(method, (SIDE, SIDE), PixelFormat::Bgrx8, &mut Reader::new(&areas)).unwrap();
    sheet.canvas.data_mut().fill(0);
    sheet
}

/// What becomes of rows of tokens on a sheet that is black so far, and stays black. None of them is a pixel.
fn decode(rows: &[&[Token]], method: Method) -> Result<(), DecodeError> {
    let mut bytes = vec![0, 0, 0];
    let mut writer = RangeWriter::new(&mut bytes);
    let mut tokens = Tokens::new();
    for row in rows {
        let mut history = History::default();
        for &token in *row {
            tokens.code(&mut writer, ALL_EQUAL, &mut history, token);
        }
    }
    writer.finish();
    Text::new().decode(&bytes, &mut [sheet(method)])
}

/// What [`token::around`] says of one colour.
const ALL_EQUAL: usize = 31;
const WHOLE: Token = Token::Flat(Length::ToTheEnd);

const fn flat(pixels: usize) -> Token {
    Token::Flat(Length::Pixels(pixels))
}

fn copy(w: usize, h: usize, dx: isize, dy: usize) -> Token {
    Token::Copy(Copied { w, h, vector: Vector { dx, dy } })
}

#[test]
fn tokens_that_do_not_fit_are_refused() {
    for (what, bad) in [
        ("its own pixel", copy(1, 1, 0, 0)),
        ("pixels to the left of the picture", copy(1, 1, 11, 0)),
        ("pixels to the right of the picture", copy(54, 1, -1, 1)),
        ("rows above the picture", copy(1, 1, 0, 3)),
        ("more columns than there are", copy(55, 1, 0, 1)),
        ("more rows than there are", copy(1, 63, 0, 1)),
        ("a run longer than the row", Token::Above(Length::Pixels(55))),
    ] {
        let refused = decode(&[&[WHOLE], &[WHOLE], &[flat(10), bad]], Method::Text);
        assert_eq!(refused, Err(DecodeError::Corrupt("token of text")), "{what}");
    }
    let mut rows: Vec<&[Token]> = vec![&[WHOLE]; SIDE];
    let largest = [flat(10), copy(54, 62, 0, 1)];
    rows[2] = &largest;
    assert_eq!(decode(&rows, Method::Text), Ok(()));
}

#[test]
fn copies_keep_off_photographs() {
    for (w, result) in [(12, Ok(())), (13, Err(DecodeError::Corrupt("token of text")))] {
        let mut rows: Vec<&[Token]> = vec![&[WHOLE]; SIDE];
        let row = [flat(20), copy(w, 40, 0, 1), WHOLE];
        rows[1] = &row;
        assert_eq!(decode(&rows, Method::Mixed), result, "{w} columns");
    }
}

#[test]
fn a_letter_met_again_costs_a_few_bytes() {
    let bytes = |letters: usize| {
        let (w, h) = (400, 16);
        let mut pixels = vec![0xff; w * h * 4];
        for letter in 0..letters {
            // Sixty pixels of noise, at distances that vary.
            let mut state = 1u32;
            for (x, y) in (0..60).map(|i| (i % 6, i / 6)) {
                state = state.wrapping_mul(0x9e37_79b1).rotate_left(9) ^ 0x55;
                let at = (y + 3) * w + 5 + letter * 11 + letter % 3 + x;
                pixels[4 * at..][..3].copy_from_slice(&state.to_le_bytes()[..3]);
            }
        }
        let size = Size::new(w as u32, h as u32);
        let mut coded = Vec::new();
        let image = ImageRef::new(&pixels, size, w * 4, PixelFormat::Bgrx8).unwrap();
        assert_eq!(Encoder::new().encode(image, &mut coded), Method::Text);
        coded.len()
    };
    let (few, many) = (bytes(2), bytes(34));
    assert!(many - few < 4 * 32, "{few} bytes for two letters, {many} for 34");
}
