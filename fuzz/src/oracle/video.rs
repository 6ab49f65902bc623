use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_codec::video::{AccessUnit, Codec, Colour, MAX_MARGIN, h264, sps};

use super::script::Script;

/// Access units of H.264 for a picture of up to 128x128, whose size comes first: each is its flags, its length and its
/// bytes. What is let through to the decoder asks for a picture of about that size.
pub fn access_units(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let size = Size::new(1 + script.below(128), 1 + script.below(128));
    let mut picture = Image::new(size, PixelFormat::Bgrx8).expect("a size of an image");
    let Some(mut decoder) = h264::open() else { return };
    let mut units = 0;
    while !script.is_empty() && units < MOST {
        units += 1;
        let flags = script.u8();
        let colour = Colour { full_range: flags & 2 != 0, bt601: flags & 4 != 0 };
        let data = script.bytes(4_096);
        let checked = sps::check(&data, size);
        let too_large = Size::new(size.w + MAX_MARGIN + 1, size.h + MAX_MARGIN + 1);
        if checked == Ok(true) {
            assert!(sps::check(&data, too_large).is_err(), "one set fits two sizes");
        }
        let unit = AccessUnit { codec: Codec::H264, key: flags & 1 != 0, colour, data: &data };
        let outcome = decoder.decode(&unit, &mut picture.as_mut());
        assert!(checked.is_ok() || outcome.is_err(), "decoded though it was refused");
        // An error ends a stream, as it does in a client.
        if outcome.is_err() {
            let Some(next) = h264::open() else { return };
            decoder = next;
        }
    }
}

/// Units of one run: a decoder costs more than the bytes that make another necessary.
const MOST: u32 = 16;
