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

/// A picture of the size, depth and noise of a chest radiograph: a slice of the phantom, larger, with a grain that no
/// enlargement has.
pub(super) fn radiograph() -> Result<Still, Failure> {
    let mut body = Ct::new(1, 8);
    let slice = body.slice(3);
    let size = Size::new(2048, 2560);
    let side = Ct::SIDE as usize;
    let at = |x: usize, y: usize| u32::from(slice[y.min(side - 1) * side + x.min(side - 1)]);
    let mut grain = 1u32;
    let mut data = Vec::with_capacity(size.area() as usize * 2);
    for y in 0..size.h as usize {
        // Sixteenths of a sample of the slice: 4 columns and 5 rows for each.
        let (row, fy) = (y / 5, (y % 5) as u32 * 16 / 5);
        for x in 0..size.w as usize {
            let (column, fx) = (x / 4, (x % 4) as u32 * 4);
            let above = at(column, row) * (16 - fx) + at(column + 1, row) * fx;
            let below = at(column, row + 1) * (16 - fx) + at(column + 1, row + 1) * fx;
            let level = (above * (16 - fy) + below * fy) / 256;
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // The sum of two dice, some samples wide.
            let noise = (grain >> 28) + (grain >> 24 & 15);
            let sample = (level + noise).min(4_095) as u16;
            data.extend_from_slice(&sample.to_le_bytes());
        }
    }
    let depth = SampleDepth::new(12).ok_or("12 bits are no depth")?;
    Ok(Still { size, format: PixelFormat::Gray16(depth), data })
}
