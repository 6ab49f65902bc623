/// What a technique was used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Rects, each of its own.
    pub rects: u64,
    /// Their pixels.
    pub pixels: u64,
    /// The bytes that say how they look.
    pub bytes: u64,
}

impl Used {
    pub(crate) fn add(&mut self, other: Used) {
        self.rects += other.rects;
        self.pixels += other.pixels;
        self.bytes += other.bytes;
    }
}

/// How some pixels of a frame travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Technique {
    /// Copied from elsewhere on the surface.
    Copy,
    /// Out of a slot.
    Slot,
    /// Put aside in a slot: nothing is painted.
    Store,
    /// One colour.
    Fill,
    /// Coded by this method of the still codec, by its name.
    Still(&'static str),
    /// In a unit of the screen codec.
    Update,
    /// A pass of this name.
    Pass(&'static str),
    /// As the source of an image that is shown scaled.
    Scaled,
    /// As the host's own encoder has it.
    Video,
}

impl Technique {
    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Technique::Copy => "copy",
            Technique::Slot => "slot",
            Technique::Store => "store",
            Technique::Fill => "fill",
            Technique::Scaled => "scaled",
            Technique::Video => "video",
            Technique::Update => "update",
            Technique::Still(name) | Technique::Pass(name) => name,
        }
    }
}
