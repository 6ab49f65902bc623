use lightbox_cli::source::replay::Recording;
use lightbox_codec::pixel::{Image, PixelFormat};
use lightbox_net::address::Address;

/// A line that a person pastes.
pub fn address(bytes: &[u8]) {
    let Ok(line) = std::str::from_utf8(bytes) else { return };
    if let Ok(address) = line.parse::<Address>() {
        let written = address.to_string();
        assert_eq!(written.parse::<Address>().as_ref(), Ok(&address), "{written}");
    }
}

/// A recorded screen: as the file that it is in, or as what the file holds.
pub fn replay(bytes: &[u8]) {
    let packed = if bytes.starts_with(&ZSTD) { bytes.to_vec() } else { stored(bytes) };
    let Ok(recording) = Recording::from_bytes(packed) else { return };
    let header = recording.header();
    let (Ok(frames), true) = (recording.frames(), header.size.area() <= MAX_PIXELS) else { return };
    let Ok(mut image) = Image::new(header.size, PixelFormat::Bgrx8) else { return };
    // A few bytes can be many frames; some are as good as all.
    for frame in frames.take(64) {
        let Ok(frame) = frame else { return };
        frame.paint(&mut image.as_mut());
    }
}

const MAX_PIXELS: u64 = 1 << 20;

/// How a zstd frame begins.
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// `content` as a zstd frame of raw blocks (RFC 8878, 3.1.1), through which a fuzzer sees.
fn stored(content: &[u8]) -> Vec<u8> {
    let mut packed =
        [&ZSTD[..], &[0 /* no content size, no checksum */, 0x38 /* a window of 128 KiB */]].concat();
    for block in content.chunks(1 << 16) {
        let header = (block.len() as u32) << 3;
        packed.extend_from_slice(&header.to_le_bytes()[..3]);
        packed.extend_from_slice(block);
    }
    packed.extend_from_slice(&[1 /* the last block, which is empty */, 0, 0]);
    packed
}
