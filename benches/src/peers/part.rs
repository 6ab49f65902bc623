use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::{ImageMut, ImageRef, PixelFormat};

/// An image, or one tile of it, in the layouts that coders take.
pub struct Part {
    // INVARIANT: `samples` is size.area() pixels of `channels()` samples, each of 1 byte or, above 8 bits, 2.
    size: Size,
    format: PixelFormat,
    samples: Vec<u8>,
    /// The same in our own format, where that differs.
    bgrx: Option<Vec<u8>>,
}

impl Part {
    /// A copy of `image`.
    ///
    /// # Panics
    /// On ten-bit colour, which no picture file here has and which few peers take.
    pub fn new(image: ImageRef<'_>) -> Self {
        let (size, format) = (image.size(), image.format());
        assert!(format != PixelFormat::Bgrx10, "ten-bit colour has no peers here");
        let own: Vec<u8> = image.rows().flatten().copied().collect();
        if format != PixelFormat::Bgrx8 {
            return Self { size, format, samples: own, bgrx: None };
        }
        let samples = own.as_chunks::<4>().0.iter().flat_map(|[b, g, r, _]| [*r, *g, *b]).collect();
        Self { size, format, samples, bgrx: Some(own) }
    }

    /// `image` cut into squares of `side`, smaller at its right and lower edges; whole if `side` is 0. Row by row, but
    /// the column at the right edge comes last: whatever is coded together shall have one width.
    pub fn tiles(image: ImageRef<'_>, side: u32) -> Vec<Self> {
        if side == 0 {
            return vec![Self::new(image)];
        }
        let all = image.size().rect();
        let corners = (0..all.h)
            .step_by(side as usize)
            .flat_map(|y| (0..all.w).step_by(side as usize).map(move |x| (x, y)));
        let rects = corners.filter_map(|(x, y)| Rect::new(x, y, side, side).intersect(all));
        let mut parts: Vec<Self> = rects.filter_map(|rect| image.crop(rect)).map(Self::new).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.size.w));
        parts
    }

    /// Columns and rows.
    pub fn size(&self) -> Size {
        self.size
    }

    /// 1 for gray, 3 for colour.
    pub fn channels(&self) -> u8 {
        if self.bgrx.is_some() { 3 } else { 1 }
    }

    /// Significant bits of a sample.
    pub fn depth(&self) -> u8 {
        self.format.depth()
    }

    /// Bytes of a sample: 2 above 8 bits.
    pub fn sample_bytes(&self) -> usize {
        if self.depth() > 8 { 2 } else { 1 }
    }

    /// Gray, or red, green and blue in turn; rows without padding, samples of 2 bytes little-endian.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// The bytes of [`Part::image`].
    pub fn own_bytes(&self) -> &[u8] {
        self.bgrx.as_deref().unwrap_or(&self.samples)
    }

    /// The pixels in our own format.
    pub fn image(&self) -> ImageRef<'_> {
        ImageRef::new(self.own_bytes(), self.size, self.stride(), self.format)
            .expect("a part has as many bytes as its size and format need")
    }

    /// `memory`, resized, as an image of this size and format.
    pub fn target<'a>(&self, memory: &'a mut Vec<u8>) -> ImageMut<'a> {
        memory.resize(self.own_bytes().len(), 0);
        ImageMut::new(memory, self.size, self.stride(), self.format).expect("the memory was just sized")
    }

    fn stride(&self) -> usize {
        self.size.w as usize * self.format.bytes_per_pixel()
    }
}
