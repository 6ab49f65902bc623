use crate::msg::display::Op;
use crate::msg::update::{MAX_MODELS, Models};

/// A place for each register, by its number; the first is not one.
type ByNumber = [u64; MAX_MODELS as usize + 1];

/// Which frames wrote a client's registers and started from what is in them: registers are kept in order as tiles are.
#[derive(Clone, Debug, Default)]
pub struct ModelLedger {
    registers: u8,
    written_by: ByNumber,
    /// The last frame that wrote it or started from it.
    used_by: ByNumber,
}

impl ModelLedger {
    /// Of a client with so many registers, all of them empty.
    pub fn new(registers: u8) -> Self {
        Self { registers: registers.min(MAX_MODELS), ..Self::default() }
    }

    /// How many registers the client has.
    pub fn registers(&self) -> u8 {
        self.registers
    }

    /// The last frame that must be applied before one with `ops`: what its units start from must be there, and what
    /// they overwrite must not be needed any more.
    pub fn base(&self, ops: &[Op]) -> u64 {
        let needs = |Models { from, into }| {
            let written = self.written_by.get(usize::from(from)).copied();
            written.max(self.used_by.get(usize::from(into)).copied())
        };
        models(ops).filter_map(needs).max().unwrap_or(0)
    }

    /// Frame `seq` was sent.
    pub fn sent(&mut self, seq: u64, ops: &[Op]) {
        for Models { from, into } in models(ops) {
            if let Some(used) = register(&mut self.used_by, from) {
                *used = seq;
            }
            if let Some(written) = register(&mut self.written_by, into) {
                *written = seq;
            }
            if let Some(used) = register(&mut self.used_by, into) {
                *used = seq;
            }
        }
    }
}

/// Which registers hold a model at a client, as of the frames that it has begun.
#[derive(Clone, Debug, Default)]
pub struct Registers {
    /// 0: empty.
    written_by: ByNumber,
}

impl Registers {
    /// Frame `seq` is about to do `ops`. False where one starts from a register that is empty, or that a later frame
    /// wrote.
    pub fn begin(&mut self, seq: u64, ops: &[Op]) -> bool {
        let mut is_founded = true;
        for Models { from, into } in models(ops) {
            let written = self.written_by.get(usize::from(from));
            is_founded &= from == 0 || written.is_some_and(|written| (1..=seq).contains(written));
            if let Some(written) = register(&mut self.written_by, into) {
                *written = seq;
            }
        }
        is_founded
    }

    /// What a frame with `ops` was to write is not there.
    pub fn fail(&mut self, ops: &[Op]) {
        for Models { into, .. } in models(ops) {
            register(&mut self.written_by, into).into_iter().for_each(|written| *written = 0);
        }
    }

    /// Frame `seq` does nothing, and nobody knows what it was to do: it may have been to write every register that
    /// no later frame has written.
    pub fn void(&mut self, seq: u64) {
        self.written_by.iter_mut().filter(|written| **written <= seq).for_each(|written| *written = 0);
    }
}

fn models(ops: &[Op]) -> impl Iterator<Item = Models> + '_ {
    ops.iter().filter_map(|op| if let Op::Update(unit) = op { Some(unit.models) } else { None })
}

/// The place of a register; `None` where the number is none's.
fn register(places: &mut ByNumber, number: u8) -> Option<&mut u64> {
    places[1..].get_mut(usize::from(number.checked_sub(1)?))
}
