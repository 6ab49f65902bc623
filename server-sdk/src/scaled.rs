//! What a host says about images that its picture shows scaled.

use std::sync::Arc;

use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::{ImageRef, PixelFormat};
use lightbox_codec::screen::scaled::Scale;

use crate::encode::Shown;
use crate::error::{ScaledError, SubmitError};

/// The most images of one output.
const MAX_IMAGES: usize = 16;

/// An image that a picture shows scaled: [`Output::show_scaled`](crate::Output::show_scaled).
#[derive(Clone, Copy, Debug)]
pub struct ScaledImage<'a> {
    /// Where the picture shows it; what lies over it may be anything.
    pub rect: Rect,
    /// The image before it was scaled: gray of eight bits, or colour where the output has.
    pub image: ImageRef<'a>,
    /// How the rect comes out of the image. [`Scale::fit`] is for an image that fills it.
    pub scale: Scale,
}

/// What views keep of these images.
pub(crate) fn shown(
    images: &[ScaledImage<'_>],
    size: Size,
    format: PixelFormat,
) -> Result<Arc<[Shown]>, SubmitError> {
    if images.len() > MAX_IMAGES {
        return Err(ScaledError::TooMany { limit: MAX_IMAGES }.into());
    }
    let one = |image: &ScaledImage<'_>| Shown::new(image.image, &image.scale, image.rect, size, format);
    Ok(images.iter().map(one).collect::<Result<Vec<_>, _>>()?.into())
}
