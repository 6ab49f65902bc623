//! The models that one client keeps for units of the screen codec, and which one a unit starts from: SPEC.md 5.7.

use lightbox_codec::screen::update::Model;
use lightbox_protocol::channel::display::Agreed;
use lightbox_protocol::msg::update::Models;

/// With more frames than this under way, one of them may be late, and no unit starts from what it leaves.
const MAX_CHAIN: u64 = 8;
/// After so many units in one register what it holds is kept, and the next goes on in another.
const KEEP_EVERY: u32 = 16;

/// The registers of a session's client, all surfaces together.
#[derive(Debug, Default)]
pub(crate) struct Registers {
    agreed: (u64, u8),
    /// By its number less one.
    held: Vec<Held>,
    /// Where a model goes that is not kept.
    spare: Option<Box<Model>>,
}

#[derive(Debug, Default)]
struct Held {
    /// Its memory is there once it was used.
    model: Option<Box<Model>>,
    /// The frame that wrote it last, 0 where it is empty; and the last one that wrote or read it.
    written_by: u64,
    used_by: u64,
    /// Units that went on in it since it was copied.
    units: u32,
}

impl Registers {
    /// A frame begins for a client that agreed on this.
    pub(crate) fn begin(&mut self, agreed: &Agreed) {
        let agreed = (agreed.connection, agreed.models);
        if agreed != self.agreed {
            self.agreed = agreed;
            self.held.clear();
            self.held.resize_with(usize::from(agreed.1), Held::default);
        }
    }

    /// It is not certain any more what the client has: all registers count as empty.
    pub(crate) fn forget(&mut self) {
        self.held.iter_mut().for_each(|held| (held.written_by, held.units) = (0, 0));
    }

    /// False if the client has none.
    pub(crate) fn are_agreed(&self) -> bool {
        !self.held.is_empty()
    }

    /// The registers for the next unit of frame `seq`, and the model it starts from, to be left as the unit leaves it.
    ///
    /// While frames come through, a unit goes on from the one before. Where more are under way than should be, it starts
    /// from a model that was acknowledged, so that it waits for none of them; unless it `may_wait`, because without them
    /// there is no picture. `None` where the client keeps no models.
    pub(crate) fn pick(&mut self, seq: u64, acked_to: u64, may_wait: bool) -> Option<(Models, &mut Model)> {
        if self.held.is_empty() {
            return None;
        }
        let newest = self.newest(u64::MAX);
        let is_late = seq.saturating_sub(acked_to) > MAX_CHAIN && !may_wait;
        let (from, into) = match newest {
            Some(at) if self.held[at].written_by == seq => (newest, newest),
            Some(at) if self.held[at].used_by <= acked_to && self.held[at].units >= KEEP_EVERY => {
                (newest, self.free(acked_to, newest).or(newest))
            }
            Some(at) if self.held[at].used_by <= acked_to || !is_late => (newest, newest),
            _ => {
                let acked = self.newest(acked_to);
                (acked, self.free(acked_to, acked))
            }
        };
        let models = Models { from: number(from), into: number(into) };
        if let Some(at) = from {
            self.held[at].used_by = seq;
        }
        if let Some(at) = into {
            (self.held[at].written_by, self.held[at].used_by) = (seq, seq);
        }
        let model = match (from, into) {
            (Some(from), Some(into)) if from != into => {
                let [from, into] = self.held.get_disjoint_mut([from, into]).ok()?;
                let model = into.model.get_or_insert_default();
                model.copy_from(from.model.get_or_insert_default());
                into.units = 0;
                model
            }
            (Some(_), Some(into)) => {
                self.held[into].units += 1;
                self.held[into].model.get_or_insert_default()
            }
            (Some(from), None) => {
                let spare = self.spare.get_or_insert_default();
                spare.copy_from(self.held[from].model.get_or_insert_default());
                spare
            }
            (None, into) => {
                let model = match into {
                    Some(into) => {
                        self.held[into].units = 0;
                        self.held[into].model.get_or_insert_default()
                    }
                    None => self.spare.get_or_insert_default(),
                };
                model.wipe();
                model
            }
        };
        Some((models, model))
    }

    /// The register that was written last, by `until` or before.
    fn newest(&self, until: u64) -> Option<usize> {
        let written = |at: &usize| (1..=until).contains(&self.held[*at].written_by);
        (0..self.held.len()).filter(written).max_by_key(|at| self.held[*at].written_by)
    }

    /// The register least worth keeping, but for `kept`, among those that no frame under way needs.
    fn free(&self, acked_to: u64, kept: Option<usize>) -> Option<usize> {
        let free = |at: &usize| Some(*at) != kept && self.held[*at].used_by <= acked_to;
        (0..self.held.len()).filter(free).min_by_key(|at| self.held[*at].written_by)
    }
}

fn number(register: Option<usize>) -> u8 {
    register.map_or(0, |at| at as u8 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registers(models: u8) -> Registers {
        let mut registers = Registers::default();
        registers.begin(&Agreed { connection: 1, cells: 0, models });
        registers
    }

    fn pick(registers: &mut Registers, seq: u64, acked_to: u64) -> (u8, u8) {
        let (models, _) = registers.pick(seq, acked_to, false).unwrap();
        (models.from, models.into)
    }

    #[test]
    fn a_unit_goes_on_from_the_one_before_until_one_is_late() {
        let mut registers = registers(3);
        assert_eq!(pick(&mut registers, 1, 0), (0, 1));
        assert_eq!(pick(&mut registers, 2, 0), (1, 1));
        // Acknowledged, and long enough in one place: it is kept, and there is something to come back to.
        for seq in 3..=17 {
            assert_eq!(pick(&mut registers, seq, seq - 1), (1, 1));
        }
        assert_eq!(pick(&mut registers, 18, 17), (1, 2));
        for seq in 19..=25 {
            assert_eq!(pick(&mut registers, seq, 17), (2, 2));
        }
        // Frame 18 does not come through: what follows does not wait for it.
        assert_eq!(pick(&mut registers, 26, 17), (1, 3));
        assert_eq!(pick(&mut registers, 27, 17), (1, 0));
        assert_eq!(registers.pick(28, 17, true).unwrap().0, Models { from: 3, into: 3 });
    }

    #[test]
    fn nothing_is_known_after_a_doubt_and_copies_are_equal() {
        let mut registers = registers(2);
        pick(&mut registers, 1, 0);
        registers.held[0].units = KEEP_EVERY;
        assert_eq!(pick(&mut registers, 2, 1), (1, 2));
        assert!(registers.held[0].model == registers.held[1].model);
        registers.forget();
        assert_eq!(pick(&mut registers, 3, 2), (0, 1));
        assert_eq!(registers.pick(1, 0, false).map(|(models, _)| models.into), Some(1));
        registers.begin(&Agreed { connection: 2, cells: 0, models: 0 });
        assert!(registers.pick(1, 0, false).is_none());
    }
}
