//! Which tiles one client keeps in its slots: SPEC.md 5.5.

use std::collections::{BTreeMap, HashMap};

use lightbox_codec::pixel::ImageRef;
use lightbox_codec::screen::packed::Packed;
use lightbox_protocol::channel::display::Agreed;

/// What a session's client keeps in its slots, all surfaces together.
///
/// Tiles are known by a keyed hash of all that they are, so that nobody who paints them can make two that are taken
/// for each other. Slots are filled one after the other and displaced in that order.
pub(crate) struct Slots {
    key: [u8; 32],
    agreed: Agreed,
    /// The first cell that was never filled.
    next: u64,
    known: HashMap<Hash, Slot>,
    /// INVARIANT: what may be shown in `known` is here too, by its first cell.
    held: BTreeMap<u64, Content>,
    packed: Packed,
}

type Hash = [u8; 32];

/// Where a tile is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) first: u64,
    pub(crate) end: u64,
}

/// What a tile shows, and the cells it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    hash: Hash,
    pub(crate) cells: u64,
}

impl Slots {
    /// Nothing is kept. `key` is random and the session's own.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            agreed: Agreed::default(),
            next: 0,
            known: HashMap::new(),
            held: BTreeMap::new(),
            packed: Packed::new(),
        }
    }

    /// It is not certain any more what the client has: nothing that was stored until now is shown. To be called at
    /// every repair, at every frame that was made and not sent, and when a surface goes or starts anew.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
        self.held.clear();
    }

    /// A frame begins for a client that agreed on this.
    pub(crate) fn begin(&mut self, agreed: Agreed) {
        if agreed != self.agreed {
            self.forget();
            (self.agreed, self.next) = (agreed, 0);
        }
    }

    /// False if the client has no slots.
    pub(crate) fn are_agreed(&self) -> bool {
        self.agreed.cells > 0
    }

    /// The most cells that a frame may fill before it shows any, or behind all that it shows.
    pub(crate) fn room(&self) -> u64 {
        self.agreed.cells / 4
    }

    /// What `tile` is.
    pub(crate) fn content(&mut self, tile: ImageRef<'_>) -> Content {
        self.packed.take(tile);
        let (head, samples) = self.packed.identity();
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        // The samples first: so they are whole chunks, of which BLAKE3 hashes several at a time.
        hasher.update(samples).update(&head);
        Content { hash: *hasher.finalize().as_bytes(), cells: self.packed.cells() }
    }

    /// Where it is kept, also once a frame has filled all the [`Self::room`] it may.
    pub(crate) fn find(&self, content: &Content) -> Option<Slot> {
        let slot = self.known.get(&content.hash)?;
        (slot.first + self.agreed.cells >= self.next + self.room()).then_some(*slot)
    }

    /// True if a tile in this slot will be displaced before long.
    pub(crate) fn is_old(&self, slot: Slot) -> bool {
        slot.first + self.agreed.cells / 2 < self.next
    }

    /// The slot for it in a frame that is certain to be made.
    pub(crate) fn store(&mut self, content: Content) -> Slot {
        let slot = Slot { first: self.next, end: self.next + content.cells };
        self.next = slot.end;
        self.known.insert(content.hash, slot);
        self.held.insert(slot.first, content);
        while let Some(oldest) = self.held.first_entry().filter(|o| o.key() + self.agreed.cells < slot.end) {
            let (first, old) = oldest.remove_entry();
            if self.known.get(&old.hash).is_some_and(|at| at.first == first) {
                self.known.remove(&old.hash);
            }
        }
        slot
    }
}

impl std::fmt::Debug for Slots {
    /// Neither the key nor what hashes to what is anybody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slots")
            .field("known", &self.known.len())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Size;
    use lightbox_codec::pixel::{Image, PixelFormat};

    use super::*;

    fn content(slots: &mut Slots, level: u8) -> Content {
        let mut image = Image::new(Size::new(64, 64), PixelFormat::Gray8).unwrap();
        image.as_mut().fill(Size::new(64, 64).rect(), [level, 0, 0, 0]);
        slots.content(image.as_ref())
    }

    #[test]
    fn what_may_be_displaced_within_a_frame_is_not_found() {
        let mut slots = Slots::new([7; 32]);
        slots.begin(Agreed { connection: 1, cells: 16, models: 0 });
        let first = content(&mut slots, 0);
        assert_eq!(slots.find(&first), None);
        let at = slots.store(first);
        for level in 1..=12 {
            assert_eq!(slots.find(&first), Some(at), "{level}");
            let next = content(&mut slots, level);
            slots.store(next);
        }
        // Four more, and it would be gone.
        assert_eq!(slots.find(&first), None);
        assert!(slots.held.len() <= 17 && slots.known.len() == slots.held.len());
    }

    #[test]
    fn another_connection_knows_nothing_and_another_key_hashes_otherwise() {
        let mut slots = Slots::new([7; 32]);
        let agreed = Agreed { connection: 1, cells: 16, models: 0 };
        slots.begin(agreed);
        let one = content(&mut slots, 1);
        slots.store(one);
        slots.begin(agreed);
        assert!(slots.find(&one).is_some());
        slots.begin(Agreed { connection: 2, ..agreed });
        assert_eq!((slots.find(&one), slots.store(one).first), (None, 0));
        assert_ne!(content(&mut Slots::new([8; 32]), 1), one);
    }
}
