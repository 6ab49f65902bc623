//! What there is to measure in any clone: a short recording of the reading room, and stills drawn on the spot.

use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{ImageMut, PixelFormat, SampleDepth};

use crate::Failure;
use crate::picture::Still;
use crate::source::phantom::Ct;
use crate::source::replay::Recording;

/// The recording that comes with the program.
pub(super) fn recording() -> Result<Recording, Failure> {
    Ok(Recording::from_bytes(include_bytes!("../../assets/reading-room.scr.zst").to_vec())?)
}

/// A screen of the reading room, and a slice of its 12-bit phantom.
pub(super) fn stills() -> Result<[(&'static str, Still); 2], Failure> {
    let recording = recording()?;
    let (size, format) = (recording.header().size, PixelFormat::Bgrx8);
    let mut screen = Still { size, format, data: [0, 0, 0, 0xFF].repeat(size.area() as usize) };
    if let Some(frame) = recording.frames()?.next() {
        let stride = size.w as usize * format.bytes_per_pixel();
        frame?.paint(&mut ImageMut::new(&mut screen.data, size, stride, format)?);
    }
    let mut body = Ct::new(1, 8);
    let slice = body.slice(3).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let depth = SampleDepth::new(12).ok_or("12 bits are no depth")?;
    let slice =
        Still { size: Size::new(Ct::SIDE, Ct::SIDE), format: PixelFormat::Gray16(depth), data: slice };
    Ok([("reading-room screen", screen), ("phantom CT slice", slice)])
}
