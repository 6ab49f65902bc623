//! The memory of surfaces: this crate's own, or what the application gives for them.

use std::sync::Arc;

use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{Image, ImageError, ImageMut, ImageRef, PixelFormat};
use lightbox_protocol::msg::control::Surface;

/// Memory that holds the samples of one surface. Dropping it gives it back; it is wiped by then.
pub trait Memory: Send + Sync {
    /// All of it. It must always be as long as it was at first.
    fn bytes(&self) -> &[u8];

    /// The same, to be painted on.
    fn bytes_mut(&mut self) -> &mut [u8];
}

/// Gives surfaces their memory, so that a terminal can have pictures painted where its display finds them.
pub trait Allocate: Send + Sync {
    /// Memory for surface `id`: `size.h` rows, as many bytes from one to the next as comes back beside it, the last row
    /// with or without its padding. `None` where there is none to be had; the session then ends.
    ///
    /// Called on the thread that paints. Whoever reads the memory without [`Client::hold`](crate::Client::hold) or
    /// [`Client::with_surface`](crate::Client::with_surface) sees frames that are half painted.
    fn allocate(&self, id: u32, size: Size, format: PixelFormat) -> Option<(Box<dyn Memory>, usize)>;
}

/// Why a surface has no memory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurfaceError {
    /// The application has none.
    #[error("the terminal has no memory for a surface of {}x{}", .0.w, .0.h)]
    None(Size),
    /// What the application gave is too short for its stride, or its stride for a row.
    #[error("the terminal's memory is none for a surface: {0}")]
    Image(#[from] ImageError),
}

/// The samples of a surface.
pub(crate) struct Pixels {
    memory: Box<dyn Memory>,
    stride: usize,
    size: Size,
    format: PixelFormat,
}

impl Pixels {
    /// Black, in memory of `from` if there is such.
    pub(crate) fn new(surface: &Surface, from: Option<&Arc<dyn Allocate>>) -> Result<Self, SurfaceError> {
        let Surface { id, size, format, .. } = *surface;
        // Whatever the size is, nobody is asked for memory that no image has.
        let own = || Image::new(size, format).map(Image::into_bytes);
        let Some(from) = from else {
            let (memory, stride) = (Box::new(Own(own()?)), size.w as usize * format.bytes_per_pixel());
            return Ok(Self { memory, stride, size, format });
        };
        let (memory, stride) = from.allocate(id, size, format).ok_or(SurfaceError::None(size))?;
        let mut pixels = Self { memory, stride, size, format };
        ImageMut::new(pixels.memory.bytes_mut(), size, stride, format)?.fill(size.rect(), format.black());
        Ok(pixels)
    }

    /// A view of them; `None` where the application's memory is not any more what it was.
    pub(crate) fn image(&self) -> Option<ImageRef<'_>> {
        ImageRef::new(self.memory.bytes(), self.size, self.stride, self.format).ok()
    }

    /// A view to paint on.
    pub(crate) fn image_mut(&mut self) -> Option<ImageMut<'_>> {
        ImageMut::new(self.memory.bytes_mut(), self.size, self.stride, self.format).ok()
    }
}

impl Drop for Pixels {
    fn drop(&mut self) {
        self.memory.bytes_mut().fill(0);
    }
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pixels({}x{} {:?})", self.size.w, self.size.h, self.format)
    }
}

struct Own(Vec<u8>);

impl Memory for Own {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
