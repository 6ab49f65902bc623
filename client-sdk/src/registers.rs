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

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::{Rect, Size, TileGrid, TileMask};
    use lightbox_codec::pixel::{Image, PixelFormat};
    use lightbox_codec::screen::update::Encoder;

    use super::*;

    const SIZE: Size = Size::new(64, 64);

    fn blank() -> Image {
        let mut image = Image::new(SIZE, PixelFormat::Bgrx8).unwrap();
        image.as_mut().fill(SIZE.rect(), [0, 0, 0, 0xFF]);
        image
    }

    fn unit(from: u8, into: u8, data: Vec<u8>) -> Update {
        let tiles = TileMask::all(Rect::new(0, 0, 1, 1));
        Update::new(TileGrid::new(SIZE), tiles, false, Models { from, into }, data.into())
    }

    /// A server that draws one letter more with each unit.
    struct Server {
        shown: Image,
        letters: u32,
        models: [Model; 4],
    }

    impl Server {
        fn new() -> Self {
            Self { shown: blank(), letters: 0, models: [(); 4].map(|()| Model::new()) }
        }

        fn next(&mut self, from: usize, into: usize) -> Update {
            let mut source = self.shown.clone();
            let letter = Rect::new(7 * self.letters, 11, 5, 9);
            source.as_mut().fill(letter, [self.letters as u8, 9, 0xFF, 0xFF]);
            self.letters += 1;
            let mut model = if from == 0 { Model::new() } else { self.models[from].clone() };
            let (tiles, mut data) = (TileMask::all(Rect::new(0, 0, 1, 1)), Vec::new());
            let shown = &mut self.shown.as_mut();
            assert!(Encoder::default().encode(&mut model, &tiles, shown, source.as_ref(), false, &mut data));
            self.models[into] = model;
            unit(from as u8, into as u8, data)
        }
    }

    #[test]
    fn units_are_read_by_the_models_that_they_start_from() {
        let (mut server, mut registers, mut shown) = (Server::new(), Registers::new(3), blank());
        for (from, into) in [(0, 1), (1, 1), (1, 2), (2, 0), (0, 3), (2, 1), (1, 1), (3, 0), (2, 2)] {
            registers.update(&mut shown.as_mut(), &server.next(from, into)).unwrap();
            assert!(shown == server.shown, "a unit from {from} into {into} shows something else");
        }
        let models = registers.held.iter().flatten().chain(&registers.spare);
        assert!(models.count() <= 4, "more memory than registers and one");
    }

    #[test]
    fn a_register_is_empty_before_it_is_written_and_after_what_was_to_write_it_failed() {
        let (mut server, mut registers, mut shown) = (Server::new(), Registers::new(3), blank());
        registers.update(&mut shown.as_mut(), &server.next(0, 1)).unwrap();
        registers.update(&mut shown.as_mut(), &server.next(1, 2)).unwrap();
        let mut starts = |from| registers.update(&mut blank().as_mut(), &unit(from, 0, vec![0x80]));
        assert!(matches!(starts(3), Err(PaintError::Register(3))));
        assert!(matches!(starts(4), Err(PaintError::Register(4))));
        // A unit that is none, in place and into another.
        let trailing = vec![0xAA; 4_096];
        let mut image = blank();
        assert!(registers.update(&mut image.as_mut(), &unit(1, 1, trailing.clone())).is_err());
        assert!(matches!(
            registers.update(&mut image.as_mut(), &unit(1, 3, Vec::new())),
            Err(PaintError::Register(1))
        ));
        assert!(registers.update(&mut image.as_mut(), &unit(0, 2, trailing)).is_err());
        assert!(registers.model(2).is_none() && registers.model(3).is_none());
        // And one of a frame that failed behind it.
        registers.update(&mut shown.as_mut(), &server.next(0, 1)).unwrap();
        registers.fail(&[Op::Update(Box::new(unit(0, 1, Vec::new())))]);
        assert!(registers.model(1).is_none());
    }
}
