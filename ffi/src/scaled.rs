//! Images that a viewer in the guest shows scaled.
#![allow(unsafe_code)]

use lightbox_server::geom::Size;
use lightbox_server::{Axis, Kernel, Scale, ScaledImage};

use crate::error::{Failure, lbx_result};
use crate::guard;
use crate::handle;
use crate::output::{lbx_output, refused};
use crate::sized::{self, SizeFirst};
use crate::vocabulary::{lbx_frame, lbx_rect, rects_of};

/// The image's pixel that lies there.
pub const LBX_KERNEL_NEAREST: u32 = 0;
/// Bilinear as in Chromium and Skia without a GPU: positions cut to sixteenths of a pixel, sums rounded down. 1 to 8 stand
/// for bilinear kernels with so many binary places of a position.
pub const LBX_KERNEL_SKIA: u32 = 4;
/// Added to the places of a bilinear kernel whose sums are rounded to the nearest number, halves up.
pub const LBX_KERNEL_ROUNDED: u32 = 16;

/// An image that the monitor's picture shows scaled.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_scaled {
    /// sizeof(lbx_scaled).
    pub size: usize,
    /// Where the picture shows it, at most 4194304 pixels. What lies over it may be anything.
    pub rect: lbx_rect,
    /// The image before it was scaled: LBX_FORMAT_GRAY8, or LBX_FORMAT_BGRX8 on a monitor of that. At most 1048576 of its
    /// pixels are shown.
    pub image: *const lbx_frame,
    /// LBX_KERNEL_*, or the number of binary places.
    pub kernel: u32,
    /// Always 0.
    pub reserved: u32,
    /// Where the rect's first column lies in the image, in 1/4294967296 pixels; the middle of the first pixel is at 0.
    pub x_origin: i64,
    /// From one column to the next. 0 if the image fills the rect from edge to edge: the other three are not looked at then.
    pub x_step: u64,
    /// The same for rows.
    pub y_origin: i64,
    /// The same for rows.
    pub y_step: u64,
}

// SAFETY: `repr(C)`, size first, integers and a raw pointer.
unsafe impl SizeFirst for lbx_scaled {
    const NAME: &'static str = "lbx_scaled";
    const LEAST: usize = size_of::<Self>();
}

/// The frames from the next one on show these images scaled, in place of those named before; none ends it. To be called
/// before the frame that shows them first, each time another image is shown, is shown elsewhere or scaled otherwise: for
/// hosts that know what a viewer in the guest does. They are sent instead of what they became: about half of it for
/// a CT slice that fills a window. It is a hint: clients show the frame exactly, whatever is said here. Costs a copy of what is
/// shown of each image.
/// Ownership: `images` is an array of pointers; all memory is free when this returns.
/// Errors: `LBX_ERROR_ARGUMENT`, also for more than 16: nothing changes.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_show_scaled(
    output: *mut lbx_output,
    images: *const *const lbx_scaled,
    images_len: usize,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        // SAFETY: promise 2.
        let images = unsafe { handle::array(images, images_len, "images") }?;
        // SAFETY: promise 2; no image outlives the call.
        let read = |image: &*const lbx_scaled| unsafe { sized::read(*image)?.parsed() };
        let images = images.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        output.output.show_scaled(&images).map_err(refused)
    })
}

impl lbx_scaled {
    /// # Safety
    /// Promise 2, for as long as what is returned.
    unsafe fn parsed<'a>(&self) -> Result<ScaledImage<'a>, Failure> {
        // SAFETY: promise 2.
        let image = unsafe { sized::read(self.image)?.memory()?.image() }?;
        let rect = rects_of(&[self.rect])[0];
        let kernel = u8::try_from(self.kernel).ok().and_then(Kernel::of);
        let kernel = kernel.ok_or_else(|| Failure::argument("LBX_KERNEL_* is not what kernel says"))?;
        let (x, y) = (
            Axis { origin: self.x_origin, step: self.x_step },
            Axis { origin: self.y_origin, step: self.y_step },
        );
        let fits = self.x_step == 0;
        let whole = Size::new(rect.w, rect.h);
        let scale = if fits { Scale::fit(kernel, image.size(), whole) } else { Scale { kernel, x, y } };
        Ok(ScaledImage { rect, image, scale })
    }
}
