//! Models of the screen codec, in the registers that a server names: SPEC.md 5.7. In memory only, wiped as soon as they
//! are not needed.

use lightbox_codec::pixel::ImageMut;
use lightbox_codec::screen::update::{Decoder, Model};
use lightbox_protocol::msg::display::Op;
use lightbox_protocol::msg::update::{Models, Update};

use crate::paint::PaintError;

/// The registers that a server may use, and what is in them. They take [`Model::BYTES`] each once they are filled, and
/// one model more where a unit ends in none.
#[derive(Default)]
pub(crate) struct Registers {
    decoder: Decoder,
    /// By number, from 1 on; `None` where empty.
    held: Vec<Option<Kept>>,
    /// Memory for a unit that ends in no register, or in an empty one.
    spare: Option<Kept>,
}

/// A model that is wiped when it is let go.
struct Kept(Model);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl Registers {
    /// So many, all of them empty.
    pub(crate) fn new(models: u8) -> Self {
        Self { held: (0..models).map(|_| None).collect(), ..Self::default() }
    }

    /// Paints what a unit brings.
    ///
    /// # Errors
    /// It starts from an empty register, or is no unit: then `image` may be painted in part, and the register that it
    /// was to end in is empty.
    pub(crate) fn update(&mut self, image: &mut ImageMut<'_>, unit: &Update) -> Result<(), PaintError> {
        let Models { from, into } = unit.models;
        let mut kept = self.started(unit.models).ok_or(PaintError::Register(from))?;
        let outcome = self.decoder.decode(&mut kept.0, unit.tiles(), image, unit.alone, &unit.data);
        match self.held(into) {
            Some(held) if outcome.is_ok() => *held = Some(kept),
            _ => self.spare = Some(kept),
        }
        Ok(outcome?)
    }

    /// What a frame with `ops` was to write is not there.
    pub(crate) fn fail(&mut self, ops: &[Op]) {
        for op in ops {
            if let Op::Update(unit) = op
                && let Some(held) = self.held(unit.models.into)
            {
                *held = None;
            }
        }
    }

    /// A model that is what `from` holds and that may be changed, in the memory of `into`, which is empty then. `None`
    /// where `from` is empty.
    fn started(&mut self, Models { from, into }: Models) -> Option<Kept> {
        let over = self.held(into).and_then(Option::take);
        if from == into && from != 0 {
            return over;
        }
        let mut kept = over.or_else(|| self.spare.take()).unwrap_or_else(|| Kept(Model::new()));
        match from {
            0 => kept.0.wipe(),
            _ => {
                let Some(Kept(model)) = self.held(from)? else { return None };
                kept.0.copy_from(model);
            }
        }
        Some(kept)
    }

    /// The place of a register; `None` where the number is none's.
    fn held(&mut self, number: u8) -> Option<&mut Option<Kept>> {
        self.held.get_mut(usize::from(number.checked_sub(1)?))
    }

    /// The model in a register, to be changed: for tests that inject faults.
    pub(crate) fn model(&mut self, number: u8) -> Option<&mut Model> {
        self.held(number)?.as_mut().map(|kept| &mut kept.0)
    }
}
